/* SPDX-License-Identifier: Apache-2.0 */
#include "check_internal.h"

/*
 * Shapes of values that a rule should have had, outside of sound tokens. The bits of a block say
 * where one could be; here the place is looked at closely.
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
		look_item(l, (struct check_item){ level, kind, false, what, off,
						  (uint32_t)(end - off) });
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

/* p is behind "PRIVATE KEY-----". */
static void shape_pem(struct look *l, size_t p)
{
	size_t body = p, end;

	while (text_at(l, body) == '\\')
		body += 2;
	while (body < l->text.len && (l->text.p[body] == '\n' || l->text.p[body] == '\r' ||
				      l->text.p[body] == ' '))
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
	/* the first column of a table: a build id, a file's digest */
	if (before == '\n' && text_at(l, end) == ' ' && text_at(l, end + 1) == ' ')
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

/* p is at the eighth digit of a number: with a plus sign it is a phone number's international
   form. */
static void shape_number(struct look *l, size_t p)
{
	const char *t = l->text.p;
	size_t off = p - 7, end = p + 1;
	char before, after;

	while (is_digit(text_at(l, end)) && end - p < 32)
		end++;
	before = off ? t[off - 1] : '\n';
	after = text_at(l, end);
	if (end - off < 9 || end - off > 16 || is_word(after) || is_word(before))
		return;
	/* behind a colon it is a URI's */
	if (before == '+' && end - off <= 15 && !(off > 1 && (is_word(t[off - 2]) || t[off - 2] == ':')))
		shape_item(l, KIND_PHONE, CHECK_OPEN, "number in international form", off, end);
	else if (!l->memory && (after != '.' || !is_digit(text_at(l, end + 1))) &&
		 check_odd_number(l, off))
		shape_item(l, KIND_PHONE, CHECK_HINT, "long number in a string", off, end);
}

/* p is at the sixteenth of a run of hex digits. */
static void shape_hex(struct look *l, size_t p)
{
	size_t off = p - 15, end = p + 1;

	while (end - p < 200 && is_hex(text_at(l, end)))
		end++;
	if (end - off == 32 || end - off == 40 || end - off == 64 || end - off == 128)
		shape_digest(l, off, end);
}

/* Of four bytes loaded from memory, all but the first. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ANY_FIRST 0xffffff00u
#else
#define ANY_FIRST 0x00ffffffu
#endif

static bool text_has(const struct look *l, size_t at, const char *word)
{
	size_t n = strlen(word);

	return at <= l->text.len && l->text.len - at >= n && memcmp(l->text.p + at, word, n) == 0;
}

/* sip, sips or tel, in any case, before the colon. */
static bool scheme_before(const struct look *l, size_t colon)
{
	uint32_t word;

	if (colon < 4) {
		if (colon != 3)
			return false;
		return strncasecmp(l->text.p, "sip", 3) == 0 || strncasecmp(l->text.p, "tel", 3) == 0;
	}
	memcpy(&word, l->text.p + colon - 4, 4);
	word |= 0x20202020;
	return word == check_gram("sips") || (word & ANY_FIRST) == (check_gram("\0sip") & ANY_FIRST) ||
	       (word & ANY_FIRST) == (check_gram("\0tel") & ANY_FIRST);
}

/* Do two letters end password, passwd, pwd, secret, token, key or passphrase? */
static bool ends_key(const char *two)
{
	char a = (char)(two[0] | 0x20), b = (char)(two[1] | 0x20);

	switch (b) {
	case 'd':
		return a == 'r' || a == 'w';
	case 't':
	case 'n':
	case 'y':
		return a == 'e';
	case 'e':
		return a == 's';
	default:
		return false;
	}
}

/* p is at a colon or an equals sign: what stands on its sides? */
static void shape_sign(struct look *l, size_t p)
{
	size_t key = p;

	if (l->text.p[p] == ':') {
		if (scheme_before(l, p))
			shape_uri(l, p + 1);
		else if (text_has(l, p + 1, "//"))
			shape_userinfo(l, p + 3);
		else if (text_has(l, p + 1, " Basic "))
			shape_authorization(l, p + 8, true);
		else if (text_has(l, p + 1, " Bearer "))
			shape_authorization(l, p + 9, false);
	}
	/* a key may stand in quotes, with a space behind it */
	while (key > 0 && p - key < 3 && (l->text.p[key - 1] == ' ' || l->text.p[key - 1] == '"' ||
					  l->text.p[key - 1] == '\'' || l->text.p[key - 1] == '\\'))
		key--;
	if (key > 2 && ends_key(l->text.p + key - 2))
		check_shape_key(l, key - 1);
}

/* Where runs of n of a kind come to their nth byte: doubled step by step, each step with the one of
   the block before. */
static uint64_t run_step(uint64_t now, uint64_t *before, unsigned n)
{
	uint64_t x = now & block_shift(now, *before, n);

	*before = now;
	return x;
}

static uint64_t first_of_runs(uint64_t now, uint64_t *before)
{
	uint64_t x = now & ~block_shift(now, *before, 1);

	*before = now;
	return x;
}

void check_shapes(struct look *l, size_t p, const struct block *b, bool next)
{
	uint64_t digits_after = b->digit >> 1 | (uint64_t)next << 63;
	uint64_t quads = b->dot & block_shift(b->digit, l->digit, 1) & digits_after;
	uint64_t ip6 = b->colon & block_shift(b->hex, l->hex, 1) & block_shift(b->hex, l->hex, 2) &
		       block_shift(b->hex, l->hex, 3);
	uint64_t mixtures = l->memory ? 0 : (b->upper & block_shift(b->digit, l->digit, 1)) |
					    (b->digit & block_shift(b->upper, l->upper, 1));
	uint64_t numbers, digests, signs = b->sign;

	l->upper = b->upper;

	numbers = run_step(b->digit, &l->digit, 1);
	numbers = run_step(numbers, &l->digit2, 2);
	numbers = first_of_runs(run_step(numbers, &l->digit4, 4), &l->digit8);
	digests = run_step(b->hex, &l->hex, 1);
	digests = run_step(digests, &l->hex2, 2);
	digests = run_step(digests, &l->hex4, 4);
	digests = first_of_runs(run_step(digests, &l->hex8, 8), &l->hex16);
	for (; quads; quads &= quads - 1)
		shape_quad(l, p + (size_t)__builtin_ctzll(quads) - 1);
	for (; ip6; ip6 &= ip6 - 1)
		shape_ip6(l, p + (size_t)__builtin_ctzll(ip6) - 3);
	for (; signs; signs &= signs - 1)
		shape_sign(l, p + (size_t)__builtin_ctzll(signs));
	for (; mixtures; mixtures &= mixtures - 1)
		check_odd_mixture(l, p + (size_t)__builtin_ctzll(mixtures));
	for (; numbers; numbers &= numbers - 1)
		shape_number(l, p + (size_t)__builtin_ctzll(numbers));
	for (; digests; digests &= digests - 1)
		shape_hex(l, p + (size_t)__builtin_ctzll(digests));
}

/* Heads that no single byte tells: searched for with the known values. */
static const struct {
	const char *text;
	enum check_enc head;
} heads[] = {
	{ "PRIVATE KEY-----", HEAD_PEM },
	/* the base64 of {"alg": {"typ": {"kid": */
	{ "eyJhbGci", HEAD_JWT }, { "eyJ0eXAi", HEAD_JWT }, { "eyJraWQi", HEAD_JWT },
};

void check_shape_heads(struct check *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		check_needle(c, span_str(heads[i].text), KIND_KEY, heads[i].head, BOUND_NONE,
			     CHECK_OPEN);
}

void check_shape_head(struct look *l, enum check_enc head, size_t off)
{
	if (head == HEAD_PEM)
		shape_pem(l, off + strlen(heads[0].text));
	else
		shape_jwt(l, off);
}
