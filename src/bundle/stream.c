/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_internal.h"

#include <corescrub/age.h>
#include <corescrub/artifact_unseal.h>

#include <stdio.h>
#include <stdlib.h>

/* pax, because it alone has room for large files and holes. A name that is not ASCII stands there
   as bytes (hdrcharset=BINARY): we run in the C locale. */

/* Each thread of zstd keeps some 4 MiB at this level. */
#define THREADS_MAX 8
/* More bytes of holes than this, and than of data, and the digest is of the data alone. */
#define HOLES_HASHED ((uint64_t)256 << 20)

struct bundle_stream {
	struct bundle_tar tar;
	char *last;		/* the name written before, for the order */
};

static const char zeros[BUNDLE_PIECE];

static bool open_archive(struct bundle_stream *b, unsigned threads)
{
	struct archive *a = b->tar.a;
	char number[16];

	snprintf(number, sizeof(number), "%u",
		 threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads);
	return archive_write_set_format_pax_restricted(a) == ARCHIVE_OK &&
	       archive_write_add_filter_zstd(a) == ARCHIVE_OK &&
	       archive_write_set_filter_option(a, "zstd", "compression-level", "1") == ARCHIVE_OK &&
	       archive_write_set_filter_option(a, "zstd", "threads", number) == ARCHIVE_OK &&
	       archive_write_set_bytes_per_block(a, 0) == ARCHIVE_OK &&
	       archive_write_open(a, &b->tar.target, NULL, bundle_target_write, NULL) == ARCHIVE_OK;
}

int bundle_stream_open(const char *root, int64_t mtime, unsigned threads, struct age_writer *to,
		       struct bundle_stream **ret, struct err *err)
{
	AUTO(bundle_stream) b = xcalloc(1, sizeof(*b));
	int rc = bundle_tar_init(&b->tar, root, mtime, age_writer_sink(to), "package", err);

	if (rc < 0)
		return rc;
	if (!open_archive(b, threads))
		return bundle_target_failed(&b->tar.target, err);
	*ret = STEAL(b);
	return RC_OK;
}

void bundle_stream_free(struct bundle_stream *b)
{
	if (!b)
		return;
	bundle_tar_done(&b->tar);
	free(b->last);
	free(b);
}

/* A member's header; *ret is the caller's. Names rise, so that none comes twice; the closing one
   needs only not to be there. */
static int begin(struct bundle_stream *b, const char *name, int type, struct archive_entry **ret,
		 struct err *err)
{
	b->tar.target.err = err;
	if (!bundle_name_stays_inside(name))
		return err_set(err, RC_REFUSED, "a file's name leads out of the package");
	if (b->last && strcmp(b->last, name) >= 0)
		return err_set(err, RC_INTERNAL, "a package's files come in order");
	free(b->last);
	b->last = xstrdup(name);
	*ret = bundle_entry(b->tar.a, b->tar.root, name, type, b->tar.mtime);
	return RC_OK;
}

static int write_text(struct bundle_stream *b, const char *name, struct span text, bool executable,
		      struct err *err)
{
	struct archive_entry *e;
	int rc = begin(b, name, AE_IFREG, &e, err);

	if (rc < 0)
		return rc;
	archive_entry_set_size(e, (la_int64_t)text.len);
	archive_entry_set_perm(e, executable ? 0755 : 0644);
	rc = bundle_write_header(b->tar.a, &b->tar.target, e, err);
	return rc < 0 ? rc : bundle_write_data(b->tar.a, &b->tar.target, text.p, text.len, err);
}

static int write_link(struct bundle_stream *b, const char *name, const char *target,
		      struct err *err)
{
	struct archive_entry *e;
	int rc = begin(b, name, AE_IFLNK, &e, err);

	if (rc < 0)
		return rc;
	archive_entry_copy_symlink(e, target);
	archive_entry_set_perm(e, 0777);
	return bundle_write_header(b->tar.a, &b->tar.target, e, err);
}

/* A file on its way: what it is made of, and its digest. */
struct passing {
	int fd;
	uint64_t size;
	struct bundle_extent *extents;
	size_t n;
	bool of_data;
	struct sha256 *hash;
};

static int write_extent(struct bundle_stream *b, const struct passing *p,
			const struct bundle_extent *e, struct err *err)
{
	for (uint64_t done = 0; done < e->len;) {
		size_t n = e->len - done < BUNDLE_PIECE ? (size_t)(e->len - done) : BUNDLE_PIECE;
		int rc = bundle_read_all(p->fd, b->tar.piece, n, e->off + done, err);

		if (rc < 0)
			return rc;
		if (p->of_data)
			bundle_digest_blocks(p->hash, e->off + done, b->tar.piece, n);
		else
			sha256_add(p->hash, b->tar.piece, n);
		rc = bundle_write_data(b->tar.a, &b->tar.target, b->tar.piece, n, err);
		if (rc < 0)
			return rc;
		done += n;
	}
	return RC_OK;
}

/* libarchive counts a hole's bytes and drops them. */
static int write_hole(struct bundle_stream *b, const struct passing *p, uint64_t len,
		      struct err *err)
{
	while (len > 0) {
		size_t n = len < BUNDLE_PIECE ? (size_t)len : BUNDLE_PIECE;
		int rc = bundle_write_data(b->tar.a, &b->tar.target, zeros, n, err);

		if (rc < 0)
			return rc;
		if (!p->of_data)
			sha256_add(p->hash, zeros, n);
		len -= n;
	}
	return RC_OK;
}

static int write_content(struct bundle_stream *b, const struct passing *p, struct err *err)
{
	uint64_t at = 0;
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < p->n; i++) {
		rc = write_hole(b, p, p->extents[i].off - at, err);
		if (rc == RC_OK)
			rc = write_extent(b, p, &p->extents[i], err);
		at = p->extents[i].off + p->extents[i].len;
	}
	return rc == RC_OK ? write_hole(b, p, p->size - at, err) : rc;
}

static int write_file(struct bundle_stream *b, const struct sealed *s, struct passing *p,
		      struct err *err)
{
	struct archive_entry *e;
	uint64_t data = 0;
	int rc = bundle_extents(p->fd, p->size, &p->extents, &p->n, err);

	if (rc == RC_OK)
		rc = begin(b, sealed_name(s), AE_IFREG, &e, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < p->n; i++)
		data += p->extents[i].len;
	archive_entry_set_size(e, (la_int64_t)p->size);	/* first: extents are held to it */
	if (data < p->size)
		for (size_t i = 0; i < p->n; i++)
			archive_entry_sparse_add_entry(e, (la_int64_t)p->extents[i].off,
						       (la_int64_t)p->extents[i].len);
	if (data < p->size && p->n == 0)	/* nothing but a hole */
		archive_entry_sparse_add_entry(e, 0, 0);
	p->of_data = p->size - data > HOLES_HASHED && p->size - data > data;
	archive_entry_set_perm(e, sealed_content(s).executable ? 0755 : 0644);
	rc = bundle_write_header(b->tar.a, &b->tar.target, e, err);
	return rc < 0 ? rc : write_content(b, p, err);
}

static int stream_file(struct bundle_stream *b, const struct sealed *s, bool *ret_of_data,
		       uint8_t ret_sha256[DIGEST_LEN], struct err *err)
{
	struct passing p = { .fd = sealed_content(s).fd, .size = sealed_size(s), .hash = sha256_new() };
	int rc = write_file(b, s, &p, err);

	if (rc == RC_OK) {
		sha256_end(p.hash, ret_sha256);
		*ret_of_data = p.of_data;
	}
	sha256_free(p.hash);
	free(p.extents);
	return rc;
}

int bundle_stream_scrubbed(struct bundle_stream *b, const struct scrubbed *s, struct err *err)
{
	return write_text(b, scrubbed_name(s), scrubbed_text(s), false, err);
}

int bundle_stream_sealed(struct bundle_stream *b, const struct sealed *s, bool *ret_of_data,
			 uint8_t ret_sha256[DIGEST_LEN], struct err *err)
{
	struct sealed_content c = sealed_content(s);

	if (c.kind == SEALED_FILE)
		return stream_file(b, s, ret_of_data, ret_sha256, err);
	*ret_of_data = false;
	digest_sha256(c.text, ret_sha256);
	if (c.kind == SEALED_LINK)
		return write_link(b, sealed_name(s), c.text.p, err);
	return write_text(b, sealed_name(s), c.text, c.executable, err);
}

int bundle_stream_end(struct bundle_stream *b, const struct sealed *manifest, struct err *err)
{
	int rc;

	free(b->last);
	b->last = NULL;
	rc = write_text(b, sealed_name(manifest), sealed_content(manifest).text, false, err);
	if (rc == RC_OK && (archive_write_close(b->tar.a) != ARCHIVE_OK || b->tar.target.rc < 0))
		rc = bundle_target_failed(&b->tar.target, err);
	return rc;
}
