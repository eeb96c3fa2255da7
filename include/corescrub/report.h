/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_REPORT_H
#define CORESCRUB_REPORT_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>

/*
 * What was done, told four ways from one account: manifest.json, review.html, JSON Lines of
 * findings, the table for a terminal. No value, ever; everything is escaped for where it stands.
 */

struct report_row { const struct finding_rule *rule; uint64_t count, distinct; };
struct report_file {
	const char *path;
	const char *kind;
	uint64_t size;
	uint8_t sha256[DIGEST_LEN];		/* of the file; of a link its target */
	bool of_data;				/* a sparse core: see bundle_stream_sealed */
};
struct report_left_out { const char *path, *why; };	/* hand-off only: a mapped file not packed */
struct report_decisions { uint8_t sha256[DIGEST_LEN]; uint64_t accept, keep, redact; };
struct report_account {
	const char *case_name, *tool, *ruleset, *policy;
	int64_t created;			/* seconds since the epoch */
	uint8_t fingerprint[DIGEST_LEN];	/* of the crashing stack's function names */
	const struct report_row *rows;
	size_t n_rows;
	const struct report_file *files;
	size_t n_files;
	const struct scrubbed *const *texts;	/* for the page */
	size_t n_texts;
	uint64_t open, hints, preexisting;
	const char *open_accepted;		/* who let open items pass: "option", "review"; NULL: nobody */
	const char *token_key;			/* names the key in use; NULL: a random one */
	const struct report_decisions *decisions;	/* of a person, or NULL */
	const char *const *confinement;		/* missing parts by name, NULL-terminated; or NULL */
	const char *const *recipients;		/* fingerprints, or NULL */
	const char *build_id, *signal, *mode;	/* of the core; mode: "none", "raw", … */
	uint64_t threads;
	const struct report_left_out *left_out;
	size_t n_left_out;
	/* The rule that put a token into the texts, or NULL; may be NULL. */
	const char *(*rule_of)(void *ctx, struct span token);
	void *rule_ctx;
};
int report_manifest(const struct report_account *a, struct buf *ret, struct err *err);
/* Reads files[] back, sorted by path; the caller frees with report_files_free. RC_FORMAT: no
   manifest of ours, a path twice, a digest or size that is none. Paths are claims still. */
int report_manifest_files(struct span json, struct report_file **ret, size_t *ret_n,
			  struct err *err);
void report_files_free(struct report_file *v, size_t n);
/* A file's path as a manifest spells it: a byte that is not UTF-8 is U+FFFD there. */
void report_manifest_path(const char *path, struct buf *ret);
int report_page(const struct report_account *a, struct buf *ret, struct err *err);
/* The private page: open items and hints with their places; never packed. */
struct report_item { const char *file; uint64_t line, col; const char *what; bool open; };
int report_private_page(const struct report_account *a, const struct report_item *items, size_t n,
			struct buf *ret, struct err *err);
/* One line of JSON for a finding: rule, kind, token, file, line, column, length, symbol path. */
int report_finding(const struct finding *f, const struct finding_rule *rule, struct span token,
		   const char *file, uint64_t line, uint64_t col, const char *path, struct buf *ret,
		   struct err *err);
/* What somebody signs for (doc/formats.md, "Approvals"). */
struct report_approval {
	uint8_t manifest[DIGEST_LEN];	/* of manifest.json's bytes */
	uint8_t decisions[DIGEST_LEN];	/* of the file of decisions; zeros: there are none */
	char *policy, *ruleset, *name, *purpose;
	int64_t time, not_after;	/* seconds since the epoch */
};
int report_approval(const struct report_approval *a, struct buf *ret, struct err *err);
/* RC_FORMAT for what is none, or names a time that is none. Strings are owned:
   report_approval_done. */
int report_approval_read(struct span json, struct report_approval *ret, struct err *err);
void report_approval_done(struct report_approval *a);

/* The table "what was redacted", for 80 columns; or as JSON. */
void report_table(const struct report_account *a, bool json, struct buf *ret);

/* What doctor found, one row each; the worst come first. For the person at this machine: it may
   name local files. */
enum report_grade { REPORT_GOOD, REPORT_NOTE, REPORT_POOR, REPORT_USELESS };
struct report_check {
	const char *id;			/* "core-limit", … */
	enum report_grade verdict;
	const char *found;		/* what is the case */
	const char *todo;		/* what to do about it, or NULL */
};
void report_checks(const struct report_check *v, size_t n, bool json, struct buf *ret);

#endif
