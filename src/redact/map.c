/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "redact_internal.h"

/* The private map, as doc/formats.md has it: lines of words and quoted strings. */

#define MAP_HEAD "corescrub-map 1\n"
#define MAP_MAX MIB(512)	/* a map that was there, read to be added to */

void map_note(struct redactor *r, const struct artifact *a, const struct redact_plan *p,
	      uint64_t at, uint32_t *artifact)
{
	uint64_t src = p->from;
	size_t i;

	for (i = 0; i < p->n_edits; i++) {
		const struct edit *e = &p->edits[i];
		bool quoted = e->with_len && e->with[0] == '"';
		struct span with = span_make(e->with + quoted, e->with_len - quoted);
		struct place one = { .off = at + (e->off - src) + quoted };
		struct span bytes = span_make(a->text.p + e->off, e->len);
		enum kind kind;
		size_t len = value_token_at(with, &kind);

		at += e->off - src + e->with_len;
		src = e->off + e->len;
		if (!len || !value_kind_is_mapped(kind) ||
		    !token_find_text(r, span_make(with.p, len), &one.token) ||
		    span_eq(r->spellings[r->tokens[one.token].spelling].bytes, bytes))
			continue;
		if (*artifact == UINT32_MAX) {
			GROW(r->artifacts, r->n_artifacts, r->cap_artifacts);
			*artifact = (uint32_t)r->n_artifacts;
			r->artifacts[r->n_artifacts++] = xstrdup(a->name);
		}
		one.artifact = *artifact;
		one.spelling = span_make(arena_strndup(r->arena, bytes.p, bytes.len), bytes.len);
		GROW(r->places, r->n_places, r->cap_places);
		r->places[r->n_places++] = one;
	}
}

static void add_quoted(struct buf *b, struct span s)
{
	size_t i;

	buf_add_char(b, '"');
	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			buf_addf(b, "\\x%02x", c);
		else
			buf_add_char(b, (char)c);
	}
	buf_add_char(b, '"');
}

static void map_body(const struct redactor *r, struct buf *b)
{
	size_t i;

	for (i = 0; i < r->n_tokens; i++) {
		const struct token *t = &r->tokens[i];

		if (!t->keyed || t->stays || !value_kind_is_mapped(t->kind))
			continue;
		buf_addf(b, "token %.*s %s ", (int)t->len, t->text, value_kind_name(t->kind));
		add_quoted(b, r->spellings[t->spelling].bytes);
		buf_add_char(b, '\n');
	}
	for (i = 0; i < r->n_places; i++) {
		const struct place *p = &r->places[i];
		const struct token *t = &r->tokens[p->token];

		buf_add_str(b, "at ");
		add_quoted(b, span_str(r->artifacts[p->artifact]));
		buf_addf(b, " %llu %.*s ", (unsigned long long)p->off, (int)t->len, t->text);
		add_quoted(b, p->spelling);
		buf_add_char(b, '\n');
	}
}

static void map_head(struct buf *b, const char *case_name)
{
	char date[32] = "1970-01-01T00:00:00Z";
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_add_str(b, MAP_HEAD "case ");
	add_quoted(b, span_str(case_name ? case_name : ""));
	buf_addf(b, "\ncreated %s\n", date);
}

struct line_wanted { struct span *lines; struct span line; };

static bool line_eq(const void *ctx, uint32_t i)
{
	const struct line_wanted *w = ctx;

	return span_eq(w->lines[i], w->line);
}

/* A case may have several runs: what an earlier one noted stays. */
static void map_add_old(struct buf *b, size_t body, struct span old, uint64_t seed)
{
	struct numbers have = { .n = 0 };
	struct line_wanted w = { .lines = NULL };
	size_t n = 0, cap = 0, at, end, pass;
	AUTO_BUF mine = BUF_INIT;

	buf_add(&mine, b->p + body, b->len - body);
	for (pass = 0; pass < 2; pass++) {
		struct span text = pass ? old : buf_span(&mine);

		for (at = 0; at < text.len; at = end) {
			const char *nl = memchr(text.p + at, '\n', text.len - at);
			uint32_t hash, i;

			end = nl ? (size_t)(nl - text.p) + 1 : text.len;
			w.line = span_sub(text, at, end);
			hash = numbers_hash(seed, 0, w.line);
			if ((pass && !span_starts(w.line, SPAN_LIT("token ")) &&
			     !span_starts(w.line, SPAN_LIT("at "))) ||
			    !nl || numbers_find(&have, hash, line_eq, &w, &i))
				continue;
			GROW(w.lines, n, cap);
			w.lines[n] = w.line;
			numbers_add(&have, hash, (uint32_t)n++);
			if (pass)
				buf_add_span(b, w.line);
		}
	}
	numbers_done(&have);
	free(w.lines);
}

static int map_read_old(const char *path, struct buf *ret, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int rc;

	if (fd < 0 && errno == ENOENT)
		return RC_OK;
	if (fd < 0)
		return err_errno(err, RC_IO, "can't open %s", path);
	rc = file_check_trusted(fd, path, true, err);
	if (rc == RC_OK)
		rc = file_read(path, MAP_MAX, ret, err);
	if (rc == RC_OK && !span_starts(buf_span(ret), SPAN_LIT(MAP_HEAD)))
		rc = err_set(err, RC_EXISTS, "%s exists and is no private map", path);
	return rc;
}

/* The folders above path, mode 0700 where they are missing. */
static int map_make_folders(const char *path, struct err *err)
{
	AUTO_FREE char *p = xstrdup(path);
	char *slash = p;

	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		if (mkdir(p, 0700) < 0 && errno != EEXIST)
			return err_errno(err, RC_IO, "can't make folder %s", p);
		*slash = '/';
	}
	return RC_OK;
}

int redact_map_write(const struct redactor *r, const char *path, const char *case_name,
		     struct err *err)
{
	AUTO(tempfile) t = NULL;
	AUTO_BUF old = BUF_INIT;
	AUTO_BUF b = BUF_INIT;
	size_t body;
	int rc = map_read_old(path, &old, err);

	if (rc == RC_OK)
		rc = map_make_folders(path, err);
	if (rc == RC_OK)
		rc = tempfile_open(path, 0600, &t, err);
	if (rc < 0)
		return rc;
	map_head(&b, case_name);
	body = b.len;
	map_body(r, &b);
	map_add_old(&b, body, buf_span(&old), r->seed);
	rc = file_write_all(tempfile_fd(t), buf_span(&b), path, err);
	return rc < 0 ? rc : tempfile_commit(t, true, err);
}

char *redact_map_path(const char *case_name)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	AUTO_FREE char *name = xstrdup(case_name);
	char *p;

	/* a case's name is one file, in this folder */
	for (p = name; *p; p++)
		if (*p == '/' || (p == name && *p == '.'))
			*p = '-';
	if (state && state[0] == '/')
		return xasprintf("%s/corescrub/%s.map", state, name);
	return xasprintf("%s/.local/state/corescrub/%s.map", home ? home : "", name);
}
