/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_RUN_CORE_H
#define CORESCRUB_RUN_CORE_H

#include <corescrub/run.h>

/* A core → a scrubbed core of the same size that gdb still loads (part of the module run). It is
   for a developer's eyes: pieces of secrets stand in places that no pattern names. */
struct run_core_job {
	struct run_options common;
	const char *core;     /* compressed ones too; the output never is */
	const char *out_path; /* a new file, mode 0600, in a folder that others can't list */
	const char *exe, *sysroot;
	const char *const *profiles; /* of programs, beyond the shipped ones */
	bool stacks, keep_fpregs, no_sandbox;
	unsigned timeout_s, jobs;
	struct run_listener listener;
};
struct run_core_result {
	uint64_t replaced, open, open_registers;
	uint64_t kept, size; /* bytes of the output that are no hole; all of it */
	struct buf table;    /* what was redacted, for a person, or JSON */
};
/* Nothing is written unless the second look finds it clean. */
int run_core(const struct run_core_job *job, bool as_json, struct run_core_result *ret,
	     struct err *err);
void run_core_result_done(struct run_core_result *r);

#endif
