/* SPDX-License-Identifier: Apache-2.0 */
#include "hint_internal.h"

#include <math.h>

#define COPIES_MAX 4 /* of a repeated group, side by side */

static size_t add_sat(size_t a, size_t b)
{
	size_t sum;

	return __builtin_add_overflow(a, b, &sum) ? RX_UNBOUNDED : sum;
}

static size_t class_size(const char *p)
{
	size_t n = 0;

	if (*p != '[')
		return !strncmp(p, "\\d", 2)   ? 10
		       : !strncmp(p, "\\w", 2) ? 63
		       : !strncmp(p, "\\s", 2) ? 6
					       : 200;
	if (p[1] == '^')
		return 200;
	for (p++; *p && *p != ']'; p++) {
		if (*p == '\\' && p[1]) {
			p++;
			n += *p == 'd'		 ? 10
			     : *p == 'w'	 ? 63
			     : *p == 's'	 ? 6
			     : strchr("DWS", *p) ? 200
						 : 1;
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
double rule_atom_bits(const struct rx_node *n)
{
	char c = n->text[0] == '\\' ? n->text[1] : n->text[0];
	size_t size;

	if (n->literal)
		return c >= '0' && c <= '9'	? 3.5
		       : strchr(" .:-/=\",", c) ? 4
		       : strchr("etaoinsr", c)	? 4.5
						: 6;
	size = class_size(n->text);
	return size >= 200 ? 0.05 : size >= 60 ? 1 : log2(64.0 / (double)(size + 4)) * 0.8;
}

static bool row_is_full(const struct row *r)
{
	return r->n == PIECES_MAX - 1;
}

/* What finds no room is dropped, and so is all behind it: the pieces that are there still hold. */
struct piece *rule_row_push(struct row *r)
{
	struct piece *p = &r->v[r->n];

	if (!row_is_full(r))
		r->n++;
	*p = (struct piece){ .top = r->top };
	return p;
}

static void push_gap(struct row *r, size_t reach)
{
	rule_row_push(r)->reach = reach;
}

static void push_atom(struct row *r, const struct rx_node *n, size_t min, size_t max, size_t reach)
{
	struct piece *p = rule_row_push(r);

	p->node = n;
	p->min = min;
	p->max = max;
	p->reach = reach;
	p->states = max;
	p->bits = rule_atom_bits(n) * (double)min;
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
				b = rule_atom_bits(n);
			else
				k = STATES_MAX + 1;
			bits += b * (double)n->min;
			states = add_sat(states,
					 n->max == RX_UNBOUNDED ? STATES_MAX + 1 : k * n->max);
		}
		least = bits < least ? bits : least;
	}
	*ret_bits = alternatives ? least : 0;
	*ret_states = states;
}

/* The repeats of a group that must be there, side by side. */
static void flatten_copies(struct row *r, const struct rx_node *n, size_t reach)
{
	for (size_t i = 0; i < n->min && i < COPIES_MAX; i++)
		rule_row_flatten(r, n->alternatives, 0, reach);
}

/* A group as one piece. fixed: it stands in a repeat, where nothing but the reach is known. */
static struct piece *push_group(struct row *r, const struct rx_node *n, size_t start, size_t reach,
				bool fixed)
{
	struct piece *p = rule_row_push(r);

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
		rule_row_flatten(r, n->alternatives, start, fixed ? reach : 0);
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

void rule_row_flatten(struct row *r, const struct rx_seq *s, size_t start, size_t fixed_reach)
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
		} else if (n->type == RX_UNKNOWN ||
			   (n->type == RX_ATOM && n->min == 0 && n->max > REPEAT_MAX)) {
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
