/* SPDX-License-Identifier: Apache-2.0 */
#include "gdb_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Fewer threads than this are not worth a second gdb, which loads all symbols again. */
#define SHARE_THREADS 16
#define SHARES_MAX    16

/* The commands of the first share, in order: what changes later texts comes last. */
enum piece { PIECE_START, PIECE_VERSION, PIECE_SIGINFO, PIECE_FULL, PIECE_SIGNALS, PIECE_LIBS };

struct share {
	struct gdb_session session;
	struct mapping *out;
	char *command;		/* that prints its threads */
	bool started;
};

struct run {
	const struct gdb_job *job;
	struct gdb_install install;
	struct span scripts[GDB_SCRIPTS_MAX + 1];	/* the profile's, for the first share */
	struct buf texts[GDB_SCRIPTS_MAX];		/* their bytes */
	struct share shares[SHARES_MAX];
	size_t n;
	int64_t deadline;
};

static void run_done(struct run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->shares[i].started)
			gdb_session_done(&r->shares[i].session);
		mapping_free(r->shares[i].out);
		free(r->shares[i].command);
	}
	r->n = 0;
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
static char *share_command(size_t high, size_t low)
{
	struct buf b = BUF_INIT;

	buf_add_str(&b, "thread apply");
	for (size_t i = high; i >= low; i--)
		buf_addf(&b, " %zu", i);
	buf_add_str(&b, " bt full");
	return buf_steal(&b);
}

/* The first share has all that is no backtrace to print, and a profile's scripts to run: an eighth
   fewer threads for each. */
static void plan_shares(struct run *r, size_t n)
{
	size_t high = r->job->n_threads, first = r->job->profile ? 6 : 7;
	size_t weights = first + 8 * (n - 1);

	for (size_t i = 0; i < n; i++) {
		size_t weight = i == 0 ? first : 8;
		size_t low = high - high * weight / weights + 1;

		r->shares[i] = (struct share){
			.command = n == 1 ? xstrdup("thread apply all bt full")
					  : share_command(high, low),
		};
		high = low - 1;
		weights -= weight;
	}
	r->n = n;
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

/*
 * The first share also asks for all that is no backtrace; of several, the last command shows
 * whether there is a thread beyond those that were shared out. Scripts come behind all texts: what they
 * do to gdb must not change those.
 */
static int start_shares(struct run *r, struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		struct share *s = &r->shares[i];
		AUTO_FREE char *beyond = xasprintf("thread apply %zu echo more",
						   r->job->n_threads + 1);
		const char *const first[] = { "show version", "p $_siginfo", s->command,
					      "info signals", "info sharedlibrary",
					      r->n > 1 ? beyond : NULL, NULL };
		const char *const other[] = { s->command, NULL };
		int rc = gdb_session_start(r->job, &r->install, i == 0 ? first : other,
					   i == 0 ? r->scripts : NULL, &s->session, err);

		if (rc < 0)
			return rc;
		s->started = true;
	}
	return RC_OK;
}

static bool piece(const struct share *s, size_t nth, struct span *ret)
{
	return gdb_text_piece(mapping_span(s->out), s->session.marker, nth, ret);
}

/* The piece behind the last text: the first script's. */
static size_t first_script(const struct run *r)
{
	return r->n > 1 ? PIECE_LIBS + 2 : PIECE_LIBS + 1;
}

/* A profile's script that ends gdb, or goes on and on, costs its own text alone. */
static int finish_shares(struct run *r, struct err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		struct share *s = &r->shares[i];
		struct err failure = ERR_INIT;
		struct span text;
		int waited = gdb_session_wait(&s->session, r->job, r->deadline, &failure);
		int rc = gdb_session_output(&s->session, &s->out, err);

		if (rc < 0)
			return rc;
		if (waited < 0 &&
		    (i > 0 || !r->scripts[0].p || !piece(s, first_script(r) - 1, &text))) {
			*err = failure;
			return waited;
		}
	}
	return RC_OK;
}

/* A core that has more threads than we were told of. */
static bool threads_are_left_out(const struct run *r)
{
	struct span beyond;

	return r->n > 1 && piece(&r->shares[0], PIECE_LIBS + 1, &beyond) &&
	       span_find(beyond, SPAN_LIT("more"), 0) >= 0;
}

static struct artifact *artifact_copy(const char *name, struct span text)
{
	struct buf b = BUF_INIT;

	buf_add_span(&b, text);
	return artifact_from_buf(name, ARTIFACT_GDB, &b);
}

static int take_full(struct run *r, struct gdb_result *res, struct err *err)
{
	struct buf joined = BUF_INIT, brief = BUF_INIT;
	struct span full;

	for (size_t i = 0; i < r->n; i++) {
		if (!piece(&r->shares[i], i == 0 ? PIECE_FULL : 1, &full)) {
			buf_done(&joined);
			return err_set(err, RC_CHILD, "gdb ended early on %s", r->job->core_name);
		}
		if (r->n > 1)
			buf_add_span(&joined, full);
	}
	if (r->n > 1) {
		res->full = artifact_from_buf("full", ARTIFACT_GDB, &joined);
	} else {
		res->full = artifact_new("full", ARTIFACT_GDB);
		res->full->map = STEAL(r->shares[0].out);
		res->full->text = full;
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

	if (piece(&r->shares[0], PIECE_SIGINFO, &siginfo))
		buf_add_span(&head, siginfo);
	number = gdb_text_signo(siginfo);
	if (number == 0)
		number = r->job->signal;
	if (number > 0 && piece(&r->shares[0], PIECE_SIGNALS, &table))
		gdb_text_signal(table, number, &head);
	res->head = artifact_from_buf("head", ARTIFACT_GDB, &head);
}

static void take_scripts(const struct run *r, struct gdb_result *res)
{
	struct artifact **to[GDB_SCRIPTS_MAX] = { &res->info, &res->locks };
	struct span text;

	for (size_t i = 0; r->scripts[0].p && i < GDB_SCRIPTS_MAX; i++)
		if (piece(&r->shares[0], first_script(r) + i, &text))
			*to[i] = artifact_copy("script", text);
}

static int take_messages(const struct run *r, struct gdb_result *res, struct err *err)
{
	struct buf all = BUF_INIT;
	struct span start;

	if (piece(&r->shares[0], PIECE_START, &start))
		buf_add_span(&all, start);
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
	if (piece(&r->shares[0], PIECE_LIBS, &libs))
		res->sharedlibs = artifact_copy("sharedlibs", libs);
	else
		res->sharedlibs = artifact_new("sharedlibs", ARTIFACT_GDB);
	(void)piece(&r->shares[0], PIECE_VERSION, &version);
	nl = span_find(version, SPAN_LIT("\n"), 0);
	res->version = xstrndup(version.p ? version.p : "", nl < 0 ? version.len : (size_t)nl);
	take_scripts(r, res);
	for (size_t i = 0; i < r->n; i++)
		res->missing |= process_missing(r->shares[i].session.process);
	/* last, for it may take the first share's output */
	return take_full(r, res, err);
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
		rc = start_shares(&r, err);
		if (rc == RC_OK)
			rc = finish_shares(&r, err);
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
	free(r);
}

int gdb_run_script(const struct gdb_job *job, struct span script, struct artifact **ret_out,
		   struct err *err)
{
	__attribute__((cleanup(run_cleanup))) struct run r = { .job = job, .n = 1 };
	const struct span scripts[] = { script, { NULL, 0 } };
	struct share *s = &r.shares[0];
	struct span text;
	int rc = gdb_install_find(job, &r.install, err);

	if (rc == RC_OK)
		rc = gdb_session_start(job, &r.install, NULL, scripts, &s->session, err);
	if (rc < 0)
		return rc;
	s->started = true;
	rc = gdb_session_wait(&s->session, job, gdb_deadline(job), err);
	if (rc == RC_OK)
		rc = gdb_session_output(&s->session, &s->out, err);
	if (rc < 0)
		return rc;
	if (!piece(s, 1, &text))
		return err_set(err, RC_CHILD, "gdb ended early on %s", job->core_name);
	*ret_out = artifact_copy("script", text);
	return RC_OK;
}
