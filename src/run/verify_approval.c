/* SPDX-License-Identifier: Apache-2.0 */
#include "approval.h"
#include "verify_internal.h"

#include <time.h>

/* --require-approval: who may sign, and how many must have, comes from the command line. */

static void digest_of(const char *hex, uint8_t ret[DIGEST_LEN])
{
	AUTO_BUF bytes = BUF_INIT;

	memset(ret, 0, DIGEST_LEN);
	if (value_hex_decode(span_str(hex), &bytes) && bytes.len == DIGEST_LEN)
		memcpy(ret, bytes.p, DIGEST_LEN);
}

int verify_approvals(struct verify *v, const char *shown, struct span text,
		     const struct manifest *m, struct err *err)
{
	__attribute__((cleanup(strings_done))) struct strings beside = { 0 }, why = { 0 };
	const struct run_verify_job *job = v->job;
	const char *const *paths = job->approvals;
	uint8_t manifest[DIGEST_LEN], decisions[DIGEST_LEN];
	struct approval_wanted wanted = {
		.manifest = manifest, .decisions = decisions, .policy = m->policy,
		.ruleset = m->ruleset, .now = time(NULL),
	};
	AUTO_FREE char *what = NULL;
	size_t keys = 0;
	int rc;

	v->met_manifest = true;
	if (!job->allowed_signers)
		return RC_OK;
	if (!paths || !*paths) {
		approvals_beside(v->input, &beside);
		paths = strings_list(&beside);
	}
	digest_sha256(text, manifest);
	digest_of(m->decisions, decisions);
	rc = approvals_count(paths, job->allowed_signers, &wanted, &keys, &why, err);
	if (rc < 0 || keys >= job->min_approvals)
		return rc;
	for (size_t i = 0; i < why.n; i++)
		verify_note(v, "%s", why.v[i]);
	what = xasprintf("approved by %zu keys of the list, %u are needed", keys,
			 job->min_approvals);
	verify_change(v, shown, "package.approval", what);
	return RC_OK;
}
