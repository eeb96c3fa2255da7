/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_SEARCH_H
#define CORESCRUB_SEARCH_H

#include <corescrub/base.h>

/*
 * The search for cores: patterns to names (search_glob), a name to an open core (search_open). Who
 * puts a file where we search decides neither what we read nor what we overwrite: a core that was
 * found is a regular file, no link, of root, of this user or of the service's, opened once.
 */

/* What matches, sorted, as the shell would: * ? […] and ?(…) *(…) +(…) @(…) !(…), a
   backslash takes a character's meaning; a name's first dot must be typed. A pattern that is a
   file's name gives that. RC_TOOBIG: more than LIMIT_SEARCH_NAMES. No match is no error. */
int search_glob(const char *pattern, struct strings *ret, struct err *err);

struct search_owners {		/* whose cores are taken, besides root's and our own */
	const uid_t *v;
	size_t n;
	bool system;		/* any account of the system's (below 1000, adduser(8)) */
};

enum search_verdict {
	SEARCH_TAKEN,
	SEARCH_NO_CORE,		/* another kind of file, or gone: not worth a word */
	SEARCH_REFUSED,		/* *ret_why says it, without the name */
};

struct found_core {
	char *path;
	int fd;			/* of the core itself, unpacked if it was compressed */
	struct timespec mtime;
	dev_t dev;		/* of the file at path */
	ino_t ino;
	char *program;		/* its name as the core tells it, or NULL */
};
struct found_cores {
	struct found_core *v;
	size_t n, cap;
};
void found_cores_done(struct found_cores *f);

/* Opens the file if it is a core. One that is there already is SEARCH_NO_CORE. */
enum search_verdict search_open(const char *path, const struct search_owners *owners,
				struct found_cores *f, const char **ret_why);
/* By its name's end; *ret_bare is the name's length without that. */
bool search_is_compressed(const char *name, size_t *ret_bare);
/* Newest first. */
void found_cores_sort(struct found_cores *f);

/* Patterns for where this machine leaves the cores of a program: kernel.core_pattern,
   systemd-coredump's folder, Apport's. `cwd`: where the program runs, for relative patterns; may be
   NULL. */
void search_machine_patterns(const char *program, const char *cwd, struct strings *ret);
/* The same from a core_pattern's text, for tests. */
void search_core_pattern(const char *text, const char *program, const char *cwd,
			 struct strings *ret);

#endif
