/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

struct doctor_options {
	struct common_options common;
	const char *gdb, *sysroot;
	struct strings profile;
};

#define AT(field) offsetof(struct doctor_options, field)

const struct opt doctor_opts[] = {
	{ "gdb", 0, OPT_STRING, AT(gdb), "FILE", "the gdb that report would run", 0, 0 },
	{ "sysroot", 0, OPT_STRING, AT(sysroot), "DIR", "where the core's files are found", 0, 0 },
	{ "profile", 0, OPT_LIST, AT(profile), "FILE|DIR", "add a program's profile", 0, 0 },
	{ 0 },
};

static int examine(const struct doctor_options *o, const struct strings *args, struct err *err)
{
	struct run_doctor_job job = {
		.subject = args->n ? args->v[0] : NULL,
		.gdb = o->gdb,
		.sysroot = o->sysroot,
		.profiles = strings_list(&o->profile),
	};
	struct run_doctor_result result = { .table = BUF_INIT };
	int rc;

	if (args->n > 1)
		return err_set(err, RC_USAGE, "doctor looks at one thing at a time");
	rc = check_folder(o->sysroot, err);
	if (rc < 0)
		return rc;
	rc = run_doctor(&job, o->common.json, &result, err);
	if (rc < 0)
		return rc;
	rc = o->common.quiet ? EXIT_DONE : print_buf(&result.table);
	if (rc == EXIT_DONE && result.useless)
		rc = EXIT_PERSON;
	buf_done(&result.table);
	return rc;
}

int cmd_doctor(const struct cmd *cmd, int argc, char **argv)
{
	struct doctor_options o = { .gdb = NULL };
	struct strings args = { 0 };
	struct err err = ERR_INIT;
	int rc = cmd_begin(cmd, argc, argv, &o, &args, &err);

	if (rc == RC_OK)
		rc = examine(&o, &args, &err);
	return cmd_end(cmd, &o, &args, rc, &err);
}
