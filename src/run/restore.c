/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <corescrub/map.h>
#include <corescrub/restore.h>

#include <stdlib.h>
#include <unistd.h>

/* Tokens → the values they stand for, out of private maps. */

/* How far back a link's begin is looked for: further back, it is one. */
#define URL_MAX KIB(8)

struct restore {
	const struct run_restore_job *job;
	struct run_restore_result *result;
	struct private_map *map;
	size_t maps;
	struct sink *out;
	/* of the text at hand */
	struct span text;
	bool html;
	const struct map_file *file;	/* with exact */
	uint32_t run;
};

static int take_map(void *ctx, const char *path, bool expired, struct err *err)
{
	struct restore *r = ctx;
	int rc;

	if (expired)
		return RC_OK;
	rc = run_map_read(path, r->job->identities, r->map, err);
	/* of all cases there are, some may be sealed for somebody else */
	if (rc < 0 && !r->job->case_name && (rc == RC_USAGE || rc == RC_NOTFOUND)) {
		err->code = RC_OK;
		return RC_OK;
	}
	r->maps += rc == RC_OK;
	return rc;
}

static int take_maps(struct restore *r, struct err *err)
{
	int rc = RC_OK;

	for (const char *const *p = r->job->maps; rc == RC_OK && p && *p; p++) {
		rc = run_map_read(*p, r->job->identities, r->map, err);
		r->maps++;
	}
	if (rc == RC_OK && r->maps == 0)
		rc = run_map_each(r->job->case_name, take_map, r, err);
	if (rc == RC_OK && r->maps == 0) {
		rc = err_set(err, RC_NOTFOUND, "there is no private map to restore from");
		err_hint(err, "--map FILE names one; maps older than 90 days have expired");
	}
	return rc;
}

/* A control byte, or one of the C1 controls as UTF-8 has them. */
static size_t control_at(struct span s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i];

	if (c == 0xc2 && i + 1 < s.len && (unsigned char)s.p[i + 1] < 0xa0)
		return 2;
	return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
}

/* On a terminal nothing but text: not what the reply brings, nor what a caller once called
   himself. */
static int put(struct restore *r, struct span s, struct err *err)
{
	AUTO_BUF shown = BUF_INIT;

	if (!r->job->terminal)
		return r->out->write(r->out, s, err);
	for (size_t i = 0; i < s.len;) {
		size_t n = control_at(s, i);

		if (!n)
			buf_add_char(&shown, s.p[i++]);
		for (; n; n--, i++)
			buf_addf(&shown, "\\x%02x", (unsigned char)s.p[i]);
	}
	return r->out->write(r->out, buf_span(&shown), err);
}

/* A value in a page must stay text. */
static int put_value(struct restore *r, struct span s, struct err *err)
{
	AUTO_BUF escaped = BUF_INIT;

	if (!r->html)
		return put(r, s, err);
	for (size_t i = 0; i < s.len; i++) {
		if (strchr("<>&\"'", s.p[i]) && s.p[i])
			buf_addf(&escaped, "&#%d;", s.p[i]);
		else
			buf_add_char(&escaped, s.p[i]);
	}
	return put(r, buf_span(&escaped), err);
}

/* What ends a link on its left side. */
static bool ends_link(char c)
{
	return (unsigned char)c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '`';
}

/* A page's tag, where a link may be broken over lines, begins before `at` and doesn't end. */
static bool in_tag(struct span t, size_t at)
{
	for (size_t i = at; i > 0; i--) {
		if (t.p[i - 1] == '>')
			return false;
		if (t.p[i - 1] == '<' || at - i >= URL_MAX)
			return true;
	}
	return false;
}

/* Does the token at `at` stand in a link? Whoever follows it would send the value away. */
static bool in_link(struct span t, size_t at)
{
	size_t from = at;

	while (from > 0 && !ends_link(t.p[from - 1])) {
		if (at - from >= URL_MAX)
			return true;
		from--;
	}
	t = span_sub(t, from, at);
	for (size_t i = 0; i + 1 < t.len; i++)
		if ((t.p[i] == '/' && t.p[i + 1] == '/') ||
		    (t.len - i >= 4 && strncasecmp(t.p + i, "www.", 4) == 0) ||
		    (t.len - i >= 7 && strncasecmp(t.p + i, "mailto:", 7) == 0))
			return true;
	return false;
}

static void note_unknown(struct restore *r, struct span token)
{
	struct strings *list = &r->result->unknown;

	for (size_t i = 0; i < list->n; i++)
		if (span_eq_str(token, list->v[i]))
			return;
	if (list->n < RESTORE_UNKNOWN_MAX)
		strings_add(list, xstrndup(token.p, token.len));
	else
		r->result->more_unknown++;
}

static int put_token(struct restore *r, size_t at, size_t len, enum kind kind, struct err *err)
{
	struct span token = span_sub(r->text, at, at + len);
	const struct map_token *t = r->file ? private_map_find_in(r->map, r->run, token) :
					      private_map_find(r->map, token);

	if (!value_kind_is_mapped(kind) || !memchr(token.p, '~', token.len))
		r->result->never_kept++;
	else if (!t)
		note_unknown(r, token);
	else if (!r->file && !r->job->in_urls &&
		 (in_link(r->text, at) || (r->html && in_tag(r->text, at))))
		r->result->in_urls++;
	else {
		r->result->restored++;
		return put_value(r, t->original, err);
	}
	return put(r, token, err);
}

static bool is_page(struct span s)
{
	s = span_trim(span_sub(s, 0, 4096));
	return (s.len >= 14 && strncasecmp(s.p, "<!doctype html", 14) == 0) ||
	       (s.len >= 5 && strncasecmp(s.p, "<html", 5) == 0);
}

/* Where the next token or noted place begins; what stands before it is passed on. */
static size_t next_bracket(const struct restore *r, size_t at, size_t place)
{
	const char *p = memchr(r->text.p + at, '[', r->text.len - at);
	size_t next = p ? (size_t)(p - r->text.p) : r->text.len;

	return place < next ? place : next;
}

static int restore_text(struct restore *r, struct err *err)
{
	size_t at = 0, i = 0, n = r->file ? r->file->n : 0, from = 0;
	int rc = RC_OK;

	while (rc == RC_OK && at < r->text.len) {
		const struct map_place *place;
		enum kind kind;
		size_t len;

		while (i < n && r->file->places[i].off < at)	/* only of a damaged map */
			i++;
		place = i < n ? &r->file->places[i] : NULL;

		at = next_bracket(r, at, place ? place->off : r->text.len);
		if (place && at == place->off)
			len = place->len;
		else
			len = value_token_at(span_sub(r->text, at, r->text.len), &kind);
		if (!len) {
			at++;
			continue;
		}
		rc = put(r, span_sub(r->text, from, at), err);
		if (rc == RC_OK && place && at == place->off) {
			r->result->restored++;
			rc = put_value(r, place->spelling, err);
			i++;
		} else if (rc == RC_OK) {
			rc = put_token(r, at, len, kind, err);
		}
		at = from = at + len;
	}
	return rc == RC_OK ? put(r, span_sub(r->text, from, r->text.len), err) : rc;
}

static int restore_span(struct restore *r, struct span text, const char *name, struct err *err)
{
	uint8_t sha256[DIGEST_LEN];

	r->text = text;
	r->html = !r->job->exact && is_page(text);
	if (r->job->exact) {
		digest_sha256(text, sha256);
		r->file = private_map_file(r->map, sha256, &r->run);
		if (!r->file) {
			int rc = err_set(err, RC_NOTFOUND, "%s is no scrubbed text of this map",
					 name);

			err_hint(err, "it must be the very file, not a byte changed");
			return rc;
		}
	}
	return restore_text(r, err);
}

static int restore_inputs(struct restore *r, struct err *err)
{
	const char *const *p = r->job->inputs;
	int rc = RC_OK;

	if (!*p) {
		AUTO(mapping) map = NULL;

		rc = mapping_open(r->job->in_fd, "standard input", &map, err);
		return rc == RC_OK ? restore_span(r, mapping_span(map), "standard input", err) : rc;
	}
	for (; rc == RC_OK && *p; p++) {
		AUTO(mapping) map = NULL;

		rc = mapping_open_path(*p, &map, err);
		if (rc == RC_OK)
			rc = restore_span(r, mapping_span(map), *p, err);
	}
	return rc;
}

static int restore_tokens(struct restore *r, struct err *err)
{
	int rc = RC_OK;

	for (const char *const *p = r->job->tokens; rc == RC_OK && *p; p++) {
		const struct map_token *t = private_map_find(r->map, span_str(*p));

		/* a person types it: anything may stand there */
		if (!t)
			return err_set(err, RC_NOTFOUND, "the private map lacks that token");
		r->result->restored++;
		rc = put(r, t->original, err);
		if (rc == RC_OK)
			rc = put(r, SPAN_LIT("\n"), err);
	}
	return rc;
}

/* Nothing is printed until all of it could be. */
static int restore_spooled(struct restore *r, struct err *err)
{
	AUTO_CLOSE int spool = -1;
	AUTO(tempfile) t = NULL;
	struct sink_fd out;
	int rc = r->job->out_path ? tempfile_open(r->job->out_path, 0600, &t, err) :
				    file_unnamed(true, &spool, err);

	if (rc < 0)
		return rc;
	sink_fd_init(&out, t ? tempfile_fd(t) : spool, "the output");
	r->out = &out.sink;
	rc = r->job->tokens && *r->job->tokens ? restore_tokens(r, err) : restore_inputs(r, err);
	if (rc == RC_OK)
		rc = sink_fd_flush(&out, err);
	buf_done(&out.pending);
	if (rc < 0)
		return rc;
	return t ? tempfile_commit(t, false, err)
		 : file_copy(spool, r->job->out_fd, "standard output", err);
}

int run_restore(const struct run_restore_job *job, struct run_restore_result *ret, struct err *err)
{
	struct restore r = { .job = job, .result = ret };
	int rc;

	*ret = (struct run_restore_result){ 0 };
	r.map = private_map_new();
	rc = take_maps(&r, err);
	if (rc == RC_OK)
		rc = restore_spooled(&r, err);
	private_map_free(r.map);
	if (rc < 0)
		run_restore_result_done(ret);
	return rc;
}

void run_restore_result_done(struct run_restore_result *r)
{
	strings_done(&r->unknown);
}
