/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REDACT_INTERNAL_H
#define REDACT_INTERNAL_H

#include <corescrub/redact.h>

/* A hash table of numbers: it holds indices into an array of the caller's, who compares. */
struct numbers {
	uint32_t *slots;	/* index + 1; 0 is free */
	uint32_t *hashes;
	size_t n, mask;
};
typedef bool (*numbers_eq_fn)(const void *ctx, uint32_t index);
bool numbers_find(const struct numbers *t, uint32_t hash, numbers_eq_fn eq, const void *ctx,
		  uint32_t *ret_index);
void numbers_add(struct numbers *t, uint32_t hash, uint32_t index);	/* must not be there */
void numbers_done(struct numbers *t);
uint32_t numbers_hash(uint64_t seed, uint64_t salt, struct span bytes);

/* One value, whatever its spellings. */
struct token {
	struct span canonical;
	uint32_t spelling;		/* the first one seen */
	uint32_t last_rule;		/* counted for it last, + 1: saves a look into `pairs` */
	uint8_t kind;			/* refined */
	uint8_t len;
	bool stays;			/* says nothing (loopback, …): is not replaced */
	bool keyed;			/* [kind~…], not a constant */
	bool kept;			/* a person decided that it stays */
	char text[VALUE_TOKEN_MAX];
};

struct spelling {
	struct span bytes;		/* the program's bytes */
	uint32_t token;
	uint8_t kind;			/* as the rule has it */
};

/* Where a value was spelled otherwise than at first: for an exact restore. */
struct place {
	uint32_t token;
	uint32_t len;			/* of what stands there now */
	struct span spelling;		/* the source's bytes */
	uint64_t off;			/* in the scrubbed text */
};

/* A text that was scrubbed, told by its digest; its places end where the next one's begin. */
struct noted {
	char *name;
	size_t places;
	uint8_t sha256[DIGEST_LEN];	/* as it is scrubbed */
};

struct pair { uint32_t rule, token; };

struct redactor {
	struct hmac *hmac;
	uint64_t seed;			/* of the hash tables: input must not choose collisions */
	bool collects, keep_map;	/* the map: at all, and now */
	bool is_part;			/* what is spelled as at first is told when it is joined */
	struct strings kept;		/* tokens whose values stay: a person decided */
	char key_id[17];		/* of the key in use, in hex; "" if it is random */
	struct arena *arena;		/* all spellings and canonical forms */
	struct token *tokens;
	size_t n_tokens, cap_tokens;
	struct spelling *spellings;
	size_t n_spellings, cap_spellings;
	struct pair *pairs;		/* (rule, value) seen together: distinct values by rule */
	size_t n_pairs, cap_pairs;
	struct numbers by_spelling, by_canonical, by_text, by_pair;
	struct redact_count *counts;	/* by rule number, grown as rules turn up */
	size_t n_counts;
	struct redact_count *shown;	/* the ones over 0, for redact_counts */
	uint64_t open_items, preexisting;
	struct noted *artifacts;	/* for the map */
	size_t n_artifacts, cap_artifacts;
	struct place *places;
	size_t n_places, cap_places;
	struct buf value, canonical;	/* scratch */
	struct planner *planner;	/* plan.c */
};

#define NO_TOKEN UINT32_MAX	/* of a piece that an engine's limit masks */

/* The token of a value under the rule's kind; RC_INTERNAL if another value has the same. */
int token_find(struct redactor *r, enum kind kind, struct span value, uint32_t *ret_token,
	       uint32_t *ret_spelling, struct err *err);
/* The same by value, for a core: past a number of them none is kept, and *ret_token is NO_TOKEN. */
int token_make(struct redactor *r, enum kind kind, struct span value, struct token *ret,
	       uint32_t *ret_token, struct err *err);
/* The keyed token that is spelled like this. */
bool token_find_text(const struct redactor *r, struct span text, uint32_t *ret_token);
void token_count(struct redactor *r, uint32_t token, uint32_t rule);
/* Has this rule had this value before? Notes that it has. */
bool token_pair_add(struct redactor *r, uint32_t rule, uint32_t token);
struct redact_count *token_counts(struct redactor *r, uint32_t rule);	/* the rule's row */

/* One edit to be, in source offsets; its text is in a buf of all of them. */
struct change {
	uint64_t off, end;
	size_t text, text_len;
	bool soft;		/* more, or less, than a token: see edit_text */
	bool fresh;		/* came or grew in the last round */
};

/* The copy (copy.c): the stretches of a range that the last round changed, one behind the other,
   with their changes in; and the way back. */
struct mark {
	uint64_t at, at_end;	/* in the copy; the same for a gap between stretches */
	uint64_t off, end;	/* in the source */
	bool soft, gap, fresh;
};
struct copy {
	struct buf text;
	struct mark *marks;
	size_t n, cap;
	struct detect_range *ranges;	/* where the look again must look */
	size_t n_ranges, cap_ranges;
};
void copy_make(struct copy *c, const struct detector *d, const struct artifact *a, uint64_t from,
	       uint64_t to, const struct change *changes, size_t n, const struct buf *texts);
void copy_done(struct copy *c);
/* What [at, end) of the copy is in the source: calls fn for each piece between changes, or once
   for all of it, and the changes too, where a soft one is among them. Nothing if it reaches over
   a gap. */
typedef int (*copy_piece_fn)(void *ctx, uint64_t off, uint64_t end, bool whole, bool soft);
int copy_source(const struct copy *c, uint64_t from, uint64_t at, uint64_t end, copy_piece_fn fn,
		void *ctx);

/* Clipping and merging (resolve.c). A piece is what is left of a finding between the barriers. */
struct piece {
	struct finding f;
	uint32_t token;
	uint8_t round;		/* of closure, from 1 */
	bool soft;		/* reaches over an edit that is no token: everything there goes */
};
struct pieces {
	struct piece *v;
	size_t n, cap;
};
/* Barriers: sound tokens and guards, sorted by offset; they may overlap. */
struct barrier { uint64_t off, end; bool guard; };
struct barriers {
	struct barrier *v;
	size_t n, cap;
};
void barriers_add(struct barriers *b, uint64_t off, uint64_t end, bool guard);
void barriers_sort(struct barriers *b);
/* Adds the sound tokens in [from, to) of text; returns how many. */
size_t barriers_add_tokens(struct barriers *b, struct span text, uint64_t from, uint64_t to);
/* Cuts f at the barriers and adds what is left worth replacing. RC_LIMIT if an engine limit's
   mask would have to cover a guard. */
int pieces_add_clipped(struct pieces *p, struct span text, const struct finding *f,
		       const struct finding_rule *rule, const struct barriers *b, struct err *err);

/* A cluster of overlapping pieces: what becomes one edit. */
struct cluster {
	uint64_t off, end;
	uint32_t winner;	/* index into the pieces */
	uint16_t quotes;	/* FINDING_QUOTE_* of its two ends */
	bool in_string;		/* it begins inside of a gdb string */
	bool masked;
	unsigned round;		/* the latest round of its pieces */
};
struct clusters {
	struct cluster *v;
	size_t n, cap;
};
void clusters_make(struct clusters *c, const struct pieces *sorted,
		   const struct finding_rule *rules);
void pieces_sort(struct pieces *p);

/* Notes for the map the spellings that a's plan replaced; `at` is where its range begins in the
   output. Between map_begin and map_end, which says what came out of it, or NULL for nothing. */
void map_begin(struct redactor *r, const struct artifact *a);
void map_note(struct redactor *r, const struct artifact *a, const struct redact_plan *p,
	      uint64_t at);
void map_end(struct redactor *r, const uint8_t *sha256);

/* A case's private file in the state folder. */
char *redact_state_path(const char *case_name, const char *what);

void planner_free(struct planner *p);

/* What takes a cluster's place: appended to ret. It ends with the line ends that the source had
   there, so that lines keep their numbers. True if there is more, or less, to it than a token:
   what a rule puts there can be found again, and over what it drops its neighbours meet. */
bool edit_text(const struct redactor *r, struct span text, const struct cluster *c,
	       const struct piece *winner, const struct finding_rule *rule, struct buf *ret);

#endif
