/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#include <stdlib.h>

/*
 * Phone numbers written with separators: +44 20 7123 0000, (020) 7123-0000. The digits are collected
 * and the last seven looked up; what stands before them must agree as far as both go.
 */

#define TAIL 7
#define DIGITS_MAX 24

static bool is_separator(char c)
{
	return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
}

static bool is_number_char(char c)
{
	return is_digit(c) || is_separator(c);
}

/* A number's hit takes the plus sign and international prefix before it. */
void learn_phone_widen(struct span t, size_t *off)
{
	size_t i = *off;

	if (i >= 3 && t.p[i - 3] == '%' && t.p[i - 2] == '2' && (t.p[i - 1] | 0x20) == 'b')
		*off = i - 3;
	else if (i >= 1 && t.p[i - 1] == '+')
		*off = i - 1;
	else if (i >= 2 && t.p[i - 1] == '0' && t.p[i - 2] == '0' &&
		 (i == 2 || !is_digit(t.p[i - 3])) && !learn_escape_before(t, i))
		*off = i - 2;
}

/* A group of digits with single separators between them. */
struct number {
	char digits[DIGITS_MAX];
	size_t at[DIGITS_MAX];		/* each digit's place */
	size_t n;
	bool separated;
};

static void number_hit(struct learned_scanner *s, const struct number *n, const struct phone_tail *tail)
{
	const struct learn_entry *e = &s->l->v[tail->value];
	struct span c = e->canonical;
	size_t same = TAIL, begins;
	struct learned_hit hit = { .value = tail->value, .form = FORM_LEARNED };

	while (same < n->n && same < c.len && n->digits[n->n - 1 - same] == c.p[c.len - 1 - same])
		same++;
	/* what is left of the number before it may only be a prefix to dial */
	for (size_t i = 0; i + same < n->n; i++)
		if (n->digits[i] != '0' && n->digits[i] != '1')
			return;
	if (n->n - same > 3 || (same < c.len && same < 8))
		return;
	begins = n->at[n->n - same];
	hit.off = begins;
	hit.partial = same < c.len;
	if (hit.off > 0 && s->text.p[hit.off - 1] == '(')
		hit.off--;
	learn_phone_widen(s->text, &hit.off);
	hit.len = n->at[n->n - 1] + 1 - hit.off;
	if (!s->counting && e->mode != MODE_NONE)
		learn_hit(s, &hit, begins);
}

static void number_look(struct learned_scanner *s, const struct number *n)
{
	const struct learned *l = s->l;
	uint32_t digits = 0;
	size_t lo = 0, hi = l->n_tails;

	if (n->n < TAIL || !n->separated)
		return;
	for (size_t i = n->n - TAIL; i < n->n; i++)
		digits = digits * 10 + (uint32_t)(n->digits[i] - '0');
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (l->tails[mid].digits < digits)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < l->n_tails && l->tails[lo].digits == digits; lo++)
		number_hit(s, n, &l->tails[lo]);
}

/* Reads the number around p and looks it up; where it ends. */
static size_t number_read(struct learned_scanner *s, size_t p)
{
	struct span t = s->text;
	struct number n = { .n = 0 };
	size_t i = p, gap = 0;

	while (i > s->from && p - i < 32 && is_number_char(t.p[i - 1]))
		i--;
	for (; i < t.len && n.n < DIGITS_MAX && gap < 3; i++) {
		if (is_digit(t.p[i])) {
			n.separated |= n.n && gap;
			n.digits[n.n] = t.p[i];
			n.at[n.n++] = i;
			gap = 0;
		} else if (n.n == 0 && is_separator(t.p[i])) {
			continue;
		} else if (is_separator(t.p[i])) {
			gap++;
		} else {
			break;
		}
	}
	if (n.n && learn_word_after(t, n.at[n.n - 1] + 1))
		number_look(s, &n);
	return i > p ? i : p + 1;
}

/* Seven digits and a separator are at least eight characters: every fourth place meets two of them. */
void learn_phone_scan(struct learned_scanner *s)
{
	struct span t = s->text;
	size_t p = s->from;

	if (s->l->n_tails == 0)
		return;
	while (p + 4 < t.len && p < s->to && s->rc >= 0) {
		if (is_number_char(t.p[p]) && is_number_char(t.p[p + 4]) &&
		    is_number_char(t.p[p + 2]) &&
		    (is_digit(t.p[p]) || is_digit(t.p[p + 2]) || is_digit(t.p[p + 4])))
			p = number_read(s, p);
		else
			p += 4;
	}
}
