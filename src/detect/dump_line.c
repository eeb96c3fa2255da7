/* SPDX-License-Identifier: Apache-2.0 */
#include "dump_internal.h"

#include <corescrub/base/text_bits.h>

/*
 * Lines of a hex dump, as hexdump -C, xxd, tcpdump -X and OpenSSL print them: groups of two or more
 * hex digits behind an address or not, between blanks, colons or dashes, and perhaps the same once
 * more as characters.
 */

#define GROUP_MAX 16		/* digits */
#define RUN_MIN 8		/* bytes that make a dump of a line that stands alone */

static bool is_hex(char c)
{
	return ascii_hex_value(c) >= 0;
}

static size_t group_len(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && n <= GROUP_MAX && is_hex(p[n]))
		n++;
	return n;
}

static bool is_word(char c)
{
	return ascii_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

/* Groups from p on: the first one's size, the last one's may be less. Where they end; *ret_whole:
   where the ones of that size do. */
static const char *read_groups(const char *p, const char *end, struct dump_line *ret,
			       const char **ret_whole)
{
	size_t size = group_len(p, end), n = size;
	const char *last = p + size;
	char sep = p + size < end ? p[size] : '\0';

	ret->n = 0;
	*ret_whole = last;
	if (size < 2 || size % 2 || size > GROUP_MAX || (size > 2 && sep != ' ') ||
	    !memchr(" :-", sep, 3))
		return last;
	while (n && n % 2 == 0 && n <= size && ret->n + n / 2 <= DUMP_LINE_MAX &&
	       (p + n == end || !is_word(p[n]))) {
		for (size_t i = 0; i < n; i += 2)
			ret->at[ret->n++] = (uint16_t)(p + i - ret->line.p);
		last = p + n;
		if (n == size)
			*ret_whole = last;
		if (n < size || last == end || *last != sep)
			break;
		p = last + 1;
		/* hexdump's second half */
		if (sep == ' ' && p < end && *p == ' ')
			p++;
		n = group_len(p, end);
	}
	ret->size = (uint8_t)size;
	ret->sep = sep;
	return last;
}

static char shown(char byte)
{
	return byte >= 0x20 && byte < 0x7f ? byte : '.';
}

/* The characters behind the groups, if they are the same bytes: where they begin, or 0. */
static uint16_t read_column(const struct dump_line *l, const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	if (p < end && *p == '|')
		p++;
	/* blanks may be characters */
	for (; end - p >= l->n; p--) {
		size_t i = 0;

		while (i < l->n && p[i] == shown(dump_byte(l, i)))
			i++;
		if (i == l->n)
			return (uint16_t)(p - l->line.p);
		if (p[-1] != ' ')
			break;
	}
	return 0;
}

char dump_byte(const struct dump_line *l, size_t i)
{
	const char *p = l->line.p + l->at[i];

	return (char)(ascii_hex_value(p[0]) << 4 | ascii_hex_value(p[1]));
}

/* An address, a colon perhaps, and blanks: what may stand before a dump's groups. */
static bool is_address(struct span s)
{
	size_t i = 0, first;

	while (i < s.len && (s.p[i] == ' ' || s.p[i] == '\t'))
		i++;
	i += i + 2 < s.len && s.p[i] == '0' && s.p[i + 1] == 'x' ? 2 : 0;
	for (first = i; i < s.len && is_hex(s.p[i]); i++)
		;
	if (i - first < 4)
		return false;
	i += i < s.len && s.p[i] == ':';
	first = i;
	while (i < s.len && (s.p[i] == ' ' || s.p[i] == '\t'))
		i++;
	return i == s.len && i > first;
}

bool dump_line_read(struct span line, bool goes_on, struct dump_line *ret)
{
	const char *p = line.p, *end = line.p + line.len;

	ret->line = line;
	if (line.len > DUMP_WIDTH_MAX)
		return false;
	while (p < end) {
		const char *start = p, *stop, *whole;
		bool addressed, first;

		if (!is_hex(*p) || (p > line.p && is_word(p[-1]))) {
			p++;
			continue;
		}
		stop = read_groups(p, end, ret, &whole);
		first = span_trim(span_make(line.p, (size_t)(start - line.p))).len == 0;
		addressed = is_address(span_make(line.p, (size_t)(start - line.p)));
		if ((addressed || ret->size == 2) &&
		    ret->n >= (goes_on && (addressed || first) ? 1 : RUN_MIN)) {
			ret->column = read_column(ret, stop, end);
			return true;
		}
		p = whole;
	}
	return false;
}

/* A bit for each of 64 bytes that is a hex digit, and that may stand between groups of them. */
static void dump_bits(const char *p, uint64_t *ret_hex, uint64_t *ret_sep)
{
	uint64_t hex = 0, sep = 0;
#ifdef __SSE2__
	for (unsigned at = 0; at < 64; at += 16) {
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
		__m128i digit = _mm_sub_epi8(c, _mm_set1_epi8('0'));
		__m128i letter = _mm_sub_epi8(_mm_or_si128(c, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
		__m128i h = _mm_or_si128(
			_mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit),
			_mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter));
		__m128i s = _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8(' ')),
					 _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8(':')),
						      _mm_cmpeq_epi8(c, _mm_set1_epi8('-'))));

		hex |= (uint64_t)(unsigned)_mm_movemask_epi8(h) << at;
		sep |= (uint64_t)(unsigned)_mm_movemask_epi8(s) << at;
	}
#else
	for (unsigned i = 0; i < 64; i++) {
		hex |= (uint64_t)is_hex(p[i]) << i;
		sep |= (uint64_t)(p[i] == ' ' || p[i] == ':' || p[i] == '-') << i;
	}
#endif
	*ret_hex = hex;
	*ret_sep = sep;
}

#define PAIRS_SPAN 23		/* eight pairs; a date with its time has six */
#define STEP (64 - PAIRS_SPAN + 1)

static bool block_has_groups(const char *p)
{
	uint64_t hex, sep, two, pairs, fours;

	dump_bits(p, &hex, &sep);
	two = hex & hex >> 1;
	pairs = two & sep >> 2;
	pairs &= pairs >> 3;
	pairs &= pairs >> 6;	/* four of them, then seven; nothing need stand behind the last */
	pairs &= pairs >> 9;
	fours = two & two >> 2 & sep >> 4;
	fours &= fours >> 5 & fours >> 10;
	return (pairs & two >> 21) || (fours & two >> 15 & two >> 17);
}

const char *dump_find(const char *p, const char *end)
{
	char last[64] = "";

	for (; end - p >= 64; p += STEP)
		if (block_has_groups(p))
			return p;
	if (p >= end)
		return end;
	memcpy(last, p, (size_t)(end - p));
	return block_has_groups(last) ? p : end;
}
