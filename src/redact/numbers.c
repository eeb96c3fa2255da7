/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "redact_internal.h"

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint32_t numbers_hash(uint64_t seed, uint64_t salt, struct span bytes)
{
	uint64_t h = mix(seed ^ bytes.len, salt ^ 0x9e3779b97f4a7c15u);
	const char *p = bytes.p;
	size_t n = bytes.len;
	uint64_t w;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&w, p, 8);
		h = mix(h ^ w, 0xd6e8feb86659fd93u ^ seed);
	}
	w = 0;
	if (n)
		memcpy(&w, p, n);
	h = mix(h ^ w, 0xa0761d6478bd642fu ^ seed);
	return (uint32_t)(h ^ h >> 32);
}

bool numbers_find(const struct numbers *t, uint32_t hash, numbers_eq_fn eq, const void *ctx,
		  uint32_t *ret_index)
{
	size_t i;

	if (!t->slots)
		return false;
	for (i = hash & t->mask; t->slots[i]; i = (i + 1) & t->mask) {
		if (t->hashes[i] == hash && eq(ctx, t->slots[i] - 1)) {
			*ret_index = t->slots[i] - 1;
			return true;
		}
	}
	return false;
}

static void numbers_put(struct numbers *t, uint32_t hash, uint32_t slot)
{
	size_t i = hash & t->mask;

	while (t->slots[i])
		i = (i + 1) & t->mask;
	t->slots[i] = slot;
	t->hashes[i] = hash;
}

static void numbers_grow(struct numbers *t)
{
	struct numbers bigger = { .n = t->n, .mask = t->slots ? t->mask * 2 + 1 : 255 };
	size_t i;

	bigger.slots = xcalloc(bigger.mask + 1, sizeof(*bigger.slots));
	bigger.hashes = xcalloc(bigger.mask + 1, sizeof(*bigger.hashes));
	for (i = 0; t->slots && i <= t->mask; i++)
		if (t->slots[i])
			numbers_put(&bigger, t->hashes[i], t->slots[i]);
	numbers_done(t);
	*t = bigger;
}

void numbers_add(struct numbers *t, uint32_t hash, uint32_t index)
{
	if (!t->slots || t->n * 3 >= t->mask * 2)
		numbers_grow(t);
	numbers_put(t, hash, index + 1);
	t->n++;
}

void numbers_done(struct numbers *t)
{
	free(t->slots);
	free(t->hashes);
	*t = (struct numbers){ .slots = NULL };
}
