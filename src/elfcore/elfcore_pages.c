/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_symbols_internal.h"

/* The core's memory as the walk reads it: some bytes here, some there, the same pages again and
   again. */

static const struct page *page_at(struct symbols *s, uint64_t addr)
{
	uint64_t start = addr & ~(uint64_t)(PAGE_BYTES - 1);
	struct page *p = &s->pages[(start / PAGE_BYTES) % PAGE_CACHE];

	if (p->addr != start + 1) {
		p->addr = start + 1;
		p->len = (uint32_t)elfcore_read(s->c, start, p->bytes, PAGE_BYTES);
	}
	return p;
}

bool symbols_memory(struct symbols *s, uint64_t addr, void *ret, size_t n)
{
	char *to = ret;

	while (n > 0) {
		const struct page *p = page_at(s, addr);
		size_t at = addr % PAGE_BYTES, k = PAGE_BYTES - at;

		if (k > n)
			k = n;
		if (at + k > p->len)
			return false;
		memcpy(to, p->bytes + at, k);
		to += k;
		n -= k;
		if (__builtin_add_overflow(addr, (uint64_t)k, &addr))
			return n == 0;
	}
	return true;
}

uint64_t symbols_string_length(struct symbols *s, uint64_t addr, uint64_t max)
{
	uint64_t len = 0;

	while (len < max) {
		const struct page *p = page_at(s, addr);
		size_t at = addr % PAGE_BYTES, k;
		const char *nul;

		if (at >= p->len)
			break;
		k = p->len - at;
		nul = memchr(p->bytes + at, 0, k);
		len += nul ? (size_t)(nul - p->bytes) - at : k;
		if (nul || at + k < PAGE_BYTES || __builtin_add_overflow(addr, (uint64_t)k, &addr))
			break;
	}
	return len < max ? len : max;
}

bool symbols_word(struct symbols *s, uint64_t addr, uint64_t *ret)
{
	char bytes[8];

	if (!symbols_memory(s, addr, bytes, sizeof(bytes)))
		return false;
	*ret = get_u64(bytes);
	return true;
}
