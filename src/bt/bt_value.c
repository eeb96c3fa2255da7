/* SPDX-License-Identifier: Apache-2.0 */
#include "bt_internal.h"

/* One value of a record: which shape it has and where it ends. */

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

/* The length that the string member just read has by its neighbour, before or behind it; -1 if
   none. */
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
	i = end + 1;
	while (i < c->t.len && (c->t.p[i] == ' ' || c->t.p[i] == '\n' || c->t.p[i] == '\r'))
		i++;
	i = bt_name_end(c->t, i, false, &memo, &name);
	if (!i || !is_pair(c->name, name) || !bt_number(c->t, i, &n) || (int64_t)n.value < 0)
		return -1;
	return (int64_t)n.value;
}

/* The string that was read into c->string. */
enum bt_step bt_step_string(struct bt_cursor *c, bool key)
{
	enum bt_step s;

	s = bt_leaf(c, BT_STRING, c->pos, c->string.end);
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

const struct bt_value *bt_string_at(struct bt_cursor *c, uint64_t off, uint64_t len)
{
	struct span t = c->t;

	/* what follows may decide where it ends, but not from far */
	if (t.len - off > len + BT_LOOKAHEAD)
		t.len = off + len + BT_LOOKAHEAD;
	for (int loose = 0; loose < 2; loose++) {
		c->memo = (struct bt_memo){ .loose = loose };
		if (!bt_string(t, off, true, &c->memo, &c->string) || c->string.end != off + len)
			continue;
		c->v = (struct bt_value){
			.type = BT_STRING, .path = span_make("", 0), .off = off, .len = len,
			.src = span_make(t.p + off, len), .slen = -1, .cut = c->string.cut,
			.expanded = c->string.expanded,
		};
		bt_decode(t, &c->string, &c->decoded, &c->map, &c->v.decoded);
		c->v.map = &c->map;
		return &c->v;
	}
	return NULL;
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
	struct bt_level *l = bt_top(c);

	if (l && (span_eq_str(c->name, "len") || span_eq_str(c->name, "_M_len"))) {
		l->has_len = (int64_t)value >= 0;
		l->len_value = value;
	}
}

static enum bt_step step_number(struct bt_cursor *c, size_t off, const struct bt_number *n)
{
	enum bt_step s;

	if (n->hex && leads_to_string(c, n->end)) {
		c->pointer = true;
		c->address = n->value;
		return STEP_ON;
	}
	note_length(c, n->value);
	s = bt_leaf(c, BT_INTEGER, off, n->end);
	c->v.integer = n->value;
	c->v.is_pointer = n->hex;
	return s;
}

static enum bt_step step_word(struct bt_cursor *c)
{
	size_t off = c->pos, end = bt_word_end(c->t, off, &c->memo), trimmed = end;
	char next = bt_ch(c->t, end);

	/* a type or a summary before the value */
	if (next == '{' || next == '"' || next == '(' || next == '[') {
		c->pos = end;
		return STEP_ON;
	}
	while (trimmed > off + 1 && c->t.p[trimmed - 1] == ' ')
		trimmed--;
	return bt_leaf(c, BT_OTHER, off, trimmed);
}

/* {1, 2}, {void (int)} 0x… <f>, or a group. */
static enum bt_step step_brace(struct bt_cursor *c, char close)
{
	size_t end = bt_int_array_end(c->t, c->pos), i;

	if (end)
		return bt_leaf(c, BT_ARRAY, c->pos, end);
	for (i = c->pos + 1; i < c->t.len && i - c->pos < BT_LOOKAHEAD; i++) {
		char ch = c->t.p[i];

		if (ch == '}' && c->t.p[i - 1] == ')' && BT_AT(c->t, i, "} 0x")) {
			c->pos = i + 2;
			return STEP_ON;
		}
		if (ch == '{' || ch == '}' || ch == '"' || ch == '=' || ch == '\n' || ch == '[')
			break;
	}
	bt_push(c, c->pos, close);
	c->pos++;
	c->state = AT_ELEMENT;
	return STEP_ON;
}

/* (type *) 0x…, (A | B), or Rust's (1, "a"). */
static enum bt_step step_paren(struct bt_cursor *c)
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
		return bt_leaf(c, BT_OTHER, c->pos, end);
	bt_push(c, c->pos, ')');
	c->pos++;
	c->state = AT_ELEMENT;
	return STEP_ON;
}

static enum bt_step step_angle(struct bt_cursor *c)
{
	size_t end = bt_angle_end(c->t, c->pos, &c->memo);

	if (end && bt_is(bt_ch(c->t, end), CH_IDENT | CH_START))
		end = 0;
	return end ? bt_leaf(c, BT_OTHER, c->pos, end) : step_word(c);
}

enum bt_step bt_step_value(struct bt_cursor *c)
{
	char ch = c->t.p[c->pos];
	struct bt_number n;
	size_t end;

	if (bt_is_closer(ch) || ch == ',') {
		c->state = AT_AFTER;
		return STEP_ON;
	}
	if ((bt_is(ch, CH_DIGIT) || ch == '-') && bt_number(c->t, c->pos, &n))
		return step_number(c, c->pos, &n);
	if (begins_string(c, c->pos)) {
		if (bt_string(c->t, c->pos, !c->skim, &c->memo, &c->string))
			return bt_step_string(c, false);
		end = bt_char_end(c->t, c->pos);
		if (end)
			return bt_leaf(c, BT_OTHER, c->pos, end);
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
