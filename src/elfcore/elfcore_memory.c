/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_parts_internal.h"

#include <stdlib.h>

/* The last segment that begins at or below addr, or NULL. */
static const struct elfcore_segment *segment_below(const struct elfcore *c, uint64_t addr)
{
	size_t lo = 0, hi = c->n_segs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->segs[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? &c->segs[lo - 1] : NULL;
}

/* The one whose dumped bytes hold addr, or NULL. */
static const struct elfcore_segment *segment_at(const struct elfcore *c, uint64_t addr)
{
	const struct elfcore_segment *s = segment_below(c, addr);

	return s && addr - s->addr < s->file_size ? s : NULL;
}

const struct elfcore_segment *elfcore_segment_of(const struct elfcore *c, uint64_t addr)
{
	const struct elfcore_segment *s = segment_below(c, addr);

	return s && addr - s->addr < s->mem_size ? s : NULL;
}

bool elfcore_is_mapped(const struct elfcore *c, uint64_t addr)
{
	return elfcore_segment_of(c, addr) != NULL;
}

bool elfcore_offset(const struct elfcore *c, uint64_t addr, uint64_t *ret_off, uint64_t *ret_len)
{
	const struct elfcore_segment *s = segment_at(c, addr);

	if (!s)
		return false;
	*ret_off = s->file_off + (addr - s->addr);
	*ret_len = s->file_size - (addr - s->addr);
	return true;
}

size_t elfcore_read(const struct elfcore *c, uint64_t addr, void *ret, size_t n)
{
	size_t got = 0;

	while (got < n) {
		const struct elfcore_segment *s = segment_at(c, addr);
		size_t want = n - got, k;

		if (!s)
			break;
		if (want > s->file_size - (addr - s->addr))
			want = (size_t)(s->file_size - (addr - s->addr));
		k = elfcore_pread(c->fd, (char *)ret + got, want, s->file_off + (addr - s->addr));
		got += k;
		if (k < want || __builtin_add_overflow(addr, (uint64_t)k, &addr))
			break;
	}
	return got;
}

uint64_t elfcore_holds(const struct elfcore *c, uint64_t addr, uint64_t size)
{
	uint64_t got = 0;

	while (got < size) {
		const struct elfcore_segment *s = segment_at(c, addr);
		uint64_t here = s ? s->file_size - (addr - s->addr) : 0;

		if (here == 0 || __builtin_add_overflow(addr, here, &addr))
			break;
		got += here;
	}
	return got < size ? got : size;
}

const char *elfcore_string(struct elfcore *c, uint64_t addr, size_t max)
{
	AUTO_FREE char *text = xmalloc(max);
	size_t got = elfcore_read(c, addr, text, max);
	const char *end = memchr(text, 0, got);

	return end && end != text ? arena_strndup(c->arena, text, (size_t)(end - text)) : NULL;
}
