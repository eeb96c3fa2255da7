/* SPDX-License-Identifier: Apache-2.0 */
#include "core_internal.h"
#include "run_texts.h"

#include <corescrub/archive.h>
#include <corescrub/gdb.h>
#include <corescrub/report.h>
#include <corescrub/run_core.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The verb `core`: learn, seal, write, look again, and only then a name. */

struct core_run {
	const struct run_core_job *job;
	struct engine *engine;
	struct elfcore *core;
	struct core_job *work;
	struct gdb_profile *profile;
	struct tempfile *out;
	struct stat st; /* of the core file */
};

static int open_core(struct core_run *c, struct err *err)
{
	/* O_NONBLOCK: a fifo must not hold us up */
	AUTO_CLOSE int fd = open(c->job->core, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	AUTO_CLOSE int unpacked = -1;
	int rc;

	if (fd < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_IO, "can't open %s",
				 c->job->core);
	if (fstat(fd, &c->st) < 0)
		return err_errno(err, RC_IO, "%s", c->job->core);
	if (!S_ISREG(c->st.st_mode))
		return err_set(err, RC_FORMAT, "%s is no regular file", c->job->core);
	rc = archive_unpack_sparse(fd, c->job->core, &unpacked, err);
	if (rc < 0)
		return rc;
	return elfcore_open(unpacked >= 0 ? unpacked : fd, c->job->core, &c->core, err);
}

/* A scrubbed core is private still: its folder must be too. */
static int check_place(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *folder =
		slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	struct stat st;
	int rc;

	if (lstat(path, &st) == 0)
		return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)
			       ? err_set(err, RC_EXISTS, "%s exists already", path)
			       : err_set(err, RC_REFUSED,
					 "%s: a core is written to a new file only", path);
	if (stat(folder, &st) < 0)
		return err_errno(err, RC_NOTFOUND, "can't open folder %s", folder);
	if (!(st.st_mode & (S_IROTH | S_IWOTH)))
		return RC_OK;
	rc = err_set(err, RC_REFUSED, "others can look into folder %s: no place for a core",
		     folder);
	err_hint(err, "mkdir -m 700 private, then -o private/NAME");
	return rc;
}

/* By the name of the program that was given, else by what the core claims. */
static int find_profile(struct core_run *c, struct err *err)
{
	const struct elfcore_info *info = elfcore_info(c->core);
	const char *name = c->job->exe ? c->job->exe : info->program ? info->program : info->comm;

	return name ? run_profile(c->job->profiles, name, &c->profile, err) : RC_OK;
}

static void fill_table(struct core_run *c, const struct core_result *r, bool as_json,
		       struct buf *ret)
{
	struct report_account account = { .policy = c->job->common.policy, .open = r->open };
	const struct finding_rule *rules;
	size_t n_rules, n;
	const struct redact_count *counts = redact_counts(c->engine->redactor, &n);
	AUTO_FREE struct report_row *rows = xcalloc(n, sizeof(*rows));

	rules = detector_rules(c->engine->detector, &n_rules);
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct report_row){ &rules[counts[i].rule], counts[i].count,
					       counts[i].distinct };
	account.rows = rows;
	account.n_rows = n;
	report_table(&account, as_json, ret);
}

static int run_all(struct core_run *c, bool as_json, struct run_core_result *ret, struct err *err)
{
	const struct run_core_job *job = c->job;
	struct core_options options = {
		.stacks = job->stacks,
		.keep_fpregs = job->keep_fpregs,
		.exe = job->exe,
		.sysroot = job->sysroot,
		.jobs = job->jobs,
		.timeout_s = job->timeout_s,
		.no_sandbox = job->no_sandbox,
		.listener = &job->listener,
	};
	struct core_result result;
	int rc = engine_new(&job->common, false, &c->engine, err);

	if (rc == RC_OK)
		rc = open_core(c, err);
	if (rc == RC_OK)
		rc = find_profile(c, err);
	if (rc < 0)
		return rc;
	options.profile = c->profile;
	options.uid = c->st.st_uid;
	options.gid = c->st.st_gid;
	rc = tempfile_open(job->out_path, 0600, &c->out, err);
	if (rc == RC_OK)
		rc = core_job_new(c->engine, c->core, &options, &c->work, err);
	if (rc == RC_OK)
		rc = core_job_learn(c->work, err);
	if (rc == RC_OK)
		rc = engine_seal(c->engine, err);
	if (rc == RC_OK)
		rc = core_job_write(c->work, c->engine->redactor, tempfile_fd(c->out), &result,
				    err);
	if (rc == RC_OK)
		rc = tempfile_commit(c->out, false, err);
	if (rc < 0)
		return rc;
	ret->replaced = result.replaced;
	ret->open = result.open + (learned_left_out(c->engine->learned) > 0);
	ret->open_registers = result.open_registers;
	ret->kept = result.kept;
	ret->size = result.size;
	fill_table(c, &result, as_json, &ret->table);
	return RC_OK;
}

int run_core(const struct run_core_job *job, bool as_json, struct run_core_result *ret,
	     struct err *err)
{
	struct core_run c = { .job = job };
	int rc = check_place(job->out_path, err);

	*ret = (struct run_core_result){ .table = BUF_INIT };
	if (rc == RC_OK)
		rc = run_all(&c, as_json, ret, err);
	core_job_free(c.work);
	tempfile_free(c.out);
	elfcore_free(c.core);
	gdb_profile_free(c.profile);
	engine_free(c.engine);
	if (rc < 0)
		run_core_result_done(ret);
	return rc;
}

void run_core_result_done(struct run_core_result *r)
{
	buf_done(&r->table);
}
