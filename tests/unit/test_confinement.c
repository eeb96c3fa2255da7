/* SPDX-License-Identifier: Apache-2.0 */
#include "core_pattern.h"
#include "gdb_fixture.h"
#include <sys/mman.h>
#include <sys/syscall.h>

/* What a gdb that a hostile core took over can do: nothing. Its Python tries. */

/* Each of these must fail. PATH is a file that exists, NEW one that doesn't, both not named to gdb;
   the numbers of system calls come from our headers. */
static const char attempts[] =
	"python\n"
	"import os, sys, ctypes, subprocess\n"
	"libc = ctypes.CDLL(None, use_errno=True)\n"
	"def call(name, *args):\n"
	"    if getattr(libc, name)(*args) == -1:\n"
	"        raise OSError(ctypes.get_errno(), name)\n"
	"def raw(nr, *args):\n"
	"    call('syscall', ctypes.c_long(nr), *args)\n"
	"def sock(family, kind):\n"
	"    import _socket\n"
	"    return _socket.socket(family, kind)\n"
	"def execfd():\n"
	"    fd = os.open('/proc/self/exe', os.O_RDONLY)\n"
	"    raw(NR_execveat, fd, b'', None, None, 0x1000)\n"
	"def sourced(path):\n"	/* in batch mode a file that can't be read is a warning only */
	"    if 'sourced' not in gdb.execute('source ' + path, to_string=True):\n"
	"        raise gdb.error('not sourced')\n"
	"def read_symbols(path):\n"
	"    gdb.execute('add-symbol-file ' + path, to_string=True)\n"
	"def wr(path, flags):\n"
	"    return os.open(path, flags, 0o600)\n"
	"tries = {\n"
	" 'write': lambda: wr(PATH, os.O_WRONLY),\n"
	" 'read and write': lambda: wr(PATH, os.O_RDWR),\n"
	" 'append': lambda: wr(PATH, os.O_WRONLY | os.O_APPEND),\n"
	" 'cut by open': lambda: wr(PATH, os.O_RDONLY | os.O_TRUNC),\n"
	" 'create': lambda: wr(NEW, os.O_WRONLY | os.O_CREAT),\n"
	" 'create to read': lambda: wr(NEW, os.O_RDONLY | os.O_CREAT),\n"
	" 'unnamed': lambda: wr(os.path.dirname(NEW), os.O_RDWR | os.O_TMPFILE),\n"
	" 'core for writing': lambda: wr(CORE, os.O_RDWR),\n"
	" 'own memory': lambda: wr('/proc/self/mem', os.O_RDWR),\n"
	" 'openat2': lambda: raw(NR_openat2, -100, PATH.encode(), b'\\0' * 24, 24),\n"
	" 'truncate': lambda: os.truncate(PATH, 0),\n"
	" 'truncate output': lambda: os.ftruncate(1, 0),\n"
	" 'unlink': lambda: os.unlink(PATH),\n"
	" 'rename': lambda: os.rename(PATH, NEW),\n"
	" 'link': lambda: os.link(PATH, NEW),\n"
	" 'symlink': lambda: os.symlink(PATH, NEW),\n"
	" 'mkdir': lambda: os.mkdir(NEW),\n"
	" 'mkfifo': lambda: os.mkfifo(NEW),\n"
	" 'chmod': lambda: os.chmod(PATH, 0o777),\n"
	" 'chown': lambda: os.chown(PATH, os.getuid(), os.getgid()),\n"
	" 'utime': lambda: os.utime(PATH, (1, 1)),\n"
	" 'setxattr': lambda: os.setxattr(PATH, b'user.x', b'y'),\n"
	" 'inet': lambda: sock(2, 1),\n"
	" 'inet6': lambda: sock(10, 2),\n"
	" 'unix': lambda: sock(1, 1),\n"
	" 'unix datagram': lambda: sock(1, 2),\n"
	" 'netlink': lambda: sock(16, 3),\n"
	" 'socketpair': lambda: call('socketpair', 1, 1, 0, (ctypes.c_int * 2)()),\n"
	" 'trace me': lambda: call('ptrace', 0, 0, None, None),\n"
	" 'trace parent': lambda: call('ptrace', 16, os.getppid(), None, None),\n"
	" 'seize parent': lambda: call('ptrace', 0x4206, os.getppid(), None, None),\n"
	" 'read parent': lambda: raw(NR_process_vm_readv, os.getppid(), None, 0, None, 0, 0),\n"
	" 'write parent': lambda: raw(NR_process_vm_writev, os.getppid(), None, 0, None, 0, 0),\n"
	" 'signal parent': lambda: os.kill(os.getppid(), 0),\n"
	" 'signal all': lambda: os.kill(-1, 0),\n"
	" 'pidfd': lambda: os.pidfd_open(os.getppid()),\n"
	" 'fork': lambda: os.fork(),\n"
	" 'exec': lambda: os.execv('/bin/true', ['true']),\n"
	" 'exec itself': lambda: os.execv(GDB, ['gdb', '--version']),\n"
	" 'exec descriptor': execfd,\n"
	" 'spawn': lambda: os.posix_spawn('/bin/true', ['true'], {}),\n"
	" 'subprocess': lambda: subprocess.run(['/bin/true']),\n"
	" 'shell': lambda: gdb.execute('shell touch ' + NEW) or os.stat(NEW),\n"
	" 'read unnamed': lambda: os.open(PATH, os.O_RDONLY),\n"
	" 'read passwd': lambda: os.open('/etc/passwd', os.O_RDONLY),\n"
	" 'read parent environment': lambda: open('/proc/%d/environ' % os.getppid()).read(),\n"
	" 'list': lambda: os.listdir('/etc'),\n"
	" 'list root': lambda: os.listdir('/'),\n"
	" 'handle': lambda: raw(NR_open_by_handle_at, 3, None, 0),\n"
	" 'mount': lambda: call('mount', None, b'/', None, 0, None),\n"
	" 'unshare': lambda: call('unshare', 0x10000000),\n"
	" 'setns': lambda: call('setns', 0, 0),\n"
	" 'chroot': lambda: os.chroot('/'),\n"
	" 'bpf': lambda: raw(NR_bpf, 0, None, 0),\n"
	" 'perf': lambda: raw(NR_perf_event_open, None, 0, -1, -1, 0),\n"
	" 'keys': lambda: raw(NR_keyctl, 0, -1, 0),\n"
	" 'ring': lambda: raw(NR_io_uring_setup, 1, None),\n"
	" 'memfd': lambda: os.memfd_create('x'),\n"
	" 'userfaultfd': lambda: raw(NR_userfaultfd, 0),\n"
	" 'raise a limit': lambda: raw(NR_prlimit64, 0, 4, b'\\xff' * 16, None),\n"
	" 'dumpable': lambda: call('prctl', 4, 1, 0, 0, 0),\n"
	" 'seccomp': lambda: call('prctl', 22, 2, None),\n"
	" 'gdb dump': lambda: gdb.execute('dump value ' + NEW + ' 1'),\n"
	" 'gdb log': lambda: (gdb.execute('set logging file ' + NEW),\n"
	"                     gdb.execute('set logging enabled on')),\n"
	" 'gdb core': lambda: gdb.execute('generate-core-file ' + NEW),\n"
	" 'gdb run': lambda: gdb.execute('run'),\n"
	" 'gdb attach': lambda: gdb.execute('attach %d' % os.getppid()),\n"
	" 'gdb remote': lambda: gdb.execute('target remote | /bin/cat'),\n"
	" 'gdb remote tcp': lambda: gdb.execute('target remote 127.0.0.1:1'),\n"
	" 'gdb source': lambda: sourced(PATH),\n"
	" 'gdb file': lambda: read_symbols(PATH),\n"
	"}\n"
	"for name, what in tries.items():\n"
	"    try:\n"
	"        what()\n"
	"        print('WORKED: ' + name)\n"
	"    except (OSError, gdb.error) as e:\n"
	"        print('failed: ' + name)\n"
	"    except Exception as e:\n"
	"        print('ODD: ' + name, type(e), e)\n"
	"print('tried', len(tries))\n"
	"end\n";

static void add_number(struct buf *b, const char *name, long value)
{
	buf_addf(b, "python NR_%s = %ld\n", name, value);
}

static void build_script(const char *path, const char *new, const char *gdb, struct buf *ret)
{
	buf_addf(ret, "python PATH = '%s'\npython NEW = '%s'\npython GDB = '%s'\n", path, new, gdb);
	/* our own core, by the descriptor gdb has of it */
	buf_add_str(ret, "python import os\npython CORE = '/proc/self/fd/%d' % [int(n) for n in "
			 "range(3, 64) if os.path.exists('/proc/self/fd/%d' % n) and "
			 "'core-' in os.readlink('/proc/self/fd/%d' % n)][0]\n");
	add_number(ret, "execveat", SYS_execveat);
	add_number(ret, "openat2", SYS_openat2);
	add_number(ret, "process_vm_readv", SYS_process_vm_readv);
	add_number(ret, "process_vm_writev", SYS_process_vm_writev);
	add_number(ret, "open_by_handle_at", SYS_open_by_handle_at);
	add_number(ret, "bpf", SYS_bpf);
	add_number(ret, "perf_event_open", SYS_perf_event_open);
	add_number(ret, "keyctl", SYS_keyctl);
	add_number(ret, "io_uring_setup", SYS_io_uring_setup);
	add_number(ret, "userfaultfd", SYS_userfaultfd);
	add_number(ret, "prlimit64", SYS_prlimit64);
	buf_add_str(ret, attempts);
}

/* A file of mode 0600 and a page, as a debugger reads whole words of a mapping. */
static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, span_str(text), path, NULL), RC_OK);
	assert_int_equal(ftruncate(fd, 4096), 0);
	close(fd);
}

/* The lines that are no failed attempt. */
static void keep_unexpected(struct span text, struct buf *ret)
{
	size_t at = 0;

	while (at < text.len) {
		ssize_t nl = span_find(text, SPAN_LIT("\n"), at);
		struct span line = span_sub(text, at, nl < 0 ? text.len : (size_t)nl + 1);

		if (!span_starts(line, SPAN_LIT("failed: ")))
			buf_add_span(ret, line);
		at += line.len;
	}
}

static void test_every_attempt_fails(void **state)
{
	AUTO_CLOSE int core = fixture_crash("crash_threads", "segv", "1");
	AUTO_FREE char *exe = fixture_path("crash_threads");
	AUTO_FREE char *path = fixture_path("unnamed");
	AUTO_FREE char *new = fixture_path("new");
	AUTO_FREE char *gdb = process_find_program("gdb");
	struct gdb_job job = fixture_job(core, exe);
	AUTO_BUF script = BUF_INIT;
	AUTO_BUF after = BUF_INIT;
	AUTO_BUF unexpected = BUF_INIT;
	AUTO(artifact) out = NULL;
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	write_file(path, "echo sourced\\n\n");
	build_script(path, new, gdb, &script);
	if (gdb_run_script(&job, buf_span(&script), &out, &err) != RC_OK)
		fail_msg("%s", err.msg);
	keep_unexpected(out->text, &unexpected);
	if (!span_eq_str(buf_span(&unexpected), "tried 71\n"))
		fail_msg("not as it should be:\n%s", unexpected.p);
	assert_int_equal(access(new, F_OK), -1);
	assert_int_equal(file_read(path, 4096, &after, &err), RC_OK);
	assert_string_equal(after.p, "echo sourced\\n\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

#define SECRET "corescrub-secret-of-another"

/* Every mention of `from` in the file becomes `to`, of the same length. */
static void patch(const char *path, const char *from, const char *to)
{
	size_t n = strlen(from), hits = 0;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	char *p, *at;

	assert_int_equal(n, strlen(to));
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	for (at = p; (at = memmem(at, (size_t)(p + st.st_size - at), from, n)); at += n, hits++)
		memcpy(at, to, n);
	munmap(p, (size_t)st.st_size);
	close(fd);
	assert_true(hits > 0);
}

static bool has_secret(const struct artifact *a)
{
	return span_find(a->text, SPAN_LIT(SECRET), 0) >= 0;
}

static bool result_has_secret(const struct gdb_job *job)
{
	AUTO(gdb_result) r = NULL;
	struct err err = ERR_INIT;

	if (gdb_run(job, &r, &err) != RC_OK)
		fail_msg("%s", err.msg);
	return has_secret(r->head) || has_secret(r->full) || has_secret(r->brief) ||
	       has_secret(r->thread1) || has_secret(r->sharedlibs) || has_secret(r->messages);
}

/* A crash with a mapped file and a library, whose names are as long as the secret file's. */
static int crash_with_mapped_file(const char *data, const char *library)
{
	const char *const cc[] = { "cc", "-shared", "-fPIC", "-DLIBRARY", "-o", library,
				   "tests/fixtures/mapped_file.c", NULL };

	write_file(data, "nothing of interest\n");
	assert_int_equal(fixture_run(cc), 0);
	return fixture_crash("mapped_file", data, library);
}

static void test_a_core_names_a_secret_file(void **state)
{
	AUTO_FREE char *data = fixture_path("mapped_data");
	AUTO_FREE char *library = fixture_path("mapped_libs");
	AUTO_FREE char *exe = fixture_path("mapped_file");
	AUTO_FREE char *secret = fixture_path("secret_file");
	AUTO_FREE char *path = fixture_path("core-mapped_file");
	AUTO_CLOSE int core = crash_with_mapped_file(data, library);
	struct gdb_job job = fixture_job(core, exe);
	struct gdb_job open_job;

	(void)state;
	write_file(secret, SECRET "\n");
	patch(path, data, secret);
	/* a gdb that is not confined shows it, so this core is hostile */
	open_job = job;
	open_job.sandbox = false;
	assert_true(result_has_secret(&open_job));
	assert_false(result_has_secret(&job));
	/* the library in the file map and the link map, then the program's own path */
	patch(path, library, secret);
	assert_false(result_has_secret(&job));
	patch(path, exe, secret);
	assert_false(result_has_secret(&job));
	job.exe = NULL;
	assert_false(result_has_secret(&job));
}

/* With gdb's memory full of clear text, its crash must leave nothing. */
static void test_a_crashed_gdb_leaves_no_core(void **state)
{
	static const char crash[] = "python\nimport ctypes\nctypes.string_at(8)\nend\n";
	AUTO_CLOSE int core = fixture_crash("crash_threads", "segv", "1");
	AUTO_FREE char *exe = fixture_path("crash_threads");
	struct gdb_job job = fixture_job(core, exe);
	struct core_pattern pattern;
	struct artifact *out = NULL;
	struct err err = ERR_INIT;
	bool confined, bare;
	int rc;

	(void)state;
	assert_int_equal(gdb_run_script(&job, SPAN_LIT(crash), &out, &err), RC_CHILD);
	assert_non_null(strstr(err.msg, "SEGV"));
	assert_int_equal(access("core", F_OK), -1);
	if (!core_pattern_is_ours())
		return;
	core_pattern_pipe(fixture_dir, &pattern);
	rc = gdb_run_script(&job, SPAN_LIT(crash), &out, &err);
	confined = core_pattern_dumped(&pattern);
	job.sandbox = false;
	(void)gdb_run_script(&job, SPAN_LIT(crash), &out, &err);
	bare = core_pattern_dumped(&pattern);
	core_pattern_restore(&pattern);
	assert_int_equal(rc, RC_CHILD);
	assert_false(confined);
	assert_false(bare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_attempt_fails),
		cmocka_unit_test(test_a_core_names_a_secret_file),
		cmocka_unit_test(test_a_crashed_gdb_leaves_no_core),
	};

	return cmocka_run_group_tests_name("confinement", tests, fixture_setup, fixture_teardown);
}
