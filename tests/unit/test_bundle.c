/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <corescrub/artifact_seal.h>
#include <corescrub/bundle.h>

static struct scrubbed *text(const char *name, const char *content)
{
	struct buf b = BUF_INIT;

	buf_add_str(&b, content);
	return scrubbed_seal(name, &b);
}

static int pack(struct scrubbed *const *v, size_t n, const char *root, struct buf *ret)
{
	AUTO(bundle) b = bundle_new(root, 1700000000);
	struct err err = ERR_INIT;
	struct sink_buf out;
	int rc;

	for (size_t i = 0; i < n; i++)
		bundle_add(b, v[i]);
	sink_buf_init(&out);
	rc = bundle_write(b, &out.sink, &err);
	buf_add_span(ret, buf_span(&out.buf));
	buf_done(&out.buf);
	return rc;
}

static void test_same_bytes_and_readable(void **state)
{
	char path[] = "/tmp/test_bundle.XXXXXX", shown[2048];
	struct scrubbed *a = text("README.txt", "how to\n"), *b = text("attachments/\xc3\xa4.log", "x\n"),
			*c = text("core-full.txt", "");
	struct scrubbed *one[] = { a, b, c }, *two[] = { c, a, b };
	AUTO_BUF first = BUF_INIT, second = BUF_INIT;
	AUTO_FREE char *command = NULL;
	AUTO_CLOSE int fd = mkstemp(path);
	size_t n;
	FILE *f;

	(void)state;
	assert_int_equal(pack(one, 3, "core-report", &first), RC_OK);
	setlocale(LC_ALL, "C.UTF-8");
	setenv("TZ", "Pacific/Auckland", 1);
	assert_int_equal(pack(two, 3, "core-report", &second), RC_OK);
	setlocale(LC_ALL, "C");
	assert_true(span_eq(buf_span(&first), buf_span(&second)));
	/* RFC 1952: no flags, no time */
	assert_memory_equal(first.p, "\x1f\x8b\x08\0\0\0\0\0", 8);
	assert_int_equal(file_write_all(fd, buf_span(&first), path, NULL), RC_OK);
	command = xasprintf("TZ=UTC tar --full-time --quoting-style=literal -tvzf %s;"
			    " tar -xzOf %s core-report/README.txt", path, path);
	f = popen(command, "r");
	n = fread(shown, 1, sizeof(shown) - 1, f);
	shown[n] = '\0';
	assert_int_equal(pclose(f), 0);
	unlink(path);
	assert_string_equal(shown,
		"-rw-r--r-- root/root         7 2023-11-14 22:13:20 core-report/README.txt\n"
		"-rw-r--r-- root/root         2 2023-11-14 22:13:20 core-report/attachments/\xc3\xa4.log\n"
		"-rw-r--r-- root/root         0 2023-11-14 22:13:20 core-report/core-full.txt\n"
		"how to\n");
	scrubbed_free(a);
	scrubbed_free(b);
	scrubbed_free(c);
}

static void test_names_that_lead_out(void **state)
{
	static const char *const bad[] = { "/etc/passwd", "../x", "a/../../x", "a//b", "", "a/", "." };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct scrubbed *s = text(bad[i], "x");
		AUTO_BUF out = BUF_INIT;

		assert_int_equal(pack(&s, 1, "root", &out), RC_REFUSED);
		assert_int_equal(out.len, 0);
		scrubbed_free(s);
	}
}

static void test_one_name_twice(void **state)
{
	struct scrubbed *v[] = { text("a", "1"), text("b", "2"), text("a", "3") };
	AUTO_BUF out = BUF_INIT;

	(void)state;
	assert_int_equal(pack(v, 3, "root", &out), RC_REFUSED);
	for (size_t i = 0; i < 3; i++)
		scrubbed_free(v[i]);
}

static int failing_write(struct sink *sink, struct span bytes, struct err *err)
{
	(void)sink;
	(void)bytes;
	return err_set(err, RC_IO, "as told");
}

static void test_a_failing_sink(void **state)
{
	struct sink broken = { .write = failing_write };
	struct scrubbed *s = text("a", "1");
	AUTO(bundle) b = bundle_new("root", 0);
	struct err err = ERR_INIT;

	(void)state;
	bundle_add(b, s);
	assert_int_equal(bundle_write(b, &broken, &err), RC_IO);
	assert_string_equal(err.msg, "as told");
	scrubbed_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bytes_and_readable),
		cmocka_unit_test(test_names_that_lead_out),
		cmocka_unit_test(test_one_name_twice),
		cmocka_unit_test(test_a_failing_sink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
