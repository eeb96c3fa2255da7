/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "redact_internal.h"

/* Ranges that are closer than this are one: a scan of its own costs more than these bytes. */
#define RANGE_GAP 512

static void mark_add(struct copy *c, const struct mark *m)
{
	GROW(c->marks, c->n, c->cap);
	c->marks[c->n++] = *m;
}

/* One stretch of source with its changes, changes[*i] being the first that ends behind its
   begin. */
static void copy_stretch(struct copy *c, struct span src, uint64_t off, uint64_t end,
			 const struct change *changes, size_t n, const struct buf *texts, size_t *i)
{
	uint64_t from = c->n ? c->marks[c->n - 1].end : 0;

	mark_add(c, &(struct mark){ .at = c->text.len, .at_end = c->text.len, .off = from,
				    .end = off, .gap = c->text.len > 0 });
	for (; *i < n && changes[*i].off < end; ++*i) {
		const struct change *one = &changes[*i];
		struct mark m = { .off = one->off, .end = one->end, .soft = one->soft,
				  .fresh = one->fresh };

		buf_add(&c->text, src.p + off, one->off - off);
		m.at = c->text.len;
		buf_add(&c->text, texts->p + one->text, one->text_len);
		m.at_end = c->text.len;
		mark_add(c, &m);
		off = one->end;
	}
	buf_add(&c->text, src.p + off, end - off);
}

/* The lines, and what the rules' width adds, around what is fresh. */
static void copy_ranges(struct copy *c, uint64_t margin)
{
	struct span text = buf_span(&c->text);
	uint64_t end = 0;
	size_t i;

	c->n_ranges = 0;
	for (i = 0; i < c->n; i++) {
		const struct mark *m = &c->marks[i];
		struct detect_range *last = c->n_ranges ? &c->ranges[c->n_ranges - 1] : NULL;
		uint64_t start;

		if (!m->fresh || (last && m->at_end + margin < end))
			continue;
		start = span_line_start(text, m->at < margin ? 0 : m->at - margin);
		end = span_line_end(text, m->at_end + margin);
		if (last && start <= last->off + last->len + RANGE_GAP) {
			last->len = end - last->off;
			continue;
		}
		GROW(c->ranges, c->n_ranges, c->cap_ranges);
		c->ranges[c->n_ranges++] =
			(struct detect_range){ .off = start, .len = end - start };
	}
}

void copy_make(struct copy *c, const struct detector *d, const struct artifact *a, uint64_t from,
	       uint64_t to, const struct change *changes, size_t n, const struct buf *texts)
{
	uint64_t margin = detect_margin(d);
	size_t i, first = 0, k;

	buf_reset(&c->text);
	c->n = 0;
	for (i = 0; i < n; ) {
		uint64_t off, len, end;

		if (!changes[i].fresh) {
			i++;
			continue;
		}
		off = changes[i].off;
		len = changes[i].end - off;
		detect_context(d, a, from, to, &off, &len);
		/* on, as long as the next fresh one's context touches; whole changes at both
		   ends */
		for (end = off + len, i++; i < n && changes[i].off < end + RANGE_GAP; i++) {
			uint64_t next = changes[i].off, more = changes[i].end - next;

			if (changes[i].end > end)
				end = span_line_end(a->text, changes[i].end - 1);
			/* one line may be very long: its ends are not looked for again */
			if (changes[i].fresh && changes[i].end + margin >= end) {
				detect_context(d, a, from, to, &next, &more);
				if (next + more > end)
					end = next + more;
			}
		}
		if (end > to)
			end = to;
		for (k = first; k < n && changes[k].end <= off; k++)
			;
		first = k;
		if (k < n && changes[k].off < off) {
			off = span_line_start(a->text, changes[k].off);
			if (off < from)
				off = from;
			while (first > 0 && changes[first - 1].end > off)
				first--;
		}
		copy_stretch(c, a->text, off, end, changes, n, texts, &first);
	}
	copy_ranges(c, margin);
}

void copy_done(struct copy *c)
{
	buf_done(&c->text);
	free(c->marks);
	free(c->ranges);
	*c = (struct copy){ .marks = NULL };
}

/* The first mark that ends behind `at`. */
static size_t mark_find(const struct copy *c, uint64_t at)
{
	size_t lo = 0, hi = c->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->marks[mid].at_end > at)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static uint64_t source_of(const struct copy *c, uint64_t from, uint64_t at, size_t next)
{
	if (next == 0)
		return from + at;
	return c->marks[next - 1].end + (at - c->marks[next - 1].at_end);
}

int copy_source(const struct copy *c, uint64_t from, uint64_t at, uint64_t end, copy_piece_fn fn,
		void *ctx)
{
	size_t first = mark_find(c, at), i;
	uint64_t begin = at, lo, hi;
	bool soft = false;

	for (i = first; i < c->n && c->marks[i].at < end; i++) {
		soft |= c->marks[i].soft;
		/* its two sides are no neighbours in the source */
		if (c->marks[i].gap)
			return RC_OK;
	}
	if (soft) {
		lo = c->marks[first].at <= at ? c->marks[first].off : source_of(c, from, at, first);
		hi = c->marks[i - 1].at_end >= end ? c->marks[i - 1].end :
			source_of(c, from, end, i);
		return fn(ctx, lo, hi, false, true);
	}
	for (i = first; at < end; i++) {
		uint64_t stop = i < c->n && c->marks[i].at < end ? c->marks[i].at : end;

		if (stop > at) {
			uint64_t off = source_of(c, from, at, i);
			int rc = fn(ctx, off, off + (stop - at), at == begin && stop == end, false);

			if (rc < 0)
				return rc;
		}
		if (stop == end)
			break;
		at = c->marks[i].at_end;
	}
	return RC_OK;
}
