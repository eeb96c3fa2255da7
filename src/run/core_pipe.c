/* SPDX-License-Identifier: Apache-2.0 */
#include "core_pipe.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* Each thread holds a chunk and what of it is text; some more wait to be taken: 55 MiB in all. */
#define THREADS_MAX 8

enum stage {
	EMPTY,
	LOOKING,
	LOOKED_AT,
	TAKEN, /* waits for the next one to be taken */
	NEXT_TAKEN,
	LOOKING_AGAIN,
	LOOKED_AGAIN,
};

struct slot {
	struct pipe_chunk chunk;
	uint64_t number; /* the chunk's, from 0 */
	enum stage stage;
	int rc;
	struct err err;
};

struct pipe {
	const struct pipe_job *job;
	pthread_mutex_t lock;
	pthread_cond_t ready, work;
	struct slot *slots;
	size_t n_slots;
	/* behind the lock */
	uint64_t next_number, taken; /* of the chunk that is next; how many were taken */
	uint64_t done;		     /* how many left their slots */
	uint64_t next_off;	     /* where the search for the next one goes on */
	size_t only;		     /* the range that it is in */
	uint64_t total;		     /* chunks in all, once they are known; else UINT64_MAX */
	bool stop;
};

unsigned pipe_threads(unsigned wanted)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = wanted ? wanted : processors > 0 ? (unsigned)processors : 1;

	return n < THREADS_MAX ? n : THREADS_MAX;
}

/* The first place at or behind off that is wanted and no hole; false at the end. */
static bool find_data(struct pipe *p, uint64_t off, uint64_t *ret)
{
	const struct pipe_job *job = p->job;

	while (off < job->size) {
		uint64_t end = job->size;
		off_t data;

		if (job->only) {
			while (p->only < job->n_only &&
			       job->only[p->only].off + job->only[p->only].len <= off)
				p->only++;
			if (p->only == job->n_only)
				return false;
			if (off < job->only[p->only].off)
				off = job->only[p->only].off;
			end = job->only[p->only].off + job->only[p->only].len;
		}
		data = lseek(job->fd, (off_t)off, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			return false;
		/* a filesystem that knows of no holes has data everywhere */
		if (data >= 0 && (uint64_t)data > off)
			off = (uint64_t)data;
		if (off < end) {
			*ret = off;
			return off < job->size;
		}
	}
	return false;
}

/* The next chunk's slot, with its place; NULL when there is none. Behind the lock. */
static struct slot *next_chunk(struct pipe *p)
{
	struct slot *s;
	uint64_t off, chunk;

	if (!find_data(p, p->next_off, &off)) {
		p->total = p->next_number;
		pthread_cond_broadcast(&p->ready);
		return NULL;
	}
	chunk = off / PIPE_CHUNK * PIPE_CHUNK;
	p->next_off = chunk + PIPE_CHUNK;
	s = &p->slots[p->next_number % p->n_slots];
	s->number = p->next_number++;
	s->stage = LOOKING;
	s->chunk.off = chunk < PIPE_CONTEXT ? 0 : chunk - PIPE_CONTEXT;
	s->chunk.from = (size_t)(chunk - s->chunk.off);
	s->chunk.to =
		s->chunk.from +
		(size_t)(p->job->size - chunk < PIPE_CHUNK ? p->job->size - chunk : PIPE_CHUNK);
	return s;
}

/* A chunk to look at: a second time before another the first time, it is near still. NULL at the
   end. Behind the lock. */
static struct slot *next_work(struct pipe *p)
{
	while (!p->stop && (p->total == UINT64_MAX || (p->job->look_again && p->done < p->total))) {
		struct slot *s;

		for (uint64_t i = p->done; p->job->look_again && i < p->taken; i++) {
			s = &p->slots[i % p->n_slots];
			if (s->stage == NEXT_TAKEN) {
				s->stage = LOOKING_AGAIN;
				return s;
			}
		}
		if (p->total == UINT64_MAX && p->next_number - p->done < p->n_slots) {
			s = next_chunk(p);
			if (s)
				return s;
			pthread_cond_broadcast(&p->work);
			continue;
		}
		pthread_cond_wait(&p->work, &p->lock);
	}
	return NULL;
}

/* The bytes at off, of which holes and what a file lost meanwhile are zeros. */
static int read_bytes(int fd, char *to, size_t n, uint64_t off, struct err *err)
{
	size_t got = 0;

	while (got < n) {
		ssize_t k = pread(fd, to + got, n - got, (off_t)(off + got));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_errno(err, RC_IO, "can't read the core at offset %llu",
					 (unsigned long long)(off + got));
		if (k == 0)
			break;
		got += (size_t)k;
	}
	memset(to + got, 0, n - got);
	return RC_OK;
}

static int chunk_read(const struct pipe_job *job, struct pipe_chunk *c, struct err *err)
{
	uint64_t end = c->off + c->to + PIPE_CONTEXT;
	size_t n = (size_t)((end < job->size ? end : job->size) - c->off);

	c->bytes.len = 0; /* buf_reset would wipe what is read over anyway */
	if (buf_reserve_input(&c->bytes, PIPE_CHUNK + 2 * PIPE_CONTEXT, MIB(4), err) < 0)
		return RC_TOOBIG;
	c->bytes.len = n;
	return read_bytes(job->fd, c->bytes.p, n, c->off, err);
}

struct worker {
	struct pipe *pipe;
	unsigned thread;
	pthread_t id;
};

static int look(const struct worker *w, struct slot *s)
{
	const struct pipe_job *job = w->pipe->job;
	int rc = RC_OK;

	s->err = (struct err)ERR_INIT;
	s->chunk.found.n = 0;
	if (s->stage == LOOKING_AGAIN)
		return job->look_again(job->ctx, w->thread, &s->chunk, &s->err);
	rc = chunk_read(job, &s->chunk, &s->err);
	return rc == RC_OK ? job->look(job->ctx, w->thread, &s->chunk, &s->err) : rc;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct pipe *p = w->pipe;
	struct slot *s;

	pthread_mutex_lock(&p->lock);
	while ((s = next_work(p))) {
		pthread_mutex_unlock(&p->lock);
		s->rc = look(w, s);
		pthread_mutex_lock(&p->lock);
		s->stage = s->stage == LOOKING ? LOOKED_AT : LOOKED_AGAIN;
		pthread_cond_broadcast(&p->ready);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* What stands around two chunks, one taken behind the other, as both left it; b NULL: a is the
   last. */
static void join(struct pipe_chunk *a, struct pipe_chunk *b)
{
	size_t behind = a ? a->bytes.len - a->to : 0;

	if (a && b && a->off + a->to == b->off + b->from) {
		memcpy(a->bytes.p + a->to, b->bytes.p + b->from, behind);
		memcpy(b->bytes.p, a->bytes.p + (a->to - b->from), b->from);
		return;
	}
	if (a)
		memset(a->bytes.p + a->to, 0, behind);
	if (b)
		memset(b->bytes.p, 0, b->from);
}

/* The chunk that was taken last and waits for the next one, or NULL. Behind the lock. */
static struct slot *waits_for_next(struct pipe *p)
{
	struct slot *s = p->taken > p->done ? &p->slots[(p->taken - 1) % p->n_slots] : NULL;

	return s && s->stage == TAKEN ? s : NULL;
}

static void slot_done(struct pipe *p, struct slot *s)
{
	s->stage = EMPTY;
	p->done++;
	pthread_cond_broadcast(&p->work);
}

/* Takes one that is looked at. Behind the lock, but for the taking. */
static int take_slot(struct pipe *p, struct slot *s, struct err *err)
{
	struct slot *before = waits_for_next(p);
	int rc = s->rc;

	pthread_mutex_unlock(&p->lock);
	if (rc < 0)
		*err = s->err;
	else
		rc = p->job->take(p->job->ctx, &s->chunk, err);
	if (rc == RC_OK && p->job->look_again)
		join(before ? &before->chunk : NULL, &s->chunk);
	pthread_mutex_lock(&p->lock);
	p->taken++;
	if (!p->job->look_again) {
		slot_done(p, s);
		return rc;
	}
	s->stage = TAKEN;
	if (before)
		before->stage = NEXT_TAKEN;
	pthread_cond_broadcast(&p->work);
	return rc;
}

/* The same for the second time; nothing waits for this slot any more. */
static int take_slot_again(struct pipe *p, struct slot *s, struct err *err)
{
	int rc = s->rc;

	pthread_mutex_unlock(&p->lock);
	if (rc < 0)
		*err = s->err;
	else
		rc = p->job->take_again(p->job->ctx, &s->chunk, err);
	pthread_mutex_lock(&p->lock);
	slot_done(p, s);
	return rc;
}

/* Takes the chunks in order, both times, until there are no more or one fails. */
static int take_all(struct pipe *p, struct err *err)
{
	int rc = RC_OK;

	pthread_mutex_lock(&p->lock);
	while (rc == RC_OK && p->done < p->total) {
		struct slot *first = &p->slots[p->done % p->n_slots];
		struct slot *next = &p->slots[p->taken % p->n_slots], *last = waits_for_next(p);

		if (p->done < p->taken && first->stage == LOOKED_AGAIN) {
			rc = take_slot_again(p, first, err);
		} else if (next->stage == LOOKED_AT && next->number == p->taken) {
			rc = take_slot(p, next, err);
		} else if (p->taken == p->total && last) {
			join(&last->chunk, NULL);
			last->stage = NEXT_TAKEN;
			pthread_cond_broadcast(&p->work);
		} else {
			pthread_cond_wait(&p->ready, &p->lock);
		}
	}
	p->stop = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

int pipe_run(const struct pipe_job *job, struct err *err)
{
	struct pipe p = {
		.job = job,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.ready = PTHREAD_COND_INITIALIZER,
		.work = PTHREAD_COND_INITIALIZER,
		/* of those that are looked at again, one waits for the next one and one for its look */
		.n_slots = job->threads + (job->look_again ? 6 : 4),
		.total = UINT64_MAX,
	};
	AUTO_FREE struct worker *workers = xcalloc(job->threads, sizeof(*workers));
	unsigned started = 0;
	int rc = RC_OK;

	p.slots = xcalloc(p.n_slots, sizeof(*p.slots));
	for (; started < job->threads; started++) {
		workers[started] = (struct worker){ .pipe = &p, .thread = started };
		if (pthread_create(&workers[started].id, NULL, work, &workers[started]) != 0)
			break;
	}
	if (started == 0)
		rc = err_set(err, RC_NOMEM, "no thread can be started");
	else
		rc = take_all(&p, err);
	for (unsigned i = 0; i < started; i++)
		pthread_join(workers[i].id, NULL);
	for (size_t i = 0; i < p.n_slots; i++) {
		buf_done(&p.slots[i].chunk.bytes);
		findings_done(&p.slots[i].chunk.found);
	}
	free(p.slots);
	return rc;
}
