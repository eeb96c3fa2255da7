/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_CHECK_INTERNAL_H
#define CORESCRUB_CHECK_INTERNAL_H

#include <corescrub/check.h>
#include <corescrub/value.h>

/* How a known value may be spelled. */
enum check_enc {
	ENC_PLAIN, ENC_GDB, ENC_HEX, ENC_BASE64, ENC_URL, ENC_JSON, ENC_XML, ENC_UTF16, ENC_INTEGER,
	ENC_COUNT,
	/* heads of shapes, which are searched for like values */
	HEAD_PEM, HEAD_JWT,
};

/* What must stand around a needle for it to count. */
enum check_bound {
	BOUND_NONE,
	BOUND_WORD,		/* no letter, digit or _ on either side */
	BOUND_DIGITS,		/* no digit, but for an international prefix before it */
	BOUND_ADDR4,		/* neither digit nor ".digit" */
	BOUND_ADDR6,		/* neither hex digit nor colon */
	BOUND_STRING,		/* it is all of a string, or of a NUL-terminated piece of one */
};

/* One byte string to search for. */
struct needle {
	uint32_t off, len;		/* in check.bytes */
	uint8_t kind, enc, bound, level;
};

/* A bit for each of 64 bytes. */
struct block {
	uint64_t digit, hex, dot, colon;
	uint64_t sign;			/* colon or = */
	uint64_t word, slash;
	uint64_t ascii;			/* of word: those below 0x80 */
	uint64_t upper;
};

struct known {
	enum kind kind;
	struct span value;		/* in check.arena */
};

/*
 * Needles by the hash of four of their bytes. Long ones are indexed at four places one behind the
 * other, so that a text needs to be probed at every fourth place only; short ones count as words
 * alone, so that they are looked for where a word begins.
 */
#define CHECK_STRIDE 4
#define CHECK_LONG (4 + CHECK_STRIDE - 1)

struct gram_at {
	uint32_t gram, needle, at;
};
struct gram_index {
	unsigned bits;			/* of the filter, 16 for each gram */
	uint32_t *filter;
	uint32_t *bucket;		/* starts into v */
	struct gram_at *v, *unsorted;
	size_t n, cap;
};

struct check {
	struct arena *arena;
	struct known *known;
	size_t n_known, cap_known;
	struct span *keep;
	size_t n_keep, cap_keep;
	struct span *pass;		/* what a person let stay */
	size_t n_pass, cap_pass;
	unsigned allowed;		/* bit per kind whose shapes may stay */
	bool sealed;

	struct buf bytes;		/* all needles' bytes */
	struct needle *needles;
	size_t n_needles, cap_needles;
	struct gram_index index, shorts;
	bool odd_starts;		/* a short needle begins with what is no part of a word */
	bool odd_heads;			/* or has such, or what is no ASCII, in its first four bytes */
	char *what[KIND_COUNT][ENC_COUNT];
};

/* Where known values stand in a text: for check_mask. */
struct place {
	size_t off, end;
	enum kind kind;
};
struct places {
	struct place *v;
	size_t n, cap;
};

/* One look at one text. Shapes and needles report through look_item. */
struct look {
	struct check *c;
	const char *name;
	struct span text;
	check_item_fn fn;
	void *ctx;
	struct places *places;		/* of leaks, or NULL */
	bool own;			/* our own words: a leak is open, and nothing else is told */
	size_t shape_end;		/* shapes that begin before it were seen already */
	/* what the block before means for this one */
	uint64_t digit, digit2, digit4, digit8, hex, hex2, hex4, hex8, hex16, word, slash, upper;
	size_t odd_end;			/* mixtures that begin before it were seen already */
	bool leak, memory;		/* memory: a core's bytes, not a text */
	int rc;				/* what fn returned, if negative */
};

/* check_encode.c: adds all needles of a known value. */
void check_encode(struct check *c, const struct known *k);
/* check_table.c */
void check_needle(struct check *c, struct span bytes, enum kind kind, enum check_enc enc,
		  enum check_bound bound, enum check_level level);
void check_table_build(struct check *c);
void check_table_done(struct check *c);
void check_scan(struct look *l);
/* Known values alone, whose beginning or index place is in [from, to). */
void check_scan_memory(struct look *l, size_t from, size_t to);
/* check_bound.c: does a needle at text[off, off + len) count with what stands around it? */
bool check_bound_holds(enum check_bound bound, struct span text, size_t off, size_t len);
void look_item(struct look *l, struct check_item item);
/* Is the byte before `at` the end of an escape, so that a word begins at `at`? */
bool look_escape_before(struct span text, size_t at);
/* Does text[off, off + len) lie inside a sound token? */
bool look_in_token(struct span text, size_t off, size_t len);
/* check_mask.c */
void places_add(struct places *p, size_t off, size_t len, enum kind kind);
/* check_block.c: the bits of 64 bytes; `words`: word and slash too. */
void check_block(const char *p, bool words, struct block *ret);
void check_block_words(const char *p, struct block *ret);	/* word, slash and ascii alone */
/* check_shape.c: what 64 bytes at p could be the shapes of; `next`: the byte behind them is a
   digit. */
void check_shapes(struct look *l, size_t p, const struct block *b, bool next);
void check_shape_heads(struct check *c);
void check_shape_head(struct look *l, enum check_enc head, size_t off);
/* check_odd.c: p is where letters and digits mix; hints what looks random. */
void check_odd_mixture(struct look *l, size_t p);
/* May the long number at off be told of? Those that stand in a string. */
bool check_odd_number(const struct look *l, size_t off);
/* check_key.c: p is inside what may be a key that names a credential. */
void check_shape_key(struct look *l, size_t p);

static inline uint32_t check_gram(const char *p)
{
	uint32_t w;

	memcpy(&w, p, 4);
	return w;
}

#define CHECK_HASH 0x9e3779b1u

static inline uint32_t check_hash(uint32_t w)
{
	return w * CHECK_HASH;
}

/* A gram's word in the filter, and its two bits there. */
static inline size_t check_word(const struct gram_index *x, uint32_t hash)
{
	return hash >> (32 - (x->bits - 5));
}

static inline uint32_t check_bits(const struct gram_index *x, uint32_t hash)
{
	hash >>= 32 - (x->bits - 5) - 10;
	return (uint32_t)1 << (hash & 31) | (uint32_t)1 << (hash >> 5 & 31);
}

/* Each bit one, two, … places further; the top ones come out of the block before. */
static inline uint64_t block_shift(uint64_t now, uint64_t before, unsigned n)
{
	return now << n | before >> (64 - n);
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline bool is_word(char c)
{
	return is_digit(c) || is_alpha(c) || c == '_' || (unsigned char)c >= 0x80;
}

#endif
