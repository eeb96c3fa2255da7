/* SPDX-License-Identifier: Apache-2.0 */
#include "bt_internal.h"

/*
 * A record is one local with all its members, or one frame's arguments. It is walked by a machine with
 * a stack of its own: AT_ELEMENT (a member may have a name) → AT_VALUE → AT_AFTER (a comma, a closing
 * brace, …). Whatever fits nowhere is stepped over as text; a line end that is no continuation ends the
 * record and closes what is open.
 */

enum step { STEP_ON, STEP_ITEM, STEP_END };

static unsigned closer_index(char close)
{
	return close == '}' ? 0 : close == ']' ? 1 : 2;
}

static struct bt_level *top(struct bt_cursor *c)
{
	return c->depth ? &c->levels[c->depth - 1] : NULL;
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

static void push(struct bt_cursor *c, size_t off, char close)
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
}

void bt_record_begin(struct bt_cursor *c, size_t pos, struct span name)
{
	begin(c, pos);
	c->args = false;
	c->name = name;
	set_path(c, 0, "", name);
	c->state = AT_VALUE;
}

void bt_record_begin_args(struct bt_cursor *c, size_t pos)
{
	begin(c, pos);
	c->args = true;
	push(c, pos - 1, ')');
	c->levels[0].named = true;
	c->state = AT_ELEMENT;
}

/* Braces around the present place. */
static unsigned braces(const struct bt_cursor *c)
{
	return c->depth - (c->args && c->depth > 0);
}

static enum step leaf(struct bt_cursor *c, enum bt_type type, size_t off, size_t end)
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
static enum step pop(struct bt_cursor *c, size_t end)
{
	struct bt_level l = c->levels[--c->depth];
	enum step s;

	c->open[closer_index(l.close)]--;
	if (c->depth == 0 && c->args) {
		c->pos = end;
		c->state = AT_END;
		return STEP_END;
	}
	c->pointer = false;
	c->path_len = l.path_len;
	s = leaf(c, BT_GROUP, l.off, end);
	return s;
}

static enum step close_with(struct bt_cursor *c, char ch)
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
	return pop(c, top(c)->close == ch ? c->pos + 1 : c->pos);
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\n' || ch == '\r' || ch == '\t';
}

static bool is_closer(char ch)
{
	return ch == '}' || ch == ']' || ch == ')';
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

/* An element without a name: of an array by number, of a struct (an anonymous union) as if its members
   were the struct's own. */
static void set_unnamed(struct bt_cursor *c)
{
	struct bt_level *l = top(c);

	c->name = span_make("", 0);
	if (!l)
		return;
	if (l->named)
		c->path_len = l->path_len;
	else
		set_path_index(c, l->path_len, l->index);
}

static enum step step_string(struct bt_cursor *c, bool key);
static enum step at_value(struct bt_cursor *c);

/* "[key] = value": keys of maps are data, so the path counts. A string key is a value of its own. */
static enum step step_key(struct bt_cursor *c)
{
	static const char stop[] = "[]{}\"\n,";
	size_t i = c->pos + 1;

	if (bt_ch(c->t, i) == '"' && bt_string(c->t, i, !c->skim, &c->memo, &c->string)) {
		if (!BT_AT(c->t, c->string.end, "] = "))
			return STEP_ON;
		c->pos = i;
		return step_string(c, true);
	}
	while (i < c->t.len && i - c->pos < BT_NAME_MAX && !(c->t.p[i] && strchr(stop, c->t.p[i])))
		i++;
	if (BT_AT(c->t, i, "] = "))
		c->pos = i + 4;
	return STEP_ON;
}

static enum step at_element(struct bt_cursor *c)
{
	char ch = c->t.p[c->pos];
	size_t end;

	if (is_closer(ch))
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
			top(c)->named = true;
		set_path(c, c->depth ? top(c)->path_len : 0, ".", c->name);
		if (c->name.len == 0 && c->depth)
			c->path_len = top(c)->path_len;
		return is_blank(bt_ch(c->t, end)) ? STEP_ON : at_value(c);
	}
	set_unnamed(c);
	return ch == '[' && c->depth ? step_key(c) : at_value(c);
}

/* {ptr, slen} and its kin: the pairs of which both names are known to mean this. */
static bool is_pair(struct span text, struct span len)
{
	static const char *const pairs[][2] = {
		{ "ptr", "slen" },		/* pjlib */
		{ "s", "len" },			/* SIP routers' str */
		{ "str", "len" },		/* Go */
		{ "data_ptr", "length" },	/* Rust's &str */
		{ "_M_str", "_M_len" },		/* std::string_view */
		{ "data", "len" },		/* nginx's ngx_str_t */
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (span_eq_str(text, pairs[i][0]) && span_eq_str(len, pairs[i][1]))
			return true;
	return false;
}

/* The length that the string member just read has by its neighbour, before or behind it; -1 if none. */
static int64_t pair_length(const struct bt_cursor *c, size_t end)
{
	const struct bt_level *l = c->depth ? &c->levels[c->depth - 1] : NULL;
	struct bt_memo memo = c->memo;
	struct bt_number n;
	struct span name;
	size_t i;

	if (!l || c->name.len == 0 || c->name.len > 8)
		return -1;
	if (l->has_len && (span_eq_str(c->name, "data") || span_eq_str(c->name, "_M_str")))
		return (int64_t)l->len_value;
	if (bt_ch(c->t, end) != ',')
		return -1;
	for (i = end + 1; bt_ch(c->t, i) == ' ' || (i < c->t.len && (c->t.p[i] == '\n' || c->t.p[i] == '\r')); i++)
		;
	i = bt_name_end(c->t, i, false, &memo, &name);
	if (!i || !is_pair(c->name, name) || !bt_number(c->t, i, &n) || (int64_t)n.value < 0)
		return -1;
	return (int64_t)n.value;
}

/* The string that was read into c->string. */
static enum step step_string(struct bt_cursor *c, bool key)
{
	enum step s;

	s = leaf(c, BT_STRING, c->pos, c->string.end);
	if (!c->skim) {
		c->v.cut = c->string.cut;
		c->v.expanded = c->string.expanded;
		c->v.slen = key ? -1 : pair_length(c, c->pos);
		bt_decode(c->t, &c->string, &c->decoded, &c->map, &c->v.decoded);
		c->v.map = &c->map;
	}
	if (key) {
		c->pos += 4;	/* "] = " */
		c->state = AT_VALUE;
	}
	return s;
}

static bool begins_string(const struct bt_cursor *c, size_t pos)
{
	char a = bt_ch(c->t, pos), b = bt_ch(c->t, pos + 1);

	if (a == '"' || a == '\'' || BT_AT(c->t, pos, "<incomplete sequence "))
		return true;
	if (a == 'L' || a == 'u' || a == 'U' || a == 'b')
		return b == '"' || b == '\'' || (b == '8' && bt_ch(c->t, pos + 2) == '"');
	return false;
}

/* 0x… <symbol> "text": the address is then no item of its own. */
static bool leads_to_string(struct bt_cursor *c, size_t end)
{
	size_t i = end;

	if (BT_AT(c->t, i, " <") && !BT_AT(c->t, i, " <repeats ") && !BT_AT(c->t, i, " <incomplete ")) {
		i = bt_angle_end(c->t, i + 1, &c->memo);
		if (!i)
			return false;
	}
	if (bt_ch(c->t, i) != ' ' || !begins_string(c, i + 1))
		return false;
	c->pos = i + 1;
	return true;
}

static void note_length(struct bt_cursor *c, uint64_t value)
{
	struct bt_level *l = top(c);

	if (l && (span_eq_str(c->name, "len") || span_eq_str(c->name, "_M_len"))) {
		l->has_len = (int64_t)value >= 0;
		l->len_value = value;
	}
}

static enum step step_number(struct bt_cursor *c, size_t off, const struct bt_number *n)
{
	enum step s;

	if (n->hex && leads_to_string(c, n->end)) {
		c->pointer = true;
		c->address = n->value;
		return STEP_ON;
	}
	note_length(c, n->value);
	s = leaf(c, BT_INTEGER, off, n->end);
	c->v.integer = n->value;
	c->v.is_pointer = n->hex;
	return s;
}

static enum step step_word(struct bt_cursor *c)
{
	size_t off = c->pos, end = bt_word_end(c->t, off, &c->memo), trimmed = end;
	char next = bt_ch(c->t, end);

	if (next == '{' || next == '"' || next == '(' || next == '[') {	/* a type or summary before the value */
		c->pos = end;
		return STEP_ON;
	}
	while (trimmed > off + 1 && c->t.p[trimmed - 1] == ' ')
		trimmed--;
	return leaf(c, BT_OTHER, off, trimmed);
}

/* {1, 2}, {void (int)} 0x… <f>, or a group. */
static enum step step_brace(struct bt_cursor *c, char close)
{
	size_t end = bt_int_array_end(c->t, c->pos), i;

	if (end)
		return leaf(c, BT_ARRAY, c->pos, end);
	for (i = c->pos + 1; i < c->t.len && i - c->pos < BT_LOOKAHEAD; i++) {
		char ch = c->t.p[i];

		if (ch == '}' && c->t.p[i - 1] == ')' && BT_AT(c->t, i, "} 0x")) {
			c->pos = i + 2;
			return STEP_ON;
		}
		if (ch == '{' || ch == '}' || ch == '"' || ch == '=' || ch == '\n' || ch == '[')
			break;
	}
	push(c, c->pos, close);
	c->pos++;
	c->state = AT_ELEMENT;
	return STEP_ON;
}

/* (type *) 0x…, (A | B), or Rust's (1, "a"). */
static enum step step_paren(struct bt_cursor *c)
{
	size_t end = bt_paren_end(c->t, c->pos, &c->memo);
	const char *p = c->t.p + c->pos;

	if (end && bt_ch(c->t, end) == ' ' && !BT_AT(c->t, end, " <repeats ")) {
		c->pos = end + 1;		/* a cast: text */
		return STEP_ON;
	}
	if (end && bt_ch(c->t, end) == ':')	/* (anonymous namespace)::NAME */
		return step_word(c);
	if (end && !memchr(p, ',', end - c->pos))
		return leaf(c, BT_OTHER, c->pos, end);
	push(c, c->pos, ')');
	c->pos++;
	c->state = AT_ELEMENT;
	return STEP_ON;
}

static enum step step_angle(struct bt_cursor *c)
{
	size_t end = bt_angle_end(c->t, c->pos, &c->memo);

	if (end && bt_is(bt_ch(c->t, end), CH_IDENT | CH_START))
		end = 0;
	return end ? leaf(c, BT_OTHER, c->pos, end) : step_word(c);
}

static enum step at_value(struct bt_cursor *c)
{
	char ch = c->t.p[c->pos];
	struct bt_number n;
	size_t end;

	if (is_closer(ch) || ch == ',') {
		c->state = AT_AFTER;
		return STEP_ON;
	}
	if ((bt_is(ch, CH_DIGIT) || ch == '-') && bt_number(c->t, c->pos, &n))
		return step_number(c, c->pos, &n);
	if (begins_string(c, c->pos)) {
		if (bt_string(c->t, c->pos, !c->skim, &c->memo, &c->string))
			return step_string(c, false);
		end = bt_char_end(c->t, c->pos);
		if (end)
			return leaf(c, BT_OTHER, c->pos, end);
	}
	switch (ch) {
	case '{':
		return step_brace(c, '}');
	case '[':
		return step_brace(c, ']');
	case '(':
		return step_paren(c);
	case '<':
		return step_angle(c);
	case '@':		/* a reference: @0x7ffe…: value */
		if (bt_number(c->t, c->pos + 1, &n) && n.hex) {
			if (!BT_AT(c->t, n.end, ": "))
				return step_number(c, c->pos + 1, &n);
			c->pos = n.end + 2;
			return STEP_ON;
		}
		break;
	case '.':
		if (BT_AT(c->t, c->pos, "...")) {
			c->pos += 3;
			c->state = AT_AFTER;
			return STEP_ON;
		}
		break;
	}
	return step_word(c);
}

/* Does another element follow a comma outside of any braces? Only in a line cut out of its struct. */
static bool more_at_top(struct bt_cursor *c)
{
	struct span name;

	return c->args || bt_name_end(c->t, bt_blanks(c->t, c->pos + 1), false, &c->memo, &name);
}

static enum step at_after(struct bt_cursor *c)
{
	char ch = c->t.p[c->pos];
	uint64_t times;
	size_t end;

	c->pointer = false;
	if (is_closer(ch) && c->depth)
		return close_with(c, ch);
	switch (ch) {
	case ',':
		if (c->depth == 0 && !more_at_top(c))
			return STEP_END;
		if (c->depth)
			top(c)->index++;
		c->pos++;
		c->state = AT_ELEMENT;
		if (bt_ch(c->t, c->pos) != ' ' || is_blank(bt_ch(c->t, c->pos + 1)))
			return STEP_ON;
		c->pos++;
		return at_element(c);
	case '<':
		end = bt_repeats_end(c->t, c->pos, &times);
		if (end && c->depth)
			top(c)->index += times - 1;
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

static enum step one_step(struct bt_cursor *c)
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
		return at_value(c);
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
