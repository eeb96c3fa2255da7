/* SPDX-License-Identifier: Apache-2.0 */
#include "check_internal.h"

#include <stdlib.h>

/*
 * The plain search: a bit for the hash of four bytes says at each place of the text whether a needle
 * or a shape could be there; then buckets of needles and memcmp.
 */

static const char *const enc_names[ENC_COUNT] = {
	[ENC_PLAIN] = "as it is", [ENC_GDB] = "with C escapes", [ENC_HEX] = "as hex",
	[ENC_BASE64] = "as base64", [ENC_URL] = "URL-escaped", [ENC_JSON] = "JSON-escaped",
	[ENC_UTF16] = "as UTF-16", [ENC_INTEGER] = "as an integer",
};

/* How common four bytes are in logs and gdb's text: digits of pointers, padding and escapes are. */
static unsigned gram_cost(const char *p)
{
	unsigned cost = 0;

	for (int i = 0; i < 4; i++) {
		if (p[i] == '0' || p[i] == '\\' || p[i] == '\0' || p[i] == ' ')
			cost += 4;
		else if (is_digit(p[i]))
			cost += 3;
		else if (p[i] >= 'a' && p[i] <= 'z')
			cost += 2;
		else if (is_alpha(p[i]))
			cost += 1;
	}
	return cost;
}

void check_needle(struct check *c, struct span bytes, enum kind kind, enum check_enc enc,
		  enum check_bound bound, enum check_level level)
{
	struct needle n = { .off = (uint32_t)c->bytes.len, .len = (uint32_t)bytes.len,
			    .kind = (uint8_t)kind, .enc = (uint8_t)enc,
			    .bound = (uint8_t)bound, .level = (uint8_t)level };
	unsigned best = UINT32_MAX;

	if (bytes.len < 4)
		return;
	/* a long value's head is enough to choose from */
	for (size_t i = 0; i + 4 <= bytes.len && i < 64; i++) {
		unsigned cost = gram_cost(bytes.p + i);

		if (cost < best) {
			best = cost;
			n.anchor = (uint32_t)i;
		}
	}
	buf_add_span(&c->bytes, bytes);
	GROW(c->needles, c->n_needles, c->cap_needles);
	c->needles[c->n_needles++] = n;
	if (!c->what[kind][enc])
		c->what[kind][enc] = xasprintf("known %s, %s", value_kind_name(kind), enc_names[enc]);
}

static uint32_t needle_hash(const struct check *c, const struct needle *n)
{
	return check_hash(check_gram(c->bytes.p + n->off + n->anchor));
}

static uint32_t bucket_of(uint32_t hash)
{
	return hash >> (CHECK_FILTER_BITS - CHECK_BUCKET_BITS);
}

void check_table_build(struct check *c)
{
	size_t n_buckets = (size_t)1 << CHECK_BUCKET_BITS;

	check_table_done(c);
	c->filter = xcalloc((size_t)1 << (CHECK_FILTER_BITS - 6), sizeof(*c->filter));
	c->bucket = xcalloc(n_buckets + 2, sizeof(*c->bucket));
	c->order = xcalloc(c->n_needles + 1, sizeof(*c->order));
	/* counted one further than their bucket, then summed, then filled: starts move up to ends */
	for (size_t i = 0; i < c->n_needles; i++) {
		uint32_t h = needle_hash(c, &c->needles[i]);

		c->filter[h >> 6] |= (uint64_t)1 << (h & 63);
		c->bucket[bucket_of(h) + 2]++;
	}
	for (size_t b = 2; b < n_buckets + 2; b++)
		c->bucket[b] += c->bucket[b - 1];
	for (size_t i = 0; i < c->n_needles; i++)
		c->order[c->bucket[bucket_of(needle_hash(c, &c->needles[i])) + 1]++] = (uint32_t)i;
	check_shape_triggers(c);
}

void check_table_done(struct check *c)
{
	free(c->filter);
	free(c->bucket);
	free(c->order);
	c->filter = NULL;
	c->bucket = c->order = NULL;
}

bool look_in_token(struct span t, size_t off, size_t len)
{
	enum kind kind;

	for (size_t back = 0; back < VALUE_TOKEN_MAX && back <= off; back++) {
		size_t at = off - back;

		if (t.p[at] != '[')
			continue;
		return at + value_token_at(span_sub(t, at, t.len), &kind) >= off + len;
	}
	return false;
}

bool look_escape_before(struct span t, size_t at)
{
	size_t digits = 0, slashes = 0, i = at;

	while (digits < 3 && i > 0 && t.p[i - 1] >= '0' && t.p[i - 1] <= '7') {
		i--;
		digits++;
	}
	if (digits != 3) {
		i = at;
		if (i == 0 || !t.p[i - 1] || !strchr("abefnrtv", t.p[i - 1]))
			return false;
		i--;
	}
	while (i > 0 && t.p[i - 1] == '\\' && slashes < 64) {
		i--;
		slashes++;
	}
	return slashes & 1;
}

static bool bound_string(struct span t, size_t off, size_t end)
{
	unsigned char before = off ? (unsigned char)t.p[off - 1] : '\n';
	unsigned char after = end < t.len ? (unsigned char)t.p[end] : '\n';

	return (before == '"' || before < 0x20 || look_escape_before(t, off)) &&
	       (after == '"' || after == '\\' || after < 0x20);
}

/* An international prefix may stand before a number's digits. */
static bool bound_digits(struct span t, size_t off, size_t end)
{
	size_t i = off;

	if (end < t.len && is_digit(t.p[end]))
		return false;
	while (i > 0 && off - i < 3 && (t.p[i - 1] == '0' || t.p[i - 1] == '1'))
		i--;
	return i == 0 || !is_digit(t.p[i - 1]) || look_escape_before(t, i) ||
	       look_escape_before(t, off);
}

static bool bound_holds(enum check_bound bound, struct span t, size_t off, size_t len)
{
	size_t end = off + len;
	char before = off ? t.p[off - 1] : '\n';
	char after = end < t.len ? t.p[end] : '\n';

	switch (bound) {
	case BOUND_NONE:
		return true;
	case BOUND_WORD:
		return (!is_word(before) || look_escape_before(t, off)) && !is_word(after);
	case BOUND_DIGITS:
		return bound_digits(t, off, end);
	case BOUND_ADDR4:
		if (is_digit(after) || (after == '.' && end + 1 < t.len && is_digit(t.p[end + 1])))
			return false;
		return look_escape_before(t, off) ||
		       !(is_digit(before) || (before == '.' && off > 1 && is_digit(t.p[off - 2])));
	case BOUND_ADDR6:
		return !is_hex(after) && (look_escape_before(t, off) || !is_hex(before));
	case BOUND_STRING:
		return bound_string(t, off, end);
	}
	return true;
}

static void look_needles(struct look *l, size_t p, uint32_t hash)
{
	const struct check *c = l->c;
	uint32_t b = bucket_of(hash);

	for (uint32_t i = c->bucket[b]; i < c->bucket[b + 1]; i++) {
		const struct needle *n = &c->needles[c->order[i]];
		size_t off = p - n->anchor;

		if (p < n->anchor || l->text.len - off < n->len ||
		    memcmp(l->text.p + off, c->bytes.p + n->off, n->len) != 0)
			continue;
		if (bound_holds(n->bound, l->text, off, n->len) &&
		    !look_in_token(l->text, off, n->len))
			look_item(l, n->level, c->what[n->kind][n->enc], off, n->len);
	}
}

static void look_at(struct look *l, size_t p, uint32_t hash)
{
	look_needles(l, p, hash);
	check_shape_at(l, p);
}

void check_scan(struct look *l)
{
	const uint64_t *filter = l->c->filter;
	const char *t = l->text.p;
	size_t n = l->text.len, p = 0;

	for (; p + 20 <= n && l->rc >= 0; p += 16) {
		check_shape_run(l, p);
		for (size_t i = p; i < p + 16; i++) {
			uint32_t h = check_hash(check_gram(t + i));

			if (__builtin_expect(filter[h >> 6] >> (h & 63) & 1, 0))
				look_at(l, i, h);
		}
	}
	if (p + 16 <= n)
		check_shape_run(l, p);
	for (; p + 4 <= n && l->rc >= 0; p++) {
		uint32_t h = check_hash(check_gram(t + p));

		if (filter[h >> 6] >> (h & 63) & 1)
			look_at(l, p, h);
	}
}
