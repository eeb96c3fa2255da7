/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_CHECK_H
#define CORESCRUB_CHECK_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>

/*
 * The independent second look, and the only maker of struct scrubbed. Shares no code with rules,
 * detection or redaction: searches plainly for every known value in every encoding (raw, hex,
 * base64 at three alignments, URL-, JSON- and gdb-escaped, UTF-16), and for shapes (addresses,
 * numbers in SIP and tel URIs, key=value credentials, PEM, digests) outside of sound tokens.
 */

struct check;
struct check *check_new(void);
void check_free(struct check *c);
AUTO_DEFINE(check, check_free)
/* A value that must not be in any output. Values under 4 bytes, and loopback-like ones, are
   ignored; keep words are taken out by check_keep. What could be a word, a name or a number of the
   program's own (letters only, 0x…, digits) and values under 8 bytes count only as a whole string
   or word, and are CHECK_OPEN, not CHECK_LEAK: so is everything in a frame's head, which nothing
   may edit. */
void check_know(struct check *c, enum kind kind, struct span value);
void check_keep(struct check *c, struct span word);
/* A person decided that this spelling stays: its shape is no item. May come behind check_seal; a
   known value is a leak all the same. */
void check_pass(struct check *c, struct span spelling);
/* The policy leaves values of this kind: their shapes are no items. */
void check_allow(struct check *c, enum kind kind);
/* Builds the search. Behind it any number of threads may look. */
int check_seal(struct check *c, struct err *err);

enum check_level {
	CHECK_LEAK,		/* a known value: must not leave */
	CHECK_OPEN,		/* the shape of a credential or address a rule should have had */
	CHECK_HINT,		/* entropy, long digits: a person may look */
};
struct check_item {
	enum check_level level;
	enum kind kind;
	bool known;		/* a value given to check_know, not a shape */
	const char *what;	/* "known secret, as base64", "IPv4 address", … : constant text */
	uint64_t off;
	uint32_t len;
};
/* Seals `text` (taken) as clean. A leak is RC_LEAK and nothing is sealed. Items go to fn (may be
   NULL). In the name a leak is CHECK_OPEN if there is a fn. */
typedef int (*check_item_fn)(void *ctx, const char *name, const struct check_item *item);
int check_clean(struct check *c, const char *name, struct buf *text, check_item_fn fn, void *ctx,
		struct scrubbed **ret, struct err *err);
/* The same for text of our own making, a page or a manifest: there a known value is CHECK_OPEN, and
   no shape is told. A remote caller can choose a value that is a rule's name or a word of the
   page. */
int check_clean_own(struct check *c, const char *name, struct buf *text, check_item_fn fn,
		    void *ctx, struct scrubbed **ret, struct err *err);
/* The look alone, for verify and for streams. */
int check_look(struct check *c, const char *name, struct span text, check_item_fn fn, void *ctx,
	       struct err *err);
/* Known values alone, in bytes of a scrubbed core: those that begin in [from, to) go to fn, which
   decides. RC_OK whatever is found; else what fn returned. */
int check_memory(struct check *c, struct span bytes, size_t from, size_t to, check_item_fn fn,
		 void *ctx, struct err *err);

/* Puts [kind] where a known value still stands in text, and looks again, until none does: who made
   a value so odd that redaction and this look disagree about it must not get it out, and must not
   keep all reports from being made either. Each place goes to fn (may be NULL) as CHECK_OPEN, where
   it is now. RC_LEAK, and text as it was, if that has no end. */
int check_mask(struct check *c, const char *name, struct buf *text, check_item_fn fn, void *ctx,
	       struct err *err);

#endif
