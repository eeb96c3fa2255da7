/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_internal.h"

#include <stdlib.h>

/*
 * Runs of text: at least RUN_MIN printable bytes in a row, of which an end may go on in UTF-8; or
 * as many pairs of a printable byte and a NUL. 64 bytes are looked at at once, as bits.
 */

#define RUN_MIN 6

struct memory_runs *memory_runs_new(void)
{
	return xcalloc(1, sizeof(struct memory_runs));
}

void memory_runs_free(struct memory_runs *r)
{
	if (!r)
		return;
	buf_done(&r->view);
	free(r->v);
	free(r);
}

const struct memory_run *memory_run_at(const struct memory_runs *r, size_t at)
{
	size_t lo = 0, hi = r->n;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->v[mid].at <= at)
			lo = mid;
		else
			hi = mid;
	}
	return &r->v[lo];
}

bool memory_is_zero(const char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* The length of a whole character of two to four bytes of UTF-8 at p, or 0. */
static size_t utf8_at(struct span s, size_t p)
{
	unsigned char c = (unsigned char)s.p[p];
	size_t n = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (n == 0 || n > s.len - p)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (((unsigned char)s.p[p + i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* The same for one that ends before p. */
static size_t utf8_before(struct span s, size_t p)
{
	for (size_t n = 2; n <= 4 && n <= p; n++)
		if (utf8_at(s, p - n) == n)
			return n;
	return 0;
}

static void run_add(struct memory_runs *r, const struct detect_window *w, size_t from, size_t end,
		    bool wide)
{
	if (end <= w->from || from >= w->to)
		return;
	GROW(r->v, r->n, r->cap);
	r->v[r->n++] = (struct memory_run){
		.at = r->view.len,
		.len = (end - from) >> wide,
		.source = from,
		.wide = wide,
	};
	if (wide)
		for (size_t i = from; i < end; i += 2)
			buf_add_char(&r->view, w->bytes.p[i]);
	else
		buf_add(&r->view, w->bytes.p + from, end - from);
	buf_add_char(&r->view, '\n');
}

/* Takes in the characters of UTF-8 at both ends, and the text beyond them. */
static void run_widen(struct memory_runs *r, const struct detect_window *w, size_t from, size_t end)
{
	struct span s = w->bytes;
	size_t n;

	while (from > r->last_end && (n = utf8_before(s, from)) && from - n >= r->last_end)
		for (from -= n; from > r->last_end && byte_is_text((unsigned char)s.p[from - 1]); from--)
			;
	while (end < s.len && (n = utf8_at(s, end)))
		for (end += n; end < s.len && byte_is_text((unsigned char)s.p[end]); end++)
			;
	r->last_end = end;
	run_add(r, w, from, end, false);
}

/* UTF-16LE around the unit that begins at p; where it ends. */
static size_t wide_run(struct memory_runs *r, const struct detect_window *w, size_t p)
{
	const char *s = w->bytes.p;
	size_t from = p, end = p;

	while (from >= 2 && byte_is_text((unsigned char)s[from - 2]) && s[from - 1] == 0)
		from -= 2;
	while (end + 1 < w->bytes.len && byte_is_text((unsigned char)s[end]) && s[end + 1] == 0)
		end += 2;
	run_add(r, w, from, end, true);
	return end;
}

static uint64_t shifted(uint64_t now, uint64_t before, unsigned n)
{
	return now << n | before >> (64 - n);
}

struct blocks {
	uint64_t text, unit; /* of the block before */
	size_t run;	     /* where the open run began, or SIZE_MAX */
	size_t wide_end;
};

static void look_text(struct memory_runs *r, const struct detect_window *w, struct blocks *b,
		      size_t at, uint64_t text)
{
	uint64_t full = text, left = ~(uint64_t)0;

	for (unsigned n = 1; n < RUN_MIN; n++)
		full &= shifted(text, b->text, n);
	b->text = text;
	while (b->run != SIZE_MAX || (full & left)) {
		unsigned i = b->run != SIZE_MAX ? 0 : (unsigned)__builtin_ctzll(full & left);
		uint64_t stop = ~text >> i << i;
		unsigned end;

		if (b->run == SIZE_MAX)
			b->run = at + i - (RUN_MIN - 1);
		if (!stop)
			return;
		end = (unsigned)__builtin_ctzll(stop);
		/* UTF-8 may have taken the run in already */
		if (at + end > r->last_end)
			run_widen(r, w, b->run < r->last_end ? r->last_end : b->run, at + end);
		b->run = SIZE_MAX;
		left = end == 63 ? 0 : ~(uint64_t)0 << (end + 1);
	}
}

static void look_wide(struct memory_runs *r, const struct detect_window *w, struct blocks *b,
		      size_t at, uint64_t unit)
{
	uint64_t full = unit;

	if (!(unit | b->unit))
		return;
	/* units end where a NUL follows text; that many of them, two bytes apart */
	for (unsigned n = 1; n < RUN_MIN; n++)
		full &= shifted(unit, b->unit, 2 * n);
	b->unit = unit;
	for (; full; full &= full - 1) {
		size_t p = at + (unsigned)__builtin_ctzll(full) - 1;

		if (p >= b->wide_end)
			b->wide_end = wide_run(r, w, p);
	}
}

static inline __attribute__((always_inline)) void find(struct memory_runs *r,
							const struct detect_window *w, bool avx2)
{
	struct blocks b = { .run = SIZE_MAX };
	char last[64];

	r->view.len = 0; /* buf_reset would wipe what is written over anyway */
	r->n = 0;
	r->last_end = 0;
	for (size_t at = 0; at < w->bytes.len; at += 64) {
		const char *p = w->bytes.p + at;
		uint64_t text, zero, before = b.text;

		if (w->bytes.len - at < 64) {
			memset(last, 0xff, sizeof(last));
			p = memcpy(last, p, w->bytes.len - at);
		}
		(void)avx2;
#ifdef __x86_64__
		if (avx2)
			text_bits_avx2(p, &text, &zero);
		else
#endif
			text_bits(p, &text, &zero);
		if (text | before) {
			look_text(r, w, &b, at, text);
			look_wide(r, w, &b, at, zero & shifted(text, before, 1));
		} else {
			b.unit = 0;
		}
	}
	if (b.run != SIZE_MAX && w->bytes.len > r->last_end)
		run_widen(r, w, b.run < r->last_end ? r->last_end : b.run, w->bytes.len);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void find_avx2(struct memory_runs *r,
						      const struct detect_window *w)
{
	find(r, w, true);
}
#endif

void memory_runs_find(struct memory_runs *r, const struct detect_window *w)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2")) {
		find_avx2(r, w);
		return;
	}
#endif
	find(r, w, false);
}
