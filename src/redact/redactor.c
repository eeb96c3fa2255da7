/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "redact_internal.h"

#define KEY_LEN 32

/* No kind has this name, so no token tells this MAC. */
static void name_key(struct redactor *r)
{
	static const struct span name = { "corescrub key id", sizeof("corescrub key id") };
	uint8_t mac[DIGEST_LEN];

	hmac_parts(r->hmac, &name, 1, mac);
	digest_hex(mac, 8, r->key_id);
}

int redactor_new(const struct redact_options *o, struct redactor **ret, struct err *err)
{
	AUTO_BUF info = BUF_INIT;
	uint8_t base[KEY_LEN], key[KEY_LEN];
	struct redactor *r;

	if (o->key) {
		if (secret_span(o->key).len != KEY_LEN)
			return err_set(err, RC_REFUSED, "a token key has 32 bytes");
		memcpy(base, secret_span(o->key).p, KEY_LEN);
	} else {
		digest_random(base, KEY_LEN);
	}
	buf_add_str(&info, o->case_name ? o->case_name : "");
	if (o->purpose) {	/* no case's name holds a NUL */
		buf_add_char(&info, '\0');
		buf_add_str(&info, o->purpose);
	}
	digest_hkdf(span_make((const char *)base, KEY_LEN), SPAN_LIT("corescrub token v1"),
		    buf_span(&info), key, KEY_LEN);
	r = xcalloc(1, sizeof(*r));
	r->hmac = hmac_new(span_make((const char *)key, KEY_LEN));
	r->arena = arena_new();
	r->collects = r->keep_map = o->keep_map;
	if (o->key)
		name_key(r);
	for (const char *const *kept = o->kept; kept && *kept; kept++)
		strings_add(&r->kept, xstrdup(*kept));
	digest_random(&r->seed, sizeof(r->seed));
	secret_wipe(base, sizeof(base));
	secret_wipe(key, sizeof(key));
	*ret = r;
	return RC_OK;
}

void redactor_free(struct redactor *r)
{
	size_t i;

	if (!r)
		return;
	hmac_free(r->hmac);
	arena_free(r->arena);
	free(r->tokens);
	free(r->spellings);
	free(r->pairs);
	numbers_done(&r->by_spelling);
	numbers_done(&r->by_canonical);
	numbers_done(&r->by_text);
	numbers_done(&r->by_pair);
	free(r->counts);
	free(r->shown);
	for (i = 0; i < r->n_artifacts; i++)
		free(r->artifacts[i].name);
	free(r->artifacts);
	free(r->places);
	strings_done(&r->kept);
	planner_free(r->planner);
	buf_done(&r->value);
	buf_done(&r->canonical);
	free(r);
}

int redact_key_read(const char *path, struct secret **ret, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char key[KEY_LEN + 1];
	ssize_t n;
	int rc;

	if (fd < 0)
		return err_errno(err, RC_NOTFOUND, "can't open key file %s", path);
	rc = file_check_trusted(fd, path, true, err);
	if (rc < 0)
		return rc;
	n = read(fd, key, sizeof(key));
	if (n < 0)
		return err_errno(err, RC_IO, "can't read key file %s", path);
	if (n == KEY_LEN)
		*ret = secret_new(key, KEY_LEN);
	else
		rc = err_set(err, RC_REFUSED, "%s is no token key: it must hold 32 bytes", path);
	secret_wipe(key, sizeof(key));
	return rc;
}

void redactor_note(struct redactor *r, bool on)
{
	r->keep_map = on && r->collects;
}

int redact_token(struct redactor *r, enum kind kind, struct span value, struct buf *ret,
		 struct err *err)
{
	uint32_t token;
	int rc = token_find(r, kind, value, &token, NULL, err);

	if (rc < 0)
		return rc;
	if (r->tokens[token].stays)
		buf_add_span(ret, value);
	else
		buf_add(ret, r->tokens[token].text, r->tokens[token].len);
	return RC_OK;
}

const char *redactor_key_id(const struct redactor *r)
{
	return r->key_id;
}

void redact_each_kept(const struct redactor *r, size_t *at, redact_kept_fn fn, void *ctx)
{
	for (; *at < r->n_spellings; ++*at) {
		const struct spelling *s = &r->spellings[*at];

		if (r->tokens[s->token].kept)
			fn(ctx, r->tokens[s->token].kind, s->bytes);
	}
}

const struct redact_count *redact_counts(struct redactor *r, size_t *ret_n)
{
	size_t i, n = 0;

	r->shown = xreallocarray(r->shown, r->n_counts + 1, sizeof(*r->shown));
	for (i = 0; i < r->n_counts; i++)
		if (r->counts[i].count)
			r->shown[n++] = r->counts[i];
	*ret_n = n;
	return r->shown;
}

uint64_t redact_open_items(const struct redactor *r)
{
	return r->open_items;
}

uint64_t redact_preexisting(const struct redactor *r)
{
	return r->preexisting;
}

int redact_each_value(const struct redactor *r, redact_value_fn fn, void *ctx)
{
	size_t i;

	for (i = 0; i < r->n_spellings; i++) {
		const struct spelling *s = &r->spellings[i];
		int rc;

		if (r->tokens[s->token].stays)
			continue;
		rc = fn(ctx, r->tokens[s->token].kind, s->bytes);
		if (rc < 0)
			return rc;
	}
	return RC_OK;
}
