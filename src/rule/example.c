/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * A rule's examples, tried on that rule alone, whatever the policy: an example must give its hits,
 * in order, a negative one none. Expected values are never printed: they may come from real files.
 */

struct hit_list {
	struct rule_hit *v;
	size_t n, cap;
	bool limit;
};

static int keep_hit(void *ctx, const struct rule_hit *hit)
{
	struct hit_list *l = ctx;

	GROW(l->v, l->n, l->cap);
	l->v[l->n++] = *hit;
	l->limit |= hit->limit;
	return RC_OK;
}

static int compare_hits(const void *a, const void *b)
{
	const struct rule_hit *x = a, *y = b;

	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return x->len < y->len ? -1 : x->len > y->len;
}

/* What is wrong with the hits, or NULL. */
static const char *judge(const struct rule_example *x, const struct hit_list *l)
{
	if (l->limit)
		return "an example runs into an engine limit";
	if (x->negative)
		return l->n ? "a negative example is hit" : NULL;
	if (l->n < x->n_hits)
		return "an example gives fewer hits than it says";
	if (l->n > x->n_hits)
		return "an example gives more hits than it says";
	for (size_t i = 0; i < l->n; i++)
		if (!span_eq(span_sub(x->in, l->v[i].off, l->v[i].off + l->v[i].len), x->hits[i]))
			return "an example gives other hits than it says";
	return NULL;
}

static const char *run_text(struct rule_scanner *s, const struct rule *r,
			    const struct rule_example *x)
{
	struct hit_list l = { NULL, 0, 0, false };
	const char *wrong;

	rule_scan_one(s, r, x->in, keep_hit, &l);
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), compare_hits);
	wrong = judge(x, &l);
	free(l.v);
	return wrong;
}

static const char *run_symbol(const struct rule *r, const struct rule_example *x)
{
	bool fits = rule_symbol_fits(r, &x->symbol);

	if (fits == !x->negative)
		return NULL;
	return fits ? "a negative example is hit" : "an example does not fit the rule";
}

int rule_examples_run(struct rule_scanner *s, const struct rule *r, rule_report_fn fn, void *ctx,
		      size_t *ret_run, size_t *ret_failed, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < r->n_examples; i++) {
		const struct rule_example *x = &r->examples[i];
		const char *wrong = r->info.is_symbol ? run_symbol(r, x) : run_text(s, r, x);

		(*ret_run)++;
		if (!wrong)
			continue;
		(*ret_failed)++;
		fn(ctx, &r->info, x->at->line, true, wrong);
	}
	return RC_OK;
}

int ruleset_test(struct ruleset *rs, rule_report_fn fn, void *ctx, size_t *ret_run,
		 size_t *ret_failed, struct err *err)
{
	AUTO(rule_scanner) s = NULL;
	size_t run = 0, failed = 0;
	int rc = rule_scanner_new(rs, &s, err);

	for (size_t i = 0; rc == RC_OK && i < rs->n_rules; i++)
		rc = rule_examples_run(s, &rs->rules[i], fn, ctx, &run, &failed, err);
	if (rc < 0)
		return rc;
	*ret_run = run;
	*ret_failed = failed;
	return RC_OK;
}
