/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

#include <strings.h>

/*
 * PCRE2's side of a scan. A unit's matches in a record are the leftmost, non-overlapping ones,
 * found from left to right however few candidates led there: a search begins behind the last match
 * (`done`) or as far before a candidate as the unit is wide, and is never cut short of the next
 * match.
 *
 * A record is a line. In a line over LIMIT_LINE_WINDOW a search may not go on for ever: where it
 * may begin is limited to the candidate (a bounded unit), or the line is taken in windows (an
 * unbounded one). A multi-line unit has the whole text as its record.
 */

#define JIT_WORTH_BYTES 8192 /* interpreted for so long, a unit is worth compiling */

struct record {
	size_t start, end; /* in the text */
	uint32_t options;  /* PCRE2_NOTBOL, PCRE2_NOTEOL of a window */
};

static pcre2_code *regex_jit(struct ruleset *rs, struct rule_regex *r)
{
	pcre2_code *copy = r->fast;

	if (copy)
		return copy;
	pthread_mutex_lock(&rs->lock);
	if (!r->fast && !r->jit_failed) {
		copy = pcre2_code_copy(r->code);
		if (copy && pcre2_jit_compile(copy, PCRE2_JIT_COMPLETE) == 0) {
			r->fast = copy;
		} else {
			pcre2_code_free(copy);
			r->jit_failed = true;
		}
	}
	copy = r->fast;
	pthread_mutex_unlock(&rs->lock);
	return copy;
}

/* PCRE2's return code for the text from `at` on; `work` is about how many bytes it may look at. */
static int regex_match(struct rule_scanner *s, struct rule_regex *r, struct span text, size_t at,
		       uint32_t options, size_t work, pcre2_match_data *match,
		       pcre2_match_context *mc)
{
	pcre2_code *fast = NULL;

	if (r->work < JIT_WORTH_BYTES)
		r->work += (uint32_t)(work < JIT_WORTH_BYTES ? 16 + work : JIT_WORTH_BYTES);
	else
		fast = regex_jit(s->rs, r);
	if (fast)
		return pcre2_jit_match(fast, (PCRE2_SPTR)text.p, text.len, at, options, match, mc);
	return pcre2_match(r->code, (PCRE2_SPTR)text.p, text.len, at, options, match, mc);
}

/*
 * The first match that begins in [lo, hi) of the record; hi may be its end or beyond. 1 if there is
 * one (s->match has it), 0 if not, -1 at an engine limit.
 */
static int find_match(struct rule_scanner *s, uint32_t unit, const struct record *r, size_t lo,
		      size_t hi)
{
	struct span record = span_sub(s->text, r->start, r->end);
	size_t at = lo - r->start, work = (hi < r->end ? hi : r->end) - lo;
	pcre2_match_context *mc = s->plain;
	int rc;

	if (hi < r->end) {
		mc = s->bounded;
		pcre2_set_offset_limit(mc, hi - 1 - r->start);
	}
	rc = regex_match(s, &s->rs->units[unit].regex, record, at, r->options | PCRE2_NOTEMPTY, work,
			 s->match, mc);
	return rc >= 0 ? 1 : rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

static bool find_nocase(struct span text, struct span word)
{
	char lower = word.p[0] >= 'A' && word.p[0] <= 'Z' ? (char)(word.p[0] + 32) : word.p[0];
	char upper = lower >= 'a' && lower <= 'z' ? (char)(lower - 32) : lower;
	const char *end = text.p + text.len;

	if (text.len < word.len)
		return false;
	for (int pass = 0; pass < (upper == lower ? 1 : 2); pass++) {
		const char *p = text.p, *last = end - word.len;

		while (p <= last && (p = memchr(p, pass ? upper : lower, (size_t)(last - p) + 1))) {
			if (!strncasecmp(p, word.p, word.len))
				return true;
			p++;
		}
	}
	return false;
}

static bool has_keyword(const struct rule *r, struct span text)
{
	for (size_t i = 0; i < r->n_keywords; i++)
		if (find_nocase(text, r->keywords[i]))
			return true;
	return r->n_keywords == 0;
}

/* A keyword must stand on the match's lines, and of very long ones in the window around it. */
static bool match_has_keyword(const struct rule_scanner *s, const struct rule *r, size_t start,
			      size_t end)
{
	size_t lo = start > LIMIT_LINE_WINDOW ? start - LIMIT_LINE_WINDOW : 0;
	size_t hi = s->text.len - end > LIMIT_LINE_WINDOW ? end + LIMIT_LINE_WINDOW : s->text.len;
	const char *before = memrchr(s->text.p + lo, '\n', start - lo);
	const char *after = memchr(s->text.p + end, '\n', hi - end);

	if (before)
		lo = (size_t)(before + 1 - s->text.p);
	if (after)
		hi = (size_t)(after - s->text.p);
	return has_keyword(r, span_sub(s->text, lo, hi));
}

static bool cidr_holds(const struct rule_except *x, struct span value)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t a[16];
	unsigned bytes = x->prefix / 8, bits = x->prefix % 8;

	if (value_ip4_parse(value, a + 12))
		memcpy(a, mapped, 12);
	else if (!value_ip6_parse(value, a))
		return false;
	if (memcmp(a, x->addr, bytes))
		return false;
	return !bits || !((a[bytes] ^ x->addr[bytes]) >> (8 - bits));
}

bool rule_capture_stays(struct rule_scanner *s, const struct rule *r, struct span value)
{
	if (r->check && !r->check(value, r->check_arg))
		return true;
	for (size_t i = 0; i < r->n_excepts; i++) {
		struct rule_except *x = &r->excepts[i];

		if (!x->regex.code ? cidr_holds(x, value)
				   : regex_match(s, &x->regex, value, 0, 0, value.len,
						 s->except_match, s->plain) >= 0)
			return true;
	}
	return false;
}

static void give(struct rule_scanner *s, const struct rule_hit *hit)
{
	if (s->rc == RC_OK)
		s->rc = s->fn(s->ctx, hit);
}

/* What a match gives: its captures that neither validator nor exceptions let stay. */
static void give_match(struct rule_scanner *s, uint32_t unit, const struct record *rec)
{
	const struct rule_unit *u = &s->rs->units[unit];
	const struct rule *r = &s->rs->rules[u->rule];
	const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(s->match);
	size_t start = rec->start + ov[0], end = rec->start + ov[1], given = 0;

	if (start < s->from || start >= s->to)
		return;
	if (u->keyed && !match_has_keyword(s, r, start, end))
		return;
	for (size_t i = 0; i <= u->n_groups; i++) {
		/* a match none of whose groups took part is replaced whole, rather than not at all
		 */
		uint32_t g = i < u->n_groups ? u->groups[i] : 0;
		struct rule_hit hit = { .rule = u->rule };

		if (i == u->n_groups && given)
			break;
		if (ov[2 * g] == PCRE2_UNSET)
			continue;
		given++;
		hit.off = rec->start + ov[2 * g];
		hit.len = ov[2 * g + 1] - ov[2 * g];
		if (hit.len && !rule_capture_stays(s, r, span_make(s->text.p + hit.off, hit.len)))
			give(s, &hit);
	}
}

/* The search for matches that begin before hi hit a limit: all of the line goes, or as much of the
   text as a multi-line match could have covered. */
static void give_limit(struct rule_scanner *s, uint32_t unit, const struct record *r, size_t hi)
{
	const struct rule_unit *u = &s->rs->units[unit];
	size_t start = u->multiline ? s->state[unit].done : r->start;
	size_t end = u->multiline && r->end - hi > u->width ? hi + u->width : r->end;
	struct rule_hit hit = { u->rule, start, end - start, true };

	s->state[unit].done = u->multiline ? hi : end;
	if (end > start && end > s->from && start < s->to)
		give(s, &hit);
}

/* Takes the matches that begin in [lo, hi), one behind the other, until `done` reaches hi. At an
   engine limit the whole record is given. */
static void take_matches(struct rule_scanner *s, uint32_t unit, const struct record *r, size_t lo,
			 size_t hi)
{
	struct unit_state *st = &s->state[unit];

	if (st->done < lo)
		st->done = lo;
	while (st->done < hi && s->rc == RC_OK) {
		int found = find_match(s, unit, r, st->done, hi);

		if (found < 0) {
			give_limit(s, unit, r, hi);
			return;
		}
		if (found == 0) {
			st->done = hi;
			return;
		}
		give_match(s, unit, r);
		st->done = r->start + pcre2_get_ovector_pointer(s->match)[1];
	}
}

/* An unbounded unit in a very long line: windows that overlap by half, each match counted where it
   begins. What does not fit into a window is not found; lint refuses such rules in packs. */
static void take_windows(struct rule_scanner *s, uint32_t unit, size_t start, size_t end)
{
	size_t behind = s->rs->units[unit].lookbehind;

	if (s->state[unit].done >= end)
		return;
	for (size_t at = start; at < end && s->rc == RC_OK; at += LIMIT_LINE_WINDOW) {
		struct record r = {
			.start = at - start > behind ? at - behind : start,
			.end = end - at > 2 * LIMIT_LINE_WINDOW ? at + 2 * LIMIT_LINE_WINDOW : end,
		};
		size_t hi = end - at > LIMIT_LINE_WINDOW ? at + LIMIT_LINE_WINDOW : end;

		r.options = (r.start > start ? PCRE2_NOTBOL : 0) | (r.end < end ? PCRE2_NOTEOL : 0);
		take_matches(s, unit, &r, at, hi);
	}
}

/* The line that holds the byte at `at`; candidates come in order, so the last line helps. */
static void find_line(struct rule_scanner *s, size_t at)
{
	size_t floor = at > s->line_end ? s->line_end : 0;
	const char *nl;

	if (at >= s->line && at < s->line_end)
		return;
	nl = memrchr(s->text.p + floor, '\n', at - floor);
	s->line = nl ? (size_t)(nl + 1 - s->text.p) : floor;
	nl = memchr(s->text.p + at, '\n', s->text.len - at);
	s->line_end = nl ? (size_t)(nl - s->text.p) : s->text.len;
}

static size_t minus(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

/* A keyword stands up to a window before or behind the match. */
static void keyword_reach(const struct rule_unit *u, size_t *ret_before, size_t *ret_after)
{
	bool bounded = u->width <= LIMIT_RULE_WIDTH;

	*ret_before = bounded ? u->width + LIMIT_LINE_WINDOW + 64 : WIDTH_UNBOUNDED;
	*ret_after = LIMIT_LINE_WINDOW;
}

/*
 * Most candidates fall here, before PCRE2 is called: the match would have to begin behind the last
 * byte that it can't hold (*ret_lo), and from there on enough bytes for it must follow.
 */
static bool is_promising(const struct rule_scanner *s, const struct scan_target *t, size_t lo,
			 size_t end, size_t *ret_lo)
{
	const uint8_t *p = (const uint8_t *)s->text.p;
	size_t at = end, enough;

	while (at > lo && (t->bytes[p[at - 1]] & BYTE_PREFIX))
		at--;
	enough = at + t->min_width;
	if (enough > s->text.len)
		return false;
	*ret_lo = at;
	for (at = end; at < enough && (t->bytes[p[at]] & BYTE_ANY); at++)
		;
	return at >= enough;
}

static bool may_begin(const struct rule_scanner *s, const struct scan_target *t, size_t at)
{
	const uint8_t *p = (const uint8_t *)s->text.p + at;

	return t->bytes[*p] & BYTE_FIRST && (at == 0 || t->bytes[p[-1]] & BYTE_BEFORE);
}

/* Draws [lo, hi) in to where a match could begin; false if there is no such place. */
static bool narrow(const struct rule_scanner *s, const struct scan_target *t, size_t *lo,
		   size_t *hi)
{
	if (*hi > s->text.len)
		*hi = s->text.len;
	while (*lo < *hi && !may_begin(s, t, *lo))
		++*lo;
	while (*lo < *hi && !may_begin(s, t, *hi - 1))
		--*hi;
	return *lo < *hi;
}

/*
 * The matches that begin around one candidate: in [lo, hi). A search that found nothing says so for
 * all places up to its end, so that candidates of one number or word cost one search.
 */
static void confirm_unit(struct rule_scanner *s, uint32_t unit, size_t lo, size_t hi)
{
	const struct rule_unit *u = &s->rs->units[unit];
	struct record r = { 0, s->text.len, 0 };

	if (!u->multiline) {
		r.start = s->line;
		r.end = s->line_end;
	}
	if (!u->multiline && r.end - r.start > LIMIT_LINE_WINDOW && u->width == WIDTH_UNBOUNDED)
		take_windows(s, unit, r.start, r.end);
	else
		take_matches(s, unit, &r, lo > r.start ? lo : r.start, hi < r.end ? hi : r.end);
}

/* A keyword's units: the whole line, and of a very long one what is near. */
static void confirm_keyword(struct rule_scanner *s, const struct scan_target *t, size_t end,
			    bool on_line)
{
	for (size_t i = 0; i < t->n && s->rc == RC_OK; i++) {
		uint32_t unit = s->set->units[t->first + i];
		const struct rule_unit *u = &s->rs->units[unit];
		size_t before, after;

		if (!on_line && !u->multiline)
			continue;
		keyword_reach(u, &before, &after);
		if (!u->multiline && s->line_end - s->line <= LIMIT_LINE_WINDOW)
			before = WIDTH_UNBOUNDED;
		confirm_unit(s, unit, minus(end, before), end + after);
	}
}

int rule_confirm(struct rule_scanner *s, const struct scan_target *t, size_t end)
{
	bool on_line = end <= s->lines_end && s->text.p[end - 1] != '\n';
	uint32_t unit = s->set->units[t->first];
	struct unit_state *st = &s->state[unit];
	size_t lo = minus(end, t->before), hi = end + t->after;

	if (s->rs->units[unit].keyed) {
		if (on_line)
			find_line(s, end - 1);
		confirm_keyword(s, t, end, on_line);
		return s->rc;
	}
	if (!on_line && !s->rs->units[unit].multiline)
		return s->rc;
	if (!is_promising(s, t, lo > st->done ? lo : st->done, end, &lo) ||
	    !narrow(s, t, &lo, &hi)) {
		st->done = st->done > end ? st->done : end;
		return s->rc;
	}
	if (on_line)
		find_line(s, end - 1);
	confirm_unit(s, unit, lo, hi);
	return s->rc;
}

int rule_confirm_all(struct rule_scanner *s, uint32_t unit)
{
	const struct rule_unit *u = &s->rs->units[unit];
	const struct rule *rule = &s->rs->rules[u->rule];
	size_t at = s->base;

	if (u->multiline) {
		struct record r = { 0, s->text.len, 0 };

		take_matches(s, unit, &r, s->from, s->to);
		return s->rc;
	}
	while (at < s->to && s->rc == RC_OK) {
		const char *nl = memchr(s->text.p + at, '\n', s->text.len - at);
		struct record r = { at, nl ? (size_t)(nl - s->text.p) : s->text.len, 0 };
		bool is_long = r.end - r.start > LIMIT_LINE_WINDOW;

		at = r.end + 1;
		if (u->keyed && !is_long && !has_keyword(rule, span_sub(s->text, r.start, r.end)))
			continue;
		if (is_long && u->width == WIDTH_UNBOUNDED)
			take_windows(s, unit, r.start, r.end);
		else
			take_matches(s, unit, &r, r.start, r.end);
	}
	return s->rc;
}

#define RESUME_STEPS 8

/*
 * Without the matches before the range, a match that began there and ends inside is unknown, and so
 * is which of two overlapping ones counts. So look back for a place that no match reaches across,
 * and find the matches from there on. Only a text full of overlapping ones makes this end early;
 * then a few may be given twice, and none is lost.
 */
size_t rule_multiline_resume(struct rule_scanner *s, uint32_t unit)
{
	struct record r = { 0, s->text.len, 0 };
	size_t width = s->rs->units[unit].width, p = s->from, done;

	for (int step = 0; step < RESUME_STEPS && p > 0; step++) {
		size_t lo = p > width ? p - width : 0, at = lo;
		const PCRE2_SIZE *ov = pcre2_get_ovector_pointer(s->match);

		while (at < p && find_match(s, unit, &r, at, p) > 0 && ov[1] <= p)
			at = ov[0] + 1;
		if (at >= p || find_match(s, unit, &r, at, p) <= 0)
			break;
		p = ov[0];
	}
	for (done = p; done < s->from;) {
		if (find_match(s, unit, &r, done, s->from) <= 0)
			break;
		done = pcre2_get_ovector_pointer(s->match)[1];
	}
	return done;
}
