/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/run/core_pipe.h"

#include <corescrub/base.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* A file of chunks with holes: each chunk is looked at, taken in order, and looked at again with
   what its neighbours were made of around it. */

#define CHUNKS 9
#define SIZE   ((CHUNKS - 1) * (uint64_t)PIPE_CHUNK + 5000)

static const bool is_hole[CHUNKS] = { [3] = true, [5] = true, [6] = true };

struct seen {
	const struct elfcore_range *only;
	size_t n_only;
	uint64_t fails; /* the chunk that fails in its second look; CHUNKS: none */
	bool fails_take;
	uint64_t taken, taken_again;
	uint64_t order[CHUNKS], order_again[CHUNKS];
};

static char raw(uint64_t off)
{
	return is_hole[off / PIPE_CHUNK] ? '\0' : (char)(1 + (off * 2654435761u >> 8) % 100);
}

static bool is_visited(const struct seen *s, uint64_t off)
{
	uint64_t chunk = off / PIPE_CHUNK;

	for (size_t i = 0; s->only && i < s->n_only; i++)
		if (s->only[i].off / PIPE_CHUNK == chunk)
			return true;
	return !s->only && !is_hole[chunk];
}

static int make_file(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	char *bytes = malloc(PIPE_CHUNK);

	assert_true(fd >= 0 && bytes && ftruncate(fd, SIZE) == 0);
	for (uint64_t off = 0; off < SIZE; off += PIPE_CHUNK) {
		size_t n = SIZE - off < PIPE_CHUNK ? (size_t)(SIZE - off) : PIPE_CHUNK;

		for (size_t i = 0; i < n; i++)
			bytes[i] = raw(off + i);
		if (!is_hole[off / PIPE_CHUNK])
			assert_int_equal(pwrite(fd, bytes, n, (off_t)off), n);
	}
	free(bytes);
	return fd;
}

static int look(void *ctx, unsigned thread, struct pipe_chunk *c, struct err *err)
{
	(void)ctx;
	(void)thread;
	for (size_t i = 0; i < c->bytes.len; i++)
		if (c->bytes.p[i] != raw(c->off + i))
			return err_set(err, RC_INTERNAL, "not the file's byte");
	return RC_OK;
}

static int take(void *ctx, struct pipe_chunk *c, struct err *err)
{
	struct seen *s = ctx;

	(void)err;
	s->order[s->taken++] = (c->off + c->from) / PIPE_CHUNK;
	for (size_t i = c->from; i < c->to; i++)
		c->bytes.p[i] ^= 0x7f;
	return RC_OK;
}

static int look_again(void *ctx, unsigned thread, struct pipe_chunk *c, struct err *err)
{
	const struct seen *s = ctx;

	(void)thread;
	for (size_t i = 0; i < c->bytes.len; i++) {
		uint64_t off = c->off + i;

		if (c->bytes.p[i] != (is_visited(s, off) ? raw(off) ^ 0x7f : '\0'))
			return err_set(err, RC_INTERNAL, "not what the takes left");
	}
	if (!s->fails_take && (c->off + c->from) / PIPE_CHUNK == s->fails)
		return err_set(err, RC_LEAK, "found");
	return RC_OK;
}

static int take_again(void *ctx, struct pipe_chunk *c, struct err *err)
{
	struct seen *s = ctx;
	uint64_t chunk = (c->off + c->from) / PIPE_CHUNK;

	s->order_again[s->taken_again++] = chunk;
	return s->fails_take && chunk == s->fails ? err_set(err, RC_LEAK, "found") : RC_OK;
}

static int run_pipe(struct seen *s, unsigned threads, int fd)
{
	struct err err = ERR_INIT;
	struct pipe_job job = { .fd = fd, .size = SIZE, .only = s->only, .n_only = s->n_only,
				.threads = threads, .look = look, .take = take,
				.look_again = look_again, .take_again = take_again, .ctx = s };

	return pipe_run(&job, &err);
}

static void test_all_chunks(void **state)
{
	static const uint64_t wanted[] = { 0, 1, 2, 4, 7, 8 };
	int fd = make_file();

	(void)state;
	for (unsigned threads = 1; threads <= 8; threads++) {
		struct seen s = { .fails = CHUNKS };

		assert_int_equal(run_pipe(&s, threads, fd), RC_OK);
		assert_int_equal(s.taken, ARRAY_SIZE(wanted));
		assert_int_equal(s.taken_again, ARRAY_SIZE(wanted));
		assert_memory_equal(s.order, wanted, sizeof(wanted));
		assert_memory_equal(s.order_again, wanted, sizeof(wanted));
	}
	close(fd);
}

/* What no chunk holds is written nowhere: around a chunk it is zeros, whatever the file has. */
static void test_only_some(void **state)
{
	const struct elfcore_range only[] = { { 100, 5 },
					      { PIPE_CHUNK * 2, 1 },
					      { PIPE_CHUNK * 8 + 4000, 10 } };
	int fd = make_file();

	(void)state;
	for (unsigned threads = 1; threads <= 3; threads++) {
		struct seen s = { .only = only, .n_only = ARRAY_SIZE(only), .fails = CHUNKS };

		assert_int_equal(run_pipe(&s, threads, fd), RC_OK);
		assert_int_equal(s.taken_again, 3);
		assert_int_equal(s.order_again[1], 2);
		assert_int_equal(s.order_again[2], 8);
	}
	close(fd);
}

static void test_no_chunks(void **state)
{
	struct seen s = { .fails = CHUNKS };
	int fd = memfd_create("test", MFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0 && ftruncate(fd, SIZE) == 0);
	assert_int_equal(run_pipe(&s, 2, fd), RC_OK);
	assert_int_equal(s.taken + s.taken_again, 0);
	close(fd);
}

static void test_second_look_fails(void **state)
{
	int fd = make_file();

	(void)state;
	for (unsigned threads = 1; threads <= 3; threads++)
		for (uint64_t chunk = 0; chunk < CHUNKS; chunk++) {
			struct seen looks = { .fails = chunk };
			struct seen takes = { .fails = chunk, .fails_take = true };
			int rc = is_hole[chunk] ? RC_OK : RC_LEAK;

			assert_int_equal(run_pipe(&looks, threads, fd), rc);
			assert_int_equal(run_pipe(&takes, threads, fd), rc);
		}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_chunks),
		cmocka_unit_test(test_only_some),
		cmocka_unit_test(test_no_chunks),
		cmocka_unit_test(test_second_look_fails),
	};

	return cmocka_run_group_tests_name("core_pipe", tests, NULL, NULL);
}
