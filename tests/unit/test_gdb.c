/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/gdb/gdb_internal.h"
#include "gdb_fixture.h"
#include <signal.h>

static const char full[] = "\n"
			   "Thread 2 (Thread 0x7f00 (LWP 12)):\n"
			   "#0  f (s=0x0) at a.c:1\n"
			   "        s = \"        x\\nNo locals.\\nThread 1 (\"\n"
			   "        t = 1\n"
			   "#1  g () at a.c:2\n"
			   "No locals.\n"
			   "#2  0x0000000000001000 in ?? ()\n"
			   "No symbol table info available.\n"
			   "Backtrace stopped: previous frame inner to this frame (corrupt stack?)\n"
			   "\n"
			   "Thread 1 (Thread 0x7e00 (LWP 11)):\n"
			   "#0  h () at a.c:3\n"
			   "        v = {1, 2}\n";

static void test_brief(void **state)
{
	AUTO_BUF b = BUF_INIT;

	(void)state;
	gdb_text_brief(SPAN_LIT(full), &b);
	assert_string_equal(b.p, "\n"
				 "Thread 2 (Thread 0x7f00 (LWP 12)):\n"
				 "#0  f (s=0x0) at a.c:1\n"
				 "#1  g () at a.c:2\n"
				 "#2  0x0000000000001000 in ?? ()\n"
				 "Backtrace stopped: previous frame inner to this frame (corrupt "
				 "stack?)\n"
				 "\n"
				 "Thread 1 (Thread 0x7e00 (LWP 11)):\n"
				 "#0  h () at a.c:3\n");
}

static void test_thread1(void **state)
{
	(void)state;
	assert_true(span_eq_str(gdb_text_thread1(SPAN_LIT(full)),
				"\nThread 1 (Thread 0x7e00 (LWP 11)):\n#0  h () at a.c:3\n"
				"        v = {1, 2}\n"));
	assert_int_equal(gdb_text_thread1(SPAN_LIT("nothing\n")).len, 0);
	assert_int_equal(gdb_text_thread1(SPAN_LIT("")).len, 0);
	assert_true(span_eq_str(gdb_text_thread1(SPAN_LIT("Thread 1 (LWP 1):\n#0 ")),
				"Thread 1 (LWP 1):\n#0 "));
}

static void test_pieces(void **state)
{
	struct span out = SPAN_LIT("start\n\nM\none\n\nM\n\nM\nM in a line\n\nMore\n\nM\n");
	struct span s = { 0 };

	(void)state;
	assert_true(gdb_text_piece(out, "M", 0, &s));
	assert_true(span_eq_str(s, "start\n"));
	assert_true(gdb_text_piece(out, "M", 1, &s));
	assert_true(span_eq_str(s, "one\n"));
	assert_true(gdb_text_piece(out, "M", 2, &s));
	assert_true(span_eq_str(s, ""));
	assert_true(gdb_text_piece(out, "M", 3, &s));
	assert_true(span_eq_str(s, "M in a line\n\nMore\n"));
	assert_false(gdb_text_piece(out, "M", 4, &s));
}

static void test_signal(void **state)
{
	struct span table = SPAN_LIT("Signal        Stop\tPrint\n\nSIGBUS        Yes\tBus error\n"
				     "SIGEMT        Yes\tEmulation trap\nSIG34         Yes\tx\n\n"
				     "Use the \"handle\" command\n");
	AUTO_BUF b = BUF_INIT;

	(void)state;
	gdb_text_signal(table, SIGBUS, &b);
	assert_string_equal(b.p, "Signal        Stop\tPrint\nSIGBUS        Yes\tBus error\n");
	buf_reset(&b);
	gdb_text_signal(table, 34, &b);
	assert_string_equal(b.p, "Signal        Stop\tPrint\nSIG34         Yes\tx\n");
	buf_reset(&b);
	gdb_text_signal(table, 900, &b);
	assert_int_equal(b.len, 0);
	assert_int_equal(gdb_text_signo(SPAN_LIT("$1 = {si_signo = 7, si_errno = 0")), 7);
	assert_int_equal(gdb_text_signo(SPAN_LIT("$1 = {si_signo = ")), 0);
	assert_int_equal(gdb_text_signo(SPAN_LIT("")), 0);
}

/* What a gdb that is not confined prints for one command, after its start-up lines. */
static void plain_gdb(const char *exe, const char *core, const char *command, struct buf *ret)
{
	const char *const argv[] = { "gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off",
				     "-iex", "set width 0", "-ex", "echo =====\\n", "-ex", command,
				     exe, core, NULL };
	const char *const env[] = { "LC_ALL=C.UTF-8", "HOME=/nonexistent", NULL };
	AUTO(process) p = NULL;
	AUTO(mapping) m = NULL;
	AUTO_CLOSE int out = -1;
	struct span text;
	int status = -1;
	ssize_t at;

	assert_int_equal(file_unnamed(true, &out, NULL), RC_OK);
	assert_int_equal(process_start(&(struct process_spec){ .argv = argv, .env = env, .in = -1,
							       .out = out, .err = -1 },
				       &p, NULL),
			 RC_OK);
	assert_int_equal(process_wait(p, 60000, &status, NULL), RC_OK);
	assert_int_equal(mapping_open(out, "plain gdb", &m, NULL), RC_OK);
	text = mapping_span(m);
	at = span_find(text, SPAN_LIT("=====\n"), 0);
	assert_true(at >= 0);
	buf_add_span(ret, span_sub(text, (size_t)at + 6, text.len));
}

static void assert_same(const struct artifact *a, const char *exe, const char *core,
			const char *command)
{
	AUTO_BUF b = BUF_INIT;

	plain_gdb(exe, core, command, &b);
	assert_true(b.len > 0);
	if (!span_eq(a->text, buf_span(&b)))
		fail_msg("%s is not what gdb prints for `%s`", a->name, command);
}

/* All texts, byte for byte, for a signal whose number gdb counts otherwise than Linux. */
static void test_texts_are_gdbs_own(void **state)
{
	AUTO_CLOSE int core = fixture_crash("crash_threads", "bus", "3");
	AUTO_FREE char *exe = fixture_path("crash_threads");
	AUTO_FREE char *path = fixture_path("core-crash_threads");
	struct gdb_job job = fixture_job(core, exe);
	AUTO(gdb_result) r = NULL;
	struct err err = ERR_INIT;

	(void)state;
	job.n_threads = 4;
	if (gdb_run(&job, &r, &err) != RC_OK)
		fail_msg("%s", err.msg);
	assert_same(r->full, exe, path, "thread apply all bt full");
	assert_same(r->brief, exe, path, "thread apply all bt");
	assert_same(r->thread1, exe, path, "thread apply 1 bt full");
	assert_same(r->sharedlibs, exe, path, "info sharedlibrary");
	assert_true(span_starts(r->head->text, SPAN_LIT("$1 = {si_signo = 7, ")));
	assert_true(span_find(r->head->text, SPAN_LIT("\nSIGBUS  "), 0) > 0);
	assert_true(span_find(r->full->text, SPAN_LIT("198.51.100.7"), 0) > 0);
	assert_true(span_find(r->messages->text, SPAN_LIT("SIGBUS, Bus error"), 0) > 0);
	assert_int_equal(strncmp(r->version, "GNU gdb", 7), 0);
	if (geteuid() == 0)
		assert_int_equal(r->missing, SANDBOX_ALL & ~sandbox_probe());
}

/* Two gdbs with a half each print what one prints, also if the number of threads was wrong. */
static void test_shares(void **state)
{
	static const struct { size_t n_threads; unsigned jobs; } cases[] = {
		{ 41, 2 }, { 41, 1 }, { 41, 7 }, { 35, 2 }, { 60, 3 },
	};
	AUTO_CLOSE int core = fixture_crash("crash_threads", "abort", "40");
	AUTO_FREE char *exe = fixture_path("crash_threads");
	AUTO_FREE char *path = fixture_path("core-crash_threads");
	AUTO_BUF plain = BUF_INIT;

	(void)state;
	plain_gdb(exe, path, "thread apply all bt full", &plain);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gdb_job job = fixture_job(core, exe);
		AUTO(gdb_result) r = NULL;
		struct err err = ERR_INIT;

		job.n_threads = cases[i].n_threads;
		job.jobs = cases[i].jobs;
		if (gdb_run(&job, &r, &err) != RC_OK)
			fail_msg("%s", err.msg);
		if (!span_eq(r->full->text, buf_span(&plain)))
			fail_msg("case %zu differs", i);
		assert_true(span_find(r->head->text, SPAN_LIT("\nSIGABRT "), 0) > 0);
	}
}

/* A core that was spooled: an unnamed file, and a memfd. */
static void test_unnamed_core(void **state)
{
	AUTO_CLOSE int core = fixture_crash("crash_threads", "segv", "1");
	AUTO_FREE char *exe = fixture_path("crash_threads");

	(void)state;
	for (int memory = 0; memory < 2; memory++) {
		AUTO_CLOSE int spooled = -1;
		AUTO(mapping) m = NULL;
		AUTO(gdb_result) r = NULL;
		struct err err = ERR_INIT;
		struct gdb_job job;

		assert_int_equal(mapping_open(core, "the core", &m, &err), RC_OK);
		assert_int_equal(file_unnamed(memory, &spooled, &err), RC_OK);
		assert_int_equal(file_write_all(spooled, mapping_span(m), "core", &err), RC_OK);
		job = fixture_job(spooled, exe);
		if (geteuid() == 0) {
			/* gdb runs as somebody who may open nothing of ours by itself */
			job.uid = job.gid = 65534;
			assert_int_equal(chmod(fixture_dir, 0711), 0);
		}
		if (gdb_run(&job, &r, &err) != RC_OK)
			fail_msg("%s", err.msg);
		assert_true(span_find(r->thread1->text, SPAN_LIT(" in main ("), 0) > 0);
		assert_true(span_find(r->head->text, SPAN_LIT("\nSIGSEGV "), 0) > 0);
	}
}

static int run_script(const struct gdb_job *job, const char *script, struct err *err)
{
	struct artifact *a = NULL;
	int rc = gdb_run_script(job, span_str(script), &a, err);

	artifact_free(a);
	return rc;
}

/* "../../tmp/…": up to the root, and down again. */
static char *path_from(const char *cwd, const char *path)
{
	AUTO_BUF b = BUF_INIT;

	for (const char *p = cwd; *p; p++)
		if (*p == '/' && p[1])
			buf_add_str(&b, "../");
	buf_add_str(&b, path + 1);
	return buf_steal(&b);
}

static void test_script(void **state)
{
	AUTO_CLOSE int core = fixture_crash("crash_threads", "segv", "1");
	AUTO_FREE char *exe = fixture_path("crash_threads");
	AUTO_FREE char *cwd = getcwd(NULL, 0);
	AUTO_FREE char *relative = path_from(cwd, exe);
	struct gdb_job job = fixture_job(core, exe);
	AUTO(artifact) out = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(gdb_run_script(&job,
					SPAN_LIT("p mode\npython\nfor i in range(3):\n"
						 "    print(i)\nend\necho end\\n\n"),
					&out, &err),
			 RC_OK);
	assert_true(span_ends(out->text, SPAN_LIT(" \"segv\"\n0\n1\n2\nend\n")));
	/* a program named from where we stand */
	artifact_free(STEAL(out));
	job.exe = relative;
	assert_int_equal(gdb_run_script(&job, SPAN_LIT("p mode\n"), &out, &err), RC_OK);
	assert_true(span_ends(out->text, SPAN_LIT(" \"segv\"\n")));
}

static void test_failures(void **state)
{
	static const char endless_print[] = "python\nwhile True:\n    print('x' * 1000000)\nend\n";
	static const char crash[] = "python\nimport ctypes\nctypes.string_at(8)\nend\n";
	static const char hang[] = "python\nwhile True:\n    pass\nend\n";
	AUTO_CLOSE int core = fixture_crash("crash_threads", "segv", "1");
	AUTO_CLOSE int no_core = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	AUTO_FREE char *exe = fixture_path("crash_threads");
	struct gdb_job job = fixture_job(core, exe);
	struct gdb_result *r = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(run_script(&job, endless_print, &err), RC_TOOBIG);
	assert_int_equal(run_script(&job, crash, &err), RC_CHILD);
	assert_non_null(strstr(err.msg, "SEGV"));
	assert_int_equal(run_script(&job, "quit\n", &err), RC_CHILD);
	job.timeout_s = 1;
	assert_int_equal(run_script(&job, hang, &err), RC_TIMEOUT);
	job.timeout_s = 60;
	job.exe = "/tmp/a\nshell b";
	assert_int_equal(gdb_run(&job, &r, &err), RC_REFUSED);
	job = fixture_job(no_core, NULL);
	assert_int_equal(gdb_run(&job, &r, &err), RC_FORMAT);
	job.gdb = "/nonexistent/gdb";
	assert_int_equal(gdb_run(&job, &r, &err), RC_NOTFOUND);
	assert_null(r);
}

/* As the program itself runs: no dumps, not dumpable, which also closes much of /proc to it. */
static void test_hardened(void **state)
{
	AUTO_CLOSE int core = fixture_crash("crash_threads", "segv", "1");
	AUTO_FREE char *exe = fixture_path("crash_threads");
	AUTO_FREE char *target = fixture_path("report");
	struct gdb_job job = fixture_job(core, exe);
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct gdb_result *r = NULL;
		struct outdir *d = NULL;
		int fd;

		process_harden_self();
		if (gdb_run(&job, &r, NULL) < 0)
			_exit(1);
		if (outdir_open(target, &d, NULL) < 0 ||
		    outdir_add(d, "full.txt", 0644, &fd, NULL) < 0 ||
		    file_write_all(fd, r->full->text, "full.txt", NULL) < 0 ||
		    outdir_commit(d, NULL) < 0)
			_exit(2);
		_exit(span_find(r->full->text, SPAN_LIT(" in main ("), 0) > 0 ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_brief),
		cmocka_unit_test(test_thread1),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_texts_are_gdbs_own),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_unnamed_core),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_hardened),
	};

	return cmocka_run_group_tests_name("gdb", tests, fixture_setup, fixture_teardown);
}
