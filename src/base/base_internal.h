/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BASE_INTERNAL_H
#define CORESCRUB_BASE_INTERNAL_H

#include <corescrub/base/err.h>
#include <corescrub/base/file.h>
#include <corescrub/base/process.h>
#include <linux/filter.h>

/*
 * A file that has no name yet, in the folder where it will get one (tempfile.c, outdir.c). Where
 * the filesystem has no O_TMPFILE it has a hidden random name and mode 0600 until then.
 */
struct newfile {
	int fd;
	int dir;		/* borrowed: the folder it was made in */
	char hidden[48];	/* or "" */
};

int newfile_create(int dir, const char *where, struct newfile *ret, struct err *err);
/* Gives it the name `name` in the folder `dir`; RC_EXISTS if there is one and not `replace`. */
int newfile_link(struct newfile *f, int dir, const char *name, bool replace, struct err *err);
void newfile_done(struct newfile *f);
/* ".corescrub-" and 16 random hex digits. */
void newfile_random_name(char ret[static 48]);
/* renameat2 with RENAME_NOREPLACE, as well as the filesystem can. errno on failure. */
int newfile_rename(int from_dir, const char *from, int to_dir, const char *to);

/* Splits target into an open descriptor of its folder and its last part; the caller owns both.
   RC_USAGE if it names no file. */
int newfile_split(const char *target, int *ret_dir, char **ret_name, struct err *err);

/*
 * A confinement in two steps: what needs memory or can fail with a message is done in the parent,
 * what binds is done in the child, between fork and exec, with system calls alone.
 */
struct sandbox_plan {
	const struct sandbox *spec;	/* borrowed; NULL: no new privileges, no dump, pdeathsig */
	unsigned parts;			/* enum sandbox_part bits wanted */
	int ruleset;			/* Landlock's, or -1 */
	struct sock_filter *filter;	/* seccomp's, or NULL */
	unsigned short n_filter;
	uint64_t memory;		/* RLIMIT_AS; 0 = none */
	int exec_fd;			/* the number under which the program is executed, or -1 */
	pid_t parent;
};

/* `program`: an exec follows; the filter allows that one alone. */
int sandbox_plan_make(const struct sandbox *s, bool program, struct sandbox_plan *ret,
		      struct err *err);
void sandbox_plan_done(struct sandbox_plan *p);
/* In the child. The enum sandbox_part bits that could not be had. Last of all comes the filter:
   sandbox_plan_seal, after which only the exec of exec_fd is left. */
unsigned sandbox_plan_enter(const struct sandbox_plan *p);
bool sandbox_plan_seal(const struct sandbox_plan *p);

/* A ruleset for these paths (both lists may be NULL), or -1 where the kernel has no Landlock. */
int landlock_make(const char *const *read_paths, const char *const *exec_paths, int *ret_ruleset,
		  struct err *err);
bool landlock_enter(int ruleset);

/* The compiled filter; exec_fd: the one descriptor execveat may use, -1 = no exec and no open.
   terminal: how it echoes and edits may be set. */
int seccomp_make(int exec_fd, bool terminal, struct sock_filter **ret, unsigned short *ret_n,
		 struct err *err);
bool seccomp_enter(struct sock_filter *filter, unsigned short n, bool all_threads);

/* Becomes uid:gid without groups, or for uid 0 root without any capability. */
bool privilege_drop(uid_t uid, gid_t gid);

#endif
