/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_VERIFY_H
#define CORESCRUB_VERIFY_H

#include <corescrub/run.h>

/*
 * verify (part of the module run): does a package, a report's folder or any file hold what it says,
 * and nothing that should be gone? What to hold it to comes from the caller alone: the package's
 * word for its policy, its rules or its open items is compared, never followed.
 */

struct run_verify_job {
	struct run_options common;	/* policy, rules, learn, words, keep words, key, case */
	const char *const *inputs;	/* packages, folders, files; NULL-terminated */
	const char *const *maps;	/* --map: their originals are known values */
	const char *const *identities;	/* --identity: for what is encrypted */
	const char *ruleset;		/* the hash the manifest must name, or NULL */
	bool plain;			/* archives and folders need no manifest */
	bool no_rules;			/* the second look alone */
	const char *allowed_signers;	/* --require-approval, or NULL */
	const char *const *approvals;	/* --approval; empty: those beside each input */
	unsigned min_approvals;		/* by so many keys */
	struct run_listener listener;
};
struct run_verify_result {
	uint64_t files;			/* texts that were looked at */
	uint64_t leaks;			/* what a rule, a map, a key or a config knows */
	uint64_t changes;		/* what differs from the manifest, or can't be looked at */
	uint64_t hints;			/* shapes that a person may look at */
	struct strings notes;		/* what was not checked, in words */
	struct buf lines;		/* a line for each finding; one JSON object with as_json */
};
/* RC_OK whatever it found; a negative return says that it could not look. Never a value in
   lines. */
int run_verify(const struct run_verify_job *job, bool as_json, struct run_verify_result *ret,
	       struct err *err);
void run_verify_result_done(struct run_verify_result *r);

#endif
