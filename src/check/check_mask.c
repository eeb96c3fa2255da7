/* SPDX-License-Identifier: Apache-2.0 */
#include "check_internal.h"

#include <stdlib.h>

/* Known values that stand in clean text after all are covered here, by rounds of looking and
   masking. */

#define ROUNDS_MAX 32
#define ROUND_WIDEN 4	/* from then on whole lines go: each token may make another value whole */

void places_add(struct places *p, size_t off, size_t len, enum kind kind)
{
	GROW(p->v, p->n, p->cap);
	p->v[p->n++] = (struct place){ off, off + len, kind };
}

static int place_compare(const void *x, const void *y)
{
	const struct place *a = x, *b = y;

	if (a->off != b->off)
		return a->off < b->off ? -1 : 1;
	if (a->end != b->end)
		return a->end > b->end ? -1 : 1;
	return (int)a->kind - (int)b->kind;
}

/* A token goes whole, or what is left of it would be text that means nothing. */
static void widen_over_tokens(struct span t, struct place *p)
{
	enum kind kind;
	size_t at = p->off < VALUE_TOKEN_MAX ? 0 : p->off - VALUE_TOKEN_MAX;

	for (; at < p->end; at++) {
		size_t end = at;

		if (t.p[at] == '[')
			end += value_token_at(span_sub(t, at, t.len), &kind);
		if (end <= p->off)
			continue;
		if (at < p->off)
			p->off = at;
		if (end > p->end)
			p->end = end;
	}
}

/* A backslash at the end takes along what it escapes: a quote would end the string. */
static void widen_over_escape(struct span t, struct place *p)
{
	size_t slashes = 0;

	while (p->end - slashes > p->off && t.p[p->end - slashes - 1] == '\\')
		slashes++;
	if ((slashes & 1) && p->end < t.len && (t.p[p->end] == '"' || t.p[p->end] == '\\'))
		p->end++;
}

/* All of its lines, unless a frame's head may stand in one. */
static void widen_over_lines(struct span t, struct place *p)
{
	size_t first = span_line_start(t, p->off), last = span_line_start(t, p->end - 1);

	if (t.p[first] == '#' || t.p[last] == '#')
		return;
	p->off = first;
	p->end = span_line_end(t, p->end - 1);
	while (p->end > p->off && (t.p[p->end - 1] == '\n' || t.p[p->end - 1] == '\r'))
		p->end--;
}

/* Widened, sorted, none touching another. */
static void places_settle(struct places *p, struct span t, int round)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		widen_over_tokens(t, &p->v[i]);
		widen_over_escape(t, &p->v[i]);
		if (round >= ROUND_WIDEN)
			widen_over_lines(t, &p->v[i]);
	}
	qsort(p->v, p->n, sizeof(*p->v), place_compare);
	for (size_t i = 1; i < p->n; i++) {
		if (p->v[i].off > p->v[n].end)
			p->v[++n] = p->v[i];
		else if (p->v[i].end > p->v[n].end)
			p->v[n].end = p->v[i].end;
	}
	p->n = n + 1;
}

/* The number of lines stays. */
static void add_masked(struct buf *ret, struct span was, enum kind kind)
{
	char token[VALUE_TOKEN_MAX];

	buf_add(ret, token, value_token_constant(kind, token));
	for (size_t i = 0; i < was.len; i++)
		if (was.p[i] == '\n')
			buf_add_str(ret, i && was.p[i - 1] == '\r' ? "\r\n" : "\n");
}

/* Moves what was masked in rounds before to where it stands in the text that cover makes. */
struct moved {
	const struct places *from;		/* masked before, by offset */
	size_t next;
	struct places *to;
};

static void move_until(struct moved *m, size_t off, size_t was, size_t is)
{
	for (; m->next < m->from->n && m->from->v[m->next].off < off; m->next++)
		places_add(m->to, m->from->v[m->next].off - was + is, 0, m->from->v[m->next].kind);
}

/* Puts the constants in; *done, the places that have one, becomes those in ret. */
static void cover(struct span t, const struct places *p, struct places *done, struct buf *ret)
{
	struct places all = { .v = NULL };
	struct moved m = { done, 0, &all };
	size_t at = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct place *one = &p->v[i];

		move_until(&m, one->off, at, ret->len);
		buf_add_span(ret, span_sub(t, at, one->off));
		places_add(&all, ret->len, 0, one->kind);
		add_masked(ret, span_sub(t, one->off, one->end), one->kind);
		at = one->end;
		/* what was masked inside of it is this one now */
		while (m.next < done->n && done->v[m.next].off < at)
			m.next++;
	}
	move_until(&m, t.len, at, ret->len);
	buf_add_span(ret, span_sub(t, at, t.len));
	free(done->v);
	*done = all;
}

static int tell_masked(const struct places *done, const char *name, check_item_fn fn, void *ctx)
{
	int rc = RC_OK;

	for (size_t i = 0; fn && rc >= 0 && i < done->n; i++) {
		struct check_item item = {
			.level = CHECK_OPEN, .kind = done->v[i].kind, .known = true,
			.what = "a known value, masked by the second look", .off = done->v[i].off,
			.len = 1,
		};

		rc = fn(ctx, name, &item);
	}
	return rc;
}

/* One round: looks, and covers what it finds. How many places that were. */
static size_t mask_round(struct check *c, const char *name, int round, struct places *done,
			 struct buf *text)
{
	struct places places = { .v = NULL };
	struct look l = { .c = c, .name = name, .text = buf_span(text), .places = &places };
	AUTO_BUF next = BUF_INIT;
	size_t n;

	check_scan(&l);
	if (places.n) {
		places_settle(&places, l.text, round);
		cover(l.text, &places, done, &next);
		buf_reset(text);
		buf_add_span(text, buf_span(&next));
	}
	n = places.n;
	free(places.v);
	return n;
}

int check_mask(struct check *c, const char *name, struct buf *text, check_item_fn fn, void *ctx,
	       struct err *err)
{
	AUTO_BUF now = BUF_INIT;
	struct places done = { .v = NULL };
	int rc = RC_LEAK;

	buf_add_span(&now, buf_span(text));
	for (int round = 0; rc == RC_LEAK && round < ROUNDS_MAX; round++)
		if (mask_round(c, name, round, &done, &now) == 0)
			rc = RC_OK;
	if (rc == RC_OK) {
		buf_reset(text);
		buf_add_span(text, buf_span(&now));
		rc = tell_masked(&done, name, fn, ctx);
	} else {
		rc = err_set(err, rc, "a known value is still in the output");
	}
	free(done.v);
	return rc;
}
