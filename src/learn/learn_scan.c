/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The pass over a text: grams at every third place, short words at word starts, spaced numbers. */

#define LONG_RUN 64

void learn_scanner_init(struct learned_scanner *s, struct learned *l)
{
	memset(s, 0, sizeof(*s));
	s->l = l;
	s->held_shown = xcalloc(l->n + 1, 1);
	s->last = xcalloc(l->n_patterns + 1, sizeof(*s->last));
}

void learn_scanner_done(struct learned_scanner *s)
{
	free(s->held_shown);
	free(s->last);
}

/* The text at `at` has the gram at hay: how far do both agree? */
static void extend(struct learned_scanner *s, uint32_t pattern, size_t at, uint32_t hay)
{
	const struct learned *l = s->l;
	const struct pattern *p = &l->patterns[pattern];
	struct last_run *last = &s->last[pattern];
	uint32_t head = hay, tail = hay;
	size_t begin = at, end = at;

	/* the same run, met at one of its next grams; in a long one no other is looked for, or a value
	   that repeats itself would cost the square of its length */
	if (last->scan == s->scan && at < last->end && at >= last->begin &&
	    (at - last->begin == (size_t)hay - last->head || last->end - last->begin > LONG_RUN))
		return;
	while (head > p->off && begin > 0 && s->text.p[begin - 1] == l->hay.p[head - 1]) {
		head--;
		begin--;
	}
	while (tail < p->off + p->len && end < s->text.len && s->text.p[end] == l->hay.p[tail]) {
		tail++;
		end++;
	}
	*last = (struct last_run){ end, begin, head, s->scan };
	if (begin >= s->from && begin < s->to)
		learn_verdict(s, p, begin, head, tail - head);
}

static void look_up(struct learned_scanner *s, const struct gram_table *t, size_t at, uint64_t hash)
{
	size_t b = gram_bucket(t, hash);

	for (uint32_t i = t->bucket[b]; i < t->bucket[b + 1]; i++) {
		const struct gram_entry *e = &t->sorted[i];

		if (memcmp(s->text.p + at, s->l->hay.p + e->hay, t->q) == 0)
			extend(s, e->pattern, at, e->hay);
	}
}

static inline __attribute__((always_inline)) unsigned probe(const struct gram_table *t, uint64_t eight)
{
	uint64_t hash = gram_hash(t, eight), bits = gram_bits(hash);

	return (t->filter[gram_word(t, hash)] & bits) == bits;
}

static void look_both(struct learned_scanner *s, size_t at, uint64_t eight)
{
	const struct gram_table *tables[] = { &s->l->wide, &s->l->narrow };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (at + tables[i]->q <= s->text.len && probe(tables[i], eight))
			look_up(s, tables[i], at, gram_hash(tables[i], eight));
}

/* The places from `at` on, below end; the one behind the last. */
static inline __attribute__((always_inline)) size_t scan_places(struct learned_scanner *s, size_t at,
								size_t end)
{
	const struct gram_table *tw = &s->l->wide, *tn = &s->l->narrow;
	const struct gram_table wide = { .filter = tw->filter, .mask = tw->mask, .bits = tw->bits };
	const struct gram_table narrow = { .filter = tn->filter, .mask = tn->mask, .bits = tn->bits };
	const char *t = s->text.p;

	for (; at < end && s->rc >= 0; at += LEARN_STRIDE) {
		uint64_t eight = gram_load(t + at);

		if (__builtin_expect(probe(&wide, eight) | probe(&narrow, eight), 0))
			look_both(s, at, eight);
	}
	return at;
}

#ifdef __SSE2__
/* A bit for each of 64 bytes that is text, and that is NUL. */
static inline __attribute__((always_inline)) void classify(const char *p, uint64_t *ret_text,
							   uint64_t *ret_zero)
{
	uint64_t text = 0, zero = 0;

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
				_mm_cmpeq_epi8(c, _mm_setzero_si128())) << at;
	}
	*ret_text = text;
	*ret_zero = zero;
}

#define BLOCK 60		/* a gram that begins in them has its first four bytes in 64 */

/* The places where four bytes are text, in ASCII or UTF-16. */
static inline __attribute__((always_inline)) uint64_t text_places(uint64_t t, uint64_t z)
{
	uint64_t tt = t & t >> 1, tz = t & z >> 1, zt = z & t >> 1;

	return (tt & tt >> 2) | (tz & tz >> 2) | (zt & zt >> 2);
}

/* scan_places for memory: where there is no text, only grams that are none are looked for. */
static inline __attribute__((always_inline)) size_t scan_memory(struct learned_scanner *s, size_t at,
								size_t end)
{
	const struct gram_table *tw = &s->l->wide, *tn = &s->l->narrow;
	const struct gram_table wide = { .filter = tw->filter, .mask = tw->mask, .bits = tw->bits };
	const struct gram_table narrow = { .filter = tn->filter, .mask = tn->mask, .bits = tn->bits };
	const struct gram_table wide_odd = { .odd = tw->odd, .mask = tw->mask, .odd_bits = tw->odd_bits };
	const struct gram_table narrow_odd = { .odd = tn->odd, .mask = tn->mask, .odd_bits = tn->odd_bits };
	uint64_t every = 0, odd = tw->n_odd + tn->n_odd ? UINT64_MAX : 0;
	const char *t = s->text.p;

	for (unsigned i = 0; i < BLOCK; i += LEARN_STRIDE)
		every |= (uint64_t)1 << i;
	for (; at + 64 <= end && s->rc >= 0; at += BLOCK) {
		uint64_t text, zero, places;

		classify(t + at, &text, &zero);
		text = text_places(text, zero);
		for (places = text & every; places; places &= places - 1) {
			unsigned i = (unsigned)__builtin_ctzll(places);
			uint64_t eight = gram_load(t + at + i);

			if (__builtin_expect(probe(&wide, eight) | probe(&narrow, eight), 0))
				look_both(s, at + i, eight);
		}
		if (zero == UINT64_MAX)
			continue;
		for (places = ~text & every & odd; places; places &= places - 1) {
			unsigned i = (unsigned)__builtin_ctzll(places);
			uint64_t eight = gram_load(t + at + i);
			size_t w = gram_odd(&wide_odd, gram_hash(&wide_odd, eight));
			size_t n = gram_odd(&narrow_odd, gram_hash(&narrow_odd, eight));

			if (__builtin_expect((wide_odd.odd[w / 64] >> w % 64 & 1) |
					     (narrow_odd.odd[n / 64] >> n % 64 & 1), 0))
				look_both(s, at + i, eight);
		}
	}
	return at;
}
#else
static size_t scan_memory(struct learned_scanner *s, size_t at, size_t end)
{
	(void)s;
	(void)end;
	return at;
}
#endif

#ifdef __x86_64__
__attribute__((target("bmi,bmi2"))) static size_t scan_memory_bmi2(struct learned_scanner *s, size_t at,
								   size_t end)
{
	return scan_memory(s, at, end);
}

/* The same with shifts that take any register: a third faster. */
__attribute__((target("bmi2"))) static size_t scan_places_bmi2(struct learned_scanner *s, size_t at,
							       size_t end)
{
	return scan_places(s, at, end);
}
#endif

static size_t scan_places_any(struct learned_scanner *s, size_t at, size_t end)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("bmi2") && __builtin_cpu_supports("bmi"))
		return scan_places_bmi2(s, s->memory ? scan_memory_bmi2(s, at, end) : at, end);
#endif
	return scan_places(s, s->memory ? scan_memory(s, at, end) : at, end);
}

/* Runs that begin in [from, to): their first probed place is at most two further. */
static void scan_grams(struct learned_scanner *s)
{
	size_t at = (s->from + LEARN_STRIDE - 1) / LEARN_STRIDE * LEARN_STRIDE;
	size_t end = s->text.len < 8 ? 0 : s->text.len - 7;
	const char *t = s->text.p;
	char last[16];

	if (s->l->wide.n + s->l->narrow.n == 0)
		return;
	/* a run whose first grams are padding is met later than at its beginning */
	if (end > s->to + KIB(1))
		end = s->to + KIB(1);
	at = scan_places_any(s, at, end);
	/* the last seven bytes, with zeros behind them */
	for (; at + s->l->narrow.q <= s->text.len && end + 7 >= s->text.len && s->rc >= 0;
	     at += LEARN_STRIDE) {
		memset(last, 0, sizeof(last));
		memcpy(last, t + at, s->text.len - at);
		look_both(s, at, gram_load(last));
	}
}

static void look_shorts(struct learned_scanner *s, size_t at)
{
	const struct learned *l = s->l;
	unsigned first = (unsigned char)s->text.p[at];

	for (uint32_t i = l->short_from[first]; i < l->short_from[first + 1]; i++) {
		const struct pattern *p = &l->patterns[l->shorts[i]];

		if (p->len <= s->text.len - at &&
		    memcmp(s->text.p + at, l->hay.p + p->off, p->len) == 0)
			learn_verdict(s, p, at, p->off, p->len);
	}
}

/* Words under six bytes. */
static void scan_shorts(struct learned_scanner *s)
{
	const uint64_t *heads = s->l->short_heads;

	if (!heads)
		return;
	for (size_t at = s->from; at < s->to && s->rc >= 0; at++) {
		unsigned pair = (unsigned)(unsigned char)s->text.p[at] << 8;

		if (at + 1 < s->text.len)
			pair |= (unsigned char)s->text.p[at + 1];
		if (__builtin_expect(heads[pair >> 6] >> (pair & 63) & 1, 0))
			look_shorts(s, at);
	}
}

int learn_scan_all(struct learned_scanner *s)
{
	/* what another text or range left behind means nothing in this one */
	if (++s->scan == 0) {
		memset(s->last, 0, (s->l->n_patterns + 1) * sizeof(*s->last));
		s->scan = 1;
	}
	scan_grams(s);
	scan_shorts(s);
	learn_phone_scan(s);
	return s->rc;
}
