/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_MANIFEST_H
#define CORESCRUB_MANIFEST_H

#include <corescrub/base.h>
#include <corescrub/report.h>

/*
 * manifest.json, read back (part of the module report; it shares nothing with what writes it). Hostile:
 * it is as strict as doc/manifest.schema.json, and no key stands twice.
 */

struct manifest {
	const char *case_name, *ruleset, *policy;	/* "" where the manifest has null */
	const char *mode;		/* of the core: "none", "raw", "scrubbed", "stacks" */
	struct report_file *files;	/* sorted by path */
	size_t n_files;
	uint64_t open;			/* open items that were accepted */
	struct arena *arena;		/* of all of it */
};
/* RC_SYNTAX: no JSON, err has line and column; RC_FORMAT: not by the schema, err names the key. */
int manifest_read(struct span text, const char *name, struct manifest **ret, struct err *err);
void manifest_free(struct manifest *m);
AUTO_DEFINE(manifest, manifest_free)

#endif
