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

/* The first " = " from p on, or end. (memmem is slow on needles this short.) */
static const char *next_equals(const char *p, const char *end)
{
	while (p < end && (p = memchr(p, '=', (size_t)(end - p)))) {
		if (end - p > 1 && p[1] == ' ' && p[-1] == ' ')
			return p;
		p++;
	}
	return end;
}

/* Without " = " in it, can the line at pos be gdb's? Its first bytes tell: most lines of a log end
   here. */
static bool begins_like_gdb(struct span t, size_t pos)
{
	switch (bt_ch(t, bt_blanks(t, pos))) {
	case '#': case '0': case '(': case '-': case 'T': case '$':
		return true;
	case '[':
		return BT_AT(t, pos, "[Switching") || BT_AT(t, pos, "[Current");
	}
	return false;
}

bool bt_probe(struct span text)
{
	const char *end_p = text.p + text.len;
	const char *equals = text.len ? next_equals(text.p + 1, end_p) : end_p;
	size_t pos, end;

	for (pos = 0; pos < text.len; pos = end + 1) {
		enum bt_line kind;

		end = bt_line_end(text, pos);
		if (equals < text.p + pos)
			equals = next_equals(text.p + pos, end_p);
		if (!begins_like_gdb(text, pos) && equals >= text.p + end)
			continue;
		kind = bt_line_at(text, pos, false).kind;
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
