/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_LEARN_H
#define CORESCRUB_LEARN_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>
#include <corescrub/rule.h>
#include <corescrub/value.h>

/*
 * Values learned from configs, keys and rules, and the one matcher that finds all of them in every
 * encoding. learned_new, learned_add… / learned_config / learned_artifact for everything there
 * is, learned_seal (compiles the matcher), then learned_scan from as many threads as you like.
 */

enum learn_origin {
	LEARN_CONFIG,		/* --learn, a profile's config folder: goes from every equal word, however short */
	LEARN_MATERIAL,		/* rules with learn: true: a remote caller may have chosen it */
	LEARN_WORDS,		/* --words */
	LEARN_MACHINE,		/* host name, addresses, logins of this machine (--policy strict) */
};

struct learned;
struct learned *learned_new(void);
void learned_free(struct learned *l);
AUTO_DEFINE(learned, learned_free)

/* One value, its bytes as the program had them. Duplicates (kind, canonical form) are one. */
int learned_add(struct learned *l, enum kind kind, struct span value, enum learn_origin origin,
		struct err *err);
/* A config file: Asterisk's .conf, ini, yaml, json, env, key = value, PEM and DER keys. A key is
   learned when a symbol rule of rs names it as a variable. */
int learned_config(struct learned *l, const struct ruleset *rs, struct span text, const char *name,
		   struct err *err);
/* Keep words: never learned, never removed by learning. */
int learned_keep(struct learned *l, struct span word, struct err *err);
bool learned_has_keep(const struct learned *l);
bool learned_is_kept(const struct learned *l, struct span value);	/* any case */
/* A copy to which more can be added; what was counted is kept for the values it has. */
struct learned *learned_clone(const struct learned *l);
/* Compiles. Decides what the guard holds back, given how often each value stands in the material
   (counted by learned_count_in over each artifact before). */
int learned_count_in(struct learned *l, struct span text, struct err *err);
int learned_seal(struct learned *l, struct err *err);

size_t learned_count(const struct learned *l);
/* How many secrets, tokens and keys of the material were more than can be learned: an open item. */
uint64_t learned_left_out(const struct learned *l);
struct learned_value {
	enum kind kind;
	struct span bytes;
	enum learn_origin origin;
	bool held;		/* something of it was held back by the guard: an open item */
};
const struct learned_value *learned_get(const struct learned *l, size_t i);

struct learned_hit {
	uint32_t value;		/* index for learned_get */
	size_t off, len;	/* in the scanned text */
	enum finding_form form;	/* which encoding it stood in */
	bool partial;		/* a piece of at least 8 (6) bytes */
	bool held;		/* the guard holds it back: stays, an open item; some places of each value */
};
typedef int (*learned_hit_fn)(void *ctx, const struct learned_hit *hit);
struct learned_scanner;		/* scratch, one a thread */
int learned_scanner_new(const struct learned *l, struct learned_scanner **ret, struct err *err);
void learned_scanner_free(struct learned_scanner *s);
/* From now on a core's memory is scanned, of which little is text, from an offset that is a
   multiple of eight. Faster there and slower in texts; what stands around a word may be a number's
   bytes. */
void learned_scanner_expect_memory(struct learned_scanner *s);
AUTO_DEFINE(learned_scanner, learned_scanner_free)
/* Every occurrence in text, all encodings, that begins in [from, to). */
int learned_scan(struct learned_scanner *s, struct span text, size_t from, size_t to,
		 learned_hit_fn fn, void *ctx, struct err *err);

#endif
