/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_DETECT_H
#define CORESCRUB_DETECT_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>
#include <corescrub/elfcore_symbols.h>
#include <corescrub/learn.h>
#include <corescrub/rule.h>

/*
 * Rules and learned values × text or backtrace → findings. A detector holds the compiled parts
 * and is for one thread. detect_learn over every artifact (pass one), learned_seal, then
 * detect_text (pass two).
 */

struct detector;
/* rs and learned (may be NULL) must outlive it. */
int detector_new(const struct ruleset *rs, const struct learned *learned, struct detector **ret,
		 struct err *err);
void detector_free(struct detector *d);
AUTO_DEFINE(detector, detector_free)
/* The table that findings' rule numbers mean; pseudo-rules behind the ruleset's. */
const struct finding_rule *detector_rules(const struct detector *d, size_t *ret_n);

/* Pass one: adds to l what rules with learn: true find in a; secrets_alone: of raw text, what isn't
   gdb's strings and values, credentials only. */
int detect_learn(struct detector *d, const struct artifact *a, enum learn_origin origin,
		 bool secrets_alone, struct learned *l, struct err *err);

/* Pass two over [from, to) of a's text, cut at line ends (detect_cut): findings are appended, in
   any order, overlapping, offsets in a's text. What begins in the range may end behind it. gdb's
   language is indexed in a whole, by the first call for an artifact. */
int detect_text(struct detector *d, const struct artifact *a, uint64_t from, uint64_t to,
		struct findings *ret, struct err *err);
/* The same where one of the ranges (sorted, disjoint) touches: for text that redaction changed. */
struct detect_range { uint64_t off, len; };
int detect_ranges(struct detector *d, const struct artifact *a, const struct detect_range *ranges,
		  size_t n, struct findings *ret, struct err *err);
/* Is a read as gdb's text? Closure sets the kind of its changed copies by this. */
bool detect_is_gdb(const struct detector *d, const struct artifact *a);
/* How far from a changed byte, beyond its line, a match may begin: 0 without multi-line rules. */
uint64_t detect_margin(const struct detector *d);
/* What of a's text must be seen together with [*off, *off + *len): its lines, and in gdb's text
   the whole frames. Widens the range, at most to [from, to). */
void detect_context(const struct detector *d, const struct artifact *a, uint64_t from, uint64_t to,
		    uint64_t *off, uint64_t *len);
/* The end of a range that begins at `from` and holds about `want` bytes: behind a line end,
   outside of any gdb string and token. */
uint64_t detect_cut(struct detector *d, const struct artifact *a, uint64_t from, uint64_t want);
/* The program's bytes that a finding stands for (undoes its form); appended to ret. */
void detect_value(const struct detector *d, const struct artifact *a, const struct finding *f,
		  struct buf *ret);
/* What no edit may touch in the ranges last detected, in any order: frame numbers, addresses,
   functions, files, lines. What is `between` a head's values is so only as long as it reads as
   that: where an edit made it a string's text, it is one. */
struct detect_guard { uint64_t off, len; bool between; };
const struct detect_guard *detect_guards(const struct detector *d, size_t *ret_n);

/*
 * Memory of a core, window by window: the core is never held whole. A window has what stands around
 * the part that is asked for, so that chunks' edges hide nothing; findings have offsets of the
 * file.
 */
#define DETECT_MEMORY_CONTEXT KIB(64)	/* what a window should have before `from` and behind `to` */
struct detect_window {
	struct span bytes;
	uint64_t off;			/* of bytes[0] in the core file */
	size_t from, to;		/* what begins in [from, to) of bytes is given */
	const struct elfcore *core;	/* tells pointers from addresses of hosts; or NULL */
};
/* Rules with where: memory in runs of text, ASCII and UTF-16LE. */
int detect_memory_rules(struct detector *d, const struct detect_window *w, struct findings *ret,
			struct err *err);
/* Addresses of hosts that are known, in any order; they are found packed too. */
struct detect_addresses;
struct detect_addresses *detect_addresses_new(void);
void detect_addresses_free(struct detect_addresses *a);
AUTO_DEFINE(detect_addresses, detect_addresses_free)
void detect_addresses_add(struct detect_addresses *a, enum kind kind, struct span text);
/* Learned values in every spelling, and known addresses as their 4 or 16 bytes. */
int detect_memory_learned(struct detector *d, const struct detect_window *w,
			  const struct detect_addresses *known, struct findings *ret, struct err *err);
/* What the bytes of a finding in memory stand for; appended to ret. */
void detect_memory_value(const struct detector *d, const struct finding *f, struct span bytes,
			 struct buf *ret);
/* Typed memory: is a leaf wanted at all, and what is found in it. Values go to `learn` as their
   rules say, addresses to `known`; both may be NULL. */
bool detect_variable_wanted(const struct detector *d, const struct elfcore_variable *v);
int detect_variable(struct detector *d, const struct elfcore *core,
		    const struct elfcore_variable *v, struct findings *ret, struct learned *learn,
		    struct detect_addresses *known, struct err *err);

#endif
