/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HINT_INTERNAL_H
#define HINT_INTERNAL_H

#include "regex_tree.h"
#include "rule_internal.h"

/* Between hint.c (a regex), hint_row.c (one alternative as a row of pieces), hint_window.c and
   hint_gram.c (the best part of a row, for libhs and for grams). */

#define PIECES_MAX 512
#define STATES_MAX 24 /* what a window may cost libhs, about one a byte */
#define REPEAT_MAX 8  /* repeats of one piece within a window */
#define RULE_WAYS_MAX 4

struct piece {
	const struct rx_node *node; /* NULL: a gap */
	size_t min, max;
	double bits; /* how rare */
	size_t states;
	size_t reach; /* greatest distance from the sequence's start to its node's end */
	bool word;    /* one certain byte, or a group of words */
	size_t word_len;
	bool fork;    /* a group of unlike alternatives: one row for each of them */
	size_t start; /* of a fork: greatest distance from the sequence's start to it */
	size_t top;   /* which node of the regex's own sequence it is from */
};

struct row {
	struct piece v[PIECES_MAX];
	size_t n;
	size_t depth, top; /* of flatten(): nesting, and the outermost node at hand */
};

struct hint {
	struct buf text;
	size_t before, after, top;
	double score, bits;
	size_t word; /* the longest word in it; of alternatives the least such */
	size_t last; /* where the last alternative begins in the text */
	size_t ways; /* how many grams a row may have, in place of a regex: RULE_GRAM_BYTES each; or 0 */
	uint8_t prefix[32], all[32]; /* of a whole regex: see struct rule_hint */
};

static inline bool rule_piece_is_gap(const struct piece *p)
{
	return !p->node;
}

/* How rare an atom is, in bits: a guess for logs and dumps. */
double rule_atom_bits(const struct rx_node *n);
/* A new piece at the end of r, to be filled in; a gap until then. */
struct piece *rule_row_push(struct row *r);
/* Appends the pieces of s, which begins at most `start` bytes from where the row's sequence does.
   fixed_reach: what all of them reach, when they stand in a repeated group; else 0. */
void rule_row_flatten(struct row *r, const struct rx_seq *s, size_t start, size_t fixed_reach);
/* The best part of a row, as ret->ways says, or of one of its forks; a score of 0 if there is
   none. behind: the width of a look-behind at its start. budget: how many rows may still be looked
   at. */
void rule_hint_row(struct row *r, size_t behind, int depth, unsigned *budget, struct hint *ret);
/* The best gram of a row; ret->score stays 0 if there is none. */
void rule_gram_hint(const struct row *r, struct hint *ret);
/* One more alternative of a hint. */
void rule_hint_merge(struct hint *to, const struct hint *one, bool first);

#endif
