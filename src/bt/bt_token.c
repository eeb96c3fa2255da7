/* SPDX-License-Identifier: Apache-2.0 */
#include "bt_internal.h"

const uint8_t bt_class[256] = {
	[0 ... 8] = CH_STRING_STOP,
	['\t'] = CH_STRING_STOP | CH_DELIMITER,
	['\n'] = CH_STRING_STOP | CH_DELIMITER | CH_ARGS_STOP,
	[11 ... 12] = CH_STRING_STOP,
	['\r'] = CH_STRING_STOP | CH_DELIMITER,
	[14 ... 31] = CH_STRING_STOP,
	[' '] = CH_DELIMITER,
	[','] = CH_DELIMITER,
	['}'] = CH_DELIMITER,
	[')'] = CH_DELIMITER | CH_ARGS_STOP,
	['<'] = CH_ARGS_STOP,
	['\''] = CH_ARGS_STOP,
	['{'] = CH_ARGS_STOP,
	['('] = CH_ARGS_STOP,
	['['] = CH_ARGS_STOP,
	[']'] = CH_DELIMITER,
	[':'] = CH_DELIMITER,
	['"'] = CH_STRING_STOP | CH_ARGS_STOP,
	['\\'] = CH_STRING_STOP,
	['0' ... '7'] = CH_IDENT | CH_DIGIT | CH_HEX | CH_OCTAL,
	['8' ... '9'] = CH_IDENT | CH_DIGIT | CH_HEX,
	['a' ... 'f'] = CH_START | CH_IDENT | CH_HEX,
	['A' ... 'F'] = CH_START | CH_IDENT | CH_HEX,
	['g' ... 'z'] = CH_START | CH_IDENT,
	['G' ... 'Z'] = CH_START | CH_IDENT,
	['_'] = CH_START | CH_IDENT,
	['$'] = CH_START | CH_IDENT,
	['~'] = CH_START | CH_IDENT,	/* Go's ~r0 */
	['&'] = CH_START | CH_IDENT,	/* Go's &x */
	['.'] = CH_IDENT,		/* _vptr.Base */
	['@'] = CH_IDENT,		/* fds@entry */
	['#'] = CH_IDENT,		/* __args#0 */
	[128 ... 255] = CH_START | CH_IDENT,
};

static size_t read_hex(struct span t, size_t i, uint64_t *ret)
{
	size_t first = i;
	uint64_t v = 0;

	for (; i < t.len && bt_is(t.p[i], CH_HEX); i++)
		v = v << 4 | (uint64_t)(t.p[i] <= '9' ? t.p[i] - '0' : (t.p[i] | 32) - 'a' + 10);
	*ret = v;
	return i > first && i - first <= 16 ? i : 0;
}

static size_t read_decimal(struct span t, size_t i, uint64_t *ret)
{
	size_t first = i, safe = i < t.len && t.len - i > 19 ? i + 19 : t.len;
	uint64_t v = 0;
	bool over = false;

	for (; i < safe && bt_is(t.p[i], CH_DIGIT); i++)	/* 19 digits always fit */
		v = v * 10 + (uint64_t)(t.p[i] - '0');
	for (; i < t.len && bt_is(t.p[i], CH_DIGIT); i++)
		over |= __builtin_mul_overflow(v, 10u, &v) ||
			__builtin_add_overflow(v, (uint64_t)(t.p[i] - '0'), &v);
	*ret = v;
	return i > first && !over ? i : 0;
}

bool bt_number(struct span t, size_t pos, struct bt_number *ret)
{
	struct bt_number n = { 0 };
	bool minus = bt_ch(t, pos) == '-';
	size_t end;

	n.hex = BT_AT(t, pos, "0x");
	if (n.hex)
		n.digits_end = read_hex(t, pos + 2, &n.value);
	else
		n.digits_end = read_decimal(t, pos + minus, &n.value);
	if (!n.digits_end ||
	    (!bt_is(bt_ch(t, n.digits_end), CH_DELIMITER) && !BT_AT(t, n.digits_end, "...")))
		return false;	/* a double, a date, an address, a number of more than 64 bits */
	if (minus)
		n.value = -n.value;
	n.end = n.digits_end;
	if (!n.hex && bt_ch(t, n.end) == ' ' && (end = bt_char_end(t, n.end + 1)) != 0)
		n.end = end;
	*ret = n;
	return true;
}

size_t bt_char_end(struct span t, size_t pos)
{
	size_t i = pos, first;

	if (bt_ch(t, i) == 'L' || bt_ch(t, i) == 'u' || bt_ch(t, i) == 'U' || bt_ch(t, i) == 'b')
		i++;
	if (bt_ch(t, i) != '\'')
		return 0;
	first = ++i;
	/* an escape or one character of at most four bytes; a raw quote or backslash is one too */
	if (bt_ch(t, i) == '\\' && i + 1 < t.len) {
		if (t.p[i + 1] == '\'' && bt_ch(t, i + 2) != '\'')
			return i + 2;		/* '\' of a shell-expanded '\\' */
		i += 2;
		while (i < t.len && i - first < 12 &&
		       (bt_is(t.p[i], CH_HEX) || t.p[i] == '{' || t.p[i] == '}'))
			i++;
		return bt_ch(t, i) == '\'' ? i + 1 : 0;
	}
	for (i++; i < t.len && i - first <= 4; i++) {
		if (t.p[i] == '\'')
			return i + 1;
		if ((t.p[i] & 0xc0) != 0x80)
			break;
	}
	return 0;
}

size_t bt_repeats_end(struct span t, size_t pos, uint64_t *ret)
{
	size_t i;
	uint64_t n;

	if (!BT_AT(t, pos, "<repeats "))
		return 0;
	i = read_decimal(t, pos + 9, &n);
	if (!i || !BT_AT(t, i, " times>"))
		return 0;
	*ret = n;
	return i + 7;
}

/* Behind the symbols of `operator<<` and its like, which are no brackets; pos if it is none. */
static size_t skip_operator(struct span t, size_t pos)
{
	size_t i = pos;

	if (pos < 8 || memcmp(t.p + pos - 8, "operator", 8) != 0)
		return pos;
	while (i < t.len && i - pos < 3 && (t.p[i] == '<' || t.p[i] == '>' || t.p[i] == '=' ||
					    t.p[i] == '-' || t.p[i] == '*'))
		i++;
	return i;
}

/* Looks ahead from places that earlier ones passed in vain: many would make hostile text cost a
   square. */
static bool look_is_vain(const struct bt_look *l, size_t pos)
{
	return pos < l->end && l->fails > BT_LOOKS;
}

static void look_failed(struct bt_look *l, size_t pos, size_t end)
{
	if (pos >= l->end)
		l->fails = 0;
	l->fails++;
	if (l->end < end)
		l->end = end;
}

size_t bt_angle_end(struct span t, size_t pos, struct bt_memo *memo)
{
	size_t end = t.len - pos > BT_LOOKAHEAD ? pos + BT_LOOKAHEAD : t.len, i = pos;
	unsigned depth = 0;

	if (BT_AT(t, pos, "<optimized out>"))
		return pos + 15;
	if (look_is_vain(&memo->angle, pos))
		return 0;
	for (; i < end && t.p[i] != '\n'; i++) {
		if (t.p[i] == 'r' && i > pos + 7 && (i + 1 < end) && (t.p[i + 1] == '<' ||
		    t.p[i + 1] == '>' || t.p[i + 1] == '-')) {
			i = skip_operator(t, i + 1) - 1;
		} else if (t.p[i] == '<') {
			depth++;
		} else if (t.p[i] == '>' && t.p[i - 1] != '-' && --depth == 0) {
			return i + 1;
		}
	}
	look_failed(&memo->angle, pos, i);
	return 0;
}

size_t bt_paren_end(struct span t, size_t pos, struct bt_memo *memo)
{
	size_t end = t.len - pos > BT_LOOKAHEAD ? pos + BT_LOOKAHEAD : t.len, i = pos;
	unsigned depth = 0;

	if (look_is_vain(&memo->paren, pos))
		return 0;
	for (; i < end; i++) {
		switch (t.p[i]) {
		case '(':
			depth++;
			break;
		case ')':
			if (--depth == 0)
				return i + 1;
			break;
		case '\n': case '"': case '{': case '}':
			end = i;
			break;
		}
	}
	look_failed(&memo->paren, pos, i);
	return 0;
}

/* "std::vector of length 3, capacity 4 = {": the one summary that holds a comma. */
static size_t skip_capacity(struct span t, size_t i)
{
	size_t end;
	uint64_t n;

	if (!BT_AT(t, i, ", capacity "))
		return i;
	end = read_decimal(t, i + 11, &n);
	return end ? end : i;
}

/* "std::optional [no contained value]", "&[u8] [1, 2]" */
static size_t bracket_end(struct span t, size_t pos)
{
	size_t i = pos + 1;

	if (!bt_is(bt_ch(t, i), CH_START))
		return 0;
	while (i < t.len && i - pos < 64 && (bt_is(t.p[i], CH_IDENT) || t.p[i] == ' '))
		i++;
	return bt_ch(t, i) == ']' ? i + 1 : 0;
}

size_t bt_word_end(struct span t, size_t pos, struct bt_memo *memo)
{
	size_t i = pos, end;

	for (;;) {
		switch (bt_ch(t, i)) {
		case ',':
			end = i > pos ? skip_capacity(t, i) : i;
			break;
		case '(':
			end = bt_paren_end(t, i, memo);
			break;
		case '[':
			end = bracket_end(t, i);
			break;
		case '<':
			end = bt_angle_end(t, i, memo);
			if (!end)
				end = i + 1;
			break;
		case ')': case '}': case ']': case '{': case '"': case '\n': case '\r':
			end = i;
			break;
		default:
			end = i + 1;
		}
		if (end == 0 || end == i)
			return i > pos || i >= t.len ? i : i + 1;
		i = end;
	}
}

static size_t name_run(struct span t, size_t i)
{
	while (i < t.len && (bt_is(t.p[i], CH_IDENT) || (t.p[i] == ':' && bt_ch(t, i + 1) == ':') ||
			     (t.p[i] == ':' && t.p[i - 1] == ':')))
		i++;
	return i;
}

size_t bt_name_end(struct span t, size_t pos, bool args, struct bt_memo *memo,
		   struct span *ret_name)
{
	size_t i, end;

	if (BT_AT(t, pos, "static "))
		pos += 7;
	*ret_name = span_make(t.p + pos, 0);
	if (bt_ch(t, pos) == '<') {		/* a base class: its members are the object's */
		end = bt_angle_end(t, pos, memo);
		return end && BT_AT(t, end, " = ") ? end + 3 : 0;
	}
	if (!bt_begins_name(t, pos))
		return 0;
	i = name_run(t, pos + 1);
	if (args && bt_ch(t, i) == '=') {
		const char *at = memchr(t.p + pos, '@', i - pos);

		*ret_name = span_make(t.p + pos, at ? (size_t)(at - t.p) - pos : i - pos);
		i++;	/* "fds=fds@entry=0x…": one value for both */
		if (bt_at(t, i, ret_name->p, ret_name->len) && BT_AT(t, i + ret_name->len, "@entry="))
			i += ret_name->len + 7;
		return i;
	}
	if (bt_ch(t, i) == '<' || bt_ch(t, i) == '(') {	/* get() = */
		end = t.p[i] == '<' ? bt_angle_end(t, i, memo) : bt_paren_end(t, i, memo);
		i = end && BT_AT(t, end, " = ") ? end : i;
	}
	*ret_name = span_make(t.p + pos, i - pos);
	if (BT_AT(t, i, " = "))
		return i + 3;
	return !args && BT_AT(t, i, ": ") ? i + 2 : 0;
}

size_t bt_int_array_end(struct span t, size_t pos)
{
	struct bt_number n;
	uint64_t times;
	size_t i = pos + 1, end;

	for (;;) {
		while (i < t.len && (t.p[i] == ' ' || t.p[i] == '\n' || t.p[i] == '\r'))
			i++;
		if (!bt_number(t, i, &n))
			return 0;
		i = n.end;
		if (bt_ch(t, i) == ' ' && (end = bt_repeats_end(t, i + 1, &times)) != 0)
			i = end;
		if (BT_AT(t, i, "..."))
			i += 3;
		while (i < t.len && (t.p[i] == '\n' || t.p[i] == '\r' || t.p[i] == ' '))
			i++;
		if (bt_ch(t, i) == '}' || bt_ch(t, i) == ']')
			return i + 1;
		if (bt_ch(t, i) != ',')
			return 0;
		i++;
	}
}
