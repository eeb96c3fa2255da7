/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_RESTORE_H
#define CORESCRUB_RESTORE_H

#include <corescrub/run.h>

/*
 * restore (part of the module run): a developer's reply speaks in tokens; with the private map, and
 * on this machine alone, they become values again. The reply is a stranger's text: nothing in it
 * may take a value away (a link) or harm the terminal.
 */

struct run_restore_job {
	const char *const *inputs;	/* files; empty: in_fd */
	int in_fd, out_fd;		/* out_fd: or out_path */
	const char *out_path;		/* a new file, mode 0600, or NULL */
	const char *const *tokens;	/* --token: these alone, a line each; no inputs then */
	const char *const *maps;	/* --map; without: those of case_name, or all, in the state folder */
	const char *case_name;
	const char *const *identities;	/* for encrypted maps */
	bool exact;			/* each input is a scrubbed text of the map, told by its digest */
	bool in_urls;			/* inside of links too */
	bool terminal;			/* control bytes are shown as escapes */
	struct run_listener listener;
};
struct run_restore_result {
	uint64_t restored;
	uint64_t in_urls;		/* left because they stand in a link */
	uint64_t never_kept;		/* tokens of kinds that no map has, and constants */
	struct strings unknown;		/* tokens that the map lacks, each once, up to RESTORE_UNKNOWN_MAX */
	uint64_t more_unknown;		/* and how many more there were */
};
#define RESTORE_UNKNOWN_MAX 50
/* RC_NOTFOUND: no map, a --token that it lacks, or with exact a text that is none of its own. */
int run_restore(const struct run_restore_job *job, struct run_restore_result *ret, struct err *err);
void run_restore_result_done(struct run_restore_result *r);

#endif
