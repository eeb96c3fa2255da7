/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "regex_tree.h"

struct reader {
	const char *start, *p, *end;
	bool extended, nocase, dotall; /* (?x), (?i), (?s) */
	struct rx_tree *tree;
};

static struct rx_seq *read_alternatives(struct reader *r);

static void refuse(struct reader *r, const char *what)
{
	if (!r->tree->refused) {
		r->tree->refused = what;
		r->tree->refused_at = (size_t)(r->p - r->start);
	}
}

static bool at_char(const struct reader *r, const char *set)
{
	return r->p < r->end && *r->p && strchr(set, *r->p);
}

static void skip_past(struct reader *r, char close)
{
	while (r->p < r->end && *r->p++ != close)
		;
}

static struct rx_node *new_node(struct reader *r, enum rx_type type)
{
	struct rx_node *n = arena_alloc(r->tree->arena, sizeof(*n));

	n->type = type;
	n->text = "";
	n->min = n->max = 1;
	return n;
}

static struct rx_node *new_atom(struct reader *r, const char *text, size_t len, bool literal)
{
	struct rx_node *n = new_node(r, RX_ATOM);

	n->text = arena_strndup(r->tree->arena, text, len);
	n->literal = literal;
	n->nocase = r->nocase;
	return n;
}

/* What libhs does not know, in its words; inside a class without the brackets. */
static const char *translate_escape(char c, bool in_class)
{
	switch (c) {
	case 'h':
		return in_class ? "\\t \\xa0" : "[\\t \\xa0]";
	case 'H':
		return in_class ? NULL : "[^\\t \\xa0]";
	case 'v':
		return in_class ? "\\n-\\r\\x85" : "[\\n-\\r\\x85]";
	case 'V':
		return in_class ? NULL : "[^\\n-\\r\\x85]";
	case 'N':
		return in_class ? NULL : "[^\\n]";
	default:
		return "";
	}
}

/* The byte of \cX as \xHH: what stands behind \c is no escape and no bracket (pcre2pattern(3)). */
static void control_text(char c, char ret[8])
{
	if (c >= 'a' && c <= 'z')
		c -= 'a' - 'A';
	snprintf(ret, 8, "\\x%02x", (unsigned char)(c ^ 0x40));
}

/* Behind the "[:alpha:]" that stands here, in a class, or NULL: then its bracket is one like any
   other. */
static const char *posix_end(const struct reader *r)
{
	const char *i = r->p + 2;

	if (r->end - r->p < 4 || r->p[0] != '[' || r->p[1] != ':')
		return NULL;
	while (i < r->end && (*i == '^' || (*i >= 'a' && *i <= 'z') || (*i >= 'A' && *i <= 'Z')))
		i++;
	return r->end - i >= 2 && i[0] == ':' && i[1] == ']' ? i + 2 : NULL;
}

/* Behind "[": up to its "]". */
static struct rx_node *read_class(struct reader *r)
{
	AUTO_BUF b = BUF_INIT;
	bool known = true;
	char control[8];

	buf_add_char(&b, '[');
	if (at_char(r, "^"))
		buf_add_char(&b, *r->p++);
	if (at_char(r, "]")) {
		buf_add_str(&b, "\\]");
		r->p++;
	}
	while (r->p < r->end && *r->p != ']') {
		if (r->p[0] == '\\' && r->end - r->p > 2 && r->p[1] == 'c') {
			control_text(r->p[2], control);
			buf_add_str(&b, control);
			r->p += 3;
		} else if (r->p[0] == '\\' && r->p + 1 < r->end) {
			const char *other = translate_escape(r->p[1], true);

			if (strchr("QE", r->p[1]))
				refuse(r, "\\Q and \\E can't be used in rules");
			known &= other != NULL;
			if (other && *other)
				buf_add_str(&b, other);
			else
				buf_add(&b, r->p, 2);
			r->p += 2;
		} else if (posix_end(r)) {
			const char *end = posix_end(r);

			buf_add(&b, r->p, (size_t)(end - r->p));
			r->p = end;
		} else {
			if (*r->p == '[')
				buf_add_char(&b, '\\');
			buf_add_char(&b, *r->p++);
		}
	}
	r->p += r->p < r->end;
	buf_add_char(&b, ']');
	return known ? new_atom(r, b.p, b.len, false) : new_node(r, RX_UNKNOWN);
}

/* Digits of \x, \0 and \o behind the letter. */
static void skip_code(struct reader *r, char c)
{
	const char *digits = c == 'x' ? "0123456789abcdefABCDEF" : "01234567";

	/* \x{…} and \o{…}; behind \0 a brace is only a brace */
	if (c != '0' && at_char(r, "{"))
		skip_past(r, '}');
	else
		for (int i = 0; i < 2 && at_char(r, digits); i++)
			r->p++;
}

/* Behind a backslash. */
static struct rx_node *read_escape(struct reader *r)
{
	const char *start = r->p - 1, *other;
	char control[8], c = r->p < r->end ? *r->p : '\0';

	if (at_char(r, "AZzGKQE"))
		refuse(r, "\\A \\Z \\z \\G \\K \\Q \\E can't be used in rules; ^ and $ are a "
			  "line's ends");
	r->p += r->p < r->end;
	if (c == 'b' || c == 'B')
		return new_node(r, RX_ZERO);
	if (strchr("RXgk", c) || (c >= '1' && c <= '9'))
		return new_node(r, RX_UNKNOWN);
	other = translate_escape(c, false);
	if (other && *other)
		return new_atom(r, other, strlen(other), false);
	if (c == 'x' || c == 'o' || c == '0') {
		skip_code(r, c);
	} else if (c == 'p' || c == 'P') {
		if (at_char(r, "{"))
			skip_past(r, '}');
		else
			r->p += r->p < r->end;
	} else if (c == 'c' && r->p < r->end) {
		control_text(*r->p++, control);
		return new_atom(r, control, strlen(control), true);
	}
	return new_atom(r, start, (size_t)(r->p - start), !strchr("dDwWsSpP", c));
}

/* Letters of "(?flags)" and "(?flags:". True if ")" ended them. */
static bool read_flags(struct reader *r)
{
	bool on = true;

	for (; r->p < r->end && *r->p != ':' && *r->p != ')'; r->p++) {
		if (*r->p == '^')
			refuse(r, "(?^) can't be used in rules");
		else if (*r->p == '-')
			on = false;
		else if (*r->p == 'x')
			r->extended = on;
		else if (*r->p == 'i')
			r->nocase = on;
		else if (*r->p == 's')
			r->dotall = on;
	}
	return r->p < r->end && *r->p++ == ')';
}

/* Behind "(?": sets the node's type. False if the group is over already. */
static bool open_group(struct reader *r, struct rx_node *n)
{
	char c = r->p < r->end ? *r->p : '\0', next = r->p + 1 < r->end ? r->p[1] : '\0';

	if (c == '#') {
		refuse(r, "comments like (?#…) can't be used in rules; (?x) has its own");
	} else if (c == ':' || c == '|' || c == '>') {
		r->p++;
	} else if (c == '=' || c == '!' || (c == '<' && (next == '=' || next == '!'))) {
		n->type = c == '=' ? RX_AHEAD : c == '<' && next == '=' ? RX_BEHIND : RX_ZERO;
		n->not_behind = c == '<' && next == '!';
		r->p += c == '<' ? 2 : 1;
	} else if (c == '<' || c == '\'' || (c == 'P' && next == '<')) {
		r->p += c == 'P' ? 2 : 1;
		skip_past(r, c == '\'' ? '\'' : '>');
	} else if (c && strchr("imsnxJU^-", c) && !(c == '-' && next >= '0' && next <= '9')) {
		if (read_flags(r)) {
			n->type = RX_FLAGS;
			return false;
		}
	} else {
		n->type = RX_UNKNOWN;
	}
	return true;
}

/* Behind "(". */
static struct rx_node *read_group(struct reader *r)
{
	struct rx_node *n = new_node(r, RX_GROUP);
	struct reader before = *r;

	if (at_char(r, "*"))
		refuse(r, "verbs like (*…) can't be used in rules");
	if (at_char(r, "?")) {
		r->p++;
		if (!open_group(r, n))
			return n;
	}
	n->alternatives = read_alternatives(r);
	r->extended = before.extended;
	r->nocase = before.nocase;
	r->dotall = before.dotall;
	r->p += r->p < r->end;
	return n;
}

static struct rx_node *read_atom(struct reader *r)
{
	char c = *r->p++;

	switch (c) {
	case '(':
		return read_group(r);
	case '[':
		return read_class(r);
	case '\\':
		return read_escape(r);
	case '^':
	case '$':
		return new_node(r, RX_ZERO);
	case '.':
		return r->dotall ? new_atom(r, "(?s:.)", 6, false)
				 : new_atom(r, "[^\\n]", 5, false);
	case '{':
	case '}':
	case ']': /* literals here; libhs reads some of them otherwise */
		return new_atom(r, (char[]){ '\\', c }, 2, true);
	default:
		return new_atom(r, r->p - 1, 1, true);
	}
}

static bool read_number(const char **p, const char *end, size_t *ret)
{
	const char *start = *p;

	*ret = 0;
	while (*p < end && **p >= '0' && **p <= '9' && *p - start < 6)
		*ret = *ret * 10 + (size_t)(*(*p)++ - '0');
	return *p > start;
}

/* "{" that begins no quantifier is a literal, and stays where it is. */
static void read_quantifier(struct reader *r, struct rx_node *n)
{
	size_t min, max;
	const char *p = r->p;

	if (at_char(r, "*+?")) {
		min = *p == '+';
		max = *p++ == '?' ? 1 : RX_UNBOUNDED;
	} else if (at_char(r, "{")) {
		p++;
		if (!read_number(&p, r->end, &min))
			return;
		max = min;
		if (p < r->end && *p == ',') {
			p++;
			if (!read_number(&p, r->end, &max))
				max = RX_UNBOUNDED;
		}
		if (p >= r->end || *p++ != '}')
			return;
	} else {
		return;
	}
	if (p < r->end && (*p == '?' || *p == '+'))
		p++;
	r->p = p;
	n->min = min;
	n->max = max;
}

/* White space and comments under (?x). */
static bool skip_extended(struct reader *r)
{
	if (!r->extended || !at_char(r, " \t\n\v\f\r#"))
		return false;
	if (*r->p == '#')
		while (r->p < r->end && *r->p != '\n')
			r->p++;
	r->p += r->p < r->end;
	return true;
}

static void append(struct rx_seq *s, struct rx_node *n)
{
	n->prev = s->last;
	if (s->last)
		s->last->next = n;
	else
		s->first = n;
	s->last = n;
}

static struct rx_seq *read_alternatives(struct reader *r)
{
	struct rx_seq *first = arena_alloc(r->tree->arena, sizeof(*first)), *s = first;

	while (r->p < r->end && *r->p != ')') {
		struct rx_node *n;

		if (skip_extended(r))
			continue;
		if (*r->p == '|') {
			r->p++;
			s = s->next = arena_alloc(r->tree->arena, sizeof(*s));
			continue;
		}
		n = read_atom(r);
		append(s, n);
		if (n->type == RX_FLAGS)
			continue;
		while (r->p < r->end && skip_extended(r))
			;
		read_quantifier(r, n);
	}
	return first;
}

void rx_parse(struct span regex, struct rx_tree *ret)
{
	struct reader r = { regex.p, regex.p, regex.p + regex.len, false, false, false, ret };

	*ret = (struct rx_tree){ .arena = arena_new() };
	if (memchr(regex.p, '\0', regex.len))
		refuse(&r, "a NUL byte is written \\x00");
	ret->alternatives = read_alternatives(&r);
	if (r.p < r.end)
		refuse(&r, "a ) too many");
}

static size_t add_sat(size_t a, size_t b)
{
	size_t sum;

	return __builtin_add_overflow(a, b, &sum) ? RX_UNBOUNDED : sum;
}

static size_t mul_sat(size_t a, size_t b)
{
	size_t product;

	return __builtin_mul_overflow(a, b, &product) ? RX_UNBOUNDED : product;
}

struct rx_width rx_node_width(const struct rx_node *n)
{
	struct rx_width w = { 1, 1 };

	if (n->type == RX_FLAGS || n->type == RX_BEHIND || n->type == RX_AHEAD ||
	    n->type == RX_ZERO)
		return (struct rx_width){ 0, 0 };
	if (n->type == RX_UNKNOWN)
		return (struct rx_width){ 0, RX_UNBOUNDED };
	if (n->type == RX_GROUP)
		w = rx_width(n->alternatives);
	return (struct rx_width){ mul_sat(w.min, n->min), mul_sat(w.max, n->max) };
}

struct rx_width rx_width(const struct rx_seq *s)
{
	struct rx_width all = { RX_UNBOUNDED, 0 };

	for (; s; s = s->next) {
		struct rx_width sequence = { 0, 0 };

		for (const struct rx_node *n = s->first; n; n = n->next) {
			struct rx_width w = rx_node_width(n);

			sequence.min = add_sat(sequence.min, w.min);
			sequence.max = add_sat(sequence.max, w.max);
		}
		all.min = sequence.min < all.min ? sequence.min : all.min;
		all.max = sequence.max > all.max ? sequence.max : all.max;
	}
	return all;
}
