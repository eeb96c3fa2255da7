/* SPDX-License-Identifier: Apache-2.0 */
#include "value_internal.h"

#include <stdlib.h>

static bool is_alnum(char c)
{
	return ascii_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool check_ipv4(struct span text, struct span arg)
{
	uint8_t a[4];

	(void)arg;
	return value_ip4_parse(text, a);
}

static bool check_ipv6(struct span text, struct span arg)
{
	uint8_t a[16];

	(void)arg;
	return value_ip6_parse(text, a);
}

static bool check_e164(struct span text, struct span arg)
{
	struct phone p;

	(void)arg;
	return value_phone_read(text, &p) && p.n >= 7 && p.n <= PHONE_DIGITS_MAX &&
	       p.digits[0] != '0' && value_phone_fits_country(p.digits, p.n);
}

static bool check_phone(struct span text, struct span arg)
{
	struct phone p;

	(void)arg;
	return value_phone_read(text, &p) && value_phone_is_plausible(&p, text);
}

/* ISO/IEC 7812: 12 to 19 digits, spaces or dashes between, the last one the check digit. */
static bool check_luhn(struct span text, struct span arg)
{
	unsigned sum = 0, n = 0;

	(void)arg;
	for (size_t i = text.len; i-- > 0;) {
		unsigned d;

		if (text.p[i] == ' ' || text.p[i] == '-')
			continue;
		if (!ascii_is_digit(text.p[i]))
			return false;
		d = (unsigned)(text.p[i] - '0') << (n & 1);
		sum += d > 9 ? d - 9 : d;
		n++;
	}
	return n >= 12 && n <= 19 && sum % 10 == 0 && sum > 0;
}

static bool check_mac(struct span text, struct span arg)
{
	uint8_t a[6];

	(void)arg;
	return value_mac_parse(text, a);
}

/* RFC 7519: three parts, the first two base64url of JSON objects; gdb may have cut the third. */
static bool check_jwt(struct span text, struct span arg)
{
	AUTO_BUF head = BUF_INIT;
	ssize_t dot = span_find(text, SPAN_LIT("."), 0);

	(void)arg;
	if (dot <= 0 || !value_base64_decode(span_sub(text, 0, (size_t)dot), &head))
		return false;
	return head.len >= 2 && head.p[0] == '{' &&
	       span_find(buf_span(&head), SPAN_LIT("\""), 0) > 0;
}

/* RFC 7468's frame with a body, or its start with enough of a body when the end was cut off. */
static bool check_pem(struct span text, struct span arg)
{
	ssize_t label = span_find(text, SPAN_LIT("-----BEGIN "), 0), body;
	size_t letters = 0;

	(void)arg;
	if (label < 0)
		return false;
	body = span_find(text, SPAN_LIT("-----"), (size_t)label + 11);
	if (body < 0)
		return false;
	for (size_t i = (size_t)body + 5; i < text.len && text.p[i] != '-'; i++)
		letters += is_alnum(text.p[i]) || text.p[i] == '+' || text.p[i] == '/';
	return letters >= 16;
}

static bool check_base64(struct span text, struct span arg)
{
	AUTO_BUF out = BUF_INIT;

	(void)arg;
	return text.len >= 4 && value_base64_decode(text, &out) && out.len > 0;
}

/* entropy:N: at least N bits a byte. */
static bool check_entropy(struct span text, struct span arg)
{
	char number[16] = { 0 };

	if (arg.len >= sizeof(number) || !text.len)
		return false;
	memcpy(number, arg.p, arg.len);
	return value_entropy(text) >= strtod(number, NULL);
}

/* RFC 1123 labels; at least one dot and a top-level name with a letter. */
static bool check_host(struct span text, struct span arg)
{
	size_t label = 0, dots = 0, last = 0;
	bool letter = false;

	(void)arg;
	if (text.len && text.p[text.len - 1] == '.')
		text.len--;
	if (text.len < 3 || text.len > 253)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		if (c == '.') {
			if (label == 0 || text.p[i - 1] == '-')
				return false;
			label = 0;
			dots++;
			last = i + 1;
			continue;
		}
		if ((!is_alnum(c) && c != '_' && (c != '-' || label == 0)) || ++label > 63)
			return false;
	}
	for (size_t i = last; i < text.len; i++)
		letter |= is_alnum(text.p[i]) && !ascii_is_digit(text.p[i]);
	return dots > 0 && label >= 2 && letter && text.p[text.len - 1] != '-';
}

static bool check_email(struct span text, struct span arg)
{
	const char *at = memrchr(text.p, '@', text.len);
	struct span domain;

	if (!at || at == text.p || at - text.p > 64)
		return false;
	domain = span_make(at + 1, text.len - (size_t)(at + 1 - text.p));
	if (domain.len > 2 && domain.p[0] == '[' && domain.p[domain.len - 1] == ']')
		return check_ipv4(domain, arg) || check_ipv6(domain, arg);
	return text.p[0] != '.' && at[-1] != '.' && check_host(domain, arg);
}

/* RFC 3986: a scheme, a colon, something behind it, and no byte that a URI can't hold. */
static bool check_uri(struct span text, struct span arg)
{
	size_t i = 0;

	(void)arg;
	if (!text.len || !is_alnum(text.p[0]) || ascii_is_digit(text.p[0]))
		return false;
	while (i < text.len &&
	       (is_alnum(text.p[i]) || text.p[i] == '+' || text.p[i] == '-' || text.p[i] == '.'))
		i++;
	if (i < 2 || i + 1 >= text.len || text.p[i] != ':')
		return false;
	for (; i < text.len; i++)
		if ((uint8_t)text.p[i] <= ' ' || text.p[i] == 0x7f ||
		    memchr("<>\"\\^`{|}", text.p[i], 9))
			return false;
	return true;
}

static const char *const names[] = {
	"ipv4", "ipv6",	  "e164",    "phone", "luhn", "mac",  "jwt",
	"pem",	"base64", "entropy", "email", "uri",  "host", NULL,
};
static const value_check_fn functions[] = {
	check_ipv4, check_ipv6,	  check_e164,	 check_phone, check_luhn, check_mac,  check_jwt,
	check_pem,  check_base64, check_entropy, check_email, check_uri,  check_host,
};
_Static_assert(ARRAY_SIZE(names) == ARRAY_SIZE(functions) + 1, "a check is missing");

value_check_fn value_check_find(struct span name)
{
	for (size_t i = 0; names[i]; i++)
		if (span_eq_str(name, names[i]))
			return functions[i];
	return NULL;
}

const char *const *value_check_names(void)
{
	return names;
}
