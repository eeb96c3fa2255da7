/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <corescrub/age.h>
#include <corescrub/artifact_seal.h>
#include <corescrub/bundle.h>

/* One identity for all tests, and what it opens. */
static struct buf key, recipient;

static struct age_recipients *to_us(void)
{
	struct age_recipients *r = age_recipients_new();

	assert_int_equal(age_recipients_add(r, buf_span(&recipient), NULL), RC_OK);
	return r;
}

static int unnamed(void)
{
	int fd;

	assert_int_equal(file_unnamed(false, &fd, NULL), RC_OK);
	return fd;
}

static void test_nothing_clear_without_recipients(void **state)
{
	AUTO(age_recipients) none = age_recipients_new();
	AUTO_CLOSE int fd = unnamed();
	AUTO_BUF text = BUF_INIT;
	struct sealed *s = NULL;

	(void)state;
	buf_add_str(&text, "clear");
	assert_int_equal(sealed_from_fd(none, "core", fd, false, &s, NULL), RC_REFUSED);
	assert_int_equal(sealed_from_fd(NULL, "core", fd, false, &s, NULL), RC_REFUSED);
	assert_int_equal(sealed_from_buf(none, "etc/a", &text, false, &s, NULL), RC_REFUSED);
	assert_int_equal(sealed_from_link(none, "sysroot/a", "b", &s, NULL), RC_REFUSED);
	assert_null(s);
	assert_string_equal(text.p, "clear");
}

static struct sealed *seal_text(const struct age_recipients *to, const char *name, const char *content)
{
	AUTO_BUF text = BUF_INIT;
	struct sealed *s = NULL;

	buf_add_str(&text, content);
	assert_int_equal(sealed_from_buf(to, name, &text, true, &s, NULL), RC_OK);
	return s;
}

/* A file of 3 MiB and a bit: a hole, data, a hole, data up to `end`, a hole. */
static int sparse_file(uint64_t size)
{
	int fd = unnamed();
	AUTO_FREE char *bytes = xmalloc(100000);

	for (size_t i = 0; i < 100000; i++)
		bytes[i] = (char)(i % 251 + 1);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(pwrite(fd, bytes, 100000, MIB(1) + 5), 100000);
	assert_int_equal(pwrite(fd, bytes, 70000, MIB(2) + 4096), 70000);
	return fd;
}

/* Packs a core, a link, texts; gives the clear tar.zst. */
static void pack(int core, bool *ret_of_data, uint8_t ret_digest[DIGEST_LEN], int *ret_fd)
{
	AUTO(age_recipients) to = to_us();
	AUTO(age_identities) ids = age_identities_new();
	AUTO(age_writer) w = NULL;
	AUTO(bundle_stream) b = NULL;
	AUTO(sealed) file = NULL;
	AUTO(sealed) link = NULL;
	AUTO(sealed) manifest = seal_text(to, "manifest.json", "{}\n");
	AUTO(sealed) script = seal_text(to, "etc/\xff odd", "x");
	AUTO_CLOSE int packed = unnamed();
	struct sink_fd out, clear;
	uint8_t digest[DIGEST_LEN];
	bool of_data;

	*ret_fd = unnamed();
	assert_int_equal(age_identities_read(ids, buf_span(&key), "key", NULL), RC_OK);
	assert_int_equal(sealed_from_fd(to, "core", core, false, &file, NULL), RC_OK);
	assert_int_equal(sealed_from_link(to, "sysroot/lib/c.so", "../usr/lib/c.so", &link, NULL), RC_OK);
	sink_fd_init(&out, packed, "packed");
	sink_fd_init(&clear, *ret_fd, "clear");
	assert_int_equal(age_encrypt(to, false, &out.sink, &w, NULL), RC_OK);
	assert_int_equal(bundle_stream_open("p", 1700000000, 2, w, &b, NULL), RC_OK);
	assert_int_equal(bundle_stream_sealed(b, file, ret_of_data, ret_digest, NULL), RC_OK);
	assert_int_equal(bundle_stream_sealed(b, script, &of_data, digest, NULL), RC_OK);
	assert_int_equal(bundle_stream_sealed(b, link, &of_data, digest, NULL), RC_OK);
	assert_false(of_data);
	assert_int_equal(bundle_stream_end(b, manifest, NULL), RC_OK);
	assert_int_equal(age_encrypt_end(w, NULL), RC_OK);
	assert_int_equal(sink_fd_flush(&out, NULL), RC_OK);
	assert_int_equal(lseek(packed, 0, SEEK_SET), 0);
	assert_int_equal(age_decrypt(packed, "packed", ids, &clear.sink, NULL), RC_OK);
	assert_int_equal(sink_fd_flush(&clear, NULL), RC_OK);
}

static char *output_of(const char *command, int fd)
{
	AUTO_FREE char *full = xasprintf("{ %s; } <&%d 2>/dev/null", command, fd);
	struct buf b = BUF_INIT;
	char piece[4096];
	size_t n;
	FILE *f;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fcntl(fd, F_SETFD, 0), 0);
	f = popen(full, "r");
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(&b, piece, n);
	buf_add_str(&b, "");
	if (pclose(f) != 0)
		fail_msg("%s: %s", full, b.p);
	return buf_steal(&b);
}

static void test_tar_reads_it(void **state)
{
	AUTO_CLOSE int core = sparse_file(MIB(3) + 123);
	AUTO_CLOSE int tar = -1;
	AUTO_FREE char *listed = NULL;
	AUTO_FREE char *digest = NULL;
	AUTO_FREE char *blocks = NULL;
	uint8_t expected[DIGEST_LEN];
	char hex[2 * DIGEST_LEN + 1];
	bool of_data = true;

	(void)state;
	pack(core, &of_data, expected, &tar);
	assert_false(of_data);
	listed = output_of("LC_ALL=C TZ=UTC tar --full-time --zstd -tvf -", tar);
	assert_string_equal(listed,
		"-rw-r--r-- root/root   3145851 2023-11-14 22:13:20 p/core\n"
		"-rwxr-xr-x root/root         1 2023-11-14 22:13:20 p/etc/\\377 odd\n"
		"lrwxrwxrwx root/root         0 2023-11-14 22:13:20 p/sysroot/lib/c.so -> ../usr/lib/c.so\n"
		"-rw-r--r-- root/root         3 2023-11-14 22:13:20 p/manifest.json\n");
	digest = output_of("tar --zstd -xOf - p/core | sha256sum | cut -c 1-64", tar);
	digest_hex(expected, DIGEST_LEN, hex);
	assert_memory_equal(digest, hex, 2 * DIGEST_LEN);
	/* the holes stay out of the archive */
	blocks = output_of("zstd -dc | wc -c", tar);
	assert_true(atoi(blocks) < 200000);
}

static void test_the_same_bytes(void **state)
{
	AUTO_CLOSE int core = sparse_file(MIB(3));
	AUTO_FREE char *sums[2] = { NULL, NULL };
	uint8_t digest[DIGEST_LEN];
	bool of_data;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		AUTO_CLOSE int tar = -1;

		pack(core, &of_data, digest, &tar);
		sums[i] = output_of("sha256sum", tar);
	}
	assert_string_equal(sums[0], sums[1]);
	free(STEAL(sums[1]));
}

/* What is mostly holes is known by its data, wherever the holes are made. */
static void test_a_large_hole(void **state)
{
	static const char zero[4096];
	uint64_t size = (uint64_t)40 << 30;
	AUTO_CLOSE int core = sparse_file(size);
	AUTO_CLOSE int tar = -1;
	uint8_t packed[DIGEST_LEN], again[DIGEST_LEN];
	AUTO_FREE char *listed = NULL;
	bool of_data = false;

	(void)state;
	pack(core, &of_data, packed, &tar);
	assert_true(of_data);
	listed = output_of("LC_ALL=C tar --zstd -tvf - | grep -c ' 42949672960 .* p/core'", tar);
	assert_string_equal(listed, "1\n");
	assert_int_equal(pwrite(core, zero, sizeof(zero), (off_t)size / 2 + 77), sizeof(zero));
	assert_int_equal(bundle_digest(core, true, again, NULL), RC_OK);
	assert_memory_equal(packed, again, DIGEST_LEN);
	assert_int_equal(pwrite(core, "x", 1, (off_t)size / 2), 1);
	assert_int_equal(bundle_digest(core, true, again, NULL), RC_OK);
	assert_memory_not_equal(packed, again, DIGEST_LEN);
}

static void test_order_and_names(void **state)
{
	static const char *const bad[] = { "/etc/a", "../a", "sysroot/../../a", "b//c", "", "z/" };
	AUTO(age_recipients) to = to_us();
	AUTO(age_writer) w = NULL;
	AUTO(bundle_stream) b = NULL;
	AUTO(sealed) first = seal_text(to, "b", "1");
	AUTO(sealed) before = seal_text(to, "a", "1");
	struct sink_buf out;
	uint8_t digest[DIGEST_LEN];
	bool of_data;

	(void)state;
	sink_buf_init(&out);
	assert_int_equal(age_encrypt(to, false, &out.sink, &w, NULL), RC_OK);
	assert_int_equal(bundle_stream_open("..", 0, 1, w, &b, NULL), RC_REFUSED);
	assert_int_equal(bundle_stream_open("p", 0, 1, w, &b, NULL), RC_OK);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO(sealed) s = seal_text(to, bad[i], "x");

		assert_int_equal(bundle_stream_sealed(b, s, &of_data, digest, NULL), RC_REFUSED);
	}
	assert_int_equal(bundle_stream_sealed(b, first, &of_data, digest, NULL), RC_OK);
	assert_int_equal(bundle_stream_sealed(b, first, &of_data, digest, NULL), RC_INTERNAL);
	assert_int_equal(bundle_stream_sealed(b, before, &of_data, digest, NULL), RC_INTERNAL);
	buf_done(&out.buf);
}

static void test_a_file_that_shrinks(void **state)
{
	AUTO(age_recipients) to = to_us();
	AUTO(age_writer) w = NULL;
	AUTO(bundle_stream) b = NULL;
	AUTO(sealed) s = NULL;
	AUTO_CLOSE int core = sparse_file(MIB(3));
	struct err err = ERR_INIT;
	uint8_t digest[DIGEST_LEN];
	struct sink_buf out;
	bool of_data;

	(void)state;
	sink_buf_init(&out);
	assert_int_equal(sealed_from_fd(to, "core", core, false, &s, NULL), RC_OK);
	assert_int_equal(age_encrypt(to, false, &out.sink, &w, NULL), RC_OK);
	assert_int_equal(bundle_stream_open("p", 0, 1, w, &b, NULL), RC_OK);
	assert_int_equal(pwrite(core, "x", 1, MIB(3) - 1), 1);
	assert_int_equal(ftruncate(core, MIB(1) + 50), 0);
	/* only what is left of it can be read: not what was promised in the header */
	assert_int_equal(bundle_stream_sealed(b, s, &of_data, digest, &err), RC_IO);
	buf_done(&out.buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_clear_without_recipients),
		cmocka_unit_test(test_tar_reads_it),
		cmocka_unit_test(test_the_same_bytes),
		cmocka_unit_test(test_a_large_hole),
		cmocka_unit_test(test_order_and_names),
		cmocka_unit_test(test_a_file_that_shrinks),
	};

	age_keygen(0, &key, &recipient);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
