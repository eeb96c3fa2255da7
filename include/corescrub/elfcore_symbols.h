/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_ELFCORE_SYMBOLS_H
#define CORESCRUB_ELFCORE_SYMBOLS_H

#include <corescrub/elfcore.h>

/*
 * Typed memory of a core (part of the module elfcore; libelf, libdw): which variable stands at
 * which address. Globals and statics of the program and its libraries, arguments and locals of
 * every frame of every thread, and what their typed pointers lead to; by DWARF, by ELF symbols
 * alone where there is no DWARF. Only files that elfcore_vouch believes, and installed debug files
 * of their build ids.
 *
 * DWARF is hostile too, so all of it is read in a confined child of ours: `name` and `wanted` are
 * called there (no output, no lasting state: what they change is lost), `found` and `skipped` here.
 * A module whose symbols can't be read, or that kills the child, is skipped and the rest goes on.
 *
 * elfcore_variables, once a core, best before threads are started; locals of a thread come
 * together.
 */

enum elfcore_shape {
	ELFCORE_CHARS,		/* an array of char in place, signed or not; size: all of the array */
	ELFCORE_STRING,		/* what a pointer to char points to; size: to its NUL, or 64 KiB */
	ELFCORE_COUNTED,	/* the same of a {pointer, length} pair; size: its length */
	ELFCORE_IN_ADDR,	/* 4 bytes in network order */
	ELFCORE_IN6_ADDR,	/* 16 bytes */
	ELFCORE_SOCKADDR,	/* sockaddr, _in, _in6, _storage: the first two bytes are the family */
	ELFCORE_INTEGER,	/* 1, 2, 4, 8 or 16 bytes; enums and bools too */
	ELFCORE_BYTES,		/* an array of wider integers; an ELF symbol's object, of no known type */
	ELFCORE_OTHER,		/* a float. Pointers that lead to no text or struct, bit fields and
				   functions are no leaves at all */
};

/* A leaf: what has no members. Strings live for the call, and are claims like all else. */
struct elfcore_variable {
	const char *function;	/* the frame's, or that a static stands in; NULL for other globals */
	const char *path;	/* "variable.member[3].member" as gdb spells it; a pointer is passed like
				   a member ("list.first.name"), a list's later nodes as its first */
	const char *file;	/* source file of its unit, as the compiler was given it; or NULL */
	const char *library;	/* the mapped file's path */
	uint64_t addr, size;	/* in the process; > 0 bytes, all of them in the core */
	uint64_t pointer;	/* STRING, COUNTED, SOCKADDR: where a pointer to it stands; else 0, also
				   if that is in a register */
	enum elfcore_shape shape;
	size_t thread;		/* whose local, or thread-local (of the program alone), it is: index into
				   elfcore_threads; SIZE_MAX: of none */
};

struct elfcore_wish {
	/* May a path that has this name (of a variable, a member) in it be wanted? The cheap first
	   look; asked once for each name of a type. NULL: yes. */
	bool (*name)(void *ctx, struct span name);
	/* Is this very leaf wanted? addr, size and pointer are set. NULL: yes. */
	bool (*wanted)(void *ctx, const struct elfcore_variable *v);
	bool addresses;		/* IN_ADDR, IN6_ADDR, SOCKADDR are wanted, whatever their names */
	int (*found)(void *ctx, const struct elfcore_variable *v, struct err *err);	/* negative ends it */
	/* This module (NULL: a thread's stack) was not read, or not to the end; why is constant text.
	   May be NULL. */
	void (*skipped)(void *ctx, const char *library, const char *why);
	void *ctx;
	const char *sysroot, *exe;	/* as for report; may be NULL. exe: the user vouches for it */
	uid_t uid;			/* the core's owner, for elfcore_vouch and the child */
	gid_t gid;
	unsigned timeout_s;		/* 0: LIMIT_SYMBOLS_SECONDS. What came until then counts */
	bool strict;			/* a missing part of the confinement is RC_SANDBOX */
	bool no_sandbox;
};

struct elfcore_symbols_result {
	size_t n_dwarf, n_elf;		/* modules read by DWARF, by ELF symbols alone */
	size_t n_skipped;		/* neither: not there, another build, damaged */
	size_t n_frames;		/* of all threads, with DWARF */
	uint64_t n_found;
	bool timed_out;
	bool capped;			/* more objects or leaves than limits.h allows */
	unsigned missing;		/* enum sandbox_part bits not in force */
};

/* RC_OK also where there are no symbols at all; RC_SANDBOX, RC_CHILD, RC_IO, or what `found`
   returned. */
int elfcore_variables(const struct elfcore *c, const struct elfcore_wish *w,
		      struct elfcore_symbols_result *ret, struct err *err);

#endif
