/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

/*
 * A core's memory, of which little is text. Where four bytes are text, in ASCII or UTF-16, all
 * grams are looked for; elsewhere those alone that are none, by their heads. What stands before and
 * behind a word may be a number.
 */

#define ODD_BITS_MAX 26
#define HASH	     0x9e3779b1u

static inline uint32_t head_hash(uint32_t head)
{
	return head * HASH;
}

static inline uint32_t head_load(const char *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* A head's word in the filter, and its two bits there. */
static inline uint32_t head_word(const struct odd_heads *o, uint32_t hash)
{
	return hash >> (37 - o->bits);
}

static inline uint32_t head_bits(uint32_t hash)
{
	return (uint32_t)1 << (hash >> 14 & 31) | (uint32_t)1 << (hash >> 9 & 31);
}

static void add_heads(struct odd_heads *o, const struct gram_table *t, const struct learned *l)
{
	for (size_t i = 0; i < t->n; i++) {
		const char *gram = l->hay.p + t->sorted[i].hay;
		uint32_t head = head_load(gram), h = head_hash(head);

		if (gram_is_text(gram))
			continue;
		o->filter[head_word(o, h)] |= head_bits(h);
		o->zero |= head == 0;
	}
}

static size_t count_odd(const struct gram_table *t, const struct learned *l)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += !gram_is_text(l->hay.p + t->sorted[i].hay);
	return n;
}

/* About eight bits for each, so that it stays near the processor. */
void learn_odd_build(struct learned *l)
{
	struct odd_heads *o = &l->odd;

	o->n = count_odd(&l->wide, l) + count_odd(&l->narrow, l);
	for (o->bits = 12; o->bits < ODD_BITS_MAX && o->n << 3 > (size_t)1 << o->bits;)
		o->bits++;
	o->filter = xcalloc(((size_t)1 << o->bits) / 32, sizeof(*o->filter));
	add_heads(o, &l->wide, l);
	add_heads(o, &l->narrow, l);
}

#ifdef __SSE2__
#define BLOCK 60 /* a gram that begins in them has its first four bytes in 64 */

/* The places where four bytes are text, in ASCII or UTF-16. */
static inline __attribute__((always_inline)) uint64_t text_places(uint64_t t, uint64_t z)
{
	uint64_t tt = t & t >> 1, tz = t & z >> 1, zt = z & t >> 1;

	return (tt & tt >> 2) | (tz & tz >> 2) | (zt & zt >> 2);
}

/* Those of `places`, LEARN_STRIDE apart in 64 bytes, where a head of o may be. */
static uint64_t odd_places(const struct odd_heads *o, const char *p, uint64_t places)
{
	uint64_t hits = 0;

	for (; places; places &= places - 1) {
		unsigned i = (unsigned)__builtin_ctzll(places);
		uint32_t h = head_hash(head_load(p + i)), bits = head_bits(h);

		hits |= (uint64_t)((o->filter[head_word(o, h)] & bits) == bits) << i;
	}
	return hits;
}

#ifdef __x86_64__
/* The same for eight heads at once: four from `low` on and four from `high` on. */
__attribute__((target("avx2"))) static inline unsigned eight_heads(const struct odd_heads *o,
								   const char *low, const char *high)
{
	const __m128i spread = _mm_setr_epi8(0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9, 10, 11, 12);
	const __m256i five = _mm256_set1_epi32(31), one = _mm256_set1_epi32(1);
	__m128i a = _mm_loadu_si128((const __m128i *)(const void *)low);
	__m128i b = _mm_loadu_si128((const __m128i *)(const void *)high);
	__m256i heads = _mm256_shuffle_epi8(_mm256_set_m128i(b, a), _mm256_broadcastsi128_si256(spread));
	__m256i h = _mm256_mullo_epi32(heads, _mm256_set1_epi32((int)HASH));
	__m256i at = _mm256_srl_epi32(h, _mm_cvtsi32_si128(37 - (int)o->bits));
	__m256i words = _mm256_i32gather_epi32((const int *)(const void *)o->filter, at, 4);
	__m256i bits = _mm256_or_si256(
		_mm256_sllv_epi32(one, _mm256_and_si256(_mm256_srli_epi32(h, 14), five)),
		_mm256_sllv_epi32(one, _mm256_and_si256(_mm256_srli_epi32(h, 9), five)));
	__m256i has = _mm256_cmpeq_epi32(_mm256_and_si256(words, bits), bits);

	return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(has));
}

__attribute__((target("avx2,bmi2"))) static inline uint64_t
odd_places_avx2(const struct odd_heads *o, const char *p, uint64_t every)
{
	unsigned hits = eight_heads(o, p, p + 12) | eight_heads(o, p + 24, p + 36) << 8 |
			(eight_heads(o, p + 48, p + 48) & 15) << 16;

	return _pdep_u64(hits, every);
}
#endif

static inline __attribute__((always_inline)) size_t scan(struct learned_scanner *s, size_t at,
							 size_t end, bool avx2)
{
	const struct gram_table wide = gram_sieve(&s->l->wide);
	const struct gram_table narrow = gram_sieve(&s->l->narrow);
	const struct odd_heads odd = s->l->odd;
	uint64_t every = 0;
	const char *t = s->text.p;

	(void)avx2;
	for (unsigned i = 0; i < BLOCK; i += LEARN_STRIDE)
		every |= (uint64_t)1 << i;
	for (; at + 64 <= end && s->rc >= 0; at += BLOCK) {
		uint64_t text, zero, places;

#ifdef __x86_64__
		if (avx2)
			text_bits_avx2(t + at, &text, &zero);
		else
#endif
			text_bits(t + at, &text, &zero);
		text = text_places(text, zero);
		for (places = text & every; places; places &= places - 1) {
			unsigned i = (unsigned)__builtin_ctzll(places);
			uint64_t eight = gram_load(t + at + i);

			if (__builtin_expect(gram_probe(&wide, eight) | gram_probe(&narrow, eight),
					     0))
				learn_look_both(s, at + i, eight);
		}
		if (!odd.n)
			continue;
		zero &= zero >> 1;
		zero &= zero >> 2;
		places = ~text & every & (odd.zero ? ~(uint64_t)0 : ~zero);
#ifdef __x86_64__
		if (avx2)
			places = places ? places & odd_places_avx2(&odd, t + at, every) : 0;
		else
#endif
			places = odd_places(&odd, t + at, places);
		for (; places; places &= places - 1) {
			unsigned i = (unsigned)__builtin_ctzll(places);
			uint64_t eight = gram_load(t + at + i);

			if (__builtin_expect(gram_probe(&wide, eight) | gram_probe(&narrow, eight),
					     0))
				learn_look_both(s, at + i, eight);
		}
	}
	return at;
}

#ifdef __x86_64__
/* With shifts that take any register: a third faster. */
__attribute__((target("bmi,bmi2"))) static size_t scan_bmi2(struct learned_scanner *s, size_t at,
							    size_t end)
{
	return scan(s, at, end, false);
}

__attribute__((target("avx2,bmi,bmi2"))) static size_t scan_avx2(struct learned_scanner *s,
								 size_t at, size_t end)
{
	return scan(s, at, end, true);
}
#endif

size_t learn_scan_memory(struct learned_scanner *s, size_t at, size_t end)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("bmi2") && __builtin_cpu_supports("bmi"))
		return __builtin_cpu_supports("avx2") ? scan_avx2(s, at, end) : scan_bmi2(s, at, end);
#endif
	return scan(s, at, end, false);
}
#else
/* Without bits by the dozen, to look at every place costs less. */
size_t learn_scan_memory(struct learned_scanner *s, size_t at, size_t end)
{
	(void)s;
	(void)end;
	return at;
}
#endif

/* Does a character of UTF-8, of more than one byte, end at `end`? */
static bool utf8_before(struct span t, size_t end)
{
	size_t n = 1;

	while (n < 4 && n < end && ((unsigned char)t.p[end - n] & 0xc0) == 0x80)
		n++;
	if (n < 2 || n > end)
		return false;
	switch (n) {
	case 2:
		return ((unsigned char)t.p[end - n] & 0xe0) == 0xc0;
	case 3:
		return ((unsigned char)t.p[end - n] & 0xf0) == 0xe0;
	default:
		return ((unsigned char)t.p[end - n] & 0xf8) == 0xf0;
	}
}

static bool utf8_at(struct span t, size_t at)
{
	unsigned char c = at < t.len ? (unsigned char)t.p[at] : 0;
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;

	return n && n <= t.len - at && utf8_before(t, at + n);
}

static bool is_ascii_word(char c)
{
	return is_word(c) && (unsigned char)c < 0x80;
}

/* Are the eight bytes before `at` a number, rather than text? One that has a NUL ends in it. */
static bool number_before(struct span t, size_t at)
{
	for (size_t i = at; at >= 8 && i > at - 8; i--) {
		unsigned char c = (unsigned char)t.p[i - 1];

		if (byte_is_text(c))
			continue;
		if (c == '\0')
			return false;
		if (!utf8_before(t, i))
			return true;
		do
			i--;
		while (((unsigned char)t.p[i - 1] & 0xc0) == 0x80);
	}
	return false;
}

/* Letters before a word may be the end of a number: a hash, or a length of one byte behind a NUL.
   The text begins at an offset that is a multiple of eight. */
bool learn_memory_word_before(struct span t, size_t off)
{
	if (off == 0 || (off % 8 == 0 && number_before(t, off)))
		return true;
	if (utf8_before(t, off))
		return false;
	return !is_ascii_word(t.p[off - 1]) || (off > 1 && t.p[off - 2] == '\0');
}

bool learn_memory_word_after(struct span t, size_t end)
{
	return end >= t.len || !(is_ascii_word(t.p[end]) || utf8_at(t, end));
}

/* As a string's edges: what is no text. */
bool learn_memory_string_around(struct span t, size_t off, size_t end)
{
	return off > 0 && end < t.len && !byte_is_text((unsigned char)t.p[off - 1]) &&
	       !byte_is_text((unsigned char)t.p[end]) && !utf8_before(t, off) && !utf8_at(t, end);
}
