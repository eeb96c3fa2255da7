/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUN_REVIEW_INTERNAL_H
#define RUN_REVIEW_INTERNAL_H

#include "run_internal.h"

#include <corescrub/review.h>

/* A report as it was written, read back for a walk or an approval. */
struct reviewed {
	char *case_name, *key, *policy, *ruleset, *decisions;	/* of the manifest; NULL where it has none */
	uint8_t manifest[DIGEST_LEN];		/* of the first one */
	bool several;				/* manifests: reports of more than one core */
	struct review_text *texts;
	size_t n_texts, cap_texts;
	struct review_item *items;		/* of the private page */
	size_t n_items, cap_items;
	struct review_rule *rules;		/* sorted by token */
	size_t n_rules, cap_rules;
};
int reviewed_load(const char *path, struct reviewed **ret, struct err *err);
void reviewed_free(struct reviewed *r);
AUTO_DEFINE(reviewed, reviewed_free)

#endif
