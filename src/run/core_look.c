/* SPDX-License-Identifier: Apache-2.0 */
#include "core_job.h"

#include <stdlib.h>

static int look_item(void *ctx, const char *name, const struct check_item *item)
{
	struct pipe_chunk *c = ctx;
	struct finding f = { .off = c->off + item->off,
			     .len = item->len,
			     .flags = item->level == CHECK_LEAK };

	(void)name;
	if (item->level != CHECK_HINT)
		findings_add(&c->found, &f);
	return 0;
}

int core_look_chunk(const struct core_look *l, struct pipe_chunk *c, struct err *err)
{
	return check_memory(l->j->e->check, buf_span(&c->bytes), c->from, c->to, look_item, c, err);
}

/* What was left on purpose is an open item already. */
void core_look_take(struct core_look *l, const struct redact_fill *fill, const struct pipe_chunk *c)
{
	for (size_t i = 0; i < c->found.n; i++) {
		const struct finding *f = &c->found.v[i];

		if (redact_fill_left(fill, f->off, f->len))
			continue;
		l->leaks += f->flags;
		l->open += !f->flags;
	}
}

void core_look_late(struct core_look *l, uint64_t off, uint64_t len)
{
	uint64_t from = off < PIPE_CONTEXT ? 0 : off - PIPE_CONTEXT;

	GROW(l->late, l->n_late, l->cap_late);
	l->late[l->n_late++] = (struct elfcore_range){ from, off - from + len + PIPE_CONTEXT };
}

struct late_look {
	struct core_look *l;
	const struct redact_fill *fill;
};

static int late_look(void *ctx, unsigned thread, struct pipe_chunk *c, struct err *err)
{
	const struct late_look *late = ctx;

	(void)thread;
	return core_look_chunk(late->l, c, err);
}

/* Does it stand in what was written late, or around that? All else was told of already. */
static bool is_late(const struct core_look *l, const struct finding *f)
{
	for (size_t i = 0; i < l->n_late; i++)
		if (f->off < l->late[i].off + l->late[i].len && l->late[i].off < f->off + f->len)
			return true;
	return false;
}

static int late_take(void *ctx, struct pipe_chunk *c, struct err *err)
{
	const struct late_look *late = ctx;
	size_t n = 0;

	(void)err;
	for (size_t i = 0; i < c->found.n; i++)
		if (c->found.v[i].flags || is_late(late->l, &c->found.v[i]))
			c->found.v[n++] = c->found.v[i];
	c->found.n = n;
	core_look_take(late->l, late->fill, c);
	return RC_OK;
}

int core_look_end(struct core_look *l, const struct redact_fill *fill, int fd, struct err *err)
{
	struct late_look late = { l, fill };
	struct pipe_job job = { .fd = fd,
				.size = elfcore_info(l->j->core)->size,
				.only = l->late,
				.n_only = l->n_late,
				.threads = l->j->threads,
				.look = late_look,
				.take = late_take,
				.ctx = &late };
	int rc = l->n_late ? pipe_run(&job, err) : RC_OK;

	if (rc == RC_OK && l->leaks)
		rc = err_set(err, RC_LEAK,
			     "a known value is still in the scrubbed core, at %llu places",
			     (unsigned long long)l->leaks);
	return rc;
}

void core_look_done(struct core_look *l)
{
	free(l->late);
}
