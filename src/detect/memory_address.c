/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_internal.h"

#include <corescrub/elfcore_parts.h>
#include <stdlib.h>

/*
 * Known addresses of hosts as memory has them: 4 or 16 bytes in network order, at a place that is a
 * multiple of 4. Looked up by their last 4 bytes.
 */

#define FILTER_BITS 16

struct address {
	uint8_t bytes[16];
	uint8_t len;			/* 0: an empty slot */
};
struct detect_addresses {
	uint64_t filter[(1 << FILTER_BITS) / 64];
	struct address *slots;
	size_t n, size;			/* size: a power of two */
};

struct detect_addresses *detect_addresses_new(void)
{
	return xcalloc(1, sizeof(struct detect_addresses));
}

void detect_addresses_free(struct detect_addresses *a)
{
	if (!a)
		return;
	free(a->slots);
	free(a);
}

static uint32_t hash_of(uint32_t word)
{
	return word * 0x9e3779b1u;
}

static uint32_t last_word(const uint8_t *p, size_t len)
{
	uint32_t w;

	memcpy(&w, p + len - 4, 4);
	return w;
}

static void insert(struct detect_addresses *a, const struct address *one)
{
	size_t i = hash_of(last_word(one->bytes, one->len)) & (a->size - 1);

	while (a->slots[i].len)
		i = (i + 1) & (a->size - 1);
	a->slots[i] = *one;
}

static bool has(const struct detect_addresses *a, const uint8_t *p, size_t len)
{
	if (!a->size)
		return false;
	for (size_t i = hash_of(last_word(p, len)) & (a->size - 1); a->slots[i].len;
	     i = (i + 1) & (a->size - 1))
		if (a->slots[i].len == len && memcmp(a->slots[i].bytes, p, len) == 0)
			return true;
	return false;
}

bool memory_addresses_add(struct detect_addresses *a, const uint8_t *p, size_t len)
{
	struct address one = { .len = (uint8_t)len };
	uint32_t h;

	if (len == 4 ? value_ip4_stays(p) : value_ip6_stays(p))
		return false;
	if (has(a, p, len) || a->n >= LIMIT_CORE_ADDRESSES)
		return true;
	if (2 * (a->n + 1) > a->size) {
		struct address *old = a->slots;
		size_t size = a->size;

		a->size = size ? size * 2 : 256;
		a->slots = xcalloc(a->size, sizeof(*a->slots));
		for (size_t i = 0; i < size; i++)
			if (old[i].len)
				insert(a, &old[i]);
		free(old);
	}
	memcpy(one.bytes, p, len);
	insert(a, &one);
	a->n++;
	h = hash_of(last_word(p, len)) >> (32 - FILTER_BITS);
	a->filter[h / 64] |= (uint64_t)1 << h % 64;
	return true;
}

void detect_addresses_add(struct detect_addresses *a, enum kind kind, struct span text)
{
	uint8_t bytes[16];

	if ((kind == KIND_IP4 || kind == KIND_IP4_LAN) && value_ip4_parse(text, bytes))
		memory_addresses_add(a, bytes, 4);
	if ((kind == KIND_IP6 || kind == KIND_IP6_LAN) && value_ip6_parse(text, bytes))
		memory_addresses_add(a, bytes, 16);
}

/* Four bytes may be anything: behind a family and a port (sockaddr_in), or no number of a common sort
   and no part of a pointer. */
static bool seems_address(const struct detect_window *w, size_t at)
{
	const uint8_t *p = (const uint8_t *)w->bytes.p + at;
	size_t word = at - (size_t)((w->off + at) % 8);
	uint64_t pointer;

	if (at >= 4 && p[-4] == 2 && p[-3] == 0)
		return true;
	if ((p[0] != 0) + (p[1] != 0) + (p[2] != 0) + (p[3] != 0) < 3)
		return false;
	if (at < (w->off + at) % 8 || word + 8 > w->bytes.len)
		return true;
	memcpy(&pointer, w->bytes.p + word, 8);
	return !(w->core && elfcore_is_mapped(w->core, pointer));
}

void memory_addresses_find(const struct detect_addresses *a, const struct detect_window *w, size_t from,
			   size_t to, memory_address_fn fn, void *ctx)
{
	const char *s = w->bytes.p;
	size_t at = from + (size_t)(-(w->off + from) & 3);

	if (!a->n)
		return;
	/* an IPv6 address that begins in the range ends up to twelve bytes behind it */
	for (; at < to + 12 && at + 4 <= w->bytes.len; at += 4) {
		uint32_t word, h;

		memcpy(&word, s + at, 4);
		h = hash_of(word) >> (32 - FILTER_BITS);
		if (__builtin_expect(!(a->filter[h / 64] >> h % 64 & 1), 1))
			continue;
		if (at < to && has(a, (const uint8_t *)s + at, 4) && seems_address(w, at))
			fn(ctx, at, 4);
		if (at >= from + 12 && has(a, (const uint8_t *)s + at - 12, 16))
			fn(ctx, at - 12, 16);
	}
}
