/* SPDX-License-Identifier: Apache-2.0 */
#include "value_internal.h"
#include <stdio.h>

/*
 * Addresses in text. inet_pton is stricter than what stands in logs: groups padded with zeros, host
 * names that carry an address with dashes, brackets, zones, prefixes and ports of notation.
 */

/* Reads up to max decimal digits at *p; -1 if there is none or the number is above `top`. */
static int read_decimal(const char **p, const char *end, int max, int top)
{
	int v = 0, n = 0;

	while (*p < end && n < max && ascii_is_digit(**p)) {
		v = v * 10 + (*(*p)++ - '0');
		n++;
	}
	return n && v <= top && !(*p < end && ascii_is_digit(**p)) ? v : -1;
}

/* A quad with one kind of separator that fills [p, end). */
static bool read_quad(const char *p, const char *end, uint8_t ret[4])
{
	uint8_t a[4];
	char sep = 0;

	for (int i = 0; i < 4; i++) {
		int v;

		if (i) {
			if (p >= end || (*p != '.' && *p != '-') || (sep && *p != sep))
				return false;
			sep = *p++;
		}
		v = read_decimal(&p, end, 3, 255);
		if (v < 0)
			return false;
		a[i] = (uint8_t)v;
	}
	if (p != end)
		return false;
	memcpy(ret, a, 4);
	return true;
}

/* Cuts "/prefix" off the end of *s; false if what stands there is no prefix length. */
static bool cut_prefix(struct span *s, int top)
{
	const char *slash = memchr(s->p, '/', s->len), *p, *end;

	if (!slash)
		return true;
	p = slash + 1;
	end = s->p + s->len;
	if (read_decimal(&p, end, 3, top) < 0 || p != end)
		return false;
	s->len = (size_t)(slash - s->p);
	return true;
}

bool value_ip4_parse(struct span text, uint8_t ret[4])
{
	if (text.len < 7 || text.len > 20)
		return false;
	if (text.p[0] == '[' && text.p[text.len - 1] == ']')
		text = span_make(text.p + 1, text.len - 2);
	if (!cut_prefix(&text, 32))
		return false;
	return read_quad(text.p, text.p + text.len, ret);
}

/* Up to 8 groups of 16 bits; *gap is where "::" stands, or -1. The count, or -1. */
static int read_groups(const char *p, const char *end, uint8_t a[16], int *gap)
{
	int n = 0;

	*gap = -1;
	if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
		*gap = 0;
		p += 2;
	}
	while (p < end) {
		const char *start = p;
		unsigned v = 0;

		while (p < end && p - start < 4 && ascii_hex_value(*p) >= 0)
			v = v << 4 | (unsigned)ascii_hex_value(*p++);
		if (p < end && *p == '.' && n <= 6 && read_quad(start, end, a + 2 * n))
			return n + 2;
		if (p == start || n == 8)
			return -1;
		a[2 * n] = (uint8_t)(v >> 8);
		a[2 * n++ + 1] = (uint8_t)v;
		if (p == end)
			return n;
		if (*p++ != ':')
			return -1;
		if (p < end && *p == ':') {
			if (*gap >= 0)
				return -1;
			*gap = n;
			p++;
		} else if (p == end) {
			return -1;
		}
	}
	return n;
}

bool value_ip6_parse(struct span text, uint8_t ret[16])
{
	uint8_t a[16] = { 0 }, out[16] = { 0 };
	const char *zone;
	int n, gap;

	if (text.len < 2 || text.len > 128 || !cut_prefix(&text, 128))
		return false;
	if (text.len >= 2 && text.p[0] == '[' && text.p[text.len - 1] == ']')
		text = span_make(text.p + 1, text.len - 2);
	if (!cut_prefix(&text, 128))
		return false;
	zone = memchr(text.p, '%', text.len);
	if (zone) {
		if (zone + 1 == text.p + text.len)
			return false;
		text.len = (size_t)(zone - text.p);
	}
	if (text.len < 2)
		return false;
	n = read_groups(text.p, text.p + text.len, a, &gap);
	if (n < 0 || (gap < 0 && n != 8) || (gap >= 0 && n > 7))
		return false;
	if (gap < 0)
		gap = n;
	memcpy(out, a, (size_t)gap * 2);
	memcpy(out + 16 - (n - gap) * 2, a + gap * 2, (size_t)(n - gap) * 2);
	memcpy(ret, out, 16);
	return true;
}

void value_ip4_format(const uint8_t a[4], char ret[16])
{
	snprintf(ret, 16, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
}

/* The longest run of at least two zero groups, RFC 5952 section 4.2; its length, 0 if there is
 * none. */
static int longest_zeros(const uint8_t a[16], int *ret_at)
{
	int best = 1, at = -1;

	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && !a[2 * (i + n)] && !a[2 * (i + n) + 1])
			n++;
		if (n > best) {
			best = n;
			at = i;
		}
	}
	*ret_at = at;
	return at < 0 ? 0 : best;
}

void value_ip6_format(const uint8_t a[16], char ret[40])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	int at, zeros = longest_zeros(a, &at);
	char *p = ret;

	if (!memcmp(a, mapped, 12)) {
		p += snprintf(p, 40, "::ffff:");
		value_ip4_format(a + 12, p);
		return;
	}
	*p = '\0';
	for (int i = 0; i < 8; i++) {
		if (i == at) {
			p += snprintf(p, 3, "::");
			i += zeros - 1;
			continue;
		}
		p += snprintf(p, 6, "%s%x", i && p[-1] != ':' ? ":" : "",
			      (unsigned)a[2 * i] << 8 | a[2 * i + 1]);
	}
}

bool value_ip4_stays(const uint8_t a[4])
{
	static const uint8_t unspecified[4];

	/* from 224 on: multicast, the tokens' own 240.0.0.0/4, broadcast */
	return a[0] == 127 || a[0] >= 224 || !memcmp(a, unspecified, 4);
}

bool value_ip6_is_mapped(const uint8_t a[16])
{
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a, mapped, 12) && memcmp(a, mapped, 16);
}

bool value_ip6_stays(const uint8_t a[16])
{
	static const uint8_t zero[16], token_prefix[8] = { 1 };

	if (!memcmp(a, zero, 15) && a[15] <= 1)
		return true;
	if (a[0] == 0xff || !memcmp(a, token_prefix, 8))
		return true;
	return value_ip6_is_mapped(a) && value_ip4_stays(a + 12);
}

static bool ip4_is_lan(const uint8_t a[4])
{
	return a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
	       (a[0] == 100 && (a[1] & 0xc0) == 64) || (a[0] == 169 && a[1] == 254);
}

static bool ip6_is_lan(const uint8_t a[16])
{
	return (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
}

enum kind value_refine(enum kind kind, struct span text)
{
	uint8_t a[16];

	if (kind != KIND_IP4 && kind != KIND_IP6)
		return kind;
	if (value_ip4_parse(text, a))
		return ip4_is_lan(a) ? KIND_IP4_LAN : KIND_IP4;
	if (!value_ip6_parse(text, a))
		return kind;
	if (value_ip6_is_mapped(a))
		return ip4_is_lan(a + 12) ? KIND_IP4_LAN : KIND_IP4;
	return ip6_is_lan(a) ? KIND_IP6_LAN : KIND_IP6;
}

bool value_stays(enum kind kind, struct span text)
{
	uint8_t a[16];

	switch (kind) {
	case KIND_IP4:
	case KIND_IP4_LAN:
		return value_ip4_parse(text, a) && value_ip4_stays(a);
	case KIND_IP6:
	case KIND_IP6_LAN:
		return value_ip6_parse(text, a) && value_ip6_stays(a);
	default:
		return false;
	}
}
