/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BASE_TEXT_BITS_H
#define CORESCRUB_BASE_TEXT_BITS_H

#include <stdbool.h>
#include <stdint.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

/* What of a core's bytes is text: printable ASCII, tab and line ends. Inline: innermost loops. */

static inline bool byte_is_text(unsigned char c)
{
	return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
}

/* A bit for each of 64 bytes at p that is text, and for each that is NUL. */
static inline __attribute__((always_inline)) void text_bits(const char *p, uint64_t *ret_text,
							    uint64_t *ret_zero)
{
	uint64_t text = 0, zero = 0;
#ifdef __SSE2__
	for (unsigned at = 0; at < 64; at += 16) {
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
		/* signed: what has the top bit is below 0x20 too */
		__m128i print = _mm_andnot_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8(0x7f)),
						 _mm_cmpgt_epi8(c, _mm_set1_epi8(0x1f)));
		__m128i space = _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('\n')),
					     _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('\r')),
							  _mm_cmpeq_epi8(c, _mm_set1_epi8('\t'))));

		text |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(print, space)) << at;
		zero |= (uint64_t)(unsigned)_mm_movemask_epi8(
				_mm_cmpeq_epi8(c, _mm_setzero_si128()))
			<< at;
	}
#else
	for (unsigned i = 0; i < 64; i++) {
		text |= (uint64_t)byte_is_text((unsigned char)p[i]) << i;
		zero |= (uint64_t)(p[i] == 0) << i;
	}
#endif
	*ret_text = text;
	*ret_zero = zero;
}

#ifdef __x86_64__
/* The same for functions that are built for AVX2. */
__attribute__((target("avx2"))) static inline void text_bits_avx2(const char *p, uint64_t *ret_text,
								  uint64_t *ret_zero)
{
	uint64_t text[2], zero[2];

	for (unsigned i = 0; i < 2; i++) {
		__m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * i));
		__m256i print = _mm256_andnot_si256(_mm256_cmpeq_epi8(c, _mm256_set1_epi8(0x7f)),
						    _mm256_cmpgt_epi8(c, _mm256_set1_epi8(0x1f)));
		__m256i space = _mm256_or_si256(
			_mm256_cmpeq_epi8(c, _mm256_set1_epi8('\n')),
			_mm256_or_si256(_mm256_cmpeq_epi8(c, _mm256_set1_epi8('\r')),
					_mm256_cmpeq_epi8(c, _mm256_set1_epi8('\t'))));

		text[i] = (unsigned)_mm256_movemask_epi8(_mm256_or_si256(print, space));
		zero[i] = (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(c, _mm256_setzero_si256()));
	}
	*ret_text = text[1] << 32 | text[0];
	*ret_zero = zero[1] << 32 | zero[0];
}
#endif

#endif
