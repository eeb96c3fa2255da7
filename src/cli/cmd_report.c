/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"
#include "opt_rows.h"
#include "search.h"

#include <corescrub/age.h>
#include <stdio.h>
#include <stdlib.h>

struct report_options {
	struct common_options common;
	const char *output, *findings, *exe, *sysroot, *gdb, *case_name, *decisions, *allowed_signers;
	struct strings attach, learn, words, keep_words, approvals, profile;
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
	OPT_ROW_FINDINGS,
	OPT_ROW_LEARN,
	{ "no-learn", 0, OPT_FLAG, AT(no_learn), NULL, "learn nothing from configs or the texts", 0, 0 },
	OPT_ROWS_WORDS,
	{ "case", 0, OPT_STRING, AT(case_name), "NAME", "names the case (default: random)", 0, 0 },
	OPT_ROWS_DECIDED,
	{ "no-map", 0, OPT_FLAG, AT(no_map), NULL, "write no private map", 0, 0 },
	{ "accept-open", 0, OPT_FLAG, AT(accept_open), NULL,
	  "pack although open items remain; the manifest records it", 0, 0 },
	{ "profile", 0, OPT_LIST, AT(profile), "FILE|DIR",
	  "add a program's profile: its own tables for info and locks", 0, 0 },
	{ "with-core", 0, OPT_STRING, AT(with_core), "MODE",
	  "hand off the core too, encrypted: raw, scrubbed or stacks", 0, 0 },
	{ "with-binaries", 0, OPT_FLAG, AT(with_binaries), NULL,
	  "hand off the program, its libraries and debug files", 0, 0 },
	{ "with-config", 0, OPT_OPTIONAL, AT(with_config), "DIR",
	  "hand off a folder of configuration, as it is (default: the one its profile knows)", 0, 0 },
	{ "encrypt-to", 0, OPT_LIST, AT(recipients.encrypt_to), "RECIPIENT",
	  "who may open the hand-off: age1..., ssh-ed25519 ... or ssh-rsa ...", 0, 0 },
	{ "recipients-file", 0, OPT_LIST, AT(recipients.files), "FILE",
	  "the same from a file, one per line, as github.com/USER.keys", 0, 0 },
	{ "passphrase", 0, OPT_FLAG, AT(recipients.passphrase), NULL,
	  "encrypt the hand-off with a passphrase, asked for at the terminal", 0, 0 },
	{ "recipients", 0, OPT_LIST, AT(recipients.settings), "RECIPIENT", NULL, 0, 0 },
	{ "no-sandbox", 0, OPT_FLAG, AT(no_sandbox), NULL, "run gdb unconfined", 0, 0 },
	{ 0 },
};

/* The cores: paths, and what a search has opened already. */
struct operands {
	struct strings paths;
	struct found_cores found;
	int *fds;			/* row by row with paths; -1: not opened yet */
};

static void operands_done(struct operands *c)
{
	strings_done(&c->paths);
	found_cores_done(&c->found);
	free(c->fds);
}

/* A pattern stands for the cores that match; who else may write there doesn't choose what we
   read. */
static int expand_pattern(const char *pattern, struct operands *c, struct err *err)
{
	struct search_owners owners = { .system = true };
	struct strings names = { 0 };
	size_t before = c->found.n;
	int rc = search_glob(pattern, &names, err);

	for (size_t i = 0; rc == RC_OK && i < names.n; i++) {
		const char *why;

		if (search_open(names.v[i], &owners, &c->found, &why) == SEARCH_REFUSED) {
			AUTO_FREE char *text = xasprintf("%s is skipped: %s", names.v[i], why);

			message_warn(text);
		}
	}
	strings_done(&names);
	if (rc == RC_OK && c->found.n == before)
		return err_set(err, RC_NOTFOUND, "%s: no core matches", pattern);
	return rc;
}

static int expand(const struct strings *args, struct operands *c, struct err *err)
{
	size_t typed;

	for (size_t i = 0; i < args->n; i++) {
		struct stat st;
		int rc = RC_OK;

		if (stat(args->v[i], &st) == 0 || !strpbrk(args->v[i], "*?[("))
			strings_add(&c->paths, xstrdup(args->v[i]));
		else
			rc = expand_pattern(args->v[i], c, err);
		if (rc < 0)
			return rc;
	}
	typed = c->paths.n;
	c->fds = xcalloc(typed + c->found.n + 1, sizeof(*c->fds));
	for (size_t i = 0; i < typed; i++)
		c->fds[i] = -1;
	for (size_t i = 0; i < c->found.n; i++) {
		c->fds[c->paths.n] = c->found.v[i].fd;
		strings_add(&c->paths, xstrdup(c->found.v[i].path));
	}
	if (c->paths.n == 0)
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

/* " a b c", as a command line has them. */
static void print_folders(const struct run_report_result *r, const char *ending)
{
	for (size_t i = 0; i < r->folders.n; i++)
		printf(" %s%s", r->folders.v[i], ending);
	putchar('\n');
}

/* Below the table: where it stands, and what to do next. */
static void say_next(const struct run_report_result *r)
{
	printf("\nwritten:");
	print_folders(r, "/");
	if (r->hints || !r->packed) {
		printf("look at:");
		print_folders(r, "/*-review-private.html");
	}
	if (!r->packed) {
		printf("next:    corescrub review %s\n"
		       "         open items hold a package back; --accept-open makes it as it is\n",
		       r->out_dir);
		return;
	}
	printf("next:    corescrub verify");
	print_folders(r, "");
	printf("then attach");
	print_folders(r, "/*.tar.gz");
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

static int check_places(const struct report_options *o, struct err *err)
{
	if (o->output && strcmp(o->output, "-") == 0)
		return err_set(err, RC_USAGE, "a report is a folder: it can't go to standard output");
	return check_folder(o->sysroot, err);
}

static bool needs_person(const struct report_options *o, const struct run_report_result *r)
{
	return !r->packed || (r->handoff_open && !o->accept_open) || r->left_out;
}

static int report_cores(const struct report_options *o, const struct operands *cores,
			struct err *err)
{
	AUTO(age_recipients) to = NULL;
	struct run_report_result result = { 0 };
	struct run_report_job job = {
		.common = common_run_options(&o->common),
		.cores = strings_list(&cores->paths),
		.core_fds = cores->fds,
		.out_dir = o->output,
		.exe = o->exe,
		.sysroot = o->sysroot,
		.gdb = o->gdb,
		.attach = strings_list(&o->attach),
		.findings_path = o->findings,
		.profiles = strings_list(&o->profile),
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
	rc = check_places(o, err);
	if (rc == RC_OK)
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
	if (code == EXIT_DONE && needs_person(o, &result))
		code = EXIT_PERSON;
	run_report_result_done(&result);
	return code;
}

int cmd_report(const struct cmd *cmd, int argc, char **argv)
{
	struct report_options o = { .timeout = LIMIT_GDB_SECONDS };
	struct strings args = { 0 };
	struct operands cores = { .fds = NULL };
	struct err err = ERR_INIT;
	int rc;

	rc = cmd_begin(cmd, argc, argv, &o, &args, &err);
	if (rc == RC_OK)
		rc = expand(&args, &cores, &err);
	if (rc == RC_OK)
		rc = report_cores(&o, &cores, &err);
	operands_done(&cores);
	return cmd_end(cmd, &o, &args, rc, &err);
}
