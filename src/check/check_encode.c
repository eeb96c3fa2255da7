/* SPDX-License-Identifier: Apache-2.0 */
#include "check_internal.h"

#include <stdio.h>

/*
 * The spellings of a known value, made here from first principles: the second look must not
 * inherit a mistake from the code it checks.
 */

#define STRONG_LEN 8		/* from this length on a value doesn't stand anywhere by chance */
#define ENCODED_MIN 8		/* shorter encoded forms do */
#define LETTERS_LEN 12		/* letters only, and no word of prose or a program */

struct plan {
	enum check_bound bound;
	enum check_level level;
};

static bool all_in(struct span v, bool (*in)(char c))
{
	for (size_t i = 0; i < v.len; i++)
		if (!in(v.p[i]))
			return false;
	return true;
}

static bool is_name_char(char c)
{
	return is_alpha(c) || c == '_' || c == '.' || c == '/' || c == ':' || c == '-';
}

static bool is_number_char(char c)
{
	return is_digit(c) || c == '.';
}

/* Could be a word, name, path or number of the program's own. */
static bool value_is_weak(struct span v)
{
	if (all_in(v, is_name_char) || all_in(v, is_number_char))
		return true;
	return v.len > 2 && v.p[0] == '0' && (v.p[1] == 'x' || v.p[1] == 'X') &&
	       all_in(span_sub(v, 2, v.len), is_hex);
}

static struct plan plan_credential(struct span v)
{
	if (v.len >= LETTERS_LEN && all_in(v, is_alpha))
		return (struct plan){ BOUND_WORD, CHECK_OPEN };
	if (value_is_weak(v))
		return (struct plan){ BOUND_STRING, CHECK_OPEN };
	if (v.len < STRONG_LEN)
		return (struct plan){ BOUND_WORD, CHECK_OPEN };
	return (struct plan){ BOUND_NONE, CHECK_LEAK };
}

static struct plan plan_for(enum kind kind, struct span v)
{
	switch (kind) {
	case KIND_SECRET:
	case KIND_TOKEN:
	case KIND_KEY:
	case KIND_HASH:
		return plan_credential(v);
	case KIND_PHONE:
		if (v.len < 7)
			return (struct plan){ BOUND_STRING, CHECK_OPEN };
		return (struct plan){ BOUND_DIGITS, CHECK_LEAK };
	case KIND_IP4:
	case KIND_IP4_LAN:
		return (struct plan){ BOUND_ADDR4, CHECK_LEAK };
	case KIND_IP6:
	case KIND_IP6_LAN:
		return (struct plan){ BOUND_ADDR6, CHECK_LEAK };
	case KIND_CARD:
		return (struct plan){ BOUND_DIGITS, v.len < 12 ? CHECK_OPEN : CHECK_LEAK };
	case KIND_MAC:
	case KIND_EMAIL:
		return (struct plan){ BOUND_WORD, CHECK_LEAK };
	default:
		if (value_is_weak(v) || v.len < STRONG_LEN)
			return (struct plan){ BOUND_STRING, CHECK_OPEN };
		return (struct plan){ BOUND_WORD, CHECK_OPEN };
	}
}

static char hex_char(unsigned v, bool upper)
{
	return (upper ? "0123456789ABCDEF" : "0123456789abcdef")[v & 15];
}

/* `sep`: what a dump has between the bytes, or NUL. */
static void spell_hex(struct span v, bool upper, char sep, struct buf *ret)
{
	buf_reset(ret);
	for (size_t i = 0; i < v.len; i++) {
		if (sep && i)
			buf_add_char(ret, sep);
		buf_add_char(ret, hex_char((unsigned char)v.p[i] >> 4, upper));
		buf_add_char(ret, hex_char((unsigned char)v.p[i], upper));
	}
}

/* The base64 characters that v alone decides when `lead` (0 to 2) other bytes stand before it. */
static void spell_base64(struct span v, unsigned lead, bool url, struct buf *ret)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	/* the first bit of v that begins a character: 8 + 4 and 16 + 2 are multiples of 6 */
	static const size_t first_bit[3] = { 0, 4, 2 };

	buf_reset(ret);
	for (size_t bit = first_bit[lead]; bit + 6 <= v.len * 8; bit += 6) {
		size_t byte = bit / 8, shift = bit % 8;
		unsigned two = (unsigned)(unsigned char)v.p[byte] << 8;
		char c;

		if (byte + 1 < v.len)
			two |= (unsigned char)v.p[byte + 1];
		c = alphabet[two >> (10 - shift) & 63];
		if (url && c == '+')
			c = '-';
		else if (url && c == '/')
			c = '_';
		buf_add_char(ret, c);
	}
}

static void spell_url(struct span v, bool upper, bool plus, struct buf *ret)
{
	buf_reset(ret);
	for (size_t i = 0; i < v.len; i++) {
		char c = v.p[i];

		if (is_digit(c) || is_alpha(c) || (c && strchr("-._~", c))) {
			buf_add_char(ret, c);
		} else if (plus && c == ' ') {
			buf_add_char(ret, '+');
		} else {
			buf_add_char(ret, '%');
			buf_add_char(ret, hex_char((unsigned char)c >> 4, upper));
			buf_add_char(ret, hex_char((unsigned char)c, upper));
		}
	}
}

static void spell_xml(struct span v, struct buf *ret)
{
	static const char marks[] = "&<>\"'";
	static const char *const names[] = { "amp", "lt", "gt", "quot", "apos" };

	buf_reset(ret);
	for (size_t i = 0; i < v.len; i++) {
		const char *at = v.p[i] ? strchr(marks, v.p[i]) : NULL;

		if (at)
			buf_addf(ret, "&%s;", names[at - marks]);
		else
			buf_add_char(ret, v.p[i]);
	}
}

/* C escapes as gdb prints them, `octal`: bytes from 0x80 on too; a shell's echo -e has then undone
   those of control characters and backslashes where `expanded`. */
static void spell_gdb(struct span v, bool octal, bool expanded, struct buf *ret)
{
	static const char named[] = "\a\b\t\n\v\f\r\033", letters[] = "abtnvfre";

	buf_reset(ret);
	for (size_t i = 0; i < v.len; i++) {
		char c = v.p[i];
		const char *at = c ? strchr(named, c) : NULL;

		if (c == '"' || (c == '\\' && !expanded))
			buf_add_char(ret, '\\');
		if (expanded || !((unsigned char)c < 0x20 || c == 0x7f || (octal && ((unsigned char)c & 0x80))))
			buf_add_char(ret, c);
		else if (at && c != '\033' && !octal)
			buf_addf(ret, "\\%c", letters[at - named]);
		else
			buf_addf(ret, "\\%03o", (unsigned char)c);
	}
}

/* One code point of UTF-8 at v.p[i], its length to *len; what isn't UTF-8 is taken as Latin-1. */
static uint32_t utf8_next(struct span v, size_t i, size_t *len)
{
	unsigned char c = (unsigned char)v.p[i];
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;
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

/* The UTF-16 code units of a code point; how many. */
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

static void spell_json(struct span v, bool ascii, bool slash, struct buf *ret)
{
	static const char named[] = "\b\t\n\f\r", letters[] = "btnfr";

	buf_reset(ret);
	for (size_t i = 0, len; i < v.len; i += len) {
		uint32_t cp = utf8_next(v, i, &len);
		uint16_t unit[2];
		size_t n = utf16_units(cp, unit);
		const char *at = cp && cp < 0x20 ? strchr(named, (int)cp) : NULL;

		if (at) {
			buf_addf(ret, "\\%c", letters[at - named]);
		} else if (cp < 0x20 || (ascii && cp >= 0x7f)) {
			for (size_t k = 0; k < n; k++)
				buf_addf(ret, "\\u%04x", unit[k]);
		} else {
			if (cp == '"' || cp == '\\' || (slash && cp == '/'))
				buf_add_char(ret, '\\');
			buf_add(ret, v.p + i, len);
		}
	}
}

static void spell_utf16(struct span v, bool big, struct buf *ret)
{
	buf_reset(ret);
	for (size_t i = 0, len; i < v.len; i += len) {
		uint16_t unit[2];
		size_t n = utf16_units(utf8_next(v, i, &len), unit);

		for (size_t k = 0; k < n; k++) {
			char hi = (char)(unit[k] >> 8), lo = (char)unit[k];

			buf_add_char(ret, big ? hi : lo);
			buf_add_char(ret, big ? lo : hi);
		}
	}
}

/* The needles of one value: those already there are not added twice. */
struct maker {
	struct check *c;
	enum kind kind;
	struct plan plan;
	size_t first;			/* this value's first needle */
};

static void make(struct maker *m, enum check_enc enc, struct span s)
{
	struct check *c = m->c;
	struct plan p = m->plan;

	for (size_t i = m->first; i < c->n_needles; i++)
		if (c->needles[i].len == s.len &&
		    memcmp(c->bytes.p + c->needles[i].off, s.p, s.len) == 0)
			return;
	if (enc == ENC_HEX || enc == ENC_BASE64 || enc == ENC_UTF16) {
		if (s.len < ENCODED_MIN)
			return;
		p.bound = BOUND_NONE;
	}
	check_needle(c, s, m->kind, enc, p.bound, p.level);
}

static void make_all(struct maker *m, struct span v)
{
	static const char seps[] = { '\0', ' ', ':' };
	AUTO_BUF b = BUF_INIT;
	AUTO_BUF esc = BUF_INIT;

	make(m, ENC_PLAIN, v);
	spell_xml(v, &b);
	make(m, ENC_XML, buf_span(&b));
	for (int i = 0; i < 3; i++) {
		spell_gdb(v, i == 1, i == 2, &b);
		make(m, ENC_GDB, buf_span(&b));
	}
	for (int i = 0; i < 4; i++) {
		spell_json(v, i & 1, i & 2, &b);
		make(m, ENC_JSON, buf_span(&b));
		spell_url(v, i & 1, i & 2, &b);
		make(m, ENC_URL, buf_span(&b));
	}
	for (int i = 0; i < 2; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(seps); k++) {
			spell_hex(v, i, seps[k], &b);
			make(m, ENC_HEX, buf_span(&b));
		}
		spell_utf16(v, i, &b);
		make(m, ENC_UTF16, buf_span(&b));
		spell_gdb(buf_span(&b), true, false, &esc);
		make(m, ENC_UTF16, buf_span(&esc));
	}
	for (unsigned i = 0; i < 6; i++) {
		spell_base64(v, i % 3, i >= 3, &b);
		make(m, ENC_BASE64, buf_span(&b));
	}
}

/* A packed address as gdb prints s_addr, and as the number that the dotted form stands for. */
static void make_integers(struct maker *m, struct span v)
{
	uint8_t a[4];
	char n[24];

	if (!value_ip4_parse(v, a))
		return;
	m->plan = (struct plan){ BOUND_WORD, CHECK_OPEN };
	snprintf(n, sizeof(n), "%u", a[0] | a[1] << 8 | a[2] << 16 | (unsigned)a[3] << 24);
	make(m, ENC_INTEGER, span_str(n));
	snprintf(n, sizeof(n), "%u", (unsigned)a[0] << 24 | a[1] << 16 | a[2] << 8 | a[3]);
	make(m, ENC_INTEGER, span_str(n));
}

void check_encode(struct check *c, const struct known *k)
{
	struct maker m = { c, k->kind, plan_for(k->kind, k->value), c->n_needles };
	AUTO_BUF canonical = BUF_INIT;

	if (k->kind == KIND_DTMF)
		return;			/* single digits */
	make_all(&m, k->value);
	switch (k->kind) {
	case KIND_PHONE:
		value_canonical(k->kind, k->value, &canonical);
		if (canonical.len < 4)
			break;
		m.plan = plan_for(k->kind, buf_span(&canonical));
		make_all(&m, buf_span(&canonical));
		break;
	case KIND_IP4:
	case KIND_IP4_LAN:
		make_integers(&m, k->value);
		break;
	default:
		break;
	}
}
