/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

#include <corescrub/artifact_seal.h>

static void test_from_buf_takes_the_bytes(void **state)
{
	struct buf b = BUF_INIT;
	struct artifact *a;

	(void)state;
	buf_add(&b, "a\0b", 3);
	a = artifact_from_buf("x", ARTIFACT_TEXT, &b);
	assert_null(b.p);
	assert_int_equal(a->text.len, 3);
	assert_memory_equal(a->text.p, "a\0b", 3);
	artifact_free(a);
	a = artifact_from_buf("empty", ARTIFACT_GDB, &b);
	assert_int_equal(a->text.len, 0);
	artifact_free(a);
}

static void test_from_fd_reads_a_pipe(void **state)
{
	struct err err = ERR_INIT;
	struct artifact *a = NULL;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "hello\n", 6), 6);
	close(fds[1]);
	assert_int_equal(artifact_from_fd(fds[0], "pipe", ARTIFACT_TEXT, &a, &err), RC_OK);
	close(fds[0]);
	assert_true(span_eq_str(a->text, "hello\n"));
	assert_string_equal(a->name, "pipe");
	artifact_free(a);
}

static void test_findings_sort_and_paths(void **state)
{
	struct findings f;
	struct finding one = { .off = 7, .len = 2 };
	uint32_t p;

	(void)state;
	findings_init(&f, NULL, 0);
	assert_int_equal(findings_path(&f, SPAN_LIT("")), 0);
	p = findings_path(&f, SPAN_LIT("vmu.password"));
	assert_int_not_equal(p, 0);
	assert_int_equal(findings_path(&f, SPAN_LIT("vmu.password")), p);
	assert_int_not_equal(findings_path(&f, SPAN_LIT("password")), p);
	assert_string_equal(f.paths.p + p, "vmu.password");
	findings_add(&f, &one);
	one.len = 5;
	findings_add(&f, &one);
	one.off = 1;
	findings_add(&f, &one);
	findings_sort(&f);
	assert_int_equal(f.v[0].off, 1);
	assert_int_equal(f.v[1].len, 5);
	assert_int_equal(f.v[2].len, 2);
	findings_done(&f);
}

static void test_seal_takes_the_text(void **state)
{
	struct buf b = BUF_INIT;
	struct scrubbed *s;

	(void)state;
	buf_add_str(&b, "clean");
	s = scrubbed_seal("name", &b);
	assert_null(b.p);
	assert_string_equal(scrubbed_name(s), "name");
	assert_true(span_eq_str(scrubbed_text(s), "clean"));
	scrubbed_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_buf_takes_the_bytes),
		cmocka_unit_test(test_from_fd_reads_a_pipe),
		cmocka_unit_test(test_findings_sort_and_paths),
		cmocka_unit_test(test_seal_takes_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
