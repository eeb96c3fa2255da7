/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_GDB_H
#define CORESCRUB_GDB_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>

/*
 * Runs gdb on a core, confined (base/process.h), under C.UTF-8, -nx, auto-load and debuginfod off.
 * Its output stays in memory. One run gives the text of `bt full`; brief and thread1 are cut from it.
 */

struct gdb_job {
	int core_fd;
	const char *core_name;		/* for messages */
	const char *exe;		/* vouched program, or NULL */
	const char *sysroot;		/* or NULL */
	const char *gdb;		/* or NULL: "gdb" in PATH */
	const char *const *readable;	/* vouched mapped files, NULL-terminated: all gdb may open */
	unsigned timeout_s;		/* 0 = LIMIT_GDB_SECONDS */
	unsigned jobs;			/* gdb processes that share the threads; 1 = one */
	size_t n_threads;		/* the core's */
	int signal;			/* that killed it, Linux's number; for cores without $_siginfo */
	bool sandbox, strict;		/* --no-sandbox; strict as root */
	uid_t uid;			/* whom to become, when root */
	gid_t gid;
};

struct gdb_result {
	struct artifact *head;		/* $_siginfo and the signal */
	struct artifact *full;		/* thread apply all bt full */
	struct artifact *brief;		/* thread apply all bt */
	struct artifact *thread1;	/* thread apply 1 bt full */
	struct artifact *sharedlibs;	/* info sharedlibrary: names, and whose symbols are missing */
	struct artifact *messages;	/* what gdb said while it loaded, and on stderr: clear text */
	unsigned missing;		/* enum sandbox_part bits that were not in force */
	char *version;			/* "GNU gdb (Debian 13.1-3) 13.1" */
};

/* RC_NOTFOUND: no gdb; RC_TIMEOUT; RC_TOOBIG: it printed over LIMIT_GDB_OUTPUT; RC_CHILD: it died or
   ended early; RC_FORMAT: it sees no thread in this core; RC_SANDBOX: `strict` and a part is missing.
   As root a core without a name (a spooled one) is given to uid:gid, so that gdb can open it. */
int gdb_run(const struct gdb_job *job, struct gdb_result **ret, struct err *err);
void gdb_result_free(struct gdb_result *r);
AUTO_DEFINE(gdb_result, gdb_result_free)
/* `thread apply all bt` out of `thread apply all bt full`, byte for byte. */
void gdb_text_brief(struct span full, struct buf *ret);
/* The block of thread 1 (the last one), to the end. */
struct span gdb_text_thread1(struct span full);
/* Runs commands in the same confinement and gives stdout: for profiles and the confinement test. */
int gdb_run_script(const struct gdb_job *job, struct span script, struct artifact **ret_out,
		   struct err *err);

#endif
