/* SPDX-License-Identifier: Apache-2.0 */
#include "check_internal.h"

/*
 * Shapes of values that a rule should have had, outside of sound tokens. Each is told by four bytes
 * that the scan's filter knows; here the place is looked at closely.
 */

static char text_at(const struct look *l, size_t i)
{
	return i < l->text.len ? l->text.p[i] : '\n';
}

static bool allowed(const struct look *l, enum kind kind)
{
	return l->c->allowed & 1u << kind;
}

static void shape_item(struct look *l, enum kind kind, enum check_level level, const char *what,
		       size_t off, size_t end)
{
	if (!allowed(l, kind) && !look_in_token(l->text, off, end - off))
		look_item(l, level, what, off, end - off);
}

/* Is the dotted quad at off the version of what is named before it, as in "Browser/108.86.0.90"?
   Transports before a slash are no products. */
static bool is_version(const struct look *l, size_t off)
{
	static const char *const transports[] = { "udp", "tcp", "tls", "ws", "wss", "sctp", "ipv4" };
	size_t i = off;
	char c;

	if (off == 0)
		return false;
	c = l->text.p[off - 1];
	if (c == 'v' || c == 'V' || c == '_')
		return true;
	if (c == ' ')
		return off >= 8 && strncasecmp(l->text.p + off - 8, "version ", 8) == 0;
	if (c != '/' && c != '-')
		return false;
	for (i--; i > 0 && is_word(l->text.p[i - 1]); )
		i--;
	if (i == off - 1 || !is_alpha(l->text.p[off - 2]))
		return false;
	for (size_t k = 0; k < ARRAY_SIZE(transports); k++)
		if (strlen(transports[k]) == off - 1 - i &&
		    strncasecmp(transports[k], l->text.p + i, off - 1 - i) == 0)
			return false;
	return true;
}

/* p is a digit before the first dot of what may be a dotted quad. */
static void shape_quad(struct look *l, size_t p)
{
	uint8_t a[4];
	size_t off = p, end;
	int octet = 0;

	while (off > 0 && is_digit(l->text.p[off - 1]) && p - off < 2 &&
	       !look_escape_before(l->text, off))
		off--;
	if (off > 0 && !look_escape_before(l->text, off) &&
	    (l->text.p[off - 1] == '.' || is_digit(l->text.p[off - 1])))
		return;
	for (end = off; octet < 4; octet++) {
		unsigned n = 0;
		size_t from = end;

		while (is_digit(text_at(l, end)) && end - from < 3)
			n = n * 10 + (unsigned)(l->text.p[end++] - '0');
		if (end == from || n > 255)
			return;
		a[octet] = (uint8_t)n;
		if (octet < 3 && text_at(l, end++) != '.')
			return;
	}
	if (is_digit(text_at(l, end)) || is_alpha(text_at(l, end)) ||
	    (text_at(l, end) == '.' && is_digit(text_at(l, end + 1))))
		return;
	if (!value_ip4_stays(a) && !is_version(l, off))
		shape_item(l, (value_refine(KIND_IP4, span_make(l->text.p + off, end - off))),
			   CHECK_OPEN, "IPv4 address", off, end);
}

/* p is one of three hex digits before a colon. */
static void shape_ip6(struct look *l, size_t p)
{
	const char *t = l->text.p;
	size_t off = p, end = p + 4, colons = 0;
	bool twice = false, digit = false;
	uint8_t a[16];

	if (p < l->shape_end)
		return;
	while (off > 0 && p - off < 40 && (is_hex(t[off - 1]) || t[off - 1] == ':'))
		off--;
	while (end < l->text.len && end - off < 46 &&
	       (is_hex(t[end]) || t[end] == ':' || t[end] == '.'))
		end++;
	l->shape_end = end;
	while (end > off && (t[end - 1] == '.' || (t[end - 1] == ':' && t[end - 2] != ':')))
		end--;
	for (size_t i = off; i < end; i++) {
		colons += t[i] == ':';
		twice |= t[i] == ':' && i + 1 < end && t[i + 1] == ':';
		digit |= is_digit(t[i]);
	}
	if (colons < 2 || !digit || (!twice && colons != 7 && colons != 6))
		return;
	if ((off > 0 && is_word(t[off - 1]) && !look_escape_before(l->text, off)) ||
	    is_word(text_at(l, end)))
		return;
	if (value_ip6_parse(span_make(t + off, end - off), a) && !value_ip6_stays(a))
		shape_item(l, value_refine(KIND_IP6, span_make(t + off, end - off)), CHECK_OPEN,
			   "IPv6 address", off, end);
}

/* p is behind "sip:", "sips:" or "tel:". */
static void shape_uri(struct look *l, size_t p)
{
	size_t off = p, end, digits = 0;

	if (text_at(l, off) == '%' && text_at(l, off + 1) == '2')
		off += 3;
	if (text_at(l, off) == '+')
		off++;
	for (end = off; end - off < 32; end++) {
		char c = text_at(l, end);

		if (is_digit(c))
			digits++;
		else if (c != '-' && c != '.' && c != '(' && c != ')')
			break;
	}
	/* an address is another shape's */
	if (digits >= 7 && !is_word(text_at(l, end)) &&
	    !(memchr(l->text.p + off, '.', end - off) &&
	      value_ip4_parse(span_make(l->text.p + off, end - off), (uint8_t[4]){ 0 })))
		shape_item(l, KIND_PHONE, CHECK_OPEN, "number in a SIP or tel URI", off, end);
}

static bool is_base64(char c)
{
	return is_alpha(c) || is_digit(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

static size_t base64_end(const struct look *l, size_t off)
{
	while (is_base64(text_at(l, off)))
		off++;
	return off;
}

/* p is behind "-----BEGIN ". */
static void shape_pem(struct look *l, size_t p)
{
	struct span rest = span_sub(l->text, p, p + 48);
	ssize_t label = span_find(rest, SPAN_LIT("PRIVATE KEY-----"), 0);
	size_t body, end;

	if (label < 0)
		return;
	body = p + (size_t)label + strlen("PRIVATE KEY-----");
	while (text_at(l, body) == '\\')
		body += 2;
	while (body < l->text.len && strchr("\r\n \t", l->text.p[body]))
		body++;
	end = base64_end(l, body);
	if (end - body >= 16)
		shape_item(l, KIND_KEY, CHECK_OPEN, "private key", body, end);
}

/* p is behind "Basic " or "Bearer ". */
static void shape_authorization(struct look *l, size_t p, bool basic)
{
	AUTO_BUF plain = BUF_INIT;
	size_t end = base64_end(l, p);

	if (end - p < 8)
		return;
	if (basic && (!value_base64_decode(span_make(l->text.p + p, end - p), &plain) ||
		      !memchr(plain.p, ':', plain.len)))
		return;
	if (!basic) {
		size_t digits = 0;

		for (size_t i = p; i < end; i++)
			digits += is_digit(l->text.p[i]);
		if (end - p < 16 || digits == 0)
			return;
	}
	shape_item(l, basic ? KIND_SECRET : KIND_TOKEN, CHECK_OPEN, "authorization", p, end);
}

/* p is at "eyJ", the base64 of '{"': a JSON web token has two dots. */
static void shape_jwt(struct look *l, size_t p)
{
	size_t head = base64_end(l, p), body;

	if ((p > 0 && is_base64(l->text.p[p - 1]) && !look_escape_before(l->text, p)) ||
	    head - p < 10 || text_at(l, head) != '.')
		return;
	body = base64_end(l, head + 1);
	if (body - head > 10)
		shape_item(l, KIND_TOKEN, CHECK_OPEN, "JSON web token", p, body);
}

/* p is behind "://": user:password@ follows? */
static void shape_userinfo(struct look *l, size_t p)
{
	size_t colon = 0, end;

	for (end = p; end - p < 200; end++) {
		char c = text_at(l, end);

		if (c == ':' && !colon)
			colon = end + 1;
		if (c == '@' || c == '/' || c == '[' || c == '"' || c == '\\' || (c >= 0 && c <= ' '))
			break;
	}
	if (colon && text_at(l, end) == '@' && end > colon)
		shape_item(l, KIND_SECRET, CHECK_OPEN, "password in a URL", colon, end);
}

/* Hex runs of a digest's length. Those that name a call, a branch or a build are only hints. */
static void shape_digest(struct look *l, size_t off, size_t end)
{
	static const char *const names[] = { "tag=", "branch=", "nonce=\"", "opaque=\"", "bK" };
	size_t letters = 0, len = end - off;
	enum check_level level = CHECK_HINT;
	char before = off ? l->text.p[off - 1] : '\n';

	for (size_t i = off; i < end; i++)
		letters += !is_digit(l->text.p[i]);
	if (letters < 4 || len - letters < 4 || is_word(text_at(l, end)))
		return;
	if (before == '"' || before == '=' || before == '\'' || look_escape_before(l->text, off))
		level = CHECK_OPEN;
	if (text_at(l, end) == '@' || text_at(l, end) == '-')
		level = CHECK_HINT;
	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		size_t n = strlen(names[k]);

		if (off >= n && memcmp(l->text.p + off - n, names[k], n) == 0)
			level = CHECK_HINT;
	}
	if (is_word(before) && !look_escape_before(l->text, off) && level != CHECK_HINT)
		return;
	shape_item(l, KIND_HASH, level, "digest", off, end);
}

/* A long number: with a plus sign a phone number's international form. */
static void shape_number(struct look *l, size_t p)
{
	const char *t = l->text.p;
	size_t off = p, end = p;
	char before, after;

	while (off > 0 && is_digit(t[off - 1]) && p - off < 32)
		off--;
	while (is_digit(text_at(l, end)) && end - p < 32)
		end++;
	before = off ? t[off - 1] : '\n';
	after = text_at(l, end);
	if (end - off < 9 || end - off > 16 || is_word(after) || is_word(before))
		return;
	/* behind a colon it is a URI's */
	if (before == '+' && end - off <= 15 && !(off > 1 && (is_word(t[off - 2]) || t[off - 2] == ':')))
		shape_item(l, KIND_PHONE, CHECK_OPEN, "number in international form", off, end);
	else if (end - off >= 10 && (before == '"' || before == '<') &&
		 (after == '"' || after == '>' || after == '@' || after == '\\'))
		shape_item(l, KIND_PHONE, CHECK_HINT, "long number in a string", off, end);
}

void check_shape_run(struct look *l, size_t p)
{
	const char *t = l->text.p + p;

	if ((is_digit(t[3]) & is_digit(t[4])) && !is_alpha(t[2]))
		shape_number(l, p + 3);
	if ((is_digit(t[11]) & is_digit(t[12])) && !is_alpha(t[10]))
		shape_number(l, p + 11);
	if (p >= l->run_end && (is_hex(t[0]) & is_hex(t[5]) & is_hex(t[10]) & is_hex(t[15]))) {
		size_t off = p, end = p;

		while (off > 0 && p - off < 200 && is_hex(l->text.p[off - 1]))
			off--;
		while (end - p < 200 && is_hex(text_at(l, end)))
			end++;
		l->run_end = end;
		if (end - off == 32 || end - off == 40 || end - off == 64 || end - off == 128)
			shape_digest(l, off, end);
	}
}

/* The four bytes that begin a look, and where it begins from them. */
static const struct trigger {
	char gram[5];
	enum { T_URI, T_KEY, T_PEM, T_BASIC, T_BEARER, T_JWT } look;
} triggers[] = {
	{ "sip:", T_URI }, { "ips:", T_URI }, { "tel:", T_URI }, { "SIP:", T_URI },
	{ "IPS:", T_URI }, { "TEL:", T_URI },
	{ "assw", T_KEY }, { "ASSW", T_KEY }, { "ecre", T_KEY }, { "ECRE", T_KEY },
	{ "oken", T_KEY }, { "OKEN", T_KEY }, { "hras", T_KEY }, { "HRAS", T_KEY },
	{ "ikey", T_KEY }, { "IKEY", T_KEY }, { "iKey", T_KEY }, { "_key", T_KEY },
	{ "-key", T_KEY }, { "_KEY", T_KEY }, { "-Key", T_KEY }, { "pwd=", T_KEY },
	{ "pwd:", T_KEY }, { "PWD=", T_KEY }, { "pwd\"", T_KEY },
	{ "-BEG", T_PEM }, { "asic", T_BASIC }, { "eare", T_BEARER },
	{ "eyJh", T_JWT }, { "eyJ0", T_JWT }, { "eyJr", T_JWT },
};

void check_shape_triggers(struct check *c)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	char g[4];

	for (size_t i = 0; i < ARRAY_SIZE(triggers); i++)
		check_filter_set(c, check_gram(triggers[i].gram));
	for (int i = 0; i < 1100; i++) {	/* digit, dot, digit, then a digit or dot */
		g[0] = (char)('0' + i / 110);
		g[1] = '.';
		g[2] = (char)('0' + i / 11 % 10);
		g[3] = i % 11 == 10 ? '.' : (char)('0' + i % 11);
		check_filter_set(c, check_gram(g));
	}
	for (int i = 0; i < 22 * 22 * 22; i++) {	/* three hex digits and a colon */
		g[0] = hex[i / 484];
		g[1] = hex[i / 22 % 22];
		g[2] = hex[i % 22];
		g[3] = ':';
		check_filter_set(c, check_gram(g));
	}
	for (int i = '!'; i < 0x7f; i++) {
		memcpy(g, "://", 3);
		g[3] = (char)i;
		check_filter_set(c, check_gram(g));
	}
}

static void shape_trigger(struct look *l, size_t p, const struct trigger *t)
{
	switch (t->look) {
	case T_URI:
		shape_uri(l, p + 4);
		break;
	case T_KEY:
		check_shape_key(l, p);
		break;
	case T_PEM:
		if (text_at(l, p + 6) == ' ')
			shape_pem(l, p + 7);
		break;
	case T_BASIC:
		if (p > 0 && l->text.p[p - 1] == 'B' && text_at(l, p + 4) == ' ')
			shape_authorization(l, p + 5, true);
		break;
	case T_BEARER:
		if (p > 0 && l->text.p[p - 1] == 'B' && text_at(l, p + 5) == ' ')
			shape_authorization(l, p + 6, false);
		break;
	case T_JWT:
		shape_jwt(l, p);
		break;
	}
}

void check_shape_at(struct look *l, size_t p)
{
	const char *t = l->text.p + p;

	if (t[1] == '.' && is_digit(t[0]) && is_digit(t[2])) {
		shape_quad(l, p);
		return;
	}
	if (t[3] == ':' && is_hex(t[0]) && is_hex(t[1]) && is_hex(t[2])) {
		shape_ip6(l, p);
		return;
	}
	if (memcmp(t, "://", 3) == 0) {
		shape_userinfo(l, p + 3);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(triggers); i++)
		if (check_gram(t) == check_gram(triggers[i].gram))
			shape_trigger(l, p, &triggers[i]);
}
