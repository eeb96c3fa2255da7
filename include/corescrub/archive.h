/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_ARCHIVE_H
#define CORESCRUB_ARCHIVE_H

#include <corescrub/artifact.h>

/*
 * Compressed files and archives, read and written as what they were, cleaned inside (part of the
 * module artifact; libarchive). The caller supplies what cleaning means.
 */

enum archive_probe { ARCHIVE_PLAIN, ARCHIVE_COMPRESSED, ARCHIVE_MEMBERS, ARCHIVE_BINARY };

/* What `bytes` is: text, one compressed stream, an archive with members, or something that is neither
   (audio, database, capture, encrypted): left out. */
enum archive_probe archive_probe_bytes(struct span bytes);

struct archive_visitor {
	/* Cleans one text member: appends the clean text to ret. `path` is where it stands, nested
	   names joined by "!/". */
	int (*text)(void *ctx, const char *path, struct span text, struct buf *ret, struct err *err);
	/* Cleans a member name or link target. */
	int (*name)(void *ctx, const char *path, struct span name, struct buf *ret, struct err *err);
	/* A member was left out; why is a word for people. */
	void (*left_out)(void *ctx, const char *path, const char *why);
	void *ctx;
	bool pass_binary;	/* --pass-binary: copy what is neither text nor an archive */
};

/* Rewrites `bytes` (compressed or an archive, nested up to LIMIT_ARCHIVE_DEPTH) to out. */
int archive_rewrite(struct span bytes, const char *name, const struct archive_visitor *v,
		    struct sink *out, struct err *err);

/* Reads only: each text member inside to `text` (its ret is NULL). For learning. */
int archive_walk(struct span bytes, const char *name, const struct archive_visitor *v, struct err *err);

#endif
