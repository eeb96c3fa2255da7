/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/map.h>

#include <stdlib.h>

#include "redact_internal.h"

/* Reads what map.c writes. A map is private, yet may have been damaged: nothing in it is
   trusted. */

struct file_row { uint32_t run; size_t places; };

struct private_map {
	struct buf *texts;		/* quoted strings are undone in place here */
	size_t n_texts, cap_texts;
	struct map_token *tokens;
	uint32_t *runs;			/* token by token */
	size_t n, cap, cap_runs;
	struct map_file *files;
	struct file_row *rows;		/* file by file */
	size_t n_files, cap_files, cap_rows;
	struct map_place *places;
	size_t n_places, cap_places;
	struct numbers by_token, by_run;
	uint64_t seed;
	uint32_t run;
};

/* A line while it is read. */
struct line {
	char *p, *end;
};

struct private_map *private_map_new(void)
{
	struct private_map *m = xcalloc(1, sizeof(*m));

	digest_random(&m->seed, sizeof(m->seed));
	return m;
}

void private_map_free(struct private_map *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_texts; i++)
		buf_done(&m->texts[i]);
	free(m->texts);
	free(m->tokens);
	free(m->runs);
	free(m->files);
	free(m->rows);
	free(m->places);
	numbers_done(&m->by_token);
	numbers_done(&m->by_run);
	free(m);
}

/* A word that ends at a space or the line's end. */
static struct span take_word(struct line *l)
{
	char *from = l->p, *space = memchr(l->p, ' ', (size_t)(l->end - l->p));

	l->p = space ? space + 1 : l->end;
	return span_make(from, (size_t)((space ? space : l->end) - from));
}

static bool take_number(struct line *l, uint64_t *ret)
{
	struct span word = take_word(l);
	uint64_t n = 0;

	if (word.len == 0 || word.len > 19)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.p[i] < '0' || word.p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(word.p[i] - '0');
	}
	*ret = n;
	return true;
}

/* "…", its escapes undone in place. */
static bool take_quoted(struct line *l, struct span *ret)
{
	char *p = l->p, *to = l->p + 1;

	if (p >= l->end || *p++ != '"')
		return false;
	*ret = span_make(to, 0);
	for (; p < l->end && *p != '"'; p++) {
		if (*p != '\\') {
			*to++ = *p;
			continue;
		}
		if (++p >= l->end)
			return false;
		if (*p != 'x') {
			*to++ = *p;
			continue;
		}
		if (l->end - p < 3 || ascii_hex_value(p[1]) < 0 || ascii_hex_value(p[2]) < 0)
			return false;
		*to++ = (char)(ascii_hex_value(p[1]) << 4 | ascii_hex_value(p[2]));
		p += 2;
	}
	if (p >= l->end)
		return false;
	ret->len = (size_t)(to - ret->p);
	l->p = p + 1 < l->end && p[1] == ' ' ? p + 2 : p + 1;
	return true;
}

static bool is_token(struct span word, enum kind *ret_kind)
{
	return word.len && value_token_at(word, ret_kind) == word.len;
}

struct wanted_token { const struct private_map *m; struct span token; uint32_t run; };

static bool token_eq(const void *ctx, uint32_t i)
{
	const struct wanted_token *w = ctx;

	return span_eq(w->m->tokens[i].token, w->token);
}

static bool token_run_eq(const void *ctx, uint32_t i)
{
	const struct wanted_token *w = ctx;

	return w->m->runs[i] == w->run && token_eq(ctx, i);
}

static bool read_token(struct private_map *m, struct line *l)
{
	struct map_token t = { .token = take_word(l) };
	struct wanted_token w = { m, t.token, m->run };
	enum kind of_token;
	uint32_t i, hash;

	if (!is_token(t.token, &of_token) || !value_kind_parse(take_word(l), &t.kind) ||
	    t.kind != of_token || !take_quoted(l, &t.original) || m->n >= UINT32_MAX - 1)
		return false;
	hash = numbers_hash(m->seed, m->run, t.token);
	if (numbers_find(&m->by_run, hash, token_run_eq, &w, &i))
		return true;
	GROW(m->tokens, m->n, m->cap);
	GROW(m->runs, m->n, m->cap_runs);
	m->tokens[m->n] = t;
	m->runs[m->n] = m->run;
	numbers_add(&m->by_run, hash, (uint32_t)m->n);
	hash = numbers_hash(m->seed, 0, t.token);
	if (!numbers_find(&m->by_token, hash, token_eq, &w, &i))
		numbers_add(&m->by_token, hash, (uint32_t)m->n);
	m->n++;
	return true;
}

static bool read_file(struct private_map *m, struct line *l)
{
	struct map_file f = { 0 };

	if (!take_quoted(l, &f.name) || !digest_from_hex(take_word(l), f.sha256))
		return false;
	GROW(m->files, m->n_files, m->cap_files);
	GROW(m->rows, m->n_files, m->cap_rows);
	m->rows[m->n_files] = (struct file_row){ m->run, m->n_places };
	m->files[m->n_files++] = f;
	return true;
}

static bool read_place(struct private_map *m, struct line *l)
{
	struct map_place p = { 0 }, *last = m->n_places ? &m->places[m->n_places - 1] : NULL;
	uint64_t len;

	if (m->n_files == 0 || !take_number(l, &p.off) || !take_number(l, &len) || len > UINT32_MAX ||
	    !is_token(take_word(l), &p.kind) || !take_quoted(l, &p.spelling))
		return false;
	p.len = (uint32_t)len;
	/* sorted and disjoint, or the file could not be put together again */
	if (m->files[m->n_files - 1].n && p.off < last->off + last->len)
		return false;
	GROW(m->places, m->n_places, m->cap_places);
	m->places[m->n_places++] = p;
	m->files[m->n_files - 1].n++;
	return true;
}

static bool read_line(struct private_map *m, struct line *l)
{
	struct span name, word = take_word(l);

	if (span_eq_str(word, "token"))
		return read_token(m, l);
	if (span_eq_str(word, "file"))
		return read_file(m, l);
	if (span_eq_str(word, "at"))
		return read_place(m, l);
	if (span_eq_str(word, "created")) {
		m->run++;
		return take_word(l).len > 0;
	}
	return span_eq_str(word, "case") && take_quoted(l, &name);
}

/* The lists moved while they grew: only now each file's places stand still. */
static void settle(struct private_map *m)
{
	for (size_t i = 0; i < m->n_files; i++)
		m->files[i].places = m->places + m->rows[i].places;
}

int private_map_add(struct private_map *m, struct span text, const char *name, struct err *err)
{
	static const char head[] = "corescrub-map 1\n";
	unsigned number = 1;
	struct buf *copy;

	if (!span_starts(text, SPAN_LIT(head)))
		return err_at(err, RC_FORMAT, name, 1, 1, "this is no private map");
	GROW(m->texts, m->n_texts, m->cap_texts);
	copy = &m->texts[m->n_texts++];
	*copy = (struct buf)BUF_INIT;
	buf_add_span(copy, text);
	m->run++;
	for (size_t at = strlen(head), end; at < copy->len; at = end) {
		struct line l = { .p = copy->p + at };

		number++;
		end = span_line_end(buf_span(copy), at);
		l.end = copy->p + end - (copy->p[end - 1] == '\n');
		if (copy->p[end - 1] != '\n' || !read_line(m, &l) || l.p < l.end)
			return err_at(err, RC_FORMAT, name, number, 1, "the private map is damaged");
	}
	settle(m);
	return RC_OK;
}

const struct map_token *private_map_find(const struct private_map *m, struct span token)
{
	struct wanted_token w = { m, token, 0 };
	uint32_t i;

	return numbers_find(&m->by_token, numbers_hash(m->seed, 0, token), token_eq, &w, &i) ?
		       &m->tokens[i] : NULL;
}

const struct map_token *private_map_find_in(const struct private_map *m, uint32_t run,
					    struct span token)
{
	struct wanted_token w = { m, token, run };
	uint32_t i;

	return numbers_find(&m->by_run, numbers_hash(m->seed, run, token), token_run_eq, &w, &i) ?
		       &m->tokens[i] : NULL;
}

const struct map_file *private_map_file(const struct private_map *m,
					const uint8_t sha256[DIGEST_LEN], uint32_t *ret_run)
{
	for (size_t i = 0; i < m->n_files; i++)
		if (memcmp(m->files[i].sha256, sha256, DIGEST_LEN) == 0) {
			*ret_run = m->rows[i].run;
			return &m->files[i];
		}
	return NULL;
}

const struct map_token *private_map_tokens(const struct private_map *m, size_t *ret_n)
{
	*ret_n = m->n;
	return m->tokens;
}

const struct map_file *private_map_files(const struct private_map *m, size_t *ret_n)
{
	*ret_n = m->n_files;
	return m->files;
}
