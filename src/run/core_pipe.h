/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_PIPE_H
#define CORE_PIPE_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>
#include <corescrub/elfcore_parts.h>

/*
 * A file in chunks, each with what stands around it: threads look at them, in any order; one thread
 * takes them, in the order of the file. Holes are passed over. What comes out is the same for any
 * number of threads.
 */
#define PIPE_CHUNK   MIB(2)
#define PIPE_CONTEXT KIB(64)

struct pipe_chunk {
	uint64_t off;	       /* of bytes.p[0] in the file */
	struct buf bytes;      /* the chunk and its context */
	size_t from, to;       /* the chunk in them */
	struct findings found; /* for the two functions */
};
struct pipe_job {
	int fd;
	uint64_t size;
	const struct elfcore_range *only; /* nothing else is looked at; sorted. NULL: all */
	size_t n_only;
	unsigned threads;
	/* `look` in any thread (its number from 0), `take` in the caller's. */
	int (*look)(void *ctx, unsigned thread, struct pipe_chunk *c, struct err *err);
	int (*take)(void *ctx, struct pipe_chunk *c, struct err *err);
	/* The same again, or both NULL. Context that is in no chunk, as holes are, is zeros. */
	int (*look_again)(void *ctx, unsigned thread, struct pipe_chunk *c, struct err *err);
	int (*take_again)(void *ctx, struct pipe_chunk *c, struct err *err);
	void *ctx;
};
int pipe_run(const struct pipe_job *job, struct err *err);
unsigned pipe_threads(unsigned wanted); /* 0: one a processor; as many as memory allows */

#endif
