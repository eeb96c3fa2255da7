/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <stdlib.h>
#include <unistd.h>

int run_ruleset(const char *const *rules, const char *policy, const struct decisions *d,
		struct ruleset **ret, struct err *err)
{
	AUTO_BUF added = BUF_INIT;
	AUTO_FREE const char **paths = NULL;
	AUTO_FREE char *shipped = NULL, *database = NULL;
	struct ruleset_options o = { .policy = policy ? policy : "public" };
	size_t n = 0;
	int rc = run_rules_folder(&shipped, err);

	if (rc < 0)
		return rc;
	while (rules && rules[n])
		n++;
	paths = xcalloc(n + 2, sizeof(*paths));
	paths[0] = shipped;
	for (size_t i = 0; i < n; i++)
		paths[i + 1] = rules[i];
	database = xasprintf("%s/rules.hsdb", shipped);
	run_patterns_pack(d, &added);
	o.added = buf_span(&added);
	o.paths = (const char *const *)paths;
	/* the shipped packs' examples were tried when they were built */
	o.try_examples = n > 0;
	o.database = n == 0 && !added.len && access(database, R_OK) == 0 ? database : NULL;
	return ruleset_load(&o, ret, err);
}
