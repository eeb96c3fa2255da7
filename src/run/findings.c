/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <corescrub/report.h>
#include <corescrub/sarif.h>

#include <stdlib.h>

/* --findings FILE: what was found, a line of JSON each, or SARIF where the file's name ends so. */

struct findings_file {
	struct tempfile *t;
	struct sink_fd out;
	bool sarif, any;
	/* the rules that were met: copies, since the table they came from may be made anew */
	struct finding_rule **rules;
	size_t n, cap;
	const struct finding_rule *last;	/* met last, where it stood */
	/* of the text at hand */
	uint64_t serial;
	const char *text;
	struct buf name;
	uint64_t line, line_off;		/* the line that begins at line_off */
};

int findings_file_open(const char *path, struct findings_file **ret, struct err *err)
{
	struct findings_file *f;
	struct stat st;
	int rc;

	/* told before any work, and before there is other output */
	if (lstat(path, &st) == 0)
		return err_set(err, RC_EXISTS, "%s exists", path);
	f = xcalloc(1, sizeof(*f));
	rc = tempfile_open(path, 0600, &f->t, err);
	if (rc < 0) {
		free(f);
		return rc;
	}
	sink_fd_init(&f->out, tempfile_fd(f->t), path);
	f->sarif = span_ends(span_str(path), SPAN_LIT(".sarif"));
	if (f->sarif) {
		AUTO_BUF head = BUF_INIT;

		sarif_begin(&head);
		rc = f->out.sink.write(&f->out.sink, buf_span(&head), err);
	}
	if (rc == RC_OK)
		*ret = f;
	else
		findings_file_free(f);
	return rc;
}

void findings_file_free(struct findings_file *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++) {
		free((char *)(uintptr_t)f->rules[i]->id);
		free((char *)(uintptr_t)f->rules[i]->summary);
		free(f->rules[i]);
	}
	free(f->rules);
	buf_done(&f->name);
	buf_done(&f->out.pending);
	tempfile_free(f->t);
	free(f);
}

static void meet_rule(struct findings_file *f, const struct finding_rule *rule)
{
	struct finding_rule *copy;

	if (rule == f->last)
		return;
	f->last = rule;
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->rules[i]->id, rule->id) == 0)
			return;
	copy = xcalloc(1, sizeof(*copy));
	*copy = *rule;
	copy->id = xstrdup(rule->id);
	copy->summary = xstrdup(rule->summary ? rule->summary : "");
	GROW(f->rules, f->n, f->cap);
	f->rules[f->n++] = copy;
}

/* A new text: its name, cleaned once, and its first line. */
static int begin_text(struct findings_file *f, struct engine *e, const struct artifact *a,
		      const char *shown, struct err *err)
{
	if (f->text == a->text.p && f->serial == a->serial && f->name.p)
		return RC_OK;
	f->text = a->text.p;
	f->serial = a->serial;
	f->line = 1;
	f->line_off = 0;
	buf_reset(&f->name);
	buf_add_str(&f->name, shown ? shown : "");
	return shown ? RC_OK : engine_clean_name(e, span_str(a->name), &f->name, err);
}

/* Moves to the line of an offset; offsets come in rising order for one text. */
static void find_line(struct findings_file *f, const struct artifact *a, uint64_t off)
{
	const char *nl;

	if (off < f->line_off) {
		f->line = 1;
		f->line_off = 0;
	}
	while ((nl = memchr(a->text.p + f->line_off, '\n', off - f->line_off))) {
		f->line_off = (uint64_t)(nl + 1 - a->text.p);
		f->line++;
	}
}

/* Bytes that begin a character of UTF-8; what is none of it counts by bytes. */
static uint64_t code_points(struct span s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static int write_one(struct findings_file *f, const struct artifact *a, const struct redact_plan *p,
		     const struct edit *e, struct err *err)
{
	const struct finding *found = &p->found.v[e->finding];
	const struct finding_rule *rule = &p->found.rules[found->rule];
	const char *path = p->found.paths.p + found->path;
	struct span token = span_make(e->with, e->with_len);
	AUTO_BUF text = BUF_INIT;
	int rc;

	find_line(f, a, e->off);
	if (f->sarif) {
		struct sarif_place at = {
			f->name.p, f->line, 1, e->off, e->len, path,
		};

		at.col += code_points(span_sub(a->text, f->line_off, e->off));
		meet_rule(f, rule);
		rc = sarif_result(found, rule, token, &at, !f->any, &text, err);
		f->any = true;
	} else {
		rc = report_finding(found, rule, token, f->name.p, f->line, e->off - f->line_off + 1, path,
				    &text, err);
	}
	return rc == RC_OK ? f->out.sink.write(&f->out.sink, buf_span(&text), err) : rc;
}

int findings_file_add(struct findings_file *f, struct engine *e, const struct artifact *a,
		      const char *shown, const struct redact_plan *p, struct err *err)
{
	int rc;

	if (!f || p->n_edits == 0)
		return RC_OK;
	rc = begin_text(f, e, a, shown, err);
	for (size_t i = 0; rc == RC_OK && i < p->n_edits; i++)
		rc = write_one(f, a, p, &p->edits[i], err);
	return rc;
}

int findings_file_commit(struct findings_file *f, struct err *err)
{
	AUTO_BUF tail = BUF_INIT;
	int rc = RC_OK;

	if (!f)
		return RC_OK;
	if (f->sarif)
		rc = sarif_end((const struct finding_rule *const *)f->rules, f->n, &tail, err);
	if (rc == RC_OK && tail.len)
		rc = f->out.sink.write(&f->out.sink, buf_span(&tail), err);
	if (rc == RC_OK)
		rc = sink_fd_flush(&f->out, err);
	return rc == RC_OK ? tempfile_commit(f->t, false, err) : rc;
}
