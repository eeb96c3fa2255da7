/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct review_options {
	struct common_options common;
	const char *decisions, *map, *approve, *sign_key, *purpose, *output;
	struct strings identity;
	unsigned days;
};

#define AT(field) offsetof(struct review_options, field)

const struct opt review_opts[] = {
	{ "decisions", 0, OPT_STRING, AT(decisions), "FILE",
	  "where the decisions are kept (default: the state folder); with --approve, the file that is "
	  "approved too", 0, 0 },
	{ "map", 0, OPT_STRING, AT(map), "FILE", "the private map (default: the state folder's)", 0, 0 },
	{ "identity", 'i', OPT_LIST, AT(identity), "FILE", "opens an encrypted map", 0, 0 },
	{ "approve", 0, OPT_STRING, AT(approve), "NAME",
	  "sign, as NAME, that the report may go out; no walk", 0, 0 },
	{ "sign-key", 0, OPT_STRING, AT(sign_key), "FILE",
	  "the ssh key to sign with (a locked one must be in ssh-agent)", 0, 0 },
	{ "purpose", 0, OPT_STRING, AT(purpose), "TEXT", "what the approval is for", 0, 0 },
	{ "days", 0, OPT_NUMBER, AT(days), "N", "how long the approval holds (default: 30)", 1, 3650 },
	{ "output", 'o', OPT_STRING, AT(output), "FILE",
	  "the approval (default: beside the report, *.approval.json)", 0, 0 },
	{ 0 },
};

static void terminal_write(void *ctx, struct span text)
{
	(void)ctx;
	fwrite(text.p, 1, text.len, stdout);
}

static bool terminal_read(void *ctx, const char *prompt, struct buf *ret)
{
	AUTO_FREE char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	(void)ctx;
	fputs(prompt, stdout);
	fflush(stdout);
	n = getline(&line, &cap, stdin);
	if (n < 0) {
		putchar('\n');
		return false;
	}
	buf_add(ret, line, (size_t)n);
	secret_wipe(line, cap);
	return true;
}

static unsigned env_number(const char *name, unsigned otherwise)
{
	const char *value = getenv(name);
	unsigned long n = value ? strtoul(value, NULL, 10) : 0;

	return n >= 10 && n <= 1000 ? (unsigned)n : otherwise;
}

static struct review_terminal open_terminal(const struct common_options *o)
{
	const char *term = getenv("TERM");
	struct winsize size = { 0 };
	bool tty = isatty(STDOUT_FILENO);

	if (!tty || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
		size = (struct winsize){ .ws_row = (unsigned short)env_number("LINES", 24),
					 .ws_col = (unsigned short)env_number("COLUMNS", 80) };
	return (struct review_terminal){
		.write = terminal_write, .read = terminal_read, .rows = size.ws_row,
		.columns = size.ws_col,
		.color = o->color && strcmp(o->color, "always") == 0 ? true :
			 o->color && strcmp(o->color, "never") == 0 ? false :
			 tty && !getenv("NO_COLOR") && term && strcmp(term, "dumb") != 0,
	};
}

static void print_json(const struct run_review_summary *s)
{
	printf("{\"findings\": %zu, \"undecided\": %zu, \"undecided_open\": %zu, \"accept\": %zu, "
	       "\"keep\": %zu, \"redact\": %zu, \"need_approval\": %s}\n",
	       s->walk.all, s->walk.left, s->walk.left_open, s->accept, s->keep, s->redact,
	       s->need_approval ? "true" : "false");
}

static void print_summary(const struct run_review_summary *s)
{
	printf("\n%zu accepted, %zu kept, %zu to go too; %zu of %zu findings left to decide\n", s->accept,
	       s->keep, s->redact, s->walk.left, s->walk.all);
	if (s->accept + s->keep + s->redact == 0)
		return;
	printf("decisions: %s\n", s->decisions);
	if (s->need_approval)
		printf("a credential is kept: corescrub review --approve NAME --decisions FILE signs for it\n");
	if (s->keep + s->redact || s->walk.left_open == 0)
		printf("next: corescrub report CORE -o DIR --key-file KEY --decisions %s\n", s->decisions);
}

static int review(const struct review_options *o, const struct strings *args, struct err *err)
{
	struct run_review_summary summary = { 0 };
	struct run_review_job job = {
		.decisions = o->decisions,
		.map_path = o->map,
		.identities = strings_list(&o->identity),
		.terminal = open_terminal(&o->common),
	};
	int rc, code;

	if (args->n != 1)
		return err_set(err, RC_USAGE, "review needs a report's folder or package");
	job.path = args->v[0];
	rc = run_review(&job, &summary, err);
	if (rc < 0)
		return rc;
	if (o->common.json)
		print_json(&summary);
	else if (!o->common.quiet)
		print_summary(&summary);
	code = summary.walk.left ? EXIT_PERSON : EXIT_DONE;
	run_review_summary_done(&summary);
	return code;
}

static int approve(const struct review_options *o, const struct strings *args, struct err *err)
{
	AUTO_FREE char *path = NULL;
	struct run_approve_job job = {
		.name = o->approve,
		.purpose = o->purpose,
		.sign_key = o->sign_key,
		.decisions = o->decisions,
		.output = o->output,
		.days = o->days,
	};
	int rc;

	if (args->n != 1)
		return err_set(err, RC_USAGE, "review needs a report's folder or package");
	if (!o->sign_key)
		return err_set(err, RC_USAGE, "--approve needs --sign-key");
	job.path = args->v[0];
	rc = run_approve(&job, &path, err);
	if (rc < 0)
		return rc;
	if (!o->common.quiet && !o->common.json)
		printf("written: %s\n         %s.sig\n", path, path);
	return EXIT_DONE;
}

int cmd_review(const struct cmd *cmd, int argc, char **argv)
{
	struct review_options o = { .days = 30 };
	struct strings args = { 0 };
	struct err err = ERR_INIT;
	int rc = cmd_begin(cmd, argc, argv, &o, &args, &err);

	if (rc == RC_OK)
		rc = o.approve ? approve(&o, &args, &err) : review(&o, &args, &err);
	return cmd_end(cmd, &o, &args, rc, &err);
}
