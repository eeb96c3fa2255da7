/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <stdio.h>

struct forget_options {
	struct common_options common;
	bool expired;
};

const struct opt forget_opts[] = {
	{ "expired", 0, OPT_FLAG, offsetof(struct forget_options, expired), NULL,
	  "delete every map older than 90 days", 0, 0 },
	{ 0 },
};

static int forget(const struct forget_options *o, const struct strings *args, struct err *err)
{
	size_t gone = 0;
	int rc = RC_OK;

	if (!o->expired && args->n == 0)
		return err_set(err, RC_USAGE, "forget needs a case, or --expired");
	if (o->expired)
		rc = run_forget_expired(&gone, err);
	for (size_t i = 0; rc == RC_OK && i < args->n; i++, gone++)
		rc = run_forget(args->v[i], err);
	if (rc < 0)
		return rc;
	if (!o->common.quiet)
		printf("%zu private map%s deleted\n", gone, gone == 1 ? "" : "s");
	return EXIT_DONE;
}

int cmd_forget(const struct cmd *cmd, int argc, char **argv)
{
	struct forget_options o = { 0 };
	struct strings args = { 0 };
	struct err err = ERR_INIT;
	int rc = cmd_begin(cmd, argc, argv, &o, &args, &err);

	if (rc == RC_OK)
		rc = forget(&o, &args, &err);
	return cmd_end(cmd, &o, &args, rc, &err);
}
