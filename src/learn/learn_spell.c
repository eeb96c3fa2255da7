/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * The spellings of a value. Each goes out as text with a number per byte that says which unit it
 * belongs to: pieces begin and end between units, never inside an escape.
 */

#define RUN_LONG 8		/* bytes of a credential that are a piece */
#define RUN_SHORT 6		/* of one under 12 bytes */
#define HALF_MIN 6
#define FORMS_MAX 512		/* longer values (keys) are spelled as bytes only */
#define PHONE_MIN 7

static const char lower_digits[] = "0123456789abcdef", upper_digits[] = "0123456789ABCDEF";

void learn_put(struct spelling *s, size_t unit, const char *bytes, size_t n)
{
	while (s->text.len + n > s->cap) {
		s->cap = s->cap ? s->cap * 2 : 256;
		s->unit = xreallocarray(s->unit, s->cap, sizeof(*s->unit));
	}
	for (size_t i = 0; i < n; i++)
		s->unit[s->text.len + i] = (uint16_t)unit;
	buf_add(&s->text, bytes, n);
}

static void put_char(struct spelling *s, size_t unit, char c)
{
	learn_put(s, unit, &c, 1);
}

/* A backslash and three octal digits. */
static void put_octal(struct spelling *s, size_t unit, unsigned char c)
{
	char esc[4] = { '\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)), (char)('0' + (c & 7)) };

	learn_put(s, unit, esc, sizeof(esc));
}

void learn_put_done(struct spelling *s, enum finding_form form)
{
	struct learned *l = s->l;
	struct span text = buf_span(&s->text);
	bool known = text.len == 0;

	for (size_t i = s->first; i < l->n_patterns && !known; i++)
		known = l->patterns[i].len == text.len &&
			memcmp(l->hay.p + l->patterns[i].off, text.p, text.len) == 0;
	s->p.form = (uint8_t)form;
	if (!known)
		learn_pattern_add(l, s->p, text, s->unit);
	buf_reset(&s->text);
}

static void spell_plain(struct spelling *s, struct span v)
{
	for (size_t i = 0; i < v.len; i++)
		put_char(s, i, v.p[i]);
	learn_put_done(s, FORM_PLAIN);
}

/* As gdb prints it: `octal`: what isn't ASCII too; `expanded`: a shell's echo -e has undone all but
   the quotes and the octal codes from \100 on (it knows those with a leading 0 only). */
static void spell_gdb(struct spelling *s, struct span v, bool octal, bool expanded)
{
	static const char named[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";

	for (size_t i = 0; i < v.len; i++) {
		char c = v.p[i];
		const char *at = c ? strchr(named, c) : NULL;
		bool high = octal && (unsigned char)c >= 0x80;

		if (c == '"' || (c == '\\' && !expanded))
			put_char(s, i, '\\');
		if (high || (!expanded && !at && ((unsigned char)c < 0x20 || c == 0x7f))) {
			put_octal(s, i, (unsigned char)c);
		} else if (at && !expanded) {
			put_char(s, i, '\\');
			put_char(s, i, letters[at - named]);
		} else {
			put_char(s, i, c);
		}
	}
	learn_put_done(s, FORM_GDB_STRING);
}

static void spell_hex(struct spelling *s, struct span v, const char digits[16])
{
	for (size_t i = 0; i < v.len; i++) {
		put_char(s, i, digits[(unsigned char)v.p[i] >> 4]);
		put_char(s, i, digits[(unsigned char)v.p[i] & 15]);
	}
	learn_put_done(s, FORM_HEX);
}

/* The characters that v alone decides, `lead` bytes into a group of three. */
static void spell_base64(struct spelling *s, struct span v, unsigned lead, const char *two_last)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	static const unsigned not_ours[3] = { 0, 4, 2 };	/* bits of the first character */
	unsigned have = 0, drop = not_ours[lead];
	uint32_t bits = 0;
	size_t unit = 0;

	for (size_t i = 0; i < v.len; i++) {
		bits = bits << 8 | (unsigned char)v.p[i];
		have += 8;
		if (drop) {
			have -= drop;
			drop = 0;
		}
		for (; have >= 6; have -= 6) {
			unsigned six = bits >> (have - 6) & 63;

			put_char(s, unit++, six < 62 ? alphabet[six] : two_last[six - 62]);
		}
	}
	s->p.shares_head = lead != 0;
	s->p.shares_tail = have != 0;
	learn_put_done(s, FORM_BASE64);
	s->p.shares_head = s->p.shares_tail = false;
}

static void spell_url(struct spelling *s, struct span v, const char digits[16], bool plus)
{
	for (size_t i = 0; i < v.len; i++) {
		char c = v.p[i];

		if (is_digit(c) || is_alpha(c) || (c && strchr("-._~", c))) {
			put_char(s, i, c);
		} else if (plus && c == ' ') {
			put_char(s, i, '+');
		} else {
			put_char(s, i, '%');
			put_char(s, i, digits[(unsigned char)c >> 4]);
			put_char(s, i, digits[(unsigned char)c & 15]);
		}
	}
	learn_put_done(s, FORM_URL);
}

/* Quoted-printable (RFC 2045, 6.7); `word`: as in a mail's header (RFC 2047, 4.2), and in files'
   names. */
static void spell_quoted(struct spelling *s, struct span v, bool word)
{
	for (size_t i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if (word && c == ' ') {
			put_char(s, i, '_');
		} else if (c < 0x20 || c >= 0x7f || c == '=' || (word && (c == '?' || c == '_'))) {
			put_char(s, i, '=');
			put_char(s, i, upper_digits[c >> 4]);
			put_char(s, i, upper_digits[c & 15]);
		} else {
			put_char(s, i, (char)c);
		}
	}
	learn_put_done(s, FORM_URL);
}

uint32_t learn_code_point(struct span v, size_t i, size_t *len)
{
	unsigned char c = (unsigned char)v.p[i];
	size_t n = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	uint32_t cp = n == 1 ? c : c & (0xffu >> (n + 1));

	*len = 1;
	if (n == 1 || i + n > v.len)
		return c;
	for (size_t k = 1; k < n; k++) {
		if (((unsigned char)v.p[i + k] & 0xc0) != 0x80)
			return c;
		cp = cp << 6 | ((unsigned char)v.p[i + k] & 0x3f);
	}
	*len = n;
	return cp;
}

static size_t utf16_units(uint32_t cp, uint16_t ret[2])
{
	if (cp < 0x10000) {
		ret[0] = (uint16_t)cp;
		return 1;
	}
	ret[0] = (uint16_t)(0xd800 + ((cp - 0x10000) >> 10));
	ret[1] = (uint16_t)(0xdc00 + ((cp - 0x10000) & 0x3ff));
	return 2;
}

static void spell_json(struct spelling *s, struct span v, bool ascii, bool slash)
{
	static const char named[] = "\b\t\n\f\r", letters[] = "btnfr";

	for (size_t i = 0, len; i < v.len; i += len) {
		uint32_t cp = learn_code_point(v, i, &len);
		const char *at = cp && cp < 0x20 ? strchr(named, (int)cp) : NULL;
		uint16_t unit[2];
		size_t n = utf16_units(cp, unit);
		char esc[8];

		if (at) {
			put_char(s, i, '\\');
			put_char(s, i, letters[at - named]);
		} else if (cp < 0x20 || (ascii && cp >= 0x7f)) {
			for (size_t k = 0; k < n; k++) {
				snprintf(esc, sizeof(esc), "\\u%04x", unit[k]);
				learn_put(s, i, esc, 6);
			}
		} else {
			if (cp == '"' || cp == '\\' || (slash && cp == '/'))
				put_char(s, i, '\\');
			learn_put(s, i, v.p + i, len);
		}
	}
	learn_put_done(s, FORM_JSON);
}

/* UTF-16LE, its bytes as they are or (`escaped`) as gdb prints them in a string of chars. */
static void spell_utf16(struct spelling *s, struct span v, bool escaped)
{
	for (size_t i = 0, len; i < v.len; i += len) {
		uint16_t unit[2];
		size_t n = utf16_units(learn_code_point(v, i, &len), unit);

		for (size_t k = 0; k < 2 * n; k++) {
			char c = (char)(unit[k / 2] >> (k & 1) * 8);

			if (escaped && ((unsigned char)c < 0x20 || (unsigned char)c >= 0x7f)) {
				put_octal(s, i, (unsigned char)c);
			} else {
				put_char(s, i, c);
			}
		}
	}
	learn_put_done(s, FORM_UTF16);
}

static void spell_bytes(struct spelling *s, struct span v, bool encoded)
{
	uint32_t min = s->p.min;
	uint8_t pieces = s->p.pieces;

	spell_plain(s, v);
	spell_gdb(s, v, true, false);
	spell_gdb(s, v, false, false);
	spell_gdb(s, v, false, true);
	spell_gdb(s, v, true, true);
	if (!encoded)
		return;
	if (pieces == PIECES_HALVES)
		s->p.pieces = PIECES_NONE;
	spell_hex(s, v, lower_digits);
	spell_hex(s, v, upper_digits);
	s->p.min = min ? (min * 8 - 5) / 6 : 0;
	for (unsigned lead = 0; lead < 3 && v.len > 3; lead++) {
		spell_base64(s, v, lead, "+/");
		spell_base64(s, v, lead, "-_");
	}
	s->p.min = min;
	s->p.pieces = pieces;
}

static void spell_text(struct spelling *s, struct span v)
{
	for (int i = 0; i < 4; i++) {
		spell_url(s, v, i & 1 ? lower_digits : upper_digits, i & 2);
		spell_json(s, v, i & 1, i & 2);
	}
	spell_quoted(s, v, false);
	if (s->l->v[s->p.value].v.kind == KIND_NAME)
		spell_quoted(s, v, true);
	spell_utf16(s, v, false);
	spell_utf16(s, v, true);
}

/* What pieces of a value with n bytes count. */
static void set_pieces(struct spelling *s, const struct learn_entry *e, size_t n)
{
	size_t run = n < 12 ? RUN_SHORT : RUN_LONG;
	size_t half = (n + 1) / 2 < HALF_MIN ? HALF_MIN : (n + 1) / 2;

	s->p.pieces = PIECES_NONE;
	s->p.min = 0;
	if (value_kind_is_credential(e->v.kind)) {
		if (n > run) {
			s->p.pieces = PIECES_RUNS;
			s->p.min = (uint32_t)run;
		}
		return;
	}
	switch (e->v.kind) {
	case KIND_IP4:
	case KIND_IP4_LAN:
	case KIND_IP6:
	case KIND_IP6_LAN:
	case KIND_MAC:
		break;			/* half an address is a version, a time */
	default:
		if (n > half) {
			s->p.pieces = PIECES_HALVES;
			s->p.min = (uint32_t)half;
		}
	}
}

static void spell_extra(struct spelling *s, const struct learn_entry *e,
			const struct learn_extra *x)
{
	switch (x->what) {
	case EXTRA_DIGEST:		/* 16 bytes, or as hex */
		s->p.pieces = PIECES_RUNS;
		s->p.min = RUN_LONG;
		spell_bytes(s, x->bytes, true);
		break;
	case EXTRA_PAIR:		/* user:password, in base64 from its first byte on */
		s->p.pieces = PIECES_NONE;
		spell_base64(s, x->bytes, 0, "+/");
		spell_base64(s, x->bytes, 0, "-_");
		break;
	case EXTRA_REVERSED:
		set_pieces(s, e, x->bytes.len);
		spell_bytes(s, x->bytes, true);
		break;
	case EXTRA_SPELLING:
		set_pieces(s, e, x->bytes.len);
		spell_bytes(s, x->bytes, false);
		break;
	}
}

/* A number's digits are looked up (learn_phone.c); here are the forms that hide them. */
static void spell_phone(struct spelling *s, struct span digits)
{
	s->p.pieces = PIECES_NONE;
	spell_hex(s, digits, lower_digits);
	for (unsigned lead = 0; lead < 3; lead++)
		spell_base64(s, digits, lead, "+/");
	spell_utf16(s, digits, false);
	spell_utf16(s, digits, true);
}

static bool is_number_kind(enum kind kind)
{
	return kind == KIND_CARD || kind == KIND_IP4 || kind == KIND_IP4_LAN ||
	       kind == KIND_IP6 || kind == KIND_IP6_LAN || kind == KIND_MAC;
}

static void spell_variant(void *ctx, struct span variant)
{
	struct spelling *s = ctx;
	const struct learn_entry *e = &s->l->v[s->p.value];

	set_pieces(s, e, variant.len);
	if (s->p.pieces == PIECES_RUNS)
		s->p.pieces = PIECES_NONE;
	spell_bytes(s, variant, false);
}

static bool is_address4(enum kind kind)
{
	return kind == KIND_IP4 || kind == KIND_IP4_LAN;
}

/* What stands in a text as it is, rules find everywhere: the forms that hide it. */
static void spell_address(struct spelling *s, struct span v)
{
	spell_hex(s, v, lower_digits);
	for (unsigned lead = 0; lead < 3; lead++)
		spell_base64(s, v, lead, "+/");
	learn_spell_address(s, v);
}

void learn_spell(struct learned *l, uint32_t i)
{
	struct learn_entry *e = &l->v[i];
	struct spelling s = { .l = l, .first = l->n_patterns };
	bool numbers = is_number_kind(e->v.kind);
	struct span v = e->v.bytes;

	if (e->mode == MODE_NONE)
		return;
	s.p.value = i;
	if (e->v.kind == KIND_PHONE && e->canonical.len >= PHONE_MIN) {
		spell_phone(&s, e->canonical);
		goto done;
	}
	s.p.exact = numbers;
	if (is_address4(e->v.kind) && e->v.origin == LEARN_MATERIAL) {
		spell_address(&s, v);
		goto done;
	}
	set_pieces(&s, e, v.len);
	spell_bytes(&s, v, true);
	if (v.len <= FORMS_MAX)
		spell_text(&s, v);
	switch (e->v.kind) {
	case KIND_CARD:
		set_pieces(&s, e, e->canonical.len);
		spell_bytes(&s, e->canonical, true);
		spell_utf16(&s, e->canonical, false);
		spell_utf16(&s, e->canonical, true);
		break;
	case KIND_IP4:
	case KIND_IP4_LAN:
		learn_spell_address(&s, v);
		break;
	case KIND_MAC:
		learn_spell_mac(&s, v);
		break;
	default:
		break;
	}
	for (const struct learn_extra *x = e->extra; x; x = x->next)
		spell_extra(&s, e, x);
	/* digests in a log are thousands, and nobody folds those */
	if (e->v.origin != LEARN_MATERIAL || !value_kind_is_credential(e->v.kind))
		learn_variants(e->v.kind, v, l->locale, spell_variant, &s);
done:
	buf_done(&s.text);
	free(s.unit);
}
