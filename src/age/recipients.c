/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <stdlib.h>

struct age_recipients *age_recipients_new(void)
{
	return xcalloc(1, sizeof(struct age_recipients));
}

void age_recipients_free(struct age_recipients *r)
{
	if (!r)
		return;
	age_keys_done(&r->keys);
	free(r);
}

size_t age_recipients_count(const struct age_recipients *r)
{
	return r->keys.n;
}

static int read_native(struct span line, struct age_key **ret, struct err *err)
{
	AUTO(age_key) k = age_key_new(AGE_X25519);

	/* "age1name1…" is a plugin's, "age1pq1…" a hybrid key: '1' is no digit of ours */
	if (span_find(line, SPAN_LIT("1"), strlen("age1")) >= 0)
		return err_set(err, RC_UNSUPPORTED, "a recipient of a kind that is not supported");
	if (!age_bech32_decode("age", line, k->point))
		return err_set(err, RC_SYNTAX, "not a recipient: mistyped, or cut short");
	if (!age_curve_is_sound(k->point))
		return err_set(err, RC_REFUSED, "a recipient anybody could decrypt for");
	*ret = STEAL(k);
	return RC_OK;
}

static bool is_same(const struct age_key *a, const struct age_key *b)
{
	return a->kind == b->kind && span_eq(buf_span(&a->wire), buf_span(&b->wire)) &&
	       memcmp(a->point, b->point, AGE_KEY) == 0;
}

static bool is_ssh(struct span line)
{
	return span_starts(line, SPAN_LIT("ssh-")) || span_starts(line, SPAN_LIT("ecdsa-")) ||
	       span_starts(line, SPAN_LIT("sk-"));
}

int age_recipients_add(struct age_recipients *r, struct span line, struct err *err)
{
	AUTO(age_key) k = NULL;
	int rc;

	line = span_trim(line);
	if (r->keys.n && r->keys.v[0]->kind == AGE_SCRYPT)
		return err_set(err, RC_REFUSED, "a passphrase must be the only recipient");
	if (span_starts(line, SPAN_LIT("age1")))
		rc = read_native(line, &k, err);
	else if (is_ssh(line))
		rc = age_ssh_public(line, &k, err);
	else
		rc = err_set(err, RC_SYNTAX, "not a recipient: it begins like none (age1, ssh-)");
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < r->keys.n; i++)
		if (is_same(r->keys.v[i], k))
			return RC_OK;
	age_keys_add(&r->keys, STEAL(k));
	return RC_OK;
}

int age_recipients_add_passphrase(struct age_recipients *r, const struct secret *passphrase,
				  struct err *err)
{
	struct span s = secret_span(passphrase);
	struct age_key *k;

	if (r->keys.n)
		return err_set(err, RC_REFUSED, "a passphrase must be the only recipient");
	if (s.len == 0)
		return err_set(err, RC_REFUSED, "the passphrase is empty");
	k = age_key_new(AGE_SCRYPT);
	k->passphrase = secret_new(s.p, s.len);
	age_keys_add(&r->keys, k);
	return RC_OK;
}

int age_recipients_read(struct age_recipients *r, struct span text, const char *name,
			size_t *ret_skipped, struct err *err)
{
	struct err why = ERR_INIT;
	struct span line;
	size_t n = 0, skipped = 0;

	for (unsigned number = 1; age_next_line(&text, &line); number++) {
		int rc;

		line = span_trim(line);
		if (line.len == 0 || line.p[0] == '#')
			continue;
		rc = age_recipients_add(r, line, &why);
		if (rc == RC_UNSUPPORTED && is_ssh(line))
			skipped++;
		else if (rc < 0)
			return err_at(err, rc, name, number, 1, "%s", why.msg);
		else
			n++;
	}
	if (n == 0)
		return err_at(err, skipped ? RC_UNSUPPORTED : RC_SYNTAX, name, 0, 0,
			      skipped ? "no key in it that can be encrypted to"
				      : "no recipient in it");
	*ret_skipped = skipped;
	return RC_OK;
}

char *age_recipients_fingerprint(const struct age_recipients *r, size_t i)
{
	const struct age_key *k = r->keys.v[i];
	uint8_t digest[DIGEST_LEN];
	char hex[17];

	if (k->kind == AGE_SCRYPT)
		return xstrdup("passphrase");
	if (k->kind == AGE_X25519)
		digest_sha256(span_make((const char *)k->point, AGE_KEY), digest);
	else
		digest_sha256(buf_span(&k->wire), digest);
	digest_hex(digest, 8, hex);
	return xasprintf("%s %s", k->kind == AGE_X25519 ? "x25519" : age_key_kind(k), hex);
}
