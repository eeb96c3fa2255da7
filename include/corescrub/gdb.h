/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_GDB_H
#define CORESCRUB_GDB_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>

#include <stdatomic.h>

/*
 * Runs gdb on a core, confined (base/process.h), under C.UTF-8, -nx, auto-load and debuginfod off.
 * Its output stays in memory. One run gives the text of `bt full`; brief and thread1 are cut from
 * it.
 */

/* What is known of one program beyond any other: profiles/NAME.yaml, doc/profiles.md. */
struct gdb_profile {
	char *name;
	struct buf info, locks;		/* gdb scripts for info.txt and locks.txt, or empty */
	struct strings lock_tracking;	/* symbols that only a build which tracks its locks defines */
	char *lock_tracking_hint;	/* how to get such a build, or NULL */
	char *dump_option;		/* the letter of the option that makes it leave cores, or NULL */
	char *dump_hint;
	char *config_folder;		/* a glob: a folder that the info script prints as config_folder
					   is the program's configuration if it is like this; or NULL */
	char *config_variable;		/* the global whose string is that folder, for who asks no gdb; or
					   NULL */
};
/* The first profile of `places` (files, and folders of *.yaml, NULL-terminated) that a program of
   this path has; *ret is NULL where none fits. RC_SYNTAX: one is wrong; RC_REFUSED: others could
   write it. */
int gdb_profile_find(const char *const *places, const char *program, struct gdb_profile **ret,
		     struct err *err);
void gdb_profile_free(struct gdb_profile *p);
AUTO_DEFINE(gdb_profile, gdb_profile_free)

struct gdb_job {
	int core_fd;			/* or -1 for gdb_probe */
	const char *core_name;		/* for messages */
	const char *exe;		/* vouched program, or NULL */
	const char *sysroot;		/* or NULL */
	const char *gdb;		/* or NULL: "gdb" in PATH */
	const struct strings *libraries;	/* of gdb_libraries, or NULL: asked for then */
	const char *const *readable;	/* vouched mapped files, NULL-terminated: all gdb may open */
	unsigned timeout_s;		/* 0 = LIMIT_GDB_SECONDS */
	unsigned jobs;			/* gdb processes that share the threads; 1 = one */
	size_t n_threads;		/* the core's */
	const struct gdb_profile *profile;	/* or NULL */
	int64_t core_time;		/* seconds since the epoch, for the profile's scripts */
	int signal;			/* that killed it, Linux's number; for cores without $_siginfo */
	const atomic_bool *stop;	/* set: the texts are not wanted any more; or NULL */
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
	struct artifact *info, *locks;	/* what the profile's scripts printed; NULL: none, or they
					   did not come to their end */
	unsigned missing;		/* enum sandbox_part bits that were not in force */
	char *version;			/* "GNU gdb (Debian 13.1-3) 13.1" */
	struct process **ending;	/* gdbs that were ended when all was printed, not yet gone */
	size_t n_ending;
};

/* The libraries of gdb (NULL: of the one in PATH), which a confined one must be able to open. It
   needs nothing of a core, so it can be asked while other things are made ready. RC_NOTFOUND: no
   gdb. */
int gdb_libraries(const char *gdb, struct strings *ret, struct err *err);
/* RC_NOTFOUND: no gdb; RC_TIMEOUT; RC_TOOBIG: it printed over LIMIT_GDB_OUTPUT; RC_CHILD: it died
   or ended early; RC_FORMAT: it sees no thread in this core; RC_SANDBOX: `strict` and a part is
   missing. As root a core without a name (a spooled one) is given to uid:gid, so that gdb can open
   it. */
int gdb_run(const struct gdb_job *job, struct gdb_result **ret, struct err *err);
/* Waits for the gdbs to be gone. */
void gdb_result_free(struct gdb_result *r);
AUTO_DEFINE(gdb_result, gdb_result_free)
/* `thread apply all bt` out of `thread apply all bt full`, byte for byte. */
void gdb_text_brief(struct span full, struct buf *ret);
/* The block of thread 1 (the last one), to the end. */
struct span gdb_text_thread1(struct span full);
/* Does gdb start here, confined, and does its Python? RC_NOTFOUND: no gdb; RC_CHILD: it can't
   run. */
struct gdb_probe {
	char *path, *version;		/* "GNU gdb (Debian 13.1-3) 13.1" */
	bool python;
	unsigned missing;		/* enum sandbox_part bits that were not in force */
};
int gdb_probe(const struct gdb_job *job, struct gdb_probe *ret, struct err *err);
void gdb_probe_done(struct gdb_probe *p);
/* Runs commands in the same confinement and gives stdout: for profiles and the confinement test. */
int gdb_run_script(const struct gdb_job *job, struct span script, struct artifact **ret_out,
		   struct err *err);

/* gdb at the terminal, for `open`: with our settings, nothing run out of the folder, then the
   person's arguments. Confined as above; how it edits lines is all it may set. */
struct gdb_view {
	const char *folder;		/* holds "core"; sysroot too, if there is one */
	bool has_sysroot;
	const char *exe;		/* below the folder, or NULL */
	const struct strings *libraries;	/* folders below it where libraries stand */
	const char *gdb;		/* or NULL: "gdb" in PATH */
	const char *const *args;	/* NULL-terminated; may be NULL */
	bool confined;
	bool (*stopped)(void);		/* or NULL: asked now and then, true kills it */
};
/* *ret_status: waitpid's. RC_NOTFOUND: no gdb; RC_SANDBOX: as root, and a part is missing. */
int gdb_view(const struct gdb_view *v, int *ret_status, struct err *err);

#endif
