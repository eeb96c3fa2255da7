/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_SARIF_H
#define CORESCRUB_SARIF_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>

/*
 * Findings as SARIF 2.1.0 (OASIS standard, 27 March 2020), part of the module report. One document
 * in pieces, so that memory doesn't grow with it: sarif_begin, sarif_result for each finding,
 * sarif_end.
 */

struct sarif_place {
	const char *file;		/* fit to be shown */
	uint64_t line, col;		/* from 1; col in Unicode code points */
	uint64_t off, len;		/* bytes, in the file before it was scrubbed */
	const char *symbol_path;	/* or "" */
};
void sarif_begin(struct buf *ret);
/* first: of all results. token: what stands there now; empty if it was dropped. */
int sarif_result(const struct finding *f, const struct finding_rule *rule, struct span token,
		 const struct sarif_place *at, bool first, struct buf *ret, struct err *err);
/* rules: those of the results, each once. */
int sarif_end(const struct finding_rule *const *rules, size_t n, struct buf *ret, struct err *err);

#endif
