/* SPDX-License-Identifier: Apache-2.0 */
#include "core_job.h"

#include <stdlib.h>
#include <unistd.h>

/* Pass one over a core: what its variables, its environment and the rules say of its memory. */

/* Parts that nothing may edit become ranges; the others stay parts. */
static void sort_parts(struct core_job *j)
{
	size_t n = 0;

	j->fixed = xcalloc(j->n_parts + 1, sizeof(*j->fixed));
	for (size_t i = 0; i < j->n_parts; i++) {
		const struct elfcore_part one = j->parts[i], *p = &one;
		struct detect_range *last = j->n_fixed ? &j->fixed[j->n_fixed - 1] : NULL;

		if (p->kind != ELFCORE_FIXED) {
			j->longest = p->len > j->longest ? p->len : j->longest;
			j->parts[n++] = *p;
		}
		if (p->kind != ELFCORE_FIXED && p->kind != ELFCORE_REGISTERS)
			continue;
		if (!last || p->off > last->off + last->len)
			j->fixed[j->n_fixed++] = (struct detect_range){ p->off, p->len };
		else if (p->off + p->len > last->off + last->len)
			last->len = p->off + p->len - last->off;
	}
	j->n_parts = n;
}

int core_job_new(struct engine *e, struct elfcore *core, const struct core_options *o,
		 struct core_job **ret, struct err *err)
{
	AUTO(core_job) j = xcalloc(1, sizeof(*j));
	int rc;

	j->e = e;
	j->core = core;
	j->o = o;
	j->spill = -1;
	j->threads = pipe_threads(o->jobs);
	j->known = detect_addresses_new();
	findings_init(&j->typed, NULL, 0);
	rc = elfcore_parts(core, &j->parts, &j->n_parts, err);
	if (rc == RC_OK)
		sort_parts(j);
	if (rc == RC_OK && o->stacks)
		rc = elfcore_stack_ranges(core, &j->kept, &j->n_kept, err);
	if (rc == RC_OK)
		rc = file_unnamed(false, &j->spill, err);
	if (rc < 0)
		return rc;
	*ret = STEAL(j);
	return RC_OK;
}

void core_job_free(struct core_job *j)
{
	if (!j)
		return;
	if (j->spill >= 0)
		close(j->spill);
	findings_done(&j->typed);
	free(j->config_folder);
	detect_addresses_free(j->known);
	free(j->parts);
	free(j->fixed);
	free(j->kept);
	free(j);
}

void core_progress(const struct core_job *j, const char *phase, uint64_t done)
{
	const struct run_listener *l = j->o->listener;

	if (l && l->progress)
		l->progress(l->ctx, phase, done, elfcore_info(j->core)->size);
}

int detectors_new(const struct core_job *j, bool learned, struct detectors *ret, struct err *err)
{
	*ret = (struct detectors){ .v = xcalloc(j->threads, sizeof(*ret->v)) };
	while (ret->n < j->threads) {
		int rc = detector_new(j->e->rules, learned ? j->e->learned : NULL, &ret->v[ret->n],
				      err);

		if (rc < 0) {
			detectors_done(ret);
			return rc;
		}
		ret->n++;
	}
	return RC_OK;
}

void detectors_done(struct detectors *d)
{
	for (unsigned i = 0; i < d->n; i++)
		detector_free(d->v[i]);
	free(d->v);
	*d = (struct detectors){ .v = NULL };
}

size_t core_part_find(const struct core_job *j, uint64_t off)
{
	size_t lo = 0, hi = j->n_parts;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (j->parts[mid].off < off)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo > 0 && j->parts[lo - 1].off + j->longest > off)
		lo--;
	return lo;
}

/* The environment is a file of KEY=value lines. */
static int learn_environment(struct core_job *j, struct err *err)
{
	for (size_t i = 0; i < j->n_parts; i++) {
		const struct elfcore_part *p = &j->parts[i];
		AUTO_BUF text = BUF_INIT;
		ssize_t n;
		int rc;

		if (p->kind != ELFCORE_ENVIRONMENT)
			continue;
		if (buf_reserve_input(&text, p->len, MIB(8), err) < 0)
			return RC_TOOBIG;
		n = pread(elfcore_fd(j->core), text.p, p->len, (off_t)p->off);
		text.len = n < 0 ? 0 : (size_t)n;
		for (size_t k = 0; k < text.len; k++)
			if (text.p[k] == '\0')
				text.p[k] = '\n';
		rc = learned_config(j->e->learned, j->e->rules, buf_span(&text), "environment",
				    err);
		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

struct pass_one {
	struct core_job *j;
	struct detectors detectors;
	const struct finding_rule *rules;
	size_t n_pack;
	struct sink_fd spill;
};

/* argv is one command line, not many strings. */
static void join_arguments(const struct core_job *j, struct pipe_chunk *c)
{
	uint64_t end = c->off + c->bytes.len;

	for (size_t i = core_part_find(j, c->off); i < j->n_parts && j->parts[i].off < end; i++) {
		const struct elfcore_part *p = &j->parts[i];
		uint64_t from = p->off > c->off ? p->off : c->off;
		uint64_t to = p->off + p->len < end ? p->off + p->len : end;

		if (p->kind == ELFCORE_ARGUMENTS)
			for (char *b = c->bytes.p + (from - c->off); from < to; from++, b++)
				*b = *b ? *b : ' ';
	}
}

static int rules_look(void *ctx, unsigned thread, struct pipe_chunk *c, struct err *err)
{
	struct pass_one *p = ctx;
	struct detect_window w;

	join_arguments(p->j, c);
	w = (struct detect_window){ .bytes = buf_span(&c->bytes),
				    .off = c->off,
				    .from = c->from,
				    .to = c->to,
				    .core = p->j->core };
	return detect_memory_rules(p->detectors.v[thread], &w, &c->found, err);
}

static bool is_address(enum kind kind)
{
	return kind == KIND_IP4 || kind == KIND_IP4_LAN || kind == KIND_IP6 || kind == KIND_IP6_LAN;
}

static int learn_finding(struct pass_one *p, const struct pipe_chunk *c, const struct finding *f,
			 struct err *err)
{
	bool learns = ruleset_rule(p->j->e->rules, f->rule)->learn;
	AUTO_BUF value = BUF_INIT;

	if ((!learns && !is_address(f->kind)) || (f->flags & FINDING_LIMIT) ||
	    f->len > LIMIT_LEARN_VALUE)
		return RC_OK;
	detect_memory_value(p->detectors.v[0], f, span_make(c->bytes.p + (f->off - c->off), f->len),
			    &value);
	if (is_address(f->kind))
		detect_addresses_add(p->j->known, f->kind, buf_span(&value));
	if (!learns || !p->j->e->learn_texts)
		return RC_OK;
	/* a private key stands in memory as its integers too */
	if (f->kind == KIND_KEY && span_starts(buf_span(&value), SPAN_LIT("-----BEGIN ")))
		return learned_config(p->j->e->learned, p->j->e->rules, buf_span(&value),
				      "a key in the core", err);
	return learned_add(p->j->e->learned, f->kind, buf_span(&value), LEARN_MATERIAL, err);
}

static int rules_take(void *ctx, struct pipe_chunk *c, struct err *err)
{
	struct pass_one *p = ctx;
	int rc = RC_OK;

	findings_sort(&c->found);
	for (size_t i = 0; rc == RC_OK && i < c->found.n; i++)
		rc = learn_finding(p, c, &c->found.v[i], err);
	if (rc == RC_OK && c->found.n)
		rc = p->spill.sink.write(
			&p->spill.sink,
			span_make((const char *)c->found.v, c->found.n * sizeof(*c->found.v)), err);
	p->j->n_spilled += c->found.n;
	core_progress(p->j, "learning", c->off + c->to);
	return rc;
}

static int pass_one(struct core_job *j, struct err *err)
{
	struct pass_one p = { .j = j };
	struct pipe_job job = {
		.fd = elfcore_fd(j->core),
		.size = elfcore_info(j->core)->size,
		.threads = j->threads,
		.look = rules_look,
		.take = rules_take,
		.ctx = &p,
	};
	int rc = detectors_new(j, false, &p.detectors, err);

	if (rc < 0)
		return rc;
	sink_fd_init(&p.spill, j->spill, "what was found");
	rc = pipe_run(&job, err);
	if (rc == RC_OK)
		rc = sink_fd_flush(&p.spill, err);
	else
		buf_done(&p.spill.pending);
	detectors_done(&p.detectors);
	return rc;
}

int core_job_learn(struct core_job *j, struct err *err)
{
	int rc = RC_OK;

	core_progress(j, "learning", 0);
	if (j->e->learn_texts)
		rc = learn_environment(j, err);
	if (rc == RC_OK)
		rc = core_symbols_learn(j, err);
	return rc == RC_OK ? pass_one(j, err) : rc;
}
