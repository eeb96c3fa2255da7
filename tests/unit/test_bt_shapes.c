/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bt_listing.h"

/*
 * Shapes of real dumps that a regex misses, as gdb prints them and, where it differs, as a shell's
 * `echo -e` left them: what matters is that the program's bytes come out and where they stand.
 */

struct reading {
	struct bt *b;
	struct bt_cursor *c;
	char *text;
};

static struct reading read_local(struct span local)
{
	struct reading r;
	struct buf text = BUF_INIT;
	size_t len;

	buf_add_str(&text, "#0  f () at a.c:1\n        ");
	buf_add_span(&text, local);
	buf_add_str(&text, "\n        next = 1\n");
	len = text.len;
	r.text = buf_steal(&text);
	assert_int_equal(bt_parse(span_make(r.text, len), &r.b, NULL), RC_OK);
	r.c = bt_cursor_new(r.b);
	assert_int_equal(bt_next(r.c)->type, BT_FRAME);
	return r;
}

static void done(struct reading *r)
{
	const struct bt_value *v = bt_next(r->c);

	/* whatever the string was, the next local is seen */
	while (v && !span_eq_str(v->path, "next"))
		v = bt_next(r->c);
	assert_non_null(v);
	bt_cursor_free(r->c);
	bt_free(r->b);
	free(r->text);
}

static const struct bt_value *next_string(struct reading *r, const char *path)
{
	const struct bt_value *v = bt_next(r->c);

	while (v && v->type != BT_STRING)
		v = bt_next(r->c);
	assert_non_null(v);
	assert_true(span_eq_str(v->path, path));
	return v;
}

static void expect_piece(const struct reading *r, const struct bt_value *v, const char *piece,
			 const char *source)
{
	ssize_t at = span_find(v->decoded, span_str(piece), 0);
	uint64_t off, len;

	assert_true(at >= 0);
	assert_int_equal(bt_source(v, at, at + strlen(piece), &off, &len), BT_QUOTE_NONE);
	assert_int_equal(len, strlen(source));
	assert_memory_equal(r->text + off, source, len);
}

static void test_stale_tail(void **state)
{
	static const struct span forms[] = {
		SPAN_LIT("passdata = \"support,,,,3600\\000551234\", '\\000' <repeats 20 times>"),
		SPAN_LIT("passdata = \"support,,,,3600\000551234\", '\0' <repeats 20 times>"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct reading r = read_local(forms[i]);
		const struct bt_value *v = next_string(&r, "passdata");

		assert_int_equal(v->decoded.len, 15 + 1 + 6 - 0 + 20);
		assert_memory_equal(v->decoded.p, "support,,,,3600\0" "551234\0", 23);
		expect_piece(&r, v, "551234", "551234");
		done(&r);
	}
}

static void test_nuls_for_separators(void **state)
{
	struct reading r = read_local(SPAN_LIT(
		"p = 0x1 \"GET\\000/rawman\\000action\\000login\\000secret\\000s3cr3t\\000HTTP/1.1\""));
	const struct bt_value *v = next_string(&r, "p");

	(void)state;
	assert_memory_equal(v->decoded.p, "GET\0/rawman\0action\0login\0secret\0s3cr3t\0HTTP/1.1", 48);
	expect_piece(&r, v, "s3cr3t", "s3cr3t");
	done(&r);
}

static void test_pointer_and_length(void **state)
{
	struct reading r = read_local(SPAN_LIT(
		"cred = {user = {ptr = 0x7f91 \"asterisk442071230000\", slen = 8}, n = {ptr = 0x1 \"\", slen = 0}, "
		"plain = {ptr = 0x1 \"x\", other = 1}, a = {{ptr = 0x1 \"6001\\\", realm=\", slen = 4}}, "
		"ngx = {len = 3, data = 0x2 \"GET /\"}, no = {len = 5, buf = \"xyz\"}}"));
	const struct bt_value *v = next_string(&r, "cred.user.ptr");

	(void)state;
	assert_int_equal(v->slen, 8);
	assert_true(v->is_pointer);
	assert_int_equal(v->integer, 0x7f91);
	assert_int_equal(next_string(&r, "cred.n.ptr")->slen, 0);
	assert_int_equal(next_string(&r, "cred.plain.ptr")->slen, -1);
	v = next_string(&r, "cred.a[0].ptr");
	assert_int_equal(v->slen, 4);
	assert_true(span_eq_str(v->decoded, "6001\", realm="));
	assert_int_equal(next_string(&r, "cred.ngx.data")->slen, 3);
	assert_int_equal(next_string(&r, "cred.no.buf")->slen, -1);
	done(&r);
}

static void test_pointer_and_length_on_lines(void **state)
{
	struct reading r = read_local(SPAN_LIT(
		"cred = {\n          user = {\n            ptr = 0x7f91 \"bob and more\",\n            slen = 3\n"
		"          }\n        }"));

	(void)state;
	assert_int_equal(next_string(&r, "cred.user.ptr")->slen, 3);
	done(&r);
}

static void test_ascii_in_integers(void **state)
{
	struct reading r = read_local(SPAN_LIT(
		"w = {7002943971834920961, 0x2e302e3330324033, -1 <repeats 3 times>}"));
	const struct bt_value *v = bt_next(r.c);
	struct bt_item item;
	size_t pos = 0;

	(void)state;
	assert_int_equal(v->type, BT_ARRAY);
	assert_true(bt_items(v, &pos, &item));
	assert_true(item.integer == 7002943971834920961u);
	assert_memory_equal(r.text + item.off, "7002943971834920961,", 20);
	assert_int_equal(item.len, 19);
	assert_true(bt_items(v, &pos, &item));
	assert_memory_equal(&item.integer, "3@203.0.", 8);
	assert_true(bt_items(v, &pos, &item));
	assert_true(item.integer == UINT64_MAX && item.repeats == 3);
	assert_false(bt_items(v, &pos, &item));
	done(&r);
}

static void test_socket_addresses(void **state)
{
	struct reading r = read_local(SPAN_LIT(
		"a = {sa_data = \"\\023\\304\\nc2\\a\", sin_addr = {s_addr = 1299251403}, u6 = {__u6_addr8 = "
		"\" \\001\\r\\270\", '\\000' <repeats 11 times>, \"\\001\", __u6_addr16 = {288, 47117, 0, 0, 0, "
		"0, 0, 256}}}"));
	const struct bt_value *v = next_string(&r, "a.sa_data");
	uint64_t off, len;

	(void)state;
	assert_int_equal(v->decoded.len, 6);
	assert_memory_equal(v->decoded.p, "\x13\xc4\x0a\x63\x32\x07", 6);
	bt_source(v, 2, 6, &off, &len);
	assert_int_equal(len, 6);
	assert_memory_equal(r.text + off, "\\nc2\\a", 6);
	v = bt_next(r.c);
	assert_true(span_eq_str(v->path, "a.sin_addr.s_addr") && v->integer == 1299251403);
	v = next_string(&r, "a.u6.__u6_addr8");
	assert_int_equal(v->decoded.len, 16);
	assert_memory_equal(v->decoded.p, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	assert_int_equal(bt_next(r.c)->type, BT_ARRAY);
	done(&r);
}

static void test_binary_digest(void **state)
{
	struct reading r = read_local(SPAN_LIT(
		"d = \"\\320\\023o1\\276@\\000\\\\\\\"5\\061\\377\", h = \"d0136f31\", '\\000' <repeats 24 times>"));
	const struct bt_value *v = next_string(&r, "d");

	(void)state;
	assert_int_equal(v->decoded.len, 12);
	assert_memory_equal(v->decoded.p, "\xd0\x13\x6f\x31\xbe\x40\x00\\\"51\xff", 12);
	assert_int_equal(next_string(&r, "h")->decoded.len, 32);
	done(&r);
}

static void test_cut(void **state)
{
	struct reading r = read_local(SPAN_LIT("t = {a = 0x1 \"eyJhbGciOiJIUzI1\"..., b = {\"x\"..., \"y\"...}...}"));
	const struct bt_value *v = next_string(&r, "t.a");

	(void)state;
	assert_true(v->cut);
	assert_memory_equal(v->src.p + v->len - 4, "\"...", 4);
	assert_true(next_string(&r, "t.b[0]")->cut);
	assert_true(next_string(&r, "t.b[1]")->cut);
	done(&r);
}

static void test_sliding_buffer(void **state)
{
	static const struct span forms[] = {
		SPAN_LIT("src = 0x1 \"Secret: abc\\r\\necret: abc\\r\\nabc\\r\\n\""),
		SPAN_LIT("src = 0x1 \"Secret: abc\r\necret: abc\r\nabc\r\n\""),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct reading r = read_local(forms[i]);

		assert_true(span_eq_str(next_string(&r, "src")->decoded,
					"Secret: abc\r\necret: abc\r\nabc\r\n"));
		done(&r);
	}
}

static void test_quoting_in_quoting(void **state)
{
	struct reading r = read_local(SPAN_LIT(
		"csv = \"\\\"\\\"\\\"Ann Example\\\"\\\" <+4420>\\\"\", url = \"num=%2B4684&n=O\\\\'Brien\""));
	const struct bt_value *v = next_string(&r, "csv");

	(void)state;
	assert_true(span_eq_str(v->decoded, "\"\"\"Ann Example\"\" <+4420>\""));
	expect_piece(&r, v, "Ann Example", "Ann Example");
	v = next_string(&r, "url");
	assert_true(span_eq_str(v->decoded, "num=%2B4684&n=O\\'Brien"));
	expect_piece(&r, v, "O\\'Brien", "O\\\\'Brien");
	done(&r);
}

static void test_quoting_in_quoting_expanded(void **state)
{
	/* \\\" lost one backslash and looks like the end of the string */
	struct reading r = read_local(SPAN_LIT(
		"csv = \"a\\\\\"Ann\\\\\" <+4420>\r\n\", '\0' <repeats 3 times>, x = {n = 1}"));
	const struct bt_value *v = next_string(&r, "csv");

	(void)state;
	assert_true(span_find(v->decoded, SPAN_LIT("Ann"), 0) > 0);
	assert_true(span_find(v->decoded, SPAN_LIT("<+4420>\r\n"), 0) > 0);
	assert_int_equal(bt_next(r.c)->integer, 1);
	done(&r);
}

static void test_password_with_control_byte(void **state)
{
	struct reading r = read_local(SPAN_LIT("pw = \"hunter2\\001next word\""));
	const struct bt_value *v = next_string(&r, "pw");

	(void)state;
	assert_memory_equal(v->decoded.p, "hunter2\001next word", 17);
	expect_piece(&r, v, "hunter2", "hunter2");
	done(&r);
}

static void test_only_function_and_variable_tell(void **state)
{
	AUTO_FREE char *got = list_text(SPAN_LIT(
		"#4  0x01 in auth_exec (chan=0x1, data=0x2 \"915300\") at app_auth.c:98\n"
		"        passptr = 0x3 \"4477\"\n        args = {argc = 1, {argv = {0x4 \"900\", 0x0}}}\n"));

	(void)state;
	assert_string_equal(got, "#4 auth_exec 0x01 at app_auth.c:98\n(chan = 0x1\n(data = \"915300\"\n"
			    "passptr = \"4477\"\nargs.argc = 1\nargs.argv[0] = \"900\"\nargs.argv[1] = 0x0\n"
			    "args.argv {}\nargs {}\nargs {}\n");
}

static void test_frame_over_many_lines(void **state)
{
	AUTO_FREE char *got = list_text(SPAN_LIT(
		"#1  0x01 in tx (pkt=0x1 \"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n#5  note\r\n\r\n\"..., n=2) at s.c:9\n"
		"#2  0x02 in main () at m.c:1\n"));

	(void)state;
	assert_string_equal(got, "#1 tx 0x01 at s.c:9\n(pkt = \"SIP/2.0 200 OK\\015\\012CSeq: 1 INVITE\\015\\012"
			    "#5  note\\015\\012\\015\\012\"... expanded\n(n = 2\n#2 main 0x02 at m.c:1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stale_tail),
		cmocka_unit_test(test_nuls_for_separators),
		cmocka_unit_test(test_pointer_and_length),
		cmocka_unit_test(test_pointer_and_length_on_lines),
		cmocka_unit_test(test_ascii_in_integers),
		cmocka_unit_test(test_socket_addresses),
		cmocka_unit_test(test_binary_digest),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_sliding_buffer),
		cmocka_unit_test(test_quoting_in_quoting),
		cmocka_unit_test(test_quoting_in_quoting_expanded),
		cmocka_unit_test(test_password_with_control_byte),
		cmocka_unit_test(test_only_function_and_variable_tell),
		cmocka_unit_test(test_frame_over_many_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
