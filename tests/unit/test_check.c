/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <corescrub/check.h>
#include <stdio.h>

#define SECRET "Zebra-\"7\\pass/word+9?"
#define SECRET_HEX "5a656272612d22375c706173732f776f72642b393f"

struct seen {
	size_t leaks, open, hints;
	char what[64];
	uint64_t off;
	uint32_t len;
};

static int count_item(void *ctx, const char *name, const struct check_item *item)
{
	struct seen *s = ctx;

	(void)name;
	s->leaks += item->level == CHECK_LEAK;
	s->open += item->level == CHECK_OPEN;
	s->hints += item->level == CHECK_HINT;
	if (item->level != CHECK_HINT) {
		snprintf(s->what, sizeof(s->what), "%s", item->what);
		s->off = item->off;
		s->len = item->len;
	}
	return 0;
}

static struct check *check_for(enum kind kind, const char *value)
{
	struct check *c = check_new();
	struct err err = ERR_INIT;

	if (value)
		check_know(c, kind, span_str(value));
	assert_int_equal(check_seal(c, &err), RC_OK);
	return c;
}

static struct seen look_span(enum kind kind, const char *value, struct span text)
{
	AUTO(check) c = check_for(kind, value);
	struct err err = ERR_INIT;
	struct seen s = { 0 };
	int rc = check_look(c, "t", text, count_item, &s, &err);

	assert_int_equal(rc, s.leaks ? RC_LEAK : RC_OK);
	return s;
}

static struct seen look(enum kind kind, const char *value, const char *text)
{
	return look_span(kind, value, span_str(text));
}

static void test_every_encoding(void **state)
{
	static const struct { const char *text, *what; } cases[] = {
		{ SECRET, "known secret, as it is" },
		{ "Zebra-\\\"7\\\\pass/word+9?", "known secret, with C escapes" },
		{ SECRET_HEX, "known secret, as hex" },
		{ "5A656272612D22375C706173732F776F72642B393F", "known secret, as hex" },
		{ "5a 65 62 72 61 2d 22 37 5c 70 61 73 73 2f 77 6f 72 64 2b 39 3f", "known secret, as hex" },
		{ "5A:65:62:72:61:2D:22:37:5C:70:61:73:73:2F:77:6F:72:64:2B:39:3F", "known secret, as hex" },
		{ "Zebra-&quot;7\\pass/word+9?", "known secret, with XML's references" },
		{ "WmVicmEtIjdcXHBhc3Mvd29yZCs5Pw==", NULL },	/* another value */
		{ "WmVicmEtIjdccGFzcy93b3JkKzk/", "known secret, as base64" },
		{ "eFplYnJhLSI3XHBhc3Mvd29yZCs5Pw==", "known secret, as base64" },
		{ "eHhaZWJyYS0iN1xwYXNzL3dvcmQrOT8=", "known secret, as base64" },
		{ "WmVicmEtIjdccGFzcy93b3JkKzk_", "known secret, as base64" },
		{ "Zebra-%227%5Cpass%2Fword%2B9%3F", "known secret, URL-escaped" },
		{ "Zebra-%227%5cpass%2fword%2b9%3f", "known secret, URL-escaped" },
		{ "Zebra-\\\"7\\\\pass\\/word+9?", "known secret, JSON-escaped" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seen s = look(KIND_SECRET, SECRET, cases[i].text);

		assert_int_equal(s.leaks, cases[i].what ? 1 : 0);
		if (cases[i].what)
			assert_string_equal(s.what, cases[i].what);
	}
}

static void test_utf16(void **state)
{
	static const char le[] = "w\0X\0" "9\0-\0q\0e\0r\0t\0y\0", be[] = "\0w\0X\0" "9\0-\0q\0e\0r\0t\0y";
	const char *value = "wX9-qerty";

	(void)state;
	assert_int_equal(look_span(KIND_SECRET, value, span_make(le, sizeof(le) - 1)).leaks, 1);
	assert_int_equal(look_span(KIND_SECRET, value, span_make(be, sizeof(be) - 1)).leaks, 1);
	assert_int_equal(look(KIND_SECRET, value,
			      "\"w\\000X\\0009\\000-\\000q\\000e\\000r\\000t\\000y\\000\"").leaks, 1);
}

static void test_control_bytes(void **state)
{
	const char *value = "ab\001c\ndef\xc3\xa9gh";

	(void)state;
	assert_int_equal(look(KIND_SECRET, value, "\"ab\\001c\\ndef\xc3\xa9gh\"").leaks, 1);
	assert_int_equal(look(KIND_SECRET, value, "ab\\001c\\012def\\303\\251gh").leaks, 1);
	assert_int_equal(look(KIND_SECRET, value, "ab\\u0001c\\ndef\\u00e9gh").leaks, 1);
	assert_int_equal(look(KIND_SECRET, value, "x ab\001c\ndef\xc3\xa9gh y").leaks, 1);
}

static void test_bounds(void **state)
{
	(void)state;
	assert_int_equal(look(KIND_IP4, "198.51.100.4", "at 198.51.100.44").leaks, 0);
	assert_int_equal(look(KIND_IP4, "198.51.100.4", "at 198.51.100.4.").leaks, 1);
	assert_int_equal(look(KIND_IP4, "198.51.100.4", "\\000198.51.100.4").leaks, 1);
	assert_int_equal(look(KIND_IP4, "203.0.113.77", "s_addr = 1299251403}").open, 1);
	assert_int_equal(look(KIND_PHONE, "+1 (415) 555-0123", "x 14155550123@").leaks, 1);
	assert_int_equal(look(KIND_PHONE, "+14155550123", "\\00014155550123").leaks, 1);
	assert_int_equal(look(KIND_PHONE, "+14155550123", "0x514155550123").leaks, 0);
	assert_int_equal(look(KIND_PHONE, "+14155550123", "99014155550123").leaks, 0);
	/* short values and words of the program's own */
	assert_int_equal(look(KIND_SECRET, "4477", "main.c:4477").open, 0);
	assert_int_equal(look(KIND_SECRET, "4477", "passptr = 0x55 \"4477\"").open, 1);
	assert_int_equal(look(KIND_SECRET, "4477", "\"100\\0004477\\000\"").open, 1);
	assert_int_equal(look(KIND_SECRET, "password", "password = 0x0").open, 0);
	assert_int_equal(look(KIND_SECRET, "x7-ab", "got x7-ab.").open, 1);
	assert_int_equal(look(KIND_SECRET, "x7-ab", "got x7-abc").open, 0);
}

static void test_frame_head_is_no_leak(void **state)
{
	struct seen s = look(KIND_SECRET, "fn_one2three",
			     "#0  0x00005555 in fn_one2three (a=1) at x.c:3\n");

	(void)state;
	assert_int_equal(s.leaks, 0);
	assert_int_equal(s.open, 1);
	s = look(KIND_SECRET, "fn_one2three", "#0  0x5 in f (a=0x5 \"fn_one2three\") at x.c:3\n");
	assert_int_equal(s.leaks, 1);
}

static void test_tokens_and_keep(void **state)
{
	uint8_t mac[DIGEST_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	char token[VALUE_TOKEN_MAX], text[128];
	struct err err = ERR_INIT;
	struct seen s = { 0 };
	AUTO(check) c = check_new();

	(void)state;
	value_token_format(KIND_SECRET, mac, token);
	snprintf(text, sizeof(text), "password=%s secret=[secret] sip:%s@h", token, token);
	s = look(KIND_SECRET, "secret~", text);
	assert_int_equal(s.leaks + s.open, 0);
	s = look(KIND_SECRET, token, text);
	assert_int_equal(s.leaks + s.open, 0);

	memset(&s, 0, sizeof(s));
	check_know(c, KIND_SECRET, span_str("Keep-me-99"));
	check_keep(c, span_str("keep-me-99"));
	check_keep(c, span_str("192.0.2.7"));
	check_allow(c, KIND_PHONE);
	assert_int_equal(check_seal(c, &err), RC_OK);
	assert_int_equal(check_look(c, "t", SPAN_LIT("Keep-me-99 192.0.2.7 tel:+14155550123"),
				    count_item, &s, &err), RC_OK);
	assert_int_equal(s.leaks + s.open, 0);
}

static void test_shapes(void **state)
{
	static const struct { const char *text, *what; } cases[] = {
		{ "from 203.0.113.9:5060", "IPv4 address" },
		{ "IPV4/UDP/203.0.113.9/5060", "IPv4 address" },
		{ "\"\\000203.0.113.9\"", "IPv4 address" },
		{ "at 2001:db8::7:1 port", "IPv6 address" },
		{ "[2001:db8:0:1:2:3:4:5]:5060", "IPv6 address" },
		{ "<sip:+14155550123@h>", "number in a SIP or tel URI" },
		{ "<tel:+1-415-555-0123>", "number in a SIP or tel URI" },
		{ "num=+14155550123&", "number in international form" },
		{ "password=hunter22", "credential by its key" },
		{ "  db_password = 0x5555 \"hunter22\"", "credential by its key" },
		{ "secret = hunter22\n", "credential by its key" },
		{ "{\"api_key\": \"hunter22\"}", "credential by its key" },
		{ "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75\n", "private key" },
		{ "Authorization: Basic YWxhZGRpbjpvcGVuc2VzYW1l", "authorization" },
		{ "Authorization: Bearer 0123abcdEFGH4567", "authorization" },
		{ "postgres://app:hunter22@db/cdr", "password in a URL" },
		{ "ha1 = \"3c0e95b7a1d24f6886e2071bd95fa43c\"", "digest" },
		{ "x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", "JSON web token" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seen s = look(KIND_SECRET, NULL, cases[i].text);

		if (s.open != 1)
			print_message("case %zu: %s\n", i, cases[i].what);
		assert_int_equal(s.open, 1);
		assert_string_equal(s.what, cases[i].what);
	}
}

static void test_shapes_that_are_none(void **state)
{
	static const char *const cases[] = {
		"Browser/108.86.0.90", "crm-sync/1.4.2.0", "127.0.0.1", "0.0.0.0", "version 1.4.2.0",
		"lib.so.1.2.3.4", "1.2.3.4.5", "00:34:09", "abc::def", "bed::face(int)",
		"api_token=api_token@entry=0x5555 <pbx+64> \"[token~aaaaaaaaab]\"",
		"password = 0x0", "passwordlocation = 0", "token = 259", "token = 0x5555 <x>",
		"secret = '\\000' <repeats 79 times>", "authmethod=md5", "sip:asterisk@h",
		"thread_id = {140141416068800, 140141416068801}", "tv_sec = 1795394130",
		"uniqueid = \"pbx-1795393457.19\"", "branch=z9hG4bK3c0e95b7a1d24f6886e2071bd95fa43c",
		"Basic authentication is off", "http://h:8088/x", "<fn+1234567890>", "std::token::x",
		"00:1a:2b:3c:4d:5e", "Token: unexpected",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seen s = look(KIND_SECRET, NULL, cases[i]);

		if (s.open + s.leaks)
			print_message("case %zu: %s\n", i, cases[i]);
		assert_int_equal(s.open + s.leaks, 0);
	}
}

/* A value is found wherever it stands, up to the last byte. */
static void test_every_place(void **state)
{
	AUTO(check) c = check_for(KIND_SECRET, SECRET);
	struct err err = ERR_INIT;
	char text[100];

	(void)state;
	for (size_t n = sizeof(SECRET) - 1; n < 70; n++) {
		for (size_t at = 0; at + sizeof(SECRET) - 1 <= n; at++) {
			struct seen s = { 0 };

			memset(text, '.', sizeof(text));
			memcpy(text + at, SECRET, sizeof(SECRET) - 1);
			assert_int_equal(check_look(c, "t", span_make(text, n), count_item, &s, &err),
					 RC_LEAK);
			assert_int_equal(s.leaks, 1);
			assert_int_equal(s.off, at);
			assert_int_equal(s.len, sizeof(SECRET) - 1);
		}
	}
}

static void test_clean_seals(void **state)
{
	AUTO(check) c = check_for(KIND_SECRET, "Planted-99!");
	AUTO(scrubbed) s = NULL;
	AUTO_BUF b = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	buf_add_str(&b, "a Planted-99! b");
	assert_int_equal(check_clean(c, "x.txt", &b, NULL, NULL, &s, &err), RC_LEAK);
	assert_null(s);
	assert_null(strstr(err.msg, "Planted"));
	buf_reset(&b);
	buf_add_str(&b, "clean");
	assert_int_equal(check_clean(c, "Planted-99!.txt", &b, NULL, NULL, &s, &err), RC_LEAK);
	assert_null(s);
	assert_int_equal(check_clean(c, "x.txt", &b, NULL, NULL, &s, &err), RC_OK);
	assert_true(span_eq_str(scrubbed_text(s), "clean"));
	assert_null(b.p);
}

/* In our own words a known value is for a person to judge; a word that is none is nothing. */
static void test_own_words(void **state)
{
	AUTO(check) c = check_for(KIND_SECRET, "network.ipv4");
	AUTO(scrubbed) s = NULL;
	AUTO(scrubbed) named = NULL;
	struct seen seen = { 0 };
	AUTO_BUF b = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	buf_add_str(&b, "\"rule\": \"network.ipv4\", 192.0.2.7");
	assert_int_equal(check_clean(c, "m.json", &b, count_item, &seen, &s, &err), RC_LEAK);
	assert_int_equal(seen.leaks, 1);
	seen = (struct seen){ 0 };
	assert_int_equal(check_clean_own(c, "m.json", &b, count_item, &seen, &s, &err), RC_OK);
	assert_int_equal(seen.leaks, 0);
	assert_int_equal(seen.open, 1);
	assert_int_equal(seen.off, 9);
	buf_add_str(&b, "clean");
	seen = (struct seen){ 0 };
	assert_int_equal(check_clean(c, "network.ipv4.txt", &b, count_item, &seen, &named, &err), RC_OK);
	assert_int_equal(seen.leaks, 0);
	assert_int_equal(seen.open, 1);
	assert_string_equal(seen.what, "a known value in the file's name");
}

static void test_masks(void **state)
{
	static const struct { const char *text, *clean; size_t places; } cases[] = {
		{ "nothing to do", "nothing to do", 0 },
		{ "a Planted-99!, b", "a [secret], b", 1 },
		{ "Planted-99!Planted-99!", "[secret]", 1 },
		{ "Planted-99! and UGxhbnRlZC05OS", "[secret] and [secret]", 2 },
		{ "x\nPlanted-99!\ny", "x\n[secret]\ny", 1 },
		/* over two lines */
		{ "Two-lines-\r\n77 z", "[secret]\r\n z", 1 },
		/* its last byte escapes a quote */
		{ "\"Back-slash-7\\\" z\"", "\"[secret] z\"", 1 },
		/* masked in one round, it makes another whole in the next */
		{ "first\nwas-It-7 Planted-99!\nlast", "first\n[secret]\nlast", 1 },
		{ "was-It-7 was-It-7 was-It-7 was-It-7 was-It-7 was-It-7 Planted-99!\nlast",
		  "[secret]\nlast", 1 },
		{ "#1  f (s=\"Planted-99!\") at x.c:1", "#1  f (s=\"[secret]\") at x.c:1", 1 },
	};
	static const char *const known[] = {
		"Planted-99!", "Two-lines-\r\n77", "Back-slash-7\\", "was-It-7 [secret]",
	};
	AUTO(check) c = check_new();
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		check_know(c, KIND_SECRET, span_str(known[i]));
	assert_int_equal(check_seal(c, &err), RC_OK);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_BUF b = BUF_INIT;
		struct seen s = { 0 };

		buf_add_str(&b, cases[i].text);
		assert_int_equal(check_mask(c, "t", &b, count_item, &s, &err), RC_OK);
		assert_string_equal(b.p, cases[i].clean);
		assert_int_equal(s.open, cases[i].places);
		assert_int_equal(s.leaks, 0);
		if (s.open)
			assert_memory_equal(b.p + s.off, "[secret]", 8);
		assert_int_equal(check_look(c, "t", buf_span(&b), NULL, NULL, &err), RC_OK);
	}
}

static void test_not_sealed(void **state)
{
	AUTO(check) c = check_new();
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(check_look(c, "t", SPAN_LIT("x"), NULL, NULL, &err), RC_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_encoding),
		cmocka_unit_test(test_utf16),
		cmocka_unit_test(test_control_bytes),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_frame_head_is_no_leak),
		cmocka_unit_test(test_tokens_and_keep),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_shapes_that_are_none),
		cmocka_unit_test(test_every_place),
		cmocka_unit_test(test_clean_seals),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_own_words),
		cmocka_unit_test(test_not_sealed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
