/* SPDX-License-Identifier: Apache-2.0 */
#include "bt_internal.h"

/*
 * A head: "#3  0x00007f… in std::vector<int>::at (this=0x…, n=5) at vector.h:12", without the address
 * when inlined or innermost, "from /lib/x.so" without line information.
 */

/* Does an argument list begin at this '('? Else it belongs to the function's name. */
static bool begins_args(struct span t, size_t pos)
{
	size_t i = pos + 1;
	char c = bt_ch(t, i);

	if (c == ')' || BT_AT(t, i, "...)"))
		return true;
	if (!bt_begins_name(t, i))
		return false;
	while (i < t.len && i - pos < BT_NAME_MAX && bt_is(t.p[i], CH_IDENT))
		i++;
	return bt_ch(t, i) == '=';
}

/* Behind the sign in `operator<`; else pos. */
static size_t skip_operator_sign(struct span t, size_t pos)
{
	static const char signs[] = "<>=-+*/%^&|~!,[]";

	if (BT_AT(t, pos, "()"))
		return pos + 2;
	while (pos < t.len && t.p[pos] && strchr(signs, t.p[pos]))
		pos++;
	return pos;
}

/* The " (" that begins the arguments, in [pos, end); angle brackets counted or not. */
static size_t find_args(struct span t, size_t pos, size_t end, bool angles)
{
	size_t i;
	unsigned depth = 0;

	for (i = pos; i < end; i++) {
		switch (t.p[i]) {
		case '<':
			depth += angles;
			break;
		case '>':
			if (depth > 0 && t.p[i - 1] != '-')
				depth--;
			break;
		case 'o':
			if (BT_AT(t, i, "operator") && (i == pos || !bt_is(t.p[i - 1], CH_IDENT)))
				i = skip_operator_sign(t, i + 8) - 1;
			break;
		case '(':
			if (depth == 0 && i > pos && t.p[i - 1] == ' ' && begins_args(t, i))
				return i;
			break;
		case '"':
			return 0;
		}
	}
	return 0;
}

size_t bt_frame_args(struct span t, size_t pos)
{
	size_t end = bt_line_end(t, pos), i;

	if (end - pos > KIB(64))
		end = pos + KIB(64);
	i = find_args(t, pos, end, true);
	if (!i)
		i = find_args(t, pos, end, false);
	/* a long name may push its arguments to the next line */
	if (!i && bt_ch(t, end) == '\n' && BT_AT(t, end + 1, "    (") && begins_args(t, end + 5))
		i = end + 5;
	return i;
}

static struct span between(struct span t, size_t from, size_t to)
{
	while (to > from && (t.p[to - 1] == ' ' || t.p[to - 1] == '\r' || t.p[to - 1] == '\n'))
		to--;
	return span_make(t.p + from, to > from ? to - from : 0);
}

static uint32_t read_number(struct span s)
{
	uint32_t v = 0;

	for (size_t i = 0; i < s.len; i++)
		v = v * 10 + (uint32_t)(s.p[i] - '0');
	return v;
}

static void read_file_line(struct span t, size_t from, size_t end, struct bt_frame *f)
{
	struct span s = between(t, from, end);
	size_t i = s.len;

	while (i > 0 && bt_is(s.p[i - 1], CH_DIGIT))
		i--;
	if (i == s.len || i == 0 || s.p[i - 1] != ':') {
		f->file = s;
		return;
	}
	f->line = span_make(s.p + i, s.len - i);
	f->file = span_make(s.p, i - 1);
}

/* Behind the arguments: " at file:line" or " from library", perhaps on a line of its own. */
static size_t read_tail(struct span t, size_t pos, struct bt_frame *f)
{
	size_t end = bt_line_end(t, pos), i = bt_blanks(t, pos);

	if ((bt_ch(t, i) == '\n' || BT_AT(t, i, "\r\n")) && (BT_AT(t, end + 1, "    at ") ||
							     BT_AT(t, end + 1, "    from "))) {
		i = end + 5;
		end = bt_line_end(t, i);
	}
	/* no file has a quote in its name, nor is it a URL: what rules must reach is a string's text */
	if (i < end && (memchr(t.p + i, '"', end - i) || memmem(t.p + i, end - i, "://", 3)))
		return end;
	if (BT_AT(t, i, "at "))
		read_file_line(t, i + 3, end, f);
	else if (BT_AT(t, i, "from "))
		f->library = between(t, i + 5, end);
	return end;
}

/* Number, address, and the place where the function's name begins. */
static size_t read_start(struct span t, size_t pos, struct bt_frame *f)
{
	size_t i = pos + 1, start;

	while (bt_is(bt_ch(t, i), CH_DIGIT))
		i++;
	f->number_src = span_make(t.p + pos + 1, i - pos - 1);
	f->number = read_number(f->number_src);
	i = start = bt_blanks(t, i);
	if (!BT_AT(t, i, "0x"))
		return i;
	for (i += 2; bt_is(bt_ch(t, i), CH_HEX); i++)
		;
	f->address = span_make(t.p + start, i - start);
	return BT_AT(t, i, " in ") ? i + 4 : bt_blanks(t, i);
}

/* Behind the ')' of arguments that are numbers, names and <…> alone, which most are; else 0. */
static size_t simple_args_end(struct span t, size_t pos)
{
	for (;;) {
		while (pos < t.len && !bt_is(t.p[pos], CH_ARGS_STOP))
			pos++;
		if (bt_ch(t, pos) == ')')
			return pos + 1;
		if (bt_ch(t, pos) != '<')
			return 0;
		do
			pos++;
		while (bt_is(bt_ch(t, pos), CH_IDENT) || bt_ch(t, pos) == ' ' || bt_ch(t, pos) == '+');
		if (bt_ch(t, pos) != '>')
			return 0;
	}
}

/* Behind the ')' or where the arguments break off. */
static size_t skim_args(struct bt_cursor *c, size_t pos)
{
	bool skim = c->skim;
	struct bt_memo memo = c->memo;
	size_t end = simple_args_end(c->t, pos);

	if (end)
		return end;
	c->skim = true;
	bt_record_begin_args(c, pos);
	bt_record_next(c);
	c->skim = skim;
	c->memo = memo;		/* so that the second reading sees what the first saw */
	return c->pos;
}

/* Where a name ends at the latest: what only looks like a head may hold values, and no edit touches
   a function's name. Between angle brackets Rust has "Output=()". */
static size_t name_end(struct span t, size_t pos, size_t end)
{
	unsigned depth = 0;
	size_t i;

	for (i = pos; i < end && (unsigned char)t.p[i] >= ' ' && t.p[i] != '"'; i++) {
		if (BT_AT(t, i, "operator"))
			i = skip_operator_sign(t, i + 8) - 1;
		else if (t.p[i] == '<')
			depth++;
		else if (t.p[i] == '>' && depth)
			depth--;
		else if (t.p[i] == '=' && !depth)
			break;
	}
	return i < end ? i : end;
}

void bt_frame_read(struct bt_cursor *c, size_t pos)
{
	struct bt_frame *f = &c->frame;
	size_t name, args, end;

	*f = (struct bt_frame){ .index = c->n_frames, .thread = c->thread, .lwp = c->lwp, .off = pos };
	name = read_start(c->t, pos, f);
	f->signal_handler = BT_AT(c->t, name, "<signal handler called>");
	args = bt_frame_args(c->t, name);
	if (args) {
		f->function = between(c->t, name, name_end(c->t, name, args));
		end = skim_args(c, args + 1);
		if (bt_ch(c->t, end - 1) == ')')
			f->close = span_make(c->t.p + end - 1, 1);
		end = read_tail(c->t, end, f);
	} else {
		end = bt_line_end(c->t, name);
		if (!f->signal_handler)
			f->function = between(c->t, name, name_end(c->t, name, end));
	}
	f->len = end - pos;
	if (args && !c->skim)
		bt_record_begin_args(c, args + 1);
	else
		c->pos = end;
}
