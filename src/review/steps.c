/* SPDX-License-Identifier: Apache-2.0 */
#include "review_internal.h"

#include <stdlib.h>

/* What there is to decide, in the order in which it is asked. */

static void add_items(struct walk *w, bool open)
{
	const struct review_job *j = w->job;

	for (size_t i = 0; i < j->n_items; i++) {
		const struct review_item *a = &j->items[i];
		struct step one = { .item = a };

		if (a->open != open)
			continue;
		for (size_t k = 0; k < i; k++)
			one.nth += j->items[k].line == a->line &&
				   strcmp(j->items[k].file, a->file) == 0 &&
				   strcmp(j->items[k].what, a->what) == 0;
		GROW(w->steps, w->n, w->cap);
		w->steps[w->n++] = one;
	}
}

static int by_token_and_place(const void *x, const void *y)
{
	const struct place *a = x, *b = y;
	size_t least = a->token.len < b->token.len ? a->token.len : b->token.len;
	int d = memcmp(a->token.p, b->token.p, least);

	if (d)
		return d;
	if (a->token.len != b->token.len)
		return a->token.len < b->token.len ? -1 : 1;
	if (a->text != b->text)
		return a->text < b->text ? -1 : 1;
	return a->off < b->off ? -1 : a->off > b->off;
}

static void find_places(struct walk *w)
{
	for (size_t i = 0; i < w->job->n_texts; i++) {
		struct span text = w->job->texts[i].text;
		size_t at = 0, len;
		enum kind kind;

		for (; (len = value_token_next(text, &at, &kind)); at += len) {
			GROW(w->places, w->n_places, w->cap_places);
			w->places[w->n_places++] =
				(struct place){ span_sub(text, at, at + len), (uint32_t)i, at };
		}
	}
	if (w->n_places)
		qsort(w->places, w->n_places, sizeof(*w->places), by_token_and_place);
}

static int by_rule_token(const void *key, const void *member)
{
	const struct span *token = key;
	const struct review_rule *r = member;
	size_t len = strlen(r->token);
	int d = memcmp(token->p, r->token, token->len < len ? token->len : len);

	return d ? d : (token->len > len) - (token->len < len);
}

static const char *rule_of(const struct walk *w, struct span token)
{
	const struct review_rule *r = w->job->n_rules ?
		bsearch(&token, w->job->rules, w->job->n_rules, sizeof(*r), by_rule_token) : NULL;

	return r ? r->rule : NULL;
}

static int by_kind_rule_place(const void *x, const void *y)
{
	const struct step *a = x, *b = y;
	int d;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	d = strcmp(a->rule ? a->rule : "", b->rule ? b->rule : "");
	if (d)
		return d;
	return a->first < b->first ? -1 : a->first > b->first;
}

static void add_tokens(struct walk *w)
{
	size_t begin = w->n;

	find_places(w);
	for (size_t i = 0; i < w->n_places;) {
		struct step one = { .token = w->places[i].token, .first = i };

		value_token_at(one.token, &one.kind);
		one.rule = rule_of(w, one.token);
		for (; i < w->n_places && span_eq(w->places[i].token, one.token); i++)
			one.n++;
		GROW(w->steps, w->n, w->cap);
		w->steps[w->n++] = one;
	}
	if (w->n > begin)
		qsort(w->steps + begin, w->n - begin, sizeof(*w->steps), by_kind_rule_place);
}

void steps_make(struct walk *w)
{
	add_items(w, true);
	add_items(w, false);
	add_tokens(w);
}

void steps_done(struct walk *w)
{
	free(w->steps);
	free(w->places);
}

bool step_is_decided(const struct walk *w, const struct step *s)
{
	const struct decisions *d = w->job->decisions;

	if (s->item)
		return decisions_of_place(d, s->item->what, s->item->file, s->item->line) > s->nth;
	return decisions_of_token(d, s->token) != NULL;
}

size_t step_next(const struct walk *w, size_t from)
{
	while (from < w->n && step_is_decided(w, &w->steps[from]))
		from++;
	return from;
}

bool step_is_alike(const struct step *a, const struct step *b)
{
	if (!a->item != !b->item)
		return false;
	if (a->item)
		return a->item->open == b->item->open && strcmp(a->item->what, b->item->what) == 0;
	return a->kind == b->kind && strcmp(a->rule ? a->rule : "", b->rule ? b->rule : "") == 0;
}
