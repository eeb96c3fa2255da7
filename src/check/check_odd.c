/* SPDX-License-Identifier: Apache-2.0 */
#include "check_internal.h"

/* Hints: what no rule knows, and what a person would stop at. Nothing here is an error. */

#define ODD_LEAST 20		/* shorter mixtures are names of things */
#define ODD_MOST 400		/* bytes looked at on each side */
#define ODD_BITS 3.6		/* Shannon, a byte; random base64 of 20 bytes has about 4.1 */

static bool is_run(char c)
{
	return is_digit(c) || is_alpha(c) || c == '+' || c == '/' || c == '_' || c == '-';
}

struct mixture { size_t digits, upper, lower, signs; };

static void count(struct span s, struct mixture *ret)
{
	*ret = (struct mixture){ 0 };
	for (size_t i = 0; i < s.len; i++) {
		ret->digits += is_digit(s.p[i]);
		ret->upper += s.p[i] >= 'A' && s.p[i] <= 'Z';
		ret->lower += s.p[i] >= 'a' && s.p[i] <= 'z';
		ret->signs += !is_digit(s.p[i]) && !is_alpha(s.p[i]);
	}
}

/* Mangled C++ names and paths are as mixed as keys. */
static bool is_name(struct span s)
{
	size_t slashes = 0;

	for (size_t i = 0; i < s.len; i++)
		slashes += s.p[i] == '/';
	return span_find(s, SPAN_LIT("_Z"), 0) >= 0 || slashes * 12 > s.len;
}

void check_odd_mixture(struct look *l, size_t p)
{
	const char *t = l->text.p;
	size_t off = p, end = p + 1;
	struct mixture m;
	struct span s;

	if (p < l->odd_end)
		return;
	while (off > 0 && p - off < ODD_MOST && is_run(t[off - 1]) && !look_escape_before(l->text, off))
		off--;
	while (end < l->text.len && end - p < ODD_MOST && is_run(t[end]))
		end++;
	l->odd_end = end;
	s = span_make(t + off, end - off);
	if (s.len < ODD_LEAST)
		return;
	count(s, &m);
	if (m.digits < 2 || m.upper < 3 || m.lower < 3 || m.signs * 6 > s.len || is_name(s) ||
	    value_entropy(s) < ODD_BITS || look_in_token(l->text, off, s.len))
		return;
	look_item(l, (struct check_item){ CHECK_HINT, KIND_SECRET, false, "looks random, as a key does",
					  off, (uint32_t)s.len });
}

/* Does a byte stand in quotes, as far as its line tells? */
static bool is_in_string(struct span t, size_t off)
{
	size_t from = off;
	bool quoted = false;

	while (from > 0 && t.p[from - 1] != '\n' && off - from < KIB(4))
		from--;
	for (size_t i = from; i < off; i++) {
		if (t.p[i] == '\\')
			i++;
		else if (t.p[i] == '"')
			quoted = !quoted;
	}
	return quoted;
}

bool check_odd_number(const struct look *l, size_t off)
{
	return is_in_string(l->text, off);
}
