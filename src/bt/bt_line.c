/* SPDX-License-Identifier: Apache-2.0 */
#include "bt_internal.h"

/* What stands before gdb's text on the same line in a copied session. */
static size_t skip_prompts(struct span t, size_t pos)
{
	static const char more[] = "--Type <RET> for more, q to quit, c to continue without paging--";

	for (;;) {
		if (BT_AT(t, pos, "(gdb) "))
			pos += 6;
		else if (BT_AT(t, pos, more))
			pos += sizeof(more) - 1;
		else
			return pos;
	}
}

static size_t digits(struct span t, size_t pos)
{
	while (pos < t.len && bt_is(t.p[pos], CH_DIGIT))
		pos++;
	return pos;
}

/* "#0  …", "#10 …", "#100 …": behind the number and its blanks, or 0. */
static size_t frame_number_end(struct span t, size_t pos)
{
	size_t i;

	if (bt_ch(t, pos) != '#' || !bt_is(bt_ch(t, pos + 1), CH_DIGIT))
		return 0;
	i = digits(t, pos + 1);
	if (i - pos > 8 || bt_ch(t, i) != ' ' || (i - pos == 2 && bt_ch(t, i + 1) != ' '))
		return 0;
	return bt_blanks(t, i);
}

/* Only a name that came without debug information has its type before it, and then an address
   too. */
static bool is_one_word(struct span t, size_t pos, size_t end)
{
	int depth = 0;

	if (memmem(t.p + pos, end - pos, "operator", 8))
		return true;
	for (; pos < end; pos++) {
		char c = t.p[pos];

		if (c == '<' || c == '(' || c == '[' || c == '{')
			depth++;
		else if ((c == '>' && t.p[pos - 1] != '-') || c == ')' || c == ']' || c == '}')
			depth--;
		else if (c == ' ' && depth == 0 && !bt_at(t, pos, " const", 6))
			return false;
	}
	return true;
}

static bool is_frame(struct span t, size_t pos)
{
	size_t i = frame_number_end(t, pos), args;

	if (!i)
		return false;
	if (BT_AT(t, i, "0x")) {
		i += 2;
		while (bt_is(bt_ch(t, i), CH_HEX))
			i++;
		return BT_AT(t, i, " in ") || BT_AT(t, i, " <");
	}
	if (BT_AT(t, i, "<signal handler called>") || BT_AT(t, i, "<function called from gdb>"))
		return true;
	args = bt_frame_args(t, i);
	return args && is_one_word(t, i, bt_ch(t, args - 1) == ' ' ? args - 1 : i);
}

/* The thread's number behind "Thread ", "[Switching to thread ", "[Current thread is "; or 0. */
static size_t thread_number(struct span t, size_t pos)
{
	size_t i, end;

	if (BT_AT(t, pos, "Thread "))
		i = pos + 7;
	else if (BT_AT(t, pos, "[Switching to thread "))
		i = pos + 21;
	else if (BT_AT(t, pos, "[Current thread is "))
		i = pos + 19;
	else
		return 0;
	end = digits(t, i);
	if (bt_ch(t, end) == '.')	/* inferior.thread */
		end = digits(t, end + 1);
	return end > i && BT_AT(t, end, " (") ? i : 0;
}

bool bt_is_frame(struct span text, uint64_t off)
{
	return off < text.len && is_frame(text, off);
}

bool bt_line_is_head(struct span t, size_t pos)
{
	switch (bt_ch(t, pos)) {
	case '#':
		return is_frame(t, pos);
	case 'T': case '[':
		return thread_number(t, pos) != 0;
	case 'N':
		return BT_AT(t, pos, "No locals.\n") || BT_AT(t, pos, "No symbol table info available.\n");
	}
	return false;
}

static size_t plain_name_end(struct span t, size_t pos)
{
	size_t i = pos;

	if (!bt_is(bt_ch(t, pos), CH_START))
		return 0;
	while (i < t.len && i - pos < BT_NAME_MAX && bt_is(t.p[i], CH_IDENT))
		i++;
	return i;
}

bool bt_line_is_local(struct span t, size_t pos)
{
	size_t end;

	if (!BT_AT(t, pos, "        "))
		return false;
	end = plain_name_end(t, pos + 8);
	return end && BT_AT(t, end, " = ");
}

/* In a frame a local's name needs no proof: C++ and Go have odd ones. */
static size_t local_name_end(struct span t, size_t pos)
{
	size_t i = plain_name_end(t, pos);

	if (i && BT_AT(t, i, " = "))
		return i;
	i = pos;
	while (i < t.len && i - pos < BT_NAME_MAX && t.p[i] > ' ' && t.p[i] != '"' && t.p[i] != '{' &&
	       t.p[i] != '=')
		i++;
	return i > pos && BT_AT(t, i, " = ") ? i : 0;
}

/* "env[12]", "a->b", "*argv@3": what a person may have had printed. */
static size_t loose_name_end(struct span t, size_t pos)
{
	size_t i = pos;

	if (!bt_is(bt_ch(t, pos), CH_START) && bt_ch(t, pos) != '*')
		return 0;
	for (i++; i < t.len && i - pos < BT_NAME_MAX; i++) {
		if (!bt_is(t.p[i], CH_IDENT) && t.p[i] != '[' && t.p[i] != ']' && t.p[i] != '>' &&
		    t.p[i] != '-' && t.p[i] != '*')
			break;
	}
	return BT_AT(t, i, " = ") ? i : 0;
}

static bool has_gdb_mark(struct span t, size_t pos)
{
	struct span line = span_make(t.p + pos, bt_line_end(t, pos) - pos);

	return memmem(line.p, line.len, " <repeats ", 10) || memmem(line.p, line.len, "\"...", 4) ||
	       memmem(line.p, line.len, " = 0x", 5) || memchr(line.p, '\0', line.len);
}

static bool is_member(struct span t, size_t pos)
{
	size_t end = plain_name_end(t, pos);

	return (end && BT_AT(t, end, " = ")) || bt_ch(t, pos) == '{';
}

/* Would only gdb write this value? In logs and configs a name, " = " and a text mean nothing. */
static bool is_gdb_value(struct span t, size_t pos, bool indented)
{
	struct bt_number n;
	size_t end;

	switch (bt_ch(t, pos)) {
	case '0':
		if (BT_AT(t, pos, "0x") && bt_is(bt_ch(t, pos + 2), CH_HEX))
			return true;
		break;
	case '@':
		return BT_AT(t, pos, "@0x");
	case '{':
		return is_member(t, pos + 1) || BT_AT(t, pos, "{0x") ||
		       (indented && (bt_int_array_end(t, pos) || bt_ch(t, pos + 1) == '"' ||
				     has_gdb_mark(t, pos)));
	case '<':
		return BT_AT(t, pos, "<optimized out>") || BT_AT(t, pos, "<error") ||
		       BT_AT(t, pos, "<synthetic pointer>") || BT_AT(t, pos, "<incomplete sequence ");
	case '(':
		end = bt_line_end(t, pos);
		return memmem(t.p + pos, end - pos, " *) 0x", 6) != NULL;
	case '"':
		return indented || has_gdb_mark(t, pos);
	case '\'':
		return has_gdb_mark(t, pos);
	}
	return indented && bt_number(t, pos, &n);
}

/* A line without a frame before it: cut out of gdb's text, or printed by hand. */
static struct bt_line_start loose_at(struct span t, size_t pos, size_t indent)
{
	struct bt_line_start l = { .kind = LINE_TEXT, .pos = pos };
	size_t end;

	if (bt_ch(t, pos) == '{') {
		end = plain_name_end(t, pos + 1);
		if (end && BT_AT(t, end, " = ") && has_gdb_mark(t, pos))
			l.kind = LINE_LOOSE;
		return l;
	}
	end = loose_name_end(t, pos);
	if (!end || !is_gdb_value(t, end + 3, indent == 8))
		return l;
	l.kind = LINE_LOOSE;
	l.name = span_make(t.p + pos, end - pos);
	l.pos = end + 3;
	return l;
}

/* "0x7ffe…:	"text"" and "0x7ffe… <sym+8>:	0x61 0x62", the x command's lines. */
static struct bt_line_start examine_at(struct span t, size_t pos)
{
	struct bt_line_start l = { .kind = LINE_TEXT, .pos = pos };
	const char *tab;
	size_t i = pos + 2, end;

	while (bt_is(bt_ch(t, i), CH_HEX))
		i++;
	end = bt_line_end(t, i);
	if (end - i > BT_NAME_MAX)
		end = i + BT_NAME_MAX;
	if (i == pos + 2 || (bt_ch(t, i) != ':' && !BT_AT(t, i, " <")))
		return l;
	tab = memmem(t.p + i, end - i, ":\t", 2);
	if (tab && (tab == t.p + i || tab[-1] == '>')) {
		l.kind = LINE_TOP;
		l.pos = (size_t)(tab - t.p) + 2;
	}
	return l;
}

struct bt_line_start bt_line_at(struct span t, size_t pos, bool in_frame)
{
	struct bt_line_start l = { .kind = LINE_TEXT };
	size_t indent, end;

	if (bt_ch(t, pos) == '(' || bt_ch(t, pos) == '-')
		pos = skip_prompts(t, pos);
	l.pos = pos;
	indent = BT_AT(t, pos, "        ") ? 8 : 0;
	indent = bt_blanks(t, pos + indent) - pos;
	pos += indent;
	switch (bt_ch(t, pos)) {
	case '\n': case '\r':
		l.kind = LINE_BLANK;
		return l;
	case '#':
		if (indent == 0 && is_frame(t, pos))
			l.kind = LINE_FRAME;
		return l;
	case 'T': case '[':
		if (indent == 0 && (end = thread_number(t, pos)) != 0) {
			l.kind = LINE_THREAD;
			l.pos = end;
			return l;
		}
		break;
	case '$':
		end = digits(t, pos + 1);
		if (indent == 0 && end > pos + 1 && BT_AT(t, end, " = ")) {
			l.kind = LINE_TOP;
			l.pos = end + 3;
			return l;
		}
		break;
	case '0':
		if (indent == 0 && BT_AT(t, pos, "0x"))
			return examine_at(t, pos);
		break;
	}
	if (in_frame && (indent == 8 || indent == 0) && (end = local_name_end(t, pos)) != 0) {
		l.kind = LINE_LOCAL;
		l.name = span_make(t.p + pos, end - pos);
		l.pos = end + 3;
		return l;
	}
	return loose_at(t, pos, indent);
}
