/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_REDACT_H
#define CORESCRUB_REDACT_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>
#include <corescrub/detect.h>

/*
 * From findings to clean text: overlap policy, pseudonyms, the private map, the edits. A redactor
 * holds the key and what one run replaced (counts, distinct values, the map); one thread.
 *
 * scrub∘scrub = scrub by construction: redact_plan detects, puts tokens in, detects again in the
 * lines that changed, until nothing new is found (sound tokens are never touched), all in source
 * offsets.
 */

struct redactor;
struct redact_options {
	const struct secret *key;	/* 32 bytes from --key-file, or NULL: random for this run */
	const char *case_name;		/* the key in use is HKDF(key, case) */
	const char *purpose;		/* NULL: the public report; else another key of the same case */
	bool keep_map;			/* collect originals for the private map */
	const char *const *kept;	/* tokens whose values stay, NULL-terminated; may be NULL */
};
int redactor_new(const struct redact_options *o, struct redactor **ret, struct err *err);
void redactor_free(struct redactor *r);
AUTO_DEFINE(redactor, redactor_free)

/*
 * For several threads: each has a part, with the same key and nothing seen yet. What parts replaced
 * is added in the order of the joins, as if r had done it all in that order. RC_INTERNAL as of
 * redact_token.
 */
struct redactor *redactor_part(const struct redactor *r);
int redactor_join(struct redactor *r, const struct redactor *part, struct err *err);

/* The key in use, named by 16 hex digits that tell nothing of it; "" without --key-file. */
const char *redactor_key_id(const struct redactor *r);
/* Would this value's token be one of the kept ones? Without a trace in the map. */
bool redact_is_kept(const struct redactor *r, enum kind kind, struct span value);
/* The spellings seen so far of values that are kept: from *at on, which it moves to the end. */
typedef void (*redact_kept_fn)(void *ctx, enum kind kind, struct span spelling);
void redact_each_kept(const struct redactor *r, size_t *at, redact_kept_fn fn, void *ctx);

/* Key files: 32 random bytes, mode 0600, else RC_REFUSED. */
int redact_key_read(const char *path, struct secret **ret, struct err *err);

struct redact_plan {
	struct edit *edits;		/* sorted, disjoint */
	size_t n_edits;
	struct findings found;		/* all of them, kept or dropped */
	struct arena *arena;
	uint64_t from, to;		/* the range it is for */
};
int redact_plan(struct redactor *r, struct detector *d, const struct artifact *a, uint64_t from,
		uint64_t to, struct redact_plan **ret, struct err *err);
void redact_plan_free(struct redact_plan *p);
AUTO_DEFINE(redact_plan, redact_plan_free)
/* Writes a's bytes [from, to) with the plan's edits. */
int redact_apply(const struct artifact *a, const struct redact_plan *p, struct sink *out,
		 struct err *err);
/* Plan and apply for a whole artifact, range by range, in bounded memory; `each` (may be NULL)
   sees each plan before it goes. */
typedef int (*redact_plan_fn)(void *ctx, const struct artifact *a, const struct redact_plan *p);
int redact_all(struct redactor *r, struct detector *d, const struct artifact *a, struct sink *out,
	       redact_plan_fn each, void *ctx, struct err *err);
/* The token of a value, as redact_plan would put it. Two values with one token: RC_INTERNAL. */
int redact_token(struct redactor *r, enum kind kind, struct span value, struct buf *ret,
		 struct err *err);

/* The same without keeping anything: its length, or 0 for a value that gets a constant. */
size_t redact_token_text(const struct redactor *r, enum kind kind, struct span value,
			 char ret[VALUE_TOKEN_MAX]);

/*
 * Memory of a core (fill.c): what takes a value's place has its very length. redact_fill_new, then
 * redact_fill_chunk for one chunk behind the other, then redact_fill_end. What no edit may touch
 * stays and is an open item: `fixed` (sorted, disjoint), and words at a value's end that are
 * pointers.
 */
struct redact_fill;
struct redact_fill_job {
	struct redactor *redactor;
	const struct detector *detector;
	const struct elfcore *core;
	const struct detect_range *fixed;	/* borrowed */
	size_t n_fixed;
	/* Bytes of an earlier chunk: a value that began there has turned out to be longer. Until then
	   its bytes were zeros. */
	int (*late)(void *ctx, uint64_t off, struct span bytes, struct err *err);
	void *ctx;
};
struct redact_chunk {
	char *bytes;			/* with what stands around the chunk */
	size_t len, from, to;		/* the chunk: [from, to) of them; edited there alone */
	uint64_t off;			/* of bytes[0] in the core file */
	struct findings *found;		/* what begins in the chunk; gets sorted */
};
struct redact_fill *redact_fill_new(const struct redact_fill_job *job);
void redact_fill_free(struct redact_fill *f);
AUTO_DEFINE(redact_fill, redact_fill_free)
int redact_fill_chunk(struct redact_fill *f, const struct redact_chunk *c, struct err *err);
int redact_fill_end(struct redact_fill *f, struct err *err);
/* Places replaced, and places left as they were for a person to look at. */
uint64_t redact_fill_count(const struct redact_fill *f, uint64_t *ret_open);
/* Was something that stands at [off, off + len) left as it was? */
bool redact_fill_left(const struct redact_fill *f, uint64_t off, uint64_t len);

/* What a run did, by rule. */
struct redact_count { uint32_t rule; uint64_t count, distinct; };
const struct redact_count *redact_counts(struct redactor *r, size_t *ret_n);
uint64_t redact_open_items(const struct redactor *r);		/* held back, limits */
uint64_t redact_preexisting(const struct redactor *r);

/* Every original spelling that was replaced, for the second look. Ends early on a negative
   return. */
typedef int (*redact_value_fn)(void *ctx, enum kind kind, struct span original);
int redact_each_value(const struct redactor *r, redact_value_fn fn, void *ctx);

/* Off, and on again: what is scrubbed meanwhile (a file's name) is no text of the map. */
void redactor_note(struct redactor *r, bool on);
/* The private map (doc/formats.md): token → kind, original, spellings by place. `old`: the case's
   map so far, or empty. */
void redact_map_text(const struct redactor *r, const char *case_name, struct span old,
		     struct buf *ret);
/* The same, added to what is at path. Mode 0600, whole or not. */
int redact_map_write(const struct redactor *r, const char *path, const char *case_name,
		     struct err *err);
/* Makes the folders above path, mode 0700, where they are missing. */
int redact_map_folders(const char *path, struct err *err);
/* ${XDG_STATE_HOME:-$HOME/.local/state}/corescrub/<case>.map */
char *redact_map_path(const char *case_name);

#endif
