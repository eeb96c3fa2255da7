/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_CLI_INTERNAL_H
#define CORESCRUB_CLI_INTERNAL_H

#include <corescrub/base.h>
#include <corescrub/run.h>

/*
 * Verbs and options are tables. A table row yields parsing, --help, the completion and the man
 * page.
 */

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_PERSON = 3 };

enum opt_type {
	OPT_FLAG,	/* bool */
	OPT_STRING,	/* const char * */
	OPT_LIST,	/* struct strings; repeatable */
	OPT_NUMBER,	/* unsigned, min..max */
	OPT_OPTIONAL,	/* const char *; "" where "=VALUE" is left out */
};
struct opt {
	const char *name;	/* long name; NULL ends the table */
	char letter;		/* or 0 */
	enum opt_type type;
	size_t offset;		/* of the field in the verb's options struct */
	const char *arg;	/* how the argument is called in help, NULL for flags */
	const char *help;	/* NULL: for the settings alone */
	unsigned min, max;	/* OPT_NUMBER */
};
/* What every verb takes; the first member of its options struct. */
struct common_options {
	struct strings rules, map_recipients;
	const char *policy, *key_file, *config, *color;
	bool quiet, verbose, json, no_progress, help, version;
};
extern const struct opt common_opts[];

struct cmd {
	const char *name;
	const char *summary;	/* one line for the list of verbs */
	const char *args;	/* "[FILE|DIR...|-]" */
	const struct opt *opts;
	int (*run)(const struct cmd *cmd, int argc, char **argv);	/* gives an exit code */
	const char *notes;	/* for the man page: a paragraph, or NULL */
};
extern const struct cmd cmds[];	/* ends with a NULL name */

/* Parses argv[1..] into the struct at `to` (whose first member is struct common_options) by the
   verb's table and the common one; operands go to *ret_args. RC_USAGE names the option. Options may
   stand behind operands; "--" ends them. */
int opt_parse(const struct cmd *cmd, int argc, char **argv, void *to, struct strings *ret_args,
	      struct err *err);
void opt_done(const struct cmd *cmd, void *to);
/* Reads the settings file (--config, else /etc and XDG; as root /etc only) for options that the
   command line left alone; keys are the long names. */
int opt_settings(const struct cmd *cmd, void *to, struct err *err);
void opt_help(const struct cmd *cmd);

/* How every verb begins and ends. cmd_begin parses, reads the settings, sets up messages; it gives
   CMD_HELP when --help or --version was answered. cmd_end says the error, frees, gives the exit
   code: rc if it is one already (>= 0), message_exit for an error. */
#define CMD_HELP 1000
int cmd_begin(const struct cmd *cmd, int argc, char **argv, void *to, struct strings *ret_args,
	      struct err *err);
int cmd_end(const struct cmd *cmd, void *o, struct strings *args, int rc, const struct err *err);

/* Messages, to stderr: "corescrub: error: …", then "corescrub: hint: …". */
void message_init(const struct common_options *o);
bool message_color_known(const char *when);
void message_error(const struct err *err);
void message_warn(const char *text);
void message_note(const char *text);	/* only with --verbose */
struct run_listener message_listener(const struct common_options *o);
void message_progress_end(void);
/* The exit code for an error: 2 for what the user can mend, else 1. */
int message_exit(const struct err *err);

/* Asks at the terminal, /dev/tty; RC_REFUSED where there is none, nothing was typed, or the two
   differ. */
int passphrase_ask(struct secret **ret, struct err *err);
int passphrase_ask_twice(struct secret **ret, struct err *err);

/* Who may open what is encrypted. */
struct recipient_options {
	struct strings encrypt_to, files;	/* --encrypt-to, --recipients-file */
	struct strings settings;		/* recipients: where none was typed */
	bool passphrase;
};
struct age_recipients;
int recipients_gather(const struct recipient_options *o, struct age_recipients **ret,
		      struct err *err);

/* A folder that was named (--sysroot; may be NULL) is one. */
int check_folder(const char *path, struct err *err);
/* Fills the parts of struct run_options that the common options give. */
struct run_options common_run_options(const struct common_options *o);
/* All that was printed is to be out: gives `code`, or says what is wrong and gives EXIT_FAILED. */
int print_end(int code);
/* All of b to stdout, out at once. */
int print_buf(const struct buf *b);

int cmd_report(const struct cmd *cmd, int argc, char **argv);
int cmd_ast_coredumper(const struct cmd *cmd, int argc, char **argv);
extern const struct opt dropin_opts[];
int cmd_review(const struct cmd *cmd, int argc, char **argv);
int cmd_scrub(const struct cmd *cmd, int argc, char **argv);
int cmd_verify(const struct cmd *cmd, int argc, char **argv);
int cmd_restore(const struct cmd *cmd, int argc, char **argv);
int cmd_core(const struct cmd *cmd, int argc, char **argv);
int cmd_rules(const struct cmd *cmd, int argc, char **argv);
int cmd_open(const struct cmd *cmd, int argc, char **argv);
int cmd_keygen(const struct cmd *cmd, int argc, char **argv);
int cmd_forget(const struct cmd *cmd, int argc, char **argv);
int cmd_doctor(const struct cmd *cmd, int argc, char **argv);
int cmd_generate(const struct cmd *cmd, int argc, char **argv);	/* man pages, completion */
extern const struct opt core_opts[], doctor_opts[], open_opts[];
extern const struct opt review_opts[], report_opts[], scrub_opts[], rules_opts[], keygen_opts[],
	forget_opts[], generate_opts[], verify_opts[], restore_opts[];

#endif
