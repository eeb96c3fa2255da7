/* SPDX-License-Identifier: Apache-2.0 */
#include "regex_tree.h"
#include "rule_internal.h"

#include <math.h>

/*
 * What libhs looks for in place of a regex: a small part that each match must hold, the rarest one can
 * be had, best a word. It only has to lead PCRE2 to the right place, so it is chosen for what libhs does
 * fast and gives one candidate where the whole regex would give one for each place it could end:
 * "(?<!\d)(?:\d{1,3}\.){3}\d{1,3}(?!\d)" becomes "(?:\d{1,3}\.){3}\d", and
 * "\bAuthorization:\s{1,9}Basic\s([\w+/]{8,999})" becomes "Authorization:".
 *
 * Each alternative is flattened to a row of pieces: bytes, cheap groups, and gaps where something wide
 * stood. A window of pieces without a gap is chosen. The invariant, for a match that begins at s: the
 * candidate ends in (s - after, s + before]. A look-behind that opens the regex and a look-ahead that
 * closes it are text beside the match, and take part.
 */

#define PIECES_MAX 512
#define STATES_MAX 24		/* what a window may cost libhs, about one a byte */
#define ROWS_MAX 2000		/* looked at for one alternative of a regex */
#define COPIES_MAX 4
#define FORK_DEPTH 2
#define QUAD_MIN 5.5		/* bits that a quad must have */
#define QUAD_ENOUGH 12.0
#define QUAD_LOSS 12.0		/* by how much they may be commoner than what libhs would look for */
#define QUADS_MAX 6		/* of one regex */
#define RARE_BITS 17.0
#define STATE_COST 1.5
#define SCORE_ENOUGH 70		/* a word and more beside it: no need to look for better */
#define REPEAT_MAX 8		/* repeats of one piece within a window */

struct piece {
	const struct rx_node *node;	/* NULL: a gap */
	size_t min, max;
	double bits;			/* how rare */
	size_t states;
	size_t reach;			/* greatest distance from the sequence's start to its node's end */
	bool word;			/* one certain byte, or a group of words */
	size_t word_len;
	bool fork;			/* a group of unlike alternatives: one row for each of them */
	size_t start;			/* of a fork: greatest distance from the sequence's start to it */
	size_t top;			/* which node of the regex's own sequence it is from */
};

struct row {
	struct piece v[PIECES_MAX];
	size_t n;
	size_t depth, top;		/* of flatten(): nesting, and the outermost node at hand */
};

struct hint {
	struct buf text;
	size_t before, after, top;
	double score, bits;
	size_t word;			/* the longest word in it; of alternatives the least such */
	size_t last;			/* where the last alternative begins in the text */
	bool quad;			/* the text is byte sets, RULE_QUAD_BYTES for each alternative */
	uint8_t prefix[32], all[32];	/* of a whole regex: see struct rule_hint */
};

static size_t add_sat(size_t a, size_t b)
{
	size_t sum;

	return __builtin_add_overflow(a, b, &sum) ? RX_UNBOUNDED : sum;
}

static size_t class_size(const char *p)
{
	size_t n = 0;

	if (*p != '[')
		return !strncmp(p, "\\d", 2) ? 10 : !strncmp(p, "\\w", 2) ? 63 : !strncmp(p, "\\s", 2) ? 6 : 200;
	if (p[1] == '^')
		return 200;
	for (p++; *p && *p != ']'; p++) {
		if (*p == '\\' && p[1]) {
			p++;
			n += *p == 'd' ? 10 : *p == 'w' ? 63 : *p == 's' ? 6 : strchr("DWS", *p) ? 200 : 1;
		} else if (*p == '[' && p[1] == ':') {
			n += 60;
		} else if (p[1] == '-' && p[2] && p[2] != ']' && p[2] > *p) {
			n += (size_t)(p[2] - *p) + 1;
			p += 2;
		} else {
			n++;
		}
	}
	return n;
}

/* Rough: digits, spaces and some punctuation are common in what we read. */
static double atom_bits(const struct rx_node *n)
{
	char c = n->text[0] == '\\' ? n->text[1] : n->text[0];
	size_t size;

	if (n->literal)
		return c >= '0' && c <= '9' ? 3.5 : strchr(" .:-/=\",", c) ? 4 : strchr("etaoinsr", c) ? 4.5 : 6;
	size = class_size(n->text);
	return size >= 200 ? 0.05 : size >= 60 ? 1 : log2(64.0 / (double)(size + 4)) * 0.8;
}

static bool row_is_full(const struct row *r)
{
	return r->n == PIECES_MAX - 1;
}

/* What finds no room is dropped, and so is all behind it: the pieces that are there still hold. */
static struct piece *push(struct row *r)
{
	struct piece *p = &r->v[r->n];

	if (!row_is_full(r))
		r->n++;
	*p = (struct piece){ .top = r->top };
	return p;
}

static void push_gap(struct row *r, size_t reach)
{
	push(r)->reach = reach;
}

static void push_atom(struct row *r, const struct rx_node *n, size_t min, size_t max, size_t reach)
{
	struct piece *p = push(r);

	p->node = n;
	p->min = min;
	p->max = max;
	p->reach = reach;
	p->states = max;
	p->bits = atom_bits(n) * (double)min;
	p->word = n->literal && min == max;
	p->word_len = p->word ? min : 0;
}

/* Are all alternatives plain words? The length of the shortest, or 0. */
static size_t words_length(const struct rx_seq *s)
{
	size_t shortest = SIZE_MAX;

	for (; s; s = s->next) {
		size_t len = 0;

		for (const struct rx_node *n = s->first; n; n = n->next) {
			if (n->type == RX_FLAGS)
				continue;
			if (n->type != RX_ATOM || !n->literal || n->min != n->max)
				return 0;
			len += n->min;
		}
		shortest = len < shortest ? len : shortest;
	}
	return shortest == SIZE_MAX ? 0 : shortest;
}

/* What a group costs and says as it is; states above STATES_MAX if it can't be taken so. */
static void weigh_group(const struct rx_seq *s, double *ret_bits, size_t *ret_states)
{
	double least = 1e9;
	size_t states = 0, alternatives = 0;

	for (; s; s = s->next, alternatives++) {
		double bits = 0;

		for (const struct rx_node *n = s->first; n; n = n->next) {
			double b = 0;
			size_t k = 1;

			if (n->type == RX_FLAGS)
				continue;
			if (n->type == RX_GROUP)
				weigh_group(n->alternatives, &b, &k);
			else if (n->type == RX_ATOM)
				b = atom_bits(n);
			else
				k = STATES_MAX + 1;
			bits += b * (double)n->min;
			states = add_sat(states, n->max == RX_UNBOUNDED ? STATES_MAX + 1 : k * n->max);
		}
		least = bits < least ? bits : least;
	}
	*ret_bits = alternatives ? least : 0;
	*ret_states = states;
}

static void flatten(struct row *r, const struct rx_seq *s, size_t start, size_t fixed_reach);

/* The repeats of a group that must be there, side by side. */
static void flatten_copies(struct row *r, const struct rx_node *n, size_t reach)
{
	for (size_t i = 0; i < n->min && i < COPIES_MAX; i++)
		flatten(r, n->alternatives, 0, reach);
}

/* A group as one piece. fixed: it stands in a repeat, where nothing but the reach is known. */
static struct piece *push_group(struct row *r, const struct rx_node *n, size_t start, size_t reach,
				bool fixed)
{
	struct piece *p = push(r);

	p->node = n;
	p->min = n->min;
	p->max = n->max;
	p->reach = reach;
	p->start = fixed ? RX_UNBOUNDED : start;
	return p;
}

static void flatten_group(struct row *r, const struct rx_node *n, size_t start, size_t reach,
			  bool fixed)
{
	size_t states, words = words_length(n->alternatives);
	double bits;
	struct piece *p;

	if (n->min == 1 && n->max == 1 && !n->alternatives->next) {
		flatten(r, n->alternatives, start, fixed ? reach : 0);
		return;
	}
	weigh_group(n->alternatives, &bits, &states);
	if (words && n->min == 1 && n->max == 1) {
		p = push_group(r, n, start, reach, fixed);
		p->bits = bits;
		p->states = p->word_len = words;
		p->word = true;
	} else if (n->min == n->max && n->max <= COPIES_MAX && !n->alternatives->next) {
		flatten_copies(r, n, reach);
	} else if (n->max <= REPEAT_MAX && states * n->max <= STATES_MAX) {
		p = push_group(r, n, start, reach, fixed);
		p->bits = bits * (double)n->min;
		p->states = states * n->max;
	} else if (n->min == 0) {
		push_gap(r, reach);
	} else if (!n->alternatives->next) {
		flatten_copies(r, n, reach);
		push_gap(r, reach);
		flatten_copies(r, n, reach);
	} else {
		if (n->max > 1)
			push_gap(r, reach);
		p = push_group(r, n, start, reach, fixed || n->max > 1);
		p->min = p->max = 1;
		p->fork = true;
		if (n->max > 1)
			push_gap(r, reach);
	}
}

/* fixed_reach: what all pieces reach, when they stand in a repeated group; else 0. */
static void flatten(struct row *r, const struct rx_seq *s, size_t start, size_t fixed_reach)
{
	size_t at = start, ordinal = 0;

	r->depth++;
	for (const struct rx_node *n = s->first; n && !row_is_full(r); n = n->next, ordinal++) {
		size_t before = at, reach;

		if (r->depth == 1)
			r->top = ordinal;
		at = add_sat(at, rx_node_width(n).max);
		reach = fixed_reach ? fixed_reach : at;
		if (n->type == RX_GROUP && rx_node_width(n).max == 0)
			continue;
		if (n->type == RX_GROUP) {
			flatten_group(r, n, before, reach, fixed_reach != 0);
		} else if (n->type == RX_UNKNOWN || (n->type == RX_ATOM && n->min == 0 && n->max > REPEAT_MAX)) {
			push_gap(r, reach);
		} else if (n->type == RX_ATOM && n->max <= REPEAT_MAX) {
			push_atom(r, n, n->min, n->max, reach);
		} else if (n->type == RX_ATOM) {
			size_t k = n->min < REPEAT_MAX ? n->min : REPEAT_MAX;

			push_atom(r, n, k, k, reach);
			push_gap(r, reach);
			push_atom(r, n, k, k, reach);
		}
	}
	r->depth--;
}

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

	return 3.0 * rare + (word >= 4 ? 25 : word == 3 ? 8 : 0) - STATE_COST * (double)other_states;
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

static bool is_gap(const struct piece *p)
{
	return !p->node;
}

/* The pieces around fork i up to the next gaps, with one of its alternatives in its place. */
static void put_alternative(struct row *to, const struct row *r, size_t i, const struct rx_seq *alternative)
{
	size_t from = i, end = i + 1;

	while (from > 0 && !is_gap(&r->v[from - 1]))
		from--;
	while (end < r->n && !is_gap(&r->v[end]))
		end++;
	to->n = 0;
	to->depth = 1;
	to->top = r->v[i].top;
	for (size_t k = from; k < end; k++) {
		if (k != i)
			*push(to) = r->v[k];
		else if (r->v[i].start == RX_UNBOUNDED)
			flatten(to, alternative, 0, r->v[i].reach);
		else
			flatten(to, alternative, r->v[i].start, 0);
	}
}

static void hint_row(struct row *r, size_t behind, int depth, unsigned *budget, struct hint *ret);

/* One more alternative of a hint. Equal neighbours, as a fork gives them, count once. */
static void merge_hint(struct hint *to, const struct hint *one, bool first)
{
	struct span text = buf_span(&one->text), last = span_sub(buf_span(&to->text), to->last, to->text.len);

	to->score = first || one->score < to->score ? one->score : to->score;
	to->bits = first || one->bits < to->bits ? one->bits : to->bits;
	to->word = first || one->word < to->word ? one->word : to->word;
	to->before = one->before > to->before ? one->before : to->before;
	to->after = one->after > to->after ? one->after : to->after;
	to->top = one->top > to->top ? one->top : to->top;
	if (!first && span_eq(text, last))
		return;
	if (!first && !to->quad)
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
		struct hint one = { .score = 0, .quad = ret->quad };

		put_alternative(to, r, i, s);
		hint_row(to, behind, depth + 1, budget, &one);
		merge_hint(ret, &one, s == first);
		buf_done(&one.text);
	}
}

static void window_hint(struct row *r, struct hint *ret)
{
	struct window best = { 0, 0, 0, 0.01, 0 };
	size_t from = 0;

	for (size_t i = 0; i <= r->n; i++) {
		if (i < r->n && !is_gap(&r->v[i]) && !r->v[i].fork)
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

/* Up to four bytes in a row, of fixed repeats only: the last ones seen while walking along a row. */
struct quad {
	const struct rx_node *v[RULE_QUAD];
	size_t n, reach, top;
	double bits;
};

static void quad_push(struct quad *q, const struct rx_node *n, const struct piece *p, struct quad *best)
{
	double bits = 0;

	if (q->n == RULE_QUAD)
		memmove(q->v, q->v + 1, (RULE_QUAD - 1) * sizeof(q->v[0]));
	else
		q->n++;
	q->v[q->n - 1] = n;
	q->reach = p->reach;
	q->top = p->top;
	for (size_t i = 0; i < q->n; i++)	/* where one digit is, more are likely */
		bits += atom_bits(q->v[i]) * (i && !strcmp(q->v[i]->text, q->v[i - 1]->text) ? 0.3 : 1);
	q->bits = bits;
	if (bits > best->bits)
		*best = *q;
}

static void quad_hint(const struct row *r, struct hint *ret)
{
	struct quad q = { .n = 0 }, best = { .n = 0 };

	for (size_t i = 0; i < r->n; i++) {
		const struct piece *p = &r->v[i];
		size_t copies = p->min < RULE_QUAD ? p->min : RULE_QUAD;

		if (is_gap(p) || p->node->type != RX_ATOM || p->min == 0) {
			q.n = 0;
			continue;
		}
		for (size_t k = 0; k < copies; k++)
			quad_push(&q, p->node, p, &best);
		if (p->max == copies)
			continue;
		for (size_t k = q.n = 0; k < copies; k++)
			quad_push(&q, p->node, p, &best);
	}
	if (!best.n)
		return;
	for (size_t i = 0; i < RULE_QUAD; i++) {
		const struct rx_node *n = i < RULE_QUAD - best.n ? NULL : best.v[i - (RULE_QUAD - best.n)];
		uint8_t set[32];

		memset(set, 0xff, sizeof(set));
		if (n)
			rule_byte_set(n->text, n->nocase, set);
		buf_add(&ret->text, set, sizeof(set));
	}
	ret->score = ret->bits = best.bits;
	ret->before = best.reach;
	ret->top = best.top;
}

/* May the piece's alternatives be tried one by one? */
static bool is_fork(const struct piece *p, bool quad)
{
	return p->fork || (quad && p->node && p->node->type == RX_GROUP && p->min == 1 && p->max == 1);
}

/* The best window of a row, or its best fork; a score of 0 if there is neither. */
static void hint_row(struct row *r, size_t behind, int depth, unsigned *budget, struct hint *ret)
{
	double enough = ret->quad ? QUAD_ENOUGH : SCORE_ENOUGH;

	if (*budget == 0)
		return;
	(*budget)--;
	if (ret->quad)
		quad_hint(r, ret);
	else
		window_hint(r, ret);
	ret->after = ret->score > 0 && ret->before <= behind ? behind + 1 : 0;
	for (size_t i = 0; i < r->n && depth < FORK_DEPTH && ret->score < enough; i++) {
		struct hint sub = { .score = 0, .quad = ret->quad };

		if (is_fork(&r->v[i], ret->quad))
			hint_fork(r, i, behind, depth, budget, &sub);
		if (sub.score > ret->score) {
			struct hint worse = *ret;

			*ret = sub;
			sub = worse;
		}
		buf_done(&sub.text);
	}
}

/* The look-behind that opens the sequence, if any, becomes a group of it; its width. */
static size_t open_assertions(struct rx_seq *s)
{
	struct rx_node *n, *first = s->first, *last = s->last;
	size_t behind = 0;

	while (first && (first->type == RX_ZERO || first->type == RX_FLAGS))
		first = first->next;
	while (last && (last->type == RX_ZERO || last->type == RX_FLAGS))
		last = last->prev;
	if (first && first->type == RX_BEHIND) {
		first->type = RX_GROUP;
		first->min = first->max = 1;
		behind = rx_node_width(first).max;
	}
	if (last && last->type == RX_AHEAD) {
		last->type = RX_GROUP;
		last->min = last->max = 1;
	}
	for (n = s->first; n; n = n->next)
		if (n->type == RX_AHEAD || n->type == RX_BEHIND)
			n->type = RX_ZERO;
	return behind;
}

/* Assertions within groups hold no text of their own. */
static void close_assertions(struct rx_seq *s)
{
	for (; s; s = s->next)
		for (struct rx_node *n = s->first; n; n = n->next) {
			if (n->type == RX_AHEAD || n->type == RX_BEHIND)
				n->type = RX_ZERO;
			if (n->type == RX_GROUP)
				close_assertions(n->alternatives);
		}
}

/* Removes zero-width nodes, so that what is left stands side by side. */
static void drop_zero(struct rx_seq *s)
{
	for (; s; s = s->next)
		for (struct rx_node *n = s->first; n; n = n->next) {
			if (n->type == RX_GROUP)
				drop_zero(n->alternatives);
			if (n->type != RX_ZERO && n->type != RX_FLAGS)
				continue;
			*(n->prev ? &n->prev->next : &s->first) = n->next;
			*(n->next ? &n->next->prev : &s->last) = n->prev;
		}
}

/* Adds the bytes that the nodes hold, and theirs. */
static void add_bytes(const struct rx_node *n, uint8_t set[32])
{
	uint8_t one[32];

	if (n->type == RX_UNKNOWN) {
		memset(set, 0xff, 32);
	} else if (n->type == RX_ATOM) {
		memset(one, 0xff, sizeof(one));
		rule_byte_set(n->text, n->nocase, one);
		for (size_t i = 0; i < sizeof(one); i++)
			set[i] |= one[i];
	}
	for (const struct rx_seq *s = n->alternatives; s; s = s->next)
		for (const struct rx_node *k = s->first; k; k = k->next)
			add_bytes(k, set);
}

/* What may stand between the start of a match and the end of its candidate, in node `top`. */
static void add_prefix(const struct rx_seq *s, size_t top, bool before_match, uint8_t set[32])
{
	size_t ordinal = 0;

	if (before_match)
		memset(set, 0xff, 32);
	for (const struct rx_node *n = s->first; n && ordinal <= top; n = n->next, ordinal++)
		add_bytes(n, set);
}

static void hint_tree(const struct rx_tree *tree, struct hint *ret)
{
	AUTO_FREE struct row *r = xmalloc(sizeof(*r));

	ret->score = 1;
	for (const struct rx_seq *s = tree->alternatives; s && ret->score > 0; s = s->next) {
		struct hint one = { .score = 0, .quad = ret->quad };
		unsigned budget = ROWS_MAX;

		r->n = r->depth = 0;
		flatten(r, s, 0, 0);
		hint_row(r, s->behind, 0, &budget, &one);
		add_prefix(s, one.top, one.after > 0, ret->prefix);
		add_prefix(s, SIZE_MAX, one.after > 0, ret->all);
		merge_hint(ret, &one, s == tree->alternatives);
		buf_done(&one.text);
	}
}

void rule_hint_find(struct span regex, struct rule_hint *ret)
{
	struct hint words = { .score = 0 }, quads = { .score = 0, .quad = true }, *best = &words;
	struct rx_tree tree;

	rx_parse(regex, &tree);
	for (struct rx_seq *s = tree.alternatives; s; s = s->next) {
		s->behind = open_assertions(s);
		for (struct rx_node *n = s->first; n; n = n->next)
			if (n->type == RX_GROUP)
				close_assertions(n->alternatives);
	}
	drop_zero(tree.alternatives);
	hint_tree(&tree, &words);
	if (words.score <= 0 || words.word <= 1)
		hint_tree(&tree, &quads);
	arena_free(tree.arena);
	*ret = (struct rule_hint){ .n_quads = 0 };
	if (quads.score >= QUAD_MIN && quads.bits + QUAD_LOSS >= words.bits &&
	    quads.text.len <= QUADS_MAX * RULE_QUAD_BYTES) {
		best = &quads;
		ret->n_quads = quads.text.len / RULE_QUAD_BYTES;
	}
	ret->before = best->before;
	ret->after = best->after;
	memcpy(ret->prefix, best->prefix, sizeof(ret->prefix));
	memcpy(ret->all, best->all, sizeof(ret->all));
	ret->text = best->score > 0 ? buf_steal(&best->text) : NULL;
	ret->text = ret->text ? ret->text : xstrdup("");
	buf_done(&words.text);
	buf_done(&quads.text);
}
