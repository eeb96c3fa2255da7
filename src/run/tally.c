/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <stdlib.h>

/* More items than this help nobody; the counts go on. */
#define TALLY_ITEMS 2000

void tally_done(struct tally *t)
{
	free(t->counts);
	free(t->marks);
	free(t->items);
	*t = (struct tally){ 0 };
}

static uint64_t token_mark(const struct edit *e)
{
	uint64_t h = 0xcbf29ce484222325;	/* FNV-1a 64: only to tell tokens apart */

	for (uint32_t i = 0; i < e->with_len; i++)
		h = (h ^ (unsigned char)e->with[i]) * 0x100000001b3;
	return h;
}

static void place_of(struct span text, uint64_t off, uint64_t *ret_line, uint64_t *ret_col)
{
	const char *line = off <= text.len && off ? memrchr(text.p, '\n', off) : NULL;
	uint64_t n = 1;

	for (const char *p = text.p; line && (p = memchr(p, '\n', line + 1 - p)); p++)
		n++;
	*ret_line = n;
	*ret_col = off - (line ? line + 1 - text.p : 0) + 1;
}

static struct report_item *add_item(struct tally *t, const char *file, const char *what, bool open)
{
	*(open ? &t->open : &t->hints) += 1;
	if (t->n_items >= TALLY_ITEMS)
		return NULL;
	GROW(t->items, t->n_items, t->cap_items);
	t->items[t->n_items] = (struct report_item){ .file = file, .what = what, .open = open };
	return &t->items[t->n_items++];
}

static void add_placed(struct tally *t, const char *file, struct span text, uint64_t off,
		       const char *what, bool open)
{
	struct report_item *item = add_item(t, file, what, open);

	if (item)
		place_of(text, off, &item->line, &item->col);
}

static void tally_flags(struct tally *t, const struct artifact *a, const char *file,
			const struct finding *f)
{
	if (f->flags & FINDING_LIMIT)
		add_placed(t, file, a->text, f->off, "an engine limit: the text around was masked", true);
	if (f->flags & FINDING_HELD)
		add_placed(t, file, a->text, f->off, "a learned credential was held back", true);
	if (f->flags & FINDING_HINT)
		add_placed(t, file, a->text, f->off, "looks unusual", false);
}

void tally_plan(struct tally *t, const struct artifact *a, const char *file, const struct redact_plan *p)
{
	if (!t->counts) {
		t->n_rules = p->found.n_rules;
		t->counts = xcalloc(t->n_rules, sizeof(*t->counts));
	}
	for (size_t i = 0; i < p->n_edits; i++) {
		uint32_t rule = p->found.v[p->edits[i].finding].rule;

		t->counts[rule]++;
		GROW(t->marks, t->n, t->cap);
		t->marks[t->n++] = (struct tally_mark){ rule, token_mark(&p->edits[i]) };
	}
	for (size_t i = 0; i < p->found.n; i++)
		tally_flags(t, a, file, &p->found.v[i]);
}

void tally_general(struct tally *t, const char *what)
{
	add_item(t, "all texts", what, true);
}

/* The second look speaks of the clean text, which only its caller has: the place is found later. */
void tally_item(struct tally *t, const char *file, const struct check_item *found)
{
	struct report_item *item = add_item(t, file, found->what, found->level == CHECK_OPEN);

	if (item)
		item->col = found->off;
}

void tally_place(struct tally *t, const struct scrubbed *const *texts, size_t n)
{
	for (size_t i = 0; i < t->n_items; i++)
		for (size_t k = 0; k < n && t->items[i].line == 0; k++)
			if (strcmp(scrubbed_name(texts[k]), t->items[i].file) == 0)
				place_of(scrubbed_text(texts[k]), t->items[i].col, &t->items[i].line,
					 &t->items[i].col);
}

static int by_rule_and_token(const void *a, const void *b)
{
	const struct tally_mark *x = a, *y = b;

	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return x->token < y->token ? -1 : x->token > y->token;
}

static uint64_t count_distinct(const struct tally *t, uint32_t rule)
{
	uint64_t distinct = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->marks[i].rule == rule &&
		    (i == 0 || by_rule_and_token(&t->marks[i - 1], &t->marks[i]) != 0))
			distinct++;
	return distinct;
}

struct report_row *tally_rows(struct tally *t, const struct finding_rule *rules, size_t *ret_n)
{
	struct report_row *rows = xcalloc(t->n_rules, sizeof(*rows));
	size_t n = 0;

	if (t->n)
		qsort(t->marks, t->n, sizeof(*t->marks), by_rule_and_token);
	for (size_t i = 0; i < t->n_rules; i++)
		if (t->counts[i])
			rows[n++] = (struct report_row){ &rules[i], t->counts[i],
							 count_distinct(t, i) };
	*ret_n = n;
	return rows;
}
