/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#include <stdlib.h>

/*
 * Phone numbers. A log holds thousands and they share heads and tails, so each number of the text
 * is looked up instead: whole by its digits' hash, a piece in two lists sorted from either end.
 * Groups with separators between them (+44 20 7123 0000) are looked up joined too.
 */

#define PIECE_MIN LEARN_DIGITS_MIN
#define NATIONAL_MIN 8		/* digits that are a number by themselves */
#define DIGITS_MAX 24
#define CERTAIN_MIN 10		/* that are one behind any digits */
#define GROUPS_MAX 16

static struct span digits_of(const struct learned *l, uint32_t value)
{
	return l->v[value].canonical;
}

static const struct learned *sorting;	/* qsort has no context */

static int compare_heads(const void *a, const void *b)
{
	struct span x = digits_of(sorting, *(const uint32_t *)a);
	struct span y = digits_of(sorting, *(const uint32_t *)b);
	int d = memcmp(x.p, y.p, x.len < y.len ? x.len : y.len);

	return d ? d : (x.len > y.len) - (x.len < y.len);
}

/* The same read from the end; `n` digits at most. */
static int compare_from_end(struct span x, struct span y)
{
	size_t n = x.len < y.len ? x.len : y.len;

	for (size_t i = 1; i <= n; i++)
		if (x.p[x.len - i] != y.p[y.len - i])
			return x.p[x.len - i] < y.p[y.len - i] ? -1 : 1;
	return (x.len > y.len) - (x.len < y.len);
}

static int compare_tails(const void *a, const void *b)
{
	return compare_from_end(digits_of(sorting, *(const uint32_t *)a),
				digits_of(sorting, *(const uint32_t *)b));
}

/* The last four digits as a number. */
static unsigned end_of(struct span digits)
{
	unsigned n = 0;

	for (size_t i = digits.len - 4; i < digits.len; i++)
		n = n * 10 + (unsigned)(digits.p[i] - '0');
	return n;
}

void learn_phones_build(struct learned *l)
{
	memset(l->phone_ends, 0, sizeof(l->phone_ends));
	for (uint32_t i = 0; i < l->n; i++) {
		struct span c = l->v[i].canonical;
		bool all = c.len > PIECE_MIN && c.len <= DIGITS_MAX;

		for (size_t k = 0; k < c.len; k++)
			all &= is_digit(c.p[k]);
		if (!all || l->v[i].v.kind != KIND_PHONE)
			continue;
		GROW(l->phones, l->n_phones, l->cap_phones);
		l->phones[l->n_phones++] = i;
		l->phone_ends[end_of(c) / 64] |= (uint64_t)1 << end_of(c) % 64;
	}
	if (l->n_phones == 0)
		return;
	l->phone_tails = xreallocarray(NULL, l->n_phones, sizeof(*l->phone_tails));
	memcpy(l->phone_tails, l->phones, l->n_phones * sizeof(*l->phones));
	sorting = l;
	qsort(l->phones, l->n_phones, sizeof(*l->phones), compare_heads);
	qsort(l->phone_tails, l->n_phones, sizeof(*l->phone_tails), compare_tails);
	sorting = NULL;
}

/* The first of a sorted list that is not before `digits`, seen from one end. */
static uint32_t first_with(const struct learned *l, const uint32_t *list, struct span digits,
			   bool tails)
{
	size_t lo = 0, hi = l->n_phones;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		struct span c = digits_of(l, list[mid]);
		int d = tails ? compare_from_end(c, digits)
			      : memcmp(c.p, digits.p, c.len < digits.len ? c.len : digits.len);

		if (d < 0 || (d == 0 && !tails && c.len < digits.len))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == l->n_phones)
		return UINT32_MAX;
	return (tails ? span_ends : span_starts)(digits_of(l, list[lo]), digits) ? list[lo]
										 : UINT32_MAX;
}

/* A hit takes the plus sign and international prefix before it. */
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

/* Digits of the text and where they stand: one group, or several joined. */
struct number {
	char digits[DIGITS_MAX];
	size_t at[DIGITS_MAX];
	size_t n;
	struct { size_t from, to; } groups[GROUPS_MAX];	/* in digits */
	size_t n_groups;
};

static void phone_hit(struct learned_scanner *s, const struct number *n, size_t from, size_t to,
		      uint32_t value, bool joined)
{
	struct learned_hit hit = { .value = value, .off = n->at[from],
				   .form = joined ? FORM_LEARNED : FORM_PLAIN };
	size_t begins = n->at[from];

	hit.partial = to - from < digits_of(s->l, value).len;
	if (joined && begins > 0 && s->text.p[begins - 1] == '(')
		hit.off--;
	learn_phone_widen(s->text, &hit.off);
	hit.len = n->at[to - 1] + 1 - hit.off;
	if (s->l->v[value].mode == MODE_PIECES)
		learn_hit(s, &hit, begins);
}

/* Digits [from, to) as one number: whole, behind a prefix to dial (00, or a long one behind a
   line's 9, a feature's 67), without its country. */
static bool look_number(struct learned_scanner *s, const struct number *n, size_t from, size_t to,
			bool joined)
{
	unsigned end = to - from > PIECE_MIN ? end_of(span_make(n->digits, to)) : 0;
	size_t least = PIECE_MIN + 1;
	uint32_t value;

	if (!(s->l->phone_ends[end / 64] >> end % 64 & 1))
		return false;
	for (size_t skip = from; skip < from + 4 && skip < to && to - skip >= least; skip++) {
		struct span d = span_make(n->digits + skip, to - skip);

		value = learn_find(s->l, KIND_PHONE, d);
		if (value == UINT32_MAX && d.len >= NATIONAL_MIN)
			value = first_with(s->l, s->l->phone_tails, d, true);
		if (value != UINT32_MAX) {
			phone_hit(s, n, skip, to, value, joined);
			return true;
		}
		if (n->digits[skip] != '0' && n->digits[skip] != '1')
			least = CERTAIN_MIN;
	}
	return false;
}

/* A head or tail that was cut: gdb's limit, a shorter string over a longer one. */
static void look_piece(struct learned_scanner *s, const struct number *n, size_t from, size_t to)
{
	struct span d = span_make(n->digits + from, to - from);
	uint32_t value = UINT32_MAX;

	if (d.len < PIECE_MIN)
		return;
	if (learn_cut_after(s->text, n->at[to - 1] + 1))
		value = first_with(s->l, s->l->phones, d, false);
	if (value == UINT32_MAX && learn_cut_before(s->text, n->at[from]))
		value = first_with(s->l, s->l->phone_tails, d, true);
	if (value != UINT32_MAX && 2 * d.len >= digits_of(s->l, value).len)
		phone_hit(s, n, from, to, value, false);
}

/* How many groups from i on are one number, the most there can be: 0 if they are none. */
static size_t look_joined(struct learned_scanner *s, const struct number *n, size_t i)
{
	for (size_t j = n->n_groups; j > i + 1; j--)
		if (n->groups[j - 1].to - n->groups[i].from > PIECE_MIN &&
		    look_number(s, n, n->groups[i].from, n->groups[j - 1].to, true))
			return j - i;
	return 0;
}

static void look_groups(struct learned_scanner *s, const struct number *n)
{
	for (size_t i = 0, joined; i < n->n_groups; i += joined ? joined : 1) {
		joined = look_joined(s, n, i);
		if (!joined && !look_number(s, n, n->groups[i].from, n->groups[i].to, false))
			look_piece(s, n, n->groups[i].from, n->groups[i].to);
	}
}

static bool is_separator(char c)
{
	return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
}

/* An escape's digits are not the number's: \000551234, %20551234. */
static size_t skip_escape(struct span t, size_t i)
{
	size_t slashes = 0;

	if (i > 0 && t.p[i - 1] == '%' && i + 1 < t.len && is_hex(t.p[i + 1]))
		return i + 2;
	while (i > slashes && slashes < 64 && t.p[i - 1 - slashes] == '\\')
		slashes++;
	if (!(slashes & 1))
		return i;
	for (size_t k = 0; k < 3 && i < t.len && t.p[i] >= '0' && t.p[i] <= '7'; k++)
		i++;
	return i;
}

/* Reads the groups that begin at i, where a digit is; the end of what was read. */
static size_t read_number(struct span t, size_t i, struct number *n)
{
	n->n = n->n_groups = 0;
	while (i < t.len && n->n_groups < GROUPS_MAX) {
		size_t gap = 0, from = n->n;

		for (; i < t.len && is_digit(t.p[i]) && n->n < DIGITS_MAX; i++) {
			n->digits[n->n] = t.p[i];
			n->at[n->n++] = i;
		}
		if (i < t.len && is_digit(t.p[i])) {
			/* too long for a number */
			n->n = from;
			while (i < t.len && is_digit(t.p[i]))
				i++;
			break;
		}
		n->groups[n->n_groups].from = from;
		n->groups[n->n_groups++].to = n->n;
		while (i + gap < t.len && gap < 3 && is_separator(t.p[i + gap]))
			gap++;
		if (gap == 0 || i + gap >= t.len || !is_digit(t.p[i + gap]))
			break;
		i += gap;
	}
	return i;
}

/* Six digits, with at most three separators between two of them: every fourth place meets a digit
   or one of their separators. */
static size_t scan_stretch(struct learned_scanner *s, size_t p, size_t end)
{
	struct span t = s->text;
	struct number n;

	while (p < end && s->rc >= 0) {
		size_t i = p;

		if (!is_digit(t.p[p]) && !(p + 2 < t.len && is_digit(t.p[p + 2]))) {
			p += 2;
			continue;
		}
		while (i > s->from && is_digit(t.p[i - 1]))
			i--;
		while (i < t.len && !is_digit(t.p[i]))
			i++;
		i = skip_escape(t, i);
		if (i >= t.len || !is_digit(t.p[i])) {
			p = i > p ? i : p + 1;
			continue;
		}
		i = read_number(t, i, &n);
		if (n.n >= PIECE_MIN)
			look_groups(s, &n);
		p = i > p ? i : p + 1;
	}
	return p;
}

void learn_phone_scan(struct learned_scanner *s)
{
	size_t p = s->from;

	if (s->l->n_phones == 0 || s->counting)
		return;
	while (p < s->to && s->rc >= 0) {
		size_t stop;

		p = learn_find_digits(s->text, p, s->to, &stop);
		p = scan_stretch(s, p, stop);
	}
}
