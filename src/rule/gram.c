/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

#include <stdlib.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

/*
 * Grams: what a regex without a word has that can be looked for, as "digit dot digit": sets of
 * bytes for eight places in a row. libhs does such things in an automaton for each regex, which for
 * twenty of them is much slower.
 *
 * Shift-and with one bit a gram: a table for each place says which grams could have a byte there.
 * Where the processor has AVX2, a sieve goes before: grams in sixteen bins, and for each place a
 * table for each half of a byte. What it lets pass is looked up in the full tables.
 */

#define GRAMS	64 /* one pass looks for so many */
#define HALVES	2  /* eight bins each: one bit of a byte */
#define BINS	(8 * HALVES)
#define NO_BYTE 256 /* where the text has none: only the set of all bytes allows it */

struct nibbles {
	uint8_t low[RULE_GRAM][16], high[RULE_GRAM][16];
};

struct gram_pass {
	uint64_t at[RULE_GRAM][NO_BYTE + 1];
	struct nibbles sieve[HALVES];
	uint32_t target[GRAMS];
	unsigned n;
};

static bool has_byte(const uint8_t set[32], unsigned b)
{
	return set[b / 8] >> b % 8 & 1;
}

/* How common the halves of bytes are in what we read, roughly: digits and small letters. */
static double high_weight(unsigned n)
{
	static const double weights[8] = { 0.005, 0.005, 0.15, 0.25, 0.06, 0.05, 0.28, 0.2 };

	return n < ARRAY_SIZE(weights) ? weights[n] : 0.001;
}

static double low_weight(unsigned n)
{
	return n < 10 ? 0.08 : 0.033;
}

/* Sets of halves of bytes, for each place. */
struct halves {
	uint16_t low[RULE_GRAM], high[RULE_GRAM];
};

/* How often the sieve would let a place pass for a bin with one more gram in it. */
static double bin_passes(const struct gram_pass *p, unsigned bin, const struct halves *h)
{
	const struct nibbles *t = &p->sieve[bin / 8];
	double all = 1;

	for (size_t place = 0; place < RULE_GRAM; place++) {
		double lows = 0, highs = 0;

		for (unsigned n = 0; n < 16; n++) {
			if ((h->low[place] >> n | t->low[place][n] >> bin % 8) & 1)
				lows += low_weight(n);
			if ((h->high[place] >> n | t->high[place][n] >> bin % 8) & 1)
				highs += high_weight(n);
		}
		all *= lows * highs;
	}
	return all;
}

/* The bin that suffers least from one more gram takes it. */
static void add_to_sieve(struct gram_pass *p, const struct halves *h)
{
	static const struct halves none;
	double least = 1e9;
	unsigned best = 0;

	for (unsigned bin = 0; bin < BINS; bin++) {
		double more = bin_passes(p, bin, h) - bin_passes(p, bin, &none);

		if (more < least) {
			least = more;
			best = bin;
		}
	}
	for (size_t place = 0; place < RULE_GRAM; place++) {
		struct nibbles *t = &p->sieve[best / 8];

		for (unsigned n = 0; n < 16; n++) {
			t->low[place][n] |= (uint8_t)((h->low[place] >> n & 1) << best % 8);
			t->high[place][n] |= (uint8_t)((h->high[place] >> n & 1) << best % 8);
		}
	}
}

static void add_gram(struct gram_pass *p, const uint8_t *sets, size_t target)
{
	uint64_t bit = (uint64_t)1 << p->n;
	struct halves h = { .low = { 0 } };

	for (size_t place = 0; place < RULE_GRAM; place++) {
		unsigned n = 0;

		for (unsigned b = 0; b < 256; b++) {
			if (!has_byte(sets + place * 32, b))
				continue;
			n++;
			p->at[place][b] |= bit;
			h.low[place] |= (uint16_t)(1u << (b & 15));
			h.high[place] |= (uint16_t)(1u << (b >> 4));
		}
		if (n == 256)
			p->at[place][NO_BYTE] |= bit;
	}
	add_to_sieve(p, &h);
	p->target[p->n++] = (uint32_t)target;
}

void rule_grams_add(struct scan_set *set, const struct rule_hint *hint, size_t target)
{
	for (size_t g = 0; g < hint->n_grams; g++) {
		struct gram_pass *p = set->n_passes ? set->passes[set->n_passes - 1] : NULL;

		if (!p || p->n == GRAMS) {
			GROW(set->passes, set->n_passes, set->cap_passes);
			p = set->passes[set->n_passes++] = xcalloc(1, sizeof(*p));
		}
		add_gram(p, (const uint8_t *)hint->text + g * RULE_GRAM_BYTES, target);
	}
}

void rule_grams_free(struct scan_set *set)
{
	for (size_t i = 0; i < set->n_passes; i++)
		free(set->passes[i]);
	free(set->passes);
}

static void on_grams(struct rule_scanner *s, const struct gram_pass *p, uint64_t grams, size_t end)
{
	for (; grams && s->rc == RC_OK; grams &= grams - 1) {
		const struct scan_target *t = &s->set->targets[p->target[__builtin_ctzll(grams)]];

		if (end + t->after > s->state[s->set->units[t->first]].done)
			rule_confirm(s, t, end);
	}
}

/* Byte i of the text, wherever it stands. */
static void try_edge(struct rule_scanner *s, const struct gram_pass *p, size_t i)
{
	uint64_t grams = UINT64_MAX;

	for (size_t place = 0; place < RULE_GRAM && grams; place++) {
		size_t at = i + place + 1 - RULE_GRAM_END; /* wraps before the text's begin */

		grams &= p->at[place][at < s->text.len ? (uint8_t)s->text.p[at] : NO_BYTE];
	}
	on_grams(s, p, grams, i + 1);
}

#ifdef __x86_64__
/* Which of eight bins each of 32 bytes could be in, from its place's halves. */
__attribute__((target("avx2"))) static inline __m256i sieve(const struct nibbles *n, size_t place,
							    __m256i low, __m256i high)
{
	__m256i lows = _mm256_broadcastsi128_si256(
		_mm_loadu_si128((const __m128i *)n->low[place]));
	__m256i highs = _mm256_broadcastsi128_si256(
		_mm_loadu_si128((const __m128i *)n->high[place]));

	return _mm256_and_si256(_mm256_shuffle_epi8(lows, low), _mm256_shuffle_epi8(highs, high));
}

__attribute__((target("avx2"))) static inline uint32_t not_zero(__m256i v)
{
	return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_setzero_si256()));
}

/* Byte i of a text that has all places around it. */
static inline void try_place(struct rule_scanner *s, const struct gram_pass *p, size_t i)
{
	const uint8_t *t = (const uint8_t *)s->text.p + i + 1 - RULE_GRAM_END;
	uint64_t grams = p->at[0][t[0]] & p->at[1][t[1]] & p->at[2][t[2]] & p->at[3][t[3]] &
			 p->at[4][t[4]] & p->at[5][t[5]] & p->at[6][t[6]] & p->at[7][t[7]];

	if (grams)
		on_grams(s, p, grams, i + 1);
}

/* Candidates that end in the 32 bytes from i on. */
__attribute__((target("avx2"))) static inline void
scan_block(struct rule_scanner *s, const struct gram_pass *p, size_t i)
{
	const uint8_t *t = (const uint8_t *)s->text.p + i + 1 - RULE_GRAM_END;
	__m256i half = _mm256_set1_epi8(15), first = _mm256_set1_epi8(-1), second = first;
	uint32_t some;

	for (size_t place = 0; place < RULE_GRAM; place++) {
		__m256i bytes = _mm256_loadu_si256((const __m256i *)(t + place));
		__m256i low = _mm256_and_si256(bytes, half);
		__m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half);

		first = _mm256_and_si256(first, sieve(&p->sieve[0], place, low, high));
		second = _mm256_and_si256(second, sieve(&p->sieve[1], place, low, high));
	}
	some = not_zero(_mm256_or_si256(first, second));
	for (; some && s->rc == RC_OK; some &= some - 1)
		try_place(s, p, i + (size_t)__builtin_ctz(some));
}

/* From i on, as far as the sieve can look; where it stopped. */
__attribute__((target("avx2"))) static size_t
scan_avx2(struct rule_scanner *s, const struct gram_pass *p, size_t i, size_t end)
{
	for (; i + 32 <= end && i + 32 + RULE_GRAM - RULE_GRAM_END <= s->text.len &&
	       s->rc == RC_OK;
	     i += 32)
		scan_block(s, p, i);
	return i;
}
#endif

static void scan_pass(struct rule_scanner *s, const struct gram_pass *p, size_t end)
{
	size_t i = s->base;

	for (; i < end && i < RULE_GRAM_END && s->rc == RC_OK; i++)
		try_edge(s, p, i);
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		i = scan_avx2(s, p, i, end);
#endif
	for (; i < end && s->rc == RC_OK; i++)
		try_edge(s, p, i);
}

void rule_grams_scan(struct rule_scanner *s, size_t end)
{
	for (size_t i = 0; i < s->set->n_passes && s->rc == RC_OK; i++) {
		s->line = s->line_end = s->base;
		scan_pass(s, s->set->passes[i], end);
	}
}
