/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_RUN_INTERNAL_H
#define CORESCRUB_RUN_INTERNAL_H

#include <corescrub/archive.h>
#include <corescrub/artifact.h>
#include <corescrub/check.h>
#include <corescrub/detect.h>
#include <corescrub/learn.h>
#include <corescrub/redact.h>
#include <corescrub/redact/decisions.h>
#include <corescrub/run.h>

/*
 * The engine: everything between clear text and clean text, for one run. engine_new, engine_learn
 * over every text there is, engine_seal, then engine_clean for each text. A second engine_clean of
 * the same text gives the same bytes.
 */
struct engine {
	const struct run_options *options;	/* borrowed: the job's */
	struct ruleset *rules;
	struct learned *learned;
	struct detector *learner;	/* pass one: rules alone */
	struct detector *detector;	/* pass two: rules and what was learned */
	struct redactor *redactor;
	struct check *check;
	bool learn_texts;		/* not with --no-learn */
	struct age_recipients *map_recipients;	/* of private maps, or NULL */
	char *case_name;		/* random if none was given */
	uint64_t masked;		/* places that the second look had to mask: open items */
	struct decisions *decisions;	/* --decisions, or NULL */
	size_t kept_seen;		/* how many spellings the second look was told of (decide.c) */
	/* what archive_probe_bytes said of the last artifact: it looks at all of it */
	uint64_t probed;		/* its serial, or 0 */
	enum archive_probe probe;
};

int engine_new(const struct run_options *o, bool keep_map, struct engine **ret, struct err *err);
void engine_free(struct engine *e);
AUTO_DEFINE(engine, engine_free)
/* Learns what a config file's bytes hold, compressed or in an archive too; before engine_seal. */
int engine_learn_config(struct engine *e, struct span bytes, const char *path, struct err *err);
int engine_learn(struct engine *e, const struct artifact *a, struct err *err);
/* Counts how often what was learned stands in a: for the guard. After all engine_learn, before
   seal. */
int engine_count(struct engine *e, const struct artifact *a, struct err *err);
int engine_seal(struct engine *e, struct err *err);
/* For streams, after engine_seal: learns from a and seals again if that brought anything new. */
int engine_learn_more(struct engine *e, const struct artifact *a, struct err *err);

/* What a run tells of one text while it is cleaned; functions may be NULL. */
struct engine_watch {
	redact_plan_fn plan;
	void *plan_ctx;
	check_item_fn item;
	void *item_ctx;
};
/* Clean text to out, each piece looked at by check before it goes. A known value that is still
   there is masked; RC_LEAK if that has no end. */
int engine_clean(struct engine *e, const struct artifact *a, const struct engine_watch *w,
		 struct sink *out, struct err *err);
/* Clean text, sealed: what report and bundle take. `name` is clean already (engine_clean_name). */
int engine_clean_sealed(struct engine *e, const struct artifact *a, const char *name,
			const struct engine_watch *w, struct scrubbed **ret, struct err *err);
/* A short text such as a file name, cleaned. */
int engine_clean_name(struct engine *e, struct span name, struct buf *ret, struct err *err);
/* Text of our own making that holds no input (a README), or none that engine_clean has not seen:
   looked at and sealed. A known value is an open item. */
int engine_seal_own(struct engine *e, const char *name, struct buf *text, check_item_fn fn,
		    void *ctx, struct scrubbed **ret, struct err *err);

/* One step over a text, or over every text inside a compressed file or archive. */
typedef int (*engine_step_fn)(struct engine *e, const struct artifact *a, struct err *err);
int engine_each_member(struct engine *e, const struct artifact *a, engine_step_fn step,
		       struct err *err);
/* engine_clean for a text, compressed file or archive, written as what it was. What is left out is
   told in words fit to print; ENGINE_LEFT_OUT if that is all of it, and then what `out` got is no
   output. */
#define ENGINE_LEFT_OUT 1
struct engine_rewrite {
	struct engine *engine;
	const struct engine_watch *watch;	/* may be NULL */
	void (*left_out)(void *ctx, const char *text);
	void *ctx;
	bool pass_binary;
	bool filter;		/* only magic numbers tell that it is no text: bytes pass a filter */
};
int engine_clean_file(const struct engine_rewrite *w, const struct artifact *a, struct sink *out,
		      struct err *err);

/* --decisions (decide.c). Reads them, or does nothing; do they fit the redactor's key; their
   parts. */
int engine_decisions(struct engine *e, const struct run_options *o, struct err *err);
int engine_decisions_fit(struct engine *e, struct err *err);
void engine_kept_tokens(const struct engine *e, struct strings *ret);
int engine_added_words(struct engine *e, struct err *err);
/* Tells the second look of the spellings that stay, as far as they were met. */
void engine_pass_kept(struct engine *e);
/* The patterns of d (may be NULL) as a pack's text; empty without any. */
void run_patterns_pack(const struct decisions *d, struct buf *ret);
/* Would this regex do as one of them? RC_SYNTAX says why not. */
int run_pattern_check(const char *regex, struct err *err);

/* RC_REFUSED where others can write to the folder that `out_dir` (NULL: one below ".") will stand
   in: they could put another in its place. For what leaves or arrives clear. */
int run_check_place(const char *out_dir, struct err *err);

/* A crashed program's own configuration (config_folder.c). Is this folder, which the core names,
   like the profile's (may be NULL)? Learns what is in it, read with the core owner's
   credentials. */
struct gdb_profile;
struct run_listener;
bool config_folder_fits(const struct gdb_profile *p, const char *folder);
int config_folder_learn(struct engine *e, const char *folder, uid_t uid, gid_t gid,
			const struct run_listener *l, struct err *err);

/* This machine's host name, addresses and login names. */
int run_learn_machine(struct learned *l, struct err *err);

/* Calls fn for each file of `path`: itself, or all regular files below a folder, sorted by name;
   what is neither goes to skipped (may be NULL). `relative` is "" for a file given itself. */
typedef int (*run_file_fn)(void *ctx, const char *path, const char *relative, struct err *err);
int run_walk(const char *path, run_file_fn fn, void (*skipped)(void *ctx, const char *path),
	     void *ctx, struct err *err);

/* The file, or where it is encrypted (*ret_locked) its clear bytes in an unnamed one: RC_USAGE
   without identities. From its start; the caller closes it. */
int run_unlock(const char *path, const char *const *identities, int *ret_fd, bool *ret_locked,
	       struct err *err);
/* Private maps (map_store.c). Recipients' lines, or NULL for none. */
struct age_recipients;
int run_map_recipients(const char *const *lines, struct age_recipients **ret, struct err *err);
/* What r replaced, to path or, NULL, to the case's place in the state folder; encrypted if e has
   recipients for maps: then a file that is there is RC_EXISTS, it can't be added to. */
int run_map_write(const struct engine *e, const struct redactor *r, const char *path,
		  struct err *err);
/* Each map in the state folder, of one case or, NULL, of all. */
typedef int (*run_map_fn)(void *ctx, const char *path, bool expired, struct err *err);
int run_map_each(const char *case_name, run_map_fn fn, void *ctx, struct err *err);
/* Adds a private map, encrypted or not. */
struct private_map;
int run_map_read(const char *path, const char *const *identities, struct private_map *to,
		 struct err *err);

/* --findings (findings.c). _add is for a plan's callback; shown NULL: the artifact's name, cleaned.
   f may be NULL but for _open. Without the commit nothing was ever there. */
struct findings_file;
int findings_file_open(const char *path, struct findings_file **ret, struct err *err);
int findings_file_add(struct findings_file *f, struct engine *e, const struct artifact *a,
		      const char *shown, const struct redact_plan *p, struct err *err);
int findings_file_commit(struct findings_file *f, struct err *err);
void findings_file_free(struct findings_file *f);
AUTO_DEFINE(findings_file, findings_file_free)

#endif
