/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <corescrub/value.h>
#include <stdlib.h>

static void test_ip4(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: no address */
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "192-0-2-1", "192.0.2.1" },
		{ "192.000.002.001", "192.0.2.1" },
		{ "192.0.2.1/24", "192.0.2.1" },
		{ "[192.0.2.1]", "192.0.2.1" },
		{ "192.0.2.256", NULL },
		{ "192.0-2.1", NULL },
		{ "192.0.2", NULL },
		{ "192.0.2.1.5", NULL },
		{ "192.0.2.1/33", NULL },
		{ "0192.0.2.1", NULL },
		{ "192.0.2.1 ", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t a[4] = { 0 };
		char text[16];
		bool got = value_ip4_parse(span_str(cases[i].text), a);

		if (got != (cases[i].want != NULL))
			fail_msg("case %zu", i);
		value_ip4_format(a, text);
		if (got)
			assert_string_equal(text, cases[i].want);
	}
}

static void test_ip6(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "2001:db8::1", "2001:db8::1" },
		{ "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1" },
		{ "2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "[2001:db8::1]", "2001:db8::1" },
		{ "fe80::1%eth0", "fe80::1" },
		{ "[fe80::1%25eth0]", "fe80::1" },
		{ "2001:db8::/32", "2001:db8::" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "1:2:3:4:5:6:7:8:9", NULL },
		{ "1:2:3:4:5:6:7", NULL },
		{ "1::2::3", NULL },
		{ "12345::", NULL },
		{ ":1::2", NULL },
		{ "1:2:", NULL },
		{ "fe80::1%", NULL },
		{ "::1/129", NULL },
		{ "::192.0.2.256", NULL },
		{ "abc", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t a[16] = { 0 };
		char text[40];
		bool got = value_ip6_parse(span_str(cases[i].text), a);

		if (got != (cases[i].want != NULL))
			fail_msg("case %zu", i);
		value_ip6_format(a, text);
		if (got && strcmp(text, cases[i].want))
			fail_msg("case %zu: %s", i, text);
	}
}

static void test_stays_and_refine(void **state)
{
	static const struct {
		const char *text;
		enum kind kind;
		bool stays;
	} cases[] = {
		{ "203.0.113.9", KIND_IP4, false },    { "10.1.2.3", KIND_IP4_LAN, false },
		{ "172.31.0.1", KIND_IP4_LAN, false }, { "172.32.0.1", KIND_IP4, false },
		{ "100.64.0.1", KIND_IP4_LAN, false }, { "169.254.1.1", KIND_IP4_LAN, false },
		{ "127.0.0.1", KIND_IP4, true },       { "0.0.0.0", KIND_IP4, true },
		{ "255.255.255.255", KIND_IP4, true }, { "224.0.0.1", KIND_IP4, true },
		{ "240.1.2.3", KIND_IP4, true },
	};
	static const struct {
		const char *text;
		enum kind kind;
		bool stays;
	} six[] = {
		{ "2001:db8::1", KIND_IP6, false },
		{ "fd00::1", KIND_IP6_LAN, false },
		{ "fe80::1", KIND_IP6_LAN, false },
		{ "::1", KIND_IP6, true },
		{ "::", KIND_IP6, true },
		{ "ff02::1", KIND_IP6, true },
		{ "100::5", KIND_IP6, true },
		{ "100:1::5", KIND_IP6, false },
		{ "::ffff:10.0.0.1", KIND_IP4_LAN, false },
		{ "::ffff:127.0.0.1", KIND_IP4, true },
	};
	uint8_t a[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(value_ip4_parse(span_str(cases[i].text), a));
		assert_int_equal(value_ip4_stays(a), cases[i].stays);
		assert_int_equal(value_refine(KIND_IP4, span_str(cases[i].text)), cases[i].kind);
	}
	for (size_t i = 0; i < ARRAY_SIZE(six); i++) {
		assert_true(value_ip6_parse(span_str(six[i].text), a));
		assert_int_equal(value_ip6_stays(a), six[i].stays);
		assert_int_equal(value_refine(KIND_IP6, span_str(six[i].text)), six[i].kind);
	}
	assert_int_equal(value_refine(KIND_PHONE, SPAN_LIT("10.1.2.3")), KIND_PHONE);
}

static void test_canonical(void **state)
{
	static const struct {
		enum kind kind;
		const char *a, *b;
	} equal[] = {
		{ KIND_PHONE, "+1 (415) 555-0123", "14155550123" },
		{ KIND_PHONE, "0044 20 7946 0123", "+442079460123" },
		{ KIND_PHONE, "+44 (0)20 7946 0123", "+442079460123" },
		{ KIND_PHONE, "011442079460123", "+44-20-7946-0123" },
		{ KIND_PHONE, "sip:+14155550123@example.com;user=phone", "tel:+1-415-555-0123" },
		{ KIND_PHONE, "%2B14155550123", "14155550123" },
		{ KIND_IP4, "192-0-2-1", "192.0.2.1" },
		{ KIND_IP6, "::ffff:192.0.2.1", "192.0.2.1" },
		{ KIND_IP6, "2001:DB8::1", "[2001:db8:0::1%eth1]" },
		{ KIND_MAC, "00:00:5E:00:53:01", "0000.5e00.5301" },
		{ KIND_MAC, "00-00-5e-00-53-01", "00005e005301" },
		{ KIND_EMAIL, "Bob@Example.COM", "bob@example.com" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(equal); i++) {
		AUTO_BUF a = BUF_INIT, b = BUF_INIT;

		value_canonical(equal[i].kind, span_str(equal[i].a), &a);
		value_canonical(equal[i].kind, span_str(equal[i].b), &b);
		if (!span_eq(buf_span(&a), buf_span(&b)))
			fail_msg("case %zu", i);
	}
}

static void test_checks(void **state)
{
	static const struct {
		const char *check, *arg, *text;
		bool want;
	} cases[] = {
		{ "ipv4", "", "192.0.2.1", true },
		{ "ipv6", "", "2001:db8::1", true },
		{ "ipv6", "", "12:34:56", false },
		{ "e164", "", "+14155550123", true },
		{ "e164", "", "+1415555012", false },
		{ "e164", "", "+999123456789", false },
		{ "phone", "", "(415) 555-0123", true },
		{ "phone", "", "+44 20 7946 0123", true },
		{ "phone", "", "020 7946 0123", true },
		{ "phone", "", "2026-11-23", false },
		{ "phone", "", "23.11.2026", false },
		{ "phone", "", "1.2.3.4", false },
		{ "phone", "", "192.0.2.100", false },
		{ "phone", "", "00:34:09", false },
		{ "phone", "", "0000000000", false },
		{ "phone", "", "123456", false },
		{ "phone", "", "1234567890123456", false },
		{ "luhn", "", "4111 1111 1111 1111", true },
		{ "luhn", "", "4111111111111112", false },
		{ "luhn", "", "0000000000000000", false },
		{ "mac", "", "00:00:5e:00:53:01", true },
		{ "mac", "", "00:00:5e-00:53:01", false },
		{ "jwt", "", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", true },
		{ "jwt", "", "abc.def.ghi", false },
		{ "pem", "", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n", true },
		{ "pem", "", "-----BEGIN PRIVATE KEY-----", false },
		{ "base64", "", "dXNlcjpwYXNz", true },
		{ "base64", "", "dXNl*jpwYXNz", false },
		{ "entropy", "3.0", "q8Zr2LxW9pTk", true },
		{ "entropy", "3.0", "aaaaaaaabbbb", false },
		{ "email", "", "bob@example.com", true },
		{ "email", "", "bob@localhost", false },
		{ "email", "", "@example.com", false },
		{ "uri", "", "https://example.com/x", true },
		{ "uri", "", "no uri", false },
		{ "host", "", "pbx-1.example.com", true },
		{ "host", "", "192.0.2.1", false },
		{ "host", "", "a..b", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		value_check_fn fn = value_check_find(span_str(cases[i].check));

		assert_non_null(fn);
		if (fn(span_str(cases[i].text), span_str(cases[i].arg)) != cases[i].want)
			fail_msg("case %zu: %s", i, cases[i].text);
	}
	assert_null(value_check_find(SPAN_LIT("ipv5")));
	for (const char *const *n = value_check_names(); *n; n++)
		assert_non_null(value_check_find(span_str(*n)));
}

static void test_codecs(void **state)
{
	static const char *const plain[] = { "", "f", "fo", "foo", "foob", "fooba", "foobar" };
	static const char *const coded[] = {
		"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"
	}; /* RFC 4648, section 10 */

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		AUTO_BUF a = BUF_INIT, b = BUF_INIT;

		value_base64_encode(span_str(plain[i]), &a);
		assert_true(span_eq_str(buf_span(&a), coded[i]));
		assert_true(value_base64_decode(span_str(coded[i]), &b));
		assert_true(span_eq_str(buf_span(&b), plain[i]));
	}
	{
		AUTO_BUF b = BUF_INIT;

		assert_false(value_base64_decode(SPAN_LIT("A"), &b));
		assert_true(value_base64_decode(SPAN_LIT("-_-_"), &b));
		assert_false(value_hex_decode(SPAN_LIT("abc"), &b));
		assert_int_equal(b.len, 3);
		assert_true(value_hex_decode(SPAN_LIT("6a4B"), &b));
		buf_reset(&b);
		value_url_decode(SPAN_LIT("a%2Bb+c%zz%4"), &b);
		assert_true(span_eq_str(buf_span(&b), "a+b c%zz%4"));
	}
	assert_true(value_entropy(SPAN_LIT("abcd")) == 2.0);
	assert_true(value_entropy(SPAN_LIT("")) == 0.0);
}

static void test_tokens(void **state)
{
	(void)state;
	for (int k = 0; k < KIND_COUNT; k++) {
		uint8_t mac[DIGEST_LEN];
		char token[VALUE_TOKEN_MAX];
		enum kind kind = KIND_COUNT;
		size_t n;

		for (size_t i = 0; i < sizeof(mac); i++)
			mac[i] = (uint8_t)(i * 37 + (size_t)k * 11);
		n = value_token_format((enum kind)k, mac, token);
		assert_int_equal(n, strlen(token));
		assert_int_equal(value_token_at(span_make(token, n), &kind), n);
		assert_int_equal(kind, k);
		assert_int_equal(value_token_at(span_make(token, n - 1), &kind), 0);
		token[n - 2] = token[n - 2] == 'a' ? 'b' : 'a';
		assert_int_equal(value_token_at(span_make(token, n), &kind), 0);
		n = value_token_constant((enum kind)k, token);
		assert_int_equal(value_token_at(span_make(token, n), &kind), n);
		assert_true(value_kind_parse(span_str(value_kind_name((enum kind)k)), &kind));
	}
	assert_int_equal(value_token_at(SPAN_LIT("[nokind]"), &(enum kind){ 0 }), 0);
	assert_true(value_is_tokens(SPAN_LIT("[secret]")));
	assert_true(value_is_tokens(SPAN_LIT("[secret]: [ip4].")));
	assert_false(value_is_tokens(SPAN_LIT("[secret]x")));
	assert_false(value_is_tokens(SPAN_LIT("\xc5[secret]")));
	assert_false(value_is_tokens(SPAN_LIT("[nokind]")));
	assert_false(value_is_tokens(SPAN_LIT("!!!!")));
	assert_false(value_is_tokens(SPAN_LIT("")));
	assert_true(value_kind_is_credential(KIND_HASH) && !value_kind_is_credential(KIND_CARD));
	assert_true(value_kind_is_mapped(KIND_PHONE) && !value_kind_is_mapped(KIND_DTMF));
	assert_true(value_kind_is_constant(KIND_CARD) && !value_kind_is_constant(KIND_SECRET));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip4),
		cmocka_unit_test(test_ip6),
		cmocka_unit_test(test_stays_and_refine),
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_codecs),
		cmocka_unit_test(test_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
