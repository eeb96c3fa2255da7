/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <stdlib.h>

/* Clear text to clean text: redaction, then the second look at every byte of what it made. */

/* What the second look tells of a text, kept until it is known that the text stays as it is. */
struct items {
	struct check_item *v;
	size_t n, cap;
};

static int items_add(void *ctx, const char *name, const struct check_item *item)
{
	struct items *items = ctx;

	(void)name;
	GROW(items->v, items->n, items->cap);
	items->v[items->n++] = *item;
	return 0;
}

/* Hands them on, their places `by` further. */
static int items_tell(const struct items *items, const char *name, const struct engine_watch *w,
		      uint64_t by)
{
	int rc = RC_OK;

	for (size_t i = 0; w && w->item && rc >= 0 && i < items->n; i++) {
		struct check_item item = items->v[i];

		item.off += by;
		rc = w->item(w->item_ctx, name, &item);
	}
	return rc;
}

/* What redaction let pass is masked: each place an open item, so that a person gets to know. */
static int mask(struct engine *e, const char *name, struct buf *text, struct items *items,
		struct err *err)
{
	int rc;

	items->n = 0;
	rc = check_mask(e->check, name, text, items_add, items, err);
	e->masked += items->n;
	return rc;
}

/*
 * A sink that lets check look at every byte before it passes them on, in pieces that end at a line,
 * so that no value is cut in two.
 */
#define LOOK_BYTES MIB(1)

struct look_sink {
	struct sink sink;
	struct engine *e;
	const char *name;
	const struct engine_watch *watch;
	struct sink *next;
	uint64_t passed;
	struct buf pending;
};

static int look_pass(struct look_sink *l, size_t n, struct err *err)
{
	struct span piece = span_make(l->pending.p, n);
	struct items items = { .v = NULL };
	AUTO_BUF masked = BUF_INIT;
	AUTO_BUF rest = BUF_INIT;
	int rc;

	engine_pass_kept(l->e);
	rc = check_look(l->e->check, l->name, piece, items_add, &items, err);
	if (rc == RC_LEAK) {
		buf_add_span(&masked, piece);
		rc = mask(l->e, l->name, &masked, &items, err);
		piece = buf_span(&masked);
		if (rc == RC_OK)
			rc = check_look(l->e->check, l->name, piece, items_add, &items, err);
	}
	if (rc == RC_OK)
		rc = items_tell(&items, l->name, l->watch, l->passed);
	if (rc == RC_OK)
		rc = l->next->write(l->next, piece, err);
	free(items.v);
	if (rc < 0)
		return rc;
	l->passed += piece.len;
	buf_add(&rest, l->pending.p + n, l->pending.len - n);
	buf_reset(&l->pending);
	buf_add_span(&l->pending, buf_span(&rest));
	return RC_OK;
}

static int look_write(struct sink *s, struct span bytes, struct err *err)
{
	struct look_sink *l = (struct look_sink *)s;

	while (bytes.len) {
		size_t n = bytes.len < LOOK_BYTES ? bytes.len : LOOK_BYTES;
		const char *end;
		int rc;

		buf_add(&l->pending, bytes.p, n);
		bytes = span_make(bytes.p + n, bytes.len - n);
		if (l->pending.len < LOOK_BYTES)
			continue;
		end = memrchr(l->pending.p, '\n', l->pending.len);
		if (!end)
			continue;	/* one very long line is looked at whole */
		rc = look_pass(l, end + 1 - l->pending.p, err);
		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

int engine_clean(struct engine *e, const struct artifact *a, const struct engine_watch *w,
		 struct sink *out, struct err *err)
{
	struct look_sink look = {
		.sink.write = look_write, .e = e, .name = a->name, .watch = w, .next = out,
		.pending = BUF_INIT,
	};
	int rc = redact_all(e->redactor, e->detector, a, &look.sink, w ? w->plan : NULL,
			    w ? w->plan_ctx : NULL, err);

	if (rc == RC_OK && look.pending.len)
		rc = look_pass(&look, look.pending.len, err);
	buf_done(&look.pending);
	return rc;
}

int engine_clean_sealed(struct engine *e, const struct artifact *a, const char *name,
			const struct engine_watch *w, struct scrubbed **ret, struct err *err)
{
	struct items items = { .v = NULL };
	struct sink_buf out;
	int rc;

	sink_buf_init(&out);
	rc = redact_all(e->redactor, e->detector, a, &out.sink, w ? w->plan : NULL,
			w ? w->plan_ctx : NULL, err);
	engine_pass_kept(e);
	if (rc == RC_OK)
		rc = check_clean(e->check, name, &out.buf, items_add, &items, ret, err);
	if (rc == RC_LEAK) {
		rc = mask(e, name, &out.buf, &items, err);
		if (rc == RC_OK)
			rc = check_clean(e->check, name, &out.buf, items_add, &items, ret, err);
	}
	if (rc == RC_OK)
		rc = items_tell(&items, name, w, 0);
	free(items.v);
	buf_done(&out.buf);
	return rc;
}

int engine_clean_name(struct engine *e, struct span name, struct buf *ret, struct err *err)
{
	AUTO_BUF copy = BUF_INIT;
	AUTO(artifact) a = NULL;
	struct sink_buf out;
	int rc;

	buf_add_span(&copy, name);
	a = artifact_from_buf("a file name", ARTIFACT_TEXT, &copy);
	sink_buf_init(&out);
	redactor_note(e->redactor, false);
	rc = engine_clean(e, a, NULL, &out.sink, err);
	redactor_note(e->redactor, true);
	if (rc == RC_OK)
		buf_add_span(ret, buf_span(&out.buf));
	buf_done(&out.buf);
	return rc;
}

int engine_seal_own(struct engine *e, const char *name, struct buf *text, check_item_fn fn,
		    void *ctx, struct scrubbed **ret, struct err *err)
{
	return check_clean_own(e->check, name, text, fn, ctx, ret, err);
}
