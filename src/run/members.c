/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <corescrub/archive.h>

/* A file may be a text, or a compressed file or archive full of texts: both passes over either. */

struct step_ctx {
	struct engine *engine;
	engine_step_fn step;
};

static int step_member(void *ctx, const char *path, struct span text, struct buf *ret,
		       struct err *err)
{
	struct step_ctx *m = ctx;
	AUTO(artifact) a = artifact_new(path, ARTIFACT_TEXT);

	(void)ret;
	a->text = text;
	return m->step(m->engine, a, err);
}

static enum archive_probe engine_probe(struct engine *e, const struct artifact *a)
{
	if (!a->serial || e->probed != a->serial) {
		e->probe = archive_probe_bytes(a->text);
		e->probed = a->serial;
	}
	return e->probe;
}

int engine_each_member(struct engine *e, const struct artifact *a, engine_step_fn step,
		       struct err *err)
{
	struct step_ctx ctx = { e, step };
	struct archive_visitor visitor = { .text = step_member, .ctx = &ctx };

	switch (engine_probe(e, a)) {
	case ARCHIVE_PLAIN:
		return step(e, a, err);
	case ARCHIVE_COMPRESSED:
	case ARCHIVE_MEMBERS:
		return archive_walk(a->text, a->name, &visitor, err);
	case ARCHIVE_BINARY:
		/* a filter's text of odd bytes teaches too */
		return archive_probe_magic(a->text) ? RC_OK : step(e, a, err);
	}
	return RC_OK;
}

static int clean_member(void *ctx, const char *path, struct span text, struct buf *ret,
			struct err *err)
{
	const struct engine_rewrite *w = ctx;
	AUTO(artifact) a = artifact_new(path, ARTIFACT_TEXT);
	struct sink_buf out;
	int rc;

	a->text = text;
	sink_buf_init(&out);
	rc = engine_clean(w->engine, a, w->watch, &out.sink, err);
	if (rc == RC_OK)
		buf_add_span(ret, buf_span(&out.buf));
	buf_done(&out.buf);
	return rc;
}

static int clean_name(void *ctx, const char *path, struct span name, struct buf *ret,
		      struct err *err)
{
	const struct engine_rewrite *w = ctx;

	(void)path;
	return engine_clean_name(w->engine, name, ret, err);
}

static void leave_out(void *ctx, const char *path, const char *why)
{
	const struct engine_rewrite *w = ctx;
	AUTO_BUF text = BUF_INIT;
	struct err ignored = ERR_INIT;

	/* a file's name may hold what its content does */
	if (engine_clean_name(w->engine, span_str(path), &text, &ignored) < 0)
		buf_add_str(&text, "a file");
	buf_addf(&text, ": left out: %s", why);
	w->left_out(w->ctx, text.p);
}

int engine_clean_file(const struct engine_rewrite *w, const struct artifact *a, struct sink *out,
		      struct err *err)
{
	struct archive_visitor visitor = {
		.text = clean_member,
		.name = clean_name,
		.left_out = leave_out,
		.ctx = (void *)w,
		.pass_binary = w->pass_binary,
	};
	int rc;

	switch (engine_probe(w->engine, a)) {
	case ARCHIVE_PLAIN:
		return engine_clean(w->engine, a, w->watch, out, err);
	case ARCHIVE_COMPRESSED:
	case ARCHIVE_MEMBERS:
		rc = archive_rewrite(a->text, a->name, &visitor, out, err);
		return rc == RC_UNSUPPORTED ? ENGINE_LEFT_OUT : rc;
	case ARCHIVE_BINARY:
		break;
	}
	if (w->pass_binary)
		return out->write(out, a->text, err);
	if (w->filter && !archive_probe_magic(a->text))
		return engine_clean(w->engine, a, w->watch, out, err);
	leave_out((void *)w, a->name, archive_probe_binary(a->text));
	return ENGINE_LEFT_OUT;
}
