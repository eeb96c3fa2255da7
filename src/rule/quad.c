/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

#include <stdlib.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

/*
 * Quads: what a regex without a word has that can be looked for, as "digit dot digit". Shift-and
 * with one bit a quad: a table for each of the four last bytes says which quads could have that
 * byte there. libhs does such things in an automaton for each regex, which for twenty of them is
 * much slower.
 *
 * Where the processor has AVX2, a sieve goes before: quads in eight bins, and for each of the
 * places a table for each half of a byte. What it lets pass is looked up in the full tables.
 */

#define BINS   8
#define PLACES RULE_QUAD

struct quad_pass {
	uint64_t at[RULE_QUAD][256]; /* [0]: the last byte, [3]: three bytes before it */
	uint8_t low[PLACES][16], high[PLACES][16];
	uint32_t target[64];
	unsigned n;
};

static bool has_byte(const uint8_t set[32], unsigned b)
{
	return set[b / 8] >> b % 8 & 1;
}

/* How common a byte is in what we read, roughly. */
static double byte_weight(unsigned b)
{
	if ((b >= '0' && b <= '9') || (b >= 'a' && b <= 'z'))
		return 0.018;
	return b >= ' ' && b < 0x7f ? 0.006 : 0.001;
}

/* How often the sieve would let a byte pass for one bin, with one more quad in it (or NULL). */
static double bin_passes(const struct quad_pass *p, unsigned bin, const uint8_t *quad)
{
	double all = 1;

	for (size_t place = 0; place < PLACES; place++) {
		const uint8_t *set = quad ? quad + (RULE_QUAD - 1 - place) * 32 : NULL;
		unsigned low = 0, high = 0;
		double some = 0;

		for (unsigned n = 0; n < 16; n++) {
			low |= (p->low[place][n] >> bin & 1u) << n;
			high |= (p->high[place][n] >> bin & 1u) << n;
		}
		for (unsigned b = 0; set && b < 256; b++) {
			low |= (unsigned)has_byte(set, b) << (b & 15);
			high |= (unsigned)has_byte(set, b) << (b >> 4);
		}
		for (unsigned b = 0; b < 256; b++)
			if (low >> (b & 15) & high >> (b >> 4) & 1)
				some += byte_weight(b);
		all *= some;
	}
	return all;
}

/* The bin that suffers least from one more quad takes it. */
static void add_to_sieve(struct quad_pass *p, const uint8_t *quad)
{
	double least = 1e9;
	unsigned best = 0;

	for (unsigned bin = 0; bin < BINS; bin++) {
		double more = bin_passes(p, bin, quad) - bin_passes(p, bin, NULL);

		if (more < least) {
			least = more;
			best = bin;
		}
	}
	for (size_t place = 0; place < PLACES; place++) {
		for (unsigned b = 0; b < 256; b++) {
			if (!has_byte(quad + (RULE_QUAD - 1 - place) * 32, b))
				continue;
			p->low[place][b & 15] |= (uint8_t)(1u << best);
			p->high[place][b >> 4] |= (uint8_t)(1u << best);
		}
	}
}

void rule_quads_add(struct scan_set *set, const struct rule_hint *hint, size_t target)
{
	for (size_t q = 0; q < hint->n_quads; q++) {
		const uint8_t *bytes = (const uint8_t *)hint->text + q * RULE_QUAD_BYTES;
		struct quad_pass *p = set->n_passes ? set->passes[set->n_passes - 1] : NULL;

		if (!p || p->n == 64) {
			GROW(set->passes, set->n_passes, set->cap_passes);
			p = set->passes[set->n_passes++] = xcalloc(1, sizeof(*p));
		}
		for (size_t place = 0; place < RULE_QUAD; place++)
			for (unsigned b = 0; b < 256; b++)
				if (has_byte(bytes + place * 32, b))
					p->at[RULE_QUAD - 1 - place][b] |= (uint64_t)1 << p->n;
		add_to_sieve(p, bytes);
		p->target[p->n++] = (uint32_t)target;
	}
}

void rule_quads_free(struct scan_set *set)
{
	for (size_t i = 0; i < set->n_passes; i++)
		free(set->passes[i]);
	free(set->passes);
}

static void on_quads(struct rule_scanner *s, const struct quad_pass *p, uint64_t bits, size_t end)
{
	for (; bits && s->rc == RC_OK; bits &= bits - 1) {
		const struct scan_target *t = &s->set->targets[p->target[__builtin_ctzll(bits)]];

		if (end + t->after > s->state[s->set->units[t->first]].done)
			rule_confirm(s, t, end);
	}
}

/* Byte i of the text, which has three before it. */
static inline void try_place(struct rule_scanner *s, const struct quad_pass *p, const uint8_t *t,
			     size_t i)
{
	uint64_t bits =
		p->at[0][t[i]] & p->at[1][t[i - 1]] & p->at[2][t[i - 2]] & p->at[3][t[i - 3]];

	if (__builtin_expect(bits != 0, 0))
		on_quads(s, p, bits, i + 1);
}

#ifdef __x86_64__
/* Which of the eight bins each of 32 bytes could be in, as the byte at `place`. */
__attribute__((target("avx2"))) static inline __m256i sieve(const struct quad_pass *p, size_t place,
							    const uint8_t *t)
{
	__m256i bytes = _mm256_loadu_si256((const __m256i *)t), half = _mm256_set1_epi8(15);
	__m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p->low[place]));
	__m256i high =
		_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p->high[place]));

	return _mm256_and_si256(
		_mm256_shuffle_epi8(low, _mm256_and_si256(bytes, half)),
		_mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half)));
}

/* From i on, as far as there are 32 bytes before end; where it stopped. */
__attribute__((target("avx2"))) static size_t
scan_avx2(struct rule_scanner *s, const struct quad_pass *p, size_t i, size_t end)
{
	const uint8_t *t = (const uint8_t *)s->text.p;

	for (; i + 32 <= end && s->rc == RC_OK; i += 32) {
		uint32_t some;
		__m256i bins = _mm256_and_si256(
			sieve(p, 0, t + i),
			_mm256_and_si256(sieve(p, 1, t + i - 1), sieve(p, 2, t + i - 2)));

		bins = _mm256_and_si256(bins, sieve(p, 3, t + i - 3));
		some = ~(uint32_t)_mm256_movemask_epi8(
			_mm256_cmpeq_epi8(bins, _mm256_setzero_si256()));
		for (; some && s->rc == RC_OK; some &= some - 1)
			try_place(s, p, t, i + (size_t)__builtin_ctz(some));
	}
	return i;
}
#endif

static void scan_pass(struct rule_scanner *s, const struct quad_pass *p, size_t end)
{
	const uint8_t *t = (const uint8_t *)s->text.p;
	size_t i = s->base;

	/* the first bytes of the text have no three before them: quads that look there can't be
	   met, and shorter ones accept anything in those places, so any byte will do */
	for (; i < end && i < RULE_QUAD - 1 && s->rc == RC_OK; i++) {
		uint64_t bits = p->at[0][t[i]];

		for (size_t k = 1; k < RULE_QUAD; k++)
			bits &= p->at[k][i >= k ? t[i - k] : 0];
		on_quads(s, p, bits, i + 1);
	}
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		i = scan_avx2(s, p, i, end);
#endif
	for (; i < end && s->rc == RC_OK; i++)
		try_place(s, p, t, i);
}

void rule_quads_scan(struct rule_scanner *s, size_t end)
{
	for (size_t i = 0; i < s->set->n_passes && s->rc == RC_OK; i++) {
		s->line = s->line_end = s->base;
		scan_pass(s, s->set->passes[i], end);
	}
}
