/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUNDLE_INTERNAL_H
#define BUNDLE_INTERNAL_H

#include <corescrub/bundle.h>

#include <archive.h>
#include <archive_entry.h>

/* Where libarchive's bytes go. */
struct bundle_target {
	struct sink *out;
	struct err *err;
	int rc;
};
/* The archive_write_callback of a struct bundle_target. libarchive leaks its filters after a failed
   write, so it never sees one: what comes after is dropped. */
la_ssize_t bundle_target_write(struct archive *a, void *ctx, const void *p, size_t len);
/* The sink's own error, or one for what libarchive would not write. */
int bundle_target_failed(const struct bundle_target *t, struct err *err);
/* What both kinds of tarball write with. */
#define BUNDLE_PIECE MIB(1)
struct bundle_tar {
	char *root;		/* the folder that everything stands in */
	int64_t mtime;
	struct archive *a;
	struct bundle_target target;
	char *piece;		/* BUNDLE_PIECE bytes of a file in clear */
};
/* `what` names it in messages. The archive still has to be opened. RC_NOMEM, RC_REFUSED. */
int bundle_tar_init(struct bundle_tar *t, const char *root, int64_t mtime, struct sink *out,
		    const char *what, struct err *err);
void bundle_tar_done(struct bundle_tar *t);

/* A member's header, which frees e, and its bytes. */
int bundle_write_header(struct archive *a, const struct bundle_target *t, struct archive_entry *e,
			struct err *err);
int bundle_write_data(struct archive *a, const struct bundle_target *t, const char *p, size_t len,
		      struct err *err);

/* Whoever unpacks must get one new folder and nothing beside it. */
bool bundle_name_stays_inside(const char *name);
/* root/name, owner root:root, one time. The caller frees. */
struct archive_entry *bundle_entry(struct archive *a, const char *root, const char *name, int type,
				   int64_t mtime);

/* digest.c: the stretches of a file that are no holes, rounded to blocks. */
#define BUNDLE_BLOCK 4096
struct bundle_extent { uint64_t off, len; };
int bundle_extents(int fd, uint64_t size, struct bundle_extent **ret, size_t *ret_n,
		   struct err *err);
bool bundle_is_zero(const char *p, size_t len);
/* Adds the blocks at p, which stand at `off`, to a digest of data. */
void bundle_digest_blocks(struct sha256 *h, uint64_t off, const char *p, size_t len);
/* pread until n bytes; RC_IO where the file ends before. */
int bundle_read_all(int fd, char *p, size_t n, uint64_t off, struct err *err);

#endif
