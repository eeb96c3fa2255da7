/* SPDX-License-Identifier: Apache-2.0 */
#include "review_internal.h"

#include <stdlib.h>

/* The loop: show, ask, do. After each decision the file is written: a stop at any instant loses
   nothing. */

#define STOP 1

static const char help[] =
	"a  accept: it is right as it stands\n"
	"A  accept this and all that is left of the same rule\n"
	"k  keep: the value itself shall stand there, for a reason that you type\n"
	"r  redact also: a text, pattern or word that must go too\n"
	"n  next, decide this later      p  previous\n"
	"m  more: the next place where it stands\n"
	"u  undo the last decision       s  stop; what was decided is kept\n";

static int save(struct walk *w, struct err *err)
{
	return decisions_write(w->job->decisions, w->job->path, err);
}

static void move_to(struct walk *w, size_t at)
{
	w->at = at;
	w->place = 0;
}

static int accept_step(struct walk *w, const struct step *s, struct err *err)
{
	struct decision one = { .verb = DECISION_ACCEPT, .kind = s->kind };
	AUTO_FREE char *token = s->item ? NULL : xstrndup(s->token.p, s->token.len);

	one.what = token;
	if (s->item) {
		one.verb = DECISION_PLACE;
		one.what = (char *)(uintptr_t)s->item->what;
		one.file = (char *)(uintptr_t)s->item->file;
		one.line = s->item->line;
	}
	return decisions_add(w->job->decisions, &one, err);
}

/* A value that was kept before, and is accepted as replaced now, goes again. */
static bool is_accepted(const struct walk *w, const struct step *s)
{
	if (s->item)
		return step_is_decided(w, s);
	return step_is_decided(w, s) &&
	       decisions_of_token(w->job->decisions, s->token)->verb == DECISION_ACCEPT;
}

/* To the next that is undecided, from the first again behind the last. */
static int go_on(struct walk *w)
{
	size_t next = step_next(w, w->at);

	if (next == w->n)
		next = step_next(w, 0);
	if (next == w->n)
		return STOP;
	move_to(w, next);
	return RC_OK;
}

static int do_accept(struct walk *w, bool all, struct err *err)
{
	const struct step *s = &w->steps[w->at];
	int rc = is_accepted(w, s) ? RC_OK : accept_step(w, s, err);

	for (size_t i = w->at + 1; all && rc == RC_OK && i < w->n; i++)
		if (step_is_alike(s, &w->steps[i]) && !step_is_decided(w, &w->steps[i]))
			rc = accept_step(w, &w->steps[i], err);
	if (rc == RC_OK)
		rc = save(w, err);
	return rc < 0 ? rc : go_on(w);
}

static const char *why_not_kept(const struct walk *w, const struct step *s)
{
	if (s->item)
		return "Nothing was replaced here: accept it, or redact something.\n";
	if (!memchr(s->token.p, '~', s->token.len))
		return "This token stands for any value, so none can be kept by it; --keep-words can.\n";
	if (!w->job->can_keep)
		return "This report's key is gone. Make it again with --key-file, then values can be "
		       "kept.\n";
	return NULL;
}

static int do_keep(struct walk *w, struct err *err)
{
	const struct step *s = &w->steps[w->at];
	const char *wrong = why_not_kept(w, s);
	AUTO_FREE char *token = NULL;
	AUTO_BUF reason = BUF_INIT;
	struct decision one;
	int rc;

	if (wrong) {
		show_text(w, wrong);
		return RC_OK;
	}
	if (decisions_need_approval(s->kind))
		show_text(w, "A credential: the report that shows it will need an approval.\n");
	if (!ask_line(w, "keep, why? ", &reason) || reason.len == 0) {
		show_text(w, "Not kept: a reason is needed.\n");
		return RC_OK;
	}
	token = xstrndup(s->token.p, s->token.len);
	one = (struct decision){ .verb = DECISION_KEEP, .what = token, .kind = s->kind,
				 .reason = reason.p };
	rc = decisions_add(w->job->decisions, &one, err);
	if (rc == RC_FORMAT) {
		show_text(w, "That is no UTF-8.\n");
		return RC_OK;
	}
	if (rc == RC_OK)
		rc = save(w, err);
	return rc < 0 ? rc : go_on(w);
}

static int do_redact(struct walk *w, struct err *err)
{
	int rc = ask_redact(w, err);

	return rc > 0 ? save(w, err) : rc;
}

/* Back to what the undone decision was about. */
static int do_undo(struct walk *w, struct err *err)
{
	struct decisions *d = w->job->decisions;
	AUTO_BUF token = BUF_INIT;
	int rc;

	if (d->n == 0) {
		show_text(w, "There is nothing to undo.\n");
		return RC_OK;
	}
	if (d->v[d->n - 1].verb == DECISION_REDACT || d->v[d->n - 1].verb == DECISION_PATTERN)
		show_text(w, "Undone: what was to go too.\n");
	else
		show_text(w, "Undone.\n");
	buf_add_str(&token, d->v[d->n - 1].what);
	decisions_undo(d);
	rc = save(w, err);
	for (size_t i = 0; i < w->n; i++) {
		const struct step *s = &w->steps[i];
		bool is_it = s->item ? span_eq_str(buf_span(&token), s->item->what) :
				       span_eq(buf_span(&token), s->token);

		if (is_it && !step_is_decided(w, s)) {
			move_to(w, i);
			break;
		}
	}
	return rc;
}

/* One place further, skipping decided ones; at the end the walk is over. */
static int do_next(struct walk *w)
{
	size_t next = step_next(w, w->at + 1);

	if (next == w->n) {
		show_text(w, "That was the last one.\n");
		return STOP;
	}
	move_to(w, next);
	return RC_OK;
}

static int do_command(struct walk *w, char c, struct err *err)
{
	switch (c) {
	case 'a':
	case 'y':
		return do_accept(w, false, err);
	case 'A':
		return do_accept(w, true, err);
	case 'k':
		return do_keep(w, err);
	case 'r':
		return do_redact(w, err);
	case 'n':
		return do_next(w);
	case 'p':
		if (w->at > 0)
			move_to(w, w->at - 1);
		return RC_OK;
	case 'm':
		if (!w->steps[w->at].item)
			w->place = (w->place + 1) % w->steps[w->at].n;
		return RC_OK;
	case 'u':
		return do_undo(w, err);
	case 's':
	case 'q':
		return STOP;
	default:
		show_text(w, help);
		return RC_OK;
	}
}

static int walk(struct walk *w, struct err *err)
{
	AUTO_BUF answer = BUF_INIT;
	bool show = true;
	int rc = go_on(w);

	while (rc == RC_OK) {
		const struct step *s = &w->steps[w->at];
		AUTO_BUF prompt = BUF_INIT;

		if (show)
			show_step(w);
		buf_addf(&prompt, "(%zu/%zu) %s [a,A,k,r,n,p,m,u,s,?]? ", w->at + 1, w->n,
			 step_is_decided(w, s) ? "decided already" :
			 s->item ? "accept this place" : "accept this token");
		if (!ask_line(w, prompt.p, &answer))
			break;
		show = answer.len == 1 && answer.p[0] != '?';
		rc = do_command(w, answer.len == 1 ? answer.p[0] : '?', err);
	}
	return rc < 0 ? rc : RC_OK;
}

int review_walk(const struct review_job *job, struct review_result *ret, struct err *err)
{
	struct walk w = { .job = job };
	int rc;

	steps_make(&w);
	rc = walk(&w, err);
	*ret = (struct review_result){ .all = w.n };
	for (size_t i = 0; i < w.n; i++) {
		if (step_is_decided(&w, &w.steps[i]))
			continue;
		ret->left++;
		ret->left_open += w.steps[i].item && w.steps[i].item->open;
	}
	steps_done(&w);
	return rc;
}
