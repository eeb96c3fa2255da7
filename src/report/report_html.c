/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <stdio.h>

/* Text as HTML: nothing in it is markup, nothing in it is invisible. */

/* A byte that is no UTF-8, or a character that can't be seen, in the reader's own terms. */
static void add_hidden(struct buf *ret, unsigned char byte, uint32_t point)
{
	if (point == REPORT_INVALID || point < 0x80)
		buf_addf(ret, point == '\r' ? "<i>\\r</i>" : "<i>\\x%02x</i>", byte);
	else
		buf_addf(ret, "<i>&lt;U+%04X&gt;</i>", point);
}

static void add_char(struct buf *ret, const char *p, size_t len, uint32_t point)
{
	switch (point) {
	case '<':
		buf_add_str(ret, "&lt;");
		break;
	case '>':
		buf_add_str(ret, "&gt;");
		break;
	case '&':
		buf_add_str(ret, "&amp;");
		break;
	case '"':
		buf_add_str(ret, "&quot;");
		break;
	case '\'':
		buf_add_str(ret, "&#39;");
		break;
	case '\t':
		buf_add_char(ret, '\t');
		break;
	default:
		if (point == REPORT_INVALID || report_char_is_hidden(point))
			add_hidden(ret, (unsigned char)*p, point);
		else
			buf_add(ret, p, len);
	}
}

/* How many bytes from `from` on are ASCII that stands for itself: nearly all, so they go at
   once. */
static size_t plain_run(struct span text, size_t from)
{
	size_t i = from;

	while (i < text.len && text.p[i] >= 0x20 && text.p[i] < 0x7f && text.p[i] != '<' &&
	       text.p[i] != '>' && text.p[i] != '&' && text.p[i] != '"' && text.p[i] != '\'')
		i++;
	return i - from;
}

void report_html_text(struct buf *ret, struct span text)
{
	for (size_t i = 0; i < text.len;) {
		size_t run = plain_run(text, i), len;
		uint32_t point;

		buf_add(ret, text.p + i, run);
		i += run;
		if (i == text.len)
			break;
		len = report_char(span_sub(text, i, text.len), &point);
		add_char(ret, text.p + i, len, point);
		i += len;
	}
}

void report_html_str(struct buf *ret, const char *s)
{
	report_html_text(ret, span_str(s ? s : ""));
}

/* The classes that the style gives colours to. */
const char *report_html_class(enum kind kind)
{
	switch (kind) {
	case KIND_IP4: case KIND_IP4_LAN: case KIND_IP6: case KIND_IP6_LAN: case KIND_MAC:
	case KIND_HOST: case KIND_PATH:
		return "n";	/* network and machine */
	case KIND_SECRET: case KIND_TOKEN: case KIND_KEY: case KIND_HASH: case KIND_CARD:
	case KIND_DTMF:
		return "s";	/* secrets */
	default:
		return "p";	/* people */
	}
}

void report_html_marked(struct buf *ret, struct span text)
{
	size_t from = 0, at = 0, len;
	enum kind kind;

	for (; (len = value_token_next(text, &at, &kind)); from = at += len) {
		report_html_text(ret, span_sub(text, from, at));
		buf_addf(ret, "<mark class=%s>", report_html_class(kind));
		report_html_text(ret, span_sub(text, at, at + len));
		buf_add_str(ret, "</mark>");
	}
	report_html_text(ret, span_sub(text, from, text.len));
}

uint64_t report_count_tokens(struct span text)
{
	uint64_t n = 0;
	size_t at = 0, len;
	enum kind kind;

	for (; (len = value_token_next(text, &at, &kind)); at += len)
		n++;
	return n;
}

void report_html_number(struct buf *ret, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf_add_char(ret, ',');
		buf_add_char(ret, digits[i]);
	}
}

/* The policy allows this one style, by its digest, and nothing else: no script, image, request. */
static void add_policy(struct buf *ret)
{
	uint8_t digest[DIGEST_LEN];

	digest_sha256(span_str(report_style), digest);
	buf_add_str(ret, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
			 "style-src 'sha256-");
	value_base64_encode(span_make((const char *)digest, DIGEST_LEN), ret);
	buf_add_str(ret, "'; base-uri 'none'; form-action 'none'\">\n");
}

void report_html_begin(struct buf *ret, const char *title, const char *lead)
{
	buf_add_str(ret, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	add_policy(ret);
	buf_add_str(ret, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
			 "<meta name=\"referrer\" content=\"no-referrer\">\n"
			 "<meta name=\"robots\" content=\"noindex\">\n<title>");
	report_html_str(ret, title);
	buf_add_str(ret, "</title>\n<style>");
	buf_add_str(ret, report_style);
	buf_add_str(ret, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">"
			 "Skip to the content</a>\n<header>\n<h1>");
	report_html_str(ret, title);
	buf_add_str(ret, "</h1>\n<p>");
	buf_add_str(ret, lead);
	buf_add_str(ret, "</p>\n</header>\n<main id=\"main\">\n");
}

void report_html_end(struct buf *ret)
{
	buf_add_str(ret, "</main>\n</body>\n</html>\n");
}
