/* SPDX-License-Identifier: Apache-2.0 */
#include "work_fixture.h"

#include "../../src/run/doctor_internal.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What doctor says of the kernel's settings, which stand in a folder of the test's own; processes
   and file systems are real. tests/cli/doctor.sh has the rest. */

static char work[] = "/tmp/test_doctor.XXXXXX";

static int setup(void **state)
{
	(void)state;
	return !mkdtemp(work) || run("mkdir -p %s/proc/sys/kernel %s/proc/sys/fs", work, work);
}

static int teardown(void **state)
{
	(void)state;
	return run("rm -rf %s", work);
}

static void seed(const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", work, path);
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* What doctor_machine says of this machine, or of a process. */
static void examine(pid_t pid, struct doctor *ret, struct run_doctor_job *job)
{
	*job = (struct run_doctor_job){ .root = work };
	*ret = (struct doctor){ .job = job, .arena = arena_new(), .pid = pid,
				.subject = pid ? SUBJECT_PID : SUBJECT_MACHINE };
	doctor_machine(ret);
}

static void done(struct doctor *d)
{
	arena_free(d->arena);
	free(d->rows);
}

static bool says(const struct doctor *d, const char *id, enum report_grade verdict, const char *words)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->rows[i].id, id) == 0 && d->rows[i].verdict == verdict &&
		    strstr(d->rows[i].found, words))
			return verdict == REPORT_GOOD || d->rows[i].todo;
	for (size_t i = 0; i < d->n; i++)
		print_message("%s %d %s\n", d->rows[i].id, (int)d->rows[i].verdict, d->rows[i].found);
	return false;
}

static void expect_pattern(const char *pattern, const char *id, enum report_grade verdict,
			   const char *words)
{
	struct run_doctor_job job;
	struct doctor d;

	seed("/proc/sys/kernel/core_pattern", pattern);
	examine(0, &d, &job);
	assert_true(says(&d, id, verdict, words));
	done(&d);
}

static void test_patterns(void **state)
{
	(void)state;
	seed("/proc/sys/fs/suid_dumpable", "2\n");
	expect_pattern("\n", "core-pattern", REPORT_USELESS, "is empty");
	expect_pattern("core\n", "core-pattern", REPORT_NOTE, "is relative");
	expect_pattern("core\n", "suid-dumpable", REPORT_NOTE, "core_pattern is relative");
	expect_pattern("/tmp/core-%e\n", "core-pattern", REPORT_GOOD, "/tmp/core-%e");
	expect_pattern("/tmp/core-%e\n", "core-place", REPORT_GOOD, "cores land in /tmp");
	expect_pattern("/core\n", "core-place", REPORT_GOOD, "cores land in /");
	expect_pattern("/nowhere/at/all/%e/core\n", "core-place", REPORT_USELESS, "is not there");
	expect_pattern("|/usr/lib/systemd/systemd-coredump %P %u\n", "core-pattern", REPORT_NOTE,
		       "go to a pipe: systemd-coredump");
	expect_pattern("|/usr/share/apport/apport -p%p\n", "core-pattern", REPORT_POOR,
		       "go to a pipe: apport");
	expect_pattern("|/opt/handler\n", "core-pattern", REPORT_NOTE, "go to a pipe, to a program");
	seed("/proc/sys/fs/suid_dumpable", "0\n");
	expect_pattern("/tmp/core\n", "suid-dumpable", REPORT_NOTE, "suid_dumpable is 0");
	seed("/proc/sys/fs/suid_dumpable", "1\n");
	expect_pattern("/tmp/core\n", "suid-dumpable", REPORT_NOTE, "users can read");
	seed("/proc/sys/fs/suid_dumpable", "2\n");
	expect_pattern("/tmp/core\n", "suid-dumpable", REPORT_GOOD, "suid_dumpable is 2");
}

/* A process that waits, with a core limit of its own and, if asked, as one that changed its
   user. */
static pid_t start_process(rlim_t limit, bool changed)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct rlimit l = { limit, limit };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setrlimit(RLIMIT_CORE, &l) < 0 ||
		    (changed && (setgid(65534) < 0 || setuid(65534) < 0)))
			_exit(1);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_limits(void **state)
{
	struct run_doctor_job job;
	struct doctor d;
	pid_t none = start_process(0, false), one = start_process(1, false);

	(void)state;
	seed("/proc/sys/kernel/core_pattern", "/tmp/core\n");
	examine(none, &d, &job);
	assert_true(says(&d, "core-limit", REPORT_USELESS, "limit 0"));
	done(&d);
	/* a handler gets the core whatever the limit, unless that is 1 */
	seed("/proc/sys/kernel/core_pattern", "|/opt/handler\n");
	examine(none, &d, &job);
	assert_true(says(&d, "core-limit", REPORT_GOOD, "whatever it is"));
	done(&d);
	examine(one, &d, &job);
	assert_true(says(&d, "core-limit", REPORT_USELESS, "limit 1"));
	done(&d);
	stop(none);
	stop(one);
}

/* As root: a process that gave root up, in front of a folder that it can't write in. */
static void test_changed_user(void **state)
{
	struct run_doctor_job job;
	struct doctor d;
	char pattern[64];
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		return;		/* an ordinary user can't change to another */
	pid = start_process(0, true);
	snprintf(pattern, sizeof(pattern), "%s/core\n", work);
	seed("/proc/sys/kernel/core_pattern", pattern);
	seed("/proc/sys/fs/suid_dumpable", "0\n");
	examine(pid, &d, &job);
	assert_true(says(&d, "suid-dumpable", REPORT_USELESS, "the process changed its user"));
	assert_true(says(&d, "core-place", REPORT_USELESS, "user can't write in"));
	done(&d);
	stop(pid);
}

/* In namespaces of its own: a file system of 64 KiB where cores would land. */
static int full_disk(void)
{
	struct run_doctor_job job;
	char folder[64], pattern[80];
	struct doctor d;
	bool named;

	snprintf(folder, sizeof(folder), "%s/small", work);
	snprintf(pattern, sizeof(pattern), "%s/core-%%p\n", folder);
	if (mkdir(folder, 0755) < 0 ||
	    (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", folder, "tmpfs", 0, "size=64k") < 0)
		return 1;
	seed("/proc/sys/kernel/core_pattern", pattern);
	examine(0, &d, &job);
	named = says(&d, "disk", REPORT_USELESS, "small has 0 MiB free");
	done(&d);
	return named ? 0 : 2;
}

static void test_full_disk(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(full_disk());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_units(void **state)
{
	struct run_doctor_job job = { .root = work };
	struct doctor d = { .job = &job };
	char *limit;

	(void)state;
	assert_int_equal(run("mkdir -p %s/lib/systemd/system %s/etc/systemd/system/a.service.d", work,
			     work), 0);
	seed("/lib/systemd/system/a.service", "[Service]\nExecStart=/bin/a\nLimitCORE=0\n");
	limit = doctor_unit_limit(&d, "a.service");
	assert_string_equal(limit, "0");
	free(limit);
	seed("/etc/systemd/system/a.service.d/override.conf", "[Service]\nLimitCORE = 5\nLimitCORE=infinity");
	limit = doctor_unit_limit(&d, "a.service");
	assert_string_equal(limit, "infinity");
	free(limit);
	assert_null(doctor_unit_limit(&d, "b.service"));
}

static void test_debug_packages(void **state)
{
	static const struct { const char *package, *debug; } rows[] = {
		{ "libc6", "libc6-dbg" },
		{ "libssl3", "libssl3-dbgsym" },
		{ "asterisk-modules", "asterisk-modules-dbgsym" },
		{ "libc6-dbg", "libc6-dbg" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_FREE char *debug = doctor_debug_package(rows[i].package);

		assert_string_equal(debug, rows[i].debug);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),     cmocka_unit_test(test_limits),
		cmocka_unit_test(test_changed_user), cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_units),	     cmocka_unit_test(test_debug_packages),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
