/* SPDX-License-Identifier: Apache-2.0 */
#include "core_pattern.h"
#include <corescrub/base.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * This program is its own victim: run with a word it tries one thing and exits with VICTIM_BASE +
 * the errno it got, 0 if it succeeded.
 */
#define VICTIM_BASE 100

static char self[4096];
static char dir[64];

static int result(long r)
{
	return r < 0 ? errno : 0;
}

static volatile uintptr_t nowhere = 8;	/* 0 would be told by a sanitizer */

static int try_crash(void)
{
	return *(volatile int *)nowhere;
}

static int status_line_is(const char *key, const char *value)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	int found = 0;

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, key, strlen(key)) == 0)
			found = strncmp(line + strlen(key), value, strlen(value)) == 0;
	if (f)
		fclose(f);
	return found;
}

static int try_thing(const char *what, const char *path)
{
	struct rlimit r;
	int fds[2];
	pid_t pid;

	if (strcmp(what, "read") == 0)
		return result(open(path, O_RDONLY));
	if (strcmp(what, "list") == 0)
		return result(open(path, O_RDONLY | O_DIRECTORY));
	if (strcmp(what, "write") == 0)
		return result(open(path, O_WRONLY));
	if (strcmp(what, "create") == 0)
		return result(open(path, O_WRONLY | O_CREAT, 0600));
	if (strcmp(what, "openat2") == 0) {
		struct { uint64_t flags, mode, resolve; } how = { O_WRONLY | O_TRUNC, 0, 0 };

		return result(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)));
	}
	if (strcmp(what, "truncate") == 0)
		return result(truncate(path, 0));
	if (strcmp(what, "ftruncate") == 0)
		return result(ftruncate(1, 0));
	if (strcmp(what, "unlink") == 0)
		return result(unlink(path));
	if (strcmp(what, "mkdir") == 0)
		return result(mkdir(path, 0700));
	if (strcmp(what, "chmod") == 0)
		return result(chmod(path, 0777));
	if (strcmp(what, "symlink") == 0)
		return result(symlink("/", path));
	if (strcmp(what, "inet") == 0)
		return result(socket(AF_INET, SOCK_STREAM, 0));
	if (strcmp(what, "unix") == 0)
		return result(socket(AF_UNIX, SOCK_STREAM, 0));
	if (strcmp(what, "socketpair") == 0)
		return result(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	if (strcmp(what, "ptrace") == 0)
		return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	if (strcmp(what, "vm-read") == 0)
		return result(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
	if (strcmp(what, "kill") == 0)
		return result(kill(getppid(), 0));
	if (strcmp(what, "memfd") == 0)
		return result(syscall(SYS_memfd_create, "x", 0));
	if (strcmp(what, "fork") == 0) {
		pid = (pid_t)syscall(SYS_fork);
		if (pid == 0)
			_exit(0);
		return result(pid);
	}
	if (strcmp(what, "exec") == 0) {
		execl(path, path, "exit", NULL);
		return errno;
	}
	if (strcmp(what, "execveat") == 0) {
		int fd = open(path, O_RDONLY);
		char *none[] = { NULL };

		/* the number the filter knows lies out of reach */
		for (int n = 1023; n <= 4096; n += 4096 - 1023) {
			dup2(fd, n);
			syscall(SYS_execveat, n, "", none, none, AT_EMPTY_PATH);
		}
		return errno;
	}
	if (strcmp(what, "fill") == 0) {
		for (int i = 0; i < 100; i++)
			if (write(1, self, 1000) != 1000)
				return errno;
		return 0;
	}
	if (strcmp(what, "no-power") == 0)
		return !(status_line_is("CapEff:\t", "0000000000000000\n") &&
			 status_line_is("CapPrm:\t", "0000000000000000\n") &&
			 status_line_is("NoNewPrivs:\t", "1\n"));
	if (strcmp(what, "uid") == 0)
		return !(getuid() == (uid_t)atoi(path) && geteuid() == getuid() &&
			 getgroups(0, NULL) == 0);
	if (strcmp(what, "core-limit") == 0)
		return !(getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_cur == 1 && r.rlim_max == 1);
	if (strcmp(what, "lone-net") == 0) {
		char ours[64] = "";

		return !(readlink("/proc/self/ns/net", ours, sizeof(ours) - 1) > 0 &&
			 strcmp(ours, path) != 0);
	}
	if (strcmp(what, "fds") == 0) {
		for (int fd = 3; fd < 100; fd++)
			if (fcntl(fd, F_GETFD) >= 0)
				return fd;
		return 0;
	}
	if (strcmp(what, "env") == 0)
		return getenv("HOME") != NULL;
	if (strcmp(what, "crash") == 0)
		return try_crash();
	if (strcmp(what, "parent") == 0) {
		/* starts a sleeper that holds our output open, says so, and waits to be killed */
		const char *const argv[] = { "sleep", "1000", NULL };
		struct process_spec s = { .argv = argv, .in = -1, .out = 1, .err = -1 };
		struct process *p = NULL;

		if (process_start(&s, &p, NULL) < 0 || write(1, "s", 1) != 1)
			return 1;
		pause();
	}
	return strcmp(what, "exit") == 0 ? 0 : 99;
}

static const char *const victim_env[] = {
	"ASAN_OPTIONS=detect_leaks=0:handle_segv=0:disable_coredump=0", NULL
};

/* The libraries of this program, and /proc for its own status (and a sanitizer's wants). */
static const char *const libraries[] = { "/lib", "/lib64", "/usr/lib", "/usr/lib64",
					 "/etc/ld.so.cache", "/proc", NULL };
static const char *const programs[] = { self, "/lib", "/lib64", "/usr/lib", "/usr/lib64", NULL };

static struct sandbox everything(void)
{
	return (struct sandbox){ .parts = SANDBOX_ALL,
				 .read_paths = libraries,
				 .exec_paths = programs,
				 .uid = geteuid(),
				 .gid = getegid() };
}

/* Runs the victim; its errno, or 1000 + signal. */
static int run_victim(const char *what, const char *arg, const struct sandbox *box, int out,
		      unsigned *ret_missing)
{
	const char *const argv[] = { self, what, arg, NULL };
	struct process_spec s = { .argv = argv, .env = victim_env, .in = -1, .out = out, .err = 2,
				  .sandbox = box };
	AUTO(process) p = NULL;
	struct err err = ERR_INIT;
	int status = 0;

	if (process_start(&s, &p, &err) != RC_OK)
		fail_msg("%s: %s", what, err.msg);
	assert_int_equal(process_wait(p, 20000, &status, &err), RC_OK);
	if (ret_missing)
		*ret_missing = process_missing(p);
	if (WIFSIGNALED(status))
		return 1000 + WTERMSIG(status);
	/* the runtime's own failures exit with 1, which is no EPERM */
	status = WEXITSTATUS(status);
	return status == 0 ? 0 : status > VICTIM_BASE ? status - VICTIM_BASE : 2000 + status;
}

static int confined(const char *what, const char *arg)
{
	struct sandbox box = everything();

	return run_victim(what, arg, &box, -1, NULL);
}

static void test_run(void **state)
{
	const char *const argv[] = { "sh", "-c", "echo out; echo err >&2; exit 7", NULL };
	AUTO_CLOSE int out = -1;
	AUTO_CLOSE int errs = -1;
	AUTO(process) p = NULL;
	AUTO(mapping) m_out = NULL;
	AUTO(mapping) m_err = NULL;
	struct err err = ERR_INIT;
	int status = 0;

	(void)state;
	assert_int_equal(file_unnamed(true, &out, &err), RC_OK);
	assert_int_equal(file_unnamed(true, &errs, &err), RC_OK);
	assert_int_equal(process_start(&(struct process_spec){ .argv = argv, .in = -1, .out = out,
							       .err = errs },
				       &p, &err),
			 RC_OK);
	assert_int_equal(process_wait(p, -1, &status, &err), RC_OK);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_int_equal(process_wait(p, -1, &status, &err), RC_INTERNAL);
	assert_int_equal(mapping_open(out, "out", &m_out, &err), RC_OK);
	assert_int_equal(mapping_open(errs, "err", &m_err, &err), RC_OK);
	assert_true(span_eq_str(mapping_span(m_out), "out\n"));
	assert_true(span_eq_str(mapping_span(m_err), "err\n"));
}

static void test_no_program(void **state)
{
	const char *const absent[] = { "corescrub-no-such-program", NULL };
	const char *const absent_path[] = { "/nonexistent/program", NULL };
	const char *const folder[] = { "/tmp", NULL };
	const char *const script[] = { "tests/fixtures/crash.sh", NULL };
	const char *const exec_paths[] = { "tests/fixtures", NULL };
	struct sandbox box = everything();
	struct process_spec s = { .argv = absent, .in = -1, .out = -1, .err = -1 };
	struct process *p = NULL;
	struct err err = ERR_INIT;

	(void)state;
	box.exec_paths = exec_paths;
	assert_int_equal(process_start(&s, &p, &err), RC_NOTFOUND);
	s.argv = absent_path;
	assert_int_equal(process_start(&s, &p, &err), RC_NOTFOUND);
	s.argv = folder;
	assert_int_equal(process_start(&s, &p, &err), RC_CHILD);
	/* a script has an interpreter, which would be a second program */
	s.argv = script;
	s.sandbox = &box;
	assert_int_equal(process_start(&s, &p, &err), RC_UNSUPPORTED);
	assert_null(p);
}

static void test_timeout_kills_the_group(void **state)
{
	const char *const argv[] = { "sh", "-c", "sleep 1000 & echo $!; wait", NULL };
	struct err err = ERR_INIT;
	struct process *p = NULL;
	char line[32] = "";
	int pipes[2], status;
	pid_t grandchild;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(process_start(&(struct process_spec){ .argv = argv, .in = -1,
							       .out = pipes[1], .err = -1 },
				       &p, &err),
			 RC_OK);
	close(pipes[1]);
	assert_true(read(pipes[0], line, sizeof(line) - 1) > 0);
	grandchild = atoi(line);
	assert_int_equal(kill(grandchild, 0), 0);
	assert_int_equal(process_wait(p, 50, &status, &err), RC_TIMEOUT);
	process_free(p);
	/* the pipe closes when the last of them is gone */
	assert_int_equal(read(pipes[0], line, 1), 0);
	close(pipes[0]);
}

static void test_dies_with_parent(void **state)
{
	const char *const argv[] = { self, "parent", NULL };
	struct process_spec s = { .argv = argv, .env = victim_env, .in = -1, .err = -1 };
	struct err err = ERR_INIT;
	struct process *p = NULL;
	struct pollfd closed;
	char byte;
	int pipes[2];

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	s.out = pipes[1];
	assert_int_equal(process_start(&s, &p, &err), RC_OK);
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	closed = (struct pollfd){ .fd = pipes[0], .events = POLLIN };
	assert_int_equal(poll(&closed, 1, 50), 0);
	/* the sleeper is in a session of its own: only its parent's death reaches it */
	process_free(p);
	assert_int_equal(poll(&closed, 1, 5000), 1);
	assert_int_equal(read(pipes[0], &byte, 1), 0);
	close(pipes[0]);
}

static void test_child_starts_clean(void **state)
{
	int extra = open("/dev/null", O_RDONLY);	/* without O_CLOEXEC, on purpose */

	(void)state;
	assert_int_equal(run_victim("fds", "", NULL, -1, NULL), 0);
	assert_int_equal(run_victim("env", "", NULL, -1, NULL), 0);
	if (geteuid() == 0)
		assert_int_equal(run_victim("core-limit", "", NULL, -1, NULL), 0);
	close(extra);
}

static void test_confined_files(void **state)
{
	static const char *const changing[] = { "write", "create", "openat2", "truncate",
						"unlink", "mkdir", "chmod", "symlink" };
	AUTO_FREE char *path = xasprintf("%s/file", dir);
	struct err err = ERR_INIT;
	AUTO(tempfile) t = NULL;
	AUTO_BUF after = BUF_INIT;

	(void)state;
	assert_int_equal(tempfile_open(path, 0644, &t, &err), RC_OK);
	assert_int_equal(file_write_all(tempfile_fd(t), SPAN_LIT("text"), path, &err), RC_OK);
	assert_int_equal(tempfile_commit(t, true, &err), RC_OK);
	for (size_t i = 0; i < ARRAY_SIZE(changing); i++) {
		AUTO_FREE char *other = xasprintf("%s/%s", dir, changing[i]);
		bool makes = strcmp(changing[i], "create") == 0 ||
			     strcmp(changing[i], "mkdir") == 0 ||
			     strcmp(changing[i], "symlink") == 0;

		assert_int_equal(confined(changing[i], makes ? other : path), EPERM);
	}
	assert_int_equal(file_read(path, 10, &after, &err), RC_OK);
	assert_true(span_eq_str(buf_span(&after), "text"));
	assert_int_equal(confined("read", path), EACCES);
	assert_int_equal(confined("read", "/etc/passwd"), EACCES);
	assert_int_equal(confined("list", "/etc"), EACCES);
	assert_int_equal(confined("read", self), 0);
	assert_int_equal(confined("exit", ""), 0);
}

static void test_confined_calls(void **state)
{
	static const char *const things[] = { "inet", "unix", "socketpair", "ptrace", "vm-read",
					      "kill", "memfd", "fork", "ftruncate" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(things); i++) {
		int r = confined(things[i], "");

		if (r != EPERM)
			fail_msg("%s: exit %d", things[i], r);
	}
	assert_int_equal(confined("exec", self), EPERM);
	/* EBADF where the number is known, EPERM at any other */
	assert_int_not_equal(confined("execveat", self), 0);
}

/* Landlock must hold by itself, and so must the filter. */
static void test_parts_alone(void **state)
{
	struct sandbox box = everything();
	AUTO_FREE char *path = xasprintf("%s/file", dir);
	unsigned missing = 0;

	(void)state;
	box.parts = SANDBOX_LANDLOCK;
	assert_int_equal(run_victim("write", path, &box, -1, &missing), EACCES);
	assert_int_equal(missing, 0);
	assert_int_equal(run_victim("create", path, &box, -1, NULL), EACCES);
	assert_int_equal(run_victim("read", path, &box, -1, NULL), EACCES);
	assert_int_equal(run_victim("unlink", path, &box, -1, NULL), EACCES);
	assert_int_equal(run_victim("inet", "", &box, -1, NULL), 0);
	box.parts = SANDBOX_SECCOMP;
	assert_int_equal(run_victim("write", path, &box, -1, &missing), EPERM);
	assert_int_equal(missing, 0);
	assert_int_equal(run_victim("unix", "", &box, -1, NULL), EPERM);
	assert_int_equal(run_victim("read", "/etc/passwd", &box, -1, NULL), 0);
	assert_int_equal(run_victim("inet", "", NULL, -1, NULL), 0);
}

static void test_network_namespace(void **state)
{
	struct sandbox box = everything();
	unsigned missing = 0;
	char ours[64] = "";
	int r;

	(void)state;
	assert_true(readlink("/proc/self/ns/net", ours, sizeof(ours) - 1) > 0);
	box.parts = SANDBOX_NETNS;
	r = run_victim("lone-net", ours, &box, -1, &missing);
	/* where it can't be had, that is said */
	assert_int_equal(r == 0, !(missing & SANDBOX_NETNS));
	assert_int_equal(run_victim("lone-net", ours, NULL, -1, NULL), 1);
}

static void test_owner(void **state)
{
	struct sandbox box = everything();

	(void)state;
	assert_int_equal(run_victim("no-power", "", &box, -1, NULL), 0);
	if (geteuid() != 0)
		return;
	box.parts = SANDBOX_OWNER;
	assert_int_equal(run_victim("uid", "0", &box, -1, NULL), 0);
	assert_int_equal(run_victim("no-power", "", &box, -1, NULL), 0);
	/* root's number without its power opens nobody else's file */
	{
		AUTO_FREE char *path = xasprintf("%s/theirs", dir);
		int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
		assert_int_equal(fchown(fd, 65534, 65534), 0);
		close(fd);
		assert_int_equal(run_victim("read", path, &box, -1, NULL), EACCES);
		box.uid = box.gid = 65534;
		assert_int_equal(chmod(dir, 0711), 0);
		assert_int_equal(run_victim("read", path, &box, -1, NULL), 0);
	}
	assert_int_equal(run_victim("uid", "65534", &box, -1, NULL), 0);
	assert_int_equal(run_victim("no-power", "", &box, -1, NULL), 0);
	assert_int_equal(run_victim("read", "/etc/shadow", &box, -1, NULL), EACCES);
}

static void test_file_size(void **state)
{
	struct sandbox box = everything();
	struct err err = ERR_INIT;
	struct stat st;
	int out = -1;

	(void)state;
	assert_int_equal(file_unnamed(true, &out, &err), RC_OK);
	box.file_size = 50000;
	assert_int_equal(run_victim("fill", "", &box, out, NULL), 1000 + SIGXFSZ);
	assert_int_equal(fstat(out, &st), 0);
	assert_int_equal(st.st_size, 50000);
	assert_int_equal(ftruncate(out, 0), 0);
	assert_int_equal(lseek(out, 0, SEEK_SET), 0);
	box.file_size = 1000000;
	assert_int_equal(run_victim("fill", "", &box, out, NULL), 0);
	close(out);
}

static void test_strict(void **state)
{
	const char *const argv[] = { self, "exit", NULL };
	struct sandbox box = everything();
	struct process_spec s = { .argv = argv, .env = victim_env, .in = -1, .out = -1, .err = -1,
				  .sandbox = &box };
	struct process *p = NULL;
	struct err err = ERR_INIT;
	unsigned missing = SANDBOX_ALL & ~sandbox_probe();
	int rc;

	(void)state;
	box.strict = true;
	rc = process_start(&s, &p, &err);
	assert_int_equal(rc, missing ? RC_SANDBOX : RC_OK);
	if (missing)
		assert_non_null(strstr(err.msg, "can't confine"));
	process_free(p);
}

static void test_apply_self(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct sandbox box = { .parts = SANDBOX_ALL & ~(unsigned)SANDBOX_NETNS,
				       .uid = geteuid(), .gid = getegid() };
		unsigned missing = 1;
		int r = sandbox_apply_self(&box, &missing, NULL);
		void *p;

		/* memory and what is open still serve */
		p = malloc(10000000);
		if (r != RC_OK || missing || !p || write(1, "", 0) != 0)
			_exit(1);
		if (open("/dev/null", O_RDONLY) >= 0 || open("/proc/self/maps", O_RDONLY) >= 0 ||
		    socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || syscall(SYS_fork) >= 0)
			_exit(2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A soft limit of 0 does not stop a dump to a pipe handler; ours must. */
static void test_no_dump_to_a_handler(void **state)
{
	struct rlimit none = { 0, RLIM_INFINITY };
	struct sandbox box = everything();
	struct core_pattern pattern;
	bool control, bare, boxed;
	pid_t pid;

	(void)state;
	if (!core_pattern_is_ours()) {
		assert_int_equal(run_victim("crash", "", &box, -1, NULL), 1000 + SIGSEGV);
		return;
	}
	core_pattern_pipe(dir, &pattern);
	pid = fork();
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		execle(self, self, "crash", NULL, victim_env);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	control = core_pattern_dumped(&pattern);
	run_victim("crash", "", NULL, -1, NULL);
	bare = core_pattern_dumped(&pattern);
	run_victim("crash", "", &box, -1, NULL);
	boxed = core_pattern_dumped(&pattern);
	core_pattern_restore(&pattern);
	assert_true(control);	/* else this proves nothing */
	assert_false(bare);
	assert_false(boxed);
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/corescrub-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	AUTO_FREE char *cmd = xasprintf("rm -rf %s", dir);

	(void)state;
	return system(cmd);
}

/* The program in a folder that any user may enter: as root it is run as others too, who may have no
   way into the build folder. It goes with the folder that holds it, at the end. */
static char shared[64] = "/tmp/corescrub-process-XXXXXX";

static void remove_shared(void)
{
	unlink(self);
	rmdir(shared);
}

static bool share_self(void)
{
	AUTO_CLOSE int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int to = -1;
	struct err err = ERR_INIT;

	if (from < 0 || !mkdtemp(shared) || chmod(shared, 0755) < 0)
		return false;
	snprintf(self, sizeof(self), "%s/victim", shared);
	to = open(self, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	atexit(remove_shared);
	return to >= 0 && fchmod(to, 0755) == 0 && file_copy(from, to, self, &err) == RC_OK;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_no_program),
		cmocka_unit_test(test_timeout_kills_the_group),
		cmocka_unit_test(test_dies_with_parent),
		cmocka_unit_test(test_child_starts_clean),
		cmocka_unit_test(test_confined_files),
		cmocka_unit_test(test_confined_calls),
		cmocka_unit_test(test_parts_alone),
		cmocka_unit_test(test_network_namespace),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_file_size),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_apply_self),
		cmocka_unit_test(test_no_dump_to_a_handler),
	};
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return 1;
	if (argc > 1) {
		int r = try_thing(argv[1], argc > 2 ? argv[2] : "");

		return r ? VICTIM_BASE + r : 0;
	}
	if (!share_self())
		return 1;
	return cmocka_run_group_tests_name("process", tests, setup, teardown);
}
