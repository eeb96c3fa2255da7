/* SPDX-License-Identifier: Apache-2.0 */
#include "review_internal.h"

#include <corescrub/map.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* The walk through a report: what is shown comes of the scrubbed texts, the private page and, for
   what a token stood for, the private map. */

static bool original_of(void *ctx, struct span token, struct buf *ret)
{
	const struct map_token *t = private_map_find(ctx, token);

	if (t)
		buf_add_span(ret, t->original);
	return t != NULL;
}

struct maps {
	const struct run_review_job *job;
	struct private_map *to;
};

static int add_map(void *ctx, const char *path, bool expired, struct err *err)
{
	const struct maps *m = ctx;
	struct err ignored = ERR_INIT;

	(void)expired;
	(void)err;
	run_map_read(path, m->job->identities, m->to, &ignored);
	return RC_OK;
}

/* Without a map the walk goes on: no more is shown than the report has. */
static int read_map(const struct run_review_job *job, const char *case_name, struct private_map *to,
		    struct err *err)
{
	struct maps maps = { job, to };

	if (job->map_path)
		return run_map_read(job->map_path, job->identities, to, err);
	return run_map_each(case_name, add_map, &maps, err);
}

static int open_decisions(const struct reviewed *r, const char *path, struct decisions **ret,
			  struct err *err)
{
	int rc;

	if (access(path, F_OK) < 0 && errno == ENOENT) {
		*ret = decisions_new(r->case_name, r->key);
		return RC_OK;
	}
	rc = decisions_read(path, ret, err);
	if (rc < 0)
		return rc;
	if (strcmp((*ret)->case_name, r->case_name) != 0)
		return err_set(err, RC_REFUSED, "%s is about another case", path);
	if (strcmp((*ret)->key, r->key ? r->key : "") == 0)
		return RC_OK;
	if (decisions_count(*ret, DECISION_KEEP))
		return err_set(err, RC_REFUSED, "%s is about tokens of another key", path);
	free((*ret)->key);
	(*ret)->key = xstrdup(r->key ? r->key : "");
	return RC_OK;
}

static void summarise(const struct decisions *d, struct run_review_summary *ret)
{
	ret->accept = decisions_count(d, DECISION_ACCEPT) + decisions_count(d, DECISION_PLACE);
	ret->keep = decisions_count(d, DECISION_KEEP);
	ret->redact = decisions_count(d, DECISION_REDACT) + decisions_count(d, DECISION_PATTERN);
	for (size_t i = 0; i < d->n; i++)
		ret->need_approval |= decisions_keep(d, i) && decisions_need_approval(d->v[i].kind);
}

int run_review(const struct run_review_job *job, struct run_review_summary *ret, struct err *err)
{
	AUTO_FREE char *path = NULL;
	AUTO(reviewed) r = NULL;
	AUTO(decisions) d = NULL;
	AUTO(private_map) map = private_map_new();
	struct review_job walk;
	int rc = reviewed_load(job->path, &r, err);

	*ret = (struct run_review_summary){ 0 };
	if (rc == RC_OK)
		rc = read_map(job, r->case_name, map, err);
	if (rc < 0)
		return rc;
	path = job->decisions ? xstrdup(job->decisions) : decisions_path(r->case_name);
	rc = open_decisions(r, path, &d, err);
	if (rc < 0)
		return rc;
	walk = (struct review_job){
		.texts = r->texts, .n_texts = r->n_texts, .items = r->items, .n_items = r->n_items,
		.rules = r->rules, .n_rules = r->n_rules, .can_keep = r->key != NULL, .decisions = d,
		.path = path, .terminal = job->terminal, .original = original_of,
		.check_pattern = run_pattern_check, .ctx = map,
	};
	rc = review_walk(&walk, &ret->walk, err);
	if (rc < 0)
		return rc;
	summarise(d, ret);
	ret->decisions = STEAL(path);
	ret->case_name = xstrdup(r->case_name);
	return RC_OK;
}

void run_review_summary_done(struct run_review_summary *s)
{
	free(s->decisions);
	free(s->case_name);
}
