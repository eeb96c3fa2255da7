/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/cli/dropin.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The search for cores, and what ast_coredumper's options mean. */

struct elsewhere {
	char folder[32];
	int back;
};

static void touch(const char *path)
{
	close(open(path, O_WRONLY | O_CREAT, 0600));
}

static int set_up(void **state)
{
	static const char *const names[] = { "core", "core.txt", "core.1", "core.22", "core-asterisk", ".core",
					     "a(b", "x/core.3", "y/core.4", "core*" };
	struct elsewhere *e = calloc(1, sizeof(*e));

	strcpy(e->folder, "/tmp/test_dropin_XXXXXX");
	e->back = open(".", O_RDONLY | O_DIRECTORY);
	if (!mkdtemp(e->folder) || chdir(e->folder) < 0 || mkdir("x", 0700) < 0 || mkdir("y", 0700) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		touch(names[i]);
	*state = e;
	return 0;
}

static int tear_down(void **state)
{
	struct elsewhere *e = *state;
	AUTO_FREE char *command = xasprintf("rm -rf %s", e->folder);
	int rc = fchdir(e->back) < 0 || system(command) != 0;

	close(e->back);
	free(e);
	return rc;
}

static void expect(const char *pattern, const char *wanted)
{
	struct strings found = { 0 };
	struct err err = ERR_INIT;
	AUTO_BUF all = BUF_INIT;

	buf_add_str(&all, "");
	assert_int_equal(search_glob(pattern, &found, &err), RC_OK);
	for (size_t i = 0; i < found.n; i++)
		buf_addf(&all, "%s%s", i ? " " : "", found.v[i]);
	assert_string_equal(all.p, wanted);
	strings_done(&found);
}

/* As a shell with extglob expands them. */
static void test_patterns(void **state)
{
	struct elsewhere *e = *state;
	AUTO_FREE char *absolute = xasprintf("%s/core.[0-9]", e->folder);
	AUTO_FREE char *wanted = xasprintf("%s/core.1", e->folder);

	expect("core!(*.txt)", "core core* core-asterisk core.1 core.22");
	expect("core", "core");
	expect("core.?", "core.1");
	expect("core.+([0-9])", "core.1 core.22");
	expect("core?(.1)", "core core.1");
	expect("core@(.1|.22|-no)", "core.1 core.22");
	expect("core*(.|2)", "core core.22");
	expect("?/core.*", "x/core.3 y/core.4");
	expect("./x/../@(x|z)/core.*", "./x/../x/core.3");
	expect("*ore", "core");		/* a first dot must be typed */
	expect("!(x)ore", "core");
	expect(".c*", ".core");
	expect("core\\*", "core*");
	expect("a\\(b", "a(b");
	expect("nothing*", "");
	expect("no/where/*", "");
	expect(absolute, wanted);
}

static void expect_core_pattern(const char *text, const char *wanted)
{
	struct strings found = { 0 };

	search_core_pattern(text, "asterisk", "/var/run", &found);
	assert_int_equal(found.n, *wanted ? 1 : 0);
	if (found.n)
		assert_string_equal(found.v[0], wanted);
	strings_done(&found);
}

static void test_core_pattern(void **state)
{
	(void)state;
	expect_core_pattern("core\n", "/var/run/core?(.+([0-9]))");
	expect_core_pattern("/tmp/core-%e-%t.%p\n", "/tmp/core-asterisk*-*.*?(.+([0-9]))");
	expect_core_pattern("/cores/100%%/%E\n", "/cores/100%/*asterisk?(.+([0-9]))");
	expect_core_pattern("|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h\n",
			    "/var/lib/systemd/coredump/core.asterisk*.*");
	expect_core_pattern("|/usr/share/apport/apport -p%p\n", "/var/lib/apport/coredump/core.*asterisk.*");
	expect_core_pattern("|/usr/bin/false\n", "");
}

static void expect_date(const char *options, const char *wanted)
{
	struct timespec when = { .tv_sec = 1497628613, .tv_nsec = 12345678 };
	AUTO_FREE char *date = NULL;
	struct err err = ERR_INIT;
	int rc = dropin_date(options, when, &date, &err);

	if (!wanted) {
		assert_int_equal(rc, RC_USAGE);
		return;
	}
	assert_int_equal(rc, RC_OK);
	assert_string_equal(date, wanted);
}

static void test_dates(void **state)
{
	(void)state;
	setenv("TZ", "MST7MDT", 1);
	tzset();
	expect_date("-u +%FT%H-%M-%SZ", "2017-06-16T15-56-53Z");
	expect_date("date +%FT%H-%M-%S%z", "2017-06-16T09-56-53-0600");
	expect_date("date -u +%FT%H:%M:%S%z", "2017-06-16T15-56-53+0000");
	expect_date("gdate +%s.%N", "1497628613.012345678");
	expect_date("+%s.%3N", "1497628613.012");
	expect_date("+%F %T/x", "2017-06-16-09-56-53-x");
	expect_date("-d yesterday +%F", NULL);
	expect_date("-r /etc/passwd +%F", NULL);
	expect_date("", NULL);
	expect_date("+", NULL);
}

static void test_switches(void **state)
{
	enum dropin_said said[DROPIN_SWITCHES] = { 0 };
	struct strings argv = { 0 }, rest = { 0 };
	static const char *const words[] = { "ast_coredumper", "--RUNNING", "--running",
					     "--no-rename", "--OUTPUTDIR=/Tmp",
					     "--tarball-results=false", "--TARBALL_CONFIG",
					     "--tarball-results=x", "--", "--latest" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		strings_add(&argv, xstrdup(words[i]));
	dropin_args((int)argv.n, argv.v, said, &rest);
	assert_int_equal(said[DROPIN_RUNNING], DROPIN_ON);
	assert_int_equal(said[DROPIN_RENAME], DROPIN_OFF);
	assert_int_equal(said[DROPIN_TARBALL_RESULTS], DROPIN_OFF);
	assert_int_equal(said[DROPIN_TARBALL_CONFIG], DROPIN_ON);
	assert_int_equal(said[DROPIN_LATEST], DROPIN_UNSAID);	/* an operand */
	assert_int_equal(rest.n, 6);
	assert_string_equal(rest.v[1], "--RUNNING");
	assert_string_equal(rest.v[2], "--outputdir=/Tmp");
	assert_string_equal(rest.v[5], "--latest");
	strings_done(&argv);
	strings_done(&rest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_patterns, set_up, tear_down),
		cmocka_unit_test(test_core_pattern),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_switches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
