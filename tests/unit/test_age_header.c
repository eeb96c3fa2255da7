/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/age/age_internal.h"
#include "age_fixture.h"

/*
 * Headers by someone who knows the file key: the MAC is right, so only the parser can refuse them.
 * Each case changes one thing of a header that is accepted.
 */

static const uint8_t file_key[AGE_FILE_KEY] = "a test file key";

static void add_mac(struct buf *b, struct span authentic)
{
	uint8_t key[AGE_KEY], mac[AGE_KEY];
	AUTO(hmac) h = NULL;

	digest_hkdf(span_make((const char *)file_key, AGE_FILE_KEY), SPAN_LIT(""),
		    SPAN_LIT("header"), key, AGE_KEY);
	h = hmac_new(span_make((const char *)key, AGE_KEY));
	hmac_parts(h, &authentic, 1, mac);
	age_base64_encode(mac, AGE_KEY, false, b);
}

/* The nonce and an empty payload. */
static void add_payload(struct buf *b)
{
	uint8_t nonce[AGE_SALT] = { 0 }, chunk[AGE_NONCE], key[AGE_KEY], tag[AGE_TAG];
	AUTO(age_aead) a = NULL;

	age_payload_key(file_key, nonce, key);
	age_aead_nonce(0, true, chunk);
	a = age_aead_new(key, true);
	age_aead_seal(a, chunk, (const uint8_t *)"", 0, tag);
	buf_add(b, nonce, sizeof(nonce));
	buf_add(b, tag, sizeof(tag));
}

/* `text` is a header up to its "---"; `mac_head` and `mac_tail` stand around the MAC. */
static int try_text(const struct pair *p, struct span text, const char *mac_head,
		    const char *mac_tail)
{
	AUTO_BUF file = BUF_INIT;
	AUTO_BUF got = BUF_INIT;
	struct err err = ERR_INIT;
	int rc;

	buf_add_span(&file, text);
	buf_add_str(&file, mac_head);
	add_mac(&file, text);
	buf_add_str(&file, mac_tail);
	add_payload(&file);
	rc = unseal(p->by, buf_span(&file), &got, &err);
	if (rc == RC_FORMAT)
		assert_true(span_starts(span_str(err.msg), SPAN_LIT("damaged ")));
	assert_int_equal(got.len, 0);
	return rc;
}

/* The version line, a stanza for p, more stanzas, and "---". */
static int try_stanzas(const struct pair *p, const char *more)
{
	AUTO_BUF text = BUF_INIT;

	buf_add_str(&text, "age-encryption.org/v1\n");
	for (size_t i = 0; i < p->to->keys.n; i++)
		assert_int_equal(age_wrap(p->to->keys.v[i], file_key, &text, NULL), RC_OK);
	buf_add_str(&text, more);
	buf_add_str(&text, "---");
	return try_text(p, buf_span(&text), " ", "\n");
}

#define COLUMNS_64 "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"

static void test_stanzas_of_others(void **state)
{
	static const char *const good[] = {
		"",
		"-> x\n\n",
		"-> x !~ \"#\n\n",
		"-> x a b c d e f g h i j\nQUE\n",
		"-> x\n" COLUMNS_64 "\n\n",
		"-> x\n" COLUMNS_64 "\n" COLUMNS_64 "\nQQ\n",
		"-> x25519 AAAA\nQQ\n",	/* kinds are told by case */
	};
	static const char *const bad[] = {
		"-> x\n",			/* no body */
		"->\n\n", "-> \n\n", "->  x\n\n", "-> x \n\n", "-> x  y\n\n", "->x\n\n",
		" -> x\n\n", "-> x\ty\n\n", "-> x\r\n\r\n", "-> x\177\n\n", "-> \303\251\n\n",
		"-> x\nQQ\nQQ\n",		/* two last lines */
		"-> x\n" COLUMNS_64 "\n",	/* none */
		"-> x\n" COLUMNS_64 "QQ\n",
		"-> x\nQ\n", "-> x\nQQ==\n", "-> x\nQR\n", "-> x\nQUF\n", "-> x\nQ-\n",
		"-> x\nQQ \n", "-> x\n QQ\n", "-> x\nQQ\r\n", "\n", "x\n",
	};
	struct pair p = pair_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(try_stanzas(&p, good[i]), RC_OK);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (try_stanzas(&p, bad[i]) != RC_FORMAT)
			fail_msg("stanza %zu is taken", i);
	pair_done(&p);
}

#define POINT "TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc"
#define BODY "hjabGXwSLQ9c3S6Lw2i+S2Tu2fiwQHHslbBN6B41FLE"

/* Kinds that we know must keep to their rules, for whomever they are. */
static void test_stanzas_of_known_kinds(void **state)
{
	static const char *const good[] = {
		"-> X25519 " POINT "\n" BODY "\n",
		"-> ssh-ed25519 AAAAAA " POINT "\n" BODY "\n",
		"-> ssh-rsa AAAAAA\n" BODY "\n",
	};
	static const char *const bad[] = {
		"-> X25519\n" BODY "\n",
		"-> X25519 " POINT " x\n" BODY "\n",
		"-> X25519 " POINT "A\n" BODY "\n",
		"-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOC\n" BODY "\n",
		"-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCd\n" BODY "\n",
		"-> X25519 " POINT "=\n" BODY "\n",
		"-> X25519 " POINT "\nQUFB\n",
		"-> X25519 " POINT "\n\n",
		"-> X25519 " POINT "\n" COLUMNS_64 "\n\n",
		"-> ssh-ed25519 " POINT "\n" BODY "\n",
		"-> ssh-ed25519 AAAAAB " POINT "\n" BODY "\n",	/* not canonical */
		"-> ssh-ed25519 AAAAAA " POINT "\nQUFB\n",
		"-> ssh-rsa\n" BODY "\n",
		"-> ssh-rsa AAAAAA AAAAAA\n" BODY "\n",
		"-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\n" BODY "\n",	/* not alone */
	};
	struct pair p = pair_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(try_stanzas(&p, good[i]), RC_OK);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (try_stanzas(&p, bad[i]) != RC_FORMAT)
			fail_msg("stanza %zu is taken", i);
	pair_done(&p);
}

static void test_passphrase_stanza(void **state)
{
	static const char *const bad[] = {
		"-> scrypt\n" BODY "\n",
		"-> scrypt AAAAAAAAAAAAAAAAAAAAAA\n" BODY "\n",
		"-> scrypt AAAAAAAAAAAAAAAAAAAAAA 0\n" BODY "\n",
		"-> scrypt AAAAAAAAAAAAAAAAAAAAAA 01\n" BODY "\n",
		"-> scrypt AAAAAAAAAAAAAAAAAAAAAA +1\n" BODY "\n",
		"-> scrypt AAAAAAAAAAAAAAAAAAAAAA -1\n" BODY "\n",
		"-> scrypt AAAAAAAAAAAAAAAAAAAAAA 0xa\n" BODY "\n",
		"-> scrypt AAAAAAAAAAAAAAAAAAAAAA 1e\n" BODY "\n",
		"-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10 10\n" BODY "\n",
		"-> scrypt AAAAAAAAAAAAAAAAAAAAAB 10\n" BODY "\n",
		"-> scrypt AAAAAAAAAAAAAAAAAAAAA 10\n" BODY "\n",
		"-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\n\n",
		"-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\n" BODY "\n-> x\n\n",
		"-> x\n\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\n" BODY "\n",
	};
	static const char *const heavy[] = { "21", "64", "4294967297", "99999999999999999999999" };
	struct pair p = pair_of_passphrase("a phrase");

	(void)state;
	p.to->keys.n = 0;	/* only the case's own stanzas */
	assert_int_equal(try_stanzas(&p, "-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\n" BODY "\n"),
			 RC_NOTFOUND);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (try_stanzas(&p, bad[i]) != RC_FORMAT)
			fail_msg("stanza %zu is taken", i);
	for (size_t i = 0; i < ARRAY_SIZE(heavy); i++) {
		AUTO_FREE char *stanza =
			xasprintf("-> scrypt AAAAAAAAAAAAAAAAAAAAAA %s\n" BODY "\n", heavy[i]);

		assert_int_equal(try_stanzas(&p, stanza), RC_UNSUPPORTED);
	}
	p.to->keys.n = 1;
	pair_done(&p);
}

/* Shares whose product with any scalar is zero: RFC 7748, section 6.1. */
static void test_low_order(void **state)
{
	static const uint8_t points[][AGE_KEY] = {
		{ 0 },
		{ 1 },
		{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa,
		  0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
		  0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
	};
	struct pair p = pair_new();
	size_t n = p.to->keys.n;

	(void)state;
	p.to->keys.n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		AUTO_BUF stanza = BUF_INIT;
		AUTO_BUF recipient = BUF_INIT;

		buf_add_str(&stanza, "-> X25519 ");
		age_base64_encode(points[i], AGE_KEY, false, &stanza);
		buf_add_str(&stanza, "\n" BODY "\n");
		assert_int_equal(try_stanzas(&p, stanza.p), RC_FORMAT);
		/* nor can anybody encrypt to them */
		age_bech32_encode("age", points[i], &recipient);
		assert_int_equal(age_recipients_add(p.to, buf_span(&recipient), NULL), RC_REFUSED);
	}
	p.to->keys.n = n;
	pair_done(&p);
}

static void test_first_and_last_line(void **state)
{
	static const struct {
		const char *version, *dashes, *head, *tail;
		int rc;
	} cases[] = {
		{ "age-encryption.org/v1\n", "---", " ", "\n", RC_OK },
		{ "age-encryption.org/v2\n", "---", " ", "\n", RC_UNSUPPORTED },
		{ "age-encryption.org/v1\r\n", "---", " ", "\n", RC_UNSUPPORTED },
		{ "age-encryption.org/v1 \n", "---", " ", "\n", RC_UNSUPPORTED },
		{ "Age-encryption.org/v1\n", "---", " ", "\n", RC_FORMAT },
		{ "\nage-encryption.org/v1\n", "---", " ", "\n", RC_FORMAT },
		{ "age-encryption.org/v1\n", "----", " ", "\n", RC_FORMAT },
		{ "age-encryption.org/v1\n", "---", "", "\n", RC_FORMAT },
		{ "age-encryption.org/v1\n", "---", "  ", "\n", RC_FORMAT },
		{ "age-encryption.org/v1\n", "---", " ", " \n", RC_FORMAT },
		{ "age-encryption.org/v1\n", "---", " ", "=\n", RC_FORMAT },
		{ "age-encryption.org/v1\n", "---", " ", "\r\n", RC_FORMAT },
		{ "age-encryption.org/v1\n", "---", " ", "", RC_FORMAT },
	};
	struct pair p = pair_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_BUF text = BUF_INIT;
		int rc;

		buf_add_str(&text, cases[i].version);
		assert_int_equal(age_wrap(p.to->keys.v[0], file_key, &text, NULL), RC_OK);
		buf_add_str(&text, cases[i].dashes);
		rc = try_text(&p, buf_span(&text), cases[i].head, cases[i].tail);
		if (rc != cases[i].rc)
			fail_msg("case %zu: %d", i, rc);
	}
	pair_done(&p);
}

static void test_endless_header(void **state)
{
	struct pair p = pair_new();
	AUTO_BUF text = BUF_INIT;
	AUTO_BUF got = BUF_INIT;

	(void)state;
	buf_add_str(&text, "age-encryption.org/v1\n");
	while (text.len <= LIMIT_AGE_HEADER)
		buf_add_str(&text, "-> x\n\n");
	assert_int_equal(unseal(p.by, buf_span(&text), &got, NULL), RC_FORMAT);
	pair_done(&p);
}

/* Armor around a file that is sound. */
static void test_armor(void **state)
{
	static const struct {
		const char *head, *tail, *eol;
		int rc;
	} cases[] = {
		{ AGE_ARMOR_BEGIN, AGE_ARMOR_END "\n", "\n", RC_OK },
		{ AGE_ARMOR_BEGIN, AGE_ARMOR_END "\r\n", "\r\n", RC_OK },
		{ "\n \t\r\n" AGE_ARMOR_BEGIN, AGE_ARMOR_END " \n", "\n", RC_FORMAT },
		{ "\n \t\r\n" AGE_ARMOR_BEGIN, AGE_ARMOR_END "\n \n\t\r\n", "\n", RC_OK },
		{ " " AGE_ARMOR_BEGIN, AGE_ARMOR_END "\n", "\n", RC_FORMAT },
		{ AGE_ARMOR_BEGIN " ", AGE_ARMOR_END "\n", "\n", RC_FORMAT },
		{ AGE_ARMOR_BEGIN "\n", AGE_ARMOR_END "\n", "\n", RC_FORMAT },
		{ AGE_ARMOR_BEGIN, "\n" AGE_ARMOR_END "\n", "\n", RC_FORMAT },
		{ AGE_ARMOR_BEGIN, "", "\n", RC_FORMAT },
		{ AGE_ARMOR_BEGIN, "QQ==\n" AGE_ARMOR_END "\n", "\n", RC_FORMAT },
		{ AGE_ARMOR_BEGIN "\nComment: x\n", AGE_ARMOR_END "\n", "\n", RC_FORMAT },
		{ "-----BEGIN AGE FILE-----", AGE_ARMOR_END "\n", "\n", RC_FORMAT },
		{ "hello\n" AGE_ARMOR_BEGIN, AGE_ARMOR_END "\n", "\n", RC_FORMAT },
		{ AGE_ARMOR_BEGIN, AGE_ARMOR_END "\n", " \n", RC_FORMAT },
		{ AGE_ARMOR_BEGIN, AGE_ARMOR_END "\n", "\r\r\n", RC_FORMAT },
	};
	struct pair p = pair_new();
	AUTO_BUF file = BUF_INIT;

	(void)state;
	seal(p.to, false, SPAN_LIT("a text"), 1, &file);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_BUF text = BUF_INIT;
		AUTO_BUF got = BUF_INIT;
		int rc;

		buf_addf(&text, "%s%s", cases[i].head, cases[i].eol);
		for (size_t at = 0; at < file.len; at += AGE_ARMOR_BYTES) {
			struct span s = span_sub(buf_span(&file), at, at + AGE_ARMOR_BYTES);

			age_base64_encode((const uint8_t *)s.p, s.len, true, &text);
			buf_add_str(&text, cases[i].eol);
		}
		buf_add_str(&text, cases[i].tail);
		rc = unseal(p.by, buf_span(&text), &got, NULL);
		if (rc != cases[i].rc)
			fail_msg("case %zu: %d", i, rc);
	}
	pair_done(&p);
}

static void test_white_space_has_an_end(void **state)
{
	struct pair p = pair_new();
	AUTO_BUF text = BUF_INIT;
	AUTO_BUF got = BUF_INIT;

	(void)state;
	for (size_t i = 0; i <= LIMIT_AGE_ARMOR_BLANK; i++)
		buf_add_char(&text, '\n');
	assert_int_equal(unseal(p.by, buf_span(&text), &got, NULL), RC_FORMAT);
	pair_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stanzas_of_others),
		cmocka_unit_test(test_stanzas_of_known_kinds),
		cmocka_unit_test(test_passphrase_stanza),
		cmocka_unit_test(test_low_order),
		cmocka_unit_test(test_first_and_last_line),
		cmocka_unit_test(test_endless_header),
		cmocka_unit_test(test_armor),
		cmocka_unit_test(test_white_space_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
