/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"
#include "opt_rows.h"

#include <corescrub/run_core.h>

#include <stdio.h>

struct core_options {
	struct common_options common;
	const char *output, *keep, *exe, *sysroot, *case_name;
	struct strings learn, words, keep_words, profile;
	unsigned timeout, jobs;
	bool keep_fpregs, no_learn, no_sandbox;
};

#define AT(field) offsetof(struct core_options, field)

const struct opt core_opts[] = {
	{ "output", 'o', OPT_STRING, AT(output), "FILE", "the scrubbed core to make", 0, 0 },
	{ "keep", 0, OPT_STRING, AT(keep), "stacks",
	  "keep what a backtrace needs, nothing of the heap", 0, 0 },
	{ "keep-fpregs", 0, OPT_FLAG, AT(keep_fpregs), NULL,
	  "keep vector and x87 registers, which may hold pieces of secrets", 0, 0 },
	{ "exe", 0, OPT_STRING, AT(exe), "FILE", "the program, if the core's own word won't do", 0, 0 },
	{ "sysroot", 0, OPT_STRING, AT(sysroot), "DIR", "where the core's files are found", 0, 0 },
	{ "profile", 0, OPT_LIST, AT(profile), "FILE|DIR",
	  "add a program's profile: where its configuration is", 0, 0 },
	{ "timeout", 0, OPT_NUMBER, AT(timeout), "SECONDS", "how long reading its symbols may take", 1,
	  86400 },
	{ "jobs", 'j', OPT_NUMBER, AT(jobs), "N", "threads (default: the processors)", 1, 256 },
	OPT_ROW_LEARN,
	{ "no-learn", 0, OPT_FLAG, AT(no_learn), NULL, "learn nothing from configs or the core", 0, 0 },
	OPT_ROWS_WORDS,
	{ "case", 0, OPT_STRING, AT(case_name), "NAME", "names the case (default: random)", 0, 0 },
	{ "no-sandbox", 0, OPT_FLAG, AT(no_sandbox), NULL, "read symbols unconfined", 0, 0 },
	{ 0 },
};

static int check_options(const struct core_options *o, const struct strings *args, struct err *err)
{
	if (args->n != 1)
		return err_set(err, RC_USAGE, "core takes one core");
	if (!o->output)
		return err_set(err, RC_USAGE, "core needs --output, the file to make");
	if (strcmp(o->output, "-") == 0)
		return err_set(err, RC_REFUSED, "a core is written to a new file only");
	if (o->keep && strcmp(o->keep, "stacks") != 0)
		return err_set(err, RC_USAGE, "--keep takes stacks");
	return check_folder(o->sysroot, err);
}

static void say_open(const struct run_core_result *r)
{
	char text[160];

	if (r->open_registers) {
		snprintf(text, sizeof(text), "%llu general registers hold text; they stay as they are, "
			 "or gdb could not unwind", (unsigned long long)r->open_registers);
		message_warn(text);
	}
	if (r->open > r->open_registers) {
		snprintf(text, sizeof(text), "%llu places need a person: held back, or left for gdb's "
			 "sake", (unsigned long long)(r->open - r->open_registers));
		message_warn(text);
	}
}

static int scrub_core(const struct core_options *o, const struct strings *args, struct err *err)
{
	struct run_core_result result = { 0 };
	struct run_core_job job = {
		.common = common_run_options(&o->common),
		.core = args->n ? args->v[0] : NULL,
		.out_path = o->output,
		.exe = o->exe,
		.sysroot = o->sysroot,
		.profiles = strings_list(&o->profile),
		.stacks = o->keep != NULL,
		.keep_fpregs = o->keep_fpregs,
		.no_sandbox = o->no_sandbox,
		.timeout_s = o->timeout,
		.jobs = o->jobs,
		.listener = message_listener(&o->common),
	};
	int rc = check_options(o, args, err), code;

	if (rc < 0)
		return rc;
	job.common.case_name = o->case_name;
	job.common.learn = strings_list(&o->learn);
	job.common.words = strings_list(&o->words);
	job.common.keep_words = strings_list(&o->keep_words);
	job.common.no_learn = o->no_learn;
	rc = run_core(&job, o->common.json, &result, err);
	message_progress_end();
	if (rc < 0)
		return rc;
	code = o->common.quiet ? EXIT_DONE : print_buf(&result.table);
	if (!o->common.quiet && !o->common.json)
		printf("\nwritten: %s, %llu of %llu bytes are no holes\n"
		       "It is not fit for publication: pieces of secrets may stand where no pattern looks.\n"
		       "Give it only to who must debug with it.\n",
		       o->output, (unsigned long long)result.kept, (unsigned long long)result.size);
	say_open(&result);
	if (code == EXIT_DONE && result.open)
		code = EXIT_PERSON;
	run_core_result_done(&result);
	return code;
}

int cmd_core(const struct cmd *cmd, int argc, char **argv)
{
	struct core_options o = { 0 };
	struct strings args = { 0 };
	struct err err = ERR_INIT;
	int rc = cmd_begin(cmd, argc, argv, &o, &args, &err);

	if (rc == RC_OK)
		rc = scrub_core(&o, &args, &err);
	return cmd_end(cmd, &o, &args, rc, &err);
}
