/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

/* What a run of a learned value's bytes in a text means: all of it, a piece, or nothing. */

#define HELD_SHOWN 8		/* places of one value that a person gets to see */

/* Does an escape (\n, \000) end right before `at`? What follows it begins a word of its own. */
bool learn_escape_before(struct span t, size_t at)
{
	size_t i = at, slashes = 0;

	while (i > 0 && at - i < 3 && t.p[i - 1] >= '0' && t.p[i - 1] <= '7')
		i--;
	if (at - i != 3) {
		i = at;
		if (i == 0 || !t.p[i - 1] || !strchr("abefnrtv", t.p[i - 1]))
			return false;
		i--;
	}
	while (i > 0 && slashes < 64 && t.p[i - 1] == '\\') {
		i--;
		slashes++;
	}
	return slashes & 1;
}

static bool url_escape_before(struct span t, size_t at)
{
	return at >= 3 && t.p[at - 3] == '%' && is_hex(t.p[at - 2]) && is_hex(t.p[at - 1]);
}

bool learn_word_before(struct span t, size_t off)
{
	return off == 0 || !is_word(t.p[off - 1]) || learn_escape_before(t, off) ||
	       url_escape_before(t, off);
}

bool learn_word_after(struct span t, size_t end)
{
	return end >= t.len || !is_word(t.p[end]);
}

static bool word_before(const struct learned_scanner *s, size_t off)
{
	return learn_word_before(s->text, off) || (s->memory && learn_memory_word_before(s->text, off));
}

static bool word_after(const struct learned_scanner *s, size_t end)
{
	return learn_word_after(s->text, end) || (s->memory && learn_memory_word_after(s->text, end));
}

/* A cut stands where a string begins or ends, or a control byte is: stale tails, gdb's limit. */
static bool string_edge_before(struct span t, size_t off)
{
	return off == 0 || t.p[off - 1] == '"' || (unsigned char)t.p[off - 1] < 0x20 ||
	       learn_escape_before(t, off);
}

static bool string_edge_after(struct span t, size_t end)
{
	return end >= t.len || t.p[end] == '"' || (unsigned char)t.p[end] < 0x20 ||
	       (t.p[end] == '\\' && end + 1 < t.len && t.p[end + 1] != '\\');
}

bool learn_string_around(struct span t, size_t off, size_t end)
{
	return string_edge_before(t, off) && string_edge_after(t, end);
}

/* A number's or address's neighbours that would make it another one. */
static bool exact_before(struct span t, size_t off, enum kind kind)
{
	size_t i = off;
	char c;

	if (off == 0 || learn_escape_before(t, off) || url_escape_before(t, off))
		return true;
	c = t.p[off - 1];
	switch (kind) {
	case KIND_IP4:
	case KIND_IP4_LAN:
		return !is_digit(c) && !(c == '.' && off > 1 && is_digit(t.p[off - 2]));
	case KIND_IP6:
	case KIND_IP6_LAN:
	case KIND_MAC:
		return !is_hex(c);
	default:
		break;
	}
	/* a trunk or international prefix may stand before a number */
	while (i > 0 && off - i < 3 && (t.p[i - 1] == '0' || t.p[i - 1] == '1'))
		i--;
	return i == 0 || !is_digit(t.p[i - 1]) || learn_escape_before(t, i);
}

static bool exact_after(struct span t, size_t end, enum kind kind)
{
	char c = end < t.len ? t.p[end] : '\n';

	switch (kind) {
	case KIND_IP4:
	case KIND_IP4_LAN:
		return !is_digit(c) && !(c == '.' && end + 1 < t.len && is_digit(t.p[end + 1]));
	case KIND_IP6:
	case KIND_IP6_LAN:
	case KIND_MAC:
		return !is_hex(c);
	default:
		return !is_digit(c);
	}
}

/* A number that is an address, in decimal or hex: no digits more on either side. */
static bool number_is_whole(struct span t, size_t off, size_t end)
{
	char before = off ? t.p[off - 1] : ' ';

	return !is_hex(before) && before != '.' && before != '_' && before != '-' &&
	       learn_word_after(t, end) &&
	       !(end + 1 < t.len && t.p[end] == '.' && is_digit(t.p[end + 1]));
}

static bool is_exact(struct span t, const struct pattern *p, size_t off, size_t end, enum kind kind)
{
	if (p->form == FORM_IN_ADDR)
		return number_is_whole(t, off, end);
	return !p->exact || (exact_before(t, off, kind) && exact_after(t, end, kind));
}

/* Is what stands at [off, end) a name: `name = `, `name: `, `"name":`, a function's? */
static bool is_name(struct span t, size_t off, size_t end)
{
	size_t i = end;

	if (i < t.len && (t.p[i] == '"' || t.p[i] == '\''))
		i++;
	while (i < t.len && t.p[i] == ' ' && i - end < 4)
		i++;
	if (i < t.len && (t.p[i] == '=' || t.p[i] == ':'))
		return true;
	if (off > 0 && (t.p[off - 1] == '<' || t.p[off - 1] == '.'))
		return true;
	return end + 1 < t.len && t.p[end] == ' ' && t.p[end + 1] == '(';
}

/* In a frame's head or a symbol's name, outside of strings: the program's own words. */
static bool is_code(struct span t, size_t off, size_t end)
{
	bool quoted = false;
	size_t from = off;

	while (from > 0 && t.p[from - 1] != '\n' && off - from < KIB(4))
		from--;
	for (size_t i = from; i < off; i++) {
		if (t.p[i] == '\\')
			i++;
		else if (t.p[i] == '"')
			quoted = !quoted;
	}
	if (quoted)
		return false;
	if (from + 1 < t.len && t.p[from] == '#' && is_digit(t.p[from + 1]))
		return true;
	while (off > from && is_word(t.p[off - 1]))
		off--;
	while (end < t.len && is_word(t.p[end]))
		end++;
	if (off > from && t.p[off - 1] == '<')
		return true;
	if (end - off > 2 && t.p[off] == '0' && t.p[off + 1] == 'x')
		return true;
	return end + 2 < t.len && memcmp(t.p + end, " = ", 3) == 0;
}

void learn_hit(struct learned_scanner *s, const struct learned_hit *hit, size_t begins)
{
	int rc;

	if (s->rc < 0 || !s->fn || begins < s->from || begins >= s->to)
		return;
	if (hit->held) {
		if (s->held_shown[hit->value] >= HELD_SHOWN)
			return;
		s->held_shown[hit->value]++;
	}
	rc = s->fn(s->ctx, hit);
	if (rc < 0)
		s->rc = rc;
}

static bool is_base64(char c)
{
	return is_digit(c) || is_alpha(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

/* Takes in the characters that hold some bits of the value, and the padding. */
static void widen_base64(struct span t, const struct pattern *p, size_t *off, size_t *end)
{
	if (p->shares_head && *off > 0 && is_base64(t.p[*off - 1]))
		--*off;
	if (p->shares_tail && *end < t.len && is_base64(t.p[*end]))
		++*end;
	for (int i = 0; i < 2 && *end < t.len && t.p[*end] == '='; i++)
		++*end;
}

static bool is_encoded(const struct pattern *p)
{
	return (p->form == FORM_HEX || p->form == FORM_BASE64 || p->form == FORM_UTF16) && p->len >= 8;
}

/* Where a word that a person asked for begins in memory like a string's own bytes, whatever number
   is before it: Python keeps a hash there, any bytes at all. */
static bool asked_before(const struct learned_scanner *s, const struct learn_entry *e, size_t off)
{
	return s->memory && e->v.origin == LEARN_WORDS && !e->ordinary && off % 8 == 0;
}

/* All of the value. */
static void whole(struct learned_scanner *s, const struct pattern *p, size_t off)
{
	struct learn_entry *e = &s->l->v[p->value];
	struct learned_hit hit = { p->value, off, p->len, p->form, false, false };
	size_t end = off + p->len;
	bool word = (word_before(s, off) || asked_before(s, e, off)) && word_after(s, end);
	bool string = learn_string_around(s->text, off, end) ||
		      (s->memory && learn_memory_string_around(s->text, off, end));
	bool free = is_encoded(p), goes = true;

	if (!free && !is_exact(s->text, p, off, end, e->v.kind))
		return;
	if (s->counting) {
		e->n_whole++;
		e->n_code += !free && is_code(s->text, off, end);
		e->n_embedded += !free && !(e->v.origin == LEARN_MATERIAL ? string : word);
		return;
	}
	if (e->mode == MODE_STRING)
		goes = free || string;
	else if (e->mode == MODE_WORD)
		goes = free || (word && !(e->ordinary && is_name(s->text, off, end)));
	if (e->mode == MODE_NONE || (!goes && !value_kind_is_credential(e->v.kind)))
		return;
	if (!goes && (e->is_short || !e->v.held))
		return;
	hit.held = !goes;
	if (p->form == FORM_BASE64)
		widen_base64(s->text, p, &hit.off, &end);
	hit.len = end - hit.off;
	learn_hit(s, &hit, off);
}

/* The value's own bytes that units [from, to) of a pattern spell, or an empty span. */
static struct span piece_bytes(const struct learned_scanner *s, const struct pattern *p,
			       size_t from, size_t to)
{
	if (p->form == FORM_BASE64 || p->form == FORM_LEARNED)
		return span_make("", 0);
	if (p->form == FORM_PLAIN)
		return span_make(s->l->hay.p + p->off + from, to - from);
	return span_sub(s->l->v[p->value].v.bytes, from, to);
}

/* Numbers stand at a line's end by themselves. */
bool learn_cut_before(struct span t, size_t off)
{
	return off > 0 && !strchr("\n\r\t", t.p[off - 1] ? t.p[off - 1] : '\1') &&
	       string_edge_before(t, off);
}

bool learn_cut_after(struct span t, size_t end)
{
	return end < t.len && !strchr("\n\r\t", t.p[end] ? t.p[end] : '\1') &&
	       string_edge_after(t, end);
}

/* A half counts where it was cut: the other side of the value is not just something else. */
static bool half_counts(const struct learned_scanner *s, const struct pattern *p, size_t off,
			size_t len, bool head, bool tail)
{
	const struct learn_entry *e = &s->l->v[p->value];
	size_t end = off + len;

	if (!is_exact(s->text, p, off, end, e->v.kind))
		return false;
	if (!p->exact && !(word_before(s, off) && word_after(s, end)))
		return false;
	return (head && learn_cut_after(s->text, end)) || (tail && learn_cut_before(s->text, off));
}

static void piece(struct learned_scanner *s, const struct pattern *p, size_t off, size_t head,
		  size_t len)
{
	const uint16_t *unit = s->l->unit + head;
	struct learn_entry *e = &s->l->v[p->value];
	struct learned_hit hit = { p->value, off, len, p->form, true, false };
	bool at_head = head == p->off, at_tail = head + len == p->off + p->len;
	size_t units;
	struct span bytes;

	/* whole units only: not half an escape at either end */
	while (hit.len && !at_head && unit[0] == unit[-1]) {
		unit++;
		hit.off++;
		hit.len--;
	}
	while (hit.len && !at_tail && unit[hit.len - 1] == unit[hit.len])
		hit.len--;
	if (!hit.len)
		return;
	units = (size_t)unit[hit.len - 1] - unit[0] + 1;
	if (units < p->min)
		return;
	if (p->pieces == PIECES_HALVES &&
	    !((at_head || at_tail) && half_counts(s, p, hit.off, hit.len, at_head, at_tail)))
		return;
	bytes = piece_bytes(s, p, unit[0], (size_t)unit[hit.len - 1] + 1);
	if (p->pieces == PIECES_RUNS && learn_piece_is_ordinary(bytes))
		return;
	if (s->counting) {
		e->n_pieces++;
		e->n_code_pieces += is_code(s->text, hit.off, hit.off + hit.len);
		return;
	}
	/* what the guard leaves where it is, a person gets to see */
	hit.held = e->mode == MODE_WHOLE && e->v.held;
	if (e->mode != MODE_PIECES && !hit.held)
		return;
	learn_hit(s, &hit, off);
}

void learn_verdict(struct learned_scanner *s, const struct pattern *p, size_t off, size_t head,
		   size_t len)
{
	if (len == p->len)
		whole(s, p, off);
	else if (p->pieces != PIECES_NONE)
		piece(s, p, off, head, len);
}
