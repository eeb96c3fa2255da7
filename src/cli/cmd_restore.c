/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <corescrub/restore.h>
#include <stdio.h>
#include <unistd.h>

struct restore_options {
	struct common_options common;
	struct strings token, map, identity;
	const char *case_name, *output;
	bool exact, in_urls;
};

#define AT(field) offsetof(struct restore_options, field)

const struct opt restore_opts[] = {
	{ "token", 't', OPT_LIST, AT(token), "TOKEN", "print what this token stands for, no text", 0, 0 },
	{ "exact", 0, OPT_FLAG, AT(exact), NULL,
	  "the very file that was scrubbed: every value as it was spelled at its place", 0, 0 },
	{ "in-urls", 0, OPT_FLAG, AT(in_urls), NULL,
	  "inside of links too: whoever follows one sends the value there", 0, 0 },
	{ "case", 0, OPT_STRING, AT(case_name), "NAME", "the case's map alone (default: all there are)", 0,
	  0 },
	{ "map", 0, OPT_LIST, AT(map), "FILE", "this private map, wherever it is", 0, 0 },
	{ "identity", 'i', OPT_LIST, AT(identity), "FILE", "opens encrypted maps", 0, 0 },
	{ "output", 'o', OPT_STRING, AT(output), "FILE", "a new file, for you alone to read", 0, 0 },
	{ 0 },
};

static void say_what_stayed(const struct run_restore_result *r)
{
	AUTO_BUF text = BUF_INIT;

	if (r->unknown.n) {
		buf_addf(&text, "not in the map:");
		for (size_t i = 0; i < r->unknown.n; i++)
			buf_addf(&text, " %s", r->unknown.v[i]);
		if (r->more_unknown)
			buf_addf(&text, " and more");
		message_warn(text.p);
	}
	if (r->in_urls) {
		buf_reset(&text);
		buf_addf(&text, "%llu tokens in links stay (--in-urls)", (unsigned long long)r->in_urls);
		message_warn(text.p);
	}
	if (r->never_kept) {
		buf_reset(&text);
		buf_addf(&text, "%llu tokens stand for credentials, cards or digits, which no map keeps",
			 (unsigned long long)r->never_kept);
		message_note(text.p);
	}
}

static int restore(const struct restore_options *o, const struct strings *args, struct err *err)
{
	static const char *const none[] = { NULL };
	bool filter = args->n == 0 || (args->n == 1 && strcmp(args->v[0], "-") == 0);
	struct run_restore_result result = { 0 };
	struct run_restore_job job = {
		.inputs = filter ? none : strings_list(args),
		.in_fd = STDIN_FILENO,
		.out_fd = STDOUT_FILENO,
		.out_path = o->output,
		.tokens = strings_list(&o->token),
		.maps = strings_list(&o->map),
		.case_name = o->case_name,
		.identities = strings_list(&o->identity),
		.exact = o->exact,
		.in_urls = o->in_urls,
		.terminal = !o->output && isatty(STDOUT_FILENO),
		.listener = message_listener(&o->common),
	};
	int rc;

	if (o->token.n && args->n)
		return err_set(err, RC_USAGE, "restore takes --token or files, not both");
	rc = run_restore(&job, &result, err);
	if (rc < 0)
		return rc;
	if (!o->common.quiet)
		say_what_stayed(&result);
	run_restore_result_done(&result);
	return EXIT_DONE;
}

int cmd_restore(const struct cmd *cmd, int argc, char **argv)
{
	struct restore_options o = { 0 };
	struct strings args = { 0 };
	struct err err = ERR_INIT;
	int rc = cmd_begin(cmd, argc, argv, &o, &args, &err);

	if (rc == RC_OK)
		rc = restore(&o, &args, &err);
	return cmd_end(cmd, &o, &args, rc, &err);
}
