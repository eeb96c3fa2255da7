/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <stdlib.h>

/* More items than this help nobody; the counts go on. */
#define TALLY_ITEMS 2000

void tally_done(struct tally *t)
{
	free(t->counts);
	free(t->marks);
	free(t->by_token);
	free(t->items);
	*t = (struct tally){ 0 };
}

void tally_join(struct tally *t, struct tally *from)
{
	if (!t->counts && from->n_rules) {
		t->n_rules = from->n_rules;
		t->counts = xcalloc(t->n_rules, sizeof(*t->counts));
	}
	for (size_t i = 0; i < from->n_rules; i++)
		t->counts[i] += from->counts[i];
	for (size_t i = 0; i < from->n; i++) {
		GROW(t->marks, t->n, t->cap);
		t->marks[t->n++] = from->marks[i];
	}
	for (size_t i = 0; i < from->n_items && t->n_items < TALLY_ITEMS; i++) {
		GROW(t->items, t->n_items, t->cap_items);
		t->items[t->n_items++] = from->items[i];
	}
	t->open += from->open;
	t->hints += from->hints;
	tally_done(from);
}

static uint64_t text_mark(struct span text)
{
	uint64_t h = 0xcbf29ce484222325;	/* FNV-1a 64: only to tell tokens apart */

	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.p[i]) * 0x100000001b3;
	return h;
}

/* Quotes and line ends may stand beside an edit's token. */
static uint64_t token_mark(const struct edit *e)
{
	struct span with = span_make(e->with, e->with_len);
	enum kind kind;
	size_t at = 0, len = value_token_next(with, &at, &kind);

	return text_mark(len ? span_make(with.p + at, len) : with);
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

void tally_plan(struct tally *t, const struct artifact *a, const char *file,
		const struct redact_plan *p)
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

void tally_general(struct tally *t, const char *what, bool open)
{
	add_item(t, "all texts", what, open);
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

/* Equal items on one line are told apart by their number alone. */
uint64_t tally_open_left(const struct tally *t, const struct decisions *d)
{
	uint64_t left = t->open;

	for (size_t i = 0; d && i < t->n_items; i++) {
		const struct report_item *a = &t->items[i];
		size_t before = 0;

		for (size_t k = 0; a->open && k < i; k++) {
			const struct report_item *b = &t->items[k];

			before += b->open && b->line == a->line && strcmp(a->file, b->file) == 0 &&
				  strcmp(a->what, b->what) == 0;
		}
		left -= a->open && decisions_of_place(d, a->what, a->file, a->line) > before;
	}
	return left;
}

static int by_token(const void *a, const void *b)
{
	const struct tally_mark *x = a, *y = b;

	return x->token < y->token ? -1 : x->token > y->token;
}

uint32_t tally_rule_of(const struct tally *t, struct span token)
{
	struct tally_mark wanted = { 0, text_mark(token) };
	const struct tally_mark *found = t->n_by_token ?
		bsearch(&wanted, t->by_token, t->n_by_token, sizeof(wanted), by_token) : NULL;

	return found ? found->rule : UINT32_MAX;
}

/* Of several rules that had a token, any: they are of one mind about what it is. */
static void index_tokens(struct tally *t)
{
	t->by_token = xcalloc(t->n + 1, sizeof(*t->by_token));
	for (size_t i = 0; i < t->n; i++)
		if (i == 0 || t->marks[i].token != t->marks[i - 1].token ||
		    t->marks[i].rule != t->marks[i - 1].rule)
			t->by_token[t->n_by_token++] = t->marks[i];
	qsort(t->by_token, t->n_by_token, sizeof(*t->by_token), by_token);
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
	index_tokens(t);
	for (size_t i = 0; i < t->n_rules; i++)
		if (t->counts[i])
			rows[n++] = (struct report_row){ &rules[i], t->counts[i],
							 count_distinct(t, i) };
	*ret_n = n;
	return rows;
}

/* Items of one sort, as one line tells them. */
struct sort {
	const struct report_item *first;
	uint64_t n;
};
#define SORTS_SHOWN 8

static bool same_sort(const struct report_item *a, const struct report_item *b)
{
	return a->open == b->open && strcmp(a->what, b->what) == 0;
}

static void add_sort(const struct sort *s, struct buf *ret)
{
	const struct report_item *i = s->first;

	buf_addf(ret, "  %llu %s%s: %s", (unsigned long long)s->n, i->open ? "open" : "hint",
		 i->open || s->n == 1 ? "" : "s", i->what);
	if (i->line)
		buf_addf(ret, ", %s%s:%llu:%llu", s->n > 1 ? "first at " : "", i->file,
			 (unsigned long long)i->line, (unsigned long long)i->col);
	buf_add_char(ret, '\n');
}

void tally_looks(const struct tally *t, struct buf *ret)
{
	AUTO_FREE struct sort *sorts = xcalloc(t->n_items + 1, sizeof(*sorts));
	size_t n = 0, shown = 0;

	for (size_t i = 0; i < t->n_items; i++) {
		size_t k = 0;

		while (k < n && !same_sort(sorts[k].first, &t->items[i]))
			k++;
		if (k == n)
			sorts[n++].first = &t->items[i];
		sorts[k].n++;
	}
	/* what holds the package back comes first */
	for (int open = 1; open >= 0; open--)
		for (size_t k = 0; k < n; k++)
			if (sorts[k].first->open == (open == 1) && shown++ < SORTS_SHOWN)
				add_sort(&sorts[k], ret);
	if (n > SORTS_SHOWN)
		buf_addf(ret, "  and %zu sorts more: see the private page\n", n - SORTS_SHOWN);
}
