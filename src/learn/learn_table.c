/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#include <stdlib.h>

/*
 * The index of all spellings. Grams of a pattern stand in a table by their hash, three in a row of
 * any run that counts, so a text needs to be probed at every third place only. A pattern that only
 * counts whole has three of its grams there, at its least ordinary place.
 */

#define WIDE 6
#define NARROW 4
#define WIDE_RUN (WIDE + LEARN_STRIDE - 1)
#define NARROW_RUN (NARROW + LEARN_STRIDE - 1)
#define FILTER_BITS_MAX 26
#define SAME_GRAM_MAX 64	/* of one pattern: more is padding */
#define SAME_GRAM_SLOTS 4096

void learn_pattern_add(struct learned *l, struct pattern p, struct span text, const uint16_t *unit)
{
	p.off = (uint32_t)l->hay.len;
	p.len = (uint32_t)text.len;
	while (l->hay.len + text.len > l->cap_unit) {
		l->cap_unit = l->cap_unit ? l->cap_unit * 2 : KIB(16);
		l->unit = xreallocarray(l->unit, l->cap_unit, sizeof(*l->unit));
	}
	memcpy(l->unit + l->hay.len, unit, text.len * sizeof(*unit));
	buf_add_span(&l->hay, text);
	GROW(l->patterns, l->n_patterns, l->cap_patterns);
	l->patterns[l->n_patterns++] = p;
}

static void gram_add(struct gram_table *t, uint32_t hay, uint32_t pattern)
{
	GROW(t->v, t->n, t->cap);
	t->v[t->n++] = (struct gram_entry){ hay, pattern };
}

/* How often a byte stands in logs and gdb's text, roughly: the less the better. */
static unsigned commonness(char c)
{
	if (c == '0' || c == '\\' || c == ' ' || c == '\0')
		return 4;
	if (is_digit(c))
		return 3;
	if (c >= 'a' && c <= 'z')
		return 2;
	return is_alpha(c);
}

/* Fewer than three different bytes: padding, separators. */
static bool gram_is_padding(const char *p, size_t n)
{
	size_t others = 0;
	char other = 0;

	for (size_t i = 1; i < n; i++) {
		if (p[i] == p[0] || (others && p[i] == other))
			continue;
		other = p[i];
		if (++others > 1)
			return false;
	}
	return true;
}

#define PADDING_COST 100	/* more than any bytes' commonness */

/* Three grams, one behind the other, out of hay[from, to). */
static void add_few(struct learned *l, struct gram_table *t, uint32_t pattern, uint32_t from,
		    uint32_t to)
{
	const char *p = l->hay.p;
	size_t run = t->q + LEARN_STRIDE - 1;
	uint32_t best = from;
	unsigned least = UINT32_MAX, bytes = 0, padding = 0;

	for (uint32_t at = from; at < to && at - from < 64 + run; at++) {
		unsigned cost;

		/* what has come into the run at its end, and what has left it at its beginning */
		bytes += commonness(p[at]);
		if (at >= from + run)
			bytes -= commonness(p[at - run]);
		if (at + 1 >= from + t->q)
			padding = (padding << 1 | gram_is_padding(p + at + 1 - t->q, t->q)) & 7;
		if (at + 1 < from + run)
			continue;
		cost = bytes + PADDING_COST * (unsigned)__builtin_popcount(padding);
		if (cost < least) {
			least = cost;
			best = (uint32_t)(at + 1 - run);
		}
	}
	for (uint32_t i = 0; i < LEARN_STRIDE; i++)
		gram_add(t, best + i, pattern);
}

static bool has_padding(const struct learned *l, const struct gram_table *t,
			const struct pattern *p)
{
	for (uint32_t at = p->off; at + t->q <= p->off + p->len; at++)
		if (gram_is_padding(l->hay.p + at, t->q))
			return true;
	return false;
}

/*
 * How many places further on three grams in a row must stand again, so that each run of `least`
 * bytes holds all of three: they and their bytes begin at one of so many places in it.
 */
static uint32_t gram_step(const struct learned *l, const struct gram_table *t,
			  const struct pattern *p, uint32_t least)
{
	uint32_t step = least - t->q - LEARN_STRIDE + 2;

	return step <= LEARN_STRIDE || has_padding(l, t, p) ? 1 : step;
}

/* The grams that runs of `least` bytes are found by, but padding; false if that left any out. */
static bool add_runs(struct learned *l, struct gram_table *t, uint32_t pattern, uint32_t least)
{
	const struct pattern *p = &l->patterns[pattern];
	uint8_t seen[SAME_GRAM_SLOTS];
	uint32_t step = gram_step(l, t, p, least);
	bool all = true, many = p->len > SAME_GRAM_MAX;

	if (many)
		memset(seen, 0, sizeof(seen));
	for (uint32_t at = p->off; at + t->q <= p->off + p->len; at++) {
		uint32_t w;

		if ((at - p->off) % step >= LEARN_STRIDE)
			continue;
		if (gram_is_padding(l->hay.p + at, t->q)) {
			all = false;
			continue;
		}
		/* a value that repeats itself is found by its first rounds */
		memcpy(&w, l->hay.p + at, sizeof(w));
		w = (w * 0x9e3779b1u) >> 20;
		if (many && seen[w]++ >= SAME_GRAM_MAX) {
			seen[w] = SAME_GRAM_MAX;
			all = false;
			continue;
		}
		gram_add(t, at, pattern);
	}
	return all;
}

static void short_add(struct learned *l, uint32_t pattern)
{
	const struct pattern *p = &l->patterns[pattern];
	unsigned head = (unsigned char)l->hay.p[p->off];

	GROW(l->shorts, l->n_shorts, l->cap_shorts);
	l->shorts[l->n_shorts++] = pattern;
	if (!l->short_heads)
		l->short_heads = xcalloc(65536 / 64, sizeof(*l->short_heads));
	for (unsigned next = 0; next < 256; next++) {
		unsigned pair = head << 8 | next;

		if (p->len == 1 || next == (unsigned char)l->hay.p[p->off + 1])
			l->short_heads[pair >> 6] |= (uint64_t)1 << (pair & 63);
	}
}

/* The bytes of the shortest piece: `min` units, some of which are escapes. */
static uint32_t shortest_piece(const struct learned *l, const struct pattern *p)
{
	const uint16_t *unit = l->unit + p->off;
	uint32_t least = p->len;

	for (uint32_t from = 0, to = 0; to < p->len; to++) {
		/* [from, to] begins with a unit and has all of `min` of them when the next is another */
		if (to + 1 < p->len && unit[to + 1] == unit[to])
			continue;
		while ((uint32_t)(unit[to] - unit[from]) + 1 > p->min)
			from++;
		if ((uint32_t)(unit[to] - unit[from]) + 1 == p->min && to + 1 - from < least)
			least = to + 1 - from;
	}
	return least;
}

static void index_pattern(struct learned *l, uint32_t i)
{
	struct pattern *p = &l->patterns[i];
	uint32_t end = p->off + p->len;
	uint32_t least = p->pieces == PIECES_NONE ? p->len : shortest_piece(l, p);
	struct gram_table *t = least >= WIDE_RUN ? &l->wide : &l->narrow;

	if (p->len < NARROW_RUN) {
		short_add(l, i);
		return;
	}
	switch (p->pieces) {
	case PIECES_RUNS:
		if (!add_runs(l, t, i, least))	/* found at least whole, if each gram of it is padding */
			add_few(l, t, i, p->off, end);
		break;
	case PIECES_HALVES:
		add_few(l, t, i, p->off, p->off + least);
		add_few(l, t, i, end - least, end);
		break;
	default:
		add_few(l, t, i, p->off, end);
	}
}

#define SIEVE_BITS 18		/* 32 KiB */

/* A quarter of the filter's bits, but no fewer than stay near the processor anyway. */
static void sieve_build(struct gram_table *t)
{
	size_t words = ((size_t)1 << t->bits) / 64, n;

	t->sieve_bits = t->bits < SIEVE_BITS ? t->bits : SIEVE_BITS;
	if (t->bits > SIEVE_BITS + 2)
		t->sieve_bits = t->bits - 2;
	n = ((size_t)1 << t->sieve_bits) / 64;
	t->sieve = n == words ? t->filter : xcalloc(n, sizeof(*t->sieve));
	for (size_t i = 0; i < words; i++)
		t->sieve[i & (n - 1)] |= t->filter[i];
}

static void table_build(struct gram_table *t, const struct learned *l)
{
	size_t n_buckets;

	for (t->bits = 15; t->bits < FILTER_BITS_MAX && t->n << 4 > (size_t)1 << t->bits; )
		t->bits++;
	n_buckets = (size_t)1 << t->bits >> 5;
	t->filter = xcalloc(((size_t)1 << t->bits) / 64, sizeof(*t->filter));
	t->bucket = xcalloc(n_buckets + 2, sizeof(*t->bucket));
	t->sorted = xcalloc(t->n + 1, sizeof(*t->sorted));
	/* counted one further than their bucket, summed, filled: the starts become the next one's */
	for (size_t i = 0; i < t->n; i++) {
		uint64_t h = gram_hash(t, gram_load(l->hay.p + t->v[i].hay));

		t->filter[gram_word(t->bits, h)] |= gram_bits(h);
		t->bucket[gram_bucket(t, h) + 2]++;
	}
	for (size_t b = 2; b < n_buckets + 2; b++)
		t->bucket[b] += t->bucket[b - 1];
	for (size_t i = 0; i < t->n; i++) {
		uint64_t h = gram_hash(t, gram_load(l->hay.p + t->v[i].hay));

		t->sorted[t->bucket[gram_bucket(t, h) + 1]++] = t->v[i];
	}
	sieve_build(t);
	free(t->v);
	t->v = NULL;
	t->cap = 0;
}

/* By first byte. */
static void shorts_build(struct learned *l)
{
	uint32_t *sorted = xcalloc(l->n_shorts + 1, sizeof(*sorted));
	uint32_t at[257] = { 0 };

	for (size_t i = 0; i < l->n_shorts; i++)
		at[(unsigned char)l->hay.p[l->patterns[l->shorts[i]].off] + 1]++;
	for (size_t b = 1; b < ARRAY_SIZE(at); b++)
		at[b] += at[b - 1];
	memcpy(l->short_from, at, sizeof(at));
	for (size_t i = 0; i < l->n_shorts; i++)
		sorted[at[(unsigned char)l->hay.p[l->patterns[l->shorts[i]].off]]++] = l->shorts[i];
	free(l->shorts);
	l->shorts = sorted;
	l->cap_shorts = l->n_shorts + 1;
}

void learn_tables_build(struct learned *l)
{
	buf_add(&l->hay, "\0\0\0\0\0\0\0\0", 8);	/* a gram is loaded as eight bytes */
	l->hay.len -= 8;
	l->wide.q = WIDE;
	l->narrow.q = NARROW;
	memset(&l->wide.mask, 0xff, WIDE);
	memset(&l->narrow.mask, 0xff, NARROW);
	for (uint32_t i = 0; i < l->n_patterns; i++)
		index_pattern(l, i);
	table_build(&l->wide, l);
	table_build(&l->narrow, l);
	learn_odd_build(l);
	shorts_build(l);
	learn_phones_build(l);
}

static void table_done(struct gram_table *t)
{
	if (t->sieve != t->filter)
		free(t->sieve);
	free(t->filter);
	free(t->bucket);
	free(t->sorted);
	free(t->v);
	*t = (struct gram_table){ 0 };
}

void learn_tables_done(struct learned *l)
{
	table_done(&l->wide);
	table_done(&l->narrow);
	free(l->odd.filter);
	l->odd = (struct odd_heads){ 0 };
	buf_done(&l->hay);
	free(l->unit);
	free(l->patterns);
	free(l->shorts);
	free(l->short_heads);
	free(l->phones);
	free(l->phone_tails);
	l->unit = NULL;
	l->patterns = NULL;
	l->shorts = NULL;
	l->short_heads = NULL;
	l->phones = l->phone_tails = NULL;
	l->cap_unit = l->n_patterns = l->cap_patterns = l->n_shorts = l->cap_shorts = 0;
	l->n_phones = l->cap_phones = 0;
}
