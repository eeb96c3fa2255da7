/* SPDX-License-Identifier: Apache-2.0 */
#include "bt_internal.h"

/*
 * A record is one local with all its members, or one frame's arguments. It is walked by a machine
 * with a stack of its own: AT_ELEMENT (a member may have a name) → AT_VALUE → AT_AFTER (a
 * comma, a closing brace, …). Whatever fits nowhere is stepped over as text; a line end that is
 * no continuation ends the record and closes what is open.
 */

static unsigned closer_index(char close)
{
	return close == '}' ? 0 : close == ']' ? 1 : 2;
}

static void set_path(struct bt_cursor *c, size_t len, const char *sep, struct span name)
{
	size_t n = len && *sep ? strlen(sep) : 0;

	c->path_len = len;
	if (c->skim || len + n + name.len > BT_PATH_MAX)
		return;
	memcpy(c->path + len, sep, n);
	if (name.len)
		memcpy(c->path + len + n, name.p, name.len);
	c->path_len = len + n + name.len;
}

static void set_path_index(struct bt_cursor *c, size_t len, uint64_t index)
{
	char text[24];
	size_t i = sizeof(text);

	if (c->skim)
		return;
	text[--i] = ']';
	do
		text[--i] = (char)('0' + index % 10);
	while ((index /= 10) != 0);
	text[--i] = '[';
	set_path(c, len, "", span_make(text + i, sizeof(text) - i));
}

void bt_push(struct bt_cursor *c, size_t off, char close)
{
	if (c->depth == LIMIT_BT_DEPTH) {
		c->over++;
		return;
	}
	c->levels[c->depth++] = (struct bt_level){
		.off = off, .path_len = (uint32_t)c->path_len, .close = close,
	};
	c->open[closer_index(close)]++;
}

static void begin(struct bt_cursor *c, size_t pos)
{
	c->pos = pos;
	c->depth = c->over = 0;
	c->open[0] = c->open[1] = c->open[2] = 0;
	c->pointer = false;
	c->path_len = 0;
	c->name = span_make("", 0);
	c->memo.angle.end = c->memo.paren.end = 0;
	c->memo.loose = !c->in_frame && !c->args;
}

void bt_record_begin(struct bt_cursor *c, size_t pos, struct span name)
{
	c->args = false;
	begin(c, pos);
	c->name = name;
	set_path(c, 0, "", name);
	c->state = AT_VALUE;
}

void bt_record_begin_args(struct bt_cursor *c, size_t pos)
{
	c->args = true;
	begin(c, pos);
	bt_push(c, pos - 1, ')');
	c->levels[0].named = true;
	c->state = AT_ELEMENT;
}

/* Braces around the present place. */
static unsigned braces(const struct bt_cursor *c)
{
	return c->depth - (c->args && c->depth > 0);
}

enum bt_step bt_leaf(struct bt_cursor *c, enum bt_type type, size_t off, size_t end)
{
	c->pos = end;
	c->state = AT_AFTER;
	if (c->skim)
		return STEP_ON;
	c->v = (struct bt_value){
		.type = type, .frame = c->in_frame ? &c->frame : NULL,
		.path = span_make(c->path, c->path_len), .off = off, .len = end - off,
		.src = span_make(c->t.p + off, end - off), .depth = braces(c), .is_arg = c->args,
		.slen = -1, .is_pointer = c->pointer, .integer = c->pointer ? c->address : 0,
	};
	c->pointer = false;
	return STEP_ITEM;
}

/* Closes the innermost level; at `end` is what stands behind it. */
static enum bt_step pop(struct bt_cursor *c, size_t end)
{
	struct bt_level l = c->levels[--c->depth];
	enum bt_step s;

	c->open[closer_index(l.close)]--;
	if (c->depth == 0 && c->args) {
		c->pos = end;
		c->state = AT_END;
		return STEP_END;
	}
	c->pointer = false;
	c->path_len = l.path_len;
	s = bt_leaf(c, BT_GROUP, l.off, end);
	return s;
}

static enum bt_step close_with(struct bt_cursor *c, char ch)
{
	if (c->over && ch == '}') {
		c->over--;
		c->pos++;
		return STEP_ON;
	}
	if (!c->open[closer_index(ch)]) {
		c->pos++;
		c->state = AT_AFTER;
		return STEP_ON;
	}
	return pop(c, bt_top(c)->close == ch ? c->pos + 1 : c->pos);
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\n' || ch == '\r' || ch == '\t';
}

/* The line ends inside of something open: does the next one go on with it? gdb breaks lines behind
   commas and opening braces and before closing ones. */
static bool line_goes_on(const struct bt_cursor *c, size_t nl)
{
	size_t before = nl, next = bt_blanks(c->t, nl + 1);

	if (c->depth == 0 || nl + 1 >= c->t.len || bt_line_is_head(c->t, nl + 1))
		return false;
	while (before > 0 && (c->t.p[before - 1] == ' ' || c->t.p[before - 1] == '\r'))
		before--;
	if (before > 0 && strchr(",{([", c->t.p[before - 1]) && c->t.p[before - 1])
		return true;
	return bt_ch(c->t, next) == '}' || bt_ch(c->t, next) == ']' || bt_ch(c->t, next) == ')';
}

/* Steps over white space; false where the record ends. */
static bool skip_white(struct bt_cursor *c)
{
	for (;;) {
		c->pos = bt_blanks(c->t, c->pos);
		if (c->pos >= c->t.len)
			return false;
		if (c->t.p[c->pos] != '\n' && !BT_AT(c->t, c->pos, "\r\n"))
			return true;
		if (!line_goes_on(c, bt_line_end(c->t, c->pos)))
			return false;
		c->pos = bt_line_end(c->t, c->pos) + 1;
	}
}

/* An element without a name: of an array by number, of a struct (an anonymous union) as if its
   members were the struct's own. */
static void set_unnamed(struct bt_cursor *c)
{
	struct bt_level *l = bt_top(c);

	c->name = span_make("", 0);
	if (!l)
		return;
	if (l->named)
		c->path_len = l->path_len;
	else
		set_path_index(c, l->path_len, l->index);
}

/* "[key] = value": keys of maps are data, so the path counts. A string key is a value of its
   own. */
static enum bt_step step_key(struct bt_cursor *c)
{
	static const char stop[] = "[]{}\"\n,";
	size_t i = c->pos + 1;

	if (bt_ch(c->t, i) == '"' && bt_string(c->t, i, !c->skim, &c->memo, &c->string)) {
		if (!BT_AT(c->t, c->string.end, "] = "))
			return STEP_ON;
		c->pos = i;
		return bt_step_string(c, true);
	}
	while (i < c->t.len && i - c->pos < BT_NAME_MAX && !(c->t.p[i] && strchr(stop, c->t.p[i])))
		i++;
	if (BT_AT(c->t, i, "] = "))
		c->pos = i + 4;
	return STEP_ON;
}

static enum bt_step at_element(struct bt_cursor *c)
{
	char ch = c->t.p[c->pos];
	size_t end;

	if (bt_is_closer(ch))
		return close_with(c, ch);
	if (ch == ',') {
		c->state = AT_AFTER;
		return STEP_ON;
	}
	c->state = AT_VALUE;
	end = bt_name_end(c->t, c->pos, c->args && c->depth == 1, &c->memo, &c->name);
	if (end) {
		c->pos = end;
		if (c->depth)
			bt_top(c)->named = true;
		set_path(c, c->depth ? bt_top(c)->path_len : 0, ".", c->name);
		if (c->name.len == 0 && c->depth)
			c->path_len = bt_top(c)->path_len;
		return is_blank(bt_ch(c->t, end)) ? STEP_ON : bt_step_value(c);
	}
	set_unnamed(c);
	return ch == '[' && c->depth ? step_key(c) : bt_step_value(c);
}

/* Does another element follow a comma outside of any braces? Only in a line cut out of its
   struct. */
static bool more_at_top(struct bt_cursor *c)
{
	struct span name;

	return c->args || bt_name_end(c->t, bt_blanks(c->t, c->pos + 1), false, &c->memo, &name);
}

static enum bt_step at_after(struct bt_cursor *c)
{
	char ch = c->t.p[c->pos];
	uint64_t times;
	size_t end;

	c->pointer = false;
	if (bt_is_closer(ch) && c->depth)
		return close_with(c, ch);
	switch (ch) {
	case ',':
		if (c->depth == 0 && !more_at_top(c))
			return STEP_END;
		if (c->depth)
			bt_top(c)->index++;
		c->pos++;
		c->state = AT_ELEMENT;
		if (bt_ch(c->t, c->pos) != ' ' || is_blank(bt_ch(c->t, c->pos + 1)))
			return STEP_ON;
		c->pos++;
		return at_element(c);
	case '<':
		end = bt_repeats_end(c->t, c->pos, &times);
		if (end && c->depth)
			bt_top(c)->index += times - 1;
		if (!end)
			end = bt_angle_end(c->t, c->pos, &c->memo);
		if (!end)
			break;
		c->pos = end;
		return STEP_ON;
	case '=': case ':': case '}': case ']': case ')':
		c->pos++;
		c->state = ch == '=' ? AT_VALUE : AT_AFTER;
		return STEP_ON;
	case '.':
		if (!BT_AT(c->t, c->pos, "..."))
			break;
		c->pos += 3;
		return STEP_ON;
	}
	c->state = AT_VALUE;
	return STEP_ON;
}

static enum bt_step one_step(struct bt_cursor *c)
{
	if (c->state == AT_END)
		return c->depth ? pop(c, c->pos) : STEP_END;
	if (!skip_white(c)) {
		c->state = AT_END;	/* what is open ends here */
		return STEP_ON;
	}
	switch (c->state) {
	case AT_ELEMENT:
		return at_element(c);
	case AT_VALUE:
		return bt_step_value(c);
	default:
		return at_after(c);
	}
}

const struct bt_value *bt_record_next(struct bt_cursor *c)
{
	for (;;) {
		bool ending = c->state == AT_END;

		switch (one_step(c)) {
		case STEP_ON:
			if (ending)
				c->state = AT_END;
			break;
		case STEP_ITEM:
			if (ending)
				c->state = AT_END;
			return &c->v;
		case STEP_END:
			c->state = AT_LINE;
			return NULL;
		}
	}
}
