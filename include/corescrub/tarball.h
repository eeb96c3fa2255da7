/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_TARBALL_H
#define CORESCRUB_TARBALL_H

#include <corescrub/base.h>

/*
 * A strict reader of tar, for packages (part of the module artifact). bundle writes them in one
 * form only, so whatever departs from it is told: a value can hide in a gzip header, an owner's
 * name, an extended header, the padding, or behind the end. Shares nothing with what writes.
 */

struct tarball_member {
	const char *path;	/* as it stands there; for the length of the call */
	char type;		/* '0' a file, '5' a folder, '2' a symbolic link, … (POSIX ustar) */
	unsigned mode;
	int64_t mtime;
	struct span bytes;	/* of a file, for the length of the walk */
};
struct tarball_visitor {
	int (*member)(void *ctx, const struct tarball_member *m, struct err *err);
	/* What has no place in a package: constant text. path: the member's, or "". */
	void (*odd)(void *ctx, const char *path, const char *what);
	void *ctx;
};
/* Could it be a tar, as it is or compressed by gzip or zstd? */
bool tarball_probe(struct span file);
/* RC_FORMAT: damaged or cut; RC_TOOBIG: unpacks to more than limits.h allows. A member's negative
   return ends the walk with it. */
int tarball_walk(struct span file, const struct tarball_visitor *v, struct err *err);

#endif
