/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_INTERNAL_H
#define CORE_INTERNAL_H

#include "run_internal.h"

#include <corescrub/elfcore.h>

/*
 * A core on its way to a scrubbed one of the same size: core_job_new, core_job_learn before
 * engine_seal (symbol rules, credential rules in strings, the environment), core_job_write behind
 * it, any number of times. Everything streams; memory does not grow with the core.
 */
struct core_job;
struct core_options {
	bool stacks;	  /* --keep=stacks: what debugging needs, nothing of the heap */
	bool keep_fpregs; /* vector and x87 state goes through the rules, else it is zeroed */
	const char *exe, *sysroot; /* as for report; may be NULL */
	const struct gdb_profile *profile; /* whose configuration is learned, if the core tells its
					      folder; or NULL */
	uid_t uid;		   /* the core's owner: whose files may be read for symbols */
	gid_t gid;
	unsigned jobs;	    /* threads, 0: one a processor */
	unsigned timeout_s; /* for reading symbols, 0: the default */
	bool no_sandbox;
	const struct run_listener *listener; /* may be NULL */
};
struct core_result {
	uint64_t replaced;	 /* places */
	uint64_t open;		 /* places that a person must look at: they stay as they were */
	uint64_t open_registers; /* of them, general registers that hold text */
	uint64_t kept, size;	 /* bytes that are no hole; all of it */
};
/* e, core and o are borrowed until core_job_free. */
int core_job_new(struct engine *e, struct elfcore *core, const struct core_options *o,
		 struct core_job **ret, struct err *err);
void core_job_free(struct core_job *j);
AUTO_DEFINE(core_job, core_job_free)
/* Pass one: adds to e->learned. Before engine_seal, and before engine_count of other texts. */
int core_job_learn(struct core_job *j, struct err *err);
/* Pass two, and the second look over what was written: to fd, an empty file of mode 0600, open for
   reading too, with r's tokens (the hand-off's have another key than the public report's). RC_LEAK:
   the second look found a known value; then, as after every error, the file must be dropped. */
int core_job_write(struct core_job *j, struct redactor *r, int fd, struct core_result *ret,
		   struct err *err);

#endif
