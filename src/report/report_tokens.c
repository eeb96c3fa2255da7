/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <stdlib.h>

/* Where each token stands: one pass over the texts, a hash table by the token's own characters. */

struct index {
	struct report_tokens *t;
	uint32_t *slots;		/* token's number + 1; 0 is free */
	size_t mask;
	size_t cap, cap_stands;
};

static uint32_t hash_of(struct span s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h;
}

static uint32_t *find_slot(struct index *x, struct span token)
{
	size_t i = hash_of(token) & x->mask;

	while (x->slots[i] && !span_eq(x->t->v[x->slots[i] - 1].text, token))
		i = (i + 1) & x->mask;
	return &x->slots[i];
}

static void grow_slots(struct index *x)
{
	if (x->slots && x->t->n * 2 < x->mask)
		return;
	free(x->slots);
	x->mask = x->mask ? x->mask * 2 + 1 : 1023;
	x->slots = xcalloc(x->mask + 1, sizeof(*x->slots));
	for (size_t i = 0; i < x->t->n; i++)
		*find_slot(x, x->t->v[i].text) = (uint32_t)i + 1;
}

static void add_occurrence(struct index *x, struct span token, enum kind kind, size_t text,
			   uint64_t line)
{
	struct report_tokens *t = x->t;
	struct report_token *one;
	uint32_t *slot;

	grow_slots(x);
	slot = find_slot(x, token);
	if (!*slot) {
		GROW(t->v, t->n, x->cap);
		t->v[t->n++] = (struct report_token){ .text = token, .kind = kind };
		*slot = (uint32_t)t->n;
	}
	one = &t->v[*slot - 1];
	one->count++;
	if (one->last && t->stands[one->last - 1].text == text) {
		t->stands[one->last - 1].count++;
		return;
	}
	GROW(t->stands, t->n_stands, x->cap_stands);
	t->stands[t->n_stands++] = (struct report_stand){ text, line, 1, 0 };
	if (one->last)
		t->stands[one->last - 1].next = t->n_stands;
	else
		one->first = t->n_stands;
	one->last = t->n_stands;
}

static void add_text(struct index *x, struct span text, size_t number)
{
	size_t at = 0, counted = 0, len;
	uint64_t line = 1;
	enum kind kind;

	for (; (len = value_token_next(text, &at, &kind)); at += len) {
		const char *p = text.p + counted, *end = text.p + at;

		while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
			line++;
			p++;
		}
		counted = at;
		add_occurrence(x, span_sub(text, at, at + len), kind, number, line);
	}
}

static int by_kind_and_count(const void *x, const void *y)
{
	const struct report_token *a = x, *b = y;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return memcmp(a->text.p, b->text.p, a->text.len < b->text.len ? a->text.len : b->text.len);
}

void report_tokens_make(const struct report_account *a, struct report_tokens *ret)
{
	struct index x = { .t = ret };

	*ret = (struct report_tokens){ .n = 0 };
	for (size_t i = 0; i < a->n_texts; i++)
		add_text(&x, scrubbed_text(a->texts[i]), i);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_kind_and_count);
	for (size_t i = 0; i < ret->n; i++)
		ret->v[i].rule = a->rule_of ? a->rule_of(a->rule_ctx, ret->v[i].text) : NULL;
	free(x.slots);
}

void report_tokens_done(struct report_tokens *t)
{
	free(t->v);
	free(t->stands);
}
