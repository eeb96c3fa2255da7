/* SPDX-License-Identifier: Apache-2.0 */
#include "gdb_internal.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Fewer threads than this are not worth a second gdb, which loads all symbols again. */
#define SHARE_THREADS 16
#define SHARES_MAX    16
/* Threads that do the same stand together and cost the same: each share has blocks from
   everywhere. */
#define SHARE_BLOCKS  16

/* What the first share prints around its threads, in order: what changes later texts comes last. */
enum before { PIECE_START, PIECE_VERSION, PIECE_SIGINFO, PIECE_THREADS };
enum behind { PIECE_SIGNALS, PIECE_LIBS, PIECE_BEYOND, PIECE_SCRIPTS };

struct share {
	struct gdb_session session;
	struct mapping *out;
	struct strings commands;
	size_t first, n_blocks;	/* pieces with threads: from the first on, one a block */
	struct span *pieces;	/* of the output: [0] is before the first command */
	size_t n_pieces;
	bool started;
};

struct run {
	const struct gdb_job *job;
	struct gdb_install install;
	struct span scripts[GDB_SCRIPTS_MAX + 1];	/* the profile's, for the first share */
	struct buf texts[GDB_SCRIPTS_MAX];		/* their bytes */
	struct share shares[SHARES_MAX];
	size_t n;
	uint8_t *owner;		/* of each block of threads, in the order of the text: a share */
	size_t n_blocks;
	int64_t deadline;
};

static void run_done(struct run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct share *s = &r->shares[i];

		if (s->started)
			gdb_session_done(&s->session);
		mapping_free(s->out);
		strings_done(&s->commands);
		free(s->pieces);
		*s = (struct share){ .out = NULL };
	}
	r->n = 0;
	free(r->owner);
	r->owner = NULL;
}

static void run_cleanup(struct run *r)
{
	run_done(r);
	gdb_install_done(&r->install);
	for (size_t i = 0; i < GDB_SCRIPTS_MAX; i++)
		buf_done(&r->texts[i]);
}

static size_t count_shares(const struct gdb_job *job)
{
	size_t n = job->n_threads / SHARE_THREADS;

	if (n > job->jobs)
		n = job->jobs;
	if (n > SHARES_MAX)
		n = SHARES_MAX;
	return n ? n : 1;
}

/* Threads high…low by number, falling as `thread apply all` has them. */
static char *block_command(size_t high, size_t low)
{
	struct buf b = BUF_INIT;

	buf_add_str(&b, "thread apply");
	for (size_t i = high; i >= low; i--)
		buf_addf(&b, " %zu", i);
	buf_add_str(&b, " bt full");
	return buf_steal(&b);
}

/* Blocks of threads go one by one to the share that has the least to do. The first one has all that
   is no backtrace to print, and a profile's scripts to run: it begins with an eighth of a share for
   each. */
static void plan_blocks(struct run *r)
{
	size_t threads = r->job->n_threads, block = threads / (r->n * SHARE_BLOCKS) + 1;
	size_t load[SHARES_MAX] = { threads / r->n / (r->job->profile ? 4 : 8) };

	r->owner = xcalloc(threads / block + 1, 1);
	r->n_blocks = 0;
	for (size_t high = threads; high > 0;) {
		size_t low = high > block ? high - block + 1 : 1, least = 0;

		for (size_t i = 1; i < r->n; i++)
			if (load[i] < load[least])
				least = i;
		load[least] += high - low + 1;
		strings_add(&r->shares[least].commands, block_command(high, low));
		r->shares[least].n_blocks++;
		r->owner[r->n_blocks++] = (uint8_t)least;
		high = low - 1;
	}
}

static void plan_one(struct run *r)
{
	r->owner = xcalloc(1, 1);
	r->n_blocks = 1;
	r->shares[0].n_blocks = 1;
	strings_add(&r->shares[0].commands, xstrdup("thread apply all bt full"));
}

/*
 * The first share also asks for all that is no backtrace; of several, the last command shows
 * whether there is a thread beyond those that were shared out. Scripts come behind all texts: what
 * they do to gdb must not change those.
 */
static void plan_shares(struct run *r, size_t n)
{
	struct strings *first = &r->shares[0].commands;

	r->n = n;
	strings_add(first, xstrdup("show version"));
	strings_add(first, xstrdup("p $_siginfo"));
	for (size_t i = 0; i < n; i++)
		r->shares[i].first = i == 0 ? PIECE_THREADS : 1;
	if (n == 1)
		plan_one(r);
	else
		plan_blocks(r);
	strings_add(first, xstrdup("info signals"));
	strings_add(first, xstrdup("info sharedlibrary"));
	strings_add(first, n == 1 ? xstrdup("echo") :
				    xasprintf("thread apply %zu echo more", r->job->n_threads + 1));
}

/* The profile's scripts learn the core's time, which gdb itself does not know. */
static void prepare_scripts(struct run *r)
{
	const struct gdb_profile *p = r->job->profile;
	const struct buf *from[GDB_SCRIPTS_MAX] = { p ? &p->info : NULL, p ? &p->locks : NULL };

	for (size_t i = 0; p && i < GDB_SCRIPTS_MAX; i++) {
		buf_addf(&r->texts[i], "set $corescrub_time = %lld\n", (long long)r->job->core_time);
		buf_add_span(&r->texts[i], buf_span(from[i]));
		r->scripts[i] = buf_span(&r->texts[i]);
	}
}

static void split_output(struct share *s)
{
	size_t most = s->commands.n + GDB_SCRIPTS_MAX + 1, at = 0;

	s->pieces = xcalloc(most, sizeof(*s->pieces));
	while (s->n_pieces < most && gdb_text_next(mapping_span(s->out), s->session.marker, &at,
						   &s->pieces[s->n_pieces]))
		s->n_pieces++;
}

/* A piece of the first share behind its threads; false if gdb did not come to its end. */
static bool piece(const struct run *r, enum behind which, size_t script, struct span *ret)
{
	const struct share *s = &r->shares[0];
	size_t i = s->first + s->n_blocks + which + script;

	if (i >= s->n_pieces)
		return false;
	*ret = s->pieces[i];
	return true;
}

/* From its start to its last line. A profile's script that ends gdb, or goes on and on, costs its
   own text alone. */
static int run_share(struct run *r, struct share *s, struct err *err)
{
	bool is_first = s == &r->shares[0];
	struct err failure = ERR_INIT;
	struct span text;
	int waited, rc;

	rc = gdb_session_start(r->job, &r->install, strings_list(&s->commands),
			       is_first ? r->scripts : NULL, &s->session, err);
	if (rc < 0)
		return rc;
	s->started = true;
	waited = gdb_session_wait(&s->session, r->job, r->deadline, &failure);
	rc = gdb_session_output(&s->session, &s->out, err);
	if (rc < 0)
		return rc;
	split_output(s);
	if (waited < 0 && (!is_first || !r->scripts[0].p || !piece(r, PIECE_BEYOND, 0, &text))) {
		*err = failure;
		return waited;
	}
	return RC_OK;
}

struct runner {
	struct run *run;
	struct share *share;
	pthread_t id;
	bool started;
	int rc;
	struct err err;
};

static void *runner_main(void *arg)
{
	struct runner *t = arg;

	t->rc = run_share(t->run, t->share, &t->err);
	return NULL;
}

/* All start at once: one that runs already would hold up the next. Each has a thread of its own
   from start to end, for a confined program ends with the thread that started it. */
static int run_shares(struct run *r, struct err *err)
{
	struct runner runners[SHARES_MAX];
	int rc = RC_OK;

	for (size_t i = r->n; i-- > 0;) {
		struct runner *t = &runners[i];

		*t = (struct runner){ .run = r, .share = &r->shares[i], .err = ERR_INIT };
		t->started = i > 0 && pthread_create(&t->id, NULL, runner_main, t) == 0;
		if (!t->started)
			runner_main(t);
	}
	for (size_t i = 0; i < r->n; i++) {
		if (runners[i].started)
			pthread_join(runners[i].id, NULL);
		if (rc == RC_OK && runners[i].rc < 0) {
			rc = runners[i].rc;
			*err = runners[i].err;
		}
	}
	return rc;
}

/* A core that has more threads than we were told of. */
static bool threads_are_left_out(const struct run *r)
{
	struct span beyond;

	return r->n > 1 && piece(r, PIECE_BEYOND, 0, &beyond) &&
	       span_find(beyond, SPAN_LIT("more"), 0) >= 0;
}

static struct artifact *artifact_copy(const char *name, struct span text)
{
	struct buf b = BUF_INIT;

	buf_add_span(&b, text);
	return artifact_from_buf(name, ARTIFACT_GDB, &b);
}

/* The blocks of all shares, in the order of the threads. */
static int take_full(struct run *r, struct gdb_result *res, struct err *err)
{
	struct buf joined = BUF_INIT, brief = BUF_INIT;
	size_t next[SHARES_MAX];

	for (size_t i = 0; i < r->n; i++)
		next[i] = r->shares[i].first;
	for (size_t b = 0; b < r->n_blocks; b++) {
		const struct share *s = &r->shares[r->owner[b]];
		size_t i = next[r->owner[b]]++;

		if (i >= s->n_pieces) {
			buf_done(&joined);
			return err_set(err, RC_CHILD, "gdb ended early on %s", r->job->core_name);
		}
		if (r->n > 1)
			buf_add_span(&joined, s->pieces[i]);
	}
	if (r->n > 1) {
		res->full = artifact_from_buf("full", ARTIFACT_GDB, &joined);
	} else {
		res->full = artifact_new("full", ARTIFACT_GDB);
		res->full->map = STEAL(r->shares[0].out);
		res->full->text = r->shares[0].pieces[PIECE_THREADS];
	}
	if (span_find(res->full->text, SPAN_LIT("Thread "), 0) < 0)
		return err_set(err, RC_FORMAT, "gdb sees no thread in %s", r->job->core_name);
	gdb_text_brief(res->full->text, &brief);
	res->brief = artifact_from_buf("brief", ARTIFACT_GDB, &brief);
	res->thread1 = artifact_copy("thread1", gdb_text_thread1(res->full->text));
	return RC_OK;
}

/* "$1 = {si_signo = …}" and the signal's row: the head of the five texts. */
static void take_head(const struct run *r, struct gdb_result *res)
{
	struct buf head = BUF_INIT;
	struct span siginfo = { 0 }, table = { 0 };
	int number;

	if (r->shares[0].n_pieces > PIECE_SIGINFO)
		siginfo = r->shares[0].pieces[PIECE_SIGINFO];
	buf_add_span(&head, siginfo);
	number = gdb_text_signo(siginfo);
	if (number == 0)
		number = r->job->signal;
	if (number > 0 && piece(r, PIECE_SIGNALS, 0, &table))
		gdb_text_signal(table, number, &head);
	res->head = artifact_from_buf("head", ARTIFACT_GDB, &head);
}

static void take_scripts(const struct run *r, struct gdb_result *res)
{
	struct artifact **to[GDB_SCRIPTS_MAX] = { &res->info, &res->locks };
	struct span text;

	for (size_t i = 0; r->scripts[0].p && i < GDB_SCRIPTS_MAX; i++)
		if (piece(r, PIECE_SCRIPTS, i, &text))
			*to[i] = artifact_copy("script", text);
}

static int take_messages(const struct run *r, struct gdb_result *res, struct err *err)
{
	struct buf all = BUF_INIT;

	if (r->shares[0].n_pieces > PIECE_START)
		buf_add_span(&all, r->shares[0].pieces[PIECE_START]);
	for (size_t i = 0; i < r->n; i++) {
		AUTO(mapping) m = NULL;
		int rc = mapping_open(r->shares[i].session.err, "gdb's messages", &m, err);

		if (rc < 0) {
			buf_done(&all);
			return rc;
		}
		buf_add_span(&all, mapping_span(m));
	}
	res->messages = artifact_from_buf("messages", ARTIFACT_GDB, &all);
	return RC_OK;
}

static int take_results(struct run *r, struct gdb_result *res, struct err *err)
{
	struct span version = { 0 }, libs = { 0 };
	ssize_t nl;
	int rc = take_messages(r, res, err);

	if (rc < 0)
		return rc;
	take_head(r, res);
	if (piece(r, PIECE_LIBS, 0, &libs))
		res->sharedlibs = artifact_copy("sharedlibs", libs);
	else
		res->sharedlibs = artifact_new("sharedlibs", ARTIFACT_GDB);
	if (r->shares[0].n_pieces > PIECE_VERSION)
		version = r->shares[0].pieces[PIECE_VERSION];
	nl = span_find(version, SPAN_LIT("\n"), 0);
	res->version = xstrndup(version.p ? version.p : "", nl < 0 ? version.len : (size_t)nl);
	take_scripts(r, res);
	for (size_t i = 0; i < r->n; i++)
		res->missing |= process_missing(r->shares[i].session.process);
	/* last of the texts, for it may take the first share's output */
	rc = take_full(r, res, err);
	res->ending = xcalloc(r->n, sizeof(struct process *));
	for (; res->n_ending < r->n; res->n_ending++)
		res->ending[res->n_ending] =
			gdb_session_process(&r->shares[res->n_ending].session);
	return rc;
}

int gdb_run(const struct gdb_job *job, struct gdb_result **ret, struct err *err)
{
	__attribute__((cleanup(run_cleanup))) struct run r = { .job = job };
	AUTO(gdb_result) res = xcalloc(1, sizeof(*res));
	size_t n = count_shares(job);
	int rc = gdb_install_find(job, &r.install, err);

	if (rc < 0)
		return rc;
	prepare_scripts(&r);
	r.deadline = gdb_deadline(job);
	do {
		run_done(&r);
		plan_shares(&r, n);
		rc = run_shares(&r, err);
		if (rc < 0)
			return rc;
		n = 1;
	} while (threads_are_left_out(&r));
	rc = take_results(&r, res, err);
	if (rc < 0)
		return rc;
	*ret = STEAL(res);
	return RC_OK;
}

void gdb_result_free(struct gdb_result *r)
{
	if (!r)
		return;
	artifact_free(r->head);
	artifact_free(r->full);
	artifact_free(r->brief);
	artifact_free(r->thread1);
	artifact_free(r->sharedlibs);
	artifact_free(r->messages);
	artifact_free(r->info);
	artifact_free(r->locks);
	free(r->version);
	for (size_t i = 0; i < r->n_ending; i++)
		process_free(r->ending[i]);
	free(r->ending);
	free(r);
}
