/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <corescrub/learn.h>
#include <stdio.h>
#include <stdlib.h>

/* What was hit: each hit's text between bars. */
struct hits {
	struct span text;
	struct buf out;
	size_t n, held, partial;
	enum finding_form form;
};

static int keep_hit(void *ctx, const struct learned_hit *hit)
{
	struct hits *h = ctx;

	assert_true(hit->off + hit->len <= h->text.len);
	if (hit->held) {
		h->held++;
		return 0;
	}
	h->n++;
	h->partial += hit->partial;
	h->form = hit->form;
	buf_add_char(&h->out, '|');
	buf_add(&h->out, h->text.p + hit->off, hit->len);
	return 0;
}

static struct hits scan_span(struct learned *l, struct span text)
{
	AUTO(learned_scanner) s = NULL;
	struct err err = ERR_INIT;
	struct hits h = { .text = text };

	buf_add_str(&h.out, "");
	assert_int_equal(learned_seal(l, &err), RC_OK);
	assert_int_equal(learned_scanner_new(l, &s, &err), RC_OK);
	assert_int_equal(learned_scan(s, text, 0, text.len, keep_hit, &h, &err), RC_OK);
	return h;
}

static struct learned *learn(enum kind kind, const char *value, enum learn_origin origin)
{
	struct learned *l = learned_new();
	struct err err = ERR_INIT;

	assert_int_equal(learned_add(l, kind, span_str(value), origin, &err), RC_OK);
	return l;
}

/* The widest hit in text, in `form` where it is a whole one; `expect` NULL: none at all. */
static void expect_hits(struct learned *l, const char *text, const char *expect)
{
	struct hits h = scan_span(l, span_str(text));

	if (!expect) {
		if (h.n)
			print_message("unexpected in: %s\n", text);
		assert_int_equal(h.n, 0);
	} else {
		if (!h.n || !strstr(h.out.p, expect))
			print_message("in %s: got %s\n", text, h.n ? h.out.p : "nothing");
		assert_true(h.n > 0);
		assert_non_null(strstr(h.out.p, expect));
	}
	buf_done(&h.out);
}

static void expect_one(enum kind kind, const char *value, enum learn_origin origin, const char *text,
		       const char *expect)
{
	AUTO(learned) l = learn(kind, value, origin);

	expect_hits(l, text, expect);
}

#define SECRET "Zq\"7-Pla\\nted/pw+9?"

static void test_encodings(void **state)
{
	static const char *const cases[] = {
		"Zq\"7-Pla\\nted/pw+9?",
		"Zq\\\"7-Pla\\\\nted/pw+9?",
		"Zq\\\"7-Pla\\nted/pw+9?",		/* expanded by a shell */
		"Zq\\\"7-Pla\\\\nted\\/pw+9?",
		"5a7122372d506c615c6e7465642f70772b393f",
		"5A7122372D506C615C6E7465642F70772B393F",
		"Zq%227-Pla%5Cnted%2Fpw%2B9%3F",
		"Zq%227-Pla%5cnted%2fpw%2b9%3f",
		"Z\\000q\\000\"\\0007\\000-\\000P\\000l\\000a\\000\\\\000n\\000t\\000e\\000d\\000/"
		"\\000p\\000w\\000+\\0009\\000?\\000",
	};
	AUTO(learned) l = learn(KIND_SECRET, SECRET, LEARN_CONFIG);
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), "\"%s\" ", cases[i]);
		expect_hits(l, text, cases[i]);
		snprintf(text, sizeof(text), "data = 0x5555 \"\\000%s\\r\\n", cases[i]);
		expect_hits(l, text, cases[i]);
	}
}

static void test_base64_alignments(void **state)
{
	AUTO(learned) l = learn(KIND_SECRET, "Tr0ub4dor-77", LEARN_CONFIG);

	(void)state;
	expect_hits(l, "VHIwdWI0ZG9yLTc3", "|VHIwdWI0ZG9yLTc3");
	expect_hits(l, "eFRyMHViNGRvci03N3g=", "|FRyMHViNGRvci03N3");
	expect_hits(l, "eHlUcjB1YjRkb3ItNzc=", "|lUcjB1YjRkb3ItNzc=");
}

static void test_pieces_of_credentials(void **state)
{
	AUTO(learned) l = learn(KIND_SECRET, "trunkV4ultroQ58-x9", LEARN_CONFIG);
	AUTO(learned) s = learn(KIND_SECRET, "mxLochTz6", LEARN_CONFIG);
	struct hits h;

	(void)state;
	expect_hits(l, "passw = \"trunkV4ultro\"...", "|trunkV4ultro");
	expect_hits(l, "xxV4ultroQ58-x9\\000", "|V4ultroQ58-x9");
	expect_hits(l, "ab V4ultroQ5 cd", "|V4ultroQ5");
	expect_hits(l, "ab 4ultroQ cd", NULL);
	expect_hits(l, "3030756c74726f513030", NULL);
	expect_hits(l, "5634756c74726f6f", NULL);
	expect_hits(l, "ff5634756c74726f513538ff", "|5634756c74726f513538");
	expect_hits(s, "900\\000ochTz6\\000", "|ochTz6");
	expect_hits(s, "chTz6", NULL);
	h = scan_span(l, SPAN_LIT("-trunkV4ultroQ58-x- "));
	assert_int_equal(h.n, 1);
	assert_int_equal(h.partial, 1);
	buf_done(&h.out);
}

static void test_every_place(void **state)
{
	static const char value[] = "trunkV4ultroQ58";
	AUTO(learned) l = learn(KIND_SECRET, value, LEARN_CONFIG);
	AUTO(learned_scanner) s = NULL;
	struct err err = ERR_INIT;
	char text[80];

	(void)state;
	assert_int_equal(learned_seal(l, &err), RC_OK);
	assert_int_equal(learned_scanner_new(l, &s, &err), RC_OK);
	for (size_t run = 8; run < sizeof(value); run++) {
		for (size_t head = 0; head + run < sizeof(value); head++) {
			for (size_t at = 0; at < 12; at++) {
				size_t n = at + run + (at * 7 + run) % 12;
				struct hits h = { .text = span_make(text, n) };

				memset(text, '.', sizeof(text));
				memcpy(text + at, value + head, run);
				assert_int_equal(learned_scan(s, h.text, 0, n, keep_hit, &h, &err), 0);
				if (h.n != 1)
					print_message("%zu bytes from %zu at %zu\n", run, head, at);
				assert_int_equal(h.n, 1);
				assert_int_equal(h.out.len, run + 1);
				buf_done(&h.out);
			}
		}
	}
}

/* The same in encodings that make a byte longer, where not every gram stands in the index. */
static void test_every_place_encoded(void **state)
{
	static const char value[] = "trunkV4ultroQ58-xy0";
	/* what each byte becomes, and how long it is: hex of both cases, UTF-16 by gdb and as it is */
	static const char *const behind[] = { NULL, NULL, "\\000", "" };
	static const size_t widths[] = { 2, 2, 5, 2 };
	static const char digits[2][17] = { "0123456789abcdef", "0123456789ABCDEF" };
	AUTO(learned) l = learn(KIND_SECRET, value, LEARN_CONFIG);
	AUTO(learned_scanner) s = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(learned_seal(l, &err), RC_OK);
	assert_int_equal(learned_scanner_new(l, &s, &err), RC_OK);
	for (size_t form = 0; form < ARRAY_SIZE(widths); form++) {
		for (size_t head = 0; head + 8 < sizeof(value); head++) {
			for (size_t at = 0; at < 12; at++) {
				size_t w = widths[form];
				char text[96];
				struct hits h = { .text = span_make(text, sizeof(text)) };

				memset(text, '.', sizeof(text));
				for (size_t i = 0; i < 8; i++) {
					char *one = text + at + i * w;
					unsigned c = (unsigned char)value[head + i];

					one[0] = behind[form] ? (char)c : digits[form][c >> 4];
					if (behind[form])
						memcpy(one + 1, behind[form], w - 1);
					else
						one[1] = digits[form][c & 15];
				}
				assert_int_equal(learned_scan(s, h.text, 0, sizeof(text), keep_hit, &h, &err),
						 0);
				/* a run may be met, and given, more than once */
				if (!h.n || memcmp(h.out.p + 1, text + at, 8 * w))
					print_message("form %zu, from %zu at %zu\n", form, head, at);
				assert_true(h.n > 0);
				assert_memory_equal(h.out.p + 1, text + at, 8 * w);
				buf_done(&h.out);
			}
		}
	}
}

/* Cutting a text into ranges changes nothing. */
static void test_ranges(void **state)
{
	static const char text[] = "a trunkV4ultroQ58 b\nxxV4ultroQ5 \n+44 20 7946 0123\n442079460123 4477\n";
	AUTO(learned) l = learn(KIND_SECRET, "trunkV4ultroQ58", LEARN_CONFIG);
	AUTO(learned_scanner) s = NULL;
	struct err err = ERR_INIT;
	struct span all = span_make(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(learned_add(l, KIND_PHONE, SPAN_LIT("+442079460123"), LEARN_MATERIAL, &err), 0);
	assert_int_equal(learned_add(l, KIND_SECRET, SPAN_LIT("4477"), LEARN_CONFIG, &err), 0);
	assert_int_equal(learned_seal(l, &err), RC_OK);
	assert_int_equal(learned_scanner_new(l, &s, &err), RC_OK);
	for (size_t cut = 0; cut <= all.len; cut++) {
		struct hits h = { .text = all };

		if (cut && text[cut - 1] != '\n')
			continue;
		assert_int_equal(learned_scan(s, all, 0, cut, keep_hit, &h, &err), 0);
		assert_int_equal(learned_scan(s, all, cut, all.len, keep_hit, &h, &err), 0);
		assert_int_equal(h.n, 5);
		buf_done(&h.out);
	}
}

static void test_phones(void **state)
{
	AUTO(learned) l = learn(KIND_PHONE, "+442079460123", LEARN_MATERIAL);

	(void)state;
	expect_hits(l, "PJSIP/442079460123-00000016", "|442079460123");
	expect_hits(l, "sip:+442079460123@h", "|+442079460123");
	expect_hits(l, "num=%2B442079460123", "|%2B442079460123");
	expect_hits(l, "00442079460123", "|00442079460123");
	expect_hits(l, "call +44 20 7946 0123 now", "|+44 20 7946 0123");
	expect_hits(l, "44-20-7946-0123", "|44-20-7946-0123");
	expect_hits(l, "(020) 7946-0123", "20) 7946-0123");
	expect_hits(l, "02079460123", "|2079460123");
	expect_hits(l, "\"\\000442079460123\\000\"", "|442079460123");
	expect_hits(l, "\"4420794\"...", "|4420794");
	expect_hits(l, "\"x\\000460123\"", "|460123");
	expect_hits(l, "\"asterisk442079460123\"", "|442079460123");
	expect_hits(l, "dialled 9442079460123", "|442079460123");
	expect_hits(l, "*67442079460123", "|442079460123");
	/* not a part of other numbers */
	expect_hits(l, "1442079460123456", NULL);
	expect_hits(l, "tv_usec = 460123", NULL);
	expect_hits(l, "lwp 442079", NULL);
	expect_hits(l, "0x442079460123ab", "442079460123");
}

/* Wherever in a block of 64 bytes it begins, with other digits near it. */
static void test_phones_every_place(void **state)
{
	static const char *const spelled[] = { "442079460123", "+44 20 7946 0123", "4 4 2 0 7 946-0123",
					       "44 (207) 946-0123", "44...207 - 946/0123" };
	AUTO(learned) l = learn(KIND_PHONE, "+442079460123", LEARN_MATERIAL);
	AUTO(learned_scanner) s = NULL;
	struct err err = ERR_INIT;
	char text[256];

	(void)state;
	assert_int_equal(learned_seal(l, &err), RC_OK);
	assert_int_equal(learned_scanner_new(l, &s, &err), RC_OK);
	for (size_t i = 0; i < ARRAY_SIZE(spelled); i++) {
		for (size_t at = 5; at < 200; at++) {
			size_t n = strlen(spelled[i]);
			struct hits h = { .text = span_make(text, at + n + at % 70 < sizeof(text) ?
							    at + n + at % 70 : sizeof(text)) };

			memset(text, at % 2 ? '\0' : 'x', sizeof(text));
			memcpy(text + at - 5, "1234=", 5);
			memcpy(text + at, spelled[i], n);
			assert_int_equal(learned_scan(s, h.text, 0, h.text.len, keep_hit, &h, &err), 0);
			if (h.n != 1)
				print_message("%s at %zu\n", spelled[i], at);
			assert_int_equal(h.n, 1);
			buf_done(&h.out);
		}
	}
}

static void test_addresses(void **state)
{
	(void)state;
	expect_one(KIND_IP4, "203.0.113.7", LEARN_CONFIG, "at 203.0.113.7:5060", "|203.0.113.7");
	expect_one(KIND_IP4, "203.0.113.7", LEARN_CONFIG, "at 203.0.113.77", NULL);
	expect_one(KIND_IP4, "203.0.113.77", LEARN_MATERIAL, "s_addr = 1299251403", "|1299251403");
	expect_one(KIND_IP4, "203.0.113.77", LEARN_MATERIAL, "203.0.113", NULL);
}

static void test_variants(void **state)
{
	(void)state;
	expect_one(KIND_NAME, "Zoltan Bereczki", LEARN_CONFIG, "CNAM ZOLTAN BERECZKI.", "|ZOLTAN BERECZKI");
	expect_one(KIND_NAME, "Zoltan Bereczki", LEARN_CONFIG, "for bereczki, zoltan", "|bereczki, zoltan");
	expect_one(KIND_NAME, "Anna Maria Kovacs", LEARN_CONFIG, "(KOVACS ANNA MARIA)", "|KOVACS ANNA MARIA");
	expect_one(KIND_NAME, "Kovacs, Anna", LEARN_CONFIG, "x anna kovacs y", "|anna kovacs");
	expect_one(KIND_NAME, "KOVACS ANNA", LEARN_CONFIG, "Anna Kovacs", "|Anna Kovacs");
	expect_one(KIND_NAME, "Zo\xc3\xab \xc5\x81ukasz", LEARN_CONFIG, "ZO\xc3\x8b \xc5\x81UKASZ",
		   "|ZO\xc3\x8b \xc5\x81UKASZ");
	expect_one(KIND_USER, "ops.kovacs", LEARN_CONFIG, "user OPS.KOVACS", "|OPS.KOVACS");
	expect_one(KIND_HOST, "pbx7.example.com", LEARN_CONFIG, "PBX7.Example.COM PBX7.EXAMPLE.COM",
		   "|PBX7.EXAMPLE.COM");
	expect_one(KIND_SECRET, "Saffron-Dune-77", LEARN_CONFIG, "pw SAFFRON-DUNE-77", "|SAFFRON-DUNE-77");
	expect_one(KIND_SECRET, "Qx7Vz4", LEARN_CONFIG, "pw qx7vz4", NULL);
	expect_one(KIND_NAME, "Zolt\xc3\xa1n Kov\xc3\xa1" "cs", LEARN_CONFIG, "=?UTF-8?Q?Zolt=C3=A1n_Kov=C3=A1cs?=",
		   "|Zolt=C3=A1n_Kov=C3=A1cs");
	expect_one(KIND_SECRET, "Saffron=Dune=77", LEARN_MATERIAL, "body Saffron=3DDune=3D77", "|Saffron=3DDune=3D77");
	/* bytes that are no UTF-8 */
	expect_one(KIND_NAME, "J\xf6rg M\xfcller", LEARN_CONFIG, "J\xf6RG M\xfcLLER", "|J\xf6RG M\xfcLLER");
	/* what a caller calls himself: a full name only */
	expect_one(KIND_NAME, "Zoltan Bereczki", LEARN_MATERIAL, "call of Zoltan Bereczki", "|Zoltan Bereczki");
	expect_one(KIND_NAME, "chan_pjsip.c", LEARN_MATERIAL, "chan_pjsip.c:", NULL);
	expect_one(KIND_NAME, "res_pjsip", LEARN_MATERIAL, "res_pjsip", NULL);
	expect_one(KIND_NAME, "[s@default] Zap", LEARN_MATERIAL, "[s@default] Zap", NULL);
}

static void test_address_numbers(void **state)
{
	static const char *const forms[] = {
		"ip = 3405803927,", "ip = 2540765387,", "0xcb007197", "0x977100CB", "ip-203-0-113-151.net", "a_203_0_113_151.wav",
		"3230332e302e3131332e313531",
	};
	static const char *const others[] = {
		"0x7fffcb007197", "34058039271", "13405803927", "3405803927.5", "cb007197f", "1203-0-113-151",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		expect_one(KIND_IP4, "203.0.113.151", LEARN_MATERIAL, forms[i], "|");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		expect_one(KIND_IP4, "203.0.113.151", LEARN_MATERIAL, others[i], NULL);
	/* such numbers are others' too */
	expect_one(KIND_IP4, "10.0.0.0", LEARN_CONFIG, "x = 10, 0x0000000a", NULL);
	expect_one(KIND_IP4, "10.0.0.1", LEARN_CONFIG, "x = 16777226", NULL);
}

static void test_guard(void **state)
{
	AUTO(learned) l = learn(KIND_SECRET, "4477", LEARN_CONFIG);
	AUTO(learned) word = learn(KIND_SECRET, "secret", LEARN_CONFIG);
	AUTO(learned) material = learn(KIND_SECRET, "0x7fff", LEARN_MATERIAL);

	(void)state;
	expect_hits(l, "passptr = 0x5555 \"4477\"", "|4477");
	expect_hits(l, "got 4477.", "|4477");
	expect_hits(l, "0x7f4477ab 144771", NULL);
	expect_hits(word, "secret = \"secret\"", "|secret");
	expect_hits(word, "  secret = 0x0, secretary", NULL);
	expect_hits(material, "0x7fff0001 0x7fff", NULL);
	expect_hits(material, "\"0x7fff\"", "|0x7fff");
	expect_one(KIND_SECRET, "superpassword1", LEARN_CONFIG, "password = 0x0", NULL);
	expect_one(KIND_SECRET, "a", LEARN_CONFIG, "x = \"a\" b", "|a");
	expect_one(KIND_USER, "admin", LEARN_CONFIG, "admin", NULL);
	expect_one(KIND_NAME, "Ann Example", LEARN_CONFIG, "\"Ann Example\" <", "|Ann Example");
	expect_one(KIND_NAME, "Ann Example", LEARN_CONFIG, "Joann Examples", NULL);
	expect_one(KIND_USER, "100", LEARN_CONFIG, "100", NULL);
}

/* A remote caller got a function's name learned: frame heads stay, and it is an open item. */
static void test_poison(void **state)
{
	static const char bt[] = "#0  0x00007f12 in ast_channel_unlock7x (chan=0x5) at channel.c:12\n"
				 "        token = 0x55 \"ast_channel_unlock7x\"\n";
	AUTO(learned) l = learn(KIND_TOKEN, "ast_channel_unlock7x", LEARN_MATERIAL);
	AUTO(learned) in = learn(KIND_TOKEN, "--ast_channel_unlock7x--", LEARN_MATERIAL);
	struct err err = ERR_INIT;
	struct hits h;

	(void)state;
	assert_int_equal(learned_count_in(l, span_str(bt), &err), RC_OK);
	h = scan_span(l, span_str(bt));
	assert_int_equal(h.n, 1);
	assert_int_equal(h.held, 1);
	assert_true(learned_get(l, 0)->held);
	buf_done(&h.out);

	assert_int_equal(learned_count_in(in, span_str(bt), &err), RC_OK);
	h = scan_span(in, span_str(bt));
	assert_int_equal(h.n, 0);
	assert_int_equal(h.held, 2);	/* its pieces stay, and are told of */
	assert_true(learned_get(in, 0)->held);
	buf_done(&h.out);
}

static void test_keep_and_duplicates(void **state)
{
	AUTO(learned) l = learned_new();
	AUTO(learned) again = NULL;
	struct err err = ERR_INIT;

	(void)state;
	learned_keep(l, SPAN_LIT("Keep-Me-123"), &err);
	learned_add(l, KIND_SECRET, SPAN_LIT("keep-me-123"), LEARN_CONFIG, &err);
	assert_int_equal(learned_count(l), 0);
	learned_add(l, KIND_PHONE, SPAN_LIT("+442079460123"), LEARN_MATERIAL, &err);
	learned_add(l, KIND_PHONE, SPAN_LIT("+44 20 7946 0123"), LEARN_MATERIAL, &err);
	assert_int_equal(learned_count(l), 1);
	learned_add(l, KIND_SECRET, SPAN_LIT("x-other-77"), LEARN_MATERIAL, &err);
	learned_add(l, KIND_SECRET, SPAN_LIT("x-other-77"), LEARN_CONFIG, &err);
	assert_int_equal(learned_get(l, 1)->origin, LEARN_CONFIG);
	again = learned_clone(l);
	assert_int_equal(learned_count(again), 2);
	expect_hits(again, "x-other-77", "|x-other-77");
}

static void add_many(struct learned *l, enum kind kind, enum learn_origin origin, int n)
{
	struct err err = ERR_INIT;
	char value[40];

	for (int i = 0; i < n; i++) {
		snprintf(value, sizeof(value), "Xq%07dvalue%d", i, (int)kind);
		assert_int_equal(learned_add(l, kind, span_str(value), origin, &err), RC_OK);
	}
}

/* The material's caps leave out what is too much, silently or told; a config's is an error. */
static void test_full(void **state)
{
	AUTO(learned) l = learned_new();
	AUTO(learned) clone = NULL;
	struct err err = ERR_INIT;

	(void)state;
	add_many(l, KIND_HASH, LEARN_MATERIAL, LIMIT_LEARN_PASSING + 7);
	assert_int_equal(learned_count(l), LIMIT_LEARN_PASSING);
	assert_int_equal(learned_left_out(l), 0);
	add_many(l, KIND_SECRET, LEARN_MATERIAL, LIMIT_LEARN_SECRETS + 7);
	assert_int_equal(learned_count(l), LIMIT_LEARN_PASSING + LIMIT_LEARN_SECRETS);
	assert_int_equal(learned_left_out(l), 7);
	/* one that is known already is no more */
	add_many(l, KIND_SECRET, LEARN_MATERIAL, 3);
	assert_int_equal(learned_left_out(l), 7);
	clone = learned_clone(l);
	assert_int_equal(learned_left_out(clone), 7);
	assert_int_equal(learned_count(clone), learned_count(l));
	add_many(l, KIND_HASH, LEARN_CONFIG, LIMIT_LEARN_PASSING + 2);
	assert_int_equal(learned_count(l), LIMIT_LEARN_PASSING + LIMIT_LEARN_SECRETS + 2);
	assert_int_equal(err.code, RC_OK);
}

static void test_limits(void **state)
{
	AUTO(learned) l = learned_new();
	AUTO(learned) padding = learned_new();
	struct err err = ERR_INIT;
	AUTO_BUF b = BUF_INIT;
	struct hits h;

	(void)state;
	for (size_t i = 0; i <= LIMIT_LEARN_VALUE; i++)
		buf_add_char(&b, "abc"[i % 3]);
	assert_int_equal(learned_add(l, KIND_SECRET, buf_span(&b), LEARN_CONFIG, &err), RC_TOOBIG);
	/* repeats, in the value and in the text, end in reasonable time */
	assert_int_equal(learned_add(padding, KIND_SECRET, span_sub(buf_span(&b), 0, 60000),
				     LEARN_CONFIG, &err), RC_OK);
	h = scan_span(padding, buf_span(&b));
	assert_true(h.n > 0);
	buf_done(&h.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_base64_alignments),
		cmocka_unit_test(test_pieces_of_credentials),
		cmocka_unit_test(test_every_place),
		cmocka_unit_test(test_every_place_encoded),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_phones),
		cmocka_unit_test(test_phones_every_place),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_address_numbers),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_poison),
		cmocka_unit_test(test_keep_and_duplicates),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
