/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "redact_internal.h"

/*
 * Overlap policy. Findings are cut at what no edit may touch (guards) or need touch (sound tokens);
 * pieces that overlap become one cluster: all of it goes, and the most severe, then longest piece
 * says as what.
 */

void barriers_add(struct barriers *b, uint64_t off, uint64_t end, bool guard)
{
	if (off >= end)
		return;
	GROW(b->v, b->n, b->cap);
	b->v[b->n++] = (struct barrier){ .off = off, .end = end, .guard = guard };
}

static int barrier_compare(const void *x, const void *y)
{
	const struct barrier *a = x, *b = y;

	if (a->off != b->off)
		return a->off < b->off ? -1 : 1;
	return (a->end > b->end) - (a->end < b->end);
}

/* Sorts, and joins the ones that overlap: then ends are sorted too. A join with a guard is a
   guard. */
void barriers_sort(struct barriers *b)
{
	size_t i, n = 0;

	if (b->n < 2)
		return;
	for (i = 1; i < b->n && barrier_compare(&b->v[i - 1], &b->v[i]) <= 0; i++)
		;
	if (i < b->n)
		qsort(b->v, b->n, sizeof(*b->v), barrier_compare);
	for (i = 1; i < b->n; i++) {
		struct barrier *last = &b->v[n];

		if (b->v[i].off < last->end) {
			if (b->v[i].end > last->end)
				last->end = b->v[i].end;
			last->guard |= b->v[i].guard;
		} else {
			b->v[++n] = b->v[i];
		}
	}
	b->n = n + 1;
}

size_t barriers_add_tokens(struct barriers *b, struct span text, uint64_t from, uint64_t to)
{
	const char *p = text.p + from, *end = text.p + to;
	size_t n = 0, len;
	enum kind kind;

	while (p < end && (p = memchr(p, '[', (size_t)(end - p)))) {
		len = value_token_at(span_make(p, text.len - (size_t)(p - text.p)), &kind);
		if (len) {
			uint64_t off = (uint64_t)(p - text.p);

			barriers_add(b, off, off + len, false);
			n++;
		}
		p += len ? len : 1;
	}
	return n;
}

/* The first barrier that ends behind off. */
static size_t barriers_find(const struct barriers *b, uint64_t off)
{
	size_t lo = 0, hi = b->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (b->v[mid].end > off)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static bool is_content(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c >= 0x80;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void pieces_add(struct pieces *p, const struct finding *f)
{
	GROW(p->v, p->n, p->cap);
	p->v[p->n++] = (struct piece){ .f = *f };
}

/* The least that goes of a learned credential when a piece of it is found. */
#define SHORTEST_RUN 6

/* Is what a guard left of a learned credential so short that it is none any more? The value of the
   next argument is no secret because its name was part of one. */
static bool is_no_run(const struct finding *f, uint64_t len)
{
	return f->form == FORM_LEARNED && len < SHORTEST_RUN &&
	       value_kind_is_credential((enum kind)f->kind);
}

/* A part of what a cut left of f. Separators between tokens alone, and what a rule itself put
   beside its token (the kept tail), are no values: replacing them would never end. */
static void pieces_add_part(struct pieces *p, struct span text, const struct finding *f,
			    uint64_t off, uint64_t end, const struct finding_rule *rule)
{
	struct finding one = *f;
	uint64_t i;

	while (off < end && is_space(text.p[off]))
		off++;
	while (end > off && is_space(text.p[end - 1]))
		end--;
	for (i = off; i < end && !is_content((unsigned char)text.p[i]); i++)
		;
	if (i == end || is_no_run(f, end - off))
		return;
	if (rule->action == ACTION_KEEP_LAST && end - off <= rule->keep_last && off > 0 &&
	    text.p[off - 1] == ']')
		return;
	one.off = off;
	one.len = (uint32_t)(end - off);
	one.flags |= FINDING_PARTIAL;
	if (one.form != FORM_PLAIN && one.form != FORM_GDB_STRING)
		one.flags |= FINDING_MASKED;
	pieces_add(p, &one);
}

/* How far a finding is read for quotes. */
struct quote_place {
	uint64_t at;
	bool inside;
};

/* The first quote from q->at on, or end; q is then behind it. Outside of strings no backslash
   escapes one. */
static uint64_t find_quote(struct quote_place *q, struct span text, uint64_t end)
{
	for (; q->at < end; q->at++) {
		if (text.p[q->at] == '\\' && q->inside) {
			q->at++;
		} else if (text.p[q->at] == '"') {
			q->inside = !q->inside;
			return q->at++;
		}
	}
	return end;
}

/* Which quote a rest of what began in a string must bring, as one of its ends is outside of
   quotes. */
static uint16_t rest_quotes(const struct finding *f, uint64_t off, uint64_t end, bool begins,
			    bool ends)
{
	uint16_t quotes = begins == ends ? 0 : begins ? FINDING_QUOTE_CLOSE : FINDING_QUOTE_OPEN;

	/* of its own ends f knows */
	if (off == f->off)
		quotes = (uint16_t)((quotes & ~FINDING_QUOTE_OPEN) | (f->flags & FINDING_QUOTE_OPEN));
	if (end == f->off + f->len)
		quotes = (uint16_t)((quotes & ~FINDING_QUOTE_CLOSE) | (f->flags & FINDING_QUOTE_CLOSE));
	return quotes;
}

/* What a cut left of f. If f began outside of strings, its quotes are those of strings in it: one
   without the other would make strings of what is between them. */
static void pieces_add_rest(struct pieces *p, struct span text, const struct finding *f,
			    uint64_t off, uint64_t end, const struct finding_rule *rule,
			    struct quote_place *q)
{
	struct finding one = *f;

	one.flags &= (uint16_t)~(FINDING_QUOTE_OPEN | FINDING_QUOTE_CLOSE);
	while (q->at < off)
		find_quote(q, text, off);
	if (f->flags & FINDING_IN_STRING) {
		bool begins = q->inside;

		while (q->at < end)
			find_quote(q, text, end);
		one.flags |= rest_quotes(f, off, end, begins, q->inside);
		pieces_add_part(p, text, &one, off, end, rule);
		return;
	}
	while (off < end) {
		uint64_t stop = find_quote(q, text, end);

		pieces_add_part(p, text, &one, off, stop, rule);
		off = stop + 1;
	}
}

static bool is_own_replacement(struct span text, const struct finding *f,
			       const struct finding_rule *rule)
{
	return rule->action == ACTION_REPLACE && rule->replace &&
	       span_eq_str(span_make(text.p + f->off, f->len), rule->replace);
}

int pieces_add_clipped(struct pieces *p, struct span text, const struct finding *f,
		       const struct finding_rule *rule, const struct barriers *b, struct err *err)
{
	uint64_t at = f->off, end = f->off + f->len;
	struct quote_place q = {
		.at = at, .inside = (f->flags & FINDING_IN_STRING) && f->len && text.p[at] != '"',
	};
	size_t i = b->n ? barriers_find(b, at) : 0;

	if (f->len == 0 || is_own_replacement(text, f, rule))
		return RC_OK;
	if (i >= b->n || b->v[i].off >= end) {
		pieces_add(p, f);
		return RC_OK;
	}
	for (; i < b->n && b->v[i].off < end; i++) {
		if (b->v[i].guard && (f->flags & FINDING_LIMIT))
			return err_set(err, RC_LIMIT,
				       "rule %s hit its limit in a frame's head at offset %llu",
				       rule->id, (unsigned long long)f->off);
		if (b->v[i].off > at)
			pieces_add_rest(p, text, f, at, b->v[i].off, rule, &q);
		if (b->v[i].end > at)
			at = b->v[i].end;
	}
	if (at < end)
		pieces_add_rest(p, text, f, at, end, rule, &q);
	return RC_OK;
}

static int piece_compare(const void *x, const void *y)
{
	const struct piece *a = x, *b = y;

	if (a->f.off != b->f.off)
		return a->f.off < b->f.off ? -1 : 1;
	if (a->f.len != b->f.len)
		return a->f.len > b->f.len ? -1 : 1;
	if (a->f.rule != b->f.rule)
		return a->f.rule < b->f.rule ? -1 : 1;
	return (a->token > b->token) - (a->token < b->token);
}

void pieces_sort(struct pieces *p)
{
	size_t i;

	for (i = 1; i < p->n; i++)
		if (piece_compare(&p->v[i - 1], &p->v[i]) > 0)
			break;
	if (i < p->n)
		qsort(p->v, p->n, sizeof(*p->v), piece_compare);
}

static bool piece_wins(const struct piece *a, const struct piece *b,
		       const struct finding_rule *rules)
{
	enum severity sa = rules[a->f.rule].severity, sb = rules[b->f.rule].severity;

	if (sa != sb)
		return sa > sb;
	if (a->f.len != b->f.len)
		return a->f.len > b->f.len;
	return a->f.rule < b->f.rule;
}

static void cluster_take(struct cluster *c, const struct pieces *p, size_t i,
			 const struct finding_rule *rules)
{
	const struct piece *one = &p->v[i];
	uint64_t end = one->f.off + one->f.len;

	if (end >= c->end) {
		/* of two that end at one place, either may know that it is outside of quotes */
		c->quotes &= end == c->end ? 0xffff : (uint16_t)~FINDING_QUOTE_CLOSE;
		c->quotes |= one->f.flags & FINDING_QUOTE_CLOSE;
		c->end = end;
	}
	if (one->f.off == c->off) {
		c->quotes |= one->f.flags & FINDING_QUOTE_OPEN;
		c->in_string |= (one->f.flags & FINDING_IN_STRING) != 0;
	}
	/* a string's opening quote that goes too leaves none to close */
	if (!c->in_string)
		c->quotes &= (uint16_t)~FINDING_QUOTE_CLOSE;
	c->masked |= one->soft || (one->f.flags & (FINDING_MASKED | FINDING_LIMIT));
	if (one->round > c->round)
		c->round = one->round;
	if (piece_wins(one, &p->v[c->winner], rules))
		c->winner = (uint32_t)i;
}

void clusters_make(struct clusters *c, const struct pieces *sorted,
		   const struct finding_rule *rules)
{
	size_t i;

	c->n = 0;
	for (i = 0; i < sorted->n; i++) {
		const struct piece *one = &sorted->v[i];

		if (c->n == 0 || one->f.off >= c->v[c->n - 1].end) {
			GROW(c->v, c->n, c->cap);
			c->v[c->n++] = (struct cluster){
				.off = one->f.off, .end = one->f.off, .winner = (uint32_t)i,
			};
		}
		cluster_take(&c->v[c->n - 1], sorted, i, rules);
	}
}
