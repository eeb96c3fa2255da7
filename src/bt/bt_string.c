/* SPDX-License-Identifier: Apache-2.0 */
#include "bt_internal.h"

/*
 * A string as gdb prints it is a row of pieces: "…", 'c' <repeats 30 times>, <incomplete sequence
 * \357>. Where it is an element of an array the next element may look like one more piece; then
 * both are one. In files that went through a shell's `echo -e`, \000, \r, \n and \\ within quotes
 * are real bytes, so neither a newline nor a backslash says where a string ends: then it is what
 * follows a quote that tells.
 */

/* Where the quote is, at pos or behind a prefix there; SIZE_MAX if there is none. */
static size_t quote_at(struct span t, size_t pos, char quote)
{
	char c = bt_ch(t, pos);

	if (c == 'u' && bt_ch(t, pos + 1) == '8')
		pos += 2;
	else if (c == 'L' || c == 'u' || c == 'U' || c == 'b')
		pos++;
	return bt_ch(t, pos) == quote ? pos : SIZE_MAX;
}

/* 'c' <repeats 30 times>; in a shell-expanded file '\' may be a whole character. */
static size_t repeat_piece(struct span t, size_t pos, size_t *ret_char_end)
{
	size_t q = quote_at(t, pos, '\''), end;
	uint64_t times;

	if (q == SIZE_MAX)
		return 0;
	end = bt_char_end(t, pos);
	if (!end || bt_ch(t, end) != ' ')
		return 0;
	*ret_char_end = end;
	return bt_repeats_end(t, end + 1, &times);
}

static size_t incomplete_piece(struct span t, size_t pos)
{
	size_t i;

	if (!BT_AT(t, pos, "<incomplete sequence "))
		return 0;
	for (i = pos + 21; i < t.len && i < pos + 100 && t.p[i] != '>' && t.p[i] != '\n'; i++)
		;
	return bt_ch(t, i) == '>' ? i + 1 : 0;
}

/* Could what stands behind a closing quote stand there in gdb's own text? */
static bool ends_well(struct span t, size_t i)
{
	switch (bt_ch(t, i)) {
	case ',': case '}': case ')': case ']': case '\n': case '\r': case ' ':
	case ':': case ';': case '>':
		return true;
	case '.':
		return BT_AT(t, i, "...");
	default:
		return false;
	}
}

/* Behind ", ": "name = value", a piece, or, if `any`, whatever else gdb puts behind a string and a
   SIP header (`username="bob", realm="x", nc=00000001`) doesn't. */
static bool next_member(struct span t, size_t i, bool any)
{
	struct bt_number n;
	size_t end, dummy;
	char c;

	if (repeat_piece(t, i, &dummy) || incomplete_piece(t, i))
		return true;
	for (end = i; end < t.len && end - i < BT_NAME_MAX && bt_is(t.p[end], CH_IDENT); end++)
		;
	c = bt_ch(t, end + 3);
	if (end > i && BT_AT(t, end, " = "))
		return any || bt_is(c, CH_DIGIT) || c == '"' || c == '{' || c == '<' || c == '-' ||
		       c == '\'';
	if (!any)
		return false;
	if (end > i && bt_ch(t, end) == '=')	/* an argument */
		return BT_AT(t, end, "=0x") || BT_AT(t, end, "=<") || BT_AT(t, end, "=...") ||
		       memchr(t.p + i, '@', end - i) ||
		       (bt_ch(t, end + 1) != '0' && bt_number(t, end + 1, &n));
	return BT_AT(t, i, "0x") || bt_ch(t, i) == '"' || bt_ch(t, i) == '{';
}

/* Does what follows a quote say that it ends the string, even if a backslash stands before it? */
static bool ends_for_sure(struct span t, size_t i)
{
	size_t closers = i;

	if (BT_AT(t, i, "..."))
		i += 3;
	while (bt_ch(t, i) == '}')
		i++;
	if (i >= t.len)
		return true;
	if (t.p[i] == '\n')
		return i + 1 == t.len || bt_line_is_head(t, i + 1) || bt_line_is_local(t, i + 1);
	if (t.p[i] == ')')
		return i == closers && (BT_AT(t, i, ") at ") || BT_AT(t, i, ") from "));
	return BT_AT(t, i, ", ") && next_member(t, i + 2, false);
}

/* Does a quote without a backslash end a string with raw newlines? In real files all others have
   one, but a text may have lost them. */
static bool ends_raw(struct span t, size_t i, bool loose)
{
	switch (bt_ch(t, i)) {
	case '}': case ']':
		return true;
	case ')':
		return i + 1 >= t.len || (t.p[i + 1] && strchr(",}) \n", t.p[i + 1]));
	case ',':
		return bt_ch(t, i + 1) == '\n' || (BT_AT(t, i, ", ") && next_member(t, i + 2, true));
	case '\n':	/* in a frame the next line is known */
		return loose || i + 1 >= t.len || t.p[i + 1] == '\n' || ends_for_sure(t, i) ||
		       bt_ch(t, bt_blanks(t, i + 1)) == '}';
	default:
		return BT_AT(t, i, "...") || BT_AT(t, i, " <repeats ");
	}
}

static size_t find_raw_close(struct span t, size_t quote, struct bt_memo *memo)
{
	size_t end = t.len - quote > BT_RECOVERY ? quote + BT_RECOVERY : t.len, i = quote + 1, line;

	if (quote >= memo->no_close_from && memo->no_close > i)
		i = memo->no_close;
	for (; i < end; i++) {
		if (t.p[i] == '\n' && (bt_line_is_head(t, i + 1) || bt_line_is_local(t, i + 1)))
			break;
		if (t.p[i] != '"')
			continue;
		if (t.p[i - 1] == '\\' && i - 1 > quote ? ends_for_sure(t, i + 1) :
							  ends_raw(t, i + 1, memo->loose))
			return i + 1;
	}
	if (quote < memo->no_close_from || quote >= memo->no_close)
		memo->no_close_from = quote;
	memo->no_close = i;
	line = bt_line_end(t, quote + 1);
	return line < i ? line : i;
}

/* Behind the closing quote, or where the text is given up: then t.p[end - 1] is no quote. */
static size_t find_close(struct span t, size_t quote, struct bt_memo *memo, struct bt_string *s)
{
	size_t end = t.len - quote > BT_STRING_MAX ? quote + BT_STRING_MAX : t.len;
	struct span near = span_make(t.p, end);
	size_t i = quote + 1;

	for (;;) {
		while (i < near.len && !bt_is(near.p[i], CH_STRING_STOP))
			i++;
		if (i >= near.len)
			break;
		if (near.p[i] == '"' && ends_well(t, i + 1))
			return i + 1;
		if (near.p[i] != '\\')
			break;
		s->escaped = true;
		i += 2;
	}
	s->expanded = true;
	s->escaped = true;
	return find_raw_close(near, quote, memo);
}

static void add_piece(struct bt_string *s, enum bt_piece_kind kind, size_t off, size_t end,
		      size_t body, size_t body_end)
{
	struct bt_piece p = {
		.off = (uint32_t)(off - s->off), .end = (uint32_t)(end - s->off),
		.body = (uint32_t)(body - s->off), .body_end = (uint32_t)(body_end - s->off),
		.kind = kind,
	};

	GROW(s->pieces, s->n_pieces, s->cap_pieces);
	s->pieces[s->n_pieces++] = p;
}

/* The piece at pos: its end, or 0. A quoted piece never follows a quoted one. */
static size_t read_piece(struct span t, size_t pos, bool quoted, bool pieces, struct bt_memo *memo,
			 struct bt_string *s, bool *ret_quoted)
{
	size_t q = quoted ? quote_at(t, pos, '"') : SIZE_MAX, end, body_end;
	enum bt_piece_kind kind = PIECE_QUOTED;

	if (q != SIZE_MAX) {
		end = find_close(t, q, memo, s);
		body_end = end > q + 1 && t.p[end - 1] == '"' ? end - 1 : end;
	} else if ((end = repeat_piece(t, pos, &body_end)) != 0) {
		kind = PIECE_REPEAT;
		q = quote_at(t, pos, '\'');
		body_end--;
	} else if ((end = incomplete_piece(t, pos)) != 0) {
		kind = PIECE_INCOMPLETE;
		q = pos + 20;
		body_end = end - 1;
	} else {
		return 0;
	}
	s->wide |= q > pos && kind != PIECE_INCOMPLETE && (t.p[pos] == 'L' || t.p[pos] == 'u' ||
							    t.p[pos] == 'U') && t.p[pos + 1] != '8';
	if (pieces)
		add_piece(s, kind, pos, end, q + 1, body_end);
	*ret_quoted = kind == PIECE_QUOTED;
	return end;
}

bool bt_string(struct span t, size_t pos, bool pieces, struct bt_memo *memo, struct bt_string *ret)
{
	bool quoted = false;
	size_t end, next = pos;

	ret->off = pos;
	ret->wide = ret->expanded = ret->escaped = ret->cut = false;
	ret->n_pieces = 0;
	end = read_piece(t, pos, true, pieces, memo, ret, &quoted);
	if (!end)
		return false;
	while (next && end - pos < BT_STRING_MAX && BT_AT(t, end, ", ")) {
		next = read_piece(t, end + 2, !quoted, pieces, memo, ret, &quoted);
		if (next) {
			end = next;
			ret->escaped = true;
		}
	}
	if (BT_AT(t, end, "...")) {
		ret->cut = true;
		end += 3;
	}
	ret->end = end;
	return true;
}
