/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_LEARN_INTERNAL_H
#define CORESCRUB_LEARN_INTERNAL_H

#include <corescrub/learn.h>

#include <locale.h>

/* How freely a value's occurrences go; the guard decides at the seal. */
enum learn_mode {
	MODE_NONE,		/* nowhere: too ordinary, and no credential */
	MODE_STRING,		/* where it is a whole string */
	MODE_WORD,		/* where it is a whole word */
	MODE_WHOLE,		/* anywhere, but no pieces of it */
	MODE_PIECES,		/* anywhere, and pieces */
};

/* What pieces of a pattern count. */
enum learn_pieces {
	PIECES_NONE,
	PIECES_RUNS,		/* any run of `min` units */
	PIECES_HALVES,		/* a head or tail of `min` units that was cut there */
};

struct learn_extra {		/* another byte string that gives the value away */
	struct span bytes;
	enum { EXTRA_DIGEST, EXTRA_PAIR, EXTRA_REVERSED, EXTRA_SPELLING } what;
	struct learn_extra *next;
};

struct learn_entry {
	struct learned_value v;
	struct span canonical;
	struct learn_extra *extra;
	enum learn_mode mode;
	bool ordinary, is_short;
	uint32_t n_embedded, n_code, n_code_pieces, n_whole, n_pieces;
};

/* One spelling of a value. A unit is what stays whole: an escape, a pair of hex digits, a
   character. */
struct pattern {
	uint32_t off, len;	/* in learned.hay and learned.unit */
	uint32_t value;
	uint32_t min;		/* units of a piece */
	uint8_t form, pieces;
	bool shares_head, shares_tail;	/* base64: a character before or behind has some of its bits */
	bool exact;		/* digits or an address: no neighbour that would make it another */
};

/* A table of grams of `q` bytes; a text is probed at every third place. */
#define LEARN_STRIDE 3
struct gram_entry {
	uint32_t hay, pattern;
};
struct gram_table {
	unsigned q, bits;
	uint64_t mask;			/* of eight bytes, the first q */
	uint64_t *filter;
	/* the same with fewer bits, so that what is no gram is seen without waiting for memory; what
	   passes is looked up in the filter. Of a small table it is the filter. */
	uint64_t *sieve;
	unsigned sieve_bits;
	uint32_t *bucket;
	struct gram_entry *v, *sorted;
	size_t n, cap;
};

/* The heads, four bytes, of grams that are no text in ASCII or UTF-16: a few, and quick to look
   up. */
struct odd_heads {
	uint32_t *filter;
	unsigned bits;
	size_t n;
	bool zero;			/* four NULs are among them */
};

struct learned {
	struct arena *arena;
	locale_t locale;		/* letters of UTF-8 and their cases */
	struct learn_entry *v;
	size_t n, cap;
	uint32_t *index;		/* hash of kind and canonical form → number + 1 */
	size_t index_size;
	struct span *keep;
	size_t n_keep, cap_keep;
	bool compiled, sealed;
	uint32_t n_material[KIND_COUNT];
	uint32_t n_others;		/* of configs, no credentials */
	uint64_t left_out;

	struct buf hay;
	uint16_t *unit;
	size_t cap_unit;
	struct pattern *patterns;
	size_t n_patterns, cap_patterns;
	struct gram_table wide, narrow;	/* of 6 and 4 bytes */
	struct odd_heads odd;		/* of both */
	uint32_t *shorts;		/* patterns under 6 bytes, whole words only */
	size_t n_shorts, cap_shorts;
	uint64_t *short_heads;		/* a bit for each pair of first bytes */
	uint32_t short_from[257];	/* by first byte, where in shorts */
	uint32_t *phones, *phone_tails;	/* values, sorted by their digits, from the end */
	uint64_t phone_ends[10000 / 64 + 1];	/* a bit for each four digits that one ends in */
	size_t n_phones, cap_phones;
};

struct learned_scanner {
	struct learned *l;
	bool memory;			/* little of what is scanned is text */
	struct span text;
	size_t from, to;
	learned_hit_fn fn;
	void *ctx;
	bool counting;
	int rc;
	uint8_t *held_shown;		/* per value, places given */
	struct last_run {
		size_t end, begin;	/* in the text */
		uint32_t head;		/* in the hay, of `begin` */
		uint32_t scan;		/* which scan met it */
	} *last;			/* per pattern: runs are met at several grams */
	uint32_t scan;
};

/* learn_store.c */
int learn_add(struct learned *l, enum kind kind, struct span value, enum learn_origin origin,
	      uint32_t *ret, struct err *err);	/* UINT32_MAX: nothing to learn */
/* The value of this canonical form, or UINT32_MAX. */
uint32_t learn_find(const struct learned *l, enum kind kind, struct span canonical);
void learn_extra_add(struct learned *l, uint32_t i, int what, struct span bytes);
/* learn_spell.c: all patterns of entry i. */
void learn_spell(struct learned *l, uint32_t i);
/* The code point at v.p[i] and its length; what isn't UTF-8 is one byte of Latin-1. */
uint32_t learn_code_point(struct span v, size_t i, size_t *len);
/*
 * A value's spellings. Each goes out as text with a number per byte that says which unit it belongs
 * to: pieces begin and end between units, never inside an escape.
 */
struct spelling {
	struct learned *l;
	struct pattern p;
	size_t first;			/* the value's first pattern */
	struct buf text;
	uint16_t *unit;
	size_t cap;
};
/* Adds bytes of a unit to the spelling in work. */
void learn_put(struct spelling *s, size_t unit, const char *bytes, size_t n);
/* Makes what was put a pattern, unless the value has it already. */
void learn_put_done(struct spelling *s, enum finding_form form);
/* learn_address.c */
void learn_spell_address(struct spelling *s, struct span v);
void learn_spell_mac(struct spelling *s, struct span v);
/* learn_variant.c: v in other cases and, of a person's name, in other orders; v itself may be among
   them. */
typedef void (*learn_variant_fn)(void *ctx, struct span variant);
void learn_variants(enum kind kind, struct span v, locale_t locale, learn_variant_fn fn, void *ctx);
/* learn_table.c */
void learn_pattern_add(struct learned *l, struct pattern p, struct span text, const uint16_t *unit);
void learn_tables_build(struct learned *l);
void learn_tables_done(struct learned *l);
/* learn_scan.c */
void learn_scanner_init(struct learned_scanner *s, struct learned *l);
void learn_scanner_done(struct learned_scanner *s);
int learn_scan_all(struct learned_scanner *s);
/* Looks up the gram at `at`, which begins `eight`, in both tables. */
void learn_look_both(struct learned_scanner *s, size_t at, uint64_t eight);
/* learn_memory.c: the places from `at` on where a gram can be, below end; the one behind the last.
   For bytes of which little is text. */
size_t learn_scan_memory(struct learned_scanner *s, size_t at, size_t end);
void learn_odd_build(struct learned *l);
/* learn_digits.c: where from p on a number can begin that has LEARN_DIGITS_MIN digits, and
   *ret_stop, the end of the last of those; or end. */
#define LEARN_DIGITS_MIN 6
size_t learn_find_digits(struct span text, size_t p, size_t end, size_t *ret_stop);
/* What stands around a word or string in memory, where it may be a number's bytes. */
bool learn_memory_word_before(struct span text, size_t off);
bool learn_memory_word_after(struct span text, size_t end);
bool learn_memory_string_around(struct span text, size_t off, size_t end);
/* learn_verdict.c: what to do with a run of pattern p in the text: [off, off + len), which spells
   the pattern's bytes [head, head + len). Counts it or hands it on. */
void learn_verdict(struct learned_scanner *s, const struct pattern *p, size_t off, size_t head,
		   size_t len);
void learn_hit(struct learned_scanner *s, const struct learned_hit *hit, size_t begins);
bool learn_escape_before(struct span text, size_t at);
bool learn_word_before(struct span text, size_t off);	/* a word can begin at off */
bool learn_word_after(struct span text, size_t end);
bool learn_string_around(struct span text, size_t off, size_t end);
/* Was something cut off there? A string's edge or a control byte is a cut, a line's end is none. */
bool learn_cut_before(struct span text, size_t off);
bool learn_cut_after(struct span text, size_t end);
/* learn_phone.c */
void learn_phones_build(struct learned *l);
void learn_phone_scan(struct learned_scanner *s);
void learn_phone_widen(struct span text, size_t *off);
/* learn_ordinary.c */
bool learn_is_ordinary(struct span v);		/* a word, number or path of anyone's */
bool learn_piece_is_ordinary(struct span v);	/* a run that says nothing */
/* learn_words.c */
extern const char *const learn_words[];
extern const size_t learn_n_words;
/* learn_guard.c: the modes, before and after counting. */
void learn_guard_first(struct learn_entry *e);
void learn_guard_last(struct learn_entry *e);

/* learn_config.c and its readers: each key and value to learn_pair. */
struct config_reader {
	struct learned *l;
	const struct ruleset *rs;
	const char *name;
	struct err *err;
	struct span section;
	/* the open section's, for digests and basic-auth pairs */
	struct span users[8], realms[4];
	uint32_t secrets[16];
	size_t n_users, n_realms, n_secrets;
};
int learn_pair(struct config_reader *r, struct span key, struct span value);
int learn_section(struct config_reader *r, struct span name);	/* ends the one before */
int learn_read_lines(struct config_reader *r, struct span text);
int learn_read_json(struct config_reader *r, struct span text, bool *ret_json);
int learn_read_yaml(struct config_reader *r, struct span text, bool *ret_yaml);
/* learn_key.c: PEM blocks in text, or one DER key; *ret_found: how many there were. */
int learn_read_keys(struct config_reader *r, struct span text, size_t *ret_found);

/* The hash of the gram that begins eight bytes; its top bits are the good ones. */
static inline uint64_t gram_hash(const struct gram_table *t, uint64_t eight)
{
	return (eight & t->mask) * 0x9e3779b97f4a7c15u;
}

static inline size_t gram_bucket(const struct gram_table *t, uint64_t hash)
{
	return hash >> (64 - (t->bits - 5));
}

/* A gram's word in a filter of 1 << bits, and its two bits there; constant shifts, this is the
   innermost loop. */
static inline size_t gram_word(unsigned bits, uint64_t hash)
{
	return hash >> 44 & (((size_t)1 << (bits - 6)) - 1);
}

static inline uint64_t gram_bits(uint64_t hash)
{
	return (uint64_t)1 << (hash >> 38 & 63) | (uint64_t)1 << (hash >> 32 & 63);
}

/* May the gram that begins eight bytes be one of the table's? */
static inline __attribute__((always_inline)) unsigned gram_probe(const struct gram_table *t,
								 uint64_t eight)
{
	uint64_t hash = gram_hash(t, eight), bits = gram_bits(hash);

	return (t->sieve[gram_word(t->sieve_bits, hash)] & bits) == bits;
}

/* What gram_probe needs of a table, for a loop to keep in registers. */
static inline struct gram_table gram_sieve(const struct gram_table *t)
{
	return (struct gram_table){ .sieve = t->sieve, .mask = t->mask, .sieve_bits = t->sieve_bits };
}

/* Are the first four bytes of a gram text, in ASCII or UTF-16? */
static inline bool gram_is_text(const char *p)
{
	bool text[4];

	for (unsigned i = 0; i < 4; i++)
		text[i] = byte_is_text((unsigned char)p[i]);
	if (text[0])
		return text[2] && (text[1] ? text[3] : !p[1] && !p[3]);
	return !p[0] && !p[2] && text[1] && text[3];
}

static inline uint64_t gram_load(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
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
