/* SPDX-License-Identifier: Apache-2.0 */
#include "check_internal.h"

/* What stands around a place where a needle is: whether it counts there. */

bool look_in_token(struct span t, size_t off, size_t len)
{
	enum kind kind;

	for (size_t back = 0; back < VALUE_TOKEN_MAX && back <= off; back++) {
		size_t at = off - back;

		if (t.p[at] != '[')
			continue;
		return at + value_token_at(span_sub(t, at, t.len), &kind) >= off + len;
	}
	return false;
}

bool look_escape_before(struct span t, size_t at)
{
	size_t digits = 0, slashes = 0, i = at;

	while (digits < 3 && i > 0 && t.p[i - 1] >= '0' && t.p[i - 1] <= '7') {
		i--;
		digits++;
	}
	if (digits != 3) {
		i = at;
		if (i == 0 || !t.p[i - 1] || !strchr("abefnrtv", t.p[i - 1]))
			return false;
		i--;
	}
	while (i > 0 && t.p[i - 1] == '\\' && slashes < 64) {
		i--;
		slashes++;
	}
	return slashes & 1;
}

static bool bound_string(struct span t, size_t off, size_t end)
{
	unsigned char before = off ? (unsigned char)t.p[off - 1] : '\n';
	unsigned char after = end < t.len ? (unsigned char)t.p[end] : '\n';

	return (before == '"' || before < 0x20 || look_escape_before(t, off)) &&
	       (after == '"' || after == '\\' || after < 0x20);
}

/* An international prefix may stand before a number's digits. */
static bool bound_digits(struct span t, size_t off, size_t end)
{
	size_t i = off;

	if (end < t.len && is_digit(t.p[end]))
		return false;
	while (i > 0 && off - i < 3 && (t.p[i - 1] == '0' || t.p[i - 1] == '1'))
		i--;
	return i == 0 || !is_digit(t.p[i - 1]) || look_escape_before(t, i) ||
	       look_escape_before(t, off);
}

bool check_bound_holds(enum check_bound bound, struct span t, size_t off, size_t len)
{
	size_t end = off + len;
	char before = off ? t.p[off - 1] : '\n';
	char after = end < t.len ? t.p[end] : '\n';

	switch (bound) {
	case BOUND_NONE:
		return true;
	case BOUND_WORD:
		return (!is_word(before) || look_escape_before(t, off)) && !is_word(after);
	case BOUND_DIGITS:
		return bound_digits(t, off, end);
	case BOUND_ADDR4:
		if (is_digit(after) || (after == '.' && end + 1 < t.len && is_digit(t.p[end + 1])))
			return false;
		return look_escape_before(t, off) ||
		       !(is_digit(before) || (before == '.' && off > 1 && is_digit(t.p[off - 2])));
	case BOUND_ADDR6:
		return !is_hex(after) && (look_escape_before(t, off) || !is_hex(before));
	case BOUND_STRING:
		return bound_string(t, off, end);
	}
	return true;
}
