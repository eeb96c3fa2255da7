/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_internal.h"

#include <stdlib.h>

/*
 * The loader's list of what is loaded, as gdb reads it (glibc elf/link.h: r_debug is {int version;
 * link_map *map; …}, link_map {addr, char *name, dynamic *ld, next, prev}). All of it is memory
 * of the process: anything may stand there.
 */

#define PHDRS_MAX	64
#define DYNAMIC_MAX	512		/* entries; linkers make some thirty */
#define NAMESPACES_MAX	64		/* dlmopen(3) has 16 */
#define R_DEBUG_NEXT	40		/* of version 2: the next namespace's */

/* The table behind PT_DYNAMIC of the program. */
static uint64_t dynamic_find(const struct elfcore *c)
{
	uint64_t base = 0, dynamic = 0;
	char ph[sizeof(Elf64_Phdr)];

	for (unsigned i = 0; i < PHDRS_MAX; i++) {
		if (elfcore_read(c, c->at_phdr + i * sizeof(ph), ph, sizeof(ph)) != sizeof(ph))
			break;
		/* a table has no end that shows: what follows is no type of the program's */
		if (get_u32(ph) == PT_PHDR)
			base = c->at_phdr - get_u64(ph + offsetof(Elf64_Phdr, p_vaddr));
		if (get_u32(ph) == PT_DYNAMIC) {
			dynamic = get_u64(ph + offsetof(Elf64_Phdr, p_vaddr));
			break;
		}
	}
	return dynamic ? base + dynamic : 0;
}

static uint64_t r_debug_find(const struct elfcore *c)
{
	uint64_t at = c->at_phdr ? dynamic_find(c) : 0;
	char entry[16];

	for (unsigned i = 0; at && i < DYNAMIC_MAX; i++, at += sizeof(entry)) {
		if (elfcore_read(c, at, entry, sizeof(entry)) != sizeof(entry) ||
		    get_u64(entry) == DT_NULL)
			break;
		if (get_u64(entry) == DT_DEBUG)
			return get_u64(entry + 8);
	}
	return 0;
}

static void maps_read(struct elfcore *c, uint64_t at)
{
	char map[32];

	/* nameless ones count too: the list can be a circle */
	for (unsigned i = 0; at && i < LIMIT_CORE_FILES && c->n_links < LIMIT_CORE_FILES; i++) {
		struct elfcore_link l;

		if (elfcore_read(c, at, map, sizeof(map)) != sizeof(map))
			return;
		l.name = elfcore_string(c, get_u64(map + 8), 4096);
		l.dynamic = get_u64(map + 16);
		if (l.name) {	/* the program's own is "" */
			GROW(c->links, c->n_links, c->cap_links);
			c->links[c->n_links++] = l;
		}
		at = get_u64(map + 24);
	}
}

const struct elfcore_link *elfcore_links(struct elfcore *c, size_t *ret_n)
{
	uint64_t at = c->links_done ? 0 : r_debug_find(c);

	for (unsigned i = 0; at && i < NAMESPACES_MAX; i++) {
		char debug[R_DEBUG_NEXT + 8];

		if (elfcore_read(c, at, debug, sizeof(debug)) != sizeof(debug))
			break;
		maps_read(c, get_u64(debug + 8));
		at = get_u32(debug) >= 2 ? get_u64(debug + R_DEBUG_NEXT) : 0;
	}
	c->links_done = true;
	*ret_n = c->n_links;
	return c->links;
}
