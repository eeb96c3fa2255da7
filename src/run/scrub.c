/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <corescrub/report.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Texts, logs, configs, archives → scrubbed copies. Learn over everything, then clean each. */

struct input {
	char *path, *relative;		/* "" for a file given itself */
	struct artifact *artifact;	/* open only while it is worked on, unless it is the only one */
};

struct scrub {
	const struct run_scrub_job *job;
	struct engine *engine;
	struct input *inputs;
	size_t n, cap;
	struct findings_file *findings;	/* or NULL */
	struct run_scrub_result *result;
	struct err *err;		/* for callbacks that have no room for one */
};

static void left_out(void *ctx, const char *text)
{
	struct scrub *s = ctx;

	s->result->left_out++;
	if (s->job->listener.warn)
		s->job->listener.warn(s->job->listener.ctx, text);
}

/* What is no file is only named: nothing is learned yet that its name could be cleaned with. */
static void skipped(void *ctx, const char *path)
{
	(void)path;
	left_out(ctx, "something that is neither a file nor a folder was left out");
}

static int add_input(void *ctx, const char *path, const char *relative, struct err *err)
{
	struct scrub *s = ctx;

	(void)err;
	GROW(s->inputs, s->n, s->cap);
	s->inputs[s->n++] = (struct input){ xstrdup(path), xstrdup(relative), NULL };
	return RC_OK;
}

static int input_open(struct scrub *s, struct input *in, struct err *err)
{
	AUTO_CLOSE int fd = -1;

	if (in->artifact)
		return RC_OK;
	if (!in->path)
		return artifact_from_fd(s->job->in_fd, "standard input", ARTIFACT_TEXT, &in->artifact,
					err);
	fd = open(in->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, RC_NOTFOUND, "can't open %s", in->path);
	return artifact_from_fd(fd, in->path, ARTIFACT_TEXT, &in->artifact, err);
}

static void input_close(struct scrub *s, struct input *in)
{
	if (s->n == 1)
		return;
	artifact_free(in->artifact);
	in->artifact = NULL;
}

static int each_text(struct scrub *s, engine_step_fn step, struct err *err)
{
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < s->n; i++) {
		rc = input_open(s, &s->inputs[i], err);
		if (rc == RC_OK)
			rc = engine_each_member(s->engine, s->inputs[i].artifact, step, err);
		input_close(s, &s->inputs[i]);
	}
	return rc;
}

static int write_findings(void *ctx, const struct artifact *a, const struct redact_plan *p)
{
	struct scrub *s = ctx;

	s->result->found += p->n_edits;
	return findings_file_add(s->findings, s->engine, a, NULL, p, s->err);
}

static int clean_input(struct scrub *s, struct input *in, struct sink *out, struct err *err)
{
	struct engine_watch watch = { .plan = write_findings, .plan_ctx = s };
	struct engine_rewrite rewrite = {
		.engine = s->engine,
		.watch = &watch,
		.left_out = left_out,
		.ctx = s,
		.pass_binary = s->job->pass_binary,
		.filter = !in->path,
	};

	return engine_clean_file(&rewrite, in->artifact, out, err);
}

static int drop(struct sink *sink, struct span bytes, struct err *err)
{
	(void)sink;
	(void)bytes;
	(void)err;
	return RC_OK;
}

static int check_all(struct scrub *s, struct err *err)
{
	struct sink nowhere = { drop };
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < s->n; i++) {
		rc = input_open(s, &s->inputs[i], err);
		if (rc == RC_OK)
			rc = clean_input(s, &s->inputs[i], &nowhere, err);
		if (rc == ENGINE_LEFT_OUT)
			rc = RC_OK;
		input_close(s, &s->inputs[i]);
	}
	return rc;
}

static int clean_to_fd(struct scrub *s, struct input *in, int fd, const char *name, struct err *err)
{
	struct sink_fd out;
	int rc = input_open(s, in, err), flushed;

	if (rc < 0)
		return rc;
	sink_fd_init(&out, fd, name);
	rc = clean_input(s, in, &out.sink, err);
	flushed = sink_fd_flush(&out, rc == RC_OK ? err : NULL);
	input_close(s, in);
	return rc != RC_OK ? rc : flushed;
}

/* The filter's output waits until all of it is known to be clean. */
static int clean_to_stdout(struct scrub *s, struct err *err)
{
	AUTO_CLOSE int spool = -1;
	int rc = input_open(s, &s->inputs[0], err);

	if (rc == RC_OK)
		rc = file_unnamed(s->inputs[0].artifact->text.len < LIMIT_SPOOL_MEMORY, &spool, err);
	if (rc == RC_OK)
		rc = clean_to_fd(s, &s->inputs[0], spool, "the spool", err);
	if (rc == ENGINE_LEFT_OUT)
		return RC_OK;
	return rc == RC_OK ? file_copy(spool, s->job->out_fd, "standard output", err) : rc;
}

static int clean_to_file(struct scrub *s, struct err *err)
{
	AUTO(tempfile) t = NULL;
	int rc = tempfile_open(s->job->out_path, 0600, &t, err);

	if (rc == RC_OK)
		rc = clean_to_fd(s, &s->inputs[0], tempfile_fd(t), s->job->out_path, err);
	if (rc == ENGINE_LEFT_OUT)
		return RC_OK;
	return rc == RC_OK ? tempfile_commit(t, false, err) : rc;
}

/* Where an input goes in the output folder: its place below what was given, cleaned; a name that
   cleaning made equal to another gets a number. */
static int place_in_tree(struct scrub *s, const struct input *in, struct outtree *tree,
			 struct buf *name, int *ret_fd, struct err *err)
{
	const char *slash = strrchr(in->path, '/');
	const char *relative = in->relative[0] ? in->relative : slash ? slash + 1 : in->path;
	size_t base;
	int rc = engine_clean_name(s->engine, span_str(relative), name, err);

	base = name->len;
	for (unsigned n = 2; rc == RC_OK; n++) {
		rc = outtree_create(tree, name->p, 0600, ret_fd, err);
		if (rc != RC_EXISTS || n > 10000)
			return rc;
		name->len = base;
		buf_addf(name, ".%u", n);
		rc = RC_OK;
	}
	return rc;
}

static int clean_to_tree(struct scrub *s, struct err *err)
{
	AUTO(outtree) tree = NULL;
	int rc = outtree_open(s->job->out_path, &tree, err);

	for (size_t i = 0; rc == RC_OK && i < s->n; i++) {
		AUTO_CLOSE int fd = -1;
		AUTO_BUF name = BUF_INIT;

		rc = place_in_tree(s, &s->inputs[i], tree, &name, &fd, err);
		if (rc == RC_OK)
			rc = clean_to_fd(s, &s->inputs[i], fd, s->job->out_path, err);
		if (rc == ENGINE_LEFT_OUT)
			rc = outtree_remove(tree, name.p, err);
		if (s->job->listener.progress)
			s->job->listener.progress(s->job->listener.ctx, "scrubbing", i + 1, s->n);
	}
	return rc == RC_OK ? outtree_commit(tree, err) : rc;
}

static bool is_single_file(const struct scrub *s)
{
	return s->n == 1 && (!s->inputs[0].path || !s->inputs[0].relative[0]);
}

static int clean_all(struct scrub *s, struct err *err)
{
	if (s->job->check_only)
		return check_all(s, err);
	if (!s->job->out_path && !is_single_file(s))
		return err_set(err, RC_USAGE, "a folder needs --output");
	if (!s->job->out_path)
		return clean_to_stdout(s, err);
	return is_single_file(s) ? clean_to_file(s, err) : clean_to_tree(s, err);
}

static int gather(struct scrub *s, struct err *err)
{
	if (s->job->in_fd >= 0) {
		GROW(s->inputs, s->n, s->cap);
		s->inputs[s->n++] = (struct input){ NULL, xstrdup(""), NULL };
	}
	for (const char *const *p = s->job->inputs; *p; p++) {
		int rc = run_walk(*p, add_input, skipped, s, err);

		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

/* --stream: each piece that arrives, to its last line end, with what was learned so far. */
static int stream_piece(struct scrub *s, struct buf *pending, size_t n, struct err *err)
{
	struct engine_watch watch = { .plan = write_findings, .plan_ctx = s };
	AUTO(artifact) a = artifact_new("standard input", ARTIFACT_TEXT);
	struct sink_fd out;
	int rc, flushed;

	a->text = span_make(pending->p, n);
	rc = engine_learn_more(s->engine, a, err);
	if (rc < 0)
		return rc;
	sink_fd_init(&out, s->job->out_fd, "standard output");
	rc = engine_clean(s->engine, a, &watch, &out.sink, err);
	flushed = sink_fd_flush(&out, rc == RC_OK ? err : NULL);
	if (rc < 0 || flushed < 0)
		return rc < 0 ? rc : flushed;
	memmove(pending->p, pending->p + n, pending->len - n);
	pending->len -= n;
	return RC_OK;
}

static int stream_all(struct scrub *s, struct err *err)
{
	AUTO_BUF pending = BUF_INIT;
	char chunk[65536];
	int rc = RC_OK;
	ssize_t n;

	/* pieces are no files that could be told again */
	redactor_note(s->engine->redactor, false);
	while (rc == RC_OK && (n = read(s->job->in_fd, chunk, sizeof(chunk))) != 0) {
		const char *end;

		if (n < 0)
			return err_errno(err, RC_IO, "can't read standard input");
		rc = buf_reserve_input(&pending, n, LIMIT_SPOOL_MEMORY, err);
		if (rc < 0)
			return rc;
		buf_add(&pending, chunk, n);
		end = memrchr(pending.p, '\n', pending.len);
		if (end)
			rc = stream_piece(s, &pending, end + 1 - pending.p, err);
	}
	if (rc == RC_OK && pending.len)
		rc = stream_piece(s, &pending, pending.len, err);
	secret_wipe(chunk, sizeof(chunk));
	return rc;
}

static void fill_result(struct scrub *s, bool as_json)
{
	struct report_account account = { .policy = s->job->common.policy };
	const struct finding_rule *rules;
	size_t n_rules, n;
	const struct redact_count *counts = redact_counts(s->engine->redactor, &n);
	AUTO_FREE struct report_row *rows = xcalloc(n, sizeof(*rows));

	rules = detector_rules(s->engine->detector, &n_rules);
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct report_row){ &rules[counts[i].rule], counts[i].count,
					       counts[i].distinct };
	account.rows = rows;
	account.n_rows = n;
	account.open = s->result->open = redact_open_items(s->engine->redactor) + s->engine->masked +
					 (learned_left_out(s->engine->learned) > 0);
	account.preexisting = redact_preexisting(s->engine->redactor);
	report_table(&account, as_json, &s->result->table);
}

static int learn_all(struct scrub *s, struct err *err)
{
	int rc = RC_OK;

	if (s->engine->learn_texts && !s->job->stream) {
		rc = each_text(s, engine_learn, err);
		if (rc == RC_OK && learned_count(s->engine->learned))
			rc = each_text(s, engine_count, err);
	}
	return rc == RC_OK ? engine_seal(s->engine, err) : rc;
}

static int scrub_texts(struct scrub *s, struct err *err)
{
	int rc = s->job->stream ? RC_OK : gather(s, err);

	if (rc == RC_OK)
		rc = learn_all(s, err);
	if (rc == RC_OK)
		rc = s->job->stream ? stream_all(s, err) : clean_all(s, err);
	if (rc == RC_OK && s->job->common.map_path && !s->job->common.no_map)
		rc = run_map_write(s->engine, s->engine->redactor, s->job->common.map_path, err);
	return rc;
}

static void scrub_done(struct scrub *s)
{
	for (size_t i = 0; i < s->n; i++) {
		artifact_free(s->inputs[i].artifact);
		free(s->inputs[i].path);
		free(s->inputs[i].relative);
	}
	free(s->inputs);
	engine_free(s->engine);
}

int run_scrub(const struct run_scrub_job *job, bool as_json, struct run_scrub_result *ret,
	      struct err *err)
{
	struct scrub s = { .job = job, .result = ret, .err = err };
	AUTO(findings_file) findings = NULL;
	struct run_options common = job->common;
	int rc = RC_OK;

	*ret = (struct run_scrub_result){ .table = BUF_INIT };
	if (job->stream && (job->in_fd < 0 || job->out_path || job->check_only))
		return err_set(err, RC_USAGE, "--stream goes from standard input to standard output");
	if (job->findings_path) {
		rc = findings_file_open(job->findings_path, &findings, err);
		if (rc < 0)
			return rc;
		s.findings = findings;
	}
	/* a key without a case: its tokens agree from one scrub to the next */
	if (common.key_file && !common.case_name && !common.decisions)
		common.case_name = "scrub";
	rc = engine_new(&common, job->common.map_path != NULL, &s.engine, err);
	if (rc == RC_OK)
		rc = scrub_texts(&s, err);
	if (rc == RC_OK)
		rc = findings_file_commit(findings, err);
	if (rc == RC_OK)
		fill_result(&s, as_json);
	else
		buf_done(&ret->table);
	scrub_done(&s);
	return rc;
}

void run_scrub_result_done(struct run_scrub_result *r)
{
	buf_done(&r->table);
}
