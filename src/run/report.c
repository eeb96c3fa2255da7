/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* Cores → reports: open all, run gdb on all, learn over all texts, clean each, write all or
   nothing. */

struct attached {			/* one --attach file */
	char *name;			/* as it will stand below attachments/, not yet clean */
	struct artifact *artifact;
	char *clean_name, *inside;	/* for what is told of it, and of an archive's members */
};

struct report {
	const struct run_report_job *job;
	struct engine *engine;
	struct crash *crashes;
	size_t n;
	struct attached *attached;
	size_t n_attached, cap_attached;
	struct attachments clean;
	struct handoff *handoff;	/* or NULL: not asked for */
	struct strings libraries;	/* of gdb; empty: not asked, or it failed */
	struct loader {			/* the engine is made while gdb runs */
		pthread_t id;
		bool runs;
		atomic_bool failed;
		int rc;
		struct err err;
	} loader;
	struct run_report_result *result;
	struct findings_file *findings;	/* or NULL */
	struct err *err;		/* for callbacks that have no room for one */
};

static void progress(const struct report *r, const char *phase, uint64_t done, uint64_t total)
{
	if (r->job->listener.progress)
		r->job->listener.progress(r->job->listener.ctx, phase, done, total);
}

/* gdb on each core: processors are shared out, first over cores, then over the threads of a
   core. */
struct gdb_pool {
	struct report *report;
	atomic_size_t next, done;
	unsigned shares;		/* of one core */
	pthread_mutex_t lock;
	int rc;				/* the first failure */
};

static void *gdb_worker(void *arg)
{
	struct gdb_pool *pool = arg;
	size_t i;

	while ((i = atomic_fetch_add(&pool->next, 1)) < pool->report->n) {
		struct err err = ERR_INIT;
		int rc = crash_gdb(&pool->report->crashes[i], pool->shares,
				   pool->report->libraries.n ? &pool->report->libraries : NULL,
				   &pool->report->loader.failed, &err);

		pthread_mutex_lock(&pool->lock);
		if (rc < 0 && pool->rc == RC_OK) {
			pool->rc = rc;
			*pool->report->err = err;
		}
		pool->done++;
		pthread_mutex_unlock(&pool->lock);
	}
	return NULL;
}

/* How many threads may work. */
static size_t processors(const struct report *r)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return r->job->jobs ? r->job->jobs : n > 0 ? (size_t)n : 1;
}

static int run_gdbs(struct report *r)
{
	size_t jobs = processors(r);
	size_t workers = jobs < r->n ? jobs : r->n, started = 0;
	struct gdb_pool pool = {
		.report = r, .shares = jobs / r->n ? jobs / r->n : 1, .lock = PTHREAD_MUTEX_INITIALIZER,
	};
	AUTO_FREE pthread_t *threads = xcalloc(workers + 1, sizeof(*threads));

	progress(r, "running gdb", 0, 0);
	/* this thread is the last worker; one that can't be started leaves its work to the others */
	while (started < workers &&
	       pthread_create(&threads[started], NULL, gdb_worker, &pool) == 0)
		started++;
	gdb_worker(&pool);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return pool.rc;
}

static int open_cores(struct report *r, struct err *err)
{
	const char *const *paths = r->job->cores;

	while (paths[r->n])
		r->n++;
	r->crashes = xcalloc(r->n, sizeof(*r->crashes));
	for (size_t i = 0; i < r->n; i++)
		r->crashes[i].fd = -1;
	for (size_t i = 0; i < r->n; i++) {
		int rc = crash_open(&r->crashes[i], r->job, i, err);

		if (rc < 0)
			return rc;
		for (size_t k = 0; k < i; k++)
			if (strcmp(r->crashes[k].base, r->crashes[i].base) == 0) {
				char *old = r->crashes[i].base;

				r->crashes[i].base = xasprintf("%s-%zu", old, i + 1);
				free(old);
			}
	}
	return RC_OK;
}

static int attach_file(void *ctx, const char *path, const char *relative, struct err *err)
{
	struct report *r = ctx;
	const char *slash = strrchr(path, '/');
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct attached *a;

	if (fd < 0)
		return err_errno(err, RC_NOTFOUND, "can't open %s", path);
	GROW(r->attached, r->n_attached, r->cap_attached);
	a = &r->attached[r->n_attached];
	*a = (struct attached){ .name = xstrdup(relative[0] ? relative : slash ? slash + 1 : path) };
	r->n_attached++;
	return artifact_from_fd(fd, path, ARTIFACT_TEXT, &a->artifact, err);
}

static void left_out(void *ctx, const char *text)
{
	struct report *r = ctx;

	r->result->left_out++;
	if (r->job->listener.warn)
		r->job->listener.warn(r->job->listener.ctx, text);
}

static void skipped(void *ctx, const char *path)
{
	(void)path;
	left_out(ctx, "an attachment that is neither a file nor a folder was left out");
}

static int open_attachments(struct report *r, struct err *err)
{
	for (const char *const *p = r->job->attach; p && *p; p++) {
		int rc = run_walk(*p, attach_file, skipped, r, err);

		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

/* brief and thread1 are lines of full: they have nothing to learn from that it has not. */
static bool teaches(enum crash_text which, engine_step_fn step)
{
	return step != engine_learn || (which != TEXT_BRIEF && which != TEXT_THREAD1);
}

static int each_text(struct report *r, engine_step_fn step, struct err *err)
{
	int rc = RC_OK;

	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; rc == RC_OK && k < TEXT_COUNT; k++)
			if (teaches(k, step))
				rc = step(r->engine, r->crashes[i].texts[k], err);
	for (size_t i = 0; rc == RC_OK && i < r->n_attached; i++)
		rc = engine_each_member(r->engine, r->attached[i].artifact, step, err);
	return rc;
}

/* What is told of an attachment is every package's. */
struct attached_ctx {
	struct report *report;
	const struct attached *attached;
};

static int attached_plan(void *ctx, const struct artifact *a, const struct redact_plan *p)
{
	const struct attached_ctx *t = ctx;
	const struct attached *of = t->attached;

	for (size_t i = 0; i < t->report->n; i++)
		tally_plan(&t->report->crashes[i].tally, a,
			   a == of->artifact ? of->clean_name : of->inside, p);
	return findings_file_add(t->report->findings, t->report->engine, a,
				 a == of->artifact ? of->clean_name : NULL, p, t->report->err);
}

static int attached_item(void *ctx, const char *name, const struct check_item *item)
{
	const struct attached_ctx *t = ctx;
	const struct attached *of = t->attached;
	bool whole = name == of->artifact->name || name == of->clean_name;

	for (size_t i = 0; i < t->report->n; i++)
		tally_item(&t->report->crashes[i].tally, whole ? of->clean_name : of->inside, item);
	return 0;
}

static int clean_attached(struct report *r, const struct attached *a, struct scrubbed **ret,
			  struct err *err)
{
	struct attached_ctx ctx = { r, a };
	struct engine_watch watch = { attached_plan, &ctx, attached_item, &ctx };
	struct engine_rewrite rewrite = {
		.engine = r->engine, .watch = &watch, .left_out = left_out, .ctx = r,
	};
	struct sink_buf out;
	int rc;

	sink_buf_init(&out);
	rc = engine_clean_file(&rewrite, a->artifact, &out.sink, err);
	if (rc == RC_OK)
		rc = engine_seal_own(r->engine, a->clean_name, &out.buf, attached_item, &ctx, ret, err);
	buf_done(&out.buf);
	/* one that was left out whole is no empty member */
	return rc == ENGINE_LEFT_OUT ? RC_OK : rc;
}

static int name_attached(struct report *r, struct attached *a, size_t number, struct err *err)
{
	AUTO_BUF name = BUF_INIT;
	int rc;

	buf_add_str(&name, "attachments/");
	rc = engine_clean_name(r->engine, span_str(a->name), &name, err);
	if (rc < 0)
		return rc;
	for (size_t k = 0; k < r->clean.n; k++)
		if (strcmp(scrubbed_name(r->clean.v[k]), name.p) == 0)
			buf_addf(&name, ".%zu", number);
	a->clean_name = buf_steal(&name);
	a->inside = xasprintf("inside of %s", a->clean_name);
	return RC_OK;
}

static int clean_attachments(struct report *r, struct err *err)
{
	for (size_t i = 0; i < r->n_attached; i++) {
		struct scrubbed *clean = NULL;
		int rc = name_attached(r, &r->attached[i], i + 1, err);

		if (rc == RC_OK)
			rc = clean_attached(r, &r->attached[i], &clean, err);
		if (rc < 0)
			return rc;
		if (!clean)
			continue;
		GROW(r->clean.v, r->clean.n, r->clean.cap);
		r->clean.v[r->clean.n++] = clean;
	}
	return RC_OK;
}

static int clean_all(struct report *r, struct err *err)
{
	int rc = RC_OK;

	progress(r, "learning", 0, 0);
	for (size_t i = 0; rc == RC_OK && i < r->n; i++)
		rc = handoff_learn(&r->crashes[i], r->engine, err);
	for (size_t i = 0; rc == RC_OK && i < r->n && r->engine->learn_texts; i++)
		rc = crash_learn_config(&r->crashes[i], r->engine, err);
	if (rc == RC_OK && r->engine->learn_texts) {
		rc = each_text(r, engine_learn, err);
		if (rc == RC_OK && learned_count(r->engine->learned))
			rc = each_text(r, engine_count, err);
	}
	if (rc == RC_OK)
		rc = engine_seal(r->engine, err);
	for (size_t i = 0; rc == RC_OK && i < r->n; i++) {
		progress(r, "scrubbing", i, r->n);
		if (learned_left_out(r->engine->learned))
			tally_general(&r->crashes[i].tally, "more secrets than can be learned", true);
		rc = crash_clean(&r->crashes[i], r->engine, r->findings, processors(r), err);
	}
	return rc == RC_OK ? clean_attachments(r, err) : rc;
}

/* One folder for all cores with -o, else one for each, beside where we stand. */
static int write_folders(struct report *r, bool as_json, struct err *err)
{
	AUTO_FREE struct outdir **dirs = xcalloc(r->n, sizeof(*dirs));
	const struct run_flat *flat = r->job->flat;
	size_t n_dirs = r->job->out_dir || flat ? 1 : r->n;
	int rc = RC_OK;

	r->result->packed = true;
	for (size_t i = 0; rc == RC_OK && i < r->n; i++) {
		struct crash *c = &r->crashes[i];
		AUTO_FREE char *place = r->job->out_dir ? xstrdup(r->job->out_dir) :
							  xasprintf("%s-report", c->base);
		struct handoff_done handoff = { .name = NULL };
		bool packed;

		progress(r, "packing", i, r->n);
		if (i < n_dirs)
			rc = flat ? outdir_open_existing(flat->dir, flat->folder, &dirs[i], err) :
				    outdir_open(place, &dirs[i], err);
		if (rc == RC_OK)
			rc = crash_pack(c, r->engine, &r->clean, r->handoff,
					dirs[i < n_dirs ? i : 0], as_json, &packed, &handoff,
					&r->result->table, err);
		if (handoff.name)
			strings_add(&r->result->handoffs, handoff.name);
		r->result->handoff_open += handoff.open;
		if (rc == RC_OK) {
			if (i < n_dirs && !r->job->flat)
				strings_add(&r->result->folders, xstrdup(place));
			r->result->packed = r->result->packed && packed;
			r->result->open += c->tally.open;
			r->result->hints += c->tally.hints;
		}
	}
	/* the map first: a folder whose map is missing could not be undone, the reverse does no harm */
	if (rc == RC_OK && !r->job->common.no_map) {
		rc = run_map_write(r->engine, r->engine->redactor, NULL, err);
		if (rc == RC_OK && r->handoff)
			rc = handoff_map_write(r->handoff, err);
	}
	if (rc == RC_OK)
		rc = findings_file_commit(r->findings, err);
	for (size_t i = 0; i < n_dirs; i++) {
		if (rc == RC_OK)
			rc = outdir_commit(dirs[i], err);
		outdir_free(dirs[i]);
	}
	return rc;
}

/* The texts once more, with other tokens: two packages of a case can't be laid side by side. */
static int prepare_handoff(struct report *r, struct err *err)
{
	int rc;

	if (!handoff_is_wanted(r->job))
		return RC_OK;
	rc = handoff_new(r->job, r->engine, &r->handoff, err);
	for (size_t i = 0; rc == RC_OK && i < r->n_attached; i++)
		rc = handoff_attach(r->handoff, r->attached[i].name, r->attached[i].artifact, err);
	return rc;
}

/* An output that is there already is refused before hours of gdb, and again at the commit. */
static int refuse_existing(struct report *r, struct err *err)
{
	struct outdir *probe = NULL;
	int rc = RC_OK;

	if (r->job->flat)
		return RC_OK;	/* they are replaced */
	for (size_t i = 0; rc == RC_OK && i < (r->job->out_dir ? 1 : r->n); i++) {
		AUTO_FREE char *place = r->job->out_dir ? xstrdup(r->job->out_dir) :
							  xasprintf("%s-report", r->crashes[i].base);

		rc = outdir_open(place, &probe, err);
		if (rc == RC_OK)
			outdir_free(probe);
	}
	return rc;
}

static void *load_engine(void *arg)
{
	struct report *r = arg;
	struct loader *l = &r->loader;

	l->rc = engine_new(&r->job->common, !r->job->common.no_map, &r->engine, &l->err);
	if (l->rc < 0)
		atomic_store(&l->failed, true);
	else
		ruleset_warm(r->engine->rules);
	return NULL;
}

/* What a person added may be wrong, and is told so before any input is read; what comes with the
   program is loaded while gdb does. Cores are opened before: who unpacks one is forked, while there
   is no other thread that could hold a lock. */
static int begin_engine(struct report *r, struct err *err)
{
	struct loader *l = &r->loader;
	bool alone = r->job->common.rules && r->job->common.rules[0];
	int rc = RC_OK;

	l->err = (struct err)ERR_INIT;
	if (alone)
		load_engine(r);
	if (l->rc == RC_OK)
		rc = open_cores(r, err);
	if (rc < 0)
		return rc;
	l->runs = !alone && pthread_create(&l->id, NULL, load_engine, r) == 0;
	if (!alone && !l->runs)
		load_engine(r);
	/* gdb_run says it if this fails */
	if (!r->job->no_sandbox && gdb_libraries(r->job->gdb, &r->libraries, NULL) < 0)
		strings_done(&r->libraries);
	if (!l->runs && l->rc < 0)
		*err = l->err;
	return l->runs ? RC_OK : l->rc;
}

/* Its failure comes before all others: gdb may have been ended for it. */
static int end_engine(struct report *r, int rc, struct err *err)
{
	struct loader *l = &r->loader;

	if (!l->runs)
		return rc;
	pthread_join(l->id, NULL);
	if (l->rc < 0)
		*err = l->err;
	return l->rc < 0 ? l->rc : rc;
}

static int read_all(struct report *r, struct err *err)
{
	int rc = refuse_existing(r, err);

	if (rc == RC_OK)
		rc = open_attachments(r, err);
	return rc == RC_OK ? run_gdbs(r) : rc;
}

static int report_all(struct report *r, bool as_json, struct err *err)
{
	int rc = handoff_check(r->job, err);

	if (rc == RC_OK)
		rc = begin_engine(r, err);
	if (rc == RC_OK)
		rc = end_engine(r, read_all(r, err), err);
	for (size_t i = 0; rc == RC_OK && i < r->n; i++)
		rc = crash_texts(&r->crashes[i], err);
	if (rc == RC_OK)
		rc = clean_all(r, err);
	if (rc == RC_OK)
		rc = prepare_handoff(r, err);
	return rc == RC_OK ? write_folders(r, as_json, err) : rc;
}

/* What was written where, by the folder of a flat job. */
static void list_files(const struct report *r, struct strings *ret)
{
	for (size_t i = 0; r->job->flat && i < r->n; i++)
		for (size_t k = 0; k < r->crashes[i].written.n; k++)
			strings_add(ret, xasprintf("%s/%s", r->job->flat->folder,
						   r->crashes[i].written.v[k]));
}

static void report_done(struct report *r)
{
	for (size_t i = 0; i < r->n; i++)
		crash_done(&r->crashes[i]);
	free(r->crashes);
	for (size_t i = 0; i < r->n_attached; i++) {
		free(r->attached[i].name);
		free(r->attached[i].clean_name);
		free(r->attached[i].inside);
		artifact_free(r->attached[i].artifact);
	}
	free(r->attached);
	for (size_t i = 0; i < r->clean.n; i++)
		scrubbed_free(r->clean.v[i]);
	free(r->clean.v);
	handoff_free(r->handoff);
	engine_free(r->engine);
	strings_done(&r->libraries);
}

int run_report(const struct run_report_job *job, bool as_json, struct run_report_result *ret,
	       struct err *err)
{
	struct report r = { .job = job, .result = ret, .err = err };
	int rc;

	*ret = (struct run_report_result){ .table = BUF_INIT };
	rc = job->findings_path ? findings_file_open(job->findings_path, &r.findings, err) : RC_OK;
	if (rc == RC_OK)
		rc = report_all(&r, as_json, err);
	list_files(&r, &ret->files);
	if (rc == RC_OK)
		ret->out_dir = job->out_dir ? xstrdup(job->out_dir) :
					      xasprintf("%s-report", r.crashes[0].base);
	else
		run_report_result_done(ret);
	findings_file_free(r.findings);
	report_done(&r);
	return rc;
}

void run_report_result_done(struct run_report_result *r)
{
	buf_done(&r->table);
	strings_done(&r->files);
	strings_done(&r->folders);
	strings_done(&r->handoffs);
	free(r->out_dir);
	r->out_dir = NULL;
}
