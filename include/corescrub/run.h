/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_RUN_H
#define CORESCRUB_RUN_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>
#include <corescrub/review.h>
#include <corescrub/rule.h>

/*
 * The one place that knows the order: learn, seal, detect, redact, check, then report and bundle.
 * run_scrub for texts, folders and archives; run_report for cores. Neither prints: what a person
 * should hear comes through struct run_listener or the result.
 */

/* What all jobs share. Strings are borrowed for the length of the call; lists end with NULL. */
struct run_options {
	const char *const *rules;		/* --rules, behind the shipped packs */
	const char *policy;			/* NULL: public */
	const char *key_file, *case_name;	/* NULL: random */
	const char *const *learn;		/* --learn */
	const char *const *words, *const *keep_words;
	bool no_learn;
	bool no_map;
	const char *const *map_recipients;	/* age recipients: then maps are encrypted */
	const char *map_path;			/* scrub --map; report: NULL means the state folder */
	const char *decisions;			/* --decisions, or NULL */
	const char *const *approvals;		/* --approval: of the decisions, where they need one */
	const char *allowed_signers;		/* --allowed-signers */
};

/* What a person hears while it runs; any function may be NULL. Never holds a value. */
struct run_listener {
	void (*progress)(void *ctx, const char *phase, uint64_t done, uint64_t total);
	void (*note)(void *ctx, const char *text);	/* -v */
	void (*warn)(void *ctx, const char *text);
	void *ctx;
};

struct run_scrub_job {
	struct run_options common;
	const char *const *inputs;	/* files and folders, NULL-terminated; empty: in_fd alone */
	int in_fd;			/* the filter's input, or -1 */
	int out_fd;			/* the filter's output, or -1: output is out_path */
	const char *out_path;		/* a file, or a folder if there are several inputs or a folder */
	const char *findings_path;	/* --findings, or NULL */
	bool check_only;		/* --check: write nothing */
	bool pass_binary, stream;
	struct run_listener listener;
};
struct run_scrub_result {
	uint64_t found;			/* values that went, or would go */
	uint64_t open, left_out;	/* members left out: exit 3 */
	struct buf table;		/* what was redacted, for a person; JSON where as_json */
};
/* Nothing is written unless all of it could be. */
int run_scrub(const struct run_scrub_job *job, bool as_json, struct run_scrub_result *ret,
	      struct err *err);
void run_scrub_result_done(struct run_scrub_result *r);

/* Files into a folder that is there, beside others, in place of a folder of their own. */
struct run_flat {
	int dir;			/* the folder, open; borrowed */
	const char *folder;		/* its path, for messages and run_report_result.files */
	bool texts, package;		/* which; the private page too where there are open items */
	bool clear;			/* the texts as gdb printed them: not for publication */
	bool plain_core;		/* <core>.tar.gz with core and binaries that anybody can read */
	const char *plain_config;	/* and this folder, or NULL */
	const char *stem;		/* of the tarball's name; NULL: the core's, with a hand-off's "-handoff" */
};

struct age_recipients;
enum run_core { RUN_CORE_NONE, RUN_CORE_RAW, RUN_CORE_SCRUBBED, RUN_CORE_STACKS };
struct run_report_job {
	struct run_options common;
	const char *const *cores;	/* paths; patterns are expanded by the caller */
	const int *core_fds;		/* row by row: open already (borrowed), or -1; may be NULL */
	const char *const *core_names;	/* row by row: how their files are called; may be NULL */
	const struct run_flat *flat;	/* NULL: a folder of its own for each, or out_dir */
	const char *out_dir;		/* NULL: ./<corename>-report */
	const char *exe, *sysroot, *gdb;
	const char *const *attach;
	const char *findings_path;	/* --findings, or NULL */
	const char *const *profiles;	/* of programs, beyond the shipped ones */
	unsigned timeout_s, jobs;
	bool no_sandbox, accept_open;
	/* The hand-off: made if any of the three is asked for, and then RC_REFUSED without recipients. */
	enum run_core with_core;
	bool with_binaries;
	const char *with_config;	/* a folder, packed unscrubbed; or NULL */
	const struct age_recipients *recipients;	/* or NULL */
	struct run_listener listener;
};
struct run_report_result {
	char *out_dir;			/* where it appeared, or the first of several */
	struct strings folders;		/* all of them */
	struct strings handoffs;	/* file names in it */
	uint64_t handoff_open;		/* places in scrubbed cores that a person must look at: without
					   --accept-open they hold the hand-off back (exit 3) */
	bool packed;			/* false: open items hold the package back (exit 3) */
	uint64_t open, hints, left_out;
	struct buf table;		/* files and what was redacted, for a person, or JSON */
	struct strings files;		/* their paths, of a flat one */
};
int run_report(const struct run_report_job *job, bool as_json, struct run_report_result *ret,
	       struct err *err);
void run_report_result_done(struct run_report_result *r);

struct run_review_job {
	const char *path;		/* a report's folder or package, or one that was unpacked */
	const char *decisions;		/* where they are kept; NULL: the state folder, by the case */
	const char *map_path;		/* the private map; NULL: the state folder's, if it is there */
	const char *const *identities;	/* for an encrypted map; NULL-terminated */
	struct review_terminal terminal;
};
struct run_review_summary {
	struct review_result walk;
	size_t accept, keep, redact;	/* decisions */
	bool need_approval;		/* a credential is kept */
	char *decisions, *case_name;	/* their file, and the case to name */
};
/* The walk. Decisions are kept one by one; those made before count. */
int run_review(const struct run_review_job *job, struct run_review_summary *ret, struct err *err);
void run_review_summary_done(struct run_review_summary *s);

/* `review --approve`: a detached approval, signed with an ssh key. */
struct run_approve_job {
	const char *path;		/* the report's folder or package */
	const char *name, *purpose;	/* of who approves; what for, or NULL */
	const char *sign_key;		/* a private key, or a public one whose other half the agent has */
	const char *decisions;		/* a file of decisions that is approved; NULL: the manifest's */
	const char *output;		/* NULL: "<path>.<name>.approval.json" */
	unsigned days;			/* it holds so long */
};
int run_approve(const struct run_approve_job *job, char **ret_path, struct err *err);

/* The shipped packs: beside the program (a build folder's rules/) or in ../share/corescrub/rules of
   it. A folder that others can write is RC_REFUSED. */
int run_rules_folder(char **ret, struct err *err);
/* The ruleset of the shipped packs and `rules`, with the prepared database where it fits. */
struct decisions;
/* `d` may be NULL: its patterns are rules too, and no part of the ruleset's hash. */
int run_ruleset(const char *const *rules, const char *policy, const struct decisions *d,
		struct ruleset **ret, struct err *err);


/* What the reader sees at path:line[:col] (col 0: the whole line) and which rules act; shows
   values. */
int run_explain(const struct run_options *o, const char *path, unsigned line, unsigned col,
		struct buf *ret, struct err *err);
/* Is this machine, process, program or core fit for a useful report? Changes nothing. */
struct run_doctor_job {
	const char *subject;		/* a PID, a program or a core; NULL: this machine alone */
	const char *gdb, *sysroot;
	const char *const *profiles;	/* beyond the shipped ones */
	const char *root;		/* before /proc/sys and systemd's folders, for tests; or NULL */
};
struct run_doctor_result {
	size_t useless;			/* findings that leave no use in a report: exit 3 */
	struct buf table;		/* for a person, or JSON */
};
int run_doctor(const struct run_doctor_job *job, bool as_json, struct run_doctor_result *ret,
	       struct err *err);

/* Deletes a case's private map (RC_NOTFOUND), or all that are older than 90 days. */
int run_forget(const char *case_name, struct err *err);
int run_forget_expired(size_t *ret_gone, struct err *err);

#endif
