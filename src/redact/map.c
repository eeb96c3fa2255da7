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

void map_begin(struct redactor *r, const struct artifact *a)
{
	if (!r->keep_map)
		return;
	GROW(r->artifacts, r->n_artifacts, r->cap_artifacts);
	r->artifacts[r->n_artifacts++] = (struct noted){ .name = xstrdup(a->name),
							 .places = r->n_places };
}

void map_end(struct redactor *r, const uint8_t *sha256)
{
	struct noted *last;

	if (!r->keep_map)
		return;
	last = &r->artifacts[r->n_artifacts - 1];
	if (sha256) {
		memcpy(last->sha256, sha256, DIGEST_LEN);
		return;
	}
	r->n_places = last->places;
	free(last->name);
	r->n_artifacts--;
}

void map_note(struct redactor *r, const struct artifact *a, const struct redact_plan *p,
	      uint64_t at)
{
	uint64_t src = p->from;
	size_t i;

	for (i = 0; i < p->n_edits; i++) {
		const struct edit *e = &p->edits[i];
		bool quoted = e->with_len && e->with[0] == '"';
		struct span with = span_make(e->with + quoted, e->with_len - quoted);
		struct place one = { .off = at + (e->off - src), .len = e->with_len };
		struct span bytes = span_make(a->text.p + e->off, e->len);
		enum kind kind;
		size_t len = value_token_at(with, &kind);

		at += e->off - src + e->with_len;
		src = e->off + e->len;
		if (!len || !value_kind_is_mapped(kind) ||
		    !token_find_text(r, span_make(with.p, len), &one.token))
			continue;
		/* quotes and line ends that stand beside the token are of the edit too */
		if (!r->is_part && len == e->with_len &&
		    span_eq(r->spellings[r->tokens[one.token].spelling].bytes, bytes))
			continue;
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

/* Lines that a map has already, by hash: `old` is its text, which lives longer. */
struct line_wanted { const struct span *lines; struct span line; };
struct old_lines {
	struct numbers have;
	struct span *lines;
	size_t n, cap;
	uint64_t seed;
};

static bool line_eq(const void *ctx, uint32_t i)
{
	const struct line_wanted *w = ctx;

	return span_eq(w->lines[i], w->line);
}

static void old_lines_take(struct old_lines *o, struct span old)
{
	for (size_t at = 0, end; at < old.len; at = end) {
		struct line_wanted w = { .lines = o->lines };
		uint32_t hash, i;

		end = span_line_end(old, at);
		w.line = span_sub(old, at, end);
		hash = numbers_hash(o->seed, 0, w.line);
		if ((!span_starts(w.line, SPAN_LIT("token ")) &&
		     !span_starts(w.line, SPAN_LIT("file "))) ||
		    numbers_find(&o->have, hash, line_eq, &w, &i))
			continue;
		GROW(o->lines, o->n, o->cap);
		o->lines[o->n] = w.line;
		numbers_add(&o->have, hash, (uint32_t)o->n++);
	}
}

static bool old_lines_has(const struct old_lines *o, struct span line)
{
	struct line_wanted w = { o->lines, line };
	uint32_t i;

	return numbers_find(&o->have, numbers_hash(o->seed, 0, line), line_eq, &w, &i);
}

static void old_lines_done(struct old_lines *o)
{
	numbers_done(&o->have);
	free(o->lines);
}

/* Returns whether any of them is new. */
static bool add_tokens(const struct redactor *r, const struct old_lines *old, struct buf *b)
{
	bool news = false;

	for (size_t i = 0; i < r->n_tokens; i++) {
		const struct token *t = &r->tokens[i];
		size_t from = b->len;

		if (!t->keyed || t->stays || !value_kind_is_mapped(t->kind))
			continue;
		buf_addf(b, "token %.*s %s ", (int)t->len, t->text, value_kind_name(t->kind));
		add_quoted(b, r->spellings[t->spelling].bytes);
		buf_add_char(b, '\n');
		news = news || !old_lines_has(old, span_sub(buf_span(b), from, b->len));
	}
	return news;
}

static void add_place(const struct redactor *r, const struct place *p, struct buf *b)
{
	const struct token *t = &r->tokens[p->token];

	buf_addf(b, "at %llu %u %.*s ", (unsigned long long)p->off, p->len, (int)t->len, t->text);
	add_quoted(b, p->spelling);
	buf_add_char(b, '\n');
}

/* The files that the map lacks, each with its places. */
static bool add_files(const struct redactor *r, const struct old_lines *old, struct buf *b)
{
	bool news = false;

	for (size_t i = 0; i < r->n_artifacts; i++) {
		const struct noted *n = &r->artifacts[i];
		size_t end = i + 1 < r->n_artifacts ? r->artifacts[i + 1].places : r->n_places;
		char hex[2 * DIGEST_LEN + 1];
		size_t from = b->len;

		digest_hex(n->sha256, DIGEST_LEN, hex);
		buf_add_str(b, "file ");
		add_quoted(b, span_str(n->name));
		buf_addf(b, " %s\n", hex);
		if (old_lines_has(old, span_sub(buf_span(b), from, b->len))) {
			b->len = from;
			continue;
		}
		news = true;
		for (size_t k = n->places; k < end; k++)
			add_place(r, &r->places[k], b);
	}
	return news;
}

static void add_created(struct buf *b)
{
	char date[32] = "1970-01-01T00:00:00Z";
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_addf(b, "created %s\n", date);
}

void redact_map_text(const struct redactor *r, const char *case_name, struct span old,
		     struct buf *ret)
{
	struct old_lines have = { .seed = r->seed };
	size_t before;
	bool news;

	old_lines_take(&have, old);
	if (old.len) {
		buf_add_span(ret, old);
	} else {
		buf_add_str(ret, MAP_HEAD "case ");
		add_quoted(ret, span_str(case_name ? case_name : ""));
		buf_add_char(ret, '\n');
	}
	before = ret->len;
	add_created(ret);
	news = add_tokens(r, &have, ret);
	news |= add_files(r, &have, ret);
	/* the same run again */
	if (old.len && !news)
		ret->len = before;
	old_lines_done(&have);
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

int redact_map_folders(const char *path, struct err *err)
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
	int rc = map_read_old(path, &old, err);

	if (rc == RC_OK)
		rc = redact_map_folders(path, err);
	if (rc == RC_OK)
		rc = tempfile_open(path, 0600, &t, err);
	if (rc < 0)
		return rc;
	redact_map_text(r, case_name, buf_span(&old), &b);
	rc = file_write_all(tempfile_fd(t), buf_span(&b), path, err);
	return rc < 0 ? rc : tempfile_commit(t, true, err);
}

char *redact_state_path(const char *case_name, const char *what)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	AUTO_FREE char *name = xstrdup(case_name);
	char *p;

	/* a case's name is one file, in this folder */
	for (p = name; *p; p++)
		if (*p == '/' || (p == name && *p == '.'))
			*p = '-';
	if (state && state[0] == '/')
		return xasprintf("%s/corescrub/%s.%s", state, name, what);
	return xasprintf("%s/.local/state/corescrub/%s.%s", home ? home : "", name, what);
}

char *redact_map_path(const char *case_name)
{
	return redact_state_path(case_name, "map");
}
