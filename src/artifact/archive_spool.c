/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact_internal.h"

#include <unistd.h>

static int spool_write(struct sink *sink, struct span bytes, struct err *err)
{
	struct artifact_spool *s = (struct artifact_spool *)sink;
	int rc;

	if (s->fd < 0 && bytes.len <= LIMIT_ARCHIVE_SPOOL - s->buf.len) {
		buf_add_span(&s->buf, bytes);
		return RC_OK;
	}
	if (s->fd < 0) {
		rc = file_unnamed(false, &s->fd, err);
		if (rc < 0)
			return rc;
		rc = file_write_all(s->fd, buf_span(&s->buf), "spool", err);
		if (rc < 0)
			return rc;
		buf_done(&s->buf);
	}
	return file_write_all(s->fd, bytes, "spool", err);
}

void artifact_spool_init(struct artifact_spool *s)
{
	*s = (struct artifact_spool){ .sink.write = spool_write, .buf = BUF_INIT, .fd = -1 };
}

void artifact_spool_done(struct artifact_spool *s)
{
	if (s->map)
		mapping_free(s->map);
	if (s->fd >= 0)
		close(s->fd);
	buf_done(&s->buf);
	artifact_spool_init(s);
}

int artifact_spool_span(struct artifact_spool *s, struct span *ret, struct err *err)
{
	if (s->fd >= 0 && !s->map) {
		int rc = mapping_open(s->fd, "spool", &s->map, err);

		if (rc < 0)
			return rc;
	}
	if (s->map)
		*ret = mapping_span(s->map);
	else
		*ret = s->buf.p ? buf_span(&s->buf) : SPAN_LIT("");
	return RC_OK;
}
