/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#define VERSION_LINE "age-encryption.org/v1\n"
#define COLUMNS AGE_ARMOR_COLUMNS

void age_header_free(struct age_header *h)
{
	if (!h)
		return;
	buf_done(&h->text);
	arena_free(h->bodies);
	free(h->stanzas);
	free(h);
}

static int damaged(struct age_source *src, const char *what, struct err *err)
{
	return err_at(err, RC_FORMAT, age_source_name(src), 0, 0, "damaged header: %s", what);
}

/* Reads up to the line of the MAC, which is the first that begins with "---". */
static int collect(struct age_source *src, struct buf *text, struct err *err)
{
	size_t start;
	int rc = age_source_line(src, text, LIMIT_AGE_HEADER, err);

	if (rc < 0)
		return rc;
	if (!span_eq_str(buf_span(text), VERSION_LINE)) {
		if (!span_starts(buf_span(text), SPAN_LIT("age-encryption.org/")))
			return damaged(src, "not an age file", err);
		return err_at(err, RC_UNSUPPORTED, age_source_name(src), 0, 0,
			      "damaged header: not of version 1 of the format");
	}
	do {
		start = text->len;
		rc = age_source_line(src, text, LIMIT_AGE_HEADER, err);
		if (rc < 0)
			return rc;
	} while (!span_starts(span_sub(buf_span(text), start, text->len), SPAN_LIT("---")));
	return RC_OK;
}

static bool take_line(struct span *text, struct span *ret)
{
	ssize_t end = span_find(*text, SPAN_LIT("\n"), 0);

	if (end < 0)
		return false;
	*ret = span_sub(*text, 0, end);
	*text = span_sub(*text, end + 1, text->len);
	return true;
}

/* "-> argument argument…", each of at least one printable character. */
static bool read_arguments(struct span line, struct age_stanza *s)
{
	size_t start;

	if (!span_starts(line, SPAN_LIT("-> ")))
		return false;
	start = 3;
	for (size_t i = 3; i <= line.len; i++) {
		if (i < line.len && line.p[i] != ' ') {
			if (line.p[i] < 0x21 || line.p[i] > 0x7e)
				return false;
			continue;
		}
		if (i == start)
			return false;
		if (s->n_args < ARRAY_SIZE(s->args))
			s->args[s->n_args] = span_sub(line, start, i);
		s->n_args++;
		start = i + 1;
	}
	return true;
}

/* Lines of base64, of 64 columns but for the last, which is shorter. */
static bool read_body(struct span *text, struct arena *bodies, struct age_stanza *s)
{
	struct span from = *text, line;
	uint8_t *body;
	size_t n, lines = 0;

	do {
		if (!take_line(text, &line) || line.len > COLUMNS)
			return false;
		lines++;
	} while (line.len == COLUMNS);
	body = arena_alloc(bodies, lines * AGE_ARMOR_BYTES);
	for (size_t i = 0; i < lines; i++) {
		take_line(&from, &line);
		if (!age_base64_decode(line, false, body + s->body_len, &n))
			return false;
		s->body_len += n;
	}
	s->body = body;
	return true;
}

static int parse_stanzas(struct age_source *src, struct span text, struct age_header *h,
			 struct err *err)
{
	bool scrypt = false;

	while (!span_starts(text, SPAN_LIT("---"))) {
		struct age_stanza s = { 0 };
		struct span line;

		if (!take_line(&text, &line) || !read_arguments(line, &s))
			return damaged(src, "a stanza's arguments", err);
		if (!read_body(&text, h->bodies, &s))
			return damaged(src, "a stanza's body", err);
		if (!age_stanza_is_sound(&s))
			return damaged(src, "a stanza", err);
		scrypt = scrypt || span_eq_str(s.args[0], "scrypt");
		GROW(h->stanzas, h->n, h->cap);
		h->stanzas[h->n++] = s;
	}
	if (h->n == 0)
		return damaged(src, "no stanza", err);
	if (scrypt && h->n > 1)	/* else whoever knows another key could pass for who knows it */
		return damaged(src, "a passphrase is not alone", err);
	return RC_OK;
}

int age_header_read(struct age_source *src, struct age_header **ret, struct err *err)
{
	AUTO(age_header) h = xcalloc(1, sizeof(*h));
	struct span text, last;
	ssize_t end;
	int rc;

	h->bodies = arena_new();
	rc = collect(src, &h->text, err);
	if (rc < 0)
		return rc;
	text = span_sub(buf_span(&h->text), strlen(VERSION_LINE), h->text.len);
	rc = parse_stanzas(src, text, h, err);
	if (rc < 0)
		return rc;
	/* the one line that begins so is the last */
	end = span_find(buf_span(&h->text), SPAN_LIT("\n---"), 0) + 1;
	last = span_sub(buf_span(&h->text), end, h->text.len - 1);
	if (!span_starts(last, SPAN_LIT("--- ")) ||
	    !age_base64_exact(span_sub(last, 4, last.len), h->mac, AGE_KEY))
		return damaged(src, "its MAC", err);
	h->text.len = end + 3;
	*ret = STEAL(h);
	return RC_OK;
}

static void header_mac(const uint8_t file_key[AGE_FILE_KEY], struct span text, uint8_t ret[AGE_KEY])
{
	uint8_t key[AGE_KEY];
	AUTO(hmac) h = NULL;

	digest_hkdf(span_make((const char *)file_key, AGE_FILE_KEY), SPAN_LIT(""),
		    SPAN_LIT("header"), key, AGE_KEY);
	h = hmac_new(span_make((const char *)key, AGE_KEY));
	hmac_parts(h, &text, 1, ret);
	secret_wipe(key, AGE_KEY);
}

void age_payload_key(const uint8_t file_key[AGE_FILE_KEY], const uint8_t nonce[AGE_SALT],
		     uint8_t ret[AGE_KEY])
{
	digest_hkdf(span_make((const char *)file_key, AGE_FILE_KEY),
		    span_make((const char *)nonce, AGE_SALT), SPAN_LIT("payload"), ret, AGE_KEY);
}

/* Tries one key on every stanza. */
static int try_key(const struct age_header *h, const struct age_key *k, uint8_t ret[AGE_FILE_KEY],
		   const char *name, struct err *err)
{
	int rc = RC_NOTFOUND;

	for (size_t i = 0; i < h->n && rc == RC_NOTFOUND; i++)
		rc = age_unwrap(k, &h->stanzas[i], ret, name, err);
	return rc;
}

static int try_asked(const struct age_header *h, const struct age_identities *ids,
		     uint8_t ret[AGE_FILE_KEY], const char *name, struct err *err)
{
	AUTO(age_key) k = age_key_new(AGE_SCRYPT);
	int rc = ids->ask(ids->ask_ctx, &k->passphrase, err);

	return rc < 0 ? rc : try_key(h, k, ret, name, err);
}

static int not_found(bool scrypt, bool tried, const char *name, struct err *err)
{
	if (!scrypt)
		return err_at(err, RC_NOTFOUND, name, 0, 0, "none of the identities fits");
	return err_at(err, RC_NOTFOUND, name, 0, 0,
		      tried ? "the passphrase is wrong" : "it needs a passphrase");
}

int age_header_unwrap(const struct age_header *h, const struct age_identities *ids,
		      uint8_t ret[AGE_FILE_KEY], const char *name, struct err *err)
{
	bool scrypt = span_eq_str(h->stanzas[0].args[0], "scrypt"), tried = false;
	uint8_t mac[AGE_KEY];
	int rc = RC_NOTFOUND;

	for (size_t i = 0; i < ids->keys.n && rc == RC_NOTFOUND; i++) {
		tried = tried || ids->keys.v[i]->kind == AGE_SCRYPT;
		rc = try_key(h, ids->keys.v[i], ret, name, err);
	}
	if (rc == RC_NOTFOUND && scrypt && !tried && ids->ask) {
		tried = true;
		rc = try_asked(h, ids, ret, name, err);
	}
	if (rc == RC_NOTFOUND)
		return not_found(scrypt, tried, name, err);
	if (rc < 0)
		return rc;
	header_mac(ret, buf_span(&h->text), mac);
	if (CRYPTO_memcmp(mac, h->mac, AGE_KEY) != 0) {
		secret_wipe(ret, AGE_FILE_KEY);
		return err_at(err, RC_FORMAT, name, 0, 0, "damaged header: not authentic");
	}
	return RC_OK;
}

int age_header_write(const struct age_recipients *r, const uint8_t file_key[AGE_FILE_KEY],
		     struct buf *ret, struct err *err)
{
	uint8_t mac[AGE_KEY];

	buf_add_str(ret, VERSION_LINE);
	for (size_t i = 0; i < r->keys.n; i++) {
		int rc = age_wrap(r->keys.v[i], file_key, ret, err);

		if (rc < 0)
			return rc;
	}
	buf_add_str(ret, "---");
	header_mac(file_key, buf_span(ret), mac);
	buf_add_char(ret, ' ');
	age_base64_encode(mac, AGE_KEY, false, ret);
	buf_add_char(ret, '\n');
	if (ret->len > LIMIT_AGE_HEADER)
		return err_set(err, RC_TOOBIG, "too many recipients");
	return RC_OK;
}
