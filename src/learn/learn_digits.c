/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

/* Where a number can be: six digits with at most three separators between two of them, by bits. */

#ifdef __SSE2__
/* A bit for each of 64 bytes that is a digit. */
static inline uint64_t digit_bits(const char *p)
{
	uint64_t bits = 0;

	for (unsigned at = 0; at < 64; at += 16) {
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
		__m128i d = _mm_sub_epi8(c, _mm_set1_epi8('0'));
		__m128i in = _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d);

		bits |= (uint64_t)(unsigned)_mm_movemask_epi8(in) << at;
	}
	return bits;
}

/* The same for separators. */
static inline uint64_t separator_bits(const char *p)
{
	uint64_t bits = 0;

	for (unsigned at = 0; at < 64; at += 16) {
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
		__m128i mark = _mm_sub_epi8(c, _mm_set1_epi8('-')), bow = _mm_sub_epi8(c, _mm_set1_epi8('('));
		__m128i in = _mm_cmpeq_epi8(_mm_min_epu8(mark, _mm_set1_epi8('/' - '-')), mark);

		in = _mm_or_si128(in, _mm_cmpeq_epi8(_mm_min_epu8(bow, _mm_set1_epi8(')' - '(')), bow));
		in = _mm_or_si128(in, _mm_cmpeq_epi8(c, _mm_set1_epi8(' ')));
		bits |= (uint64_t)(unsigned)_mm_movemask_epi8(in) << at;
	}
	return bits;
}

#ifdef __x86_64__
/* Both for functions that are built for AVX2. */
__attribute__((target("avx2"))) static inline uint64_t digit_bits_avx2(const char *p)
{
	uint64_t bits[2];

	for (unsigned i = 0; i < 2; i++) {
		__m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * i));
		__m256i d = _mm256_sub_epi8(c, _mm256_set1_epi8('0'));
		__m256i in = _mm256_cmpeq_epi8(_mm256_min_epu8(d, _mm256_set1_epi8(9)), d);

		bits[i] = (unsigned)_mm256_movemask_epi8(in);
	}
	return bits[1] << 32 | bits[0];
}

__attribute__((target("avx2"))) static inline uint64_t separator_bits_avx2(const char *p)
{
	uint64_t bits[2];

	for (unsigned i = 0; i < 2; i++) {
		__m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * i));
		__m256i mark = _mm256_sub_epi8(c, _mm256_set1_epi8('-'));
		__m256i bow = _mm256_sub_epi8(c, _mm256_set1_epi8('('));
		__m256i marks = _mm256_min_epu8(mark, _mm256_set1_epi8('/' - '-'));
		__m256i bows = _mm256_min_epu8(bow, _mm256_set1_epi8(')' - '('));
		__m256i in = _mm256_or_si256(_mm256_cmpeq_epi8(marks, mark), _mm256_cmpeq_epi8(bows, bow));

		in = _mm256_or_si256(in, _mm256_cmpeq_epi8(c, _mm256_set1_epi8(' ')));
		bits[i] = (unsigned)_mm256_movemask_epi8(in);
	}
	return bits[1] << 32 | bits[0];
}
#endif

/* Each bit n places further; the top ones come out of the block before. */
static inline uint64_t further(uint64_t now, uint64_t before, unsigned n)
{
	return now << n | before >> (64 - n);
}

/* Chains of digits in a row of blocks: bits of those that have one more before them, two more,
   … */
struct chains {
	uint64_t digit[LEARN_DIGITS_MIN - 1];	/* of the block before */
	uint64_t separator, longer;	/* its; all of digit[] but the first */
};

#define INNERMOST static inline __attribute__((always_inline))

INNERMOST uint64_t digits(const char *p, bool avx2)
{
#ifdef __x86_64__
	if (avx2)
		return digit_bits_avx2(p);
#endif
	return digit_bits(p);
}

INNERMOST uint64_t separators(const char *p, bool avx2)
{
#ifdef __x86_64__
	if (avx2)
		return separator_bits_avx2(p);
#endif
	return separator_bits(p);
}

/* The bits of the digits at p that are a sixth one or more, with at most three separators between
   two. */
INNERMOST uint64_t sixth_digits(struct chains *c, const char *p, bool avx2)
{
	uint64_t now = digits(p, avx2), first = c->digit[0], near, reach[3];

	near = further(now, first, 1) | further(now, first, 2) | further(now, first, 3) |
	       further(now, first, 4);
	if (!(now & near) && !c->longer) {
		c->digit[0] = now;
		c->separator = now ? separators(p, avx2) : 0;
		return 0;
	}
	near = separators(p, avx2);
	reach[0] = further(near, c->separator, 1);
	reach[1] = reach[0] & further(near, c->separator, 2);
	reach[2] = reach[1] & further(near, c->separator, 3);
	c->separator = near;
	c->longer = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(c->digit); i++) {
		uint64_t before = c->digit[i], next = further(now, before, 1);

		for (unsigned n = 0; n < ARRAY_SIZE(reach); n++)
			next |= reach[n] & further(now, before, n + 2);
		c->digit[i] = now;
		c->longer |= i ? now : 0;
		now = next & c->digit[0];
	}
	return now;
}

#define CHAIN_MOST (LEARN_DIGITS_MIN + (LEARN_DIGITS_MIN - 1) * 3)

INNERMOST size_t find_sixth(struct span t, size_t p, size_t end, size_t *ret_stop, bool avx2)
{
	struct chains c = { .longer = 0 };
	size_t block = p / 64 * 64;

	*ret_stop = end;
	for (block -= block ? 64 : 0; block < end; block += 64) {
		uint64_t sixth;
		size_t at;

		if (t.len - block < 64)
			return block > p + CHAIN_MOST ? block - CHAIN_MOST : p;
		sixth = sixth_digits(&c, t.p + block, avx2);
		if (block + 64 <= p)
			continue;
		if (block < p)
			sixth &= ~(uint64_t)0 << (p - block);
		if (!sixth)
			continue;
		at = block + (unsigned)__builtin_ctzll(sixth);
		*ret_stop = at + 1 < end ? at + 1 : end;
		return at > p + CHAIN_MOST ? at - CHAIN_MOST : p;
	}
	return end;
}

#ifdef __x86_64__
__attribute__((target("avx2,bmi,bmi2"))) static size_t find_sixth_avx2(struct span t, size_t p,
								       size_t end, size_t *ret_stop)
{
	return find_sixth(t, p, end, ret_stop, true);
}
#endif

size_t learn_find_digits(struct span t, size_t p, size_t end, size_t *ret_stop)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
		return find_sixth_avx2(t, p, end, ret_stop);
#endif
	return find_sixth(t, p, end, ret_stop, false);
}
#else
size_t learn_find_digits(struct span t, size_t p, size_t end, size_t *ret_stop)
{
	(void)t;
	*ret_stop = end;
	return p < end ? p : end;
}
#endif
