/* SPDX-License-Identifier: Apache-2.0 */
#include "hint_internal.h"

#define FORK_DEPTH   2
#define SCORE_ENOUGH 70 /* a word and more beside it: no need to look for better */
#define GRAM_ENOUGH  12.0
#define RARE_BITS    24.0
#define STATE_COST   1.5

/* Drops what optional pieces a window would begin or end with, and the range of a repeat there. */
static void trim_window(struct piece *v, size_t *from, size_t *to)
{
	while (*from < *to && v[*from].min == 0)
		(*from)++;
	while (*from < *to && v[*to - 1].min == 0)
		(*to)--;
}

static size_t edge_states(const struct piece *p, bool edge)
{
	if (!edge || p->max == 0)
		return p->states;
	return p->states / p->max * p->min;
}

/*
 * Rare enough is enough: beyond it, what libhs has to step through byte by byte costs more than the
 * candidates it saves. A word of four letters and more is found at next to no cost.
 */
static double window_score(double bits, size_t word, size_t other_states)
{
	double rare = bits < RARE_BITS ? bits : RARE_BITS + (bits - RARE_BITS) * 0.1;
	double found = word >= 4 ? 25 : word == 3 ? 8 : 0;

	return 3.0 * rare + found - STATE_COST * (double)other_states;
}

struct window {
	size_t from, to, word;
	double score, bits;
};

/* The best window within [from, to), which has no gap. */
static void best_window(struct piece *v, size_t from, size_t to, struct window *best)
{
	for (size_t i = from; i < to; i++) {
		double bits = 0;
		size_t states = 0, word = 0, longest = 0;

		if (v[i].min == 0)
			continue;
		for (size_t k = i; k < to; k++) {
			double score;
			size_t now;

			bits += v[k].bits;
			word = v[k].word ? word + v[k].word_len : 0;
			longest = word > longest ? word : longest;
			now = states + edge_states(&v[k], true);
			states += edge_states(&v[k], k == i);
			if (v[k].min == 0)
				continue;
			if (now > STATES_MAX && !(longest && now == longest))
				break;
			score = window_score(bits, longest, now - longest);
			if (score > best->score)
				*best = (struct window){ i, k + 1, longest, score, bits };
		}
	}
}

static void put_quantifier(struct buf *b, size_t min, size_t max)
{
	if (min == 0 && max == 1)
		buf_add_char(b, '?');
	else if (max == RX_UNBOUNDED)
		buf_addf(b, "{%zu,}", min);
	else if (min != max)
		buf_addf(b, "{%zu,%zu}", min, max);
	else if (min != 1)
		buf_addf(b, "{%zu}", min);
}

static void put_node(struct buf *b, const struct rx_node *n, size_t min, size_t max)
{
	if (n->type == RX_ATOM) {
		buf_addf(b, n->nocase ? "(?i:%s)" : "%s", n->text);
	} else {
		buf_add_str(b, "(?:");
		for (const struct rx_seq *s = n->alternatives; s; s = s->next) {
			for (const struct rx_node *k = s->first; k; k = k->next)
				if (k->type != RX_FLAGS)
					put_node(b, k, k->min, k->max);
			if (s->next)
				buf_add_char(b, '|');
		}
		buf_add_char(b, ')');
	}
	put_quantifier(b, min, max);
}

static void put_window(struct buf *b, struct piece *v, struct window *w)
{
	trim_window(v, &w->from, &w->to);
	for (size_t i = w->from; i < w->to; i++) {
		bool edge = i == w->from || i + 1 == w->to;

		put_node(b, v[i].node, v[i].min, edge ? v[i].min : v[i].max);
	}
}

/* The pieces around fork i up to the next gaps, with one of its alternatives in its place. */
static void put_alternative(struct row *to, const struct row *r, size_t i,
			    const struct rx_seq *alternative)
{
	size_t from = i, end = i + 1;

	while (from > 0 && !rule_piece_is_gap(&r->v[from - 1]))
		from--;
	while (end < r->n && !rule_piece_is_gap(&r->v[end]))
		end++;
	to->n = 0;
	to->depth = 1;
	to->top = r->v[i].top;
	for (size_t k = from; k < end; k++) {
		if (k != i)
			*rule_row_push(to) = r->v[k];
		else if (r->v[i].start == RX_UNBOUNDED)
			rule_row_flatten(to, alternative, 0, r->v[i].reach);
		else
			rule_row_flatten(to, alternative, r->v[i].start, 0);
	}
}

/* One more alternative of a hint. Equal neighbours, as a fork gives them, count once. */
void rule_hint_merge(struct hint *to, const struct hint *one, bool first)
{
	struct span text = buf_span(&one->text),
		    last = span_sub(buf_span(&to->text), to->last, to->text.len);

	to->score = first || one->score < to->score ? one->score : to->score;
	to->bits = first || one->bits < to->bits ? one->bits : to->bits;
	to->word = first || one->word < to->word ? one->word : to->word;
	to->before = one->before > to->before ? one->before : to->before;
	to->after = one->after > to->after ? one->after : to->after;
	to->top = one->top > to->top ? one->top : to->top;
	if (!first && span_eq(text, last))
		return;
	if (!first && !to->ways)
		buf_add_char(&to->text, '|');
	to->last = to->text.len;
	buf_add_span(&to->text, text);
}

/* Fork i as the whole hint: a part of each of its alternatives and of what stands beside them. */
static void hint_fork(const struct row *r, size_t i, size_t behind, int depth, unsigned *budget,
		      struct hint *ret)
{
	AUTO_FREE struct row *to = xmalloc(sizeof(*to));
	const struct rx_seq *first = r->v[i].node->alternatives;

	for (const struct rx_seq *s = first; s && (s == first || ret->score > 0); s = s->next) {
		struct hint one = { .score = 0, .ways = ret->ways };

		put_alternative(to, r, i, s);
		rule_hint_row(to, behind, depth + 1, budget, &one);
		rule_hint_merge(ret, &one, s == first);
		buf_done(&one.text);
	}
}

static void window_hint(struct row *r, struct hint *ret)
{
	struct window best = { 0, 0, 0, 0.01, 0 };
	size_t from = 0;

	for (size_t i = 0; i <= r->n; i++) {
		if (i < r->n && !rule_piece_is_gap(&r->v[i]) && !r->v[i].fork)
			continue;
		best_window(r->v, from, i, &best);
		from = i + 1;
	}
	if (!best.to)
		return;
	put_window(&ret->text, r->v, &best);
	ret->score = best.score;
	ret->word = best.word;
	ret->bits = best.bits;
	ret->before = r->v[best.to - 1].reach;
	ret->top = r->v[best.to - 1].top;
}

/* May the piece's alternatives be tried one by one? */
static bool is_fork(const struct piece *p, bool grams)
{
	return p->fork ||
	       (grams && p->node && p->node->type == RX_GROUP && p->min == 1 && p->max == 1);
}

/* The best window of a row, or its best fork; a score of 0 if there is neither. */
void rule_hint_row(struct row *r, size_t behind, int depth, unsigned *budget, struct hint *ret)
{
	double enough = ret->ways ? GRAM_ENOUGH : SCORE_ENOUGH;

	if (*budget == 0)
		return;
	(*budget)--;
	if (ret->ways)
		rule_gram_hint(r, ret);
	else
		window_hint(r, ret);
	ret->after = ret->score > 0 && ret->before <= behind ? behind + 1 : 0;
	for (size_t i = 0; i < r->n && depth < FORK_DEPTH && ret->score < enough; i++) {
		struct hint sub = { .score = 0, .ways = ret->ways };

		if (is_fork(&r->v[i], ret->ways > 0))
			hint_fork(r, i, behind, depth, budget, &sub);
		if (sub.score > ret->score) {
			struct hint worse = *ret;

			*ret = sub;
			sub = worse;
		}
		buf_done(&sub.text);
	}
}
