/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_DROPIN_H
#define CORESCRUB_DROPIN_H

#include "cli_internal.h"
#include "search.h"

#include <time.h>

/*
 * The personality of ast_coredumper: its options, its ast_debug_tools.conf, its file names and
 * messages. dropin_args (what the script's option syntax has of its own), cmd_begin, dropin_config
 * (what command line and environment left open), then dropin_run.
 */

/* What the script knows as NAME=true or --name; each can be on, off or not said. */
enum dropin_switch {
	DROPIN_RUNNING,
	DROPIN_LATEST,
	DROPIN_RENAME,
	DROPIN_TARBALL_COREDUMPS,
	DROPIN_TARBALL_CONFIG,
	DROPIN_TARBALL_RESULTS,
	DROPIN_DELETE_COREDUMPS_AFTER,
	DROPIN_DELETE_RESULTS_AFTER,
	DROPIN_DRY_RUN,
	DROPIN_DEFAULT_SEARCH,
	DROPIN_APPEND_COREDUMPS,
	DROPIN_SWITCHES
};
enum dropin_said { DROPIN_UNSAID, DROPIN_OFF, DROPIN_ON };

struct dropin_options {
	struct common_options common;
	/* the script's */
	bool running, without_prompt, latest, rename, tarball_coredumps, tarball_config, tarball_results;
	bool delete_coredumps_after, delete_results_after, dry_run, no_default_search,
		append_coredumps;
	const char *pid, *outputdir, *asterisk_bin, *moddir, *libdir, *etcdir, *gdb, *dateformat,
		*dateopts, *uniqueid;
	/* ours */
	bool no_scrub, allow_plaintext, accept_open, no_learn, no_map, no_sandbox;
	struct recipient_options recipients;
	struct strings attach, learn, words, keep_words;
	const char *case_name;
	unsigned timeout, jobs;
};

/* What is to be done, whoever said it. */
struct dropin {
	const struct dropin_options *o;
	enum dropin_said said[DROPIN_SWITCHES];
	struct strings patterns;	/* COREDUMPS */
	bool has_patterns;
	char *outputdir;		/* NULL: beside the core */
	char *dateopts;			/* as date(1) takes them */
	char *program;			/* the name of the program whose cores these are */
	char *etcdir;			/* its configs */
	char *uniqueid;			/* for names instead of the date, or NULL */
};
void dropin_done(struct dropin *d);
bool dropin_is_on(const struct dropin *d, enum dropin_switch s);
/* The switch of a variable's or an option's name ("TARBALL_RESULTS", "tarball-results"); -1:
   none. */
int dropin_find_switch(struct span name);

/* The script takes --OUTPUTDIR=x as --outputdir=x, --no-X for each switch, and --X=true or =false.
   What opt_parse can't know goes to `said`; the rest to *ret, argv[0] included. */
void dropin_args(int argc, char **argv, enum dropin_said said[DROPIN_SWITCHES],
		 struct strings *ret);

/* Reads ./, ~/ and /etc/asterisk/ast_debug_tools.conf for what is not said yet; nothing is run. A
   file that can't be trusted is passed over with a warning. RC_SYNTAX: a variable we know has a
   value that we don't understand. */
int dropin_config(struct dropin *d, struct err *err);
/* One such file's text; `path` is for messages. */
int dropin_config_text(struct dropin *d, struct span text, const char *path, struct err *err);
/* Sets a variable from a config or the environment; false if there is none of this name. */
bool dropin_set(struct dropin *d, struct span name, struct span value, struct err *err);

/* "-u +%FT%H-%M-%SZ", "date +%s.%N": options of date(1) for a time, without what file names can't
   hold. The caller frees. RC_USAGE: options that date alone understands. */
int dropin_date(const char *options, struct timespec when, char **ret, struct err *err);

/* A line on stdout, as the script says what it does; nothing with --quiet or --json. Control bytes,
   which a file's name may hold, are shown and not sent. */
void dropin_say(const struct dropin *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes of a text what a file name can hold, in place. */
void dropin_plain_name(char *text);

/* The one running instance, of the program's name, or --pid if it is one. */
int dropin_find_running(const char *program, const char *pid_text, pid_t *ret, struct err *err);
/* Its folder, for a relative core_pattern, or NULL. */
char *dropin_cwd_of(pid_t pid);

bool dropin_has_recipients(const struct dropin_options *o);
/* Reports of cores that were found; an exit code, or a negative rc where there was one core
   alone. */
int dropin_process(struct dropin *d, const struct found_cores *found, struct err *err);
/* Does it all; gives an exit code, or a negative rc. */
int dropin_run(struct dropin *d, const struct strings *args, struct err *err);

#endif
