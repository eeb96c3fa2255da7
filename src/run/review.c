/* SPDX-License-Identifier: Apache-2.0 */
#include "review_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The walk through a report: what is shown comes of the scrubbed texts, the private page and, for what a
   token stood for, the private map. */

#define MAP_MAX MIB(512)

/* One quoted string of the map, its escapes undone (doc/formats.md). */
static bool unquote(struct span s, struct buf *ret)
{
	if (s.len < 2 || s.p[0] != '"')
		return false;
	for (size_t i = 1; i < s.len; i++) {
		unsigned value;

		if (s.p[i] == '"')
			return true;
		if (s.p[i] != '\\') {
			buf_add_char(ret, s.p[i]);
		} else if (i + 1 < s.len && s.p[i + 1] != 'x') {
			buf_add_char(ret, s.p[++i]);
		} else {
			char hex[3] = { i + 2 < s.len ? s.p[i + 2] : 0, i + 3 < s.len ? s.p[i + 3] : 0 };

			value = (unsigned)strtoul(hex, NULL, 16);
			buf_add_char(ret, (char)value);
			i += 3;
		}
	}
	return false;
}

static bool original_of(void *ctx, struct span token, struct buf *ret)
{
	struct span map = buf_span(ctx);
	AUTO_BUF wanted = BUF_INIT;
	ssize_t at;

	buf_add_str(&wanted, "\ntoken ");
	buf_add_span(&wanted, token);
	buf_add_char(&wanted, ' ');
	at = span_find(map, buf_span(&wanted), 0);
	if (at < 0)
		return false;
	at = span_find(map, SPAN_LIT("\""), (size_t)at);
	return at >= 0 && unquote(span_sub(map, (size_t)at, map.len), ret);
}

/* Without a map the walk goes on: no more is shown than the report has. */
static int read_map(const struct run_review_job *job, const char *case_name, struct buf *ret,
		    struct err *err)
{
	AUTO_FREE char *path = job->map_path ? xstrdup(job->map_path) : redact_map_path(case_name);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	int rc;

	if (fd < 0 && !job->map_path && errno == ENOENT)
		return RC_OK;
	if (fd < 0)
		return err_errno(err, RC_NOTFOUND, "can't open %s", path);
	rc = file_check_trusted(fd, path, true, err);
	return rc < 0 ? rc : file_read(path, MAP_MAX, ret, err);
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
	AUTO_BUF map = BUF_INIT;
	struct review_job walk;
	int rc = reviewed_load(job->path, &r, err);

	*ret = (struct run_review_summary){ 0 };
	if (rc == RC_OK)
		rc = read_map(job, r->case_name, &map, err);
	if (rc < 0)
		return rc;
	path = job->decisions ? xstrdup(job->decisions) : decisions_path(r->case_name);
	rc = open_decisions(r, path, &d, err);
	if (rc < 0)
		return rc;
	walk = (struct review_job){
		.texts = r->texts, .n_texts = r->n_texts, .items = r->items, .n_items = r->n_items,
		.rules = r->rules, .n_rules = r->n_rules, .can_keep = r->key != NULL, .decisions = d,
		.path = path, .terminal = job->terminal, .original = map.len ? original_of : NULL,
		.check_pattern = run_pattern_check, .ctx = &map,
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
