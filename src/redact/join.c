/* SPDX-License-Identifier: Apache-2.0 */
#include "redact_internal.h"

#include <stdlib.h>

/* A run's redactor shared out: parts see texts of their own, and are joined in the texts' order. */

struct redactor *redactor_part(const struct redactor *r)
{
	struct redactor *part = xcalloc(1, sizeof(*part));

	part->hmac = hmac_copy(r->hmac);
	part->arena = arena_new();
	part->collects = r->collects;
	part->keep_map = r->keep_map;
	part->is_part = true;
	memcpy(part->key_id, r->key_id, sizeof(part->key_id));
	for (size_t i = 0; i < r->kept.n; i++)
		strings_add(&part->kept, xstrdup(r->kept.v[i]));
	digest_random(&part->seed, sizeof(part->seed));
	return part;
}

/* Every token has a spelling, so these bring all of them; ret_tokens: r's number for each of the
   part's. */
static int join_spellings(struct redactor *r, const struct redactor *part, uint32_t *ret_tokens,
			  struct err *err)
{
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < part->n_spellings; i++) {
		const struct spelling *s = &part->spellings[i];

		rc = token_find(r, s->kind, s->bytes, &ret_tokens[s->token], NULL, err);
	}
	return rc;
}

static void join_counts(struct redactor *r, const struct redactor *part, const uint32_t *tokens)
{
	for (size_t i = 0; i < part->n_counts; i++)
		if (part->counts[i].count)
			token_counts(r, (uint32_t)i)->count += part->counts[i].count;
	for (size_t i = 0; i < part->n_pairs; i++)
		if (token_pair_add(r, part->pairs[i].rule, tokens[part->pairs[i].token]))
			token_counts(r, part->pairs[i].rule)->distinct++;
	r->open_items += part->open_items;
	r->preexisting += part->preexisting;
}

/* What stands there as the token's first spelling in the whole run needs no place. */
static void join_place(struct redactor *r, struct place one, uint32_t token)
{
	const struct token *t = &r->tokens[token];

	if (!r->is_part && one.len == t->len && span_eq(r->spellings[t->spelling].bytes, one.spelling))
		return;
	one.token = token;
	one.spelling.p = arena_strndup(r->arena, one.spelling.p, one.spelling.len);
	GROW(r->places, r->n_places, r->cap_places);
	r->places[r->n_places++] = one;
}

static void join_map(struct redactor *r, const struct redactor *part, const uint32_t *tokens)
{
	for (size_t i = 0, k = 0; i < part->n_artifacts; i++) {
		struct noted one = part->artifacts[i];
		size_t end = i + 1 < part->n_artifacts ? part->artifacts[i + 1].places :
							 part->n_places;

		one.name = xstrdup(one.name);
		one.places = r->n_places;
		GROW(r->artifacts, r->n_artifacts, r->cap_artifacts);
		r->artifacts[r->n_artifacts++] = one;
		for (; k < end; k++)
			join_place(r, part->places[k], tokens[part->places[k].token]);
	}
}

int redactor_join(struct redactor *r, const struct redactor *part, struct err *err)
{
	AUTO_FREE uint32_t *tokens = xcalloc(part->n_tokens + 1, sizeof(*tokens));
	int rc = join_spellings(r, part, tokens, err);

	if (rc < 0)
		return rc;
	join_counts(r, part, tokens);
	join_map(r, part, tokens);
	return RC_OK;
}
