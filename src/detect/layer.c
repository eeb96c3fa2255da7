/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "detect_internal.h"

/* Escapes of one further level: %XX of URLs, backslash escapes of JSON, C and shells, character
   references of XML (XML 1.0, 4.1 and 4.6). */

static int hex_number(const char *p, size_t n)
{
	int v = 0;

	while (n--) {
		int d = ascii_hex_value(*p++);

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* Escaped by a shell, or by who doesn't know what must be. */
static bool is_mark(char c)
{
	return c > 0x20 && c < 0x7f && !ascii_is_digit(c) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static size_t put_utf8(int c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 0x3f));
	out[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

static size_t unescape_octal(const char *p, size_t n, char *out)
{
	size_t i;
	int v = 0;

	for (i = 1; i < n && i < 4 && p[i] >= '0' && p[i] <= '7'; i++)
		v = v * 8 + (p[i] - '0');
	*out = (char)v;
	return i;
}

#define REFERENCE_MAX 10		/* &#x10FFFF; */

/* Undoes "&amp;" or "&#38;", or is 0. */
static size_t unescape_reference(const char *p, size_t n, char *out, size_t *ret_n)
{
	static const struct { struct span name; char c; } named[] = {
		{ { "&amp;", 5 }, '&' }, { { "&lt;", 4 }, '<' }, { { "&gt;", 4 }, '>' },
		{ { "&quot;", 6 }, '"' }, { { "&apos;", 6 }, '\'' },
	};
	struct span s = span_make(p, n);
	unsigned base = n > 2 && (p[2] | 0x20) == 'x' ? 16 : 10;
	size_t i = base == 16 ? 3 : 2, first = i;
	int v = 0;

	for (size_t k = 0; k < ARRAY_SIZE(named); k++)
		if (span_starts(s, named[k].name)) {
			out[0] = named[k].c;
			return named[k].name.len;
		}
	if (n < 4 || p[1] != '#')
		return 0;
	for (; i < n && i < REFERENCE_MAX; i++) {
		int d = ascii_hex_value(p[i]);

		if (d < 0 || d >= (int)base)
			break;
		v = v * (int)base + d;
	}
	if (i == first || i >= n || p[i] != ';' || v == 0 || v > 0xffff)
		return 0;
	*ret_n = put_utf8(v, out);
	return i + 1;
}

/* Undoes the escape at p, if there is one: bytes read; *ret_n of out (4 bytes) are its meaning. */
static size_t unescape_one(const char *p, size_t n, char *out, size_t *ret_n)
{
	static const char from[] = "nrtfvba", to[] = "\n\r\t\f\v\b\a";
	const char *known;
	size_t used;
	int v;

	*ret_n = 1;
	out[0] = p[0];
	if (p[0] == '%' && n > 2 && (v = hex_number(p + 1, 2)) >= 0) {
		out[0] = (char)v;
		return 3;
	}
	if (p[0] == '&' && (used = unescape_reference(p, n, out, ret_n)))
		return used;
	if (p[0] != '\\' || n < 2)
		return 1;
	if (p[1] == 'x' && n > 3 && (v = hex_number(p + 2, 2)) >= 0) {
		out[0] = (char)v;
		return 4;
	}
	if (p[1] == 'u' && n > 5 && (v = hex_number(p + 2, 4)) >= 0) {
		*ret_n = put_utf8(v, out);
		return 6;
	}
	if (p[1] >= '0' && p[1] <= '7')
		return unescape_octal(p, n, out);
	if (is_mark(p[1])) {
		out[0] = p[1];
		return 2;
	}
	known = p[1] ? strchr(from, p[1]) : NULL;
	if (!known)
		return 1;
	out[0] = to[known - from];
	return 2;
}

const char *layer_find_reference(const char *p, const char *end)
{
	char out[4];
	size_t n;

	for (; p < end && (p = memchr(p, '&', (size_t)(end - p))); p++)
		if (unescape_reference(p, (size_t)(end - p), out, &n))
			return p;
	return end;
}

enum finding_form layer_form(struct span src)
{
	const char *p = src.p, *end = src.p + src.len;

	if (memchr(src.p, '\\', src.len))
		return FORM_JSON;
	for (; p < end && (p = memchr(p, '%', (size_t)(end - p))); p++)
		if (end - p > 2 && hex_number(p + 1, 2) >= 0)
			return FORM_URL;
	return layer_find_reference(src.p, end) < end ? FORM_XML : FORM_PLAIN;
}

bool layer_has_escapes(struct span src)
{
	return layer_form(src) != FORM_PLAIN;
}

void layer_unescape(struct span src, struct buf *ret)
{
	size_t i = 0, n;
	char out[4];

	while (i < src.len) {
		i += unescape_one(src.p + i, src.len - i, out, &n);
		buf_add(ret, out, n);
	}
}

void layer_reset(struct layer *l)
{
	buf_reset(&l->bytes);
	l->n = 0;
}

void layer_done(struct layer *l)
{
	buf_done(&l->bytes);
	free(l->map);
	free(l->parts);
	*l = (struct layer){ .map = NULL };
}

void layer_add(struct layer *l, struct span src, uint64_t base)
{
	size_t i = 0, k, n, at = l->bytes.len;
	char out[4];

	GROW(l->parts, l->n, l->cap_parts);
	l->parts[l->n++] = (struct layer_part){ .at = (uint32_t)at, .base = base };
	/* no escape means more bytes than it has; one more entry for the end, one for the
	   separator */
	if (l->cap < at + src.len + 2) {
		l->cap = (at + src.len + 2) * 2;
		l->map = xreallocarray(l->map, l->cap, sizeof(*l->map));
	}
	while (i < src.len) {
		size_t used = unescape_one(src.p + i, src.len - i, out, &n);

		for (k = 0; k < n; k++)
			l->map[at++] = (uint32_t)i;
		buf_add(&l->bytes, out, n);
		i += used;
	}
	l->map[at] = (uint32_t)src.len;
	buf_add_char(&l->bytes, '\n');
}

bool layer_source(const struct layer *l, size_t from, size_t to, uint64_t *ret_off,
		  uint64_t *ret_end)
{
	size_t lo = 0, hi = l->n, stop;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->parts[mid].at <= from)
			lo = mid;
		else
			hi = mid;
	}
	if (l->n == 0)
		return false;
	stop = (lo + 1 < l->n ? l->parts[lo + 1].at : l->bytes.len) - 1;
	if (from >= stop)
		return false;
	if (to > stop)
		to = stop;
	/* an escape of several bytes goes whole */
	while (to < stop && l->map[to] == l->map[to - 1])
		to++;
	*ret_off = l->parts[lo].base + l->map[from];
	*ret_end = l->parts[lo].base + l->map[to];
	return true;
}
