/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bt_listing.h"

/* Strings: what they say, where they end, and the way back to source. */

/* The items of one local in a frame; `local` may hold NULs. */
static char *list_local(struct span local)
{
	AUTO_BUF text = BUF_INIT;

	buf_add_str(&text, "#0  f () at a.c:1\n        ");
	buf_add_span(&text, local);
	buf_add_str(&text, "\n#1  g () at a.c:2\n");
	return list_text(buf_span(&text));
}

static void expect_span(struct span local, const char *listing)
{
	AUTO_FREE char *got = list_local(local);
	AUTO_FREE char *want = xasprintf("#0 f at a.c:1\n%s#1 g at a.c:2\n", listing);

	assert_string_equal(got, want);
}

#define EXPECT(local, listing) expect_span(SPAN_LIT(local), listing)

static void test_escapes(void **state)
{
	(void)state;
	EXPECT("s = \"a\\\"b\\\\c\\n\\r\\t\\a\\b\\f\\v\\033\\000\\377\"",
	       "s = \"a\"b\\c\\012\\015\\011\\007\\010\\014\\013\\033\\000\\377\"\n");
	EXPECT("s = \"\\061\\062ab\"", "s = \"12ab\"\n");
	EXPECT("s = \"\"", "s = \"\"\n");
	EXPECT("s = \"\\x41\\u{e9}\\e\"", "s = \"A\\303\\251\\033\"\n");
	EXPECT("s = 0x5 <buf> \"a\"", "s = \"a\"\n");
}

static void test_wide(void **state)
{
	(void)state;
	EXPECT("s = L\"a\\351\\x1f600\"", "s = \"a\\303\\251\\360\\237\\230\\200\"\n");
	EXPECT("s = u\"ab\"", "s = \"ab\"\n");
	EXPECT("s = 0x5 U\"ab\", 'c' <repeats 3 times>", "s = \"abccc\"\n");
	EXPECT("s = u8\"\\303\\251\"", "s = \"\\303\\251\"\n");
	EXPECT("s = L\"ab\", L'c' <repeats 3 times>, L\"d\"...", "s = \"abcccd\"...\n");
}

static void test_pieces(void **state)
{
	(void)state;
	EXPECT("s = \"ab\", 'c' <repeats 3 times>, \"de\"", "s = \"abcccde\"\n");
	EXPECT("s = 'c' <repeats 4 times>, \"de\"...", "s = \"ccccde\"...\n");
	EXPECT("s = \"ab\", '\\000' <repeats 3 times>...", "s = \"ab\\000\\000\\000\"...\n");
	EXPECT("s = \"ab\", <incomplete sequence \\357\\273>", "s = \"ab\\357\\273\"\n");
	EXPECT("s = \"ab\", <incomplete sequence \\357>, '\\000' <repeats 3 times>",
	       "s = \"ab\\357\\000\\000\\000\"\n");
	EXPECT("s = 0x5 '\\'' <repeats 3 times>", "s = \"'''\"\n");
	EXPECT("s = {a = \"ab\", '\\000' <repeats 2 times>, b = \"c\"}",
	       "s.a = \"ab\\000\\000\"\ns.b = \"c\"\ns {}\n");
	EXPECT("s = {\"ab\", \"cd\" <repeats 3 times>, \"ef\"}",
	       "s[0] = \"ab\"\ns[1] = \"cd\"\ns[4] = \"ef\"\ns {}\n");
	EXPECT("s = \"a\", 'b' <repeats 99999999999999999999 times>", "s = \"a\"\n");
}

static void test_repeats_are_bounded(void **state)
{
	AUTO_BUF text = BUF_INIT;
	AUTO(bt) b = NULL;
	AUTO(bt_cursor) c = NULL;
	const struct bt_value *v;
	uint64_t off, len;

	(void)state;
	buf_add_str(&text, "$1 = \"a\"");
	for (int i = 0; i < 5000; i++)
		buf_add_str(&text, ", 'b' <repeats 4000000000 times>");
	buf_add_str(&text, ", \"tail\"\n");
	assert_int_equal(bt_parse(buf_span(&text), &b, NULL), RC_OK);
	c = bt_cursor_new(b);
	v = bt_next(c);
	assert_true(v->decoded.len < 8 * text.len);
	assert_int_equal(bt_source(v, v->decoded.len - 4, v->decoded.len, &off, &len), BT_QUOTE_NONE);
	assert_memory_equal(text.p + off, "tail", 4);
	assert_int_equal(len, 4);
}

static const struct bt_value *first_string(struct bt_cursor *c)
{
	const struct bt_value *v = bt_next(c);

	while (v && v->type != BT_STRING)
		v = bt_next(c);
	assert_non_null(v);
	return v;
}

static void expect_source(const char *local, const char *decoded, const char *source, unsigned quotes)
{
	AUTO_FREE char *text = xasprintf("$1 = %s\n", local);
	AUTO(bt) b = NULL;
	AUTO(bt_cursor) c = NULL;
	const struct bt_value *v;
	ssize_t at;
	uint64_t off, len;

	assert_int_equal(bt_parse(span_str(text), &b, NULL), RC_OK);
	c = bt_cursor_new(b);
	v = first_string(c);
	at = span_find(v->decoded, span_str(decoded), 0);
	assert_true(at >= 0);
	assert_int_equal(bt_source(v, at, at + strlen(decoded), &off, &len), quotes);
	assert_int_equal(len, strlen(source));
	assert_memory_equal(text + off, source, len);
}

static void test_source(void **state)
{
	(void)state;
	expect_source("\"user bob end\"", "bob", "bob", BT_QUOTE_NONE);
	expect_source("\"\\\"Bob\\\" <x>\\r\\nTo: y\"", "\"Bob\" <x>", "\\\"Bob\\\" <x>", BT_QUOTE_NONE);
	expect_source("\"a\\r\\nTo: y\"", "\nTo", "\\nTo", BT_QUOTE_NONE);
	expect_source("\"\\061\\062\\063\"", "2", "\\062", BT_QUOTE_NONE);
	expect_source("\"ab\", 'c' <repeats 3 times>, \"de\"", "bcccd", "b\", 'c' <repeats 3 times>, \"d",
		      BT_QUOTE_NONE);
	expect_source("\"ab\", 'c' <repeats 3 times>, \"de\"", "cc", "'c' <repeats 3 times>",
		      BT_QUOTE_OPEN | BT_QUOTE_CLOSE);
	expect_source("\"ab\", 'c' <repeats 3 times>, \"de\"", "cd", "'c' <repeats 3 times>, \"d",
		      BT_QUOTE_OPEN);
	expect_source("\"ab\", 'c' <repeats 3 times>, \"de\"", "bc", "b\", 'c' <repeats 3 times>",
		      BT_QUOTE_CLOSE);
	expect_source("\"ab\", <incomplete sequence \\357\\273>", "\357\273", "<incomplete sequence \\357\\273>",
		      BT_QUOTE_OPEN | BT_QUOTE_CLOSE);
	expect_source("L\"a\\x1f600!\"", "\360\237\230\200", "\\x1f600", BT_QUOTE_NONE);
	expect_source("0x5 \"abc\"...", "abc", "abc", BT_QUOTE_NONE);
}

/* Every range of a string with everything in it comes from source that lies inside the value, in
   order. */
static void test_source_of_all_ranges(void **state)
{
	AUTO_BUF text = BUF_INIT;
	AUTO(bt) b = NULL;
	AUTO(bt_cursor) c = NULL;
	const struct bt_value *v;
	uint64_t off, len, before = 0;

	(void)state;
	buf_add_str(&text, "$1 = \"");
	for (int i = 0; i < 300; i++)
		buf_add_str(&text, i % 3 ? "x\\001\\\"" : "plain text \\n");
	buf_add_str(&text, "\", 'y' <repeats 40 times>, \"z\\000\", <incomplete sequence \\303>\n");
	assert_int_equal(bt_parse(buf_span(&text), &b, NULL), RC_OK);
	c = bt_cursor_new(b);
	v = bt_next(c);
	for (size_t i = 0; i < v->decoded.len; i++) {
		bt_source(v, i, i + 1, &off, &len);
		assert_true(len > 0 && off >= before && off >= v->off && off + len <= v->off + v->len);
		before = off;
	}
	bt_source(v, 0, v->decoded.len, &off, &len);
	assert_int_equal(off, v->off + 1);
	assert_int_equal(off + len, v->off + v->len);
	bt_source(v, 5, 5, &off, &len);
	assert_int_equal(len, 0);
	bt_source(v, 5, SIZE_MAX, &off, &len);
	assert_int_equal(off + len, v->off + v->len);
}

static void test_expanded(void **state)
{
	(void)state;
	EXPECT("s = 0x5 \"INVITE sip:x SIP/2.0\r\nFrom: \\\"Bob\\\" <y>\r\n\r\n\"",
	       "s = \"INVITE sip:x SIP/2.0\\015\\012From: \"Bob\" <y>\\015\\012\\015\\012\" expanded\n");
	EXPECT("s = \"900\0ID=\\\"Ann\\\" <+44>\", '\0' <repeats 5 times>...",
	       "s = \"900\\000ID=\"Ann\" <+44>\\000\\000\\000\\000\\000\"... expanded\n");
	EXPECT("s = {a = '\n' <repeats 3 times>, \"x\", b = 1}", "s.a = \"\\012\\012\\012x\"\ns.b = 1\ns {}\n");
	/* what \\ became is no escape: neither of a letter nor of the quote behind it */
	EXPECT("s = \"dir\\new\001\"", "s = \"dir\\new\\001\" expanded\n");
	EXPECT("s = {a = \"C:\\\", b = \"x\"}", "s.a = \"C:\\\" expanded\ns.b = \"x\"\ns {}\n");
	EXPECT("s = '\\' <repeats 3 times>, \"x\"", "s = \"\\\\\\x\"\n");
}

static void test_expanded_with_bare_quotes(void **state)
{
	AUTO_FREE char *got = list_text(SPAN_LIT("  data = \"user=x\0password=y\0\"\nlog line\n"
						 "  data = 0x1 \"a\r\nb\"\nlog line\n"));

	(void)state;
	EXPECT("s = 0x5 \"SIP/2.0\r\nX: Digest username=\"bob\", realm=\"x\", nc=00000001, qop=auth\r\n\r\n\"",
	       "s = \"SIP/2.0\\015\\012X: Digest username=\"bob\", realm=\"x\", nc=00000001, qop=auth"
	       "\\015\\012\\015\\012\" expanded\n");
	assert_string_equal(got, "data = \"user=x\\000password=y\\000\" expanded\n"
			    "data = \"a\\015\\012b\" expanded\n");
}

static void test_expanded_never_swallows_a_head(void **state)
{
	AUTO_FREE char *got = list_text(SPAN_LIT(
		"#0  f (buf=0x1 \"INVITE\r\nno end here\n#1  0x0005 in g (x=\"y\") at a.c:2\n"
		"        s = \"a\001b\n        t = \"c\"\nThread 2 (LWP 3):\n#0  h () at a.c:3\n"));

	(void)state;
	assert_string_equal(got, "#0 f\n(buf = \"INVITE\\015\" expanded\n#1 g 0x0005 at a.c:2\n(x = \"y\"\n"
			    "s = \"a\\001b\" expanded\nt = \"c\"\n#0 h at a.c:3\n");
}

static void test_expanded_head(void **state)
{
	AUTO_FREE char *got = list_text(SPAN_LIT(
		"#3  0x01 in parse (buf=0x1 \"REGISTER\r\nTo: \\\"x\\\" (a) at b:1\r\n\r\n\", len=9) at p.c:7\n"
		"        n = 9\n"));

	(void)state;
	assert_string_equal(got, "#3 parse 0x01 at p.c:7\n(buf = \"REGISTER\\015\\012To: \"x\" (a) at b:1"
			    "\\015\\012\\015\\012\" expanded\n(len = 9\nn = 9\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_repeats_are_bounded),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_source_of_all_ranges),
		cmocka_unit_test(test_expanded),
		cmocka_unit_test(test_expanded_with_bare_quotes),
		cmocka_unit_test(test_expanded_never_swallows_a_head),
		cmocka_unit_test(test_expanded_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
