/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_RUN_OPEN_H
#define CORESCRUB_RUN_OPEN_H

#include <corescrub/run.h>

/*
 * The verb `open` (part of the module run): a package that came from somewhere is decrypted,
 * checked against its manifest and unpacked; then gdb is run on its core, or its texts are handed
 * back. Nothing of the package is run.
 */

struct run_open_job {
	const char *package;		/* a hand-off, its clear tar.zst, or a public tar.gz */
	const char *const *identities;	/* files, NULL-terminated */
	int (*ask)(void *ctx, struct secret **ret, struct err *err);	/* for a passphrase */
	void *ask_ctx;
	const char *out_dir;		/* a new folder; NULL: a hidden one that goes again */
	const char *gdb;		/* or NULL */
	const char *const *gdb_args;	/* NULL-terminated; may be NULL */
	const char *allowed_signers;	/* or NULL */
	bool unconfined;
	bool (*stopped)(void);		/* or NULL: asked now and then */
	struct run_listener listener;
};
struct run_open_result {
	char *signer;			/* of PACKAGE.sig, by the list; NULL: unknown */
	bool has_core;			/* gdb was run; else `texts` are what is to be shown */
	bool gdb_failed;
	struct buf texts;		/* hostile bytes */
};
/* RC_REFUSED: a signature that is nobody's of the list, or not of these bytes; RC_NOTFOUND: no
   identity fits; RC_FORMAT: damaged, or not what its manifest says. Then nothing is left of it. */
int run_open(const struct run_open_job *job, struct run_open_result *ret, struct err *err);
void run_open_result_done(struct run_open_result *r);

#endif
