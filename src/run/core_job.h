/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_JOB_H
#define CORE_JOB_H

#include "core_internal.h"
#include "core_pipe.h"

#include <corescrub/elfcore_parts.h>
#include <corescrub/redact.h>

struct core_job {
	struct engine *e;
	struct elfcore *core;
	const struct core_options *o;
	unsigned threads;
	struct elfcore_part *parts; /* what some of the core's bytes are for, but for fixed ones */
	size_t n_parts;
	uint64_t longest;	    /* of the parts */
	struct detect_range *fixed; /* what nothing may edit: sorted, disjoint */
	size_t n_fixed;
	struct elfcore_range *kept; /* --keep=stacks, else NULL */
	size_t n_kept;
	struct detect_addresses *known;
	struct findings typed; /* of symbol rules, by offset */
	char *config_folder;   /* what the profile's variable says, or NULL */
	/* what rules found in pass one, by chunk, in an unnamed file: struct finding, one behind
	   the other */
	int spill;
	uint64_t n_spilled;
};

/* One detector a thread. */
struct detectors {
	struct detector **v;
	unsigned n;
};
int detectors_new(const struct core_job *j, bool learned, struct detectors *ret, struct err *err);
void detectors_done(struct detectors *d);

/* core_symbols.c: fills j->typed and j->known, and learns. */
int core_symbols_learn(struct core_job *j, struct err *err);

/*
 * core_look.c: the second look, by check alone, at what was written: at each chunk while it is in
 * memory, and in the file where one was changed after that. In any thread: core_look_chunk.
 */
struct core_look {
	struct core_job *j;
	struct elfcore_range *late; /* with what stands around them, by their ends */
	size_t n_late, cap_late;
	uint64_t leaks, open;
};
int core_look_chunk(const struct core_look *l, struct pipe_chunk *c, struct err *err);
void core_look_take(struct core_look *l, const struct redact_fill *fill,
		    const struct pipe_chunk *c);
/* Bytes written into a chunk that was looked at. */
void core_look_late(struct core_look *l, uint64_t off, uint64_t len);
/* RC_LEAK: there is a known value in the file, which must be dropped as after every error. */
int core_look_end(struct core_look *l, const struct redact_fill *fill, int fd, struct err *err);
void core_look_done(struct core_look *l);

void core_progress(const struct core_job *j, const char *phase, uint64_t done);
/* No part before this one, in the order of their beginnings, ends behind off. */
size_t core_part_find(const struct core_job *j, uint64_t off);

#endif
