/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

#include <stdlib.h>

/*
 * Quads: what a regex without a word has that can be looked for, as "digit dot digit". Shift-and
 * with one bit a quad: a table for each of the four last bytes says which quads could have that
 * byte there. libhs does such things in an automaton for each regex, which for twenty of them is
 * much slower.
 */

struct quad_pass {
	uint64_t at[RULE_QUAD][256]; /* [0]: the last byte, [3]: three bytes before it */
	uint32_t target[64];
	unsigned n;
};

void rule_quads_add(struct scan_set *set, const struct rule_hint *hint, size_t target)
{
	for (size_t q = 0; q < hint->n_quads; q++) {
		const uint8_t *bytes = (const uint8_t *)hint->text + q * RULE_QUAD_BYTES;
		struct quad_pass *p = set->n_passes ? set->passes[set->n_passes - 1] : NULL;

		if (!p || p->n == 64) {
			GROW(set->passes, set->n_passes, set->cap_passes);
			p = set->passes[set->n_passes++] = xcalloc(1, sizeof(*p));
		}
		for (size_t place = 0; place < RULE_QUAD; place++)
			for (unsigned b = 0; b < 256; b++)
				if (bytes[place * 32 + b / 8] >> b % 8 & 1)
					p->at[RULE_QUAD - 1 - place][b] |= (uint64_t)1 << p->n;
		p->target[p->n++] = (uint32_t)target;
	}
}

void rule_quads_free(struct scan_set *set)
{
	for (size_t i = 0; i < set->n_passes; i++)
		free(set->passes[i]);
	free(set->passes);
}

static void on_quads(struct rule_scanner *s, const struct quad_pass *p, uint64_t bits, size_t end)
{
	for (; bits && s->rc == RC_OK; bits &= bits - 1) {
		const struct scan_target *t = &s->set->targets[p->target[__builtin_ctzll(bits)]];

		if (end + t->after > s->state[s->set->units[t->first]].done)
			rule_confirm(s, t, end);
	}
}

static void scan_pass(struct rule_scanner *s, const struct quad_pass *p, size_t end)
{
	const uint8_t *t = (const uint8_t *)s->text.p;
	size_t i = s->base;

	/* the first bytes of the text have no three before them: quads that look there can't be
	   met, and shorter ones accept anything in those places, so any byte will do */
	for (; i < end && i < RULE_QUAD - 1; i++) {
		uint64_t bits = p->at[0][t[i]];

		for (size_t k = 1; k < RULE_QUAD; k++)
			bits &= p->at[k][i >= k ? t[i - k] : 0];
		on_quads(s, p, bits, i + 1);
	}
	for (; i < end; i++) {
		uint64_t bits = p->at[0][t[i]] & p->at[1][t[i - 1]] & p->at[2][t[i - 2]] &
				p->at[3][t[i - 3]];

		if (__builtin_expect(bits != 0, 0)) {
			on_quads(s, p, bits, i + 1);
			if (s->rc < 0)
				return;
		}
	}
}

void rule_quads_scan(struct rule_scanner *s, size_t end)
{
	for (size_t i = 0; i < s->set->n_passes && s->rc == RC_OK; i++) {
		s->line = s->line_end = s->base;
		scan_pass(s, s->set->passes[i], end);
	}
}
