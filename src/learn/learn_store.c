/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#include <stdlib.h>

struct learned *learned_new(void)
{
	struct learned *l = xcalloc(1, sizeof(*l));

	l->arena = arena_new();
	l->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (!l->locale)
		l->locale = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	return l;
}

static void wipe(struct span s)
{
	secret_wipe((char *)(uintptr_t)s.p, s.len);
}

void learned_free(struct learned *l)
{
	if (!l)
		return;
	learn_tables_done(l);
	for (size_t i = 0; i < l->n; i++) {
		wipe(l->v[i].v.bytes);
		wipe(l->v[i].canonical);
		for (struct learn_extra *x = l->v[i].extra; x; x = x->next)
			wipe(x->bytes);
	}
	arena_free(l->arena);
	freelocale(l->locale);
	free(l->v);
	free(l->index);
	free(l->keep);
	free(l);
}

static struct span copy(struct learned *l, struct span s)
{
	return span_make(arena_strndup(l->arena, s.p ? s.p : "", s.len), s.len);
}

static uint32_t hash_of(enum kind kind, struct span canonical)
{
	uint32_t h = 2166136261u ^ (uint32_t)kind;

	for (size_t i = 0; i < canonical.len; i++)
		h = (h ^ (unsigned char)canonical.p[i]) * 16777619u;
	return h;
}

/* The slot of a value in the index, or the empty one where it would be. */
static uint32_t *index_slot(const struct learned *l, enum kind kind, struct span canonical)
{
	size_t i = hash_of(kind, canonical) & (l->index_size - 1);

	for (; l->index[i]; i = (i + 1) & (l->index_size - 1)) {
		const struct learn_entry *e = &l->v[l->index[i] - 1];

		if (e->v.kind == kind && span_eq(e->canonical, canonical))
			break;
	}
	return &l->index[i];
}

uint32_t learn_find(const struct learned *l, enum kind kind, struct span canonical)
{
	uint32_t at = l->index_size ? *index_slot(l, kind, canonical) : 0;

	return at ? at - 1 : UINT32_MAX;
}

static void index_grow(struct learned *l)
{
	if (l->n * 2 < l->index_size)
		return;
	free(l->index);
	l->index_size = l->index_size ? l->index_size * 2 : 256;
	l->index = xcalloc(l->index_size, sizeof(*l->index));
	for (size_t i = 0; i < l->n; i++)
		*index_slot(l, l->v[i].v.kind, l->v[i].canonical) = (uint32_t)i + 1;
}

bool learned_is_kept(const struct learned *l, struct span value)
{
	for (size_t i = 0; i < l->n_keep; i++)
		if (l->keep[i].len == value.len &&
		    strncasecmp(l->keep[i].p, value.p, value.len) == 0)
			return true;
	return false;
}

/* A digest in hex stands in memory as bytes too. */
static void learn_add_digest(struct learned *l, uint32_t i, struct span hex)
{
	AUTO_BUF raw = BUF_INIT;

	if (value_hex_decode(hex, &raw))
		learn_extra_add(l, i, EXTRA_DIGEST, buf_span(&raw));
}

/* An origin that is trusted more wins: a config's words go however short. */
static bool origin_is_stronger(enum learn_origin a, enum learn_origin b)
{
	return b == LEARN_MATERIAL && a != LEARN_MATERIAL;
}

static bool is_secret(enum kind kind)
{
	return kind == KIND_SECRET || kind == KIND_TOKEN || kind == KIND_KEY;
}

/* A log has a digest in each request, and who sends them decides how many: that costs neither the
   run nor its memory. */
static bool is_full(const struct learned *l, enum kind kind, enum learn_origin origin)
{
	if (origin == LEARN_CONFIG)
		return !value_kind_is_credential(kind) && l->n_others >= LIMIT_LEARN_OTHERS;
	return origin == LEARN_MATERIAL &&
	       l->n_material[kind] >= (is_secret(kind) ? LIMIT_LEARN_SECRETS : LIMIT_LEARN_PASSING);
}

/* A telephone number has a digit and a mail address an @, whatever key it stood behind: "callerid =
   asterisk" must not take that word out of every path. */
static bool learn_has_shape(enum kind kind, struct span value)
{
	if (kind == KIND_EMAIL)
		return memchr(value.p, '@', value.len) != NULL;
	if (kind != KIND_PHONE)
		return true;
	for (size_t i = 0; i < value.len; i++)
		if (value.p[i] >= '0' && value.p[i] <= '9')
			return true;
	return false;
}

/* A value of the material that holds a token is what an earlier run left of one: to be replaced
   where it stands, and nowhere else. */
static bool is_leftover(struct span value, enum learn_origin origin)
{
	enum kind kind;
	size_t at = 0;

	return origin == LEARN_MATERIAL && value_token_next(value, &at, &kind) > 0;
}

int learn_add(struct learned *l, enum kind kind, struct span value, enum learn_origin origin,
	      uint32_t *ret, struct err *err)
{
	AUTO_BUF canonical = BUF_INIT;
	struct learn_entry *e;
	uint32_t *slot;

	*ret = UINT32_MAX;
	if (value.len == 0 || value_is_tokens(value) || is_leftover(value, origin) ||
	    learned_is_kept(l, value) || !learn_has_shape(kind, value))
		return RC_OK;
	if (value.len > LIMIT_LEARN_VALUE)
		return err_set(err, RC_TOOBIG, "a value to learn is over %zu bytes",
			       (size_t)LIMIT_LEARN_VALUE);
	value_canonical(kind, value, &canonical);
	index_grow(l);
	slot = index_slot(l, kind, buf_span(&canonical));
	if (*slot) {
		e = &l->v[*slot - 1];
		*ret = *slot - 1;
		if (origin_is_stronger(origin, e->v.origin))
			e->v.origin = origin;
		if (!span_eq(e->v.bytes, value))
			learn_extra_add(l, *ret, EXTRA_SPELLING, value);
		return RC_OK;
	}
	if (is_full(l, kind, origin)) {
		l->left_out += is_secret(kind) || origin == LEARN_CONFIG;
		return RC_OK;
	}
	if (l->n >= LIMIT_LEARN_VALUES)
		return err_set(err, RC_TOOBIG, "more than %d values to learn", LIMIT_LEARN_VALUES);
	l->n_material[kind] += origin == LEARN_MATERIAL;
	l->n_others += origin == LEARN_CONFIG && !value_kind_is_credential(kind);
	GROW(l->v, l->n, l->cap);
	e = &l->v[l->n++];
	memset(e, 0, sizeof(*e));
	e->v.kind = kind;
	e->v.bytes = copy(l, value);
	e->v.origin = origin;
	e->canonical = copy(l, buf_span(&canonical));
	*slot = (uint32_t)l->n;
	*ret = (uint32_t)l->n - 1;
	l->compiled = l->sealed = false;
	if (kind == KIND_HASH && value.len >= 32)
		learn_add_digest(l, *ret, value);
	return RC_OK;
}

#define EXTRAS_MAX 16		/* spellings and digests of one value */

void learn_extra_add(struct learned *l, uint32_t i, int what, struct span bytes)
{
	struct learn_entry *e = &l->v[i];
	struct learn_extra *x;
	size_t n = 0;

	for (x = e->extra; x; x = x->next, n++)
		if (span_eq(x->bytes, bytes))
			return;
	if (n >= EXTRAS_MAX && what == EXTRA_SPELLING)
		return;
	x = arena_alloc(l->arena, sizeof(*x));
	x->bytes = copy(l, bytes);
	x->what = what;
	x->next = e->extra;
	e->extra = x;
	l->compiled = l->sealed = false;
}

int learned_add(struct learned *l, enum kind kind, struct span value, enum learn_origin origin,
		struct err *err)
{
	uint32_t i;

	return learn_add(l, kind, value, origin, &i, err);
}

int learned_keep(struct learned *l, struct span word, struct err *err)
{
	(void)err;
	GROW(l->keep, l->n_keep, l->cap_keep);
	l->keep[l->n_keep++] = copy(l, word);
	l->sealed = false;
	return RC_OK;
}

bool learned_has_keep(const struct learned *l)
{
	return l->n_keep > 0;
}

size_t learned_count(const struct learned *l)
{
	return l->n;
}

uint64_t learned_left_out(const struct learned *l)
{
	return l->left_out;
}

const struct learned_value *learned_get(const struct learned *l, size_t i)
{
	return &l->v[i].v;
}

struct learned *learned_clone(const struct learned *from)
{
	struct learned *l = learned_new();
	struct err err = ERR_INIT;

	for (size_t i = 0; i < from->n_keep; i++)
		learned_keep(l, from->keep[i], &err);
	for (size_t i = 0; i < from->n; i++) {
		const struct learn_entry *e = &from->v[i];
		uint32_t to;

		/* all of it was within the limits before; a value kept since is left out */
		if (learn_add(l, e->v.kind, e->v.bytes, e->v.origin, &to, &err) < 0 ||
		    to == UINT32_MAX)
			continue;
		for (const struct learn_extra *x = e->extra; x; x = x->next)
			learn_extra_add(l, to, x->what, x->bytes);
		l->v[to].n_embedded = e->n_embedded;
		l->v[to].n_code = e->n_code;
		l->v[to].n_code_pieces = e->n_code_pieces;
		l->v[to].n_whole = e->n_whole;
		l->v[to].n_pieces = e->n_pieces;
	}
	l->left_out = from->left_out;
	return l;
}

static void compile(struct learned *l)
{
	if (l->compiled)
		return;
	learn_tables_done(l);
	for (size_t i = 0; i < l->n; i++) {
		learn_guard_first(&l->v[i]);
		learn_spell(l, (uint32_t)i);
	}
	learn_tables_build(l);
	l->compiled = true;
}

int learned_count_in(struct learned *l, struct span text, struct err *err)
{
	struct learned_scanner s;
	int rc;

	(void)err;
	compile(l);
	learn_scanner_init(&s, l);
	s.text = text;
	s.to = text.len;
	s.counting = true;
	rc = learn_scan_all(&s);
	learn_scanner_done(&s);
	return rc;
}

int learned_seal(struct learned *l, struct err *err)
{
	(void)err;
	compile(l);
	for (size_t i = 0; i < l->n; i++) {
		learn_guard_last(&l->v[i]);
		if (learned_is_kept(l, l->v[i].v.bytes))
			l->v[i].mode = MODE_NONE;
	}
	l->sealed = true;
	return RC_OK;
}

int learned_scanner_new(const struct learned *l, struct learned_scanner **ret, struct err *err)
{
	struct learned_scanner *s;

	if (!l->sealed)
		return err_set(err, RC_INTERNAL, "learned values not sealed before use");
	s = xcalloc(1, sizeof(*s));
	learn_scanner_init(s, (struct learned *)(uintptr_t)l);
	*ret = s;
	return RC_OK;
}

void learned_scanner_expect_memory(struct learned_scanner *s)
{
	s->memory = true;
}

void learned_scanner_free(struct learned_scanner *s)
{
	if (!s)
		return;
	learn_scanner_done(s);
	free(s);
}

int learned_scan(struct learned_scanner *s, struct span text, size_t from, size_t to,
		 learned_hit_fn fn, void *ctx, struct err *err)
{
	(void)err;
	s->text = text;
	s->from = from;
	s->to = to < text.len ? to : text.len;
	s->fn = fn;
	s->ctx = ctx;
	s->rc = RC_OK;
	return learn_scan_all(s);
}
