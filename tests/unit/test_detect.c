/* SPDX-License-Identifier: Apache-2.0 */
#include "scrub_fixture.h"

static struct fixture fix;

static int setup(void **state)
{
	(void)state;
	fixture_open(&fix, NULL, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_close(&fix);
	return 0;
}

#define HEAD "#0  0x00005555 in f (a=1) at f.c:12\n"

static void scrub_is(struct fixture *f, const char *in, const char *want)
{
	AUTO_BUF out = fixture_scrub(f, span_str(in), NULL, NULL);
	AUTO_BUF again = fixture_scrub(f, buf_span(&out), NULL, NULL);

	buf_add_char(&out, '\0');
	buf_add_char(&again, '\0');
	assert_string_equal(out.p, want);
	assert_string_equal(again.p, out.p);
}

/* A local of a frame; %s of want is the token. */
static void local_is(const char *in, const char *want, enum kind kind, const char *value)
{
	char token[64];
	AUTO_FREE char *text = xasprintf(HEAD "        %s\n", in);
	AUTO_BUF expect = BUF_INIT;
	const char *p;

	fixture_token(&fix, kind, value, token);
	buf_add_str(&expect, HEAD "        ");
	for (p = want; *p; p++) {
		if (*p == '@') {
			buf_add_str(&expect, token);
			continue;
		}
		buf_add_char(&expect, *p);
	}
	buf_add_str(&expect, "\n");
	scrub_is(&fix, text, expect.p);
}

static void test_strings_are_decoded(void **state)
{
	(void)state;
	local_is("s = \"via 192.0.2.7\\r\\n\"", "s = \"via @\\r\\n\"", KIND_IP4, "192.0.2.7");
	local_is("s = \"x\\000tel:14155550123\\000y\"", "s = \"x\\000tel:@\\000y\"", KIND_PHONE,
		 "14155550123");
	local_is("s = \"t\\145l:14155550123\"", "s = \"t\\145l:@\"", KIND_PHONE, "14155550123");
	local_is("p = 0x55 \"via 192.0.2.7\"...", "p = 0x55 \"via @\"...", KIND_IP4, "192.0.2.7");
}

static void test_repeats_keep_the_quoting(void **state)
{
	(void)state;
	local_is("passwd = \"ab\", 'c' <repeats 30 times>, \"de\"", "passwd = \"@\"", KIND_SECRET,
		 "abccccccccccccccccccccccccccccccde");
	local_is("passwd = 'c' <repeats 30 times>, \"de\"", "passwd = \"@\"", KIND_SECRET,
		 "ccccccccccccccccccccccccccccccde");
	local_is("passwd = \"abcdefgh\", '\\000' <repeats 30 times>",
		 "passwd = \"@\", '\\000' <repeats 30 times>", KIND_SECRET, "abcdefgh");
}

static void test_symbols_name_values(void **state)
{
	(void)state;
	local_is("passwd = 0x0", "passwd = 0x0", KIND_SECRET, "x");
	local_is("passwd = \"correct horse\"", "passwd = \"@\"", KIND_SECRET, "correct horse");
	local_is("vmu = {id = 3, passwd = \"correct horse\", n = 4}",
		 "vmu = {id = 3, passwd = \"@\", n = 4}", KIND_SECRET, "correct horse");
	local_is("passwd = {ptr = 0x55 \"staple99asterisk\", slen = 8}",
		 "passwd = {ptr = 0x55 \"@asterisk\", slen = 8}", KIND_SECRET, "staple99");
	local_is("n = {ptr = 0x55 \"asterisk442071230000 x\", slen = 8}",
		 "n = {ptr = 0x55 \"asterisk@ x\", slen = 8}", KIND_PHONE, "442071230000");
	local_is("rsa_key = {d = {1, 2, 3}, n = 5}", "rsa_key = @", KIND_KEY,
		 "{d = {1, 2, 3}, n = 5}");
}

static void test_packed_addresses(void **state)
{
	(void)state;
	local_is("a = {s_addr = 1299251403}", "a = {s_addr = @}", KIND_IP4, "203.0.113.77");
	local_is("a = {s_addr = 16777343}", "a = {s_addr = 16777343}", KIND_IP4, "127.0.0.1");
	local_is("ss = {ss_family = 2, __ss_padding = \"\\023\\304\\313\\000qM\", "
		 "'\\000' <repeats 111 times>}",
		 "ss = {ss_family = 2, __ss_padding = \"\\023\\304@\", '\\000' <repeats 111 times>}",
		 KIND_IP4, "203.0.113.77");
	local_is("ss = {ss_family = 2, __ss_padding = \"\\023\\304\\nc2\\a\", "
		 "'\\000' <repeats 111 times>}",
		 "ss = {ss_family = 2, __ss_padding = \"\\023\\304@\", '\\000' <repeats 111 times>}",
		 KIND_IP4, "10.99.50.7");
	local_is("sa = {sa_family = 2, sa_data = {19, 196, 203, 0, 113, 77, 0, 0, 0, 0, 0, 0, 0, 0}}",
		 "sa = {sa_family = 2, sa_data = @}", KIND_IP4, "203.0.113.77");
	local_is("a = {__u6_addr8 = \" \\001\\r\\270\", '\\000' <repeats 11 times>, \"\\001\"}",
		 "a = {__u6_addr8 = \"@\"}", KIND_IP6, "2001:db8::1");
	local_is("a = {__u6_addr16 = {288, 47117, 0, 0, 0, 0, 0, 256}}", "a = {__u6_addr16 = @}",
		 KIND_IP6, "2001:db8::1");
	local_is("a = {__u6_addr32 = {3087860000, 0, 0, 16777216}}", "a = {__u6_addr32 = @}",
		 KIND_IP6, "2001:db8::1");
}

static void test_escapes_one_level_further(void **state)
{
	(void)state;
	local_is("u = \"GET /x?tel%3A%2B14155550123&y\"", "u = \"GET /x?tel%3A@&y\"", KIND_PHONE,
		 "+14155550123");
	local_is("j = \"{\\\\\\\"m\\\\\\\": \\\\\\\"\\\\u0074el:14155550123\\\\\\\"}\"",
		 "j = \"{\\\\\\\"m\\\\\\\": \\\\\\\"\\\\u0074el:@\\\\\\\"}\"", KIND_PHONE, "14155550123");
}

static void test_integers_that_are_text(void **state)
{
	AUTO_BUF out = BUF_INIT;

	(void)state;
	/* "via 192.0.2.7\r\n" as two words */
	out = fixture_scrub(&fix, SPAN_LIT(HEAD "        w = 3328785957739653494\n"
					   "        x = 2829280416509488\n        y = 7\n"), NULL, NULL);
	assert_int_equal(span_find(buf_span(&out), SPAN_LIT("3328785957739653494"), 0), -1);
	assert_int_equal(span_find(buf_span(&out), SPAN_LIT("2829280416509488"), 0), -1);
	assert_true(span_find(buf_span(&out), SPAN_LIT("y = 7"), 0) > 0);
	local_is("w = {1, 3328785957739653494, 2829280416509488}", "w = [ip4]", KIND_IP4, "192.0.2.7");
}

static void test_frame_heads_stay(void **state)
{
	static const char text[] =
		"#3  0x0000555555555192 in tel (a=1) at 192.0.2.7:33\n"
		"#4  0x0000555555555192 in f<pass=word> (a=1) at tel:4155550123.c:33\n"
		"#5  operator== (a=1) at tel:4155550123.c:33\n";

	(void)state;
	scrub_is(&fix, text, text);
	/* no name of any language's, and perhaps no head */
	scrub_is(&fix, "#4  0x0000555555555192 in pass=word (a=1) at x.c:33\n",
		 "#4  0x0000555555555192 in pass=[secret] (a=1) at x.c:33\n");
}

static void test_logs_and_escapes_in_them(void **state)
{
	char token[64], want[200];

	(void)state;
	fixture_token(&fix, KIND_PHONE, "+14155550123", token);
	snprintf(want, sizeof(want), "GET /x?tel%%3A%s&y\n", token);
	scrub_is(&fix, "GET /x?tel%3A%2B14155550123&y\n", want);
}

static void test_learned_values_go_everywhere(void **state)
{
	struct learned *l = learned_new();
	struct err err = ERR_INIT;
	struct fixture f;
	AUTO_BUF in = BUF_INIT;
	AUTO_BUF out = BUF_INIT;
	struct artifact *a;

	(void)state;
	fixture_open(&f, NULL, false);
	buf_add_str(&in, HEAD "        passwd = \"correct horse staple\"\n");
	a = artifact_from_buf("x", ARTIFACT_TEXT, &in);
	fixture_check(detect_learn(f.d, a, LEARN_MATERIAL, false, l, &err), &err);
	artifact_free(a);
	fixture_close(&f);
	assert_int_equal(learned_count(l), 1);
	assert_true(span_eq_str(learned_get(l, 0)->bytes, "correct horse staple"));

	fixture_open(&f, l, false);
	out = fixture_scrub(&f, SPAN_LIT("log: correct horse staple.\n"
					 HEAD "        other = \"correct horse\\040staple\"\n"),
			    NULL, NULL);
	assert_int_equal(span_find(buf_span(&out), SPAN_LIT("correct"), 0), -1);
	assert_int_equal(span_find(buf_span(&out), SPAN_LIT("staple"), 0), -1);
	fixture_close(&f);
}

/* A password that reads like what stands between arguments goes from values, not from there. */
static void test_learned_values_leave_a_head_whole(void **state)
{
	static const char *const values[] = { ", n=4", "(passwd=", "={s = ", ", m = <pie", "}, staple=" };
	struct learned *l = learned_new();
	struct err err = ERR_INIT;
	struct fixture f;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(values); i++)
		fixture_check(learned_add(l, KIND_SECRET, span_str(values[i]), LEARN_CONFIG, &err), &err);
	fixture_open(&f, l, false);
	scrub_is(&f, "#0  f (passwd=\", n=4\", n=4) at 2\n", "#0  f (passwd=\"[secret]\", n=4) at 2\n");
	scrub_is(&f, "#1  f (a=0x5 \"x , n=4 y\", n=4, b=b@entry=\", n=4\", n=4) at x.c:2\n",
		 "#1  f (a=0x5 \"x [secret] y\", n=4, b=b@entry=\"[secret]\", n=4) at x.c:2\n");
	scrub_is(&f, "#2  f (passwd={s = \"x\", m = <pie>}, staple=6) from /lib/x.so\n",
		 "#2  f (passwd={s = \"[secret]\", m = <pie>}, staple=6) from /lib/x.so\n");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings_are_decoded),
		cmocka_unit_test(test_repeats_keep_the_quoting),
		cmocka_unit_test(test_symbols_name_values),
		cmocka_unit_test(test_packed_addresses),
		cmocka_unit_test(test_escapes_one_level_further),
		cmocka_unit_test(test_integers_that_are_text),
		cmocka_unit_test(test_frame_heads_stay),
		cmocka_unit_test(test_logs_and_escapes_in_them),
		cmocka_unit_test(test_learned_values_go_everywhere),
		cmocka_unit_test(test_learned_values_leave_a_head_whole),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
