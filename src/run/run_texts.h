/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_RUN_TEXTS_H
#define CORESCRUB_RUN_TEXTS_H

#include <corescrub/elfcore.h>
#include <corescrub/gdb.h>

/* The texts that we make ourselves, for any program, from the core's notes. Clear text. */

/* What is known of a row of elfcore_files on this machine. */
struct run_module {
	bool vouched;			/* elfcore_vouch: the very file is here */
	bool has_debug;			/* it has .debug_info of its own */
};

/* info.txt: signal, program, machine, threads, modules with build ids, and whose debug symbols are
   missing. `modules` goes row by row with elfcore_files; `sharedlibs` is gdb's "info
   sharedlibrary" (may be empty), `gdb_version` its first line or NULL. */
void run_info_text(const struct elfcore *c, const struct run_module *modules,
		   struct span sharedlibs, const char *gdb_version, struct buf *ret);
/* locks.txt: which thread waits for which lock and who holds it; cycles first, in words. `brief` is
   gdb's `thread apply all bt`, for the threads' numbers and functions; may be empty. */
void run_locks_text(struct elfcore *c, struct span brief, struct buf *ret);
/* The profile of a program, by its path: of these places, then of the shipped ones; NULL without
   one. */
int run_profile(const char *const *profiles, const char *program, struct gdb_profile **ret,
		struct err *err);

#endif
