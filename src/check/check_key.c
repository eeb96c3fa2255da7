/* SPDX-License-Identifier: Apache-2.0 */
#include "check_internal.h"

/* "key = value" where the key says that the value is a credential. */

#define KEY_MAX 64
#define VALUE_MAX 256

static char text_at(const struct look *l, size_t i)
{
	return i < l->text.len ? l->text.p[i] : '\n';
}

static bool is_key_char(char c)
{
	return is_digit(c) || is_alpha(c) || c == '_' || c == '-';
}

static bool key_is_credential(struct span key)
{
	static const char *const ends[] = {
		"password", "passwd", "secret", "token", "apikey", "api_key", "api-key", "pwd",
		"passphrase", "access_key", "secret_key", "private_key", "auth_key",
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t n = strlen(ends[i]);

		if (key.len >= n && strncasecmp(key.p + key.len - n, ends[i], n) == 0)
			return true;
	}
	return false;
}

static bool value_says_nothing(struct span v)
{
	static const char *const words[] = {
		"true", "false", "yes", "no", "null", "none", "nil", "(null)", "undefined", "unset",
	};
	size_t digits = 0;

	if (v.len < 4 || strchr("<[{%$*", v.p[0]))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (v.len == strlen(words[i]) && strncasecmp(v.p, words[i], v.len) == 0)
			return true;
	for (size_t i = 0; i < v.len; i++)
		digits += is_hex(v.p[i]);
	return v.p[0] == '0' && v.p[1] == 'x' && digits + 1 == v.len;
}

static bool all_letters(struct span v)
{
	for (size_t i = 0; i < v.len; i++)
		if (!is_alpha(v.p[i]) && v.p[i] != '_')
			return false;
	return true;
}

/* Behind an optional (escaped) quote and spaces. */
static size_t skip_quote(const struct look *l, size_t i, bool *ret_quoted)
{
	if (text_at(l, i) == '\\' && text_at(l, i + 1) == '"')
		i++;
	*ret_quoted = text_at(l, i) == '"' || text_at(l, i) == '\'';
	return i + *ret_quoted;
}

static size_t skip_spaces(const struct look *l, size_t i)
{
	while (text_at(l, i) == ' ' || text_at(l, i) == '\t')
		i++;
	return i;
}

/* gdb's argument whose value at entry is known: key=key@entry=value. */
static size_t skip_entry(const struct look *l, size_t i, struct span key)
{
	struct span rest = span_sub(l->text, i, i + key.len + 7);

	if (rest.len == key.len + 7 && span_starts(rest, key) && span_ends(rest, SPAN_LIT("@entry=")))
		return i + rest.len;
	return i;
}

/* gdb prints what a pointer points to behind it: 0x5555 "value", 0x5555 <symbol+4> "value". */
static size_t skip_pointer(const struct look *l, size_t i)
{
	size_t end = i;

	if (text_at(l, i) != '0' || text_at(l, i + 1) != 'x')
		return i;
	for (end += 2; is_hex(text_at(l, end)); )
		end++;
	if (text_at(l, end) == ' ' && text_at(l, end + 1) == '<') {
		size_t close = end + 2;

		while (close - end < VALUE_MAX && !strchr(">\n\"", text_at(l, close)))
			close++;
		if (text_at(l, close) == '>')
			end = close + 1;
	}
	return text_at(l, end) == ' ' && text_at(l, end + 1) == '"' ? end + 1 : i;
}

static size_t value_end(const struct look *l, size_t i, bool quoted)
{
	size_t from = i;

	for (; i - from < VALUE_MAX; i++) {
		char c = text_at(l, i);

		if ((unsigned char)c < ' ' || c == '"' || c == '\\' || c == '\'' ||
		    (!quoted && strchr(" ,;&<>)}|", c)))
			break;
	}
	return i;
}

/* p is inside what may be the key. */
void check_shape_key(struct look *l, size_t p)
{
	size_t off = p, end = p, at, value;
	bool quoted, spaced, indented;
	enum check_level level = CHECK_OPEN;
	struct span v;
	char sep;

	while (off > 0 && p - off < KEY_MAX && is_key_char(l->text.p[off - 1]))
		off--;
	while (end - p < KEY_MAX && is_key_char(text_at(l, end)))
		end++;
	if (!key_is_credential(span_make(l->text.p + off, end - off)))
		return;
	indented = off > 0 && l->text.p[off - 1] != '\n';
	at = skip_quote(l, end, &quoted);
	spaced = text_at(l, at) == ' ';
	at = skip_spaces(l, at);
	sep = text_at(l, at);
	if ((sep != '=' && sep != ':') || (sep == ':' && text_at(l, at + 1) == ':'))
		return;
	at++;
	if (sep == '=' && text_at(l, at) == '>')
		at++;
	at = skip_entry(l, skip_spaces(l, at), span_make(l->text.p + off, end - off));
	at = skip_quote(l, skip_pointer(l, at), &quoted);
	value = value_end(l, at, quoted);
	v = span_make(l->text.p + at, value - at);
	if (value_says_nothing(v) || (l->c->allowed & 1u << KIND_SECRET))
		return;
	/* gdb's scalars and enumerators, and prose behind a colon */
	if (!quoted && sep == '=' && spaced && indented)
		return;
	if (!quoted && sep == ':' && all_letters(v))
		level = CHECK_HINT;
	if (!look_in_token(l->text, at, v.len))
		look_item(l, (struct check_item){ level, KIND_SECRET, false, "credential by its key", at,
						  (uint32_t)v.len });
}
