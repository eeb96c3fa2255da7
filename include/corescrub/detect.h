/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_DETECT_H
#define CORESCRUB_DETECT_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>
#include <corescrub/learn.h>
#include <corescrub/rule.h>

/*
 * Rules and learned values × text or backtrace → findings. A detector holds the compiled parts and is
 * for one thread. detect_learn over every artifact (pass one), learned_seal, then detect_text (pass two).
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

/* Pass two over [from, to) of a's text, cut at line ends (detect_cut): findings are appended, in any
   order, overlapping, offsets in a's text. gdb's language is read in a whole: the first call parses. */
int detect_text(struct detector *d, const struct artifact *a, uint64_t from, uint64_t to,
		struct findings *ret, struct err *err);
/* The end of a range that begins at `from` and holds about `want` bytes: behind a line end, outside of
   any gdb string and token. */
uint64_t detect_cut(struct detector *d, const struct artifact *a, uint64_t from, uint64_t want);
/* The program's bytes that a finding stands for (undoes its form); appended to ret. */
void detect_value(struct detector *d, const struct artifact *a, const struct finding *f, struct buf *ret);
/* Source ranges that no edit may touch: frame numbers, addresses, functions, files, lines. Sorted. */
struct detect_guard { uint64_t off, len; };
const struct detect_guard *detect_guards(struct detector *d, const struct artifact *a, size_t *ret_n);

#endif
