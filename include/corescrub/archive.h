/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_ARCHIVE_H
#define CORESCRUB_ARCHIVE_H

#include <corescrub/artifact.h>

/*
 * Compressed files and archives, read and written as what they were, cleaned inside (part of the
 * module artifact; libarchive). The caller supplies what cleaning means. Call archive_probe_bytes;
 * text is the caller's own, a stream or an archive goes to archive_walk while learning and to
 * archive_rewrite after.
 *
 * What a rewritten file keeps: its format (tar with ustar or GNU headers, zip) and compression (gz,
 * xz, zst, bz2), the members' order, kinds, permission bits and cleaned names. Everything else is
 * dropped: times (tar members are of 1970, zip members of 1980), owners, extended attributes,
 * comments, the name in a gzip header, checksums, bytes behind the end, unlisted zip members. Clean
 * names that collide get a number ("a.txt", "a~2.txt"), and hard links follow. Devices, sockets and
 * the like are left out.
 */

enum archive_probe { ARCHIVE_PLAIN, ARCHIVE_COMPRESSED, ARCHIVE_MEMBERS, ARCHIVE_BINARY };

/* What `bytes` is: text, one compressed stream, an archive with members, or something that is
   neither (audio, database, capture, encrypted): left out. Text may hold NULs, and bytes of other
   code pages; the share of bytes that no text has decides where there is no magic number. */
enum archive_probe archive_probe_bytes(struct span bytes);
/* A word for people for what is ARCHIVE_BINARY ("audio", "capture", …); constant text. _magic
   knows magic numbers alone and gives NULL for what only its share of bytes gives away. */
const char *archive_probe_binary(struct span bytes);
const char *archive_probe_magic(struct span bytes);

struct archive_visitor {
	/* Cleans one text member: appends the clean text to ret. `path` is where it stands: the clean
	   names of the archives it is in, and its own, joined by "!/"; the content of a compressed file
	   has that file's path. */
	int (*text)(void *ctx, const char *path, struct span text, struct buf *ret, struct err *err);
	/* Cleans a member name or link target; `path` is the archive's. */
	int (*name)(void *ctx, const char *path, struct span name, struct buf *ret, struct err *err);
	/* A member, or the whole, was left out; why is a word for people, constant text. */
	void (*left_out)(void *ctx, const char *path, const char *why);
	void *ctx;
	bool pass_binary;	/* --pass-binary: copy what is neither text nor an archive */
};

/*
 * Rewrites `bytes` (compressed or an archive, nested up to LIMIT_ARCHIVE_DEPTH) to out. `name`
 * begins every path and should be clean. RC_UNSUPPORTED: nothing of it can go out (damaged, a bomb,
 * one stream of audio); left_out has named it as a whole. On any negative return the caller throws
 * away what `out` got.
 */
int archive_rewrite(struct span bytes, const char *name, const struct archive_visitor *v,
		    struct sink *out, struct err *err);

/* Reads only: each text member inside to `text` (its ret is NULL), and each key in DER, with names
   as they are. `name` and `left_out` may be NULL: what can't be read is skipped (for learning), or
   named (for a look at what leaves); what `name` gives is not used. */
int archive_walk(struct span bytes, const char *name, const struct archive_visitor *v,
		 struct err *err);

/*
 * A compressed core, as systemd-coredump leaves them (zst, xz, lz4; gz, bz2 too): all of the
 * regular file fd, unpacked by a confined child to an unnamed file of mode 0600 whose pages of
 * zeros are holes. *ret_fd is -1 with RC_OK if it is none of these streams. RC_FORMAT: damaged or
 * cut; RC_TOOBIG: more than LIMIT_UNPACKED_CORE, or of what is no zeros more than an archive may
 * hold. fd's offset moves.
 */
int archive_unpack_sparse(int fd, const char *name, int *ret_fd, struct err *err);

#endif
