/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A tar.gz in the clear, of whatever is put into it: pax, for large files and holes. */


struct bundle_plain {
	struct bundle_tar tar;
};

static const char zeros[BUNDLE_PIECE];

static bool open_archive(struct archive *a, struct bundle_target *to)
{
	return archive_write_set_format_pax_restricted(a) == ARCHIVE_OK &&
	       archive_write_add_filter_gzip(a) == ARCHIVE_OK &&
	       archive_write_set_filter_option(a, "gzip", "timestamp", NULL) == ARCHIVE_OK &&
	       archive_write_set_filter_option(a, "gzip", "compression-level", "1") == ARCHIVE_OK &&
	       archive_write_set_bytes_in_last_block(a, 1) == ARCHIVE_OK &&
	       archive_write_open(a, to, NULL, bundle_target_write, NULL) == ARCHIVE_OK;
}

int bundle_plain_open(const char *root, int64_t mtime, struct sink *out, struct bundle_plain **ret,
		      struct err *err)
{
	AUTO(bundle_plain) b = xcalloc(1, sizeof(*b));
	int rc = bundle_tar_init(&b->tar, root, mtime, out, "tarball", err);

	if (rc < 0)
		return rc;
	if (!open_archive(b->tar.a, &b->tar.target))
		return bundle_target_failed(&b->tar.target, err);
	*ret = STEAL(b);
	return RC_OK;
}

void bundle_plain_free(struct bundle_plain *b)
{
	if (!b)
		return;
	bundle_tar_done(&b->tar);
	free(b);
}

static int begin(struct bundle_plain *b, const char *name, int type, struct archive_entry **ret,
		 struct err *err)
{
	b->tar.target.err = err;
	if (!bundle_name_stays_inside(name))
		return err_set(err, RC_REFUSED, "a file's name leads out of the tarball");
	*ret = bundle_entry(b->tar.a, b->tar.root, name, type, b->tar.mtime);
	return RC_OK;
}

int bundle_plain_text(struct bundle_plain *b, const char *name, struct span text, struct err *err)
{
	struct archive_entry *e = NULL;
	int rc = begin(b, name, AE_IFREG, &e, err);

	if (rc < 0)
		return rc;
	archive_entry_set_size(e, (la_int64_t)text.len);
	archive_entry_set_perm(e, 0644);
	rc = bundle_write_header(b->tar.a, &b->tar.target, e, err);
	return rc < 0 ? rc : bundle_write_data(b->tar.a, &b->tar.target, text.p, text.len, err);
}

int bundle_plain_link(struct bundle_plain *b, const char *name, const char *target, struct err *err)
{
	struct archive_entry *e = NULL;
	int rc = begin(b, name, AE_IFLNK, &e, err);

	if (rc < 0)
		return rc;
	archive_entry_copy_symlink(e, target);
	archive_entry_set_perm(e, 0777);
	return bundle_write_header(b->tar.a, &b->tar.target, e, err);
}

/* libarchive counts a hole's bytes and drops them. */
static int write_content(struct bundle_plain *b, int fd, uint64_t size,
			 const struct bundle_extent *v, size_t n, struct err *err)
{
	uint64_t at = 0;
	int rc = RC_OK;

	for (size_t i = 0; i <= n; i++) {
		uint64_t hole_end = i < n ? v[i].off : size, end = i < n ? v[i].off + v[i].len : size;

		for (size_t step; rc == RC_OK && at < end; at += step) {
			bool hole = at < hole_end;
			uint64_t left = (hole ? hole_end : end) - at;

			step = left < BUNDLE_PIECE ? (size_t)left : BUNDLE_PIECE;
			if (!hole)
				rc = bundle_read_all(fd, b->tar.piece, step, at, err);
			if (rc == RC_OK)
				rc = bundle_write_data(b->tar.a, &b->tar.target, hole ? zeros : b->tar.piece, step, err);
		}
	}
	return rc;
}

int bundle_plain_file(struct bundle_plain *b, const char *name, int fd, bool executable,
		      struct err *err)
{
	AUTO_FREE struct bundle_extent *v = NULL;
	struct archive_entry *e = NULL;
	uint64_t size, data = 0;
	struct stat st;
	size_t n = 0;
	int rc;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, RC_FORMAT, "only regular files can be packed");
	size = (uint64_t)st.st_size;
	rc = bundle_extents(fd, size, &v, &n, err);
	if (rc == RC_OK)
		rc = begin(b, name, AE_IFREG, &e, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		data += v[i].len;
	archive_entry_set_size(e, (la_int64_t)size);	/* first: extents are held to it */
	for (size_t i = 0; data < size && i < n; i++)
		archive_entry_sparse_add_entry(e, (la_int64_t)v[i].off, (la_int64_t)v[i].len);
	archive_entry_set_perm(e, executable ? 0755 : 0644);
	rc = bundle_write_header(b->tar.a, &b->tar.target, e, err);
	return rc < 0 ? rc : write_content(b, fd, size, v, n, err);
}

int bundle_plain_end(struct bundle_plain *b, struct err *err)
{
	b->tar.target.err = err;
	if (archive_write_close(b->tar.a) != ARCHIVE_OK || b->tar.target.rc < 0)
		return bundle_target_failed(&b->tar.target, err);
	return RC_OK;
}
