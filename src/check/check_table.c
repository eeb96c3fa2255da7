/* SPDX-License-Identifier: Apache-2.0 */
#include "check_internal.h"

#include <stdlib.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

/*
 * The plain search: bits for the hash of four bytes say whether a needle could be there; then a
 * bucket of needles and memcmp.
 */

#define FILTER_BITS_MAX 26		/* 8 MiB; a hash of 32 bits has no more to give */

static const char *const enc_names[ENC_COUNT] = {
	[ENC_PLAIN] = "as it is", [ENC_GDB] = "with C escapes", [ENC_HEX] = "as hex",
	[ENC_BASE64] = "as base64", [ENC_URL] = "URL-escaped", [ENC_JSON] = "JSON-escaped",
	[ENC_XML] = "with XML's references", [ENC_UTF16] = "as UTF-16", [ENC_INTEGER] = "as an integer",
};

/* How common four bytes are in logs and gdb's text: digits of pointers, padding and escapes are. */
static unsigned gram_cost(const char *p)
{
	static const uint8_t costs[256] = {
		['0'] = 4, ['\\'] = 4, ['\0'] = 4, [' '] = 4,
		['1' ... '9'] = 3, ['a' ... 'z'] = 2, ['A' ... 'Z'] = 1,
	};
	unsigned cost = 0;

	for (int i = 0; i < 4; i++)
		cost += costs[(unsigned char)p[i]];
	return cost;
}

void check_needle(struct check *c, struct span bytes, enum kind kind, enum check_enc enc,
		  enum check_bound bound, enum check_level level)
{
	struct needle n = { .off = (uint32_t)c->bytes.len, .len = (uint32_t)bytes.len,
			    .kind = (uint8_t)kind, .enc = (uint8_t)enc,
			    .bound = (uint8_t)bound, .level = (uint8_t)level };

	if (bytes.len < 4)
		return;
	/* short ones are looked for at the beginning of words */
	if (bytes.len < CHECK_LONG && bound == BOUND_NONE)
		n.bound = BOUND_WORD;
	buf_add_span(&c->bytes, bytes);
	GROW(c->needles, c->n_needles, c->cap_needles);
	c->needles[c->n_needles++] = n;
	if (enc < ENC_COUNT && !c->what[kind][enc])
		c->what[kind][enc] = xasprintf("known %s, %s", value_kind_name(kind), enc_names[enc]);
}

static void gram_add(struct gram_index *x, const char *p, uint32_t needle, uint32_t at)
{
	if (x->n >= x->cap) {
		x->cap = x->cap ? x->cap * 2 : 1024;
		x->unsorted = xreallocarray(x->unsorted, x->cap, sizeof(*x->unsorted));
	}
	x->unsorted[x->n++] = (struct gram_at){ check_gram(p), needle, at };
}

/* Four grams, one behind the other, at the needle's least common place. */
static void index_long(struct check *c, uint32_t needle)
{
	const struct needle *n = &c->needles[needle];
	const char *p = c->bytes.p + n->off;
	unsigned least = UINT32_MAX;
	uint32_t best = 0;

	/* a long value's head is enough to choose from */
	for (uint32_t at = 0; at + CHECK_LONG <= n->len && at < 64; at++) {
		unsigned cost = gram_cost(p + at) + gram_cost(p + at + CHECK_STRIDE - 1);

		if (cost < least) {
			least = cost;
			best = at;
		}
	}
	for (uint32_t i = 0; i < CHECK_STRIDE; i++)
		gram_add(&c->index, p + best + i, needle, best + i);
}

static uint32_t bucket_of(const struct gram_index *x, uint32_t gram)
{
	return check_hash(gram) >> (32 - (x->bits - 5));
}

static void index_sort(struct gram_index *x)
{
	size_t n_buckets;

	for (x->bits = 12; x->bits < FILTER_BITS_MAX && x->n << 4 > (size_t)1 << x->bits; )
		x->bits++;
	n_buckets = (size_t)1 << (x->bits - 5);
	x->filter = xcalloc((size_t)1 << (x->bits - 5), sizeof(*x->filter));
	x->bucket = xcalloc(n_buckets + 2, sizeof(*x->bucket));
	x->v = xcalloc(x->n + 1, sizeof(*x->v));
	/* counted one further than their bucket, then summed, then filled: starts move up to ends */
	for (size_t i = 0; i < x->n; i++) {
		uint32_t h = check_hash(x->unsorted[i].gram);

		x->filter[check_word(x, h)] |= check_bits(x, h);
		x->bucket[bucket_of(x, x->unsorted[i].gram) + 2]++;
	}
	for (size_t b = 2; b < n_buckets + 2; b++)
		x->bucket[b] += x->bucket[b - 1];
	for (size_t i = 0; i < x->n; i++)
		x->v[x->bucket[bucket_of(x, x->unsorted[i].gram) + 1]++] = x->unsorted[i];
	free(x->unsorted);
	x->unsorted = NULL;
}

static void index_done(struct gram_index *x)
{
	free(x->filter);
	free(x->bucket);
	free(x->v);
	free(x->unsorted);
	*x = (struct gram_index){ 0 };
}

void check_table_build(struct check *c)
{
	check_table_done(c);
	check_shape_heads(c);
	for (uint32_t i = 0; i < c->n_needles; i++) {
		const struct needle *n = &c->needles[i];

		if (n->len >= CHECK_LONG) {
			index_long(c, i);
			continue;
		}
		c->odd_starts |= !is_word(c->bytes.p[n->off]);
		for (unsigned k = 0; k < 4; k++)
			c->odd_heads |= !is_word(c->bytes.p[n->off + k]) ||
					(c->bytes.p[n->off + k] & 0x80);
		gram_add(&c->shorts, c->bytes.p + n->off, i, 0);
	}
	index_sort(&c->index);
	index_sort(&c->shorts);
}

void check_table_done(struct check *c)
{
	index_done(&c->index);
	index_done(&c->shorts);
	c->odd_starts = c->odd_heads = false;
}

static void look_needle(struct look *l, const struct needle *n, size_t off)
{
	const struct check *c = l->c;

	if (l->text.len - off < n->len || memcmp(l->text.p + off, c->bytes.p + n->off, n->len) != 0)
		return;
	if (n->enc > ENC_COUNT) {
		if (!l->memory)
			check_shape_head(l, n->enc, off);
		return;
	}
	if (check_bound_holds(n->bound, l->text, off, n->len) && !look_in_token(l->text, off, n->len))
		look_item(l, (struct check_item){ n->level, n->kind, true, c->what[n->kind][n->enc], off,
						  n->len });
}

static void look_index(struct look *l, const struct gram_index *x, size_t p, uint32_t gram)
{
	uint32_t b = bucket_of(x, gram);

	for (uint32_t i = x->bucket[b]; i < x->bucket[b + 1]; i++)
		if (x->v[i].gram == gram && p >= x->v[i].at)
			look_needle(l, &l->c->needles[x->v[i].needle], p - x->v[i].at);
}

static inline __attribute__((always_inline)) bool filter_has(const struct gram_index *x,
							     uint32_t gram)
{
	uint32_t h = check_hash(gram);
	uint32_t bits = check_bits(x, h);

	return (x->filter[check_word(x, h)] & bits) == bits;
}

#define INNERMOST static inline __attribute__((always_inline))

/* Bits of places whose next bits, up to n, are set too; what is behind the block may be
   anything's. */
INNERMOST uint64_t goes_on(uint64_t bits, unsigned n)
{
	uint64_t all = bits;

	for (unsigned i = 1; i <= n; i++)
		all &= bits >> i | ~(~(uint64_t)0 >> i);
	return all;
}

/* Short needles at the beginnings of words, behind escapes too (\n, \000). */
INNERMOST void look_words(struct look *l, size_t p, const char *bytes, const struct block *b)
{
	const struct gram_index *x = &l->c->shorts, near = { .bits = x->bits, .filter = x->filter };
	uint64_t starts = ~block_shift(b->word, l->word, 1) | block_shift(b->slash, l->slash, 2) |
			  block_shift(b->slash, l->slash, 4);

	if (!l->c->odd_heads)
		starts &= goes_on(b->ascii, 3);
	else if (!l->c->odd_starts)
		starts &= b->word;
	for (; starts; starts &= starts - 1) {
		unsigned i = (unsigned)__builtin_ctzll(starts);
		uint32_t gram = check_gram(bytes + i);

		if (__builtin_expect(filter_has(&near, gram), 0))
			look_index(l, x, p + i, gram);
	}
	l->word = b->word;
	l->slash = b->slash;
}

INNERMOST void look_grams(struct look *l, size_t p, const char *bytes)
{
	const struct gram_index *x = &l->c->index, near = { .bits = x->bits, .filter = x->filter };

	for (unsigned i = 0; i < 64; i += CHECK_STRIDE) {
		uint32_t gram = check_gram(bytes + i);

		if (__builtin_expect(filter_has(&near, gram), 0))
			look_index(l, x, p + i, gram);
	}
}

INNERMOST void look_known_plain(struct look *l, size_t p, const char *bytes, const struct block *b)
{
	look_grams(l, p, bytes);
	if (b)
		look_words(l, p, bytes, b);
}

#ifdef __x86_64__
/* With shifts that take any register: a third faster. */
__attribute__((target("bmi,bmi2"))) static void
look_known_bmi2(struct look *l, size_t p, const char *bytes, const struct block *b)
{
	look_known_plain(l, p, bytes, b);
}
#endif

/* b: with words, or NULL if there are no short needles. */
static void look_known(struct look *l, size_t p, const char *bytes, const struct block *b)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("bmi2") && __builtin_cpu_supports("bmi")) {
		look_known_bmi2(l, p, bytes, b);
		return;
	}
#endif
	look_known_plain(l, p, bytes, b);
}

/* 64 bytes of text at p; they and eight more can be read at `bytes`. */
static void look_block(struct look *l, size_t p, const char *bytes)
{
	bool words = l->c->shorts.n > 0;
	struct block b;

	check_block(bytes, words, &b);
	look_known(l, p, bytes, words ? &b : NULL);
	check_shapes(l, p, &b, is_digit(bytes[64]));
}

void check_scan(struct look *l)
{
	char last[64 + 8];
	size_t p = 0;

	for (; p + sizeof(last) <= l->text.len && l->rc >= 0; p += 64)
		look_block(l, p, l->text.p + p);
	/* the last bytes, with line ends behind them */
	for (; p < l->text.len && l->rc >= 0; p += 64) {
		size_t n = l->text.len - p < sizeof(last) ? l->text.len - p : sizeof(last);

		memset(last, '\n', sizeof(last));
		memcpy(last, l->text.p + p, n);
		look_block(l, p, last);
	}
}

#ifdef __x86_64__
/* The grams at eight places, four bytes apart: a bit for each that the filter has. */
__attribute__((target("avx2"))) static inline unsigned eight_grams(const struct gram_index *x,
								   const char *p)
{
	const __m256i five = _mm256_set1_epi32(31), one = _mm256_set1_epi32(1);
	__m256i h = _mm256_mullo_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p),
				       _mm256_set1_epi32((int)CHECK_HASH));
	__m256i at = _mm256_srl_epi32(h, _mm_cvtsi32_si128(32 - ((int)x->bits - 5)));
	__m256i low = _mm256_srl_epi32(h, _mm_cvtsi32_si128(32 - ((int)x->bits - 5) - 10));
	__m256i words = _mm256_i32gather_epi32((const int *)(const void *)x->filter, at, 4);
	__m256i bits = _mm256_or_si256(
		_mm256_sllv_epi32(one, _mm256_and_si256(low, five)),
		_mm256_sllv_epi32(one, _mm256_and_si256(_mm256_srli_epi32(low, 5), five)));
	__m256i has = _mm256_cmpeq_epi32(_mm256_and_si256(words, bits), bits);

	return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(has));
}

/* look_grams, and look_words where there are short needles. */
__attribute__((target("avx2,bmi,bmi2"))) static void
look_known_avx2(struct look *l, size_t p, const char *bytes, const struct block *b)
{
	const struct gram_index *x = &l->c->index, near = { .bits = x->bits, .filter = x->filter };
	unsigned hits = eight_grams(&near, bytes) | eight_grams(&near, bytes + 32) << 8;

	for (; hits; hits &= hits - 1) {
		unsigned i = (unsigned)__builtin_ctz(hits) * CHECK_STRIDE;

		look_index(l, x, p + i, check_gram(bytes + i));
	}
	if (b)
		look_words(l, p, bytes, b);
}
#endif

/* A needle that is longer than this begins in zeros only if it is zeros. */
static bool block_is_zero(const char *bytes)
{
	uint64_t words[8], any = 0;

	memcpy(words, bytes, sizeof(words));
	for (unsigned i = 0; i < 8; i++)
		any |= words[i];
	return any == 0;
}

void check_scan_memory(struct look *l, size_t from, size_t to)
{
	bool words = l->c->shorts.n > 0;
	char last[64 + 8];
#ifdef __x86_64__
	bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
#endif

	for (size_t p = from / 64 * 64; p < to && p < l->text.len && l->rc >= 0; p += 64) {
		const char *bytes = l->text.p + p;
		struct block b;

		if (l->text.len - p < sizeof(last)) {
			memset(last, 0, sizeof(last));
			bytes = memcpy(last, bytes, l->text.len - p);
		}
		if (block_is_zero(bytes)) {
			l->word = l->slash = 0;
			continue;
		}
		if (words)
			check_block_words(bytes, &b);
#ifdef __x86_64__
		if (avx2) {
			look_known_avx2(l, p, bytes, words ? &b : NULL);
			continue;
		}
#endif
		look_known(l, p, bytes, words ? &b : NULL);
	}
}
