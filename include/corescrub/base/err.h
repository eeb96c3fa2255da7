/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BASE_ERR_H
#define CORESCRUB_BASE_ERR_H

/*
 * Errors. A function that can fail returns RC_OK or a negative enum rc and says more in its last
 * parameter, a struct err that the caller zeroed (ERR_INIT). A message names files, rules, lines
 * and offsets, and never a byte of the input: what we scrub must not leak through our own errors.
 */

enum rc {
	RC_OK = 0,
	/* the user can mend it: exit 2 */
	RC_USAGE = -1,		/* the command line is wrong */
	RC_SYNTAX = -2,		/* a file we parse is wrong; err has file:line:column */
	RC_REFUSED = -3,	/* allowed never or not like this (owner, mode, recipient) */
	RC_EXISTS = -4,		/* the output is there already */
	/* the input is not what it should be: exit 1 */
	RC_NOTFOUND = -10,	/* no such file, rule, key */
	RC_FORMAT = -11,	/* not the format it should be, or damaged */
	RC_TOOBIG = -12,	/* over one of limits.h */
	RC_UNSUPPORTED = -13,	/* sound, but we can't read this kind */
	/* the machine failed us: exit 1 */
	RC_IO = -20,
	RC_NOMEM = -21,
	RC_CHILD = -22,		/* a child process died or failed */
	RC_TIMEOUT = -23,
	RC_SANDBOX = -24,	/* a part of the confinement can't be had */
	/* a scrub that can't be vouched for: exit 1, nothing written */
	RC_LIMIT = -30,		/* an engine limit where masking was not possible */
	RC_LEAK = -31,		/* the second look found what should be gone */
	RC_INTERNAL = -40,	/* a bug of ours */
};

struct err {
	enum rc code;
	unsigned line, col;	/* 1-based, 0 if the error has no place */
	char file[256];		/* the file it speaks of, or "" */
	char msg[512];
	char hint[256];		/* what the user could do, or "" */
};

#define ERR_INIT { .code = RC_OK }

/* Fill err (which may be NULL) and return code, so that `return err_set(…)` reads well. */
int err_set(struct err *err, enum rc code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with ": " and strerror(errno) behind the message. */
int err_errno(struct err *err, enum rc code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a place in a parsed file. */
int err_at(struct err *err, enum rc code, const char *file, unsigned line, unsigned col,
	   const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Adds the hint that is printed below the error. */
void err_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
