/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_GDB_INTERNAL_H
#define CORESCRUB_GDB_INTERNAL_H

#include <corescrub/gdb.h>

/* Which gdb, and what it may open: itself, its libraries, Python and data, debug folders, the
   locale and what the job vouches for. Made once a job, for all its processes. */
struct gdb_install {
	char *path;		/* the binary */
	struct strings read, exec;
};
int gdb_install_find(const struct gdb_job *job, struct gdb_install *ret, struct err *err);
void gdb_install_done(struct gdb_install *g);

#define GDB_SCRIPTS_MAX 2	/* of one gdb: a profile's for info and for locks */

/* A path for a gdb command or an argument: absolute, so no option, and one line; NULL if it can't
   be that. The caller frees. */
char *gdb_plain_path(const char *path);

/* One gdb on the job's core, confined. */
struct gdb_session {
	struct process *process;
	int out, err;		/* memfds */
	int core;		/* read-only, inherited; -1 = none */
	int scripts[GDB_SCRIPTS_MAX];	/* likewise, in order; -1 ends */
	char marker[40];	/* stands alone on a line between the outputs of two commands */
	char end[40];		/* is the last line, behind the last marker */
};
/* Starts it with these commands, then these scripts (one without bytes ends; both may be NULL),
   each followed by a line with the marker. */
int gdb_session_start(const struct gdb_job *job, const struct gdb_install *g,
		      const char *const *commands, const struct span *scripts,
		      struct gdb_session *ret, struct err *err);
/* Waits for it until the deadline (of gdb_deadline); it prints no more, whatever the outcome. What
   a gdb frees when all is printed takes as long as some of its work: that is not waited for, see
   _process. */
int gdb_session_wait(struct gdb_session *s, const struct gdb_job *job, int64_t deadline,
		     struct err *err);
/* Maps what it printed, after the wait. */
int gdb_session_output(struct gdb_session *s, struct mapping **ret_out, struct err *err);
/* The process, which may still be ending; the caller frees it, and waits then. */
struct process *gdb_session_process(struct gdb_session *s);
void gdb_session_done(struct gdb_session *s);
int64_t gdb_deadline(const struct gdb_job *job);	/* of one started now */

/* What gdb printed from *at to the next marker line, behind which *at then is; false without
   one. */
bool gdb_text_next(struct span out, const char *marker, size_t *at, struct span *ret);
/* What gdb printed between the nth and the next marker line (0: before the first); false if the
   second isn't there. */
bool gdb_text_piece(struct span out, const char *marker, size_t nth, struct span *ret);
/* The row of a signal in `info signals`, with the table's head; empty if it has none. `number` is
   Linux's, gdb has its own. */
void gdb_text_signal(struct span table, int number, struct buf *ret);
/* si_signo in gdb's print of $_siginfo, or 0. */
int gdb_text_signo(struct span siginfo);

#endif
