/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <stdio.h>
#include <stdlib.h>

struct rules_options {
	struct common_options common;
	const char *output;
	struct strings learn;
};

const struct opt rules_opts[] = {
	{ "output", 'o', OPT_STRING, offsetof(struct rules_options, output), "FILE",
	  "prepare: where the database goes", 0, 0 },
	{ "learn", 0, OPT_LIST, offsetof(struct rules_options, learn), "PATH",
	  "explain: learn the secrets of a config file or folder", 0, 0 },
	{ 0 },
};

static bool is_wanted(const char *id, const struct strings *args)
{
	for (size_t i = 1; i < args->n; i++)
		if (strcmp(args->v[i], id) == 0)
			return true;
	return args->n < 2;
}

static const char *shown_action(const struct rule_info *r)
{
	static const char *const names[] = { "token", "mask", "drop", "keep-last", "replace" };

	return names[r->action];
}

/* Each id that was typed is a rule's. */
static int check_ids(const struct ruleset *rs, const struct strings *args, struct err *err)
{
	for (size_t a = 1; a < args->n; a++) {
		size_t i = 0;

		while (i < ruleset_count(rs) && strcmp(ruleset_rule(rs, i)->id, args->v[a]) != 0)
			i++;
		if (i == ruleset_count(rs))
			return err_set(err, RC_NOTFOUND, "no rule has the id %s", args->v[a]);
	}
	return RC_OK;
}

static int rules_list(const struct ruleset *rs, const struct strings *args)
{
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		const struct rule_info *r = ruleset_rule(rs, i);

		if (is_wanted(r->id, args))
			printf("%-32s %-8s %-8s %s%s\n", r->id, value_kind_name(r->kind),
			       value_severity_name(r->severity), r->summary,
			       r->active ? "" : " (not in this policy)");
	}
	return EXIT_DONE;
}

static void show_where(unsigned where)
{
	static const char *const names[] = { "text", "string", "value", "symbol", "path", "memory" };

	printf("  where:    ");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (where & 1u << i)
			printf("%s ", names[i]);
	printf("\n");
}

static int rules_show(const struct ruleset *rs, const struct strings *args)
{
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		const struct rule_info *r = ruleset_rule(rs, i);

		if (!is_wanted(r->id, args))
			continue;
		printf("%s\n  %s\n  kind:     %s\n  severity: %s\n  action:   %s\n", r->id, r->summary,
		       value_kind_name(r->kind), value_severity_name(r->severity), shown_action(r));
		show_where(r->where);
		printf("  match:    %s\n  learned:  %s\n  acts:     %s\n  defined:  %s:%u\n",
		       r->is_symbol ? "symbol" : "regex", r->learn ? "yes" : "no",
		       r->active ? "yes" : "not in this policy", r->file, r->line);
	}
	return EXIT_DONE;
}

static void print_report(void *ctx, const struct rule_info *rule, unsigned line, bool error,
			 const char *what)
{
	size_t *errors = ctx;

	printf("%s:%u: %s: %s: %s\n", rule->file, line, error ? "error" : "warning", rule->id, what);
	*errors += error;
}

static int rules_lint(struct ruleset *rs, struct err *err)
{
	size_t errors = 0;
	int rc = ruleset_lint(rs, print_report, &errors, err);

	if (rc < 0)
		return rc;
	printf("%zu rules, %zu errors\n", ruleset_count(rs), errors);
	return errors ? EXIT_FAILED : EXIT_DONE;
}

static int rules_test(struct ruleset *rs, struct err *err)
{
	size_t errors = 0, run = 0, failed = 0;
	int rc = ruleset_test(rs, print_report, &errors, &run, &failed, err);

	if (rc < 0)
		return rc;
	printf("%s - %zu examples of %zu rules, %zu failed\n", failed ? "not ok" : "ok", run,
	       ruleset_count(rs), failed);
	return failed ? EXIT_FAILED : EXIT_DONE;
}

static int rules_prepare(struct ruleset *rs, const char *path, struct err *err)
{
	AUTO(tempfile) t = NULL;
	int rc;

	if (!path)
		return err_set(err, RC_USAGE, "rules prepare needs --output");
	rc = tempfile_open(path, 0644, &t, err);
	if (rc == RC_OK)
		rc = ruleset_prepare(rs, tempfile_fd(t), path, err);
	if (rc == RC_OK)
		rc = tempfile_commit(t, true, err);
	return rc < 0 ? rc : EXIT_DONE;
}

/* "FILE:LINE[:COL]"; the file's name may hold colons. */
static int rules_explain(const struct rules_options *o, const struct strings *args, struct err *err)
{
	struct run_options common = common_run_options(&o->common);
	unsigned numbers[2] = { 0, 0 };
	AUTO_FREE char *path = NULL;
	AUTO_BUF out = BUF_INIT;
	size_t n = 0;
	int rc;

	if (args->n != 2)
		return err_set(err, RC_USAGE, "rules explain takes FILE:LINE[:COL]");
	path = xstrdup(args->v[1]);
	while (n < 2) {
		char *colon = strrchr(path, ':'), *end;
		unsigned long number = colon ? strtoul(colon + 1, &end, 10) : 0;

		if (!colon || number == 0 || number > UINT32_MAX || *end)
			break;
		numbers[n++] = number;
		*colon = '\0';
	}
	if (n == 0)
		return err_set(err, RC_USAGE, "rules explain takes FILE:LINE[:COL]");
	common.learn = strings_list(&o->learn);
	rc = run_explain(&common, path, numbers[n - 1], n == 2 ? numbers[0] : 0, &out, err);
	return rc < 0 ? rc : print_buf(&out);
}

static bool takes_ids(const char *what)
{
	return strcmp(what, "list") == 0 || strcmp(what, "show") == 0;
}

static int rules(const struct rules_options *o, const struct strings *args, struct err *err)
{
	const char *what = args->n ? args->v[0] : "";
	AUTO(ruleset) rs = NULL;
	int rc;

	if (strcmp(what, "explain") == 0)
		return rules_explain(o, args, err);
	if (args->n > 1 && !takes_ids(what)) {
		rc = err_set(err, RC_USAGE, "rules %s takes no operand", what);
		err_hint(err, "--rules FILE adds a pack to the shipped ones");
		return rc;
	}
	rc = run_ruleset(strings_list(&o->common.rules), o->common.policy, NULL, &rs, err);
	if (rc == RC_OK && takes_ids(what))
		rc = check_ids(rs, args, err);
	if (rc < 0)
		return rc;
	if (strcmp(what, "list") == 0)
		return rules_list(rs, args);
	if (strcmp(what, "show") == 0)
		return rules_show(rs, args);
	if (strcmp(what, "lint") == 0)
		return rules_lint(rs, err);
	if (strcmp(what, "test") == 0)
		return rules_test(rs, err);
	if (strcmp(what, "prepare") == 0)
		return rules_prepare(rs, o->output, err);
	return err_set(err, RC_USAGE, "rules takes list, show, lint, test, explain or prepare");
}

int cmd_rules(const struct cmd *cmd, int argc, char **argv)
{
	struct rules_options o = { 0 };
	struct strings args = { 0 };
	struct err err = ERR_INIT;
	int rc = cmd_begin(cmd, argc, argv, &o, &args, &err);

	if (rc == RC_OK)
		rc = rules(&o, &args, &err);
	return cmd_end(cmd, &o, &args, rc, &err);
}
