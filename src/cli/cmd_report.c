/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <corescrub/age.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

struct report_options {
	struct common_options common;
	const char *output, *exe, *sysroot, *gdb, *case_name, *decisions, *allowed_signers;
	struct strings attach, learn, words, keep_words, approvals;
	const char *with_core, *with_config;
	struct recipient_options recipients;
	unsigned timeout, jobs;
	bool no_sandbox, accept_open, no_learn, no_map, with_binaries;
};

#define AT(field) offsetof(struct report_options, field)

const struct opt report_opts[] = {
	{ "output", 'o', OPT_STRING, AT(output), "DIR",
	  "the folder to make (default: ./<corename>-report)", 0, 0 },
	{ "exe", 0, OPT_STRING, AT(exe), "FILE", "the program, if the core's own word won't do", 0, 0 },
	{ "sysroot", 0, OPT_STRING, AT(sysroot), "DIR", "where the core's files are found", 0, 0 },
	{ "gdb", 0, OPT_STRING, AT(gdb), "FILE", "the gdb to run", 0, 0 },
	{ "timeout", 0, OPT_NUMBER, AT(timeout), "SECONDS", "how long one gdb may take", 1, 86400 },
	{ "jobs", 'j', OPT_NUMBER, AT(jobs), "N", "gdb processes at once (default: the processors)", 1,
	  256 },
	{ "attach", 0, OPT_LIST, AT(attach), "PATH", "scrub this file or folder and pack it too", 0, 0 },
	{ "learn", 0, OPT_LIST, AT(learn), "PATH", "learn the secrets of a config file or folder", 0,
	  0 },
	{ "no-learn", 0, OPT_FLAG, AT(no_learn), NULL, "learn nothing from configs or the texts", 0, 0 },
	{ "words", 0, OPT_LIST, AT(words), "FILE", "words that must go, one per line", 0, 0 },
	{ "keep-words", 0, OPT_LIST, AT(keep_words), "FILE", "words that must stay, one per line", 0,
	  0 },
	{ "case", 0, OPT_STRING, AT(case_name), "NAME", "names the case (default: random)", 0, 0 },
	{ "decisions", 0, OPT_STRING, AT(decisions), "FILE",
	  "do what was decided in review; needs --key-file", 0, 0 },
	{ "approval", 0, OPT_LIST, AT(approvals), "FILE",
	  "an approval of the decisions, for those that keep a credential", 0, 0 },
	{ "allowed-signers", 0, OPT_STRING, AT(allowed_signers), "FILE",
	  "whose approvals count, as ssh-keygen(1) has it", 0, 0 },
	{ "no-map", 0, OPT_FLAG, AT(no_map), NULL, "write no private map", 0, 0 },
	{ "accept-open", 0, OPT_FLAG, AT(accept_open), NULL,
	  "pack although open items remain; the manifest records it", 0, 0 },
	{ "with-core", 0, OPT_STRING, AT(with_core), "MODE",
	  "hand off the core too, encrypted: raw, scrubbed or stacks", 0, 0 },
	{ "with-binaries", 0, OPT_FLAG, AT(with_binaries), NULL,
	  "hand off the program, its libraries and debug files", 0, 0 },
	{ "with-config", 0, OPT_OPTIONAL, AT(with_config), "DIR",
	  "hand off a folder of configuration, as it is", 0, 0 },
	{ "encrypt-to", 0, OPT_LIST, AT(recipients.encrypt_to), "RECIPIENT",
	  "who may open the hand-off: age1…, ssh-ed25519 … or ssh-rsa …", 0, 0 },
	{ "recipients-file", 0, OPT_LIST, AT(recipients.files), "FILE",
	  "the same from a file, one per line, as github.com/USER.keys", 0, 0 },
	{ "passphrase", 0, OPT_FLAG, AT(recipients.passphrase), NULL,
	  "encrypt the hand-off with a passphrase, asked for at the terminal", 0, 0 },
	{ "recipients", 0, OPT_LIST, AT(recipients.settings), "RECIPIENT", NULL, 0, 0 },
	{ "no-sandbox", 0, OPT_FLAG, AT(no_sandbox), NULL, "run gdb unconfined", 0, 0 },
	{ 0 },
};

/* An operand that is no file but a pattern stands for what it matches, regular files only. */
static int expand(const char *operand, struct strings *cores, glob_t *found, struct err *err)
{
	struct stat st;
	int rc;

	if (stat(operand, &st) == 0 || !strpbrk(operand, "*?[")) {
		strings_add(cores, xstrdup(operand));
		return RC_OK;
	}
	rc = glob(operand, found->gl_pathc ? GLOB_APPEND : 0, NULL, found);
	if (rc == GLOB_NOMATCH)
		return err_set(err, RC_NOTFOUND, "%s: no core matches", operand);
	return rc ? err_set(err, RC_IO, "%s: can't be searched", operand) : RC_OK;
}

static int expand_all(const struct strings *args, struct strings *cores, glob_t *found, struct err *err)
{
	for (size_t i = 0; i < args->n; i++) {
		int rc = expand(args->v[i], cores, found, err);

		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < found->gl_pathc; i++) {
		struct stat st;

		if (lstat(found->gl_pathv[i], &st) == 0 && S_ISREG(st.st_mode))
			strings_add(cores, xstrdup(found->gl_pathv[i]));
		else
			message_warn("a match that is no regular file was skipped");
	}
	if (cores->n == 0)
		return err_set(err, RC_USAGE, "report needs a core");
	return RC_OK;
}

/* Names whom the hand-offs are for; under --json the table has it. */
static void say_handoffs(const struct run_report_result *r, const struct age_recipients *to)
{
	for (size_t i = 0; i < r->handoffs.n; i++)
		printf("\nfor the developer: %s/%s\n", r->out_dir, r->handoffs.v[i]);
	if (r->handoff_open)
		printf("\n%llu places of the core need a person: they stay as they are in the hand-off%s\n",
		       (unsigned long long)r->handoff_open,
		       r->handoffs.n ? "" : ",\nwhich is not made without --accept-open");
	for (size_t i = 0; r->handoffs.n && i < age_recipients_count(to); i++) {
		AUTO_FREE char *print = age_recipients_fingerprint(to, i);

		printf("%-13s %s\n", i ? "" : "encrypted to:", print);
	}
}

/* Below the table: where it stands, and what to do next. */
static void say_next(const struct run_report_result *r)
{
	if (r->packed)
		printf("\nwritten: %s/\nnext: look at *-review-private.html there, then attach *.tar.gz\n",
		       r->out_dir);
	else
		printf("\nwritten: %s/, no package: open items\n"
		       "next: corescrub review %s; --accept-open makes the package as it is\n",
		       r->out_dir, r->out_dir);
}

static int core_mode(const char *name, enum run_core *ret, struct err *err)
{
	static const char *const names[] = { "", "raw", "scrubbed", "stacks" };

	for (size_t i = RUN_CORE_RAW; name && i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum run_core)i;
			return RC_OK;
		}
	return name ? err_set(err, RC_USAGE, "--with-core takes raw, scrubbed or stacks") : RC_OK;
}

/* What the hand-off is to hold, and for whom. */
static int fill_handoff(const struct report_options *o, struct run_report_job *job,
			struct age_recipients **ret, struct err *err)
{
	const struct recipient_options *r = &o->recipients;
	int rc = core_mode(o->with_core, &job->with_core, err);

	if (rc < 0)
		return rc;
	job->with_binaries = o->with_binaries;
	job->with_config = o->with_config;
	if (!o->with_core && !o->with_binaries && !o->with_config) {
		if (!r->encrypt_to.n && !r->files.n && !r->passphrase)
			return RC_OK;
		rc = err_set(err, RC_USAGE, "there is nothing to encrypt");
		err_hint(err, "--with-core, --with-binaries or --with-config say what to hand off");
		return rc;
	}
	rc = recipients_gather(r, ret, err);
	job->recipients = *ret;
	return rc;
}

static int report_cores(const struct report_options *o, const struct strings *cores, struct err *err)
{
	AUTO(age_recipients) to = NULL;
	struct run_report_result result = { 0 };
	struct run_report_job job = {
		.common = common_run_options(&o->common),
		.cores = strings_list(cores),
		.out_dir = o->output,
		.exe = o->exe,
		.sysroot = o->sysroot,
		.gdb = o->gdb,
		.attach = strings_list(&o->attach),
		.timeout_s = o->timeout,
		.jobs = o->jobs,
		.no_sandbox = o->no_sandbox,
		.accept_open = o->accept_open,
		.listener = message_listener(&o->common),
	};
	int rc, code;

	job.common.case_name = o->case_name;
	job.common.learn = strings_list(&o->learn);
	job.common.words = strings_list(&o->words);
	job.common.keep_words = strings_list(&o->keep_words);
	job.common.no_learn = o->no_learn;
	job.common.no_map = o->no_map;
	job.common.decisions = o->decisions;
	job.common.approvals = strings_list(&o->approvals);
	job.common.allowed_signers = o->allowed_signers;
	rc = fill_handoff(o, &job, &to, err);
	if (rc == RC_OK)
		rc = run_report(&job, o->common.json, &result, err);
	message_progress_end();
	if (rc < 0)
		return rc;
	code = o->common.quiet ? EXIT_DONE : print_buf(&result.table);
	if (!o->common.quiet && !o->common.json) {
		say_next(&result);
		say_handoffs(&result, to);
	}
	if (code == EXIT_DONE && !result.packed)
		code = EXIT_PERSON;
	if (code == EXIT_DONE && result.handoff_open && !o->accept_open)
		code = EXIT_PERSON;
	if (code == EXIT_DONE && result.left_out)
		code = EXIT_PERSON;
	run_report_result_done(&result);
	return code;
}

int cmd_report(const struct cmd *cmd, int argc, char **argv)
{
	struct report_options o = { .timeout = LIMIT_GDB_SECONDS };
	struct strings args = { 0 }, cores = { 0 };
	struct err err = ERR_INIT;
	glob_t found = { 0 };
	int rc;

	rc = cmd_begin(cmd, argc, argv, &o, &args, &err);
	if (rc == RC_OK)
		rc = expand_all(&args, &cores, &found, &err);
	if (rc == RC_OK)
		rc = report_cores(&o, &cores, &err);
	globfree(&found);
	strings_done(&cores);
	return cmd_end(cmd, &o, &args, rc, &err);
}
