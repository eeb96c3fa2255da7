/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "age_fixture.h"

/* Whole files: what goes in comes out, and whatever is not whole or not as it was is refused. */

#define CHUNK KIB(64)
#define SEALED_CHUNK (CHUNK + 16)
#define FLIPS 2000

static const size_t sizes[] = {
	0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK - 1, 3 * CHUNK, 3 * CHUNK + 1,
};

static void round_trip(const struct pair *p, size_t n, size_t step, bool armor)
{
	AUTO_BUF clear = BUF_INIT;
	AUTO_BUF sealed = BUF_INIT;
	AUTO_BUF again = BUF_INIT;
	struct err err = ERR_INIT;

	fill(&clear, n);
	seal(p->to, armor, buf_span(&clear), step, &sealed);
	if (armor)
		assert_true(span_starts(buf_span(&sealed), SPAN_LIT("-----BEGIN AGE ")));
	assert_int_equal(unseal(p->by, buf_span(&sealed), &again, &err), RC_OK);
	assert_true(span_eq(buf_span(&clear), buf_span(&again)));
}

static void test_sizes(void **state)
{
	static const size_t steps[] = { 997, CHUNK, MIB(1) };
	struct pair p = pair_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t k = 0; k < ARRAY_SIZE(steps); k++) {
			round_trip(&p, sizes[i], steps[k], false);
			round_trip(&p, sizes[i], steps[k], true);
		}
	for (size_t n = 2; n < 200; n++)	/* every length of an armor's last line */
		round_trip(&p, n, 7, true);
	pair_done(&p);
}

static void test_overhead(void **state)
{
	struct pair p = pair_new();
	AUTO_BUF clear = BUF_INIT;
	AUTO_BUF empty = BUF_INIT;
	AUTO_BUF sealed = BUF_INIT;

	(void)state;
	fill(&clear, 2 * CHUNK);
	seal(p.to, false, span_make("", 0), 1, &empty);
	seal(p.to, false, buf_span(&clear), CHUNK, &sealed);
	assert_int_equal(empty.len, 184 + 16);	/* header and nonce, an empty chunk's tag */
	assert_int_equal(sealed.len, 184 + 2 * SEALED_CHUNK);	/* no empty one behind full ones */
	pair_done(&p);
}

static void flip(const struct pair *p, struct buf *sealed, struct span clear, size_t bit)
{
	AUTO_BUF got = BUF_INIT;

	sealed->p[bit / 8] ^= 1 << bit % 8;
	assert_true(unseal(p->by, buf_span(sealed), &got, NULL) < 0);
	/* authentic chunks in front of the damage, whole ones */
	assert_int_equal(got.len % CHUNK, 0);
	assert_true(got.len < clear.len && span_starts(clear, buf_span(&got)));
	if (bit / 8 < SEALED_CHUNK)
		assert_int_equal(got.len, 0);
	sealed->p[bit / 8] ^= 1 << bit % 8;
}

/* Each bit of the first 2,000 bytes. */
static void flip_all(size_t length, bool armor)
{
	struct pair p = pair_new();
	AUTO_BUF clear = BUF_INIT;
	AUTO_BUF sealed = BUF_INIT;
	AUTO_BUF again = BUF_INIT;

	fill(&clear, length);
	seal(p.to, armor, buf_span(&clear), CHUNK, &sealed);
	for (size_t bit = 0; bit < FLIPS * 8 && bit < sealed.len * 8; bit++)
		flip(&p, &sealed, buf_span(&clear), bit);
	assert_int_equal(unseal(p.by, buf_span(&sealed), &again, NULL), RC_OK);
	pair_done(&p);
}

static void test_every_flip(void **state)
{
	(void)state;
	flip_all(2500, false);
}

static void test_every_flip_armored(void **state)
{
	(void)state;
	flip_all(1100, true);	/* to its last line and newline */
}

static void test_random_flips(void **state)
{
	struct pair p = pair_new();
	AUTO_BUF clear = BUF_INIT;
	AUTO_BUF sealed = BUF_INIT;

	(void)state;
	fill(&clear, 3 * CHUNK + 100);
	seal(p.to, false, buf_span(&clear), CHUNK, &sealed);
	for (int i = 0; i < FLIPS; i++) {
		uint32_t random;

		digest_random(&random, sizeof(random));
		flip(&p, &sealed, buf_span(&clear), random % (sealed.len * 8));
	}
	pair_done(&p);
}

static void cut(const struct pair *p, struct span sealed, struct span clear, size_t n)
{
	AUTO_BUF got = BUF_INIT;

	assert_int_equal(unseal(p->by, span_sub(sealed, 0, n), &got, NULL), RC_FORMAT);
	assert_int_equal(got.len % CHUNK, 0);
	assert_true(span_starts(clear, buf_span(&got)));
}

static void test_truncation(void **state)
{
	struct pair p = pair_new();
	AUTO_BUF clear = BUF_INIT;
	AUTO_BUF sealed = BUF_INIT;
	struct span all;

	(void)state;
	fill(&clear, 4 * CHUNK);	/* the last chunk is full too */
	seal(p.to, false, buf_span(&clear), CHUNK, &sealed);
	all = buf_span(&sealed);
	for (size_t edge = 184; edge < all.len; edge += SEALED_CHUNK)
		for (size_t n = edge - 18; n <= edge + 18; n++)
			cut(&p, all, buf_span(&clear), n);
	for (size_t n = 0; n < 200; n++)
		cut(&p, all, buf_span(&clear), n);
	cut(&p, all, buf_span(&clear), all.len - 1);
	pair_done(&p);
}

static void test_truncated_armor(void **state)
{
	struct pair p = pair_new();
	AUTO_BUF clear = BUF_INIT;
	AUTO_BUF sealed = BUF_INIT;
	AUTO_BUF got = BUF_INIT;

	(void)state;
	fill(&clear, 300);
	seal(p.to, true, buf_span(&clear), CHUNK, &sealed);
	for (size_t n = 0; n + 1 < sealed.len; n++)
		cut(&p, buf_span(&sealed), buf_span(&clear), n);
	/* the last line may go without its newline */
	assert_int_equal(unseal(p.by, span_make(sealed.p, sealed.len - 1), &got, NULL), RC_OK);
	pair_done(&p);
}

static void expect_trailing(const struct pair *p, struct buf *sealed, const char *more, size_t n)
{
	AUTO_BUF got = BUF_INIT;
	size_t before = sealed->len;

	buf_add(sealed, more, n);
	assert_int_equal(unseal(p->by, buf_span(sealed), &got, NULL), RC_FORMAT);
	sealed->len = before;
}

static void test_trailing_bytes(void **state)
{
	struct pair p = pair_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		AUTO_BUF clear = BUF_INIT;
		AUTO_BUF sealed = BUF_INIT;
		AUTO_BUF armored = BUF_INIT;
		AUTO_BUF copy = BUF_INIT;

		fill(&clear, sizes[i]);
		seal(p.to, false, buf_span(&clear), CHUNK, &sealed);
		buf_add_span(&copy, buf_span(&sealed));
		expect_trailing(&p, &sealed, "\0", 1);
		expect_trailing(&p, &sealed, "\n", 1);
		expect_trailing(&p, &sealed, copy.p, copy.len);
		seal(p.to, true, buf_span(&clear), CHUNK, &armored);
		expect_trailing(&p, &armored, "x", 1);
		expect_trailing(&p, &armored, "\n\n-----BEGIN", 12);
	}
	pair_done(&p);
}

static void test_chunks_out_of_order(void **state)
{
	struct pair p = pair_new();
	AUTO_BUF clear = BUF_INIT;
	AUTO_BUF sealed = BUF_INIT;
	AUTO_BUF moved = BUF_INIT;
	AUTO_BUF got = BUF_INIT;
	struct span all;

	(void)state;
	fill(&clear, 4 * CHUNK);
	seal(p.to, false, buf_span(&clear), CHUNK, &sealed);
	all = buf_span(&sealed);
	buf_add_span(&moved, span_sub(all, 0, 184 + SEALED_CHUNK));
	buf_add_span(&moved, span_sub(all, 184 + 2 * SEALED_CHUNK, 184 + 3 * SEALED_CHUNK));
	buf_add_span(&moved, span_sub(all, 184 + SEALED_CHUNK, 184 + 2 * SEALED_CHUNK));
	buf_add_span(&moved, span_sub(all, 184 + 3 * SEALED_CHUNK, all.len));
	assert_int_equal(unseal(p.by, buf_span(&moved), &got, NULL), RC_FORMAT);
	assert_int_equal(got.len, CHUNK);
	pair_done(&p);
}

static int refuse(struct sink *s, struct span bytes, struct err *err)
{
	(void)s;
	(void)bytes;
	return err_set(err, RC_IO, "full");
}

static void test_failing_sinks(void **state)
{
	struct pair p = pair_new();
	AUTO(age_writer) w = NULL;
	AUTO_BUF sealed = BUF_INIT;
	AUTO_BUF clear = BUF_INIT;
	AUTO_CLOSE int fd = -1;
	struct sink full = { refuse };
	struct sink_buf out;

	(void)state;
	assert_int_equal(age_encrypt(p.to, false, &full, &w, NULL), RC_IO);
	assert_null(w);
	sink_buf_init(&out);
	assert_int_equal(age_encrypt(p.to, false, &out.sink, &w, NULL), RC_OK);
	out.sink.write = refuse;
	fill(&clear, 2 * CHUNK);
	assert_int_equal(age_writer_sink(w)->write(age_writer_sink(w), buf_span(&clear), NULL),
			 RC_IO);
	/* it stays so: no last chunk behind a gap */
	assert_true(age_encrypt_end(w, NULL) < 0);
	buf_done(&out.buf);
	seal(p.to, false, SPAN_LIT("text"), 1, &sealed);
	assert_int_equal(file_unnamed(true, &fd, NULL), RC_OK);
	assert_int_equal(file_write_all(fd, buf_span(&sealed), "memory", NULL), RC_OK);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(age_decrypt(fd, "memory", p.by, &full, NULL), RC_IO);
	pair_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_overhead),
		cmocka_unit_test(test_every_flip),
		cmocka_unit_test(test_every_flip_armored),
		cmocka_unit_test(test_random_flips),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_truncated_armor),
		cmocka_unit_test(test_trailing_bytes),
		cmocka_unit_test(test_chunks_out_of_order),
		cmocka_unit_test(test_failing_sinks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
