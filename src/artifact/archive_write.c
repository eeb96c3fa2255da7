/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact_internal.h"

#include <archive.h>
#include <archive_entry.h>

/* Written without a name, a time or an owner, so equal content gives equal bytes. */

/* libarchive forgets to free its filters once its callback failed, so it never does: after an
   error, and after the end, what still comes is dropped. */
static la_ssize_t out_write(struct archive *a, void *ctx, const void *p, size_t len)
{
	struct artifact_repack *w = ctx;

	(void)a;
	if (w->rc == RC_OK && w->out)
		w->rc = w->out->write(w->out, span_make(p, len), w->err);
	return (la_ssize_t)len;
}

/* The sink's own error, else one for what libarchive would not write. */
static int repack_failed(struct artifact_repack *w, struct err *err)
{
	if (w->rc < 0)
		return w->rc;
	return err_set(err, RC_UNSUPPORTED, "an archive can't be written in its own format");
}

static int content_write(struct sink *sink, struct span bytes, struct err *err)
{
	struct artifact_repack *w = (struct artifact_repack *)sink;

	w->err = err;
	while (bytes.len > 0) {
		la_ssize_t n = archive_write_data(w->a, bytes.p, bytes.len);

		if (n <= 0 || w->rc < 0)
			return repack_failed(w, err);
		bytes.p += n;
		bytes.len -= (size_t)n;
	}
	return RC_OK;
}

static int add_filter(struct archive *a, enum artifact_stream stream)
{
	int r = ARCHIVE_FATAL;

	switch (stream) {
	case STREAM_NONE:
		return archive_write_add_filter_none(a);
	case STREAM_GZIP:
		r = archive_write_add_filter_gzip(a);
		if (r == ARCHIVE_OK)
			r = archive_write_set_filter_option(a, "gzip", "timestamp", NULL);
		break;
	case STREAM_XZ:
		/* presets above 2 take up to 700 MB, and writers of a nest are open together */
		r = archive_write_add_filter_xz(a);
		if (r == ARCHIVE_OK)
			r = archive_write_set_filter_option(a, "xz", "compression-level", "2");
		break;
	case STREAM_ZSTD:
		r = archive_write_add_filter_zstd(a);
		break;
	case STREAM_BZIP2:
		r = archive_write_add_filter_bzip2(a);
		break;
	}
	return r;
}

static int set_format(struct archive *a, int format)
{
	if (format == ARCHIVE_FORMAT_RAW)
		return archive_write_set_format_raw(a);
	if ((format & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP)
		return archive_write_set_format_zip(a);
	if (format == ARCHIVE_FORMAT_TAR_GNUTAR)
		return archive_write_set_format_gnutar(a);
	/* ustar, with pax headers only where a name needs them */
	return archive_write_set_format_pax_restricted(a);
}

int artifact_repack_open(struct artifact_repack *w, int format, enum artifact_stream stream,
			 struct sink *out, struct err *err)
{
	*w = (struct artifact_repack){ .sink.write = content_write, .out = out, .err = err };
	w->a = archive_write_new();
	if (!w->a)
		return err_set(err, RC_NOMEM, "no memory to write an archive");
	if (set_format(w->a, format) != ARCHIVE_OK || add_filter(w->a, stream) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(w->a, 1) != ARCHIVE_OK ||
	    archive_write_open(w->a, w, NULL, out_write, NULL) != ARCHIVE_OK)
		return repack_failed(w, err);
	return RC_OK;
}

int artifact_repack_entry(struct artifact_repack *w, struct archive_entry *e, struct err *err)
{
	w->err = err;
	/* a warning says that a name was written as bytes: that is what we want */
	if (archive_write_header(w->a, e) < ARCHIVE_WARN || w->rc < 0)
		return repack_failed(w, err);
	return RC_OK;
}

int artifact_repack_close(struct artifact_repack *w, struct err *err)
{
	w->err = err;
	if (archive_write_close(w->a) < ARCHIVE_WARN || w->rc < 0)
		return repack_failed(w, err);
	return RC_OK;
}

void artifact_repack_done(struct artifact_repack *w)
{
	/* freeing a writer that is still open ends the archive, into nothing */
	w->out = NULL;
	if (w->a)
		archive_write_free(w->a);
	w->a = NULL;
}
