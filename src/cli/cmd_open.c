/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <corescrub/run_open.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct open_options {
	struct common_options common;
	struct strings identities;
	const char *output, *gdb, *allowed_signers;
	bool unconfined;
};

#define AT(field) offsetof(struct open_options, field)

const struct opt open_opts[] = {
	{ "identity", 'i', OPT_LIST, AT(identities), "FILE",
	  "an age identity or an OpenSSH private key; else a passphrase is asked for", 0, 0 },
	{ "output", 'o', OPT_STRING, AT(output), "DIR",
	  "a new folder to keep what is unpacked (default: none is kept)", 0, 0 },
	{ "gdb", 0, OPT_STRING, AT(gdb), "FILE", "the gdb to run", 0, 0 },
	{ "allowed-signers", 0, OPT_STRING, AT(allowed_signers), "FILE",
	  "whose PACKAGE.sig counts, as ssh-keygen(1) has it", 0, 0 },
	{ "unconfined", 0, OPT_FLAG, AT(unconfined), NULL,
	  "let gdb read files, run programs and use the network", 0, 0 },
	{ 0 },
};

static volatile sig_atomic_t stop_signal;

static void note_signal(int signal)
{
	stop_signal = signal;
}

static bool is_stopped(void)
{
	return stop_signal != 0;
}

/* What is unpacked must go again, so an end is asked for and not just made. */
static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction note = { .sa_handler = note_signal };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &note, NULL);
}

static int ask(void *ctx, struct secret **ret, struct err *err)
{
	(void)ctx;
	return passphrase_ask(ret, err);
}

/* Bytes that could drive a terminal, or turn the text around on it, are shown by number. */
static void print_shown(const struct buf *b)
{
	const unsigned char *p = (const unsigned char *)b->p, *end = p + b->len;

	for (; p && p < end; p++) {
		bool hidden = (*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f;

		/* C1 controls, and the bidirectional marks of U+202A…E and U+2066…9 */
		if (*p == 0xc2 && end - p > 1)
			hidden = p[1] >= 0x80 && p[1] < 0xa0;
		if (*p == 0xe2 && end - p > 2)
			hidden = (p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
				 (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
		if (hidden)
			printf("\\%03o", *p);
		else
			putchar(*p);
	}
}

static int show(const struct open_options *o, const struct run_open_result *r)
{
	if (r->signer && !o->common.quiet) {
		AUTO_FREE char *text = xasprintf("signed by %s", r->signer);

		message_note(text);
	}
	if (r->has_core)
		return r->gdb_failed ? EXIT_FAILED : EXIT_DONE;
	if (!isatty(STDOUT_FILENO))
		return print_buf(&r->texts);
	print_shown(&r->texts);
	return EXIT_DONE;
}

static int open_package(const struct open_options *o, const struct strings *args, char **gdb_args,
			struct err *err)
{
	struct run_open_result result;
	struct run_open_job job = {
		.package = args->n ? args->v[0] : NULL,
		.identities = strings_list(&o->identities),
		.ask = ask,
		.out_dir = o->output,
		.gdb = o->gdb,
		.gdb_args = (const char *const *)gdb_args,
		.allowed_signers = o->allowed_signers,
		.unconfined = o->unconfined,
		.stopped = is_stopped,
		.listener = message_listener(&o->common),
	};
	int rc;

	if (args->n != 1)
		return err_set(err, RC_USAGE, "open takes one package; arguments for gdb stand behind --");
	catch_signals();
	rc = run_open(&job, &result, err);
	message_progress_end();
	if (rc < 0)
		return rc;
	rc = show(o, &result);
	run_open_result_done(&result);
	return rc;
}

int cmd_open(const struct cmd *cmd, int argc, char **argv)
{
	struct open_options o = { 0 };
	struct strings args = { 0 };
	struct err err = ERR_INIT;
	int ours = 1, rc;

	while (ours < argc && strcmp(argv[ours], "--") != 0)
		ours++;
	rc = cmd_begin(cmd, ours, argv, &o, &args, &err);
	if (rc == RC_OK)
		rc = open_package(&o, &args, ours < argc ? argv + ours + 1 : NULL, &err);
	return cmd_end(cmd, &o, &args, rc, &err);
}
