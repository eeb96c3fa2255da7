/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <errno.h>
#include <unistd.h>

/* Private maps go: one case's, or all that are too old. */

struct forget {
	bool only_expired;
	size_t gone;
};

static int forget_one(void *ctx, const char *path, bool expired, struct err *err)
{
	struct forget *f = ctx;

	if (f->only_expired && !expired)
		return RC_OK;
	if (unlink(path) < 0 && errno != ENOENT)
		return err_errno(err, RC_IO, "can't delete a private map");
	f->gone++;
	return RC_OK;
}

int run_forget(const char *case_name, struct err *err)
{
	struct forget f = { .only_expired = false };
	int rc;

	if (!*case_name || *case_name == '.' || strpbrk(case_name, "/+"))
		return err_set(err, RC_USAGE, "that can't be the name of a case");
	rc = run_map_each(case_name, forget_one, &f, err);
	if (rc == RC_OK && f.gone == 0)
		rc = err_set(err, RC_NOTFOUND, "no private map of that case");
	return rc;
}

int run_forget_expired(size_t *ret_gone, struct err *err)
{
	struct forget f = { .only_expired = true };
	int rc = run_map_each(NULL, forget_one, &f, err);

	if (rc == RC_OK)
		*ret_gone = f.gone;
	return rc;
}
