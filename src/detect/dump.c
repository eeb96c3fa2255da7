/* SPDX-License-Identifier: Apache-2.0 */
#include "dump_internal.h"

#include <stdlib.h>

/*
 * Hex dumps in raw text: their bytes are looked at as text, one dump behind the other. A hit goes
 * where its digits are, line by line, and where the same bytes stand beside them as characters.
 */

/* Lines before and behind a range that are read with it: a value may lie across its ends. */
#define CONTEXT_LINES 4

#define NOT_SHOWN 0
#define NO_BYTE UINT32_MAX	/* what stands between two dumps */

struct dump_byte {
	uint32_t digits, shown;	/* where, from the dump's base on */
	bool ends_line;
};

void dump_done(struct dump *d)
{
	buf_done(&d->bytes);
	free(d->map);
	*d = (struct dump){ .map = NULL };
}

static void put(struct dump *d, char c, struct dump_byte where)
{
	GROW(d->map, d->bytes.len, d->cap);
	d->map[d->bytes.len] = where;
	buf_add_char(&d->bytes, c);
}

static void put_line(struct dump *d, const struct dump_line *l, uint32_t base)
{
	for (size_t i = 0; i < l->n; i++)
		put(d, dump_byte(l, i), (struct dump_byte){
			.digits = base + l->at[i],
			.shown = l->column ? base + l->column + (uint32_t)i : NOT_SHOWN,
			.ends_line = i + 1 == l->n,
		});
}

static int emit(struct look *l, struct finding f, uint64_t base, uint32_t from, uint32_t end,
		enum finding_form form)
{
	f.off = base + from;
	f.len = end - from;
	if (f.form == FORM_PLAIN)
		f.form = (uint8_t)form;
	return look_emit(l, &f);
}

/* Bytes [off, off + len) of the dump. */
static int dump_hit(struct look *l, size_t off, size_t len, struct finding f)
{
	const struct dump *d = &l->d->dump;
	size_t end = off + len, i, stop;
	int rc = RC_OK;

	if (d->base + d->map[off].digits < l->off || d->base + d->map[off].digits >= l->end)
		return RC_OK;
	for (i = off; i < end && rc == RC_OK; i = stop) {
		const struct dump_byte *first = &d->map[i], *last;

		for (stop = i; stop < end && !d->map[stop].ends_line; stop++)
			;
		stop += stop < end;
		last = &d->map[stop - 1];
		if (first->shown == NO_BYTE)
			continue;
		if (i > off || stop < end) {
			/* of a value in pieces nothing is learned */
			if (l->learn)
				return RC_OK;
			f.flags |= FINDING_PARTIAL;
		}
		rc = emit(l, f, d->base, first->digits, last->digits + 2, FORM_HEX);
		if (rc == RC_OK && first->shown != NOT_SHOWN && !l->learn)
			rc = emit(l, f, d->base, first->shown, last->shown + 1, FORM_PLAIN);
	}
	return rc;
}

static int on_rule(void *ctx, const struct rule_hit *hit)
{
	struct look *l = ctx;
	struct finding f = {
		.rule = hit->rule, .kind = (uint8_t)l->d->rules[hit->rule].kind,
		.flags = hit->limit ? FINDING_LIMIT : 0,
	};

	return dump_hit(l, hit->off, hit->len, f);
}

static int on_learned(void *ctx, const struct learned_hit *hit)
{
	struct finding f;

	look_learned(ctx, hit, &f);
	return dump_hit(ctx, hit->off, hit->len, f);
}

static struct span line_at(struct span text, uint64_t off)
{
	uint64_t end = span_line_end(text, off);

	if (end > off && text.p[end - 1] == '\n')
		end--;
	if (end > off && text.p[end - 1] == '\r')
		end--;
	return span_make(text.p + off, end - off);
}

/* The start of the line that is up to CONTEXT_LINES before off's, as long as those are a dump. */
static uint64_t lines_before(struct span text, uint64_t off)
{
	struct dump_line line;

	for (int i = 0; i < CONTEXT_LINES && off > 0; i++) {
		uint64_t start = span_line_start(text, off - 1);

		if (!dump_line_read(line_at(text, start), true, &line))
			break;
		off = start;
	}
	return off;
}

/* Takes the dump's lines from off on; the offset behind them. Nothing if the first is none. */
static uint64_t take_dump(struct look *l, uint64_t off)
{
	struct dump *d = &l->d->dump;
	struct dump_line line;
	bool goes_on = false;
	int behind = 0;

	while (off < l->text.len && behind <= CONTEXT_LINES) {
		if (!dump_line_read(line_at(l->text, off), goes_on, &line))
			break;
		put_line(d, &line, (uint32_t)(off - d->base));
		goes_on = true;
		off = span_line_end(l->text, off);
		behind += off >= l->end;
	}
	if (goes_on)
		put(d, '\n', (struct dump_byte){ .digits = (uint32_t)(off - d->base), .shown = NO_BYTE,
						.ends_line = true });
	return off;
}

static void read_dumps(struct look *l, const char *p, bool in_gdb)
{
	const char *end = l->text.p + l->end;
	uint64_t done = 0;

	while ((p = dump_find(p, end)) < end) {
		uint64_t at = span_line_start(l->text, (uint64_t)(p - l->text.p)), next;
		const struct leaf *leaf = in_gdb ? leaf_at(l->d, at) : NULL;

		if (at < done)
			at = done;
		if (leaf) {
			next = leaf->off + leaf->len;
		} else {
			if (at <= l->off)
				at = lines_before(l->text, at);
			next = take_dump(l, at);
		}
		if (next <= (uint64_t)(p - l->text.p))
			next = span_line_end(l->text, (uint64_t)(p - l->text.p));
		done = next;
		p = l->text.p + (next < l->end ? next : l->end);
	}
}

int dump_detect(struct look *l, bool in_gdb)
{
	struct dump *d = &l->d->dump;
	const char *p = dump_find(l->text.p + l->off, l->text.p + l->end);
	struct span bytes;
	int rc;

	if (p == l->text.p + l->end)
		return RC_OK;
	buf_reset(&d->bytes);
	d->base = lines_before(l->text, span_line_start(l->text, l->off));
	read_dumps(l, p, in_gdb);
	bytes = buf_span(&d->bytes);
	if (bytes.len == 0)
		return RC_OK;
	rc = rule_scan(l->d->scanner, bytes, 0, bytes.len, WHERE_TEXT, l->raw_share, on_rule, l,
		       l->err);
	if (rc == RC_OK && l->d->learned_scanner && !l->learn)
		rc = learned_scan(l->d->learned_scanner, bytes, 0, bytes.len, on_learned, l, l->err);
	return rc;
}
