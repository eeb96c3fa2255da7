/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

/*
 * The bytes that one atom of a regex matches. The usual notation is read here; whatever else there
 * is, PCRE2 is asked about each byte, which takes a hundred times as long.
 */

struct bytes {
	uint8_t set[32];
	bool known;
};

static void put(struct bytes *b, unsigned byte)
{
	b->set[byte / 8] |= (uint8_t)(1u << byte % 8);
}

static void put_range(struct bytes *b, unsigned from, unsigned to)
{
	for (unsigned c = from; c <= to && c < 256; c++)
		put(b, c);
}

/* \d \w \s and their opposites; false if c is none of them. */
static bool put_class(struct bytes *b, char c)
{
	struct bytes one = { .known = true };

	switch (c | 0x20) {
	case 'd':
		put_range(&one, '0', '9');
		break;
	case 'w':
		put_range(&one, '0', '9');
		put_range(&one, 'a', 'z');
		put_range(&one, 'A', 'Z');
		put(&one, '_');
		break;
	case 's':
		put_range(&one, '\t', '\r');
		put(&one, ' ');
		break;
	default:
		return false;
	}
	for (size_t i = 0; i < sizeof(one.set); i++)
		b->set[i] |= c & 0x20 ? one.set[i] : (uint8_t)~one.set[i];
	return true;
}

/* One byte, escaped or not; *p behind it. -1 if it is not so plain. */
static int read_byte(const char **p)
{
	static const char names[] = "trnfea", values[] = "\t\r\n\f\033\a";
	char c = *(*p)++;
	const char *name;
	int high, low;

	if (c != '\\')
		return (uint8_t)c;
	c = *(*p)++;
	if (!c || (c >= '0' && c <= '9'))
		return -1;
	name = strchr(names, c);
	if (name)
		return values[name - names];
	if (c == 'x') {
		high = ascii_hex_value((*p)[0]);
		low = high < 0 ? -1 : ascii_hex_value((*p)[1]);
		*p += 2;
		return low < 0 ? -1 : high * 16 + low;
	}
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? -1 : (uint8_t)c;
}

/* In any case: a set with a letter has the other one too. */
static void close_case(struct bytes *b)
{
	for (unsigned c = 'a'; c <= 'z'; c++) {
		unsigned upper = c - 32;
		bool has = (b->set[c / 8] >> c % 8 | b->set[upper / 8] >> upper % 8) & 1;

		if (has) {
			put(b, c);
			put(b, upper);
		}
	}
}

/* Behind "[". */
static void read_class(struct bytes *b, const char *p, bool nocase)
{
	bool not = *p == '^';

	p += not ;
	while (*p && *p != ']' && b->known) {
		int from, to;

		if (p[0] == '\\' && put_class(b, p[1])) {
			p += 2;
			continue;
		}
		b->known = !(p[0] == '[' && strchr(":.=", p[1]));
		from = b->known ? read_byte(&p) : -1;
		to = from;
		if (from >= 0 && p[0] == '-' && p[1] && p[1] != ']') {
			p++;
			to = p[0] == '\\' && strchr("dDwWsS", p[1]) ? -1 : read_byte(&p);
		}
		b->known = from >= 0 && to >= from;
		if (b->known)
			put_range(b, (unsigned)from, (unsigned)to);
	}
	b->known &= p[0] == ']' && p[1] == '\0';
	if (nocase)
		close_case(b);
	for (size_t i = 0; not &&i < sizeof(b->set); i++)
		b->set[i] = (uint8_t)~b->set[i];
}

static void ask_pcre2(const char *atom, bool nocase, uint8_t ret[32])
{
	PCRE2_SIZE where;
	int number;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)atom, PCRE2_ZERO_TERMINATED,
					 PCRE2_ANCHORED | (nocase ? PCRE2_CASELESS : 0), &number,
					 &where, NULL);
	pcre2_match_data *match = pcre2_match_data_create(1, NULL);

	for (unsigned b = 0; code && match && b < 256; b++) {
		uint8_t byte = (uint8_t)b;

		if (pcre2_match(code, &byte, 1, 0, 0, match, NULL) < 0)
			ret[b / 8] &= (uint8_t) ~(1u << b % 8);
	}
	pcre2_match_data_free(match);
	pcre2_code_free(code);
}

void rule_byte_set(const char *atom, bool nocase, uint8_t ret[32])
{
	struct bytes b = { .known = true };
	const char *p = atom;
	int byte;

	if (atom[0] == '[') {
		read_class(&b, atom + 1, nocase);
	} else if (atom[0] == '\\' && put_class(&b, atom[1])) {
		b.known = atom[2] == '\0';
	} else {
		byte = atom[0] && !strchr(".(", atom[0]) ? read_byte(&p) : -1;
		b.known = byte >= 0 && *p == '\0';
		if (b.known)
			put(&b, (unsigned)byte);
	}
	if (!b.known) {
		ask_pcre2(atom, nocase, ret);
		return;
	}
	if (nocase && atom[0] != '[')
		close_case(&b);
	memcpy(ret, b.set, sizeof(b.set));
}
