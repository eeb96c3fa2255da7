/* SPDX-License-Identifier: Apache-2.0 */
#include "detect_internal.h"

/* Values as memory has them: addresses in integers, arrays and half-escaped strings. Integers
   are those of a little-endian machine. */

#define ITEMS_MAX 4096		/* bytes of one array or string that are looked at */

static bool packed_ip4(const uint8_t a[4], struct buf *ret, enum kind *ret_kind)
{
	char text[16];

	value_ip4_format(a, text);
	buf_add_str(ret, text);
	*ret_kind = KIND_IP4;
	return true;
}

bool packed_address(struct span bytes, enum kind kind, struct buf *ret, enum kind *ret_kind)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t none[12];
	const uint8_t *p = (const uint8_t *)bytes.p;
	char text[40];

	/* a field with room for either, an IPv4 address in it */
	if (bytes.len == 16 && kind == KIND_IP4 && memcmp(p + 4, none, sizeof(none)) == 0)
		return packed_ip4(p, ret, ret_kind);
	if (bytes.len >= 16 && (kind == KIND_IP6 || kind == KIND_IP6_LAN || bytes.len == 16)) {
		if (memcmp(p, mapped, sizeof(mapped)) == 0)
			return packed_ip4(p + 12, ret, ret_kind);
		value_ip6_format(p, text);
		buf_add_str(ret, text);
		*ret_kind = KIND_IP6;
		return true;
	}
	return bytes.len >= 4 && packed_ip4(p, ret, ret_kind);
}

bool packed_sockaddr(struct span data, bool is_ip6, uint32_t *ret_from, uint32_t *ret_to)
{
	/* sockaddr_in: port, address; sockaddr_in6: port, flow, address */
	*ret_from = is_ip6 ? 6 : 2;
	*ret_to = is_ip6 ? 22 : 6;
	if (data.len < *ret_to)
		*ret_to = (uint32_t)data.len;
	return *ret_to > *ret_from;
}

bool packed_integer(struct span src, uint64_t *ret)
{
	bool negative = src.len && src.p[0] == '-';
	size_t i = negative;
	unsigned base = 10;
	uint64_t v = 0;

	if (src.len > 2 && src.p[0] == '0' && (src.p[1] | 0x20) == 'x') {
		base = 16;
		i = 2;
	}
	if (i == src.len)
		return false;
	for (; i < src.len; i++) {
		char c = src.p[i];
		unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') :
			(c | 0x20) >= 'a' && (c | 0x20) <= 'f' ?
			(unsigned)((c | 0x20) - 'a' + 10) : 99;

		if (digit >= base) {
			if (c == ' ' && i > negative)
				break;		/* 65 'A' */
			return false;
		}
		v = v * base + digit;
	}
	*ret = negative ? -v : v;
	return true;
}

struct item { uint64_t integer, repeats; };

/* The next number of "{1, 2 <repeats 3 times>, 4}" at *pos. */
static bool next_item(struct span src, size_t *pos, struct item *ret)
{
	size_t i = *pos, start;
	struct span tail;

	while (i < src.len && !(src.p[i] >= '0' && src.p[i] <= '9') && src.p[i] != '-')
		i++;
	start = i;
	while (i < src.len && src.p[i] != ',' && src.p[i] != ' ' && src.p[i] != '}')
		i++;
	if (start == i || !packed_integer(span_sub(src, start, i), &ret->integer)) {
		*pos = src.len;
		return false;
	}
	ret->repeats = 1;
	tail = span_sub(src, i, src.len);
	/* 65 'A' has a character behind its number, which may be anything */
	if (span_starts(tail, SPAN_LIT(" '"))) {
		bool escaped = tail.len > 2 && tail.p[2] == '\\';
		ssize_t close = span_find(tail, SPAN_LIT("'"), escaped ? 4 : 3);

		i += close < 0 ? tail.len : (size_t)close + 1;
		tail = span_sub(src, i, src.len);
	}
	if (span_starts(tail, SPAN_LIT(" <repeats "))) {
		size_t k = i + 10;
		uint64_t n = 0;

		while (k < src.len && src.p[k] >= '0' && src.p[k] <= '9' && n < ITEMS_MAX)
			n = n * 10 + (uint64_t)(src.p[k++] - '0');
		ret->repeats = n ? n : 1;
		while (k < src.len && src.p[k] != '>')
			k++;
		i = k;
	}
	*pos = i;
	return true;
}

/* An array's numbers, each with its repeats; arrays are small, gdb itself cuts them. */
#define ITEMS_KEPT 256

static unsigned item_width(const struct item *items, size_t n, bool is_ip6)
{
	uint64_t all = 0, count = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		/* a negative byte's upper bits say nothing */
		all |= items[i].integer >= (uint64_t)-128 ? items[i].integer & 0xff :
			items[i].integer;
		count += items[i].repeats;
	}
	/* an IPv6 address has 16 bytes, whatever their numbers */
	if (is_ip6 && (count == 8 || count == 4))
		return count == 8 ? 2 : 4;
	return all < 0x100 ? 1 : all < 0x10000 ? 2 : all >> 32 ? 8 : 4;
}

void packed_array(struct span src, bool is_ip6, struct buf *ret)
{
	struct item items[ITEMS_KEPT];
	size_t pos = 0, n = 0, i, done = 0;
	unsigned width;

	while (n < ITEMS_KEPT && next_item(src, &pos, &items[n]))
		n++;
	width = item_width(items, n, is_ip6);
	for (i = 0; i < n; i++) {
		uint64_t times = items[i].repeats;

		for (; times && done < ITEMS_MAX; times--, done++)
			buf_add(ret, &items[i].integer, width);	/* little-endian, as we are */
	}
}

static size_t unquote_escape(const char *p, size_t n, struct buf *ret)
{
	static const char from[] = "nrtfvbae\"'\\", to[] = "\n\r\t\f\v\b\a\033\"'\\";
	const char *known;
	size_t i;
	int v = 0;

	if (n < 2) {
		buf_add_char(ret, p[0]);
		return 1;
	}
	for (i = 1; i < n && i < 4 && p[i] >= '0' && p[i] <= '7'; i++)
		v = v * 8 + (p[i] - '0');
	if (i > 1) {
		buf_add_char(ret, (char)v);
		return i;
	}
	known = p[1] ? strchr(from, p[1]) : NULL;
	if (!known) {
		buf_add_char(ret, p[0]);
		return 1;
	}
	buf_add_char(ret, to[known - from]);
	return 2;
}

/* 'c' <repeats N times>, from its first quote: bytes read. */
static size_t unquote_repeat(struct span s, struct buf *ret)
{
	static const struct span repeats = { " <repeats ", 10 };
	size_t at = ret->len, i = 1, n = 0;
	char c;

	while (i < s.len && s.p[i] != '\'') {
		if (s.p[i] == '\\')
			i += unquote_escape(s.p + i, s.len - i, ret);
		else
			buf_add_char(ret, s.p[i++]);
	}
	i++;
	if (ret->len == at || !span_starts(span_sub(s, i, s.len), repeats))
		return i;
	c = ret->p[at];
	for (i += repeats.len; i < s.len && s.p[i] >= '0' && s.p[i] <= '9' && n < ITEMS_MAX; i++)
		n = n * 10 + (size_t)(s.p[i] - '0');
	while (i < s.len && s.p[i] != '>')
		i++;
	for (; n > 1 && ret->len - at < ITEMS_MAX; n--)
		buf_add_char(ret, c);
	return i;
}

void gdb_unquote(struct span src, bool outside, struct buf *ret)
{
	size_t i = 0;

	while (i < src.len) {
		char c = src.p[i];

		if (!outside && c == '\\') {
			i += unquote_escape(src.p + i, src.len - i, ret);
		} else if (!outside && c != '"') {
			buf_add_char(ret, c);
			i++;
		} else if (outside && c == '\'') {
			i += unquote_repeat(span_sub(src, i, src.len), ret);
		} else if (outside && c == '\\') {
			/* <incomplete sequence \303> */
			i += unquote_escape(src.p + i, src.len - i, ret);
		} else {
			outside ^= c == '"';
			i++;
		}
	}
}
