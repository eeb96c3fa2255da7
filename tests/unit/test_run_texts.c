/* SPDX-License-Identifier: Apache-2.0 */
#include "work_fixture.h"

#include "../../src/run/run_texts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* info.txt and locks.txt of cores crashed at test time. Run from the top of the tree. */

static char work[] = "/tmp/test_run_texts.XXXXXX";

/* Its core, gdb's text and output under a name of their own. */
static int crash_mixed(const char *option, const char *name)
{
	return run("tests/fixtures/crash.sh %s mixed_cycle %s", option, work) ||
	       run("cd %s && mv core-mixed_cycle core-mixed-%s && mv mixed_cycle.out mixed_cycle.out-%s && "
		   "gdb -nx -batch -iex 'set debuginfod enabled off' -ex 'thread apply all bt' mixed_cycle "
		   "core-mixed-%s >brief-%s 2>/dev/null",
		   work, name, name, name, name);
}

static int setup(void **state)
{
	(void)state;
	return !mkdtemp(work) || run("tests/fixtures/crash.sh waits %s", work) ||
	       run("tests/fixtures/crash.sh --strip nullptr %s", work) ||
	       run("cd %s && gdb -nx -batch -iex 'set debuginfod enabled off' -ex 'thread apply "
		   "all bt' "
		   "waits core-waits >brief 2>/dev/null",
		   work) || crash_mixed("", "named") || crash_mixed("--strip", "bare");
}

static int teardown(void **state)
{
	(void)state;
	return run("rm -rf %s", work);
}

static struct elfcore *core_open(const char *name)
{
	return open_core_in(work, name);
}

static bool has(const struct buf *b, const char *text)
{
	return b->p && strstr(b->p, text);
}

static int count(const struct buf *b, const char *text)
{
	int n = 0;

	for (const char *p = b->p; (p = strstr(p, text)); p++)
		n++;
	return n;
}

/* What a fixture printed of a role. */
static int fixture_lwp(const char *out, const char *role)
{
	char path[128], line[256], name[32];
	int lwp, found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", work, out);
	f = fopen(path, "r");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%31s %d", name, &lwp) == 2 && strcmp(name, role) == 0)
			found = lwp;
	fclose(f);
	return found;
}

static int role_lwp(const char *role)
{
	return fixture_lwp("waits.out", role);
}

static void expect_cycle(const struct buf *locks)
{
	static const char *const ring[] = { "ring0", "ring1", "ring2", "ring0" };
	const char *head = "Deadlock: 3 threads wait for each other in a circle.\n";

	assert_int_equal(count(locks, "Deadlock:"), 1);
	assert_memory_equal(locks->p, head, strlen(head));
	for (int i = 0; i < 3; i++) {
		char waiter[32], holder[32];
		const char *line;

		snprintf(waiter, sizeof(waiter), "LWP %d", role_lwp(ring[i]));
		snprintf(holder, sizeof(holder), "LWP %d", role_lwp(ring[i + 1]));
		line = strstr(locks->p, waiter);
		/* the waiter's own line, not the one that names it as a holder */
		while (line && strstr(line, " waits for the mutex at 0x") > strchr(line, '\n'))
			line = strstr(line + 1, waiter);
		assert_non_null(line);
		assert_true(strstr(line, holder) < strchr(line, '\n'));
	}
}

static void test_locks(void **state)
{
	AUTO(elfcore) c = core_open("core-waits");
	AUTO_BUF brief = BUF_INIT, locks = BUF_INIT;
	struct err err = ERR_INIT;
	char path[128], held[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/brief", work);
	assert_int_equal(file_read(path, MIB(1), &brief, &err), RC_OK);
	run_locks_text(c, buf_span(&brief), &locks);
	expect_cycle(&locks);
	assert_true(has(&locks, " in ring_thread () at "));
	assert_true(has(&locks, "8 of 10 threads wait for a lock or a condition:\n"));
	assert_true(has(&locks, "\nsemaphore at 0x"));
	assert_true(has(&locks, "\nthread exit at 0x"));
	snprintf(held, sizeof(held), "(LWP %d) in keeper_thread () at ", role_lwp("keeper"));
	assert_int_equal(count(&locks, held), 3);	/* rwlock, stream, and its end */
	assert_true(has(&locks, ", held by thread "));
}

/* Without gdb's text: the same facts by LWP. */
static void test_locks_bare(void **state)
{
	AUTO(elfcore) c = core_open("core-waits");
	AUTO_BUF locks = BUF_INIT;

	(void)state;
	run_locks_text(c, SPAN_LIT(""), &locks);
	expect_cycle(&locks);
	assert_false(has(&locks, "thread 1"));
	assert_true(has(&locks, ", held by LWP "));
}

static int mixed_lwp(const char *role)
{
	return fixture_lwp("mixed_cycle.out", role);
}

/* The circle's line of a role: it waits for `what`, which `holder` holds. */
static bool mixed_link(const struct buf *locks, const char *role, const char *place, const char *what,
		       const char *holder)
{
	AUTO_FREE char *head = xasprintf("LWP %d", mixed_lwp(role));
	AUTO_FREE char *tail = xasprintf("LWP %d", mixed_lwp(holder));

	for (const char *p = strstr(locks->p, head); p; p = strstr(p + 1, head)) {
		const char *end = strchr(p, '\n');
		AUTO_FREE char *line = xstrndup(p, (size_t)(end - p));
		const char *waits = strstr(line, what);

		if (waits && strstr(waits, tail) && strstr(line, place))
			return true;
	}
	return false;
}

/* Two mutexes and a rwlock in one circle, with functions and lines, and of a stripped program
   without. */
static void test_mixed_cycle(void **state)
{
	static const char *const programs[] = { "named", "bare" };
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		AUTO_FREE char *core = xasprintf("core-mixed-%s", programs[i]);
		AUTO_FREE char *brief_path = xasprintf("%s/brief-%s", work, programs[i]);
		AUTO(elfcore) c = NULL;
		AUTO_BUF brief = BUF_INIT, locks = BUF_INIT;

		assert_int_equal(run("cd %s && mv mixed_cycle.out-%s mixed_cycle.out", work, programs[i]),
				 0);
		c = core_open(core);
		assert_int_equal(file_read(brief_path, MIB(1), &brief, &err), RC_OK);
		run_locks_text(c, buf_span(&brief), &locks);
		assert_int_equal(count(&locks, "Deadlock: 3 threads wait for each other"), 1);
		assert_true(mixed_link(&locks, "calls", i ? "" : " in hold_calls () at ",
				       "waits for the mutex at 0x", "peers"));
		assert_true(mixed_link(&locks, "peers", i ? "" : " in hold_peers () at ",
				       "waits for the rwlock at 0x", "table"));
		assert_true(mixed_link(&locks, "table", i ? "" : " in hold_table () at ",
				       "waits for the mutex at 0x", "calls"));
		assert_int_equal(count(&locks, "mixed_cycle.c:") > 0, i == 0);
	}
}

static void test_no_locks(void **state)
{
	AUTO(elfcore) c = core_open("core-nullptr");
	AUTO_BUF locks = BUF_INIT;

	(void)state;
	run_locks_text(c, SPAN_LIT(""), &locks);
	assert_string_equal(locks.p, "None of 1 threads waits for a lock.\n");
}

static void test_info(void **state)
{
	AUTO(elfcore) c = core_open("core-nullptr");
	AUTO_BUF info = BUF_INIT;
	size_t n;
	const struct elfcore_file *f = elfcore_files(c, &n);
	AUTO_FREE struct run_module *modules = xcalloc(n, sizeof(*modules));
	AUTO_BUF table = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		modules[i].vouched = f[i].build_id_len > 0;
		if (strstr(f[i].path, "/libc.so"))
			buf_addf(&table, "0x%016llx  0x%016llx  Yes         /lib/libc.so.6\n",
				 (unsigned long long)f[i].start + 4096,
				 (unsigned long long)f[i].end);
	}
	run_info_text(c, modules, buf_span(&table), "GNU gdb 13.1", &info);
	assert_true(has(&info, "Signal:         SIGSEGV (11), Segmentation fault\n"));
	assert_true(has(&info, "Signal code:    1, SEGV_MAPERR"));
	assert_true(has(&info, "Fault address:  0x20\n"));
	assert_true(has(&info, "Threads:        1\n"));
	assert_true(has(&info, "Debugger:       GNU gdb 13.1\n"));
	assert_true(has(&info, "/nullptr\n"));
	assert_true(has(&info, "  yes      yes      /"));	/* libc, by gdb's word */
	assert_true(has(&info, "  yes      missing  /"));	/* the stripped program */
	assert_true(has(&info, "/usr/lib/debug/.build-id/"));
	assert_true(has(&info, ".debug  for /"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locks),
		cmocka_unit_test(test_locks_bare),
		cmocka_unit_test(test_mixed_cycle),
		cmocka_unit_test(test_no_locks),
		cmocka_unit_test(test_info),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
