/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/base/file.h>
#include <corescrub/base/limits.h>

/* Small writes are gathered; a write of this size or more goes through at once. */
#define SINK_BUFFER KIB(64)

static int write_out(struct sink_fd *s, struct span bytes, struct err *err)
{
	int rc = file_write_all(s->fd, bytes, s->name, err);

	if (rc == RC_OK)
		s->written += bytes.len;
	return rc;
}

static int write_pending(struct sink_fd *s, struct err *err)
{
	int rc = write_out(s, buf_span(&s->pending), err);

	buf_reset(&s->pending);
	return rc;
}

static int sink_fd_write(struct sink *sink, struct span bytes, struct err *err)
{
	struct sink_fd *s = (struct sink_fd *)sink;
	int rc;

	if (s->pending.len + bytes.len >= SINK_BUFFER) {
		rc = write_pending(s, err);
		if (rc < 0)
			return rc;
	}
	if (bytes.len >= SINK_BUFFER)
		return write_out(s, bytes, err);
	buf_add_span(&s->pending, bytes);
	return RC_OK;
}

static int sink_buf_write(struct sink *sink, struct span bytes, struct err *err)
{
	struct sink_buf *s = (struct sink_buf *)sink;

	(void)err;
	buf_add_span(&s->buf, bytes);
	return RC_OK;
}

void sink_fd_init(struct sink_fd *s, int fd, const char *name)
{
	*s = (struct sink_fd){ .sink.write = sink_fd_write, .fd = fd, .name = name };
}

int sink_fd_flush(struct sink_fd *s, struct err *err)
{
	int rc = write_pending(s, err);

	buf_done(&s->pending);
	return rc;
}

void sink_buf_init(struct sink_buf *s)
{
	*s = (struct sink_buf){ .sink.write = sink_buf_write };
}
