/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RULE_INTERNAL_H
#define RULE_INTERNAL_H

#define PCRE2_CODE_UNIT_WIDTH 8

#include <corescrub/base/limits.h>
#include <corescrub/rule.h>
#include <hs.h>
#include <pcre2.h>
#include <pthread.h>
#include <stdatomic.h>

#define WIDTH_UNBOUNDED SIZE_MAX
#define WHERE_ALL	0x3f
#define WHERE_COUNT	6
#define RULE_GROUPS_MAX 8

enum rule_policy { POLICY_PUBLIC = 1 << 0, POLICY_STRICT = 1 << 1, POLICY_DEVELOPER = 1 << 2 };
#define POLICY_ALL   7
#define POLICY_COUNT 3
extern const char *const rule_policy_names[]; /* in the order of the bits, NULL-terminated */
extern const char *const rule_where_names[];

/* `code` is there from loading on; `fast` is a JIT-compiled copy, made when the regex has been busy
   enough to be worth its time. */
struct rule_regex {
	pcre2_code *code;
	pcre2_code *_Atomic fast;
	_Atomic uint32_t work; /* bytes tried so far, roughly */
	bool jit_failed;       /* guarded by the ruleset's lock */
};

struct rule_except {
	uint8_t addr[16]; /* v4 as v4-mapped */
	unsigned prefix;  /* bits of addr that count, if there is no regex */
	struct rule_regex regex;
};

struct rule_example {
	const struct conf_node *at;
	struct span in;
	const struct span *hits;
	size_t n_hits;
	bool negative;
	struct rule_symbol symbol; /* of symbol rules, in place of `in` */
};

struct rule_glob_list {
	const struct span *v;
	size_t n;
};

struct rule {
	struct rule_info info;
	const struct conf *conf;
	const struct conf_node *at;
	unsigned policies; /* enum rule_policy bits */
	size_t first_unit, n_units;
	const struct span *keywords;
	size_t n_keywords;
	value_check_fn check;
	struct span check_arg;
	struct rule_except *excepts;
	size_t n_excepts, cap_excepts;
	struct rule_glob_list variable, function, file, library;
	struct rule_example *examples;
	size_t n_examples, cap_examples;
};

/* One regex of a rule (a list of them counts as alternatives). */
struct rule_unit {
	uint32_t rule;
	struct span source;
	const struct conf_node *at;
	struct rule_regex regex;
	size_t width;	 /* greatest width of a match, or WIDTH_UNBOUNDED */
	size_t min_width;
	uint32_t lookbehind;
	uint32_t groups[RULE_GROUPS_MAX];
	size_t n_groups;
	bool multiline, keyed; /* keyed: the rule has keywords, and they find its candidates */
	struct rule_hint *hint; /* of one that isn't, from its first use in a set on */
};

/*
 * What one hs_scan looks for: the units of one selection of rules. An expression's id is an index
 * into `targets`, whose units are listed in `units` from there on. Keywords come first, then
 * regexes.
 */
#define BYTE_PREFIX 1
#define BYTE_ANY    2
#define BYTE_BEFORE 4
#define BYTE_FIRST  8
struct scan_target {
	size_t first, n;
	bool gram;	      /* looked for by grams, not by libhs */
	size_t before, after; /* of a regex: how far around a candidate its matches may begin */
	uint8_t bytes[256]; /* BYTE_PREFIX: may stand between them; BYTE_ANY: in the match;
			       BYTE_FIRST: begin it; BYTE_BEFORE: stand right before it */
	size_t min_width;	     /* of a match */
};
struct scan_set {
	uint8_t *member;	/* one flag a unit */
	size_t multiline_width; /* the widest multi-line unit, 0 if there is none */
	uint32_t *units;
	size_t n_units, cap_units;
	struct scan_target *targets;
	char **expressions;
	unsigned *flags; /* for libhs; 0: it can't look for this regex */
	size_t n_targets, cap_targets, first_regex;
	struct gram_pass **passes; /* grams, 64 a pass */
	size_t n_passes, cap_passes;
	uint32_t *every; /* units whose regex has no flags: tried on each line */
	size_t n_every;
	uint8_t key[DIGEST_LEN]; /* finds the set in a prepared database */
	hs_database_t *db;	 /* NULL if nothing is left for libhs */
	_Atomic bool ready;	 /* db and passes can be used */
	bool failed;		 /* there is no database to be had: PCRE2 alone */
	bool prepared_tried;
	uint64_t seen; /* bytes scanned so far without a database */
};

struct rule_scanner;
struct prepared; /* a prepared database file, see prepare.c */

struct ruleset {
	struct arena *arena;
	struct conf **confs;
	size_t n_confs, cap_confs;
	struct rule *rules;
	size_t n_rules, cap_rules;
	struct rule_unit *units;
	size_t n_units, cap_units;
	unsigned policy; /* one bit */
	char hash[2 * DIGEST_LEN + 1];
	struct prepared *prepared;
	struct symbol_index *symbols;
	pthread_mutex_t lock;			 /* guards sets and JIT compilation */
	struct scan_set *sets[RULE_SHARES][WHERE_ALL + 1]; /* by where bits; shared */
	struct scan_set **all_sets;
	size_t n_sets, cap_sets;
};

/* ruleset.c: ruleset_load in parts, for text that is in no file. Set `policy`, load, index symbols.
 */
struct ruleset *rule_ruleset_new(void);
int rule_text_load(struct ruleset *rs, struct span text, const char *name, struct err *err);

/* pack.c: adds a pack's rules. */
int rule_pack_load(struct ruleset *rs, const struct conf *c, struct err *err);

/* regex.c */
struct regex_shape {
	size_t min, max;     /* widths of a match; max may be WIDTH_UNBOUNDED */
	const char *refused; /* a construct that can't be used in rules, or NULL */
	size_t refused_at;
};
/*
 * hint.c: a small part that each match holds, to look for in place of the regex: a simpler regex
 * for libhs, or grams, sets of bytes for eight places in a row (RULE_GRAM bit sets of 256), of
 * which the fourth is the candidate's last byte. A match that begins at s has a candidate whose end
 * is in (s - after, s + before].
 */
#define RULE_GRAM	8
#define RULE_GRAM_END	4 /* places up to the candidate's end */
#define RULE_GRAM_BYTES (RULE_GRAM * 32)
struct rule_hint {
	char *text; /* "" if there is nothing; n_grams * RULE_GRAM_BYTES */
	size_t n_grams;
	size_t before, after;
	uint8_t prefix[32]; /* what bytes may stand between a match's start and the candidate's end
			     */
	uint8_t all[32];    /* what bytes may stand in a match at all */
	uint8_t first[32];  /* what bytes may begin one */
	uint8_t before_not[32]; /* what bytes may not stand right before one */
};
void rule_hint_find(struct span regex, struct rule_hint *ret); /* rule_hint_done frees */
void rule_hint_done(struct rule_hint *h);
/* byteset.c: the bytes that an atom of a regex matches; ret is all ones before. */
void rule_byte_set(const char *atom, bool nocase, uint8_t ret[32]);

/* Compiles the regex at `at`; errors are placed inside it. */
int rule_regex_compile(const struct conf *c, const struct conf_node *at, bool multiline,
		       pcre2_code **ret, struct regex_shape *ret_shape, struct err *err);

/* scanset.c */
struct scan_set *rule_set_build(struct ruleset *rs, unsigned policy, unsigned where,
				enum rule_share share);
void rule_set_free(struct scan_set *set);
/* Lists what libhs is to look for, and the key; the regexes' flags are still to come, from
   rule_set_compile or from a prepared database. */
void rule_set_targets(struct ruleset *rs, struct scan_set *set);
void rule_set_every(struct scan_set *set); /* fills `every` from the flags */
/* *ret stays NULL if the set has nothing that libhs could look for. */
int rule_set_compile(struct ruleset *rs, struct scan_set *set, hs_database_t **ret,
		     struct err *err);
/* Is the libhs at hand one that finds what it should? Tried once. */
bool rule_libhs_is_sound(void);
/* The set for a scan under the ruleset's policy; made at first use. */
struct scan_set *rule_set_get(struct ruleset *rs, unsigned where, enum rule_share share);
/* Is the set ready to scan with, or are `bytes` more worth making it so? If not: PCRE2 alone. */
bool rule_set_ready(struct ruleset *rs, struct scan_set *set, size_t bytes);

/* gram.c */
void rule_grams_add(struct scan_set *set, const struct rule_hint *hint, size_t target);
void rule_grams_free(struct scan_set *set);
/* Calls rule_confirm for each candidate in the scan's [base, end). */
void rule_grams_scan(struct rule_scanner *s, size_t end);

/* prepare.c */
int rule_prepared_open(const struct ruleset *rs, const char *path, struct prepared **ret);
void rule_prepared_free(struct prepared *p);
/* The set's database out of the file, proven by examples; false if it has none that works. */
bool rule_prepared_get(struct ruleset *rs, struct scan_set *set, hs_database_t **ret);

/* confirm.c: PCRE2's side of a scan. */
struct unit_state {
	size_t done; /* no match of this unit that begins before it is left to find */
};
struct rule_scanner {
	struct ruleset *rs;
	hs_scratch_t *scratch;
	const struct scan_set *scratch_set; /* the scratch fits its database */
	pcre2_match_data *match, *except_match;
	pcre2_match_context *plain, *bounded; /* bounded: with an offset limit */
	pcre2_jit_stack *stack;
	struct unit_state *state; /* one a unit */
	/* the scan under way */
	const struct scan_set *set;
	struct span text;
	size_t from, to;
	size_t base, lines_end; /* [from, to) in whole lines; libhs begins at base */
	size_t line, line_end;	/* the line of the last candidate */
	rule_hit_fn fn;
	void *ctx;
	int rc;
};
/* Candidates of t's units that end at `end`. Gives the hits. */
int rule_confirm(struct rule_scanner *s, const struct scan_target *t, size_t end);
/* Everything that unit u matches and that begins in [s->from, s->to), by PCRE2 alone. */
int rule_confirm_all(struct rule_scanner *s, uint32_t u);
/* Where a multi-line unit's search begins, for a range that a match from before may reach into. */
size_t rule_multiline_resume(struct rule_scanner *s, uint32_t u);
bool rule_capture_stays(struct rule_scanner *s, const struct rule *r, struct span value);

/* scan.c: all of text by one rule, active or not. */
void rule_scan_one(struct rule_scanner *s, const struct rule *r, struct span text, rule_hit_fn fn,
		   void *ctx);

/* symbol.c */
void rule_symbols_index(struct ruleset *rs);
void rule_symbols_free(struct symbol_index *ix);
bool rule_symbol_fits(const struct rule *r, const struct rule_symbol *sym);

/* example.c: runs one rule's examples; calls fn for each failure. */
int rule_examples_run(struct rule_scanner *s, const struct rule *r, rule_report_fn fn, void *ctx,
		      size_t *ret_run, size_t *ret_failed, struct err *err);

#endif
