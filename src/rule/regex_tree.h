/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGEX_TREE_H
#define REGEX_TREE_H

#include <corescrub/base.h>

/*
 * A PCRE2 regex as a tree, as far as widths and hints need it. The regex has been compiled before,
 * so its syntax is sound and its nesting within PCRE2's limit; what is not understood is
 * RX_UNKNOWN.
 */

#define RX_UNBOUNDED SIZE_MAX

enum rx_type {
	RX_ATOM,    /* one byte: a literal, class, escape; `text` is how it is written */
	RX_GROUP,   /* alternatives */
	RX_FLAGS,   /* (?i) and the like; the atoms behind it know */
	RX_BEHIND,  /* (?<=…): alternatives */
	RX_AHEAD,   /* (?=…): alternatives */
	RX_ZERO,    /* any other assertion */
	RX_UNKNOWN, /* references, recursion, conditions: any width */
};

struct rx_node {
	enum rx_type type;
	const char *text;     /* RX_ATOM: how libhs has it written, flags aside */
	bool literal, nocase; /* RX_ATOM: one certain byte; in any case */
	size_t min, max;      /* how often */
	bool not_behind;      /* RX_ZERO: a negative look-behind; its alternatives are kept */
	struct rx_seq *alternatives;
	struct rx_node *prev, *next;
};
struct rx_seq {
	struct rx_node *first, *last;
	struct rx_seq *next;
	size_t behind; /* for hints: the width of a look-behind that opens it */
};
struct rx_width {
	size_t min, max;
};
struct rx_tree {
	struct arena *arena;
	struct rx_seq *alternatives;
	const char *refused; /* a construct that can't be used in rules, or NULL */
	size_t refused_at;
};

/* The caller frees tree->arena. */
void rx_parse(struct span regex, struct rx_tree *ret);
struct rx_width rx_node_width(const struct rx_node *n);
struct rx_width rx_width(const struct rx_seq *alternatives);

#endif
