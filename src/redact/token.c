/* SPDX-License-Identifier: Apache-2.0 */
#include "redact_internal.h"

/* Shorter credentials get a constant: the hash of so little could be tried out. */
#define SHORTEST_KEYED 8

/* More distinct values than this in one run are not kept: a core has no end of them. */
#define TOKENS_KEPT 50000

enum { SALT_SPELLING = 0x100, SALT_CANONICAL = 0x200, SALT_TEXT = 0x300, SALT_PAIR = 0x400 };

struct wanted { const struct redactor *r; enum kind kind; struct span bytes; };

static bool spelling_eq(const void *ctx, uint32_t i)
{
	const struct wanted *w = ctx;
	const struct spelling *s = &w->r->spellings[i];

	return s->kind == w->kind && span_eq(s->bytes, w->bytes);
}

static bool canonical_eq(const void *ctx, uint32_t i)
{
	const struct wanted *w = ctx;
	const struct token *t = &w->r->tokens[i];

	return t->kind == w->kind && span_eq(t->canonical, w->bytes);
}

static bool text_eq(const void *ctx, uint32_t i)
{
	const struct wanted *w = ctx;
	const struct token *t = &w->r->tokens[i];

	return span_eq(span_make(t->text, t->len), w->bytes);
}

static struct span token_keep(struct redactor *r, struct span s)
{
	return span_make(arena_strndup(r->arena, s.p, s.len), s.len);
}

static bool is_keyed(const struct token *t)
{
	return !value_kind_is_constant(t->kind) &&
	       (!value_kind_is_credential(t->kind) || t->canonical.len >= SHORTEST_KEYED);
}

static void token_format(const struct redactor *r, struct token *t)
{
	const char *name = value_kind_name(t->kind);
	struct span parts[2] = { span_make(name, strlen(name) + 1), t->canonical };
	uint8_t mac[DIGEST_LEN];

	hmac_parts(r->hmac, parts, ARRAY_SIZE(parts), mac);
	t->len = (uint8_t)value_token_format(t->kind, mac, t->text);
}

static bool text_is_kept(const struct redactor *r, const struct token *t)
{
	for (size_t i = 0; i < r->kept.n; i++)
		if (span_eq_str(span_make(t->text, t->len), r->kept.v[i]))
			return true;
	return false;
}

bool redact_is_kept(const struct redactor *r, enum kind kind, struct span value)
{
	struct token t = { .kind = (uint8_t)value_refine(kind, value) };
	AUTO_BUF canonical = BUF_INIT;

	if (r->kept.n == 0)
		return false;
	value_canonical(t.kind, value, &canonical);
	t.canonical = canonical.len ? buf_span(&canonical) : value;
	if (!is_keyed(&t))
		return false;
	token_format(r, &t);
	return text_is_kept(r, &t);
}

/* The token's text, by its kind and canonical form. */
static void token_spell(const struct redactor *r, struct token *t)
{
	t->keyed = is_keyed(t);
	if (!t->keyed) {
		t->len = (uint8_t)value_token_constant(t->kind, t->text);
		return;
	}
	token_format(r, t);
	t->kept = text_is_kept(r, t);
	t->stays |= t->kept;
}

static int token_write(struct redactor *r, struct token *t, struct err *err)
{
	struct wanted w = { .r = r, .kind = t->kind };
	uint32_t hash, other;

	token_spell(r, t);
	if (!t->keyed)
		return RC_OK;
	w.bytes = span_make(t->text, t->len);
	hash = numbers_hash(r->seed, SALT_TEXT, w.bytes);
	if (numbers_find(&r->by_text, hash, text_eq, &w, &other))
		return err_set(err, RC_INTERNAL, "two values have one token, run again");
	numbers_add(&r->by_text, hash, (uint32_t)r->n_tokens);
	return RC_OK;
}

static int token_of_canonical(struct redactor *r, enum kind kind, struct span value,
			      uint32_t *ret_token, struct err *err)
{
	struct token t = { .kind = (uint8_t)value_refine(kind, value) };
	struct wanted w = { .r = r, .kind = t.kind };
	uint32_t hash;
	int rc;

	buf_reset(&r->canonical);
	value_canonical(t.kind, value, &r->canonical);
	w.bytes = r->canonical.len ? buf_span(&r->canonical) : value;
	hash = numbers_hash(r->seed, SALT_CANONICAL + t.kind, w.bytes);
	if (numbers_find(&r->by_canonical, hash, canonical_eq, &w, ret_token))
		return RC_OK;
	if (r->n_tokens >= UINT32_MAX - 1)
		return err_set(err, RC_TOOBIG, "too many distinct values");
	t.canonical = token_keep(r, w.bytes);
	t.stays = value_stays(t.kind, value);
	t.spelling = (uint32_t)r->n_spellings;	/* the caller adds it */
	rc = token_write(r, &t, err);
	if (rc < 0)
		return rc;
	GROW(r->tokens, r->n_tokens, r->cap_tokens);
	r->tokens[r->n_tokens] = t;
	numbers_add(&r->by_canonical, hash, (uint32_t)r->n_tokens);
	*ret_token = (uint32_t)r->n_tokens++;
	return RC_OK;
}

int token_find(struct redactor *r, enum kind kind, struct span value, uint32_t *ret_token,
	       uint32_t *ret_spelling, struct err *err)
{
	struct wanted w = { .r = r, .kind = kind, .bytes = value };
	uint32_t hash = numbers_hash(r->seed, SALT_SPELLING + kind, value), i;
	struct spelling s = { .kind = (uint8_t)kind };
	int rc;

	if (!numbers_find(&r->by_spelling, hash, spelling_eq, &w, &i)) {
		if (r->n_spellings >= UINT32_MAX - 1)
			return err_set(err, RC_TOOBIG, "too many distinct values");
		rc = token_of_canonical(r, kind, value, &s.token, err);
		if (rc < 0)
			return rc;
		s.bytes = token_keep(r, value);
		GROW(r->spellings, r->n_spellings, r->cap_spellings);
		i = (uint32_t)r->n_spellings++;
		r->spellings[i] = s;
		numbers_add(&r->by_spelling, hash, i);
	}
	*ret_token = r->spellings[i].token;
	if (ret_spelling)
		*ret_spelling = i;
	return RC_OK;
}

size_t redact_token_text(const struct redactor *r, enum kind kind, struct span value,
			 char ret[VALUE_TOKEN_MAX])
{
	AUTO_BUF canonical = BUF_INIT;
	const char *name;
	struct span parts[2];
	uint8_t mac[DIGEST_LEN];

	kind = value_refine(kind, value);
	value_canonical(kind, value, &canonical);
	parts[1] = canonical.len ? buf_span(&canonical) : value;
	if (value_kind_is_constant(kind) ||
	    (value_kind_is_credential(kind) && parts[1].len < SHORTEST_KEYED))
		return 0;
	name = value_kind_name(kind);
	parts[0] = span_make(name, strlen(name) + 1);
	hmac_parts(r->hmac, parts, ARRAY_SIZE(parts), mac);
	return value_token_format(kind, mac, ret);
}

bool token_find_text(const struct redactor *r, struct span text, uint32_t *ret_token)
{
	struct wanted w = { .r = r, .bytes = text };

	return numbers_find(&r->by_text, numbers_hash(r->seed, SALT_TEXT, text), text_eq, &w,
			    ret_token);
}

int token_make(struct redactor *r, enum kind kind, struct span value, struct token *ret,
	       uint32_t *ret_token, struct err *err)
{
	struct token t = { .kind = (uint8_t)value_refine(kind, value) };
	int rc;

	if (r->n_tokens < TOKENS_KEPT) {
		rc = token_find(r, kind, value, ret_token, NULL, err);
		if (rc == RC_OK)
			*ret = r->tokens[*ret_token];
		return rc;
	}
	buf_reset(&r->canonical);
	value_canonical(t.kind, value, &r->canonical);
	t.canonical = r->canonical.len ? buf_span(&r->canonical) : value;
	t.stays = value_stays(t.kind, value);
	token_spell(r, &t);
	*ret = t;
	*ret_token = NO_TOKEN;
	return RC_OK;
}

static bool pair_eq(const void *ctx, uint32_t i)
{
	const struct wanted *w = ctx;

	return memcmp(&w->r->pairs[i], w->bytes.p, sizeof(struct pair)) == 0;
}

bool token_pair_add(struct redactor *r, uint32_t rule, uint32_t token)
{
	struct pair p = { .rule = rule, .token = token };
	struct wanted w = { .r = r, .bytes = span_make((const char *)&p, sizeof(p)) };
	uint32_t hash = numbers_hash(r->seed, SALT_PAIR, w.bytes), i;

	if (numbers_find(&r->by_pair, hash, pair_eq, &w, &i))
		return false;
	GROW(r->pairs, r->n_pairs, r->cap_pairs);
	r->pairs[r->n_pairs] = p;
	numbers_add(&r->by_pair, hash, (uint32_t)r->n_pairs++);
	return true;
}

struct redact_count *token_counts(struct redactor *r, uint32_t rule)
{
	if (rule >= r->n_counts) {
		r->counts = xreallocarray(r->counts, rule + 1, sizeof(*r->counts));
		for (size_t i = r->n_counts; i <= rule; i++)
			r->counts[i] = (struct redact_count){ .rule = (uint32_t)i };
		r->n_counts = rule + 1;
	}
	return &r->counts[rule];
}

void token_count(struct redactor *r, uint32_t token, uint32_t rule)
{
	struct redact_count *counts = token_counts(r, rule);
	struct token *t;

	counts->count++;
	if (token == NO_TOKEN)
		return;
	t = &r->tokens[token];
	if (t->last_rule == rule + 1)
		return;
	t->last_rule = rule + 1;
	if (token_pair_add(r, rule, token))
		counts->distinct++;
}
