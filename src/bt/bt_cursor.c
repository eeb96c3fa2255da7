/* SPDX-License-Identifier: Apache-2.0 */
#include "bt_internal.h"

#include <stdlib.h>

/* Lines without meaning that a frame outlives: gdb's warnings between locals. */
#define STRANGE_LINES 3

struct bt_cursor *bt_cursor_new(struct bt *b)
{
	struct bt_cursor *c = xcalloc(1, sizeof(*c));

	c->b = b;
	c->t = b->text;
	c->decoded = (struct buf)BUF_INIT;
	return c;
}

void bt_cursor_free(struct bt_cursor *c)
{
	if (!c)
		return;
	buf_done(&c->decoded);
	free(c->string.pieces);
	free(c->map.marks);
	secret_wipe(c->path, sizeof(c->path));
	free(c);
}

/* pos at the beginning of a line: where it is, or the next one's. */
static bool to_line_start(struct bt_cursor *c)
{
	if (c->pos > 0 && c->pos < c->t.len && c->t.p[c->pos - 1] != '\n')
		c->pos = bt_line_end(c->t, c->pos) + 1;
	return c->pos < c->t.len;
}

static unsigned read_digits(struct span t, size_t pos)
{
	unsigned n = 0;

	for (; bt_is(bt_ch(t, pos), CH_DIGIT); pos++)
		n = n * 10 + (unsigned)(t.p[pos] - '0');
	return n;
}

/* "71 (Thread 0x7f… (LWP 31158)):", "1 (process 31851):" */
static void read_thread(struct bt_cursor *c, size_t pos)
{
	struct span line = span_make(c->t.p, bt_line_end(c->t, pos));
	ssize_t lwp = span_find(line, SPAN_LIT("(LWP "), pos);
	ssize_t process = span_find(line, SPAN_LIT("(process "), pos);

	c->thread = read_digits(line, pos);
	c->lwp = 0;
	if (lwp >= 0)
		c->lwp = read_digits(line, (size_t)lwp + 5);
	else if (process >= 0)
		c->lwp = read_digits(line, (size_t)process + 9);
}

static void leave_frame(struct bt_cursor *c)
{
	c->in_frame = false;
	c->strange = 0;
}

static const struct bt_value *begin_frame(struct bt_cursor *c, size_t pos)
{
	bt_frame_read(c, pos);
	c->n_frames++;
	c->in_frame = true;
	c->strange = 0;
	c->v = (struct bt_value){
		.type = BT_FRAME, .frame = &c->frame, .path = span_make("", 0), .off = c->frame.off,
		.len = c->frame.len, .src = span_make(c->t.p + c->frame.off, c->frame.len), .slen = -1,
	};
	return &c->v;
}

/* Takes the line at pos: a frame gives its item at once, a value begins a record. */
static const struct bt_value *step_line(struct bt_cursor *c)
{
	struct bt_line_start l = bt_line_at(c->t, c->pos, c->in_frame);

	switch (l.kind) {
	case LINE_FRAME:
		return begin_frame(c, l.pos);
	case LINE_THREAD:
		read_thread(c, l.pos);
		leave_frame(c);
		break;
	case LINE_BLANK:
		leave_frame(c);
		break;
	case LINE_TOP:
		leave_frame(c);
		bt_record_begin(c, l.pos, span_make("", 0));
		return NULL;
	case LINE_LOCAL: case LINE_LOOSE:
		bt_record_begin(c, l.pos, l.name);
		return NULL;
	case LINE_TEXT:
		if (++c->strange > STRANGE_LINES)
			leave_frame(c);
		break;
	}
	c->pos = bt_line_end(c->t, c->pos) + 1;
	return NULL;
}

/* One step in the text: an item, or NULL at the end or, skimming, at a record's end. */
static const struct bt_value *step_text(struct bt_cursor *c)
{
	const struct bt_value *v;

	for (;;) {
		if (c->state != AT_LINE) {
			v = bt_record_next(c);
			if (v)
				return v;
			if (c->args)	/* behind the arguments stands the rest of the head */
				c->pos = c->frame.off + c->frame.len;
			if (c->skim)
				return NULL;
		}
		if (!to_line_start(c))
			return NULL;
		if (c->pos >= c->b->points[c->b->n_points - 1].off + BT_CHECKPOINT)
			bt_add_checkpoint(c->b, c);
		v = step_line(c);
		if (c->skim && c->state == AT_LINE)
			return NULL;
		if (v)
			return v;
	}
}

const struct bt_value *bt_next(struct bt_cursor *c)
{
	return step_text(c);
}

static void restore(struct bt_cursor *c, const struct bt_checkpoint *p)
{
	c->state = AT_LINE;
	c->memo = (struct bt_memo){ 0 };
	c->in_frame = p->in_frame;
	c->strange = 0;
	c->thread = p->thread;
	c->lwp = p->lwp;
	c->n_frames = p->n_frames;
	if (p->in_frame) {
		c->n_frames--;
		bt_frame_read(c, p->frame_off);
		c->n_frames++;
	}
	c->state = AT_LINE;
	c->pos = p->off;
}

static const struct bt_checkpoint *checkpoint_before(const struct bt *b, uint64_t off)
{
	size_t lo = 0, hi = b->n_points;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (b->points[mid].off <= off)
			lo = mid;
		else
			hi = mid;
	}
	return &b->points[lo];
}

void bt_cursor_seek(struct bt_cursor *c, uint64_t off)
{
	struct bt_checkpoint p = *checkpoint_before(c->b, off);

	c->skim = true;
	restore(c, &p);
	while (c->pos < c->t.len && to_line_start(c)) {
		p = (struct bt_checkpoint){
			.off = c->pos, .frame_off = c->frame.off, .thread = c->thread, .lwp = c->lwp,
			.n_frames = c->n_frames, .in_frame = c->in_frame,
		};
		step_text(c);
		if (c->pos > off) {
			restore(c, &p);
			break;
		}
	}
	c->skim = false;
}

const struct bt_value *bt_value_at(struct bt_cursor *c, uint64_t off)
{
	const struct bt_value *v;

	bt_cursor_seek(c, off);
	while ((v = bt_next(c)) != NULL) {
		if (v->type == BT_GROUP || v->type == BT_FRAME)
			continue;
		if (v->off > off)
			return NULL;
		if (off < v->off + v->len)
			return v;
	}
	return NULL;
}
