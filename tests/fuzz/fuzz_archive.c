/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an archive: it is rewritten or left out, and what was rewritten is rewritten again
   to the same bytes. */
#include <stdint.h>
#include <stdlib.h>

#include <corescrub/archive.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int pass_text(void *ctx, const char *path, struct span text, struct buf *ret, struct err *err)
{
	(void)ctx;
	(void)path;
	(void)err;
	if (ret)
		buf_add_span(ret, text);
	return RC_OK;
}

static int pass_name(void *ctx, const char *path, struct span name, struct buf *ret, struct err *err)
{
	(void)ctx;
	(void)path;
	(void)err;
	buf_add_span(ret, name);
	return RC_OK;
}

static void count_left_out(void *ctx, const char *path, const char *why)
{
	(void)path;
	(void)why;
	++*(unsigned *)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_make((const char *)data, size);
	unsigned left_out = 0;
	const struct archive_visitor v = { .text = pass_text, .name = pass_name,
					   .left_out = count_left_out, .ctx = &left_out };
	struct err err = ERR_INIT;
	struct sink_buf first, second;
	int rc;

	sink_buf_init(&first);
	sink_buf_init(&second);
	rc = archive_rewrite(in, "x", &v, &first.sink, &err);
	if (rc != RC_OK && (rc != RC_UNSUPPORTED || left_out == 0))
		abort();
	if (archive_walk(in, "x", &v, &err) != RC_OK)
		abort();
	left_out = 0;
	if (rc == RC_OK && first.buf.p) {
		if (archive_rewrite(buf_span(&first.buf), "x", &v, &second.sink, &err) != RC_OK || left_out)
			abort();
		if (!span_eq(buf_span(&first.buf), buf_span(&second.buf)))
			abort();
	}
	buf_done(&first.buf);
	buf_done(&second.buf);
	return 0;
}
