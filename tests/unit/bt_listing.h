/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BT_LISTING_H
#define BT_LISTING_H

#include <corescrub/bt.h>

/*
 * What the reader saw, as lines for comparing: "#1 f at a.c:3", "x.y = 5", "s = "text"", "x {}" for
 * a group. Arguments begin with '('. Bytes that don't print are \ooo.
 */

static inline void list_bytes(struct buf *to, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c > '~')
			buf_addf(to, "\\%03o", c);
		else
			buf_add_char(to, s.p[i]);
	}
}

static inline void list_head(struct buf *to, const struct bt_frame *f)
{
	buf_addf(to, "#%u ", f->number);
	buf_add_span(to, f->function);
	if (f->signal_handler)
		buf_add_str(to, "<signal>");
	if (f->address.len)
		buf_addf(to, " %.*s", (int)f->address.len, f->address.p);
	if (f->file.len)
		buf_addf(to, " at %.*s", (int)f->file.len, f->file.p);
	if (f->line.len)
		buf_addf(to, ":%.*s", (int)f->line.len, f->line.p);
	if (f->library.len)
		buf_addf(to, " from %.*s", (int)f->library.len, f->library.p);
}

static inline void list_value(struct buf *to, const struct bt_value *v)
{
	struct bt_item item;
	size_t pos = 0;

	switch (v->type) {
	case BT_STRING:
		buf_add_char(to, '"');
		list_bytes(to, v->decoded);
		buf_addf(to, "\"%s", v->cut ? "..." : "");
		if (v->slen >= 0)
			buf_addf(to, " slen %lld", (long long)v->slen);
		if (v->expanded)
			buf_add_str(to, " expanded");
		break;
	case BT_INTEGER:
		buf_addf(to, v->is_pointer ? "0x%llx" : "%lld", (long long)v->integer);
		break;
	case BT_ARRAY:
		while (bt_items(v, &pos, &item)) {
			buf_addf(to, "[%lld", (long long)item.integer);
			buf_addf(to, item.repeats > 1 ? "*%llu]" : "]", (unsigned long long)item.repeats);
		}
		break;
	default:
		list_bytes(to, v->src);
	}
}

static inline void list_item(struct buf *to, const struct bt_value *v)
{
	if (v->type == BT_FRAME) {
		list_head(to, v->frame);
	} else {
		if (v->is_arg)
			buf_add_char(to, '(');
		buf_add_span(to, v->path);
		buf_add_str(to, v->type == BT_GROUP ? " {}" : " = ");
		if (v->type != BT_GROUP)
			list_value(to, v);
	}
	buf_add_char(to, '\n');
}

/* The listing of all of text; the caller frees it. */
static inline char *list_text(struct span text)
{
	struct buf out = BUF_INIT;
	AUTO(bt) b = NULL;
	AUTO(bt_cursor) c = NULL;
	const struct bt_value *v;

	if (bt_parse(text, &b, NULL) != RC_OK)
		return NULL;
	c = bt_cursor_new(b);
	buf_add_str(&out, "");
	while ((v = bt_next(c)))
		list_item(&out, v);
	return buf_steal(&out);
}

#endif
