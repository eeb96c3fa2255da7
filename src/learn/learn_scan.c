/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#include <stdlib.h>

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

void learn_look_both(struct learned_scanner *s, size_t at, uint64_t eight)
{
	const struct gram_table *tables[] = { &s->l->wide, &s->l->narrow };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		const struct gram_table *t = tables[i];
		uint64_t hash = gram_hash(t, eight), bits = gram_bits(hash);

		if (at + t->q <= s->text.len && gram_probe(t, eight) &&
		    (t->filter[gram_word(t->bits, hash)] & bits) == bits)
			look_up(s, t, at, hash);
	}
}

/* The places from `at` on, below end; the one behind the last. */
static inline __attribute__((always_inline)) size_t scan_places(struct learned_scanner *s,
								size_t at, size_t end)
{
	const struct gram_table wide = gram_sieve(&s->l->wide);
	const struct gram_table narrow = gram_sieve(&s->l->narrow);
	const char *t = s->text.p;

	for (; at < end && s->rc >= 0; at += LEARN_STRIDE) {
		uint64_t eight = gram_load(t + at);

		if (__builtin_expect(gram_probe(&wide, eight) | gram_probe(&narrow, eight), 0))
			learn_look_both(s, at, eight);
	}
	return at;
}

#ifdef __x86_64__
/* With shifts that take any register: a third faster. */
__attribute__((target("bmi2"))) static size_t scan_places_bmi2(struct learned_scanner *s, size_t at,
							       size_t end)
{
	return scan_places(s, at, end);
}
#endif

static size_t scan_places_any(struct learned_scanner *s, size_t at, size_t end)
{
	if (s->memory)
		at = learn_scan_memory(s, at, end);
#ifdef __x86_64__
	if (__builtin_cpu_supports("bmi2"))
		return scan_places_bmi2(s, at, end);
#endif
	return scan_places(s, at, end);
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
		learn_look_both(s, at, gram_load(last));
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
