/* SPDX-License-Identifier: Apache-2.0 */
#include "work_fixture.h"

#include <corescrub/archive.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Compressed cores: real compressors, a file of data and holes that ends in a hole, or does not. */

#define SIZE	(MIB(8) + 123)

static char work[] = "/tmp/test_sparse.XXXXXX";
static const char *const packers[] = { "zstd -q", "zstd -q -19 --long=27", "xz -0", "lz4 -q", "gzip -1",
				       "bzip2 -1" };

static int file_open(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", work, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	return fd;
}

static void plain_make(const char *name, bool ends_in_hole)
{
	char path[128], block[8192];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", work, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * i % 251 + 1);
	for (off_t at = 1000; at < (off_t)(SIZE - sizeof(block)); at += (off_t)MIB(1))
		assert_int_equal(pwrite(fd, block, sizeof(block), at), sizeof(block));
	assert_int_equal(ftruncate(fd, (off_t)SIZE), 0);
	if (!ends_in_hole)
		assert_int_equal(pwrite(fd, "z", 1, (off_t)SIZE - 1), 1);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(work))
		return -1;
	plain_make("holes", true);
	plain_make("data", false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return run("rm -rf %s", work);
}

static int unpack(const char *name, int *ret_fd)
{
	struct err err = ERR_INIT;
	int fd = file_open(name), rc = archive_unpack_sparse(fd, name, ret_fd, &err);

	close(fd);
	assert_int_equal(rc, err.code);
	assert_true(rc == RC_OK || (*ret_fd == -1 && strstr(err.msg, name)));
	return rc;
}

static void expect_same(int fd, const char *plain)
{
	AUTO_FREE char *a = xmalloc(SIZE), *b = xmalloc(SIZE);
	AUTO_CLOSE int other = file_open(plain);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, SIZE);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_nlink, 0);
	assert_true((uint64_t)st.st_blocks * 512 < MIB(1));
	assert_int_equal(pread(fd, a, SIZE, 0), SIZE);
	assert_int_equal(pread(other, b, SIZE, 0), SIZE);
	assert_memory_equal(a, b, SIZE);
}

static void test_compressors(void **state)
{
	static const char *const plains[] = { "holes", "data" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++)
		for (size_t k = 0; k < ARRAY_SIZE(plains); k++) {
			AUTO_CLOSE int fd = -1;

			assert_int_equal(run("%s <%s/%s >%s/packed", packers[i], work, plains[k], work), 0);
			assert_int_equal(unpack("packed", &fd), RC_OK);
			assert_true(fd >= 0);
			expect_same(fd, plains[k]);
		}
}

/* Some compressors write several frames, one behind the other. */
static void test_frames(void **state)
{
	AUTO_CLOSE int fd = -1;

	(void)state;
	assert_int_equal(run("cd %s && head -c 5000000 data | zstd -q >packed && "
			     "tail -c +5000001 data | zstd -q >>packed", work), 0);
	assert_int_equal(unpack("packed", &fd), RC_OK);
	expect_same(fd, "data");
}

static void test_plain(void **state)
{
	int fd = 77;

	(void)state;
	assert_int_equal(unpack("holes", &fd), RC_OK);
	assert_int_equal(fd, -1);
	assert_int_equal(run(": >%s/none", work), 0);
	assert_int_equal(unpack("none", &fd), RC_OK);
	assert_int_equal(fd, -1);
}

/* Cut anywhere, it is refused, and not taken for a shorter core. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		struct stat st;
		char path[128];
		int fd = -1;

		snprintf(path, sizeof(path), "%s/packed", work);
		assert_int_equal(run("%s <%s/data >%s", packers[i], work, path), 0);
		assert_int_equal(stat(path, &st), 0);
		for (int k = 9; k >= 0; k--) {
			off_t len = k == 9 ? st.st_size - 1 : 20 + (st.st_size - 24) * k / 9;

			assert_int_equal(truncate(path, len), 0);
			if (unpack("packed", &fd) != RC_FORMAT)
				fail_msg("%s, cut to %ld of %ld", packers[i], (long)len,
					 (long)st.st_size);
		}
	}
}

static void test_damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		int fd = -1;

		assert_int_equal(run("%s <%s/data >%s/packed && head -c 30 /dev/urandom | dd status=none "
				     "of=%s/packed bs=1 seek=300 conv=notrunc",
				     packers[i], work, work, work), 0);
		/* most have a sum to tell by; what has none gives some core */
		if (unpack("packed", &fd) == RC_OK)
			close(fd);
	}
}

/* A quarter of a gigabyte of zeros takes no room; as much of a letter is not unpacked. */
static void test_bomb(void **state)
{
	AUTO_CLOSE int fd = -1;
	struct stat st;

	(void)state;
	assert_int_equal(run("head -c 256M /dev/zero | zstd -q >%s/zeros", work), 0);
	assert_int_equal(unpack("zeros", &fd), RC_OK);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, (off_t)256 << 20);
	assert_true(st.st_blocks * 512 <= 8192);
	auto_close_p(&fd);
	fd = -1;
	assert_int_equal(run("head -c 100M /dev/zero | tr '\\0' A | zstd -q >%s/letters", work), 0);
	assert_int_equal(unpack("letters", &fd), RC_TOOBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compressors), cmocka_unit_test(test_frames),
		cmocka_unit_test(test_plain),	    cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged),	    cmocka_unit_test(test_bomb),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
