/* SPDX-License-Identifier: Apache-2.0 */
#include "check_internal.h"

#include <corescrub/artifact_seal.h>
#include <stdlib.h>

#define KNOWN_MIN 4		/* shorter values stand everywhere by chance */

struct check *check_new(void)
{
	struct check *c = xcalloc(1, sizeof(*c));

	c->arena = arena_new();
	return c;
}

void check_free(struct check *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_known; i++)
		secret_wipe((char *)(uintptr_t)c->known[i].value.p, c->known[i].value.len);
	for (size_t k = 0; k < KIND_COUNT; k++)
		for (size_t e = 0; e < ENC_COUNT; e++)
			free(c->what[k][e]);
	check_table_done(c);
	buf_done(&c->bytes);
	free(c->needles);
	arena_free(c->arena);
	free(c->known);
	free(c->keep);
	free(c->pass);
	free(c);
}

/* Copies into the arena. */
static struct span check_copy(struct check *c, struct span s)
{
	return span_make(arena_strndup(c->arena, s.p, s.len), s.len);
}

void check_know(struct check *c, enum kind kind, struct span value)
{
	if (value.len < KNOWN_MIN || value_stays(kind, value) || value_is_tokens(value))
		return;
	GROW(c->known, c->n_known, c->cap_known);
	c->known[c->n_known++] = (struct known){ kind, check_copy(c, value) };
	c->sealed = false;
}

void check_keep(struct check *c, struct span word)
{
	GROW(c->keep, c->n_keep, c->cap_keep);
	c->keep[c->n_keep++] = check_copy(c, word);
	c->sealed = false;
}

void check_pass(struct check *c, struct span spelling)
{
	GROW(c->pass, c->n_pass, c->cap_pass);
	c->pass[c->n_pass++] = check_copy(c, spelling);
}

void check_allow(struct check *c, enum kind kind)
{
	c->allowed |= 1u << kind;
}

static bool check_is_kept(const struct check *c, struct span word)
{
	for (size_t i = 0; i < c->n_keep; i++)
		if (c->keep[i].len == word.len &&
		    strncasecmp(c->keep[i].p, word.p, word.len) == 0)
			return true;
	return false;
}

/* Shapes leave out a sign, a bracket, a prefix that the rules take along, or the reverse. */
static bool check_is_passed(const struct check *c, struct span found)
{
	for (size_t i = 0; i < c->n_pass; i++)
		if (span_find(c->pass[i], found, 0) >= 0)
			return true;
	return false;
}

static int known_compare(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	size_t n = x->value.len < y->value.len ? x->value.len : y->value.len;
	int d = memcmp(x->value.p, y->value.p, n);

	if (d)
		return d;
	if (x->value.len != y->value.len)
		return x->value.len < y->value.len ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

int check_seal(struct check *c, struct err *err)
{
	(void)err;
	if (c->n_known)
		qsort(c->known, c->n_known, sizeof(*c->known), known_compare);
	c->n_needles = 0;
	buf_reset(&c->bytes);
	for (size_t i = 0; i < c->n_known; i++) {
		if (i && known_compare(&c->known[i - 1], &c->known[i]) == 0)
			continue;
		if (!check_is_kept(c, c->known[i].value))
			check_encode(c, &c->known[i]);
	}
	check_table_build(c);
	c->sealed = true;
	return RC_OK;
}

/* In a frame's head, which no edit may touch, a learned word is the program's own: a caller who got
   the name of a function learned must not be able to keep every report from being made. */
static bool look_in_frame_head(struct span t, size_t off)
{
	size_t from = off;
	bool quoted = false;

	while (from > 0 && t.p[from - 1] != '\n' && off - from < KIB(4))
		from--;
	if (from + 1 >= t.len || t.p[from] != '#' || !is_digit(t.p[from + 1]))
		return false;
	for (size_t i = from; i < off; i++) {
		if (t.p[i] == '\\')
			i++;
		else if (t.p[i] == '"')
			quoted = !quoted;
	}
	return !quoted;
}

void look_item(struct look *l, struct check_item item)
{
	int rc;

	if (l->rc < 0)
		return;
	if (item.level != CHECK_LEAK && l->c->n_keep &&
	    check_is_kept(l->c, span_make(l->text.p + item.off, item.len)))
		return;
	if (item.level != CHECK_LEAK && l->c->n_pass &&
	    check_is_passed(l->c, span_make(l->text.p + item.off, item.len)))
		return;
	if (l->own && item.level != CHECK_LEAK)
		return;
	if (item.level == CHECK_LEAK && !l->memory &&
	    (l->own || look_in_frame_head(l->text, item.off)))
		item.level = CHECK_OPEN;
	if (item.level == CHECK_LEAK) {
		l->leak = true;
		if (l->places)
			places_add(l->places, item.off, item.len, item.kind);
	}
	if (!l->fn)
		return;
	rc = l->fn(l->ctx, l->name, &item);
	if (rc < 0)
		l->rc = rc;
}

static int look_at(struct look *l, struct err *err)
{
	if (!l->c->sealed)
		return err_set(err, RC_INTERNAL, "check: not sealed before use");
	check_scan(l);
	if (l->rc < 0)
		return l->rc;
	if (l->leak)
		return err_set(err, RC_LEAK, "a known value is still in the output");
	return RC_OK;
}

int check_look(struct check *c, const char *name, struct span text, check_item_fn fn, void *ctx,
	       struct err *err)
{
	struct look l = { .c = c, .name = name, .text = text, .fn = fn, .ctx = ctx };

	return look_at(&l, err);
}

struct name_look {
	check_item_fn fn;
	void *ctx;
};

static int name_item(void *ctx, const char *name, const struct check_item *item)
{
	const struct name_look *l = ctx;
	struct check_item in_name = { .level = item->level, .kind = item->kind, .known = true,
				      .what = "a known value in the file's name" };

	return l->fn(l->ctx, name, &in_name);
}

/* The name goes out too. It was cleaned before it was given an ending, so it is as our own words
   are. */
static int clean(struct look *l, struct buf *text, struct scrubbed **ret, struct err *err)
{
	struct name_look in_name = { l->fn, l->ctx };
	struct look of_name = {
		.c = l->c, .name = l->name, .text = span_str(l->name), .own = l->fn != NULL,
		.fn = l->fn ? name_item : NULL, .ctx = &in_name,
	};
	int rc = look_at(l, err);

	if (rc == RC_OK)
		rc = look_at(&of_name, err);
	if (rc < 0)
		return rc;
	*ret = scrubbed_seal(l->name, text);
	return RC_OK;
}

struct memory_items {
	size_t from, to;
	check_item_fn fn;
	void *ctx;
};

static int memory_item(void *ctx, const char *name, const struct check_item *item)
{
	const struct memory_items *m = ctx;

	return item->off >= m->from && item->off < m->to ? m->fn(m->ctx, name, item) : 0;
}

int check_memory(struct check *c, struct span bytes, size_t from, size_t to, check_item_fn fn,
		 void *ctx, struct err *err)
{
	struct memory_items items = { from, to, fn, ctx };
	struct look l = { .c = c, .name = "", .text = bytes, .fn = memory_item, .ctx = &items,
			  .memory = true };

	if (!c->sealed)
		return err_set(err, RC_INTERNAL, "check: not sealed before use");
	/* a needle is found by a place within its first 64 bytes */
	check_scan_memory(&l, from, to + 128);
	return l.rc;
}

int check_clean(struct check *c, const char *name, struct buf *text, check_item_fn fn, void *ctx,
		struct scrubbed **ret, struct err *err)
{
	struct look l = { .c = c, .name = name, .text = buf_span(text), .fn = fn, .ctx = ctx };

	return clean(&l, text, ret, err);
}

int check_clean_own(struct check *c, const char *name, struct buf *text, check_item_fn fn,
		    void *ctx, struct scrubbed **ret, struct err *err)
{
	struct look l = {
		.c = c, .name = name, .text = buf_span(text), .fn = fn, .ctx = ctx, .own = true,
	};

	return clean(&l, text, ret, err);
}
