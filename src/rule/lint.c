/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

#include <stdlib.h>

/* What is not wrong enough to refuse a pack, and still deserves a look. */

struct lint {
	struct rule_scanner *s;
	rule_report_fn fn;
	void *ctx;
};

static void say(const struct lint *l, const struct rule *r, unsigned line, bool error,
		const char *what)
{
	l->fn(l->ctx, &r->info, line, error, what);
}

static void lint_regex(const struct lint *l, const struct rule *r, const struct rule_unit *u)
{
	if (u->min_width == 0)
		say(l, r, u->at->line, true, "the regex can match nothing at all");
	if (u->width == WIDTH_UNBOUNDED)
		say(l, r, u->at->line, true,
		    "the regex has no greatest width: bound its repeats, as in {1,200}");
	if (!u->keyed && u->min_width) {
		struct rule_hint hint;

		rule_hint_find(u->source, &hint);
		if (!hint.n_grams && !*hint.text)
			say(l, r, u->at->line, false,
			    "nothing in the regex is certain enough to look for: it is tried on "
			    "each line");
		rule_hint_done(&hint);
	}
}

static int count_hit(void *ctx, const struct rule_hit *hit)
{
	(void)hit;
	++*(size_t *)ctx;
	return RC_OK;
}

/* A rule that hits its own replacement finds more at each scrub of its output. */
static void lint_replacement(const struct lint *l, const struct rule *r)
{
	static const uint8_t mac[DIGEST_LEN] = { 0x5a, 0x17, 0xc3, 0x88, 0x2e, 0x91, 0x04, 0xd6 };
	char token[VALUE_TOKEN_MAX];
	struct span text;
	size_t hits = 0;

	if (r->info.action == ACTION_REPLACE)
		text = span_str(r->info.replace);
	else if (r->info.action == ACTION_TOKEN && !value_kind_is_constant(r->info.kind))
		text = span_make(token, value_token_format(r->info.kind, mac, token));
	else if (r->info.action == ACTION_TOKEN)
		text = span_make(token, value_token_constant(r->info.kind, token));
	else
		return;
	rule_scan_one(l->s, r, text, count_hit, &hits);
	if (hits)
		say(l, r, r->info.line, r->info.action == ACTION_REPLACE,
		    "the rule hits its own replacement");
}

static bool cidr_covers(const struct rule_except *a, const struct rule_except *b)
{
	if (a->regex.code || b->regex.code || a->prefix > b->prefix)
		return false;
	for (unsigned bit = 0; bit < a->prefix; bit++)
		if ((a->addr[bit / 8] ^ b->addr[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

static void lint_excepts(const struct lint *l, const struct rule *r)
{
	for (size_t i = 0; i < r->n_excepts; i++)
		for (size_t k = 0; k < r->n_excepts; k++)
			if (i != k && cidr_covers(&r->excepts[k], &r->excepts[i]) &&
			    !(k > i && r->excepts[k].prefix == r->excepts[i].prefix))
				say(l, r, r->info.line, false, "one exception lies within another");
}

static void lint_examples(const struct lint *l, const struct rule *r)
{
	size_t positive = 0, negative = 0;

	for (size_t i = 0; i < r->n_examples; i++)
		*(r->examples[i].negative ? &negative : &positive) += 1;
	if (!positive && !r->info.is_symbol)
		say(l, r, r->info.line, true, "the rule has no example");
	if (!negative && !r->info.is_symbol)
		say(l, r, r->info.line, false, "the rule has no negative example");
	if (!*r->info.summary)
		say(l, r, r->info.line, false, "the rule has no summary");
}

static void lint_keywords(const struct lint *l, const struct rule *r)
{
	for (size_t i = 0; i < r->n_keywords; i++)
		if (r->keywords[i].len < 4)
			say(l, r, r->info.line, false,
			    "a keyword of under four letters stands on many lines");
}

int ruleset_lint(struct ruleset *rs, rule_report_fn fn, void *ctx, struct err *err)
{
	AUTO(rule_scanner) s = NULL;
	int rc = rule_scanner_new(rs, &s, err);

	for (size_t i = 0; rc == RC_OK && i < rs->n_rules; i++) {
		const struct lint l = { s, fn, ctx };
		const struct rule *r = &rs->rules[i];

		for (size_t u = r->first_unit; u < r->first_unit + r->n_units; u++)
			lint_regex(&l, r, &rs->units[u]);
		lint_replacement(&l, r);
		lint_excepts(&l, r);
		lint_examples(&l, r);
		lint_keywords(&l, r);
	}
	return rc;
}
