/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"
#include "opt_rows.h"

#include <unistd.h>

struct scrub_options {
	struct common_options common;
	const char *output, *findings, *map, *decisions, *allowed_signers;
	struct strings learn, words, keep_words, approvals;
	const char *case_name;
	bool check, no_learn, pass_binary, stream;
};

#define AT(field) offsetof(struct scrub_options, field)

const struct opt scrub_opts[] = {
	{ "output", 'o', OPT_STRING, AT(output), "PATH", "the file or folder to make", 0, 0 },
	{ "check", 0, OPT_FLAG, AT(check), NULL, "write nothing, exit 3 if anything would go", 0, 0 },
	OPT_ROW_FINDINGS,
	OPT_ROW_LEARN,
	{ "no-learn", 0, OPT_FLAG, AT(no_learn), NULL, "learn nothing from configs or the input", 0, 0 },
	OPT_ROWS_WORDS,
	{ "map", 0, OPT_STRING, AT(map), "FILE", "write a private map of tokens and originals", 0, 0 },
	{ "case", 0, OPT_STRING, AT(case_name), "NAME", "names the case, for --key-file", 0, 0 },
	OPT_ROWS_DECIDED,
	{ "pass-binary", 0, OPT_FLAG, AT(pass_binary), NULL,
	  "copy what is neither text nor an archive", 0, 0 },
	{ "stream", 0, OPT_FLAG, AT(stream), NULL, "print as it goes, with what it learned so far", 0,
	  0 },
	{ 0 },
};

/* One input of "-" or none at all is the filter; one plain file without -o is printed. */
static bool is_filter(const struct strings *args)
{
	return args->n == 0 || (args->n == 1 && strcmp(args->v[0], "-") == 0);
}

static int check_output(const struct scrub_options *o, const struct strings *args, struct err *err)
{
	if (o->output && strcmp(o->output, "-") == 0)
		return err_set(err, RC_USAGE, "without --output it goes to standard output");
	if (!o->output && !o->check && args->n > 1)
		return err_set(err, RC_USAGE, "several inputs need --output");
	return RC_OK;
}

static int scrub(const struct scrub_options *o, const struct strings *args, struct err *err)
{
	static const char *const none[] = { NULL };
	bool filter = is_filter(args);
	struct run_scrub_result result = { 0 };
	struct run_scrub_job job = {
		.common = common_run_options(&o->common),
		.inputs = filter ? none : strings_list(args),
		.in_fd = filter ? STDIN_FILENO : -1,
		.out_fd = o->output ? -1 : STDOUT_FILENO,
		.out_path = o->output,
		.findings_path = o->findings,
		.check_only = o->check,
		.pass_binary = o->pass_binary,
		.stream = o->stream,
		.listener = message_listener(&o->common),
	};
	int rc = check_output(o, args, err), code = EXIT_DONE;

	if (rc < 0)
		return rc;
	job.common.case_name = o->case_name;
	job.common.learn = strings_list(&o->learn);
	job.common.words = strings_list(&o->words);
	job.common.keep_words = strings_list(&o->keep_words);
	job.common.no_learn = o->no_learn;
	job.common.map_path = o->map;
	job.common.no_map = !o->map;
	job.common.decisions = o->decisions;
	job.common.approvals = strings_list(&o->approvals);
	job.common.allowed_signers = o->allowed_signers;
	rc = run_scrub(&job, o->common.json, &result, err);
	message_progress_end();
	if (rc < 0)
		return rc;
	/* with the text on stdout, only a check or a folder has room for the table */
	if (!o->common.quiet && (o->check || o->output))
		code = print_buf(&result.table);
	if (result.open)
		message_warn("some places need a person: a learned credential was held back, an engine "
			     "limit masked a line, or the second look masked a value");
	if (code == EXIT_DONE && (result.left_out || result.open || (o->check && result.found)))
		code = EXIT_PERSON;
	run_scrub_result_done(&result);
	return code;
}

int cmd_scrub(const struct cmd *cmd, int argc, char **argv)
{
	struct scrub_options o = { 0 };
	struct strings args = { 0 };
	struct err err = ERR_INIT;
	int rc = cmd_begin(cmd, argc, argv, &o, &args, &err);

	if (rc == RC_OK)
		rc = scrub(&o, &args, &err);
	return cmd_end(cmd, &o, &args, rc, &err);
}
