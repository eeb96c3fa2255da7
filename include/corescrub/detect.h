/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_DETECT_H
#define CORESCRUB_DETECT_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>
#include <corescrub/learn.h>
#include <corescrub/rule.h>

/*
 * Rules and learned values × text or backtrace → findings. A detector holds the compiled parts and
 * is for one thread. detect_learn over every artifact (pass one), learned_seal, then detect_text
 * (pass two).
 */

struct detector;
/* rs and learned (may be NULL) must outlive it. */
int detector_new(const struct ruleset *rs, const struct learned *learned, struct detector **ret,
		 struct err *err);
void detector_free(struct detector *d);
AUTO_DEFINE(detector, detector_free)
/* The table that findings' rule numbers mean; pseudo-rules behind the ruleset's. */
const struct finding_rule *detector_rules(const struct detector *d, size_t *ret_n);

/* Pass one: adds to l what rules with learn: true find in a. */
int detect_learn(struct detector *d, const struct artifact *a, struct learned *l, struct err *err);

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
/* What no edit may touch in the ranges last detected: frame numbers, addresses, functions, files,
   lines. Sorted. */
const struct detect_range *detect_guards(const struct detector *d, size_t *ret_n);

#endif
