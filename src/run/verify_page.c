/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_internal.h"

#include <stdlib.h>

/* A page as its reader sees it. Tags that break no word vanish, others end a line. */

static void stretch(struct page_map *m, size_t at, size_t from)
{
	if (m->n && m->v[m->n - 1].from + (at - m->v[m->n - 1].at) == from)
		return;
	GROW(m->v, m->n, m->cap);
	m->v[m->n++] = (struct page_stretch){ at, from };
}

size_t page_map_source(const struct page_map *m, size_t at)
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->v[mid].at > at)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo ? m->v[lo - 1].from + (at - m->v[lo - 1].at) : 0;
}

/* Behind the '>' that ends the tag at `at`; a comment ends at its own mark. */
static size_t tag_end(struct span s, size_t at)
{
	ssize_t end = span_starts(span_sub(s, at, s.len), SPAN_LIT("<!--")) ?
			      span_find(s, SPAN_LIT("-->"), at + 4) : -1;

	if (end >= 0)
		return (size_t)end + 3;
	end = span_find(s, SPAN_LIT(">"), at);
	return end < 0 ? s.len : (size_t)end + 1;
}

static bool is_inline(struct span tag)
{
	static const char *const names[] = {
		"b", "i", "em", "mark", "span", "a", "code", "strong", "wbr",
	};
	size_t from = tag.len > 1 && tag.p[1] == '/' ? 2 : 1, len = 0;

	while (from + len < tag.len && ((tag.p[from + len] | 0x20) >= 'a' &&
					(tag.p[from + len] | 0x20) <= 'z'))
		len++;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == len && strncasecmp(names[i], tag.p + from, len) == 0)
			return true;
	return false;
}

/* What has no words for the reader ends here: the place behind "</style" or "</script", or `at`. */
static size_t skip_raw(struct span s, size_t at)
{
	static const struct span names[] = { { "<style", 6 }, { "<script", 7 } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO_FREE char *close = NULL;
		ssize_t end;

		if (s.len - at < names[i].len ||
		    strncasecmp(s.p + at, names[i].p, names[i].len) != 0)
			continue;
		close = xasprintf("</%s", names[i].p + 1);
		end = span_find(s, span_str(close), at);
		return end < 0 ? s.len : (size_t)end;
	}
	return at;
}

static void add_point(struct buf *b, unsigned long n)
{
	if (n < 0x80) {
		buf_add_char(b, (char)n);
	} else if (n < 0x800) {
		buf_add_char(b, (char)(0xc0 | n >> 6));
		buf_add_char(b, (char)(0x80 | (n & 0x3f)));
	} else if (n < 0x10000) {
		buf_add_char(b, (char)(0xe0 | n >> 12));
		buf_add_char(b, (char)(0x80 | (n >> 6 & 0x3f)));
		buf_add_char(b, (char)(0x80 | (n & 0x3f)));
	} else {
		buf_add_char(b, '?');
	}
}

/* The entity at s.p (an ampersand); its length, or 0 if it is none. */
static size_t add_entity(struct span s, struct buf *b)
{
	static const struct { struct span name; char is; } named[] = {
		{ { "&lt;", 4 }, '<' }, { { "&gt;", 4 }, '>' }, { { "&amp;", 5 }, '&' },
		{ { "&quot;", 6 }, '"' }, { { "&apos;", 6 }, '\'' }, { { "&nbsp;", 6 }, ' ' },
	};
	char digits[12] = "";
	unsigned long point;
	bool hex;
	char *end;
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		if (span_starts(s, named[i].name)) {
			buf_add_char(b, named[i].is);
			return named[i].name.len;
		}
	if (s.len < 4 || s.p[1] != '#')
		return 0;
	hex = s.p[2] == 'x' || s.p[2] == 'X';
	len = s.len - 2 - hex < sizeof(digits) - 1 ? s.len - 2 - hex : sizeof(digits) - 1;
	memcpy(digits, s.p + 2 + hex, len);
	point = strtoul(digits, &end, hex ? 16 : 10);
	if (end == digits || *end != ';')
		return 0;
	add_point(b, point);
	return 2 + hex + (size_t)(end - digits) + 1;
}

static void add_line_end(struct buf *ret, struct page_map *map, size_t from)
{
	stretch(map, ret->len, from);
	buf_add_char(ret, '\n');
}

/* Plain text up to the next '<'. */
static void add_text(struct span s, size_t from, size_t to, struct buf *ret, struct page_map *map)
{
	while (from < to) {
		const char *amp = memchr(s.p + from, '&', to - from);
		size_t end = amp ? (size_t)(amp - s.p) : to, len;

		stretch(map, ret->len, from);
		buf_add(ret, s.p + from, end - from);
		from = end;
		if (from == to)
			return;
		stretch(map, ret->len, from);
		len = add_entity(span_sub(s, from, to), ret);
		if (!len)
			buf_add_char(ret, '&');
		from += len ? len : 1;
	}
}

void verify_page_text(struct span html, struct buf *ret, struct page_map *ret_map)
{
	struct buf behind = BUF_INIT;
	struct page_map behind_map = { .v = NULL };
	size_t at = 0;

	while (at < html.len) {
		const char *lt = memchr(html.p + at, '<', html.len - at);
		size_t tag = lt ? (size_t)(lt - html.p) : html.len, end;

		add_text(html, at, tag, ret, ret_map);
		if (tag == html.len)
			break;
		end = skip_raw(html, tag);
		if (end == tag)
			end = tag_end(html, tag);
		if (!is_inline(span_sub(html, tag, end)))
			add_line_end(ret, ret_map, tag);
		add_text(html, tag + 1, end - (html.p[end - 1] == '>'), &behind, &behind_map);
		add_line_end(&behind, &behind_map, end);
		at = end;
	}
	add_line_end(ret, ret_map, html.len);
	for (size_t i = 0; i < behind_map.n; i++)
		stretch(ret_map, ret->len + behind_map.v[i].at, behind_map.v[i].from);
	buf_add_span(ret, buf_span(&behind));
	buf_done(&behind);
	free(behind_map.v);
}
