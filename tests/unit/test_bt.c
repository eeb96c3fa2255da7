/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bt_listing.h"

/* What the reader makes of gdb's shapes, one a line. */
static void expect(const char *text, const char *listing)
{
	AUTO_FREE char *got = list_text(span_str(text));

	assert_non_null(got);
	assert_string_equal(got, listing);
}

/* The same for a local of a frame, without the lines of the frame. */
static void expect_local(const char *local, const char *listing)
{
	AUTO_FREE char *text = xasprintf("#0  f () at a.c:1\n        %s\n", local);
	AUTO_FREE char *want = xasprintf("#0 f at a.c:1\n%s", listing);

	expect(text, want);
}

static void test_frame_heads(void **state)
{
	(void)state;
	expect("#0  0x00007f7bb3e3a26f in poll (fds=fds@entry=0x7f7b, nfds=2) at ../poll.c:29\n",
	       "#0 poll 0x00007f7bb3e3a26f at ../poll.c:29\n(fds = 0x7f7b\n(nfds = 2\n");
	expect("#10 f (c=<optimized out>, c@entry=0x7f7b) at a b.c:3\n",
	       "#10 f at a b.c:3\n(c = <optimized out>\n(c = 0x7f7b\n");
	expect("#1  <signal handler called>\n#2  0x0000000000000000 in ?? ()\n",
	       "#1 <signal>\n#2 ?? 0x0000000000000000\n");
	expect("#3  0x00007f in read () from /lib/x86_64-linux-gnu/libc.so.6\n",
	       "#3 read 0x00007f from /lib/x86_64-linux-gnu/libc.so.6\n");
	expect("#4  main ()\n", "#4 main\n");
	expect("#100 main () at m.c:1\n", "#100 main at m.c:1\n");
	expect("#5  f (v=..., n=1) at a.c:1\n", "#5 f at a.c:1\n(n = 1\n");
	expect("#6  f (...) at a.c:1\n", "#6 f at a.c:1\n");
	/* without arguments a name ends where a value may begin, which must not pass for a part of it */
	expect("#7  0x01 in f=0x5, password=0x6 \"b#\"\n", "#7 f 0x01\n");
	expect("#8  0x01 in f \"b\"\n", "#8 f 0x01\n");
	expect("#9  0x01 in operator==\n", "#9 operator== 0x01\n");
}

static void test_cpp_heads(void **state)
{
	(void)state;
	expect("#0  std::vector<int, std::allocator<int> >::at (this=0x1, n=5) at v.h:12\n",
	       "#0 std::vector<int, std::allocator<int> >::at at v.h:12\n(this = 0x1\n(n = 5\n");
	expect("#1  0x01 in operator<< <char> (o=..., s=0x2 \"hi\") at o.h:1\n",
	       "#1 operator<< <char> 0x01 at o.h:1\n(s = \"hi\"\n");
	expect("#2  0x01 in Foo::operator() (this=0x1) at f.cc:2\n",
	       "#2 Foo::operator() 0x01 at f.cc:2\n(this = 0x1\n");
	expect("#3  operator() (__closure=0x1, n=2) at f.cc:3\n",
	       "#3 operator() at f.cc:3\n(__closure = 0x1\n(n = 2\n");
	expect("#4  0x01 in std::function<void (int)>::operator()(int) const () from /lib/l.so\n",
	       "#4 std::function<void (int)>::operator()(int) const 0x01 from /lib/l.so\n");
	expect("#5  (anonymous namespace)::g (x=1) at f.cc:4\n",
	       "#5 (anonymous namespace)::g at f.cc:4\n(x = 1\n");
	expect("#6  0x01 in void (anonymous namespace)::h<int>(int) ()\n",
	       "#6 void (anonymous namespace)::h<int>(int) 0x01\n");
	expect("#7  operator< (a=..., b=1) at f.cc:5\n", "#7 operator< at f.cc:5\n(b = 1\n");
	expect("#8  Foo::operator-> (this=0x1) at f.cc:6\n", "#8 Foo::operator-> at f.cc:6\n(this = 0x1\n");
	expect("#9  std::f(const std::_Any &, int &&) (__f=..., __args#0=@0x7f: 2) at i.h:2\n",
	       "#9 std::f(const std::_Any &, int &&) at i.h:2\n(__args#0 = 2\n");
	expect("#9  std::invoke<main()::{lambda()#1}>(main()::{lambda()#1}&&) () at i.h:1\n",
	       "#9 std::invoke<main()::{lambda()#1}>(main()::{lambda()#1}&&) at i.h:1\n");
}

static void test_rust_and_go_heads(void **state)
{
	(void)state;
	expect("#0  <alloc::string::String as core::fmt::Display>::fmt (self=0x1, f=0x2) at lib.rs:7\n",
	       "#0 <alloc::string::String as core::fmt::Display>::fmt at lib.rs:7\n(self = 0x1\n(f = 0x2\n");
	expect("#1  0x01 in app::main::{closure#0} (x=3) at src/main.rs:9\n",
	       "#1 app::main::{closure#0} 0x01 at src/main.rs:9\n(x = 3\n");
	expect("#2  0x01 in core::ops::function::FnOnce::call_once<fn() -> i32, ()> () at f.rs:1\n",
	       "#2 core::ops::function::FnOnce::call_once<fn() -> i32, ()> 0x01 at f.rs:1\n");
	expect("#3  main.(*T).Get (t=0xc000012345, ~r0=...) at /x/m.go:12\n",
	       "#3 main.(*T).Get at /x/m.go:12\n(t = 0xc000012345\n");
	expect("#4  main.Map[go.shape.int] (.dict=0x1, v=1) at /x/m.go:1\n",
	       "#4 main.Map[go.shape.int] at /x/m.go:1\n(.dict = 0x1\n(v = 1\n");
}

static void test_wrapped_heads(void **state)
{
	(void)state;
	expect("#2  0x01 in f (c=0x7, \n    n=1)\n    at channel.c:3\nNo locals.\n",
	       "#2 f 0x01 at channel.c:3\n(c = 0x7\n(n = 1\n");
	expect("#3  0x01 in a_function_with_a_very_long_name\n    (arg=0x1) from /lib/x.so\n",
	       "#3 a_function_with_a_very_long_name 0x01 from /lib/x.so\n(arg = 0x1\n");
	expect("#2  0x01 in f (c=0x7) at a.c:3\r\n        x = 1\r\n",
	       "#2 f 0x01 at a.c:3\n(c = 0x7\nx = 1\n");
	expect("(gdb) #0  f () at a.c:3\n--Type <RET> for more, q to quit, c to continue without paging--"
	       "#1  g () at a.c:4\n", "#0 f at a.c:3\n#1 g at a.c:4\n");
}

static void test_not_heads(void **state)
{
	(void)state;
	expect("#1 first (see below)\n# 2  x ()\n#3  a sentence\n#4  another (with words)\n"
	       "#5  not a frame (x=1)\n", "");
	expect(" #0  main () at m.c:1\n", "");
}

static void test_threads(void **state)
{
	static const char text[] =
		"Thread 71 (Thread 0x7f7b9b9a66c0 (LWP 31158) \"name\"):\n#0  f () at a.c:1\n\n"
		"Thread 1.2 (LWP 5):\n#0  g () at a.c:1\n[Switching to thread 3 (Thread 0x1 (LWP 9))]\n"
		"#0  h () at a.c:1\nThread 4 (process 31851 \"c\"):\n#0  i () at a.c:1\n";
	unsigned threads[] = { 71, 1, 3, 4 }, lwps[] = { 31158, 5, 9, 31851 };
	AUTO(bt) b = NULL;
	AUTO(bt_cursor) c = NULL;
	const struct bt_value *v;
	size_t n = 0;

	(void)state;
	assert_int_equal(bt_parse(span_str(text), &b, NULL), RC_OK);
	c = bt_cursor_new(b);
	for (; (v = bt_next(c)); n++) {
		assert_int_equal(v->type, BT_FRAME);
		assert_int_equal(v->frame->index, n);
		assert_int_equal(v->frame->thread, threads[n]);
		assert_int_equal(v->frame->lwp, lwps[n]);
	}
	assert_int_equal(n, 4);
}

static void test_scalars(void **state)
{
	(void)state;
	expect_local("x = -516", "x = -516\n");
	expect_local("x = 0x7f7b <f+4>", "x = 0x7f7b\n");
	expect_local("x = 65 'A'", "x = 65\n");
	expect_local("x = -1 '\\377'", "x = -1\n");
	expect_local("x = 10 L'\\n'", "x = 10\n");
	expect_local("x = true", "x = true\n");
	expect_local("x = (FLAG_A | FLAG_B)", "x = (FLAG_A | FLAG_B)\n");
	expect_local("x = (FLAG_A | unknown: 0x8)", "x = (FLAG_A | unknown: 0x8)\n");
	expect_local("x = (anonymous namespace)::Mode::loud", "x = (anonymous namespace)::Mode::loud\n");
	expect_local("x = 1.5", "x = 1.5\n");
	expect_local("x = -nan(0x8000000000000)", "x = -nan(0x8000000000000)\n");
	expect_local("x = <optimized out>", "x = <optimized out>\n");
	expect_local("x = <error: Cannot access memory at address 0x8>",
		     "x = <error: Cannot access memory at address 0x8>\n");
	expect_local("x = <error reading variable x (Cannot access memory at address 0x8)>",
		     "x = <error reading variable x (Cannot access memory at address 0x8)>\n");
	expect_local("x = 0x8 <error: Cannot access memory at address 0x8>", "x = 0x8\n");
	expect_local("x = {void (int, char *)} 0x5555 <f(int, char*)>", "x = 0x5555\n");
	expect_local("x = (void (*)(int)) 0x5555 <f(int)>", "x = 0x5555\n");
	expect_local("x = @0x7ffe: 5", "x = 5\n");
	expect_local("x = (const int &) @0x7ffe: {a = 1}", "x.a = 1\nx {}\n");
	expect_local("x = 123456789012345678901234567890", "x = 123456789012345678901234567890\n");
	expect_local("x = 18446744073709551615", "x = -1\n");
}

static void test_groups(void **state)
{
	(void)state;
	expect_local("a = {b = 1, c = {d = 0x2, e = \"x\"}}",
		     "a.b = 1\na.c.d = 0x2\na.c.e = \"x\"\na.c {}\na {}\n");
	expect_local("a = {{x = 1}, {x = 2} <repeats 3 times>, {x = 3}}",
		     "a[0].x = 1\na[0] {}\na[1].x = 2\na[1] {}\na[4].x = 3\na[4] {}\na {}\n");
	expect_local("a = {n = 1, {u = 2, {v = 3}}}", "a.n = 1\na.u = 2\na.v = 3\na {}\na {}\na {}\n");
	expect_local("a = {1, 2, -3 <repeats 5 times>, 0...}", "a = [1][2][-3*5][0]\n");
	expect_local("a = {{1, 2}, {3, 4}}", "a[0] = [1][2]\na[1] = [3][4]\na {}\n");
	expect_local("a = {0x0 <repeats 512 times>}", "a = [0*512]\n");
	expect_local("a = {0x1 <f>, 0x2 \"s\"}", "a[0] = 0x1\na[1] = \"s\"\na {}\n");
	expect_local("a = {f = {void (void)} 0x1 <f>, g = 2}", "a.f = 0x1\na.g = 2\na {}\n");
	expect_local("a = {}", "a {}\n");
	expect_local("a = {x = 1, y = {...}, z = 2}", "a.x = 1\na.y {}\na.z = 2\na {}\n");
	expect_local("a = {p = \"1\", q = {0 '\\000', 1 '\\001'}}", "a.p = \"1\"\na.q = [0][1]\na {}\n");
}

static void test_cpp_values(void **state)
{
	(void)state;
	expect_local("s = {static npos = 18446744073709551615, _M_dataplus = {<std::allocator<char>> = "
		     "{<std::__new_allocator<char>> = {<No data fields>}, <No data fields>}, _M_p = 0x7ffe "
		     "\"hello\"}, _M_string_length = 5, {_M_local_buf = \"hello\\000\", _M_cap = 4}}",
		     "s.npos = -1\ns._M_dataplus[0] = <No data fields>\ns._M_dataplus {}\n"
		     "s._M_dataplus = <No data fields>\ns._M_dataplus {}\ns._M_dataplus._M_p = \"hello\"\n"
		     "s._M_dataplus {}\ns._M_string_length = 5\ns._M_local_buf = \"hello\\000\"\n"
		     "s._M_cap = 4\ns {}\ns {}\n");
	expect_local("o = {<Base> = {_vptr.Base = 0x5 <vtable for D+16>, b = 1}, d = 2}",
		     "o._vptr.Base = 0x5\no.b = 1\no {}\no.d = 2\no {}\n");
	expect_local("v = std::vector of length 2, capacity 4 = {\"a\", \"b\"}",
		     "v[0] = \"a\"\nv[1] = \"b\"\nv {}\n");
	expect_local("m = std::map with 2 elements = {[\"a\"] = 1, [\"b,]\"] = {x = 2}}",
		     "m[0] = \"a\"\nm[0] = 1\nm[1] = \"b,]\"\nm[1].x = 2\nm[1] {}\nm {}\n");
	expect_local("m = std::map with 1 element = {[15] = \"x\"}", "m[0] = \"x\"\nm {}\n");
	expect_local("p = std::unique_ptr<int> = {get() = 0x5}", "p.get() = 0x5\np {}\n");
	expect_local("p = std::shared_ptr<T> (use count 1, weak count 0) = {get() = 0x5}",
		     "p.get() = 0x5\np {}\n");
	expect_local("o = std::optional [no contained value]", "o = std::optional [no contained value]\n");
	expect_local("f = 0x5 <ns::f<int>(int) const>", "f = 0x5\n");
	expect_local("f = 0x5 <operator<<(std::ostream&)> \"x\"", "f = \"x\"\n");
}

static void test_rust_values(void **state)
{
	(void)state;
	expect_local("s = alloc::string::String {vec: alloc::vec::Vec<u8> {len: 5}}",
		     "s.vec.len = 5\ns.vec {}\ns {}\n");
	expect_local("s = &str {data_ptr: 0x5 \"hello\\x41world\", length: 5}",
		     "s.data_ptr = \"helloAworld\" slen 5\ns.length = 5\ns {}\n");
	expect_local("o = core::option::Option<&str>::Some(\"x\")", "o[0] = \"x\"\no {}\n");
	expect_local("a = &[u8] [1, 2]", "a = [1][2]\n");
	expect_local("a = [1, 2, 3]", "a = [1][2][3]\n");
	expect_local("t = (1, \"a\")", "t[0] = 1\nt[1] = \"a\"\nt {}\n");
}

static void test_pretty(void **state)
{
	(void)state;
	expect("#0  f () at a.c:1\n        q = {\n          a = 1,\n          b = {\n            c = {1, 2},\n"
	       "            d = \"x\"\n          }\n        }\n        r = 2\n",
	       "#0 f at a.c:1\nq.a = 1\nq.b.c = [1][2]\nq.b.d = \"x\"\nq.b {}\nq {}\nr = 2\n");
	expect("#0  f () at a.c:1\n        q = {a = 1, \n  b = 2, \n        c = 3}\n        r = 2\n",
	       "#0 f at a.c:1\nq.a = 1\nq.b = 2\nq.c = 3\nq {}\nr = 2\n");
}

static void test_broken_groups(void **state)
{
	(void)state;
	/* what is open where the line ends is a group up to there */
	expect("#0  f () at a.c:1\n        q = {a = 1, b = {c = 2\n        r = 3\n#1  g () at a.c:2\n",
	       "#0 f at a.c:1\nq.a = 1\nq.b.c = 2\nq.b {}\nq {}\nr = 3\n#1 g at a.c:2\n");
	expect_local("q = {a = 1}}, b = 2", "q.a = 1\nq {}\nb = 2\n");
	expect_local("q = {a = (1, 2}, b = 3", "q.a[0] = 1\nq.a[1] = 2\nq.a {}\nq {}\nb = 3\n");
}

static void test_without_a_frame(void **state)
{
	(void)state;
	expect("$1 = {si_signo = 5, v = {1, 2}}\n", "si_signo = 5\nv = [1][2]\n {}\n");
	expect("$2 = 0x5 \"text\"\n", " = \"text\"\n");
	expect("        addr = \"192.0.2.1\", '\\000' <repeats 12 times>\n",
	       "addr = \"192.0.2.1\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\"\n");
	expect("  {name = 0x7f \"trunk\", port = 5060, valid = 1},\n",
	       "name = \"trunk\"\nport = 5060\nvalid = 1\n {}\n");
	expect("number = {valid = 1 '\\001', str = 0x7f \"x\"}, sub = {str = 0x0}\n",
	       "number.valid = 1\nnumber.str = \"x\"\nnumber {}\nsub.str = 0x0\nsub {}\n");
	expect("env[12] = 0x7f \"A=b\"\n", "env[12] = \"A=b\"\n");
	expect("0x7ffe1234:\t\"text\"\n0x7ffe1234 <buf+8>:\t0x61\t0x62\n",
	       " = \"text\"\n = 0x61\n = 0x62\n");
}

static void test_plain_logs(void **state)
{
	static const char *const logs[] = {
		"[2026-11-23 00:15:59] NOTICE[31049] chan.c: got 0x7f of \"x\"\n",
		"password = \"hunter2\"\nsecret = abc\ntimeout = 30\n  indented = yes\n",
		"{\"a\": 1, \"b\": \"x\"}\n", "    if (x == 1)\n        return;\n",
		"Thread pool started\n# comment (1)\n$HOME = x\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		assert_false(bt_probe(span_str(logs[i])));
		expect(logs[i], "");
	}
	assert_true(bt_probe(span_str("log\nlog\n#0  main () at m.c:1\n")));
	assert_true(bt_probe(span_str("Thread 1 (LWP 5):\n")));
	assert_true(bt_probe(span_str("x\n$1 = 5\n")));
	assert_true(bt_probe(span_str("        p = 0x5 \"x\"\n")));
	assert_false(bt_probe(span_str("")));
}

static void test_frame_ends_at_a_blank_line(void **state)
{
	(void)state;
	expect("#0  f () at a.c:1\n        x = y\n\n        z = w\n", "#0 f at a.c:1\nx = y\n");
}

static void test_locals_of_c_names_only_by_frame(void **state)
{
	(void)state;
	expect("#0  main.f () at a.go:1\n        ~r0 = 1\n        &x = 0xc0\n        .this = 0x1\n",
	       "#0 main.f at a.go:1\n~r0 = 1\n&x = 0xc0\n.this = 0x1\n");
	expect("#0  f () at a.c:1\nx = 1\nbuf = \"a\"\nNo locals.\n", "#0 f at a.c:1\nx = 1\nbuf = \"a\"\n");
}

static void test_depth(void **state)
{
	size_t n = 3 * LIMIT_BT_DEPTH;
	AUTO_BUF text = BUF_INIT;
	AUTO_FREE char *got = NULL;

	(void)state;
	buf_add_str(&text, "$1 = ");
	for (size_t i = 0; i < n; i++)
		buf_add_str(&text, "{a = ");
	buf_add_str(&text, "7");
	for (size_t i = 0; i < n; i++)
		buf_add_str(&text, "}");
	buf_add_str(&text, "\n$2 = 8\n");
	got = list_text(buf_span(&text));
	assert_non_null(strstr(got, " = 7\n"));
	assert_non_null(strstr(got, "\n = 8\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_heads),
		cmocka_unit_test(test_cpp_heads),
		cmocka_unit_test(test_rust_and_go_heads),
		cmocka_unit_test(test_wrapped_heads),
		cmocka_unit_test(test_not_heads),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_cpp_values),
		cmocka_unit_test(test_rust_values),
		cmocka_unit_test(test_pretty),
		cmocka_unit_test(test_broken_groups),
		cmocka_unit_test(test_without_a_frame),
		cmocka_unit_test(test_plain_logs),
		cmocka_unit_test(test_frame_ends_at_a_blank_line),
		cmocka_unit_test(test_locals_of_c_names_only_by_frame),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
