/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUN_APPROVAL_H
#define RUN_APPROVAL_H

#include <corescrub/base.h>
#include <corescrub/redact/decisions.h>

/*
 * Detached approvals (doc/formats.md): FILE.json, signed by ssh-keygen -Y into FILE.json.sig under
 * a namespace of its own. Who may sign is said on the command line, never by what is approved.
 */

#define APPROVAL_NAMESPACE "corescrub-approval"

/* What an approval must be about. Digests may be NULL where any will do. */
struct approval_wanted {
	const uint8_t *manifest;		/* SHA-256 of manifest.json */
	const uint8_t *decisions;		/* of the file of decisions; zeros: none */
	const char *policy, *ruleset;		/* or NULL */
	int64_t now;
};
/* Counts the distinct keys that signed approvals in `paths` (NULL-terminated) which hold. What is
   wrong with each that doesn't goes to why, fit to print. An unreadable list of signers is an
   error. */
int approvals_count(const char *const *paths, const char *allowed_signers,
		    const struct approval_wanted *wanted, size_t *ret_keys, struct strings *why,
		    struct err *err);
/* The approvals that lie beside a package or folder: "<path>.*.approval.json", sorted. */
void approvals_beside(const char *path, struct strings *ret);
/* RC_REFUSED where `d` keeps a credential and no approval of d holds. */
int approvals_for_keeps(const struct decisions *d, const char *const *paths,
			const char *allowed_signers, struct err *err);

/* Runs ssh-keygen: what it prints, and whether it was content. Its complaints are not passed on:
   they hold names of files and people. `env` and `keep` may be NULL. */
int approval_keygen(const char *const *argv, const char *const *env, int in, const int *keep,
		    struct buf *ret, bool *ret_good, struct err *err);
/* The allowed signers, as a descriptor that ssh-keygen reads; only a file that nobody else can
   write. */
int approval_allowed(const char *path, int *ret, struct err *err);
/* Whose signature of all of `in` this is, by the list; *ret_who stays as it was where it is
   nobody's. The caller frees. */
int approval_verify(const char *namespace, int in, struct span sig, int allowed, char **ret_who,
		    struct err *err);
/* Bytes as a descriptor that a child reads from the start. */
int approval_fd(struct span bytes, int *ret, struct err *err);

#endif
