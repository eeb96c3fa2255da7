/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DETECT_INTERNAL_H
#define DETECT_INTERNAL_H

#include <corescrub/bt.h>
#include <corescrub/detect.h>

#define NO_RULE UINT32_MAX

/* A value gdb printed, kept beyond its cursor's step. */
struct leaf {
	uint64_t off;			/* of the source */
	uint64_t integer;
	uint64_t len;
	int64_t slen;
	uint32_t path, path_len;	/* in detector.paths */
	uint32_t view, view_len;	/* BT_STRING: its bytes in detector.view */
	uint32_t rule;			/* the symbol rule that names it, or NO_RULE */
	uint8_t type;			/* enum bt_type */
	bool active;			/* in the ranges that are looked at */
	bool pointer;
};

/* A stretch of the view: what several leaves spell, or a part of one. */
enum view_what { VIEW_STRING, VIEW_INTEGERS, VIEW_ARRAY };
struct view_part {
	uint32_t at, len;		/* in the view */
	uint32_t leaf;			/* VIEW_INTEGERS: the first of several, 8 bytes each */
	uint32_t from;			/* VIEW_STRING: first decoded byte */
	enum view_what what;
};

/* A hit in decoded bytes of a string leaf, to be brought back to source. */
struct string_hit {
	uint32_t leaf, from, to;
	struct finding f;
};

struct layer_part {
	uint32_t at;			/* in the layer */
	uint64_t base;			/* what map's numbers count from */
};
/* Bytes with one more level of escaping undone, and where each came from. */
struct layer {
	struct buf bytes;
	uint32_t *map;			/* bytes.len + 1 of them: offset behind its part's base */
	size_t cap;
	struct layer_part *parts;
	size_t n, cap_parts;
};

/* Hex dumps' bytes, and where each came from (dump.c). */
struct dump {
	struct buf bytes;
	struct dump_byte *map;
	size_t cap;
	uint64_t base;
};
void dump_done(struct dump *d);

/* A text read as gdb's; bt is NULL if it is not. */
struct reading {
	struct bt *bt;
	struct bt_cursor *walk, *again;
};

struct symbol_slot { uint64_t hash; uint32_t rule; };
#define SYMBOL_SLOTS 32768

struct detector {
	const struct ruleset *rs;
	const struct learned *learned;
	struct rule_scanner *scanner;
	struct learned_scanner *learned_scanner;	/* or NULL */
	struct finding_rule *rules;	/* the ruleset's, one for each kind of learned value,
					   string.residue */
	size_t n_rules, n_pack;
	bool has_symbols, has_values;
	uint32_t address_rule;	/* the first that acts on addresses, or NO_RULE */
	uint64_t margin;
	/* gdb's text: of the last artifact with a serial, and of a passing one */
	uint64_t serial;
	struct reading kept, passing;
	struct symbol_slot *symbols;
	uint64_t seed;
	struct span last_head;		/* of the frame that head_hash is of; for its place alone */
	uint64_t head_hash;
	/* scratch of one call */
	struct detect_guard *guards;
	size_t n_guards, cap_guards;
	struct leaf *leaves;
	size_t n_leaves, cap_leaves;
	struct buf paths, view, scalars;
	struct view_part *parts;
	size_t n_parts, cap_parts;
	uint32_t *scalar_at;		/* where each scalar of `scalars` begins, and its leaf */
	size_t n_scalars, cap_scalars;
	struct string_hit *hits;
	size_t n_hits, cap_hits;
	struct layer layer;
	struct dump dump;
	struct buf value;
	struct memory_runs *runs;	/* of a core; or NULL */
};

/* One call: where findings go. */
struct look {
	struct detector *d;
	const struct artifact *a;
	struct span text;
	struct findings *ret;		/* or NULL: learning */
	struct learned *learn;
	enum learn_origin origin;	/* of what is learned */
	enum rule_share raw_share;	/* the rules for raw text */
	const struct reading *reading;
	uint64_t off, end;		/* the range that is looked at */
	struct err *err;
};
/* Adds a finding, or learns its value. */
int look_emit(struct look *l, const struct finding *f);
/* A leaf's symbol path, among the findings' paths. */
uint32_t look_path(const struct look *l, const struct leaf *leaf);
/* The pseudo-rule of a learned value, as a finding without a place; false if it is held back. */
void look_learned(const struct look *l, const struct learned_hit *hit, struct finding *ret);

/* Raw text: rules, learned values, one level of escapes (text.c). `in_gdb`: hits inside of
   leaves keep to whole escapes. */
int text_detect(struct look *l, bool in_gdb);
/* The hex dumps of a range's raw text, as the text that they show. */
int dump_detect(struct look *l, bool in_gdb);
/* gdb's language (gdb.c): fills leaves, guards and findings for all ranges of a call. */
int gdb_detect(struct look *l, const struct detect_range *ranges, size_t n);
/* The leaf that holds off, or NULL. */
const struct leaf *leaf_at(const struct detector *d, uint64_t off);

/* Symbol rules (symbol.c). */
uint32_t symbol_find(struct detector *d, const struct bt_value *v, bool only_learn);
int symbol_apply(struct look *l, uint32_t leaf, uint32_t rule);

/* The decoded bytes of all leaves as one text (view.c). */
void view_reset(struct detector *d);
void view_add_string(struct detector *d, uint32_t leaf, struct span decoded);
void view_add_array(struct detector *d, uint32_t leaf, const struct bt_value *v);
void view_add_scalar(struct detector *d, uint32_t leaf, struct span src);
int view_detect(struct look *l);
/* A string leaf's decoded bytes [from, to) as a finding; kept until strings_resolve. */
void string_hit_add(struct detector *d, uint32_t leaf, uint32_t from, uint32_t to,
		    const struct finding *f);
int strings_resolve(struct look *l);

/* One level of URL and backslash escapes, and of XML's references (layer.c). */
void layer_reset(struct layer *l);
void layer_done(struct layer *l);
/* Adds src with its escapes undone, `base` being where src[0] stands. */
void layer_add(struct layer *l, struct span src, uint64_t base);
/* Where bytes [from, to) of the layer came from; false if they are of two parts. */
bool layer_source(const struct layer *l, size_t from, size_t to, uint64_t *ret_off,
		  uint64_t *ret_end);
bool layer_has_escapes(struct span src);
enum finding_form layer_form(struct span src);	/* FORM_PLAIN if it has none */
/* The first "&amp;", "&#38;" or other reference in [p, end), or end. */
const char *layer_find_reference(const char *p, const char *end);
void layer_unescape(struct span src, struct buf *ret);

/* Packed values (packed.c). */
/* The address a sockaddr's or in_addr's bytes hold, as text; false if there is none. */
bool packed_address(struct span bytes, enum kind kind, struct buf *ret, enum kind *ret_kind);
/* Where in a sockaddr's data (behind the family) the address stands. */
bool packed_sockaddr(struct span data, bool is_ip6, uint32_t *ret_from, uint32_t *ret_to);
/* The bytes of an array of integers in memory order: of 1, 2, 4 or 8 bytes each, as its numbers
   need, or as 8 or 4 numbers make an IPv6 address. */
void packed_array(struct span src, bool is_ip6, struct buf *ret);
bool packed_integer(struct span src, uint64_t *ret);
/* gdb's quoting undone, from the source alone; `outside`: src begins outside of quotes. */
void gdb_unquote(struct span src, bool outside, struct buf *ret);

#endif
