/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BASE_PROCESS_H
#define CORESCRUB_BASE_PROCESS_H

#include <corescrub/base/err.h>
#include <corescrub/base/mem.h>

/*
 * Child processes, run by argv and never by a shell, and their confinement. Fill a process_spec,
 * process_start, read what you like, process_wait. The child dies with its parent.
 */

/* The parts of a confinement, as bits. What the kernel could not give comes back in `missing`. */
enum sandbox_part {
	SANDBOX_SECCOMP = 1 << 0,	/* a list of harmless system calls; no socket, exec, fork, kill, … */
	SANDBOX_LANDLOCK = 1 << 1,	/* only the named paths can be read, none written */
	SANDBOX_NETNS = 1 << 2,		/* an empty network namespace */
	SANDBOX_RLIMIT = 1 << 3,	/* memory, bytes of a file, descriptors */
	SANDBOX_NO_NEW_PRIVS = 1 << 4,
	SANDBOX_PDEATHSIG = 1 << 5,
	SANDBOX_NO_DUMP = 1 << 6,	/* RLIMIT_CORE 1: also no dump to a pipe handler */
	SANDBOX_OWNER = 1 << 7,		/* runs as another user, or as root without capabilities */
};
#define SANDBOX_ALL 0xff

struct sandbox {
	unsigned parts;			/* which to use; SANDBOX_ALL but for --no-sandbox */
	bool strict;			/* a part that can't be had is RC_SANDBOX (as root) */
	const char *const *read_paths;	/* NULL-terminated: files, or folders with all below; absent ones
					   are passed over; /proc/self/fd/N means ours. May be NULL */
	const char *const *exec_paths;	/* NULL-terminated: likewise, and executable */
	uid_t uid;			/* SANDBOX_OWNER: who to become, where we are root;
					   0 = root without capabilities */
	gid_t gid;
	uint64_t memory;		/* RLIMIT_AS in bytes, 0 = none */
	bool terminal;			/* may set how the terminal behaves, not type into it */
	uint64_t file_size;		/* RLIMIT_FSIZE: what it may write to an inherited file, memfds
					   too; past it SIGXFSZ. 0 = nothing */
};

struct process_spec {
	const char *const *argv;	/* argv[0] is looked up in PATH if it has no slash */
	const char *const *env;		/* NULL-terminated; NULL = empty */
	int in, out, err;		/* descriptors for 0, 1, 2; -1 = /dev/null */
	const int *keep_fds;		/* others (> 2) to inherit, at the same numbers; -1 ends; may be NULL */
	bool foreground;		/* stays in our session and process group: a terminal's keys reach it */
	const struct sandbox *sandbox;	/* NULL = none but no_new_privs, pdeathsig and no dump */
};

/* Where execvp would find it, but never by a relative folder of PATH; NULL if nowhere. To be
   freed. */
char *process_find_program(const char *name);

/* As root: opens files as another user could, in this thread alone, until they are given back. As
   anyone else it changes nothing. RC_REFUSED if it can't be had. Give back what `saved` says,
   whatever came. */
struct credentials {
	bool taken;
	int n_groups;
	gid_t *groups;
};
int credentials_take(uid_t uid, gid_t gid, struct credentials *saved, struct err *err);
void credentials_restore(struct credentials *saved);

/* This program's dynamic loader, or NULL if it is linked statically. */
const char *process_loader(void);
/* The libraries that the loader would take for a program, by asking the loader: nothing of the
   program runs. Absolute paths. */
int process_libraries(const char *program, struct strings *ret, struct err *err);

struct process;
/* RC_NOTFOUND: no such program; RC_SANDBOX: `strict` and a part is missing; RC_CHILD: it can't be
   run; RC_UNSUPPORTED: a script under SANDBOX_SECCOMP, where a program can start no other. */
int process_start(const struct process_spec *spec, struct process **ret, struct err *err);
unsigned process_missing(const struct process *p);	/* enum sandbox_part bits not in force */
int process_fd(const struct process *p);		/* a pidfd, to poll */
/* Waits at most timeout_ms (-1: for ever), then RC_TIMEOUT, and it still runs. Else waitpid's
   status; what it left in its process group is killed. */
int process_wait(struct process *p, int timeout_ms, int *ret_status, struct err *err);
void process_kill(struct process *p);			/* SIGKILL to it and its group */
void process_free(struct process *p);			/* kills and reaps if still running */
AUTO_DEFINE(process, process_free)

/* Confines this very process, for our own parsers of hostile bytes: what is open can be read and
   written, nothing can be opened; `memory` comes on top of what it has. Before any thread is
   started. Gives the missing parts. */
int sandbox_apply_self(const struct sandbox *s, unsigned *ret_missing, struct err *err);
/* Which parts this machine could give, without using them (for doctor). */
unsigned sandbox_probe(void);
const char *sandbox_part_name(enum sandbox_part part);	/* "seccomp", "landlock", … */

/* The first thing in main(): core limits 1 (soft and hard: stops pipe handlers too),
   PR_SET_DUMPABLE 0, umask 077, and no file gets the number of a closed 0, 1 or 2; false if that
   can't be had. */
bool process_harden_self(void);

#endif
