/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_MANIFEST_H
#define CORESCRUB_MANIFEST_H

#include <corescrub/base.h>
#include <corescrub/report.h>

/*
 * manifest.json, read back (part of the module report; it shares nothing with what writes it).
 * Hostile: it is as strict as doc/manifest.schema.json, and no key stands twice.
 */

struct manifest {
	const char *case_name, *ruleset, *policy;	/* "" where the manifest has null */
	const char *token_key;		/* which key made its tokens, or "" */
	const char *decisions;		/* the digest of a person's decisions, or "" */
	const char *mode;		/* of the core: "none", "raw", "scrubbed", "stacks" */
	struct report_file *files;	/* sorted by path */
	size_t n_files;
	struct buf texts;		/* whatever is free to hold any text, one a line */
	uint64_t open;			/* open items that were accepted */
	struct arena *arena;		/* of all of it */
};
/* RC_SYNTAX: no JSON, err has line and column; RC_FORMAT: not by the schema, err names the key. */
int manifest_read(struct span text, const char *name, struct manifest **ret, struct err *err);
void manifest_free(struct manifest *m);
AUTO_DEFINE(manifest, manifest_free)

/* What verify found, as one JSON object. `notes` ends with NULL. */
struct report_problem {
	const char *file, *rule, *kind;	/* kind: "" for what is no value */
	const char *level, *what;	/* "leak", "change" or "hint"; in words */
	uint64_t line, col;		/* 0: the file as a whole */
};
struct report_verdict {
	const struct report_problem *v;
	size_t n;
	uint64_t files, leaks, changes, hints;
	const char *const *notes;
};
int report_verdict(const struct report_verdict *r, struct buf *ret, struct err *err);

#endif
