/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_RUN_TEXTS_H
#define CORESCRUB_RUN_TEXTS_H

#include <corescrub/elfcore.h>

/* The texts that we make ourselves, for any program, from the core's notes. Clear text. */

/* info.txt: signal, program, machine, threads, modules with build ids, and whose debug symbols are
   missing. `sharedlibs` is gdb's "info sharedlibrary", `gdb_version` its first line. */
void run_info_text(const struct elfcore *c, struct span sharedlibs, const char *gdb_version,
		   struct buf *ret);
/* locks.txt: which thread waits for which lock and who holds it; cycles first, in words. `full` is gdb's
   text, for the threads' numbers and functions. */
void run_locks_text(struct elfcore *c, struct span full, struct buf *ret);

#endif
