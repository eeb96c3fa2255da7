/* SPDX-License-Identifier: Apache-2.0 */
#include "hint_internal.h"

#include <math.h>

/*
 * The rarest gram of a row: a byte that each match holds, and what may stand in the places on both
 * sides of it. Where optional pieces and repeats leave open what stands before it, there is one
 * gram for each of the ways ("[/-]\d\.", "[/-]\d\d\.", …) as long as they are few, and then one
 * that takes the rest together.
 */

#define SPOTS_MAX 16 /* that may stand in one place; more say nothing */

/* One repeat of an atom: `copy` from 1 on. */
struct spot {
	size_t piece, copy;
};

/* What may stand in one place. */
struct choice {
	struct spot v[SPOTS_MAX];
	size_t n;
	bool anything;
};

#define LAST (RULE_GRAM_END - 1) /* the candidate's last byte */

struct gram {
	struct choice places[RULE_GRAM];
};

static bool is_atom(const struct piece *p)
{
	return !rule_piece_is_gap(p) && p->node->type == RX_ATOM;
}

static void choice_add(struct choice *c, size_t piece, size_t copy)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].piece == piece && c->v[i].copy == copy)
			return;
	if (c->n == SPOTS_MAX)
		c->anything = true;
	else
		c->v[c->n++] = (struct spot){ piece, copy };
}

/* Adds what may stand right before the spot. */
static void choice_before(const struct row *r, struct spot spot, struct choice *ret)
{
	if (spot.copy > 1) {
		choice_add(ret, spot.piece, spot.copy - 1);
		return;
	}
	for (size_t i = spot.piece; i-- > 0;) {
		const struct piece *p = &r->v[i];

		if (!is_atom(p)) {
			ret->anything = true;
			return;
		}
		for (size_t copy = p->min ? p->min : 1; copy <= p->max; copy++)
			choice_add(ret, i, copy);
		if (p->min)
			return;
	}
	ret->anything = true;
}

/* Adds what may stand right behind the spot. */
static void choice_behind(const struct row *r, struct spot spot, struct choice *ret)
{
	const struct piece *at = &r->v[spot.piece];

	if (spot.copy < at->max)
		choice_add(ret, spot.piece, spot.copy + 1);
	if (spot.copy < at->min)
		return;
	for (size_t i = spot.piece + 1; i < r->n; i++) {
		const struct piece *p = &r->v[i];

		if (!is_atom(p)) {
			ret->anything = true;
			return;
		}
		if (p->max)
			choice_add(ret, i, 1);
		if (p->min)
			return;
	}
	ret->anything = true;
}

static const struct rx_node *spot_node(const struct row *r, struct spot s)
{
	return r->v[s.piece].node;
}

/* How rare the bytes of a place are, in bits: of unlike atoms together. */
static double choice_bits(const struct row *r, const struct choice *c)
{
	double odds = 0;

	if (c->anything)
		return 0;
	for (size_t i = 0; i < c->n; i++) {
		bool again = false;

		for (size_t k = 0; k < i && !again; k++)
			again = !strcmp(spot_node(r, c->v[i])->text, spot_node(r, c->v[k])->text);
		odds += again ? 0 : exp2(-rule_atom_bits(spot_node(r, c->v[i])));
	}
	return odds < 1 ? -log2(odds) : 0;
}

static bool is_same(const struct row *r, const struct choice *a, const struct choice *b)
{
	return a->n == 1 && b->n == 1 && !a->anything && !b->anything &&
	       !strcmp(spot_node(r, a->v[0])->text, spot_node(r, b->v[0])->text);
}

static double gram_bits(const struct row *r, const struct gram *g)
{
	double bits = choice_bits(r, &g->places[LAST]);

	for (size_t i = 0; i < RULE_GRAM; i++) {
		const struct choice *beside = &g->places[i < LAST ? i + 1 : i - 1];
		/* where one digit is, more are likely */
		double worth = is_same(r, &g->places[i], beside) ? 0.3 : 1;

		if (i != LAST)
			bits += choice_bits(r, &g->places[i]) * worth;
	}
	return bits;
}

static void fill_behind(const struct row *r, struct gram *g)
{
	for (size_t i = LAST + 1; i < RULE_GRAM; i++) {
		const struct choice *before = &g->places[i - 1];

		g->places[i].anything = before->anything;
		for (size_t k = 0; k < before->n && !g->places[i].anything; k++)
			choice_behind(r, before->v[k], &g->places[i]);
	}
}

/* The grams for a row whose candidates end with the spot: at most `most`. How rare they are. */
static double grams_find(const struct row *r, struct spot last, size_t most,
			 struct gram ret[RULE_WAYS_MAX], size_t *ret_n)
{
	double odds = 0;
	size_t n = 1;

	ret[0] = (struct gram){ .places[LAST] = { .v[0] = last, .n = 1 } };
	fill_behind(r, &ret[0]);
	for (size_t i = LAST; i-- > 0;) {
		size_t ways = n;

		for (size_t w = 0; w < ways; w++) {
			const struct choice *behind = &ret[w].places[i + 1];
			struct choice before = { .anything = behind->anything };

			for (size_t k = 0; k < behind->n && !before.anything; k++)
				choice_before(r, behind->v[k], &before);
			ret[w].places[i] = before;
			if (before.anything || before.n == 1 || n + before.n - 1 > most)
				continue;
			for (size_t k = 0; k < before.n; k++) {
				struct gram *to = k ? &ret[n++] : &ret[w];

				*to = ret[w];
				to->places[i] = (struct choice){ .v[0] = before.v[k], .n = 1 };
			}
		}
	}
	for (size_t w = 0; w < n; w++)
		odds += exp2(-gram_bits(r, &ret[w]));
	*ret_n = n;
	return -log2(odds);
}

static void put_place(struct buf *b, const struct row *r, const struct choice *c)
{
	uint8_t all[32] = { 0 };

	if (c->anything)
		memset(all, 0xff, sizeof(all));
	for (size_t i = 0; i < c->n && !c->anything; i++) {
		const struct rx_node *n = spot_node(r, c->v[i]);
		uint8_t one[32];

		memset(one, 0xff, sizeof(one));
		rule_byte_set(n->text, n->nocase, one);
		for (size_t k = 0; k < sizeof(all); k++)
			all[k] |= one[k];
	}
	buf_add(b, all, sizeof(all));
}

void rule_gram_hint(const struct row *r, struct hint *ret)
{
	AUTO_FREE struct gram *grams = xcalloc(RULE_WAYS_MAX, sizeof(*grams));
	struct spot best = { .copy = 0 };
	double most = 0;
	size_t n;

	for (size_t i = 0; i < r->n; i++) {
		size_t copies = is_atom(&r->v[i]) ? r->v[i].min : 0;

		for (size_t copy = 1; copy <= copies && copy <= REPEAT_MAX; copy++) {
			double bits = grams_find(r, (struct spot){ i, copy }, ret->ways, grams, &n);

			if (bits > most) {
				most = bits;
				best = (struct spot){ i, copy };
			}
		}
	}
	if (!best.copy)
		return;
	grams_find(r, best, ret->ways, grams, &n);
	for (size_t w = 0; w < n; w++)
		for (size_t i = 0; i < RULE_GRAM; i++)
			put_place(&ret->text, r, &grams[w].places[i]);
	ret->score = ret->bits = most;
	ret->before = r->v[best.piece].reach;
	ret->top = r->v[best.piece].top;
}
