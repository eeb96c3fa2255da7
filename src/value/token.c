/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/value.h>
#include <stdio.h>

#define TOKEN_DIGITS 9

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

static int base32_digit(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

/* FNV-1a over "kind~" and the nine digits, folded to five bits. */
static char check_char(const char *name, const char *digits)
{
	uint32_t h = 2166136261u, folded = 0;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	h = (h ^ '~') * 16777619u;
	for (int i = 0; i < TOKEN_DIGITS; i++)
		h = (h ^ (uint8_t)digits[i]) * 16777619u;
	for (int shift = 0; shift <= 30; shift += 5)
		folded ^= h >> shift;
	return base32[folded & 31];
}

size_t value_token_format(enum kind kind, const uint8_t mac[DIGEST_LEN], char ret[VALUE_TOKEN_MAX])
{
	const char *name = value_kind_name(kind);
	char digits[TOKEN_DIGITS + 1] = { 0 };
	uint64_t bits = 0;

	for (int i = 0; i < 8; i++)
		bits = bits << 8 | mac[i];
	for (int i = 0; i < TOKEN_DIGITS; i++)
		digits[i] = base32[bits >> (59 - 5 * i) & 31];
	return (size_t)snprintf(ret, VALUE_TOKEN_MAX, "[%s~%s%c]", name, digits,
				check_char(name, digits));
}

size_t value_token_constant(enum kind kind, char ret[VALUE_TOKEN_MAX])
{
	return (size_t)snprintf(ret, VALUE_TOKEN_MAX, "[%s]", value_kind_name(kind));
}

size_t value_token_at(struct span s, enum kind *ret_kind)
{
	enum kind kind;
	size_t n = 1;

	if (s.len < 3 || s.p[0] != '[')
		return 0;
	while (n < s.len && n < 12 &&
	       ((s.p[n] >= 'a' && s.p[n] <= 'z') || s.p[n] == '-' || s.p[n] == '4' ||
		s.p[n] == '6'))
		n++;
	if (n == s.len || !value_kind_parse(span_make(s.p + 1, n - 1), &kind))
		return 0;
	if (s.p[n] == ']') {
		*ret_kind = kind;
		return n + 1;
	}
	if (s.p[n] != '~' || s.len - n < TOKEN_DIGITS + 3 || s.p[n + TOKEN_DIGITS + 2] != ']')
		return 0;
	for (size_t i = n + 1; i <= n + TOKEN_DIGITS; i++)
		if (base32_digit(s.p[i]) < 0)
			return 0;
	if (s.p[n + TOKEN_DIGITS + 1] != check_char(value_kind_name(kind), s.p + n + 1))
		return 0;
	*ret_kind = kind;
	return n + TOKEN_DIGITS + 3;
}

static bool is_content(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

bool value_is_tokens(struct span s)
{
	bool tokens = false;
	size_t at = 0, len;
	enum kind kind;

	while (at < s.len) {
		len = value_token_at(span_sub(s, at, s.len), &kind);
		if (len == 0 && is_content((unsigned char)s.p[at]))
			return false;
		tokens |= len > 0;
		at += len ? len : 1;
	}
	return tokens;
}

size_t value_token_next(struct span text, size_t *at, enum kind *ret_kind)
{
	const char *open;

	while (*at < text.len && (open = memchr(text.p + *at, '[', text.len - *at))) {
		size_t len;

		*at = (size_t)(open - text.p);
		len = value_token_at(span_sub(text, *at, text.len), ret_kind);
		if (len)
			return len;
		++*at;
	}
	return 0;
}
