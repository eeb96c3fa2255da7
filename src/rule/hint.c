/* SPDX-License-Identifier: Apache-2.0 */
#include "regex_tree.h"
#include "rule_internal.h"

/*
 * What libhs looks for in place of a regex: something simpler of which each match of the regex holds a
 * part. It only has to lead PCRE2 to the right line, so assertions go, and from both ends whatever is
 * optional: "\b(?:\d{1,3}\.){3}\d{1,3}(?!\d)" becomes "\d\.…\d". That is faster, gives one candidate
 * where the regex as it is gives one for each place it could end, and keeps to what libhs does well.
 *
 * The invariant: every match of the regex [s, e) contains a match of the hint that ends in (s, e].
 */

#define REPEAT_EXACT 64		/* a wider range of repeats is made unbounded: libhs counts dearly */

static void unlink_node(struct rx_seq *s, struct rx_node *n)
{
	if (n->prev)
		n->prev->next = n->next;
	else
		s->first = n->next;
	if (n->next)
		n->next->prev = n->prev;
	else
		s->last = n->prev;
}

static bool has_unknown(const struct rx_seq *s);

static bool sequence_has_unknown(const struct rx_seq *s)
{
	for (const struct rx_node *n = s->first; n; n = n->next)
		if (n->type == RX_UNKNOWN || (n->type == RX_GROUP && has_unknown(n->alternatives)))
			return true;
	return false;
}

static bool has_unknown(const struct rx_seq *s)
{
	for (; s; s = s->next)
		if (sequence_has_unknown(s))
			return true;
	return false;
}

/* Drops assertions everywhere but a look-behind at the very start, which is text before the match. */
static void drop_assertions(struct rx_seq *s, bool top)
{
	for (; s; s = s->next) {
		bool start = top && !sequence_has_unknown(s);

		for (struct rx_node *n = s->first, *next; n; n = next) {
			next = n->next;
			if (n->type == RX_BEHIND && start) {
				n->type = RX_GROUP;
				n->min = n->max = 1;
				start = false;
			} else if (n->type == RX_BEHIND || n->type == RX_ZERO) {
				unlink_node(s, n);
			} else if (n->type != RX_FLAGS) {
				start = false;
			}
			if (n->type == RX_GROUP)
				drop_assertions(n->alternatives, false);
		}
	}
}

/* Of a sequence with unknown parts, the widest run of known ones is left. */
static void keep_known(struct rx_seq *s)
{
	struct rx_node *best = NULL, *start = NULL, *next;
	size_t best_width = 0, width = 0;
	bool keep = false;

	for (struct rx_node *n = s->first; n; n = n->next) {
		bool unknown = n->type == RX_UNKNOWN || (n->type == RX_GROUP && has_unknown(n->alternatives));

		if (n->type == RX_FLAGS)
			continue;
		if (unknown) {
			n->type = RX_UNKNOWN;
			start = NULL;
			width = 0;
			continue;
		}
		start = start ? start : n;
		width += rx_node_width(n).min;
		if (width > best_width) {
			best_width = width;
			best = start;
		}
	}
	for (struct rx_node *n = s->first; n; n = next) {
		next = n->next;
		if (n == best)
			keep = true;
		if (n->type == RX_UNKNOWN)
			keep = false;
		if (!keep && n->type != RX_FLAGS)
			unlink_node(s, n);
	}
}

static void trim(struct rx_seq *s, bool tail);

/* Trims the group's alternatives; true if one of them can be empty now, and so the group go. */
static bool trim_group(struct rx_node *n, bool tail)
{
	bool empty = false;

	if (n->max > 1) {
		n->max = n->min;
		if (n->min > 1)
			return false;
	}
	for (struct rx_seq *s = n->alternatives; s; s = s->next)
		trim(s, tail);
	for (struct rx_seq *s = n->alternatives; s; s = s->next) {
		bool some = false;

		for (struct rx_node *k = s->first; k; k = k->next)
			some |= k->type != RX_FLAGS;
		empty |= !some;
	}
	return empty;
}

static void trim(struct rx_seq *s, bool tail)
{
	struct rx_node *n = tail ? s->last : s->first, *next;

	for (; n; n = next) {
		next = tail ? n->prev : n->next;
		if (n->type == RX_FLAGS)
			continue;
		if (n->min == 0 || (n->type == RX_GROUP && trim_group(n, tail))) {
			unlink_node(s, n);
			continue;
		}
		if (n->type == RX_ATOM)
			n->max = n->min;
		return;
	}
}

static void put_quantifier(struct buf *b, size_t min, size_t max)
{
	if (max != RX_UNBOUNDED && max - min > REPEAT_EXACT)
		max = RX_UNBOUNDED;
	if (min == 1 && max == 1)
		return;
	if (max == RX_UNBOUNDED && min <= 1)
		buf_add_char(b, min ? '+' : '*');
	else if (max == RX_UNBOUNDED)
		buf_addf(b, "{%zu,}", min);
	else if (min == 0 && max == 1)
		buf_add_char(b, '?');
	else if (min == max)
		buf_addf(b, "{%zu}", min);
	else
		buf_addf(b, "{%zu,%zu}", min, max);
}

static void put_alternatives(struct buf *b, const struct rx_seq *s)
{
	for (; s; s = s->next) {
		for (const struct rx_node *n = s->first; n; n = n->next) {
			if (n->type == RX_FLAGS) {
				if (*n->text)
					buf_addf(b, "(?%s)", n->text);
				continue;
			}
			if (n->type == RX_GROUP) {
				buf_addf(b, "(?%s:", n->text);
				put_alternatives(b, n->alternatives);
				buf_add_char(b, ')');
			} else {
				buf_add_str(b, n->text);
			}
			put_quantifier(b, n->min, n->max);
		}
		if (s->next)
			buf_add_char(b, '|');
	}
}

char *rule_regex_hint(struct span regex)
{
	struct buf b = BUF_INIT;
	struct rx_tree tree;

	rx_parse(regex, &tree);
	drop_assertions(tree.alternatives, true);
	for (struct rx_seq *s = tree.alternatives; s; s = s->next) {
		keep_known(s);
		trim(s, true);
		trim(s, false);
	}
	put_alternatives(&b, tree.alternatives);
	arena_free(tree.arena);
	return buf_steal(&b);
}
