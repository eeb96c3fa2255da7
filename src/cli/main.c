/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const struct cmd cmds[] = {
	{ "report", "make a safe crash report from a core", "CORE|PATTERN...", report_opts, cmd_report,
	  "Runs gdb on each core, confined, scrubs its five texts and packs them. Nothing that gdb "
	  "printed is written to disk before it is scrubbed." },
	{ "scrub", "scrub any text, log, config or archive", "[FILE|DIR...|-]", scrub_opts, cmd_scrub,
	  "A filter when given no file. All of the input is read first: what is learned at its end is "
	  "removed from its beginning." },
	{ "core", "make a scrubbed core that gdb still loads", "CORE -o FILE", core_opts, cmd_core,
	  "The copy has the core's very size; values, keys and registers that may hold them are "
	  "replaced in place. It is not fit for publication. Exit code 3: something is left for a "
	  "person to look at." },
	{ "review", "walk through a report's findings and decide", "PACKAGE|DIR", review_opts, cmd_review,
	  "Shows open items, hints, then tokens by kind, rule and value, each with its surroundings: "
	  "accept it, keep the value, redact something else too. Decisions are kept in a private file, "
	  "one by one, so that a walk goes on where it stopped; report --decisions and scrub --decisions "
	  "do what was decided." },
	{ "verify", "check that a package or file is what it says and leaks nothing",
	  "PACKAGE|DIR|FILE...", verify_opts, cmd_verify,
	  "Looks with the rules and with the second look, at everything. What to hold it to is what stands on "
	  "this command line, whatever the package says. A line for each finding: "
	  "FILE:LINE:COLUMN: LEVEL: RULE KIND: words; never a value." },
	{ "restore", "turn tokens back into values, with the private map", "[FILE|-]", restore_opts,
	  cmd_restore,
	  "For a developer's reply: reads text, writes it with the values that the tokens in it stand for. "
	  "Tokens that the map lacks are named; those inside of links stay." },
	{ "rules", "list, show, lint, test or explain the rules",
	  "list|show [ID...] | lint|test|prepare | explain FILE:LINE[:COL]", rules_opts, cmd_rules,
	  "explain shows what the reader saw at a place of a file, the values too, and which rule "
	  "acted: it is for whoever writes a rule." },
	{ "doctor", "say whether a machine, process, program or core is fit for a report",
	  "[PID|PROGRAM|CORE]", doctor_opts, cmd_doctor,
	  "Each finding says what to do; the worst come first. Exits with 3 if a report would be useless. "
	  "Changes nothing." },
	{ "open", "decrypt and check a package, start gdb on it", "PACKAGE [-- GDB-ARGUMENTS]", open_opts,
	  cmd_open,
	  "Every file is compared with the manifest before anything is shown. Nothing of the package is "
	  "run: gdb is started with arguments of our own, confined as in report, and then those behind --. "
	  "A public package shows its texts." },
	{ "keygen", "make an age identity, or a key for tokens", "", keygen_opts, cmd_keygen, NULL },
	{ "forget", "delete private maps", "CASE...", forget_opts, cmd_forget, NULL },
	{ "ast_coredumper", "do what Asterisk's script of this name does, scrubbed", "[CORE|PATTERN...]",
	  dropin_opts, cmd_ast_coredumper,
	  "The same options, names and places as the script, whose command lines work as they are; also "
	  "when called by that name. What it wrote in the clear is scrubbed, and a core leaves only "
	  "encrypted." },
	{ "generate", "print the man page or the shell completion", "man|bash", generate_opts,
	  cmd_generate, NULL },
	{ 0 },
};

static const struct cmd *cmd_find(const char *name)
{
	for (const struct cmd *c = cmds; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static void print_verbs(FILE *to)
{
	fprintf(to, "usage: corescrub VERB [options] ...\n\n"
		    "Turns a core dump into a crash report that is safe to publish.\n\n");
	for (const struct cmd *c = cmds; c->name; c++)
		fprintf(to, "  %-14s %s\n", c->name, c->summary);
	fprintf(to, "\n'corescrub VERB --help' shows a verb's options.\n");
}

/* HOME as login(1) sets it, where cron, systemd or `env -i` left it out: maps and settings are
   there. */
static void find_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *user = home && home[0] ? NULL : getpwuid(geteuid());

	if (user && user->pw_dir && user->pw_dir[0] == '/')
		setenv("HOME", user->pw_dir, 1);
}

static int run_verb(int argc, char **argv)
{
	bool help = strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
		    strcmp(argv[0], "help") == 0;
	const struct cmd *cmd = cmd_find(argv[help && argc > 1 ? 1 : 0]);
	struct err err = ERR_INIT;

	if (help && cmd) {
		opt_help(cmd);
		return print_end(EXIT_DONE);
	}
	if (help && argc == 1) {
		print_verbs(stdout);
		return print_end(EXIT_DONE);
	}
	if (strcmp(argv[0], "--version") == 0) {
		printf("corescrub %s\n", CORESCRUB_VERSION);
		return print_end(EXIT_DONE);
	}
	if (cmd)
		return cmd->run(cmd, argc, argv);
	err_set(&err, RC_USAGE, "no such verb");
	err_hint(&err, "corescrub --help lists the verbs");
	message_error(&err);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const struct cmd *cmd;
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *program = slash ? slash + 1 : argc > 0 ? argv[0] : "";

	if (!process_harden_self())
		return EXIT_FAILED;
	signal(SIGPIPE, SIG_IGN);
	find_home();
	if (strcmp(program, "ast_coredumper") == 0) {
		cmd = cmd_find(program);
		return cmd->run(cmd, argc, argv);
	}
	if (argc < 2) {
		print_verbs(stderr);
		return EXIT_USAGE;
	}
	return run_verb(argc - 1, argv + 1);
}
