/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "redact_internal.h"

/*
 * One range's plan: detect, put tokens in, detect again where that changed something, until nothing
 * new is found. Everything is kept in source offsets; the copy with the tokens in lives for one
 * look.
 */

/* From this round on whole lines go: a text that brings forth a finding each round must not win. */
#define ROUND_WIDEN (LIMIT_CLOSURE_ROUNDS - 3)

/* Kept from plan to plan for its memory: ranges come by the thousand. */
struct planner {
	struct redactor *r;
	struct detector *d;
	const struct artifact *a;
	uint64_t from, to;
	unsigned round;
	struct finding_rule const *rules;
	struct findings paths;		/* findings that are not replaced; all paths */
	struct pieces pieces;
	struct barriers barriers;
	struct clusters clusters;
	struct change *changes;
	size_t n_changes, cap_changes;
	size_t fresh;			/* pieces that the last look added */
	struct buf texts;
	struct copy copy;
	/* of one look */
	struct findings found;
	struct pieces left;
	struct barriers look_barriers;	/* of the source: what the first one alone must leave */
};

static void findings_begin(struct findings *f, const struct finding_rule *rules, size_t n)
{
	if (!f->paths.p)
		findings_init(f, rules, n);
	f->rules = rules;
	f->n_rules = n;
	f->n = 0;
	f->paths.len = 1;	/* the NUL of no path */
}

static struct planner *planner_begin(struct redactor *r, struct detector *d,
				     const struct artifact *a)
{
	struct planner *p = r->planner;
	size_t n;

	if (!p)
		p = r->planner = xcalloc(1, sizeof(*p));
	p->r = r;
	p->d = d;
	p->a = a;
	p->round = 1;
	p->rules = detector_rules(d, &n);
	p->fresh = 0;
	p->pieces.n = p->barriers.n = p->clusters.n = p->n_changes = 0;
	findings_begin(&p->paths, p->rules, n);
	findings_begin(&p->found, p->rules, n);
	return p;
}

void planner_free(struct planner *p)
{
	if (!p)
		return;
	findings_done(&p->paths);
	findings_done(&p->found);
	free(p->pieces.v);
	free(p->left.v);
	free(p->look_barriers.v);
	free(p->barriers.v);
	free(p->clusters.v);
	free(p->changes);
	buf_done(&p->texts);
	copy_done(&p->copy);
	free(p);
}

static struct span piece_value(struct planner *p, const struct finding *f)
{
	if (f->form == FORM_PLAIN && !(f->flags & FINDING_IN_STRING))
		return span_make(p->a->text.p + f->off, f->len);
	buf_reset(&p->r->value);
	detect_value(p->d, p->a, f, &p->r->value);
	return p->r->value.len ? buf_span(&p->r->value) : span_make(p->a->text.p + f->off, f->len);
}

/* Clips f (source offsets), in the first look also at what only that must leave. */
static int plan_clip(struct planner *p, const struct finding *f, struct err *err)
{
	const struct finding_rule *rule = &p->rules[f->rule];
	size_t i;
	int rc;

	if (p->round > 1 || !p->look_barriers.n)
		return pieces_add_clipped(&p->pieces, p->a->text, f, rule, &p->barriers, err);
	p->left.n = 0;
	rc = pieces_add_clipped(&p->left, p->a->text, f, rule, &p->barriers, err);
	for (i = 0; rc == RC_OK && i < p->left.n; i++)
		rc = pieces_add_clipped(&p->pieces, p->a->text, &p->left.v[i].f, rule, &p->look_barriers,
					err);
	return rc;
}

/* Clips f and gives its pieces their tokens. */
static int plan_add(struct planner *p, const struct finding *f, bool soft, struct err *err)
{
	size_t i = p->pieces.n, n = i;
	int rc = plan_clip(p, f, err);

	for (; rc == RC_OK && i < p->pieces.n; i++) {
		struct piece one = p->pieces.v[i];

		one.soft = soft;
		one.round = (uint8_t)p->round;
		one.token = NO_TOKEN;
		if (!(one.f.flags & FINDING_LIMIT)) {
			rc = token_find(p->r, one.f.kind, piece_value(p, &one.f), &one.token, NULL,
					err);
			if (rc < 0)
				return rc;
			if (p->r->tokens[one.token].stays && !soft)
				continue;
			one.f.kind = p->r->tokens[one.token].kind;
		}
		p->pieces.v[n++] = one;
		p->fresh++;
	}
	p->pieces.n = n;
	return rc;
}

/* Held back, or for a person to look at: nothing is replaced. */
static bool is_note(const struct finding *f)
{
	return f->flags & (FINDING_HINT | FINDING_HELD);
}

/* Detects in the source; the range grows to the line end behind what began in it. */
static int plan_detect(struct planner *p, struct err *err)
{
	struct findings *found = &p->found;
	uint64_t from = p->from, end;
	size_t i = 0, k, n;

	while (from < p->to) {
		const struct detect_guard *guards;
		int rc = detect_text(p->d, p->a, from, p->to, found, err);

		if (rc < 0)
			return rc;
		guards = detect_guards(p->d, &n);
		for (k = 0; k < n; k++)
			barriers_add(guards[k].between ? &p->look_barriers : &p->barriers, guards[k].off,
				     guards[k].off + guards[k].len, !guards[k].between);
		from = end = p->to;
		for (; i < found->n; i++)
			if (found->v[i].off + found->v[i].len > end)
				end = found->v[i].off + found->v[i].len;
		if (end > p->to)
			p->to = span_line_end(p->a->text, end - 1);
	}
	return RC_OK;
}

static int plan_first_look(struct planner *p, struct err *err)
{
	const struct findings *found = &p->found;
	size_t i;
	int rc;

	p->look_barriers.n = 0;
	rc = plan_detect(p, err);
	if (rc < 0)
		return rc;
	p->r->preexisting += barriers_add_tokens(&p->barriers, p->a->text, p->from, p->to);
	barriers_sort(&p->barriers);
	barriers_sort(&p->look_barriers);
	for (i = 0; rc == RC_OK && i < found->n; i++) {
		struct finding f = found->v[i];

		f.path = findings_path(&p->paths, span_str(found->paths.p + f.path));
		if (is_note(&f))
			findings_add(&p->paths, &f);
		else
			rc = plan_add(p, &f, false, err);
	}
	return rc;
}

static void plan_make_changes(struct planner *p)
{
	size_t i;

	pieces_sort(&p->pieces);
	clusters_make(&p->clusters, &p->pieces, p->rules);
	buf_reset(&p->texts);
	p->n_changes = 0;
	for (i = 0; i < p->clusters.n; i++) {
		const struct cluster *c = &p->clusters.v[i];
		const struct piece *w = &p->pieces.v[c->winner];
		struct change one = { .off = c->off, .end = c->end, .text = p->texts.len };

		one.soft = edit_text(p->r, p->a->text, c, w, &p->rules[w->f.rule], &p->texts);
		one.text_len = p->texts.len - one.text;
		one.fresh = c->round == p->round;
		GROW(p->changes, p->n_changes, p->cap_changes);
		p->changes[p->n_changes++] = one;
	}
}

static int plan_add_source(struct planner *p, struct finding f, uint64_t off, uint64_t end,
			   bool whole, bool soft, struct err *err)
{
	f.off = off;
	f.len = (uint32_t)(end - off);
	f.flags |= FINDING_DERIVED;
	if (soft) {
		f.form = FORM_PLAIN;
		f.flags &= (uint16_t)~FINDING_IN_STRING;
	}
	if (!whole) {
		f.flags |= FINDING_PARTIAL;
		f.flags &= (uint16_t)~(FINDING_QUOTE_OPEN | FINDING_QUOTE_CLOSE);
		if (f.form != FORM_PLAIN && f.form != FORM_GDB_STRING)
			f.flags |= FINDING_MASKED;
	}
	if (p->round >= ROUND_WIDEN) {
		off = span_line_start(p->a->text, off);
		end = span_line_end(p->a->text, end - 1);
		f.off = off < p->from ? p->from : off;
		f.len = (uint32_t)(end - f.off);
		f.flags |= FINDING_MASKED;
		f.form = FORM_PLAIN;
	}
	return plan_add(p, &f, soft, err);
}

struct mapped { struct planner *p; const struct finding *f; struct err *err; };

static int on_mapped(void *ctx, uint64_t off, uint64_t end, bool whole, bool soft)
{
	struct mapped *m = ctx;

	return plan_add_source(m->p, *m->f, off, end, whole, soft, m->err);
}

/* Findings of the copy, cut at its tokens and guards, then mapped. */
static int plan_take(struct planner *p, const struct artifact *copy, struct err *err)
{
	struct barriers *b = &p->look_barriers;
	const struct detect_guard *guards;
	size_t i, n;
	int rc = RC_OK;

	b->n = p->left.n = 0;
	guards = detect_guards(p->d, &n);
	for (i = 0; i < n; i++)
		barriers_add(b, guards[i].off, guards[i].off + guards[i].len, !guards[i].between);
	barriers_add_tokens(b, copy->text, 0, copy->text.len);
	barriers_sort(b);
	for (i = 0; rc == RC_OK && i < p->found.n; i++) {
		struct finding f = p->found.v[i];

		if (is_note(&f))
			continue;	/* the first look had it, or a token is in it */
		f.path = findings_path(&p->paths, span_str(p->found.paths.p + f.path));
		rc = pieces_add_clipped(&p->left, copy->text, &f, &p->rules[f.rule], b, err);
	}
	for (i = 0; rc == RC_OK && i < p->left.n; i++) {
		const struct finding *f = &p->left.v[i].f;
		struct mapped m = { .p = p, .f = f, .err = err };

		rc = copy_source(&p->copy, p->from, f->off, f->off + f->len, on_mapped, &m);
	}
	return rc;
}

static int plan_look_again(struct planner *p, struct err *err)
{
	struct artifact copy = {
		.name = p->a->name,
		.kind = detect_is_gdb(p->d, p->a) ? ARTIFACT_GDB : ARTIFACT_TEXT,
		.text = buf_span(&p->copy.text),
	};
	int rc;

	findings_begin(&p->found, p->rules, p->found.n_rules);
	rc = detect_ranges(p->d, &copy, p->copy.ranges, p->copy.n_ranges, &p->found, err);
	return rc == RC_OK ? plan_take(p, &copy, err) : rc;
}

static int plan_close(struct planner *p, struct err *err)
{
	int rc = RC_OK;

	for (p->round = 1; rc == RC_OK; ) {
		plan_make_changes(p);
		if (p->fresh == 0)
			return RC_OK;
		if (p->round == LIMIT_CLOSURE_ROUNDS)
			return err_set(err, RC_LIMIT, "redaction finds no end behind offset %llu",
				       (unsigned long long)p->from);
		copy_make(&p->copy, p->d, p->a, p->from, p->to, p->changes, p->n_changes,
			  &p->texts);
		p->fresh = 0;
		p->round++;
		rc = plan_look_again(p, err);
	}
	return rc;
}

static void plan_count(struct planner *p)
{
	size_t i;

	for (i = 0; i < p->clusters.n; i++) {
		const struct piece *w = &p->pieces.v[p->clusters.v[i].winner];

		token_count(p->r, w->token, w->f.rule);
	}
	for (i = 0; i < p->pieces.n; i++)
		p->r->open_items += (p->pieces.v[i].f.flags & FINDING_LIMIT) != 0;
	for (i = 0; i < p->paths.n; i++)
		p->r->open_items += (p->paths.v[i].flags & FINDING_HELD) != 0;
}

/* Hands the planner's result over; the order of pieces is that of the findings. */
static struct redact_plan *plan_finish(struct planner *p)
{
	struct redact_plan *plan = xcalloc(1, sizeof(*plan));
	const struct findings *notes = &p->paths;
	size_t i;

	plan->from = p->from;
	plan->to = p->to;
	plan->arena = arena_new();
	plan->edits = xcalloc(p->n_changes ? p->n_changes : 1, sizeof(*plan->edits));
	plan->n_edits = p->n_changes;
	for (i = 0; i < p->n_changes; i++) {
		const struct change *c = &p->changes[i];

		plan->edits[i] = (struct edit){
			.off = c->off, .len = (uint32_t)(c->end - c->off),
			.with = c->text_len ?
				arena_strndup(plan->arena, p->texts.p + c->text, c->text_len) : "",
			.with_len = (uint32_t)c->text_len, .finding = p->clusters.v[i].winner,
		};
	}
	findings_init(&plan->found, p->rules, notes->n_rules);
	for (i = 0; i < p->pieces.n; i++)
		findings_add(&plan->found, &p->pieces.v[i].f);
	for (i = 0; i < notes->n; i++)
		findings_add(&plan->found, &notes->v[i]);
	buf_reset(&plan->found.paths);
	buf_add_span(&plan->found.paths, buf_span(&notes->paths));
	return plan;
}

int redact_plan(struct redactor *r, struct detector *d, const struct artifact *a, uint64_t from,
		uint64_t to, struct redact_plan **ret, struct err *err)
{
	struct planner *p = planner_begin(r, d, a);
	int rc;

	if (to > a->text.len || from > to)
		return err_set(err, RC_INTERNAL, "a range outside of the text");
	p->from = from;
	p->to = to;
	rc = plan_first_look(p, err);
	if (rc == RC_OK)
		rc = plan_close(p, err);
	if (rc < 0)
		return rc;
	plan_count(p);
	*ret = plan_finish(p);
	return RC_OK;
}

void redact_plan_free(struct redact_plan *p)
{
	if (!p)
		return;
	findings_done(&p->found);
	free(p->edits);
	arena_free(p->arena);
	free(p);
}
