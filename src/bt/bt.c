/* SPDX-License-Identifier: Apache-2.0 */
#include "bt_internal.h"

#include <stdlib.h>

void bt_add_checkpoint(struct bt *b, const struct bt_cursor *c)
{
	struct bt_checkpoint p = {
		.off = c->pos, .frame_off = c->frame.off, .thread = c->thread, .lwp = c->lwp,
		.n_frames = c->n_frames, .in_frame = c->in_frame,
	};

	GROW(b->points, b->n_points, b->cap_points);
	b->points[b->n_points++] = p;
}

int bt_parse(struct span text, struct bt **ret, struct err *err)
{
	struct bt *b;

	if (text.len > LIMIT_TEXT_MAPPED)
		return err_set(err, RC_TOOBIG, "too much text to read as a backtrace");
	b = xcalloc(1, sizeof(*b));
	b->text = text;
	b->points = xcalloc(1, sizeof(*b->points));
	b->n_points = b->cap_points = 1;
	*ret = b;
	return RC_OK;
}

void bt_free(struct bt *b)
{
	if (!b)
		return;
	free(b->points);
	free(b);
}

bool bt_probe(struct span text)
{
	for (size_t pos = 0; pos < text.len; pos = bt_line_end(text, pos) + 1) {
		enum bt_line kind = bt_line_at(text, pos, false).kind;

		if (kind != LINE_TEXT && kind != LINE_BLANK)
			return true;
	}
	return false;
}

bool bt_items(const struct bt_value *v, size_t *pos, struct bt_item *ret)
{
	struct bt_number n;
	uint64_t times = 1;
	size_t i = *pos, end;

	if (v->type != BT_ARRAY)
		return false;
	while (i < v->len && !bt_is(v->src.p[i], CH_DIGIT) && v->src.p[i] != '-')
		i++;
	if (!bt_number(v->src, i, &n))
		return false;
	end = n.end;
	if (bt_ch(v->src, end) == ' ' && bt_repeats_end(v->src, end + 1, &times))
		end = bt_repeats_end(v->src, end + 1, &times);
	*ret = (struct bt_item){
		.integer = n.value, .repeats = times, .off = v->off + i, .len = (uint32_t)(n.end - i),
	};
	*pos = end;
	return true;
}

int bt_plain(struct bt *b, bt_plain_fn fn, void *ctx)
{
	AUTO(bt_cursor) c = bt_cursor_new(b);
	const struct bt_value *v;
	uint64_t at = 0;
	int rc;

	while ((v = bt_next(c)) != NULL) {
		if (v->type == BT_GROUP || v->type == BT_FRAME)
			continue;
		if (v->off > at && (rc = fn(ctx, at, v->off - at)) != 0)
			return rc;
		at = v->off + v->len;
	}
	return at < b->text.len ? fn(ctx, at, b->text.len - at) : 0;
}
