/* SPDX-License-Identifier: Apache-2.0 */
#include "check_internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* 64 bytes at once: a bit for each that is a digit, hex digit, and so on. */

#ifdef __SSE2__

/* 0xff where lo <= c <= lo + span, unsigned. */
static __m128i in_range(__m128i c, char lo, char span)
{
	__m128i d = _mm_sub_epi8(c, _mm_set1_epi8(lo));

	return _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(span)), d);
}

static uint64_t bits_of(__m128i m, unsigned at)
{
	return (uint64_t)(unsigned)_mm_movemask_epi8(m) << at;
}

void check_block_words(const char *p, struct block *ret)
{
	ret->word = ret->ascii = ret->slash = 0;
	for (unsigned at = 0; at < 64; at += 16) {
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
		__m128i lower = _mm_or_si128(c, _mm_set1_epi8(0x20));
		__m128i word = _mm_or_si128(in_range(c, '0', 9), in_range(lower, 'a', 25));

		word = _mm_or_si128(word, _mm_cmpeq_epi8(c, _mm_set1_epi8('_')));
		ret->ascii |= bits_of(word, at);
		/* movemask takes the top bit: what isn't ASCII is part of a word */
		ret->word |= bits_of(_mm_or_si128(word, c), at);
		ret->slash |= bits_of(_mm_cmpeq_epi8(c, _mm_set1_epi8('\\')), at);
	}
}

void check_block(const char *p, bool words, struct block *ret)
{
	*ret = (struct block){ 0 };
	if (words)
		check_block_words(p, ret);
	for (unsigned at = 0; at < 64; at += 16) {
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
		__m128i lower = _mm_or_si128(c, _mm_set1_epi8(0x20));
		__m128i digit = in_range(c, '0', 9), af = in_range(lower, 'a', 5);
		__m128i colon = _mm_cmpeq_epi8(c, _mm_set1_epi8(':'));
		__m128i equal = _mm_cmpeq_epi8(c, _mm_set1_epi8('='));

		ret->digit |= bits_of(digit, at);
		ret->hex |= bits_of(_mm_or_si128(digit, af), at);
		ret->dot |= bits_of(_mm_cmpeq_epi8(c, _mm_set1_epi8('.')), at);
		ret->colon |= bits_of(colon, at);
		ret->sign |= bits_of(_mm_or_si128(colon, equal), at);
		ret->upper |= bits_of(in_range(c, 'A', 25), at);
	}
}

#else

void check_block_words(const char *p, struct block *ret)
{
	ret->word = ret->ascii = ret->slash = 0;
	for (unsigned at = 0; at < 64; at++) {
		ret->ascii |= (uint64_t)(is_word(p[at]) && !(p[at] & 0x80)) << at;
		ret->word |= (uint64_t)is_word(p[at]) << at;
		ret->slash |= (uint64_t)(p[at] == '\\') << at;
	}
}

void check_block(const char *p, bool words, struct block *ret)
{
	*ret = (struct block){ 0 };
	if (words)
		check_block_words(p, ret);
	for (unsigned at = 0; at < 64; at++) {
		uint64_t bit = (uint64_t)1 << at;

		ret->digit |= is_digit(p[at]) ? bit : 0;
		ret->hex |= is_hex(p[at]) ? bit : 0;
		ret->dot |= p[at] == '.' ? bit : 0;
		ret->colon |= p[at] == ':' ? bit : 0;
		ret->sign |= p[at] == ':' || p[at] == '=' ? bit : 0;
		ret->upper |= p[at] >= 'A' && p[at] <= 'Z' ? bit : 0;
	}
}

#endif
