/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/base/file.h>
#include <corescrub/base/limits.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];	/* a folder of this test's own, mode 0700 */

static char *in_dir(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int count_entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
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

static void test_mapping_file(void **state)
{
	AUTO_FREE char *path = in_dir("text");
	AUTO(mapping) m = NULL;
	struct err err = ERR_INIT;

	(void)state;
	put(path, "one\ntwo\n");
	assert_int_equal(mapping_open_path(path, &m, &err), RC_OK);
	assert_true(span_eq_str(mapping_span(m), "one\ntwo\n"));
	/* what becomes of the file does not reach us */
	put(path, "2");
	assert_true(span_eq_str(mapping_span(m), "one\ntwo\n"));
	assert_int_equal(truncate(path, 0), 0);
	assert_true(span_eq_str(mapping_span(m), "one\ntwo\n"));
}

static void test_mapping_odd_inputs(void **state)
{
	AUTO_FREE char *path = in_dir("empty");
	AUTO(mapping) empty = NULL;
	AUTO(mapping) proc = NULL;
	struct mapping *none = NULL;
	struct err err = ERR_INIT;

	(void)state;
	put(path, "");
	assert_int_equal(mapping_open_path(path, &empty, &err), RC_OK);
	assert_int_equal(mapping_span(empty).len, 0);
	assert_int_equal(mapping_open_path("/proc/self/status", &proc, &err), RC_OK);
	assert_true(mapping_span(proc).len > 100);
	assert_int_equal(mapping_open_path(dir, &none, &err), RC_FORMAT);
	free(path);
	path = in_dir("absent");
	assert_int_equal(mapping_open_path(path, &none, &err), RC_NOTFOUND);
	assert_null(none);
}

static void test_mapping_sealed_memfd_is_not_copied(void **state)
{
	AUTO(mapping) m = NULL;
	struct err err = ERR_INIT;
	int fd = -1;

	(void)state;
	assert_int_equal(file_unnamed(true, &fd, &err), RC_OK);
	assert_int_equal(file_write_all(fd, SPAN_LIT("abc"), "memory", &err), RC_OK);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
	assert_int_equal(mapping_open(fd, "memory", &m, &err), RC_OK);
	close(fd);
	assert_true(span_eq_str(mapping_span(m), "abc"));
}

struct feed {
	int fd;
	size_t size;
};

static void *feed_pipe(void *p)
{
	struct feed *f = p;
	char chunk[65536];
	size_t off = 0;

	while (off < f->size) {
		size_t n = f->size - off < sizeof(chunk) ? f->size - off : sizeof(chunk);

		for (size_t i = 0; i < n; i++)
			chunk[i] = (char)((off + i) * 7 / 5);
		for (size_t done = 0; done < n;)
			done += (size_t)write(f->fd, chunk + done, n - done);
		off += n;
	}
	close(f->fd);
	return NULL;
}

static void check_pipe_of(size_t size)
{
	AUTO(mapping) m = NULL;
	struct err err = ERR_INIT;
	pthread_t thread;
	struct feed f;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	f = (struct feed){ fds[1], size };
	assert_int_equal(pthread_create(&thread, NULL, feed_pipe, &f), 0);
	assert_int_equal(mapping_open(fds[0], "pipe", &m, &err), RC_OK);
	pthread_join(thread, NULL);
	close(fds[0]);
	assert_int_equal(mapping_span(m).len, size);
	for (size_t i = 0; i < size; i += 4093)
		assert_true(mapping_span(m).p[i] == (char)(i * 7 / 5));
}

static void test_mapping_pipe(void **state)
{
	(void)state;
	check_pipe_of(0);
	check_pipe_of(1);
	check_pipe_of(300000);
	check_pipe_of(LIMIT_SPOOL_MEMORY + 100000);	/* moves to disk on the way */
	assert_int_equal(count_entries(dir), 0);
}

static void test_file_read_cap(void **state)
{
	AUTO_FREE char *path = in_dir("text");
	AUTO_BUF b = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	put(path, "12345678");
	assert_int_equal(file_read(path, 7, &b, &err), RC_TOOBIG);
	assert_null(b.p);
	assert_int_equal(file_read(path, 8, &b, &err), RC_OK);
	assert_true(span_eq_str(buf_span(&b), "12345678"));
}

static void test_sink_fd(void **state)
{
	AUTO_BUF big = BUF_INIT;
	AUTO(mapping) m = NULL;
	struct err err = ERR_INIT;
	struct sink_fd s;
	int fd = -1;

	(void)state;
	for (int i = 0; i < 30000; i++)
		buf_add_str(&big, "abcdefg");
	assert_int_equal(file_unnamed(false, &fd, &err), RC_OK);
	sink_fd_init(&s, fd, "test");
	assert_int_equal(s.sink.write(&s.sink, SPAN_LIT("<"), &err), RC_OK);
	assert_int_equal(s.sink.write(&s.sink, buf_span(&big), &err), RC_OK);
	assert_int_equal(s.sink.write(&s.sink, SPAN_LIT(">"), &err), RC_OK);
	assert_int_equal(sink_fd_flush(&s, &err), RC_OK);
	assert_int_equal(s.written, big.len + 2);
	assert_int_equal(mapping_open(fd, "test", &m, &err), RC_OK);
	close(fd);
	assert_int_equal(mapping_span(m).len, big.len + 2);
	assert_int_equal(mapping_span(m).p[0], '<');
	assert_true(span_ends(mapping_span(m), SPAN_LIT("efg>")));
}

static void test_tempfile(void **state)
{
	AUTO_FREE char *path = in_dir("out");
	AUTO(tempfile) t = NULL;
	AUTO(tempfile) second = NULL;
	AUTO_BUF b = BUF_INIT;
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(tempfile_open(path, 0644, &t, &err), RC_OK);
	assert_int_equal(file_write_all(tempfile_fd(t), SPAN_LIT("new"), path, &err), RC_OK);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(tempfile_commit(t, false, &err), RC_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);

	assert_int_equal(tempfile_open(path, 0600, &second, &err), RC_OK);
	assert_int_equal(file_write_all(tempfile_fd(second), SPAN_LIT("newer"), path, &err), RC_OK);
	assert_int_equal(tempfile_commit(second, false, &err), RC_EXISTS);
	assert_int_equal(file_read(path, 100, &b, &err), RC_OK);
	assert_true(span_eq_str(buf_span(&b), "new"));
	buf_done(&b);
	assert_int_equal(tempfile_commit(second, true, &err), RC_OK);
	assert_int_equal(file_read(path, 100, &b, &err), RC_OK);
	assert_true(span_eq_str(buf_span(&b), "newer"));
	assert_int_equal(count_entries(dir), 1);
}

/* As on a filesystem that has no O_TMPFILE and no RENAME_NOREPLACE: the calls fail in this
   child. */
static int without_new_calls(void (*run)(const char *path), const char *path)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
		scmp_datum_t flag = O_TMPFILE & ~O_DIRECTORY;

		if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(openat), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, flag, flag)) < 0 ||
		    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(renameat2), 0) < 0 ||
		    seccomp_load(ctx) < 0 || open(dir, O_TMPFILE | O_RDWR, 0600) >= 0)
			_exit(100);
		seccomp_release(ctx);
		run(path);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void write_old_way(const char *path)
{
	struct tempfile *t = NULL, *second = NULL, *third = NULL;

	umask(0);
	if (tempfile_open(path, 0640, &t, NULL) < 0 ||
	    file_write_all(tempfile_fd(t), SPAN_LIT("one"), path, NULL) < 0 ||
	    tempfile_commit(t, false, NULL) < 0)
		_exit(1);
	if (tempfile_open(path, 0600, &second, NULL) < 0 ||
	    tempfile_commit(second, false, NULL) != RC_EXISTS)
		_exit(2);
	tempfile_free(second);
	if (tempfile_open(path, 0600, &third, NULL) < 0 ||
	    file_write_all(tempfile_fd(third), SPAN_LIT("three"), path, NULL) < 0 ||
	    tempfile_commit(third, true, NULL) < 0)
		_exit(3);
	tempfile_free(third);
	tempfile_free(t);
}

static void fill_old_way(const char *path)
{
	struct outdir *d = NULL, *unused = NULL;
	int fd;

	if (outdir_open(path, &d, NULL) < 0 || outdir_open(path, &unused, NULL) < 0 ||
	    outdir_add(d, "a", 0644, &fd, NULL) < 0 || outdir_add(d, "b", 0644, &fd, NULL) < 0 ||
	    file_write_all(fd, SPAN_LIT("b"), path, NULL) < 0 ||
	    outdir_add(unused, "c", 0644, &fd, NULL) < 0 || outdir_commit(d, NULL) < 0)
		_exit(1);
	if (outdir_commit(unused, NULL) != RC_EXISTS)
		_exit(2);
	outdir_free(unused);
	outdir_free(d);
	if (file_unnamed(false, &fd, NULL) < 0)
		_exit(3);
}

static void test_old_filesystem(void **state)
{
	AUTO_FREE char *path = in_dir("out");
	AUTO_FREE char *folder = in_dir("report");
	AUTO_FREE char *member = in_dir("report/b");
	AUTO_BUF b = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(without_new_calls(write_old_way, path), 0);
	assert_int_equal(file_read(path, 100, &b, &err), RC_OK);
	assert_true(span_eq_str(buf_span(&b), "three"));
	assert_int_equal(count_entries(dir), 1);
	setenv("TMPDIR", dir, 1);
	assert_int_equal(without_new_calls(fill_old_way, folder), 0);
	unsetenv("TMPDIR");
	assert_int_equal(count_entries(dir), 2);
	assert_int_equal(count_entries(folder), 2);
	buf_done(&b);
	assert_int_equal(file_read(member, 100, &b, &err), RC_OK);
	assert_true(span_eq_str(buf_span(&b), "b"));
}

static void test_tempfile_without_commit(void **state)
{
	AUTO_FREE char *path = in_dir("out");
	AUTO_FREE char *deep = in_dir("absent/out");
	struct tempfile *t = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(tempfile_open(path, 0644, &t, &err), RC_OK);
	tempfile_free(t);
	assert_int_equal(count_entries(dir), 0);
	assert_int_equal(tempfile_open(deep, 0644, &t, &err), RC_NOTFOUND);
	assert_int_equal(tempfile_open("/", 0644, &t, &err), RC_USAGE);
	assert_int_equal(tempfile_open("..", 0644, &t, &err), RC_USAGE);
}

static void test_outdir(void **state)
{
	AUTO_FREE char *path = in_dir("report/");
	AUTO_FREE char *file = in_dir("report/a.txt");
	AUTO(outdir) d = NULL;
	struct outdir *again = NULL;
	struct err err = ERR_INIT;
	struct stat st;
	int fd = -1;

	(void)state;
	assert_int_equal(outdir_open(path, &d, &err), RC_OK);
	assert_int_equal(outdir_add(d, "a.txt", 0644, &fd, &err), RC_OK);
	assert_int_equal(file_write_all(fd, SPAN_LIT("a"), "a.txt", &err), RC_OK);
	assert_int_equal(outdir_add(d, "b.txt", 0600, &fd, &err), RC_OK);
	assert_int_equal(outdir_add(d, "a.txt", 0600, &fd, &err), RC_EXISTS);
	assert_int_equal(outdir_add(d, "../c", 0600, &fd, &err), RC_INTERNAL);
	assert_int_equal(outdir_add(d, "..", 0600, &fd, &err), RC_INTERNAL);
	assert_int_equal(count_entries(dir), 0);
	assert_int_equal(outdir_commit(d, &err), RC_OK);
	assert_int_equal(count_entries(dir), 1);
	assert_int_equal(count_entries(path), 2);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(outdir_open(path, &again, &err), RC_EXISTS);
}

static void test_outdir_target_appears_meanwhile(void **state)
{
	AUTO_FREE char *path = in_dir("report");
	AUTO(outdir) d = NULL;
	AUTO(outdir) unused = NULL;
	struct err err = ERR_INIT;
	int fd = -1;

	(void)state;
	assert_int_equal(outdir_open(path, &unused, &err), RC_OK);
	assert_int_equal(outdir_open(path, &d, &err), RC_OK);
	assert_int_equal(outdir_add(d, "a.txt", 0644, &fd, &err), RC_OK);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(outdir_commit(d, &err), RC_EXISTS);
	assert_int_equal(count_entries(dir), 1);
	assert_int_equal(count_entries(path), 0);
}

static int trusted(const char *path, bool private)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err err = ERR_INIT;

	assert_true(fd >= 0);
	return file_check_trusted(fd, path, private, &err);
}

static void test_trusted(void **state)
{
	AUTO_FREE char *folder = in_dir("d");
	AUTO_FREE char *path = in_dir("d/settings");
	AUTO_FREE char *way = in_dir("way");
	AUTO_FREE char *by_link = in_dir("way/settings");

	(void)state;
	assert_int_equal(mkdir(folder, 0700), 0);
	put(path, "x");
	chmod(path, 0644);
	assert_int_equal(trusted(path, false), RC_OK);
	assert_int_equal(trusted(path, true), RC_REFUSED);
	chmod(path, 0600);
	assert_int_equal(trusted(path, true), RC_OK);
	chmod(path, 0660);
	assert_int_equal(trusted(path, false), RC_REFUSED);
	chmod(path, 0602);
	assert_int_equal(trusted(path, false), RC_REFUSED);
	chmod(path, 0600);
	chmod(folder, 0777);
	assert_int_equal(trusted(path, false), RC_REFUSED);
	chmod(folder, 01777);
	assert_int_equal(trusted(path, false), RC_OK);
	chmod(folder, 0755);
	assert_int_equal(symlink(folder, way), 0);
	assert_int_equal(trusted(by_link, false), RC_OK);
	assert_int_equal(trusted(folder, false), RC_REFUSED);
	/* another file than the one that is open */
	{
		AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		AUTO_CLOSE int other = -1;
		AUTO_FREE char *other_path = in_dir("d/other");
		struct err err = ERR_INIT;

		put(other_path, "y");
		chmod(other_path, 0600);
		other = open(other_path, O_RDONLY | O_CLOEXEC);
		assert_int_equal(file_check_trusted(fd, path, false, &err), RC_REFUSED);
		assert_int_equal(file_check_trusted(other, path, false, &err), RC_REFUSED);
	}
}

static void test_trusted_owner(void **state)
{
	AUTO_FREE char *path = in_dir("settings");

	(void)state;
	/* of root: a plain user believes it, if it isn't to be private */
	if (geteuid() != 0) {
		assert_int_equal(trusted("/etc/passwd", false), RC_OK);
		assert_int_equal(trusted("/etc/passwd", true), RC_REFUSED);
		return;
	}
	put(path, "x");
	assert_int_equal(chown(path, 65534, 65534), 0);
	chmod(path, 0600);
	assert_int_equal(trusted(path, false), RC_REFUSED);
}

static void test_unnamed(void **state)
{
	struct err err = ERR_INIT;
	struct stat st;
	int fd = -1;

	(void)state;
	setenv("TMPDIR", dir, 1);
	assert_int_equal(file_unnamed(false, &fd, &err), RC_OK);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_nlink, 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(count_entries(dir), 0);
	close(fd);
	setenv("TMPDIR", "/nonexistent", 1);
	assert_int_equal(file_unnamed(false, &fd, &err), RC_IO);
	unsetenv("TMPDIR");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_mapping_file),
		CASE(test_mapping_odd_inputs),
		CASE(test_mapping_sealed_memfd_is_not_copied),
		CASE(test_mapping_pipe),
		CASE(test_file_read_cap),
		CASE(test_sink_fd),
		CASE(test_tempfile),
		CASE(test_old_filesystem),
		CASE(test_tempfile_without_commit),
		CASE(test_outdir),
		CASE(test_outdir_target_appears_meanwhile),
		CASE(test_trusted),
		CASE(test_trusted_owner),
		CASE(test_unnamed),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
