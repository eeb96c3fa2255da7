/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_internal.h"

#include <corescrub/elfcore_parts.h>
#include <stdlib.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

/*
 * Known addresses of hosts as memory has them: 4 or 16 bytes in network order, at a place that is a
 * multiple of 4. Looked up by one of their words, the one with the least zeros: zero is everywhere.
 */

struct address {
	uint8_t bytes[16];
	uint8_t len; /* 0: an empty slot */
	uint8_t at;  /* of its word */
	uint32_t word;
};
struct detect_addresses {
	uint32_t *filter; /* eight bits a slot: no larger than it must be, to stay near */
	struct address *slots;
	size_t n, size; /* size: 1 << bits, or 0 */
	unsigned bits;
};

struct detect_addresses *detect_addresses_new(void)
{
	return xcalloc(1, sizeof(struct detect_addresses));
}

void detect_addresses_free(struct detect_addresses *a)
{
	if (!a)
		return;
	free(a->filter);
	free(a->slots);
	free(a);
}

#define HASH 0x9e3779b1u

static uint32_t hash_of(uint32_t word)
{
	return word * HASH;
}

/* A word's place in the filter, and its two bits there. */
static size_t filter_word(unsigned bits, uint32_t h)
{
	return h >> (32 + 2 - bits);
}

static uint32_t filter_bits(uint32_t h)
{
	return (uint32_t)1 << (h >> 14 & 31) | (uint32_t)1 << (h >> 9 & 31);
}

/* The top bits are the good ones: addresses of one network have their first bytes in common. */
static size_t slot_of(const struct detect_addresses *a, uint32_t word)
{
	return hash_of(word) >> (32 - a->bits);
}

static unsigned zeros_in(const uint8_t *p)
{
	return (p[0] == 0) + (p[1] == 0) + (p[2] == 0) + (p[3] == 0);
}

static struct address address_of(const uint8_t *p, size_t len)
{
	struct address one = { .len = (uint8_t)len };

	memcpy(one.bytes, p, len);
	for (unsigned at = 4; at < len; at += 4)
		if (zeros_in(p + at) <= zeros_in(p + one.at))
			one.at = (uint8_t)at;
	memcpy(&one.word, p + one.at, 4);
	return one;
}

static void insert(struct detect_addresses *a, const struct address *one)
{
	size_t i = slot_of(a, one->word);

	uint32_t h = hash_of(one->word);

	while (a->slots[i].len)
		i = (i + 1) & (a->size - 1);
	a->slots[i] = *one;
	a->filter[filter_word(a->bits, h)] |= filter_bits(h);
}

static bool has(const struct detect_addresses *a, const struct address *one)
{
	if (!a->size)
		return false;
	for (size_t i = slot_of(a, one->word); a->slots[i].len; i = (i + 1) & (a->size - 1))
		if (a->slots[i].len == one->len &&
		    memcmp(a->slots[i].bytes, one->bytes, one->len) == 0)
			return true;
	return false;
}

static void grow(struct detect_addresses *a)
{
	struct address *old = a->slots;
	size_t size = a->size;

	a->bits = size ? a->bits + 1 : 8;
	a->size = (size_t)1 << a->bits;
	a->slots = xcalloc(a->size, sizeof(*a->slots));
	free(a->filter);
	a->filter = xcalloc(a->size / 4, sizeof(*a->filter));
	for (size_t i = 0; i < size; i++)
		if (old[i].len)
			insert(a, &old[i]);
	free(old);
}

bool memory_addresses_add(struct detect_addresses *a, const uint8_t *p, size_t len)
{
	struct address one;

	if (len == 4 ? value_ip4_stays(p) : value_ip6_stays(p))
		return false;
	one = address_of(p, len);
	if (has(a, &one) || a->n >= LIMIT_CORE_ADDRESSES)
		return true;
	if (2 * (a->n + 1) > a->size)
		grow(a);
	insert(a, &one);
	a->n++;
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

/* Four bytes may be anything: behind a family and a port (sockaddr_in), or no number of a common
   sort and no part of a pointer. */
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

/* Addresses whose word stands at `at`. */
static void look_up(const struct detect_addresses *a, const struct detect_window *w, size_t at,
		    uint32_t word, size_t from, size_t to, memory_address_fn fn, void *ctx)
{
	for (size_t i = slot_of(a, word); a->slots[i].len; i = (i + 1) & (a->size - 1)) {
		const struct address *one = &a->slots[i];
		size_t begin = at - one->at;

		if (one->word != word || at < one->at || begin < from || begin >= to)
			continue;
		if (one->len == 4 ? seems_address(w, at)
				  : w->bytes.len - begin >= 16 &&
					    memcmp(w->bytes.p + begin, one->bytes, 16) == 0)
			fn(ctx, begin, one->len);
	}
}

#ifdef __x86_64__
/* The words at p: a bit for each of eight that the filter has. */
__attribute__((target("avx2"))) static inline unsigned eight_words(const struct detect_addresses *a,
								   const char *p)
{
	const __m256i five = _mm256_set1_epi32(31), one = _mm256_set1_epi32(1);
	__m256i h = _mm256_mullo_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p),
				       _mm256_set1_epi32((int)HASH));
	__m256i at = _mm256_srl_epi32(h, _mm_cvtsi32_si128(32 + 2 - (int)a->bits));
	__m256i words = _mm256_i32gather_epi32((const int *)(const void *)a->filter, at, 4);
	__m256i bits = _mm256_or_si256(
		_mm256_sllv_epi32(one, _mm256_and_si256(_mm256_srli_epi32(h, 14), five)),
		_mm256_sllv_epi32(one, _mm256_and_si256(_mm256_srli_epi32(h, 9), five)));
	__m256i has = _mm256_cmpeq_epi32(_mm256_and_si256(words, bits), bits);

	return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(has));
}
#endif

static inline __attribute__((always_inline)) void
find(const struct detect_addresses *a, const struct detect_window *w, size_t from, size_t to,
     memory_address_fn fn, void *ctx, bool avx2)
{
	const char *s = w->bytes.p;
	size_t at = from + (size_t)(-(w->off + from) & 3);
	size_t end = w->bytes.len;
	const uint32_t *filter = a->filter;
	unsigned size = a->bits;

	/* the word of an IPv6 address that begins in the range may stand up to twelve bytes behind
	   it */
	if (to + 15 < end)
		end = to + 15;
	(void)avx2;
#ifdef __x86_64__
	for (; avx2 && at + 32 <= end; at += 32)
		for (unsigned hits = eight_words(a, s + at); hits; hits &= hits - 1) {
			unsigned i = (unsigned)__builtin_ctz(hits) * 4;
			uint32_t word;

			memcpy(&word, s + at + i, 4);
			look_up(a, w, at + i, word, from, to, fn, ctx);
		}
#endif
	for (; at + 4 <= end; at += 4) {
		uint32_t word, h, bits;

		/* zero, the commonest word of all, is looked up too: a test for it would be guessed
		   wrong too often */
		memcpy(&word, s + at, 4);
		h = hash_of(word);
		bits = filter_bits(h);
		if (__builtin_expect((filter[filter_word(size, h)] & bits) == bits, 0))
			look_up(a, w, at, word, from, to, fn, ctx);
	}
}

#ifdef __x86_64__
__attribute__((target("avx2,bmi,bmi2"))) static void find_avx2(const struct detect_addresses *a,
							       const struct detect_window *w,
							       size_t from, size_t to,
							       memory_address_fn fn, void *ctx)
{
	find(a, w, from, to, fn, ctx, true);
}
#endif

void memory_addresses_find(const struct detect_addresses *a, const struct detect_window *w,
			   size_t from, size_t to, memory_address_fn fn, void *ctx)
{
	if (!a->n)
		return;
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
		find_avx2(a, w, from, to, fn, ctx);
		return;
	}
#endif
	find(a, w, from, to, fn, ctx, false);
}
