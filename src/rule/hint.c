/* SPDX-License-Identifier: Apache-2.0 */
#include "hint_internal.h"

/*
 * What libhs looks for in place of a regex: a small part that each match must hold, the rarest one
 * can be had, best a word. It only has to lead PCRE2 to the right place, so it is chosen for what
 * libhs does fast and gives one candidate where the whole regex would give one for each place it
 * could end:
 * "(?<!\d)(?:\d{1,3}\.){3}\d{1,3}(?!\d)" becomes "(?:\d{1,3}\.){3}\d", and
 * "\bAuthorization:\s{1,9}Basic\s([\w+/]{8,999})" becomes "Authorization:".
 *
 * Each alternative is flattened to a row of pieces: bytes, cheap groups, and gaps where something
 * wide stood. A window of pieces without a gap is chosen. The invariant, for a match that begins at
 * s: the candidate ends in (s - after, s + before]. A look-behind that opens the regex and a
 * look-ahead that closes it are text beside the match, and take part.
 */
#define ROWS_MAX  2000 /* looked at for one alternative of a regex */
#define GRAM_MIN  5.5  /* bits that a gram must have */
#define GRAM_LOSS 40.0 /* by how much they may be commoner than what libhs would look for */
#define GRAMS_MAX 6    /* of one regex */

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
		struct hint one = { .score = 0, .ways = ret->ways };
		unsigned budget = ROWS_MAX;

		r->n = r->depth = 0;
		rule_row_flatten(r, s, 0, 0);
		rule_hint_row(r, s->behind, 0, &budget, &one);
		add_prefix(s, one.top, one.after > 0, ret->prefix);
		add_prefix(s, SIZE_MAX, one.after > 0, ret->all);
		rule_hint_merge(ret, &one, s == tree->alternatives);
		buf_done(&one.text);
	}
}

/* Fewer grams a row, if there are too many of them together. */
static void hint_grams(const struct rx_tree *tree, struct hint *ret)
{
	for (size_t ways = RULE_WAYS_MAX; ways > 0; ways /= 2) {
		buf_done(&ret->text);
		*ret = (struct hint){ .ways = ways };
		hint_tree(tree, ret);
		if (ret->text.len <= GRAMS_MAX * RULE_GRAM_BYTES)
			return;
	}
	ret->score = 0;
}

static bool is_zero(const struct rx_node *n)
{
	return n->type == RX_ZERO || n->type == RX_FLAGS || n->type == RX_BEHIND ||
	       n->type == RX_AHEAD;
}

/* Adds what a match of the sequence can begin with; true if it can be empty. */
static bool add_first(const struct rx_seq *s, uint8_t set[32])
{
	for (const struct rx_node *n = s->first; n; n = n->next) {
		bool empty = n->min == 0;

		if (is_zero(n))
			continue;
		if (n->type == RX_UNKNOWN) {
			memset(set, 0xff, 32);
			return false;
		}
		if (n->type == RX_ATOM)
			add_bytes(n, set);
		for (const struct rx_seq *k = n->alternatives; k; k = k->next)
			empty |= add_first(k, set);
		if (!empty)
			return false;
	}
	return true;
}

/* Adds the single bytes that negative look-behinds at the sequence's start forbid before it. */
static void add_before_not(const struct rx_seq *s, uint8_t set[32])
{
	for (const struct rx_node *n = s->first; n && is_zero(n); n = n->next) {
		const struct rx_seq *k = n->not_behind ? n->alternatives : NULL;

		for (; k; k = k->next) {
			const struct rx_node *one = k->first;

			while (one && one->type == RX_FLAGS)
				one = one->next;
			if (one && one->type == RX_ATOM && !one->next && one->min == 1 && one->max == 1)
				add_bytes(one, set);
		}
	}
}

static void find_start(const struct rx_seq *s, struct rule_hint *ret)
{
	memset(ret->before_not, 0xff, sizeof(ret->before_not));
	for (; s; s = s->next) {
		uint8_t not[32] = { 0 };

		if (add_first(s, ret->first))
			memset(ret->first, 0xff, sizeof(ret->first));
		add_before_not(s, not);
		for (size_t i = 0; i < sizeof(not); i++)
			ret->before_not[i] &= not[i];
	}
}

void rule_hint_done(struct rule_hint *h)
{
	free(h->text);
}

void rule_hint_find(struct span regex, struct rule_hint *ret)
{
	struct hint words = { .score = 0 }, grams = { .score = 0 }, *best = &words;
	struct rx_tree tree;

	*ret = (struct rule_hint){ .n_grams = 0 };
	rx_parse(regex, &tree);
	find_start(tree.alternatives, ret);
	for (struct rx_seq *s = tree.alternatives; s; s = s->next) {
		s->behind = open_assertions(s);
		for (struct rx_node *n = s->first; n; n = n->next)
			if (n->type == RX_GROUP)
				close_assertions(n->alternatives);
	}
	drop_zero(tree.alternatives);
	hint_tree(&tree, &words);
	if (words.score <= 0 || words.word <= 1)
		hint_grams(&tree, &grams);
	arena_free(tree.arena);
	if (grams.score >= GRAM_MIN && grams.bits + GRAM_LOSS >= words.bits &&
	    grams.text.len <= GRAMS_MAX * RULE_GRAM_BYTES) {
		best = &grams;
		ret->n_grams = grams.text.len / RULE_GRAM_BYTES;
	}
	ret->before = best->before;
	ret->after = best->after;
	memcpy(ret->prefix, best->prefix, sizeof(ret->prefix));
	memcpy(ret->all, best->all, sizeof(ret->all));
	ret->text = best->score > 0 ? buf_steal(&best->text) : NULL;
	ret->text = ret->text ? ret->text : xstrdup("");
	buf_done(&words.text);
	buf_done(&grams.text);
}
