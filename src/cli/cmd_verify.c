/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <corescrub/verify.h>
#include <stdio.h>

struct verify_options {
	struct common_options common;
	struct strings learn, words, keep_words, map, identity, approvals;
	const char *case_name, *decisions, *ruleset, *require_approval;
	unsigned min_approvals;
	bool plain, no_rules, fail_on_hints;
};

#define AT(field) offsetof(struct verify_options, field)

const struct opt verify_opts[] = {
	{ "map", 0, OPT_LIST, AT(map), "FILE", "a private map: its originals must not be there", 0, 0 },
	{ "learn", 0, OPT_LIST, AT(learn), "PATH", "a config file or folder: its secrets must not be there",
	  0, 0 },
	{ "words", 0, OPT_LIST, AT(words), "FILE", "words that must not be there, one per line", 0, 0 },
	{ "keep-words", 0, OPT_LIST, AT(keep_words), "FILE", "words that may stay, one per line", 0, 0 },
	{ "decisions", 0, OPT_STRING, AT(decisions), "FILE",
	  "what review decided may stay (with --key-file)", 0, 0 },
	{ "case", 0, OPT_STRING, AT(case_name), "NAME", "the case it must be of", 0, 0 },
	{ "ruleset", 0, OPT_STRING, AT(ruleset), "SHA256", "the ruleset it must have been made with", 0, 0 },
	{ "identity", 'i', OPT_LIST, AT(identity), "FILE", "opens an encrypted package or map", 0, 0 },
	{ "require-approval", 0, OPT_STRING, AT(require_approval), "ALLOWED_SIGNERS",
	  "it must be approved (review --approve) by keys of this list, see ssh-keygen(1)", 0, 0 },
	{ "min-approvals", 0, OPT_NUMBER, AT(min_approvals), "N", "by so many of them (default: 1)", 1,
	  1000 },
	{ "approval", 0, OPT_LIST, AT(approvals), "FILE",
	  "an approval (default: those beside it, *.approval.json)", 0, 0 },
	{ "plain", 0, OPT_FLAG, AT(plain), NULL, "archives and folders that are no packages", 0, 0 },
	{ "no-rules", 0, OPT_FLAG, AT(no_rules), NULL, "the second look alone, without the rules", 0, 0 },
	{ "fail-on-hints", 0, OPT_FLAG, AT(fail_on_hints), NULL, "exit 3 for hints too", 0, 0 },
	{ 0 },
};

static void say_result(const struct run_verify_result *r, const struct common_options *o)
{
	for (size_t i = 0; i < r->notes.n && !o->quiet && !o->json; i++)
		fprintf(stderr, "corescrub: note: %s\n", r->notes.v[i]);
	if (!o->quiet && !o->json)
		fprintf(stderr, "corescrub: %s: %llu texts, %llu leaks, %llu changes, %llu hints\n",
			r->leaks || r->changes ? "not clean" : "clean",
			(unsigned long long)r->files, (unsigned long long)r->leaks,
			(unsigned long long)r->changes, (unsigned long long)r->hints);
}

static int verify(const struct verify_options *o, const struct strings *args, struct err *err)
{
	struct run_verify_result result = { 0 };
	struct run_verify_job job = {
		.common = common_run_options(&o->common),
		.inputs = strings_list(args),
		.maps = strings_list(&o->map),
		.identities = strings_list(&o->identity),
		.ruleset = o->ruleset,
		.plain = o->plain,
		.no_rules = o->no_rules,
		.allowed_signers = o->require_approval,
		.approvals = strings_list(&o->approvals),
		.min_approvals = o->min_approvals,
		.listener = message_listener(&o->common),
	};
	int rc, code;

	if (args->n == 0)
		return err_set(err, RC_USAGE, "verify needs a package, a folder or a file");
	job.common.case_name = o->case_name;
	job.common.decisions = o->decisions;
	job.common.approvals = strings_list(&o->approvals);
	job.common.allowed_signers = o->require_approval;
	job.common.learn = strings_list(&o->learn);
	job.common.words = strings_list(&o->words);
	job.common.keep_words = strings_list(&o->keep_words);
	rc = run_verify(&job, o->common.json, &result, err);
	message_progress_end();
	if (rc < 0)
		return rc;
	code = print_buf(&result.lines);
	say_result(&result, &o->common);
	if (code == EXIT_DONE &&
	    (result.leaks || result.changes || (o->fail_on_hints && result.hints)))
		code = EXIT_PERSON;
	run_verify_result_done(&result);
	return code;
}

int cmd_verify(const struct cmd *cmd, int argc, char **argv)
{
	struct verify_options o = { .min_approvals = 1 };
	struct strings args = { 0 };
	struct err err = ERR_INIT;
	int rc = cmd_begin(cmd, argc, argv, &o, &args, &err);

	if (rc == RC_OK)
		rc = verify(&o, &args, &err);
	return cmd_end(cmd, &o, &args, rc, &err);
}
