/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <pthread.h>
#include <stdlib.h>

/*
 * The five texts of a core, cleaned by several threads. Each text has a detector, a part of the
 * redactor and a tally of its own; they are joined in the order of the texts, so the outcome is the
 * same as of one thread.
 */

/* The largest first: the others are done meanwhile. */
static const enum crash_text by_size[TEXT_COUNT] = { TEXT_FULL, TEXT_BRIEF, TEXT_INFO, TEXT_LOCKS,
						     TEXT_THREAD1 };

struct text_job {
	struct crash *crash;
	enum crash_text which;
	struct engine engine;		/* a copy of the run's, with parts of its own */
	struct tally tally;
	struct findings_file *findings;	/* or NULL */
	int rc;
	struct err err;
};

static int watch_plan(void *ctx, const struct artifact *a, const struct redact_plan *p)
{
	struct text_job *t = ctx;
	const char *name = t->crash->names[t->which];

	tally_plan(&t->tally, a, name, p);
	return findings_file_add(t->findings, &t->engine, a, name, p, &t->err);
}

static int watch_item(void *ctx, const char *name, const struct check_item *item)
{
	struct text_job *t = ctx;

	(void)name;
	tally_item(&t->tally, t->crash->names[t->which], item);
	return 0;
}

static void clean_text(struct text_job *t)
{
	struct crash *c = t->crash;
	struct engine_watch watch = { watch_plan, t, watch_item, t };

	t->rc = engine_clean_sealed(&t->engine, c->texts[t->which], c->names[t->which], &watch,
				    &c->clean[t->which], &t->err);
}

struct pool {
	struct text_job *jobs;
	size_t next;
	pthread_mutex_t lock;
};

static void *pool_main(void *arg)
{
	struct pool *p = arg;

	for (;;) {
		size_t i;

		pthread_mutex_lock(&p->lock);
		i = p->next++;
		pthread_mutex_unlock(&p->lock);
		if (i >= TEXT_COUNT)
			return NULL;
		clean_text(&p->jobs[by_size[i]]);
	}
}

/* A detector for each text in any case: it tells of a value that is held back a few times only. */
static int job_begin(struct text_job *t, struct crash *c, enum crash_text which,
		     const struct engine *e, struct err *err)
{
	*t = (struct text_job){ .crash = c, .which = which, .engine = *e, .err = ERR_INIT };
	t->engine.masked = 0;
	t->engine.detector = NULL;
	return detector_new(e->rules, e->learned, &t->engine.detector, err);
}

static int jobs_begin(struct text_job *jobs, struct crash *c, struct engine *e, struct err *err)
{
	int rc = RC_OK;

	for (size_t k = 0; rc == RC_OK && k < TEXT_COUNT; k++) {
		rc = job_begin(&jobs[k], c, k, e, err);
		jobs[k].engine.redactor = redactor_part(e->redactor);
	}
	return rc;
}

static int jobs_end(struct text_job *jobs, struct crash *c, struct engine *e, struct err *err)
{
	int rc = RC_OK;

	for (size_t k = 0; rc == RC_OK && k < TEXT_COUNT; k++) {
		rc = jobs[k].rc;
		if (rc < 0)
			*err = jobs[k].err;
		else
			rc = redactor_join(e->redactor, jobs[k].engine.redactor, err);
		tally_join(&c->tally, &jobs[k].tally);
		e->masked += jobs[k].engine.masked;
	}
	return rc;
}

static int clean_by_threads(struct crash *c, struct engine *e, size_t threads, struct err *err)
{
	struct text_job jobs[TEXT_COUNT] = { { .rc = RC_OK } };
	struct pool pool = { .jobs = jobs, .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t ids[TEXT_COUNT];
	size_t started = 0;
	int rc = jobs_begin(jobs, c, e, err);

	if (rc == RC_OK) {
		/* this thread is the last; what can't be started is not needed */
		while (started + 1 < threads && started + 1 < TEXT_COUNT &&
		       pthread_create(&ids[started], NULL, pool_main, &pool) == 0)
			started++;
		pool_main(&pool);
		for (size_t i = 0; i < started; i++)
			pthread_join(ids[i], NULL);
		rc = jobs_end(jobs, c, e, err);
	}
	for (size_t k = 0; k < TEXT_COUNT; k++) {
		tally_done(&jobs[k].tally);
		redactor_free(jobs[k].engine.redactor);
		detector_free(jobs[k].engine.detector);
	}
	return rc;
}

/* Findings are written, and decisions told to the second look, as they are met: in one order. */
static int clean_in_turn(struct crash *c, struct engine *e, struct findings_file *f,
			 struct err *err)
{
	for (size_t k = 0; k < TEXT_COUNT; k++) {
		struct text_job one;
		int rc = job_begin(&one, c, k, e, err);

		if (rc < 0)
			return rc;
		one.findings = f;
		clean_text(&one);
		e->masked += one.engine.masked;
		e->kept_seen = one.engine.kept_seen;
		tally_join(&c->tally, &one.tally);
		detector_free(one.engine.detector);
		if (one.rc < 0) {
			*err = one.err;
			return one.rc;
		}
	}
	return RC_OK;
}

int crash_clean(struct crash *c, struct engine *e, struct findings_file *f, size_t threads,
		struct err *err)
{
	AUTO_BUF base = BUF_INIT;
	int rc = engine_clean_name(e, span_str(c->base), &base, err);

	if (rc < 0)
		return rc;
	free(c->base);
	c->base = buf_steal(&base);
	for (size_t k = 0; k < TEXT_COUNT; k++) {
		free(c->names[k]);
		c->names[k] = xasprintf("%s-%s.txt", c->base, crash_text_names[k]);
	}
	if (threads < 2 || f || e->decisions)
		return clean_in_turn(c, e, f, err);
	return clean_by_threads(c, e, threads, err);
}
