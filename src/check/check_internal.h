/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_CHECK_INTERNAL_H
#define CORESCRUB_CHECK_INTERNAL_H

#include <corescrub/check.h>
#include <corescrub/value.h>

/* How a known value may be spelled. */
enum check_enc {
	ENC_PLAIN, ENC_GDB, ENC_HEX, ENC_BASE64, ENC_URL, ENC_JSON, ENC_UTF16, ENC_INTEGER, ENC_COUNT
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

/* One byte string to search for. `anchor` is the place in it of the four bytes it is found by. */
struct needle {
	uint32_t off, len, anchor;	/* off: in check.bytes */
	uint8_t kind, enc, bound, level;
};

struct known {
	enum kind kind;
	struct span value;		/* in check.arena */
};

#define CHECK_FILTER_BITS 20		/* a bit for each hash of four bytes: 128 KiB */
#define CHECK_BUCKET_BITS 14

struct check {
	struct arena *arena;
	struct known *known;
	size_t n_known, cap_known;
	struct span *keep;
	size_t n_keep, cap_keep;
	unsigned allowed;		/* bit per kind whose shapes may stay */
	bool sealed;

	struct buf bytes;		/* all needles' bytes */
	struct needle *needles;
	size_t n_needles, cap_needles;
	uint64_t *filter;
	uint32_t *bucket;		/* 2^CHECK_BUCKET_BITS + 1 starts into order */
	uint32_t *order;		/* needle numbers by bucket */
	char *what[KIND_COUNT][ENC_COUNT];
};

/* One look at one text. Shapes and needles report through look_item. */
struct look {
	struct check *c;
	const char *name;
	struct span text;
	check_item_fn fn;
	void *ctx;
	size_t shape_end;		/* shapes that begin before it were seen already */
	size_t run_end;			/* likewise for runs of hex digits */
	bool leak;
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
void look_item(struct look *l, enum check_level level, const char *what, size_t off, size_t len);
/* Is the byte before `at` the end of an escape, so that a word begins at `at`? */
bool look_escape_before(struct span text, size_t at);
/* Does text[off, off + len) lie inside a sound token? */
bool look_in_token(struct span text, size_t off, size_t len);
/* check_shape.c: sets the filter's bits for the four bytes a shape can be told by, and looks when
   they are met at p. check_shape_run looks at a block of 16 bytes for runs of hex digits. */
void check_shape_triggers(struct check *c);
void check_shape_at(struct look *l, size_t p);
void check_shape_run(struct look *l, size_t p);
/* check_key.c: p is inside what may be a key that names a credential. */
void check_shape_key(struct look *l, size_t p);

static inline uint32_t check_gram(const char *p)
{
	uint32_t w;

	memcpy(&w, p, 4);
	return w;
}

static inline uint32_t check_hash(uint32_t w)
{
	return (w * 0x9e3779b1u) >> (32 - CHECK_FILTER_BITS);
}

static inline void check_filter_set(struct check *c, uint32_t w)
{
	uint32_t h = check_hash(w);

	c->filter[h >> 6] |= (uint64_t)1 << (h & 63);
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
