/* SPDX-License-Identifier: Apache-2.0 */
#include "approval.h"
#include "run_internal.h"

#include <stdlib.h>

/* --decisions: what a person decided in `review`, put into force in a run. */

/* Single quotes: nothing but the quote itself has a meaning between them (YAML 1.1, 7.3.2). */
static void add_single_quoted(struct buf *b, const char *s)
{
	buf_add_char(b, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_add_char(b, '\'');
		buf_add_char(b, *s);
	}
	buf_add_char(b, '\'');
}

static void add_pattern(struct buf *b, const char *regex, enum kind kind, size_t number)
{
	buf_addf(b, "  - id: pattern-%zu\n    kind: %s\n    severity: high\n"
		    "    summary: a pattern that a person added in review\n"
		    "    where: [text, string, value, path]\n    match:\n      regex: ",
		 number, value_kind_name(kind));
	add_single_quoted(b, regex);
	buf_add_char(b, '\n');
}

void run_patterns_pack(const struct decisions *d, struct buf *ret)
{
	size_t n = 0;

	if (!d || decisions_count(d, DECISION_PATTERN) == 0)
		return;
	buf_add_str(ret, "pack: review\nrules:\n");
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].verb == DECISION_PATTERN)
			add_pattern(ret, d->v[i].what, d->v[i].kind, ++n);
}

int run_pattern_check(const char *regex, struct err *err)
{
	struct decision one = { .verb = DECISION_PATTERN, .what = (char *)(uintptr_t)regex };
	AUTO(decisions) d = decisions_new("", NULL);
	struct err why = ERR_INIT;
	AUTO(ruleset) rs = NULL;
	int rc = decisions_add(d, &one, err);

	if (rc < 0)
		return rc;
	for (const char *p = regex; *p; p++)
		if ((unsigned char)*p < 0x20)
			return err_set(err, RC_SYNTAX, "a pattern stands in one line");
	/* its place there is in a pack that nobody wrote */
	if (run_ruleset(NULL, NULL, d, &rs, &why) < 0)
		return err_set(err, RC_SYNTAX, "%s", why.msg);
	return RC_OK;
}

int engine_decisions(struct engine *e, const struct run_options *o, struct err *err)
{
	int rc;

	if (!o->decisions)
		return RC_OK;
	if (!o->key_file) {
		rc = err_set(err, RC_USAGE, "--decisions needs --key-file");
		err_hint(err, "values that stay are named by their tokens, which only the key makes again");
		return rc;
	}
	rc = decisions_read(o->decisions, &e->decisions, err);
	if (rc < 0)
		return rc;
	if (o->case_name && strcmp(o->case_name, e->decisions->case_name) != 0)
		return err_set(err, RC_REFUSED, "the decisions are about another case");
	return approvals_for_keeps(e->decisions, o->approvals, o->allowed_signers, err);
}

/* Tokens of another key mean nothing: then what should stay would go, and nobody would know. */
int engine_decisions_fit(struct engine *e, struct err *err)
{
	const struct decisions *d = e->decisions;

	if (!d || decisions_count(d, DECISION_KEEP) == 0 ||
	    strcmp(d->key, redactor_key_id(e->redactor)) == 0)
		return RC_OK;
	return err_set(err, RC_REFUSED, "the decisions were made about tokens of another key");
}

void engine_kept_tokens(const struct engine *e, struct strings *ret)
{
	for (size_t i = 0; e->decisions && i < e->decisions->n; i++)
		if (decisions_keep(e->decisions, i))
			strings_add(ret, xstrdup(e->decisions->v[i].what));
}

int engine_added_words(struct engine *e, struct err *err)
{
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && e->decisions && i < e->decisions->n; i++) {
		const struct decision *one = &e->decisions->v[i];

		if (one->verb == DECISION_REDACT)
			rc = learned_add(e->learned, one->kind, span_str(one->what), LEARN_WORDS, err);
	}
	return rc;
}

static void pass_spelling(void *ctx, enum kind kind, struct span spelling)
{
	AUTO_BUF canonical = BUF_INIT;
	struct engine *e = ctx;

	check_pass(e->check, spelling);
	value_canonical(kind, spelling, &canonical);
	if (kind == KIND_PHONE)		/* its digits alone are a shape too */
		check_pass(e->check, buf_span(&canonical));
}

void engine_pass_kept(struct engine *e)
{
	if (e->decisions)
		redact_each_kept(e->redactor, &e->kept_seen, pass_spelling, e);
}
