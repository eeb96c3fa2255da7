/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

#include <stdlib.h>

/*
 * What PCRE2 does not tell about a regex: the greatest width of a match, on which the windows of a
 * scan rest. A regex has been compiled before it comes here, so the reader below can rely on its
 * syntax and on PCRE2's own limit of nesting; where it is in doubt, the width is unbounded.
 */

struct reader {
	const char *start, *p, *end;
	bool extended;			/* (?x) */
	struct regex_shape *shape;
};

struct width {
	size_t min, max;
};

static size_t add_sat(size_t a, size_t b)
{
	size_t sum;

	return __builtin_add_overflow(a, b, &sum) ? WIDTH_UNBOUNDED : sum;
}

static size_t mul_sat(size_t a, size_t b)
{
	size_t product;

	return __builtin_mul_overflow(a, b, &product) ? WIDTH_UNBOUNDED : product;
}

static void refuse(struct reader *r, const char *what)
{
	if (!r->shape->refused) {
		r->shape->refused = what;
		r->shape->refused_at = (size_t)(r->p - r->start);
	}
}

static struct width read_alternatives(struct reader *r);

/* Behind "[": up to its "]". POSIX classes and escapes may hold one. */
static void skip_class(struct reader *r)
{
	if (r->p < r->end && *r->p == '^')
		r->p++;
	if (r->p < r->end && *r->p == ']')
		r->p++;
	while (r->p < r->end && *r->p != ']') {
		if (r->p[0] == '\\' && r->p + 1 < r->end) {
			r->p += 2;
		} else if (r->p[0] == '[' && r->p + 1 < r->end && strchr(":.=", r->p[1])) {
			const char *close = memmem(r->p + 2, (size_t)(r->end - r->p - 2), ":]", 2);

			r->p = close && r->p[1] == ':' ? close + 2 : r->p + 1;
		} else {
			r->p++;
		}
	}
	if (r->p < r->end)
		r->p++;
}

static void skip_braces(struct reader *r)
{
	if (r->p < r->end && *r->p == '{')
		while (r->p < r->end && *r->p++ != '}')
			;
}

/* Behind a backslash. */
static struct width read_escape(struct reader *r)
{
	char c = r->p < r->end ? *r->p : '\0';

	if (c && strchr("AZzGKQE", c))
		refuse(r, "\\A \\Z \\z \\G \\K \\Q \\E can't be used in rules; ^ and $ are a line's ends");
	r->p += r->p < r->end;
	switch (c) {
	case 'b': case 'B':
		return (struct width){ 0, 0 };
	case 'R':
		return (struct width){ 1, 2 };
	case 'X':
		return (struct width){ 1, WIDTH_UNBOUNDED };
	case 'g': case 'k':
		return (struct width){ 0, WIDTH_UNBOUNDED };
	case 'x':
		if (r->p < r->end && *r->p == '{')
			skip_braces(r);
		else
			for (int i = 0; i < 2 && r->p < r->end && strchr("0123456789abcdefABCDEF", *r->p); i++)
				r->p++;
		return (struct width){ 1, 1 };
	case 'o': case 'p': case 'P': case 'N':
		if (r->p < r->end && *r->p == '{')
			skip_braces(r);
		else if (c == 'p' || c == 'P')
			r->p++;
		return (struct width){ 1, 1 };
	case 'c':
		r->p += r->p < r->end;
		return (struct width){ 1, 1 };
	case '0':
		for (int i = 0; i < 2 && r->p < r->end && *r->p >= '0' && *r->p <= '7'; i++)
			r->p++;
		return (struct width){ 1, 1 };
	default:
		if (c >= '1' && c <= '9')	/* a back reference, or an octal code: in doubt */
			return (struct width){ 0, WIDTH_UNBOUNDED };
		return (struct width){ 1, 1 };
	}
}

/* Flags of "(?flags)" and "(?flags:"; r->p stands on the first. True if the group ended with them. */
static bool read_flags(struct reader *r)
{
	bool on = true;

	for (; r->p < r->end && *r->p != ':' && *r->p != ')'; r->p++) {
		if (*r->p == '-')
			on = false;
		else if (*r->p == '^')
			r->extended = false;
		else if (*r->p == 'x')
			r->extended = on;
	}
	if (r->p < r->end && *r->p++ == ')')
		return true;
	return false;
}

static void skip_name(struct reader *r, char close)
{
	while (r->p < r->end && *r->p++ != close)
		;
}

/* Behind "(?": what kind of group. False if the group is over and counts as `*ret`. */
static bool open_group(struct reader *r, bool *ret_assertion, bool *ret_known)
{
	char c = r->p < r->end ? *r->p : '\0', next = r->p + 1 < r->end ? r->p[1] : '\0';

	if (c == '#') {
		refuse(r, "comments like (?#…) can't be used in rules; (?x) has its own");
		skip_name(r, ')');
		return false;
	}
	if (c == ':' || c == '|' || c == '>') {
		r->p++;
	} else if (c == '=' || c == '!') {
		r->p++;
		*ret_assertion = true;
	} else if (c == '<' && (next == '=' || next == '!')) {
		r->p += 2;
		*ret_assertion = true;
	} else if (c == '<' || c == '\'') {
		r->p++;
		skip_name(r, c == '<' ? '>' : '\'');
	} else if (c == 'P' && next == '<') {
		skip_name(r, '>');
	} else if (c && strchr("imsnxJU^-", c) && !(c == '-' && next >= '0' && next <= '9')) {
		return !read_flags(r);
	} else {
		*ret_known = false;	/* conditions, recursion, callouts */
	}
	return true;
}

/* Behind "(". */
static struct width read_group(struct reader *r, bool *ret_scoped)
{
	bool assertion = false, known = true, extended = r->extended;
	struct width w;

	*ret_scoped = true;
	if (r->p < r->end && *r->p == '*') {
		refuse(r, "verbs like (*…) can't be used in rules");
		skip_name(r, ')');
		return (struct width){ 0, 0 };
	}
	if (r->p < r->end && *r->p == '?') {
		r->p++;
		if (!open_group(r, &assertion, &known)) {
			*ret_scoped = false;
			return (struct width){ 0, 0 };
		}
	}
	w = read_alternatives(r);
	r->extended = extended;
	if (r->p < r->end)
		r->p++;
	if (!known)
		return (struct width){ 0, WIDTH_UNBOUNDED };
	return assertion ? (struct width){ 0, 0 } : w;
}

static bool read_number(const char **p, const char *end, size_t *ret)
{
	const char *start = *p;

	*ret = 0;
	while (*p < end && **p >= '0' && **p <= '9' && *p - start < 6)
		*ret = *ret * 10 + (size_t)(*(*p)++ - '0');
	return *p > start;
}

/* A quantifier, if one stands here. "{" that begins none is a literal. */
static struct width read_quantifier(struct reader *r, struct width w)
{
	size_t min = 1, max = 1;
	const char *p = r->p;

	if (p >= r->end)
		return w;
	if (*p == '*' || *p == '+' || *p == '?') {
		min = *p == '+';
		max = *p++ == '?' ? 1 : WIDTH_UNBOUNDED;
	} else if (*p == '{') {
		p++;
		if (!read_number(&p, r->end, &min))
			return w;
		max = min;
		if (p < r->end && *p == ',') {
			p++;
			if (!read_number(&p, r->end, &max))
				max = WIDTH_UNBOUNDED;
		}
		if (p >= r->end || *p++ != '}')
			return w;
	} else {
		return w;
	}
	if (p < r->end && (*p == '?' || *p == '+'))
		p++;
	r->p = p;
	return (struct width){ mul_sat(w.min, min), w.max == 0 ? 0 : mul_sat(w.max, max) };
}

static struct width read_atom(struct reader *r, bool *ret_quantifiable)
{
	char c = *r->p++;

	*ret_quantifiable = true;
	switch (c) {
	case '(':
		return read_group(r, ret_quantifiable);
	case '[':
		skip_class(r);
		return (struct width){ 1, 1 };
	case '^':
	case '$':
		return (struct width){ 0, 0 };
	case '\\':
		return read_escape(r);
	default:
		return (struct width){ 1, 1 };
	}
}

/* White space and comments under (?x). */
static bool skip_extended(struct reader *r)
{
	if (!r->extended || !strchr(" \t\n\v\f\r#", *r->p))
		return false;
	if (*r->p == '#')
		while (r->p < r->end && *r->p != '\n')
			r->p++;
	r->p += r->p < r->end;
	return true;
}

static struct width read_alternatives(struct reader *r)
{
	struct width all = { WIDTH_UNBOUNDED, 0 }, sequence = { 0, 0 };

	while (r->p < r->end && *r->p != ')') {
		bool quantifiable;
		struct width w;

		if (skip_extended(r))
			continue;
		if (*r->p == '|') {
			r->p++;
			all.min = sequence.min < all.min ? sequence.min : all.min;
			all.max = sequence.max > all.max ? sequence.max : all.max;
			sequence = (struct width){ 0, 0 };
			continue;
		}
		w = read_atom(r, &quantifiable);
		while (quantifiable && r->p < r->end && skip_extended(r))
			;
		if (quantifiable)
			w = read_quantifier(r, w);
		sequence.min = add_sat(sequence.min, w.min);
		sequence.max = add_sat(sequence.max, w.max);
	}
	all.min = sequence.min < all.min ? sequence.min : all.min;
	all.max = sequence.max > all.max ? sequence.max : all.max;
	return all;
}

void rule_regex_shape(struct span regex, struct regex_shape *ret)
{
	struct reader r = { regex.p, regex.p, regex.p + regex.len, false, ret };
	struct width w;

	*ret = (struct regex_shape){ 0 };
	if (memchr(regex.p, '\0', regex.len))
		refuse(&r, "a NUL byte is written \\x00");
	w = read_alternatives(&r);
	ret->min = w.min;
	ret->max = r.p == r.end ? w.max : WIDTH_UNBOUNDED;
}

int rule_regex_compile(const struct conf *c, const struct conf_node *at, bool multiline,
		       pcre2_code **ret, struct err *err)
{
	uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
			   PCRE2_USE_OFFSET_LIMIT | (multiline ? PCRE2_MULTILINE : 0);
	pcre2_compile_context *cc;
	struct regex_shape shape;
	pcre2_code *code;
	PCRE2_SIZE where;
	int number;

	if (at->text.len == 0 || at->text.len > LIMIT_REGEX)
		return conf_err(c, at, err, "a regex must have 1 to %zu bytes", LIMIT_REGEX);
	cc = pcre2_compile_context_create(NULL);
	if (!cc)
		return err_set(err, RC_NOMEM, "out of memory");
	pcre2_set_newline(cc, PCRE2_NEWLINE_LF);
	code = pcre2_compile((PCRE2_SPTR)at->text.p, at->text.len, options, &number, &where, cc);
	pcre2_compile_context_free(cc);
	if (!code) {
		PCRE2_UCHAR msg[160] = "";

		pcre2_get_error_message(number, msg, sizeof(msg));
		return conf_err_in(c, at, where, err, "bad regex: %s", (const char *)msg);
	}
	rule_regex_shape(at->text, &shape);
	if (shape.refused) {
		pcre2_code_free(code);
		return conf_err_in(c, at, shape.refused_at, err, "bad regex: %s", shape.refused);
	}
	*ret = code;
	return RC_OK;
}

char *rule_regex_hint(struct span regex)
{
	return xstrndup(regex.p, regex.len);
}
