/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact_internal.h"

#include <archive.h>
#include <archive_entry.h>

#define READ_BLOCK KIB(64)

static const char *const too_much = "unpacks to far more than its size";

void artifact_budget_init(struct artifact_budget *b, size_t packed, struct artifact_budget *whole)
{
	uint64_t max;

	if (__builtin_mul_overflow((uint64_t)packed, (uint64_t)LIMIT_ARCHIVE_RATIO, &max) ||
	    max > LIMIT_ARCHIVE_BYTES)
		max = LIMIT_ARCHIVE_BYTES;
	if (max < LIMIT_ARCHIVE_FREE)
		max = LIMIT_ARCHIVE_FREE;
	*b = (struct artifact_budget){ .max = max, .whole = whole };
}

bool artifact_budget_take(struct artifact_budget *b, uint64_t n)
{
	for (; b; b = b->whole) {
		if (n > b->max - b->used)
			return false;
		b->used += n;
	}
	return true;
}

void artifact_unpack_close(struct archive **a)
{
	if (*a)
		archive_read_free(*a);
	*a = NULL;
}

static int out_of_memory(struct err *err)
{
	return err_set(err, RC_NOMEM, "no memory to read an archive");
}

/* The rest of the current entry to `spool`. Sparse holes become zeros. */
static int unpack_data(struct archive *a, struct artifact_budget *budget,
		       struct artifact_spool *spool, const char **ret_why, struct err *err)
{
	AUTO_FREE char *block = xmalloc(READ_BLOCK);

	for (;;) {
		la_ssize_t n = archive_read_data(a, block, READ_BLOCK);
		int rc;

		if (n == 0)
			return RC_OK;
		if (n < 0) {
			*ret_why =
				archive_read_has_encrypted_entries(a) > 0 ? "encrypted" : "damaged";
			return LEFT_OUT;
		}
		if (!artifact_budget_take(budget, (uint64_t)n)) {
			*ret_why = too_much;
			return LEFT_OUT;
		}
		rc = spool->sink.write(&spool->sink, span_make(block, (size_t)n), err);
		if (rc < 0)
			return rc;
	}
}

int artifact_stream_filter(enum artifact_stream stream)
{
	switch (stream) {
	case STREAM_GZIP:
		return ARCHIVE_FILTER_GZIP;
	case STREAM_XZ:
		return ARCHIVE_FILTER_XZ;
	case STREAM_ZSTD:
		return ARCHIVE_FILTER_ZSTD;
	case STREAM_BZIP2:
		return ARCHIVE_FILTER_BZIP2;
	case STREAM_NONE:
		break;
	}
	return ARCHIVE_FILTER_NONE;
}

/* libarchive takes a stream that is cut in its first block for an empty one, so an empty one has to
   look like it: RFC 1952 2.3.1 (sum and size 0), the xz format's 2.1 (headers, empty index,
   footer), bzip2's end mark, RFC 8878 3.1.1.2 (a last raw block of size 0, maybe XXH64 of nothing
   behind it). */
static bool is_empty_stream(struct span s, enum artifact_stream stream)
{
	switch (stream) {
	case STREAM_GZIP:
		return s.len >= 18 && span_ends(s, SPAN_LIT("\0\0\0\0\0\0\0\0"));
	case STREAM_XZ:
		return s.len == 32 && span_ends(s, SPAN_LIT("YZ"));
	case STREAM_BZIP2:
		return s.len == 14 && span_ends(s, SPAN_LIT("\x17\x72\x45\x38\x50\x90\0\0\0\0"));
	case STREAM_ZSTD:
		return span_ends(s, SPAN_LIT("\1\0\0")) ||
		       span_ends(s, SPAN_LIT("\1\0\0\x99\xe9\xd8\x51"));
	case STREAM_NONE:
		break;
	}
	return false;
}

int artifact_unpack_stream(struct span bytes, enum artifact_stream stream,
			   struct artifact_budget *budget, struct artifact_spool *ret,
			   const char **ret_why, struct err *err)
{
	__attribute__((cleanup(artifact_unpack_close))) struct archive *a = archive_read_new();
	struct archive_entry *entry;
	int r;

	if (!a)
		return out_of_memory(err);
	/* exactly one filter: libarchive would else unwrap streams in streams uncounted. Anything
	   but OK means the library lacks the format and would start a program. */
	if (archive_read_append_filter(a, artifact_stream_filter(stream)) != ARCHIVE_OK ||
	    archive_read_support_format_raw(a) != ARCHIVE_OK ||
	    archive_read_support_format_empty(a) != ARCHIVE_OK)
		return err_set(err, RC_UNSUPPORTED, "libarchive was built without a compression");
	r = archive_read_open_memory(a, bytes.p, bytes.len);
	if (r == ARCHIVE_OK)
		r = archive_read_next_header(a, &entry);
	if (r == ARCHIVE_EOF && is_empty_stream(bytes, stream))
		return RC_OK;
	if (r != ARCHIVE_OK) {
		*ret_why = "damaged";
		return LEFT_OUT;
	}
	return unpack_data(a, budget, ret, ret_why, err);
}

int artifact_unpack_open(struct span bytes, enum artifact_members members, struct archive **ret,
			 struct err *err)
{
	__attribute__((cleanup(artifact_unpack_close))) struct archive *a = archive_read_new();
	int r;

	if (!a)
		return out_of_memory(err);
	r = members == MEMBERS_ZIP ? archive_read_support_format_zip_seekable(a)
				   : archive_read_support_format_tar(a);
	if (r != ARCHIVE_OK)
		return err_set(err, RC_UNSUPPORTED, "libarchive was built without a format");
	/* a broken directory shows at the first header too, where it is the archive's fault */
	archive_read_open_memory(a, bytes.p, bytes.len);
	*ret = STEAL(a);
	return RC_OK;
}

/* A tar member's bytes stand in the archive as they are, and a reader over memory gives them as one
   block; fewer than the header says means the archive is cut. Sparse ones are another matter. */
static bool is_in_place(struct archive_entry *e, enum artifact_members members)
{
	return members == MEMBERS_TAR && archive_entry_sparse_count(e) == 0 &&
	       archive_entry_size(e) > (la_int64_t)READ_BLOCK;
}

static int unpack_in_place(struct archive *a, struct archive_entry *e, struct span bytes,
			   struct span *ret, const char **ret_why)
{
	const void *p;
	size_t len;
	la_int64_t off;

	if (archive_read_data_block(a, &p, &len, &off) != ARCHIVE_OK || off != 0 ||
	    len != (uint64_t)archive_entry_size(e) || (const char *)p < bytes.p ||
	    (const char *)p + len > bytes.p + bytes.len) {
		*ret_why = "damaged";
		return LEFT_OUT;
	}
	*ret = span_make(p, len);
	return RC_OK;
}

int artifact_unpack_member(struct archive *a, struct archive_entry *e, struct span bytes,
			   enum artifact_members members, struct artifact_budget *budget,
			   struct artifact_spool *spool, struct span *ret, const char **ret_why,
			   struct err *err)
{
	int rc;

	if (archive_entry_is_encrypted(e)) {
		*ret_why = "encrypted";
		return LEFT_OUT;
	}
	if (is_in_place(e, members))
		return unpack_in_place(a, e, bytes, ret, ret_why);
	rc = unpack_data(a, budget, spool, ret_why, err);
	if (rc != RC_OK)
		return rc;
	return artifact_spool_span(spool, ret, err);
}
