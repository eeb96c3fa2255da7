/* SPDX-License-Identifier: Apache-2.0 */
#include "bt_internal.h"

/*
 * A string's source is walked in atoms: a run of bytes that spell themselves, one escape, one
 * repeat, one incomplete sequence. Marks (where the decoded byte n comes from) are kept every few
 * atoms only; bt_source walks on from the nearest.
 */

#define MARK_EVERY 64

struct walk {
	const char *p;
	const struct bt_string *s;
	uint32_t piece, pos;		/* pos: 0 = at the piece's beginning */
};

struct atom {
	uint32_t src, end;		/* relative to the string */
	uint32_t piece;
	const char *bytes;		/* what it says, once */
	uint32_t n;
	uint64_t times;
	bool run, quoted;
	char own[16];
};

static uint32_t put_utf8(uint32_t u, char *to)
{
	if (u < 0x80) {
		to[0] = (char)u;
		return 1;
	}
	if (u < 0x800) {
		to[0] = (char)(0xc0 | u >> 6);
		to[1] = (char)(0x80 | (u & 63));
		return 2;
	}
	if (u < 0x10000) {
		to[0] = (char)(0xe0 | u >> 12);
		to[1] = (char)(0x80 | (u >> 6 & 63));
		to[2] = (char)(0x80 | (u & 63));
		return 3;
	}
	to[0] = (char)(0xf0 | (u >> 18 & 7));
	to[1] = (char)(0x80 | (u >> 12 & 63));
	to[2] = (char)(0x80 | (u >> 6 & 63));
	to[3] = (char)(0x80 | (u & 63));
	return 4;
}

static uint32_t hex_value(const char *p, uint32_t i, uint32_t end, uint32_t max, uint32_t *ret)
{
	uint32_t n = 0, v = 0;

	for (; i + n < end && n < max && bt_is(p[i + n], CH_HEX); n++)
		v = v << 4 | (uint32_t)(p[i + n] <= '9' ? p[i + n] - '0' : (p[i + n] | 32) - 'a' + 10);
	*ret = v;
	return n;
}

/* \x41 (Rust), \x1f600 (wide), \u{e9}, \u00e9, \U000000e9. Its length, 0 if it is none. */
static uint32_t hex_escape(const char *p, uint32_t i, uint32_t end, bool wide, char *to,
			   uint32_t *ret_n)
{
	uint32_t max = p[i + 1] == 'U' ? 8 : p[i + 1] == 'u' ? 4 : wide ? 8 : 2, v, n;
	bool braces = p[i + 1] == 'u' && i + 2 < end && p[i + 2] == '{';

	n = hex_value(p, i + 2 + braces, end, braces ? 8 : max, &v);
	if (n == 0)
		return 0;
	if (p[i + 1] == 'x' && v < 256 && !wide) {
		to[0] = (char)v;
		*ret_n = 1;
	} else {
		*ret_n = put_utf8(v, to);
	}
	n += 2 + braces;
	return braces && i + n < end && p[i + n] == '}' ? n + 1 : n;
}

/* The escape at p[i], a backslash: its length in the source; what it says goes to `to`. */
static uint32_t escape(const char *p, uint32_t i, uint32_t end, const struct bt_string *s, char *to,
		       uint32_t *ret_n)
{
	static const char from_c[] = "nrtabfve\\\"'", to_c[] = "\n\r\t\a\b\f\v\033\\\"'";
	uint32_t v = 0, n = 0;
	const char *c;

	*ret_n = 1;
	to[0] = '\\';
	if (i + 1 >= end)
		return 1;
	while (n < 3 && i + 1 + n < end && bt_is(p[i + 1 + n], CH_OCTAL))
		v = v << 3 | (uint32_t)(p[i + 1 + n++] - '0');
	if (n > 0) {
		if (v > 255 || s->wide)
			*ret_n = put_utf8(v, to);
		else
			to[0] = (char)v;
		return n + 1;
	}
	if (p[i + 1] == 'x' || p[i + 1] == 'u' || p[i + 1] == 'U') {
		n = hex_escape(p, i, end, s->wide, to, ret_n);
		return n ? n : 1;
	}
	/* what a shell would have expanded was \\ and a letter before */
	c = strchr(s->expanded ? "\\\"'" : from_c, p[i + 1]);
	if (!c || !*c)
		return 1;
	to[0] = s->expanded ? *c : to_c[c - from_c];
	return 2;
}

/* One or more characters that are a piece's unit: of a repeat, of an incomplete sequence. */
static void read_unit(const struct walk *w, const struct bt_piece *p, struct atom *a)
{
	uint32_t i = p->body, n;

	a->n = 0;
	/* '\' in a shell-expanded file is a backslash: escape() says so for a body of one byte */
	while (i < p->body_end && a->n + 4 <= sizeof(a->own)) {
		if (w->p[i] == '\\') {
			i += escape(w->p, i, p->body_end, w->s, a->own + a->n, &n);
			a->n += n;
		} else {
			a->own[a->n++] = w->p[i++];
		}
	}
	a->bytes = a->own;
}

static bool walk_next(struct walk *w, struct atom *a)
{
	const struct bt_piece *p;

	for (;; w->piece++, w->pos = 0) {
		if (w->piece >= w->s->n_pieces)
			return false;
		p = &w->s->pieces[w->piece];
		if (w->pos == 0)
			w->pos = p->body;
		if (w->pos < p->body_end)
			break;
	}
	*a = (struct atom){ .src = w->pos, .piece = w->piece, .times = 1, .quoted = true };
	if (p->kind != PIECE_QUOTED) {
		read_unit(w, p, a);
		a->quoted = false;
		a->src = p->off;
		w->pos = a->end = p->end;
		if (p->kind == PIECE_REPEAT)
			bt_repeats_end(span_make(w->p, p->end), p->body_end + 2, &a->times);
	} else if (w->p[w->pos] == '\\') {
		w->pos += escape(w->p, w->pos, p->body_end, w->s, a->own, &a->n);
		a->bytes = a->own;
		a->end = w->pos;
	} else {
		const char *e = memchr(w->p + w->pos, '\\', p->body_end - w->pos);

		a->bytes = w->p + w->pos;
		a->n = e ? (uint32_t)(e - a->bytes) : p->body_end - w->pos;
		a->run = true;
		w->pos = a->end = a->src + a->n;
	}
	return true;
}

/* Behind a repeat there is always a mark: it may have been spelled shorter than it says. */
static void mark(struct bt_map *m, size_t dec, const struct atom *a, bool behind_repeat)
{
	struct bt_mark k = { (uint32_t)dec, a->src, a->piece };

	if (m->n_marks && !behind_repeat && dec - m->marks[m->n_marks - 1].dec < MARK_EVERY)
		return;
	GROW(m->marks, m->n_marks, m->cap_marks);
	m->marks[m->n_marks++] = k;
}

/* How often an atom is spelled out; *budget keeps hostile repeats from filling memory. */
static uint64_t spelled_times(const struct atom *a, uint64_t *budget)
{
	uint64_t n = a->times < BT_REPEAT_MAX ? a->times : BT_REPEAT_MAX;

	if (a->times == 1)
		return 1;
	if (n * a->n > *budget)
		n = a->n ? *budget / a->n : 0;
	*budget -= n * a->n;
	return n;
}

static void spell(struct buf *to, const struct atom *a, uint64_t times)
{
	char same[BT_REPEAT_MAX];

	if (times > 1 && a->n == 1) {
		memset(same, a->bytes[0], times);
		buf_add(to, same, times);
		return;
	}
	for (; times > 0; times--)
		buf_add(to, a->bytes, a->n);
}

void bt_decode(struct span t, const struct bt_string *s, struct buf *scratch, struct bt_map *map,
	       struct span *ret_decoded)
{
	struct walk w = { .p = t.p + s->off, .s = s };
	uint64_t budget = BT_REPEAT_SUM + (s->end - s->off) / 2;
	struct atom a;
	bool behind_repeat = false;

	map->p = w.p;
	map->off = s->off;
	map->s = s;
	map->n_marks = 0;
	if (!s->escaped && s->n_pieces == 1 && s->pieces[0].kind == PIECE_QUOTED) {
		*ret_decoded = span_make(w.p + s->pieces[0].body,
					 s->pieces[0].body_end - s->pieces[0].body);
		map->decoded_len = ret_decoded->len;
		return;
	}
	buf_reset(scratch);
	while (walk_next(&w, &a)) {
		mark(map, scratch->len, &a, behind_repeat);
		spell(scratch, &a, spelled_times(&a, &budget));
		behind_repeat = a.times > 1;
	}
	*ret_decoded = span_make(scratch->p ? scratch->p : "", scratch->len);
	map->decoded_len = scratch->len;
}

/* The last mark at or before `from`. */
static struct bt_mark nearest(const struct bt_map *m, size_t from)
{
	size_t lo = 0, hi = m->n_marks;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->marks[mid].dec <= from)
			lo = mid;
		else
			hi = mid;
	}
	return m->n_marks ? m->marks[lo] : (struct bt_mark){ 0 };
}

/* The atom that holds decoded byte n, *ret_dec where it begins. */
static bool atom_of(const struct bt_map *m, size_t n, struct atom *ret, size_t *ret_dec)
{
	struct bt_mark k = nearest(m, n);
	const struct bt_piece *p = &m->s->pieces[k.piece];
	struct walk w = { .p = m->p, .s = m->s, .piece = k.piece,
			  .pos = m->n_marks && p->kind == PIECE_QUOTED ? k.src : 0 };
	/* up to the next mark only the last atom can be a repeat, so its length needn't be exact */
	uint64_t budget = UINT64_MAX;
	size_t dec = k.dec, len;

	while (walk_next(&w, ret)) {
		len = ret->n * spelled_times(ret, &budget);
		if (n < dec + len) {
			*ret_dec = dec;
			return true;
		}
		dec += len;
	}
	return false;
}

unsigned bt_source(const struct bt_value *v, size_t from, size_t to, uint64_t *ret_off,
		   uint64_t *ret_len)
{
	const struct bt_map *m = v->map;
	struct atom first, last;
	size_t dec, off, end;
	unsigned quotes = BT_QUOTE_NONE;

	if (to > m->decoded_len)
		to = m->decoded_len;
	if (from >= to || !atom_of(m, from, &first, &dec)) {
		*ret_off = m->off + (m->s->n_pieces ? m->s->pieces[0].body : 0);
		*ret_len = 0;
		return BT_QUOTE_NONE;
	}
	off = first.run ? first.src + (from - dec) : first.src;
	if (!first.quoted)
		quotes |= BT_QUOTE_OPEN;
	if (!atom_of(m, to - 1, &last, &dec))
		last = first;
	end = last.run ? last.src + (to - dec) : last.end;
	if (!last.quoted)
		quotes |= BT_QUOTE_CLOSE;
	*ret_off = m->off + off;
	*ret_len = end - off;
	return quotes;
}
