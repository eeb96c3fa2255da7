/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_parts_internal.h"

#include <stdlib.h>

/*
 * What gdb reads in the process's memory before it shows a single frame: headers of mapped files,
 * r_debug and the link maps (glibc elf/link.h), and where the kernel put arguments and environment
 * (Linux fs/binfmt_elf.c, create_elf_tables).
 */

#define PAGE	       4096
#define LINK_MAP       40 /* l_addr, l_name, l_ld, l_next, l_prev */
#define R_DEBUG	       40
#define NAME_MAX_BYTES 4096
#define MAPS_MAX       4096
#define NAMESPACES_MAX 16
#define DYNAMIC_MAX    KIB(16)
#define DT_DEBUG_TAG   21
#define STRINGS_MAX    MIB(8) /* arguments and environment: the kernel's own limit is 6 MiB */

bool elfcore_object_read(const struct elfcore *c, uint64_t addr, struct elfcore_object *ret)
{
	Elf64_Ehdr eh;
	size_t want;

	if (elfcore_read(c, addr, &eh, sizeof(eh)) != sizeof(eh) ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 || eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_phentsize != sizeof(Elf64_Phdr) || eh.e_phnum == 0 ||
	    eh.e_phnum > ARRAY_SIZE(ret->phdrs) || eh.e_phoff > MIB(1))
		return false;
	want = eh.e_phnum * sizeof(Elf64_Phdr);
	if (elfcore_read(c, addr + eh.e_phoff, ret->phdrs, want) != want)
		return false;
	ret->n = eh.e_phnum;
	ret->headers = eh.e_phoff + want;
	ret->base = addr;
	for (size_t i = 0; i < ret->n; i++)
		if (ret->phdrs[i].p_type == PT_LOAD) {
			ret->base = addr - (ret->phdrs[i].p_vaddr - ret->phdrs[i].p_offset);
			break;
		}
	return true;
}

static void object_parts(struct elfcore_parts *p, uint64_t addr)
{
	struct elfcore_object o;

	if (!elfcore_object_read(p->c, addr, &o))
		return;
	elfcore_parts_add_memory(p, addr, o.headers, ELFCORE_FIXED);
	for (size_t i = 0; i < o.n; i++) {
		const Elf64_Phdr *ph = &o.phdrs[i];
		bool small = ph->p_memsz <= DYNAMIC_MAX;

		if (small &&
		    (ph->p_type == PT_DYNAMIC || ph->p_type == PT_NOTE || ph->p_type == PT_INTERP))
			elfcore_parts_add_memory(p, o.base + ph->p_vaddr, ph->p_memsz,
						 ELFCORE_FIXED);
	}
}

static void name_part(struct elfcore_parts *p, uint64_t addr)
{
	char name[NAME_MAX_BYTES];
	size_t got = addr ? elfcore_read(p->c, addr, name, sizeof(name)) : 0;
	const char *end = memchr(name, 0, got);

	if (end)
		elfcore_parts_add_memory(p, addr, (uint64_t)(end - name) + 1, ELFCORE_FIXED);
}

static void link_maps(struct elfcore_parts *p, uint64_t addr)
{
	for (unsigned n = 0; addr && n < MAPS_MAX; n++) {
		char map[LINK_MAP];

		if (elfcore_read(p->c, addr, map, sizeof(map)) != sizeof(map))
			return;
		elfcore_parts_add_memory(p, addr, sizeof(map), ELFCORE_FIXED);
		name_part(p, get_u64(map + 8));
		addr = get_u64(map + 24);
	}
}

static void loader_parts(struct elfcore_parts *p, uint64_t addr)
{
	for (unsigned n = 0; addr && n < NAMESPACES_MAX; n++) {
		char debug[R_DEBUG + 8] = { 0 };

		if (elfcore_read(p->c, addr, debug, sizeof(debug)) < R_DEBUG)
			return;
		elfcore_parts_add_memory(p, addr, sizeof(debug), ELFCORE_FIXED);
		link_maps(p, get_u64(debug + 8));
		/* r_next is there from version 2 on */
		addr = get_u32(debug) >= 2 ? get_u64(debug + R_DEBUG) : 0;
	}
}

/* The program's DT_DEBUG: its headers stand where AT_PHDR says. */
static uint64_t debug_address(const struct elfcore_parts *p)
{
	uint64_t base = 0, dynamic = 0, size = 0;
	AUTO_FREE char *table = NULL;
	size_t got;

	for (uint64_t i = 0; p->at_phdr && i < p->at_phnum && i < 64; i++) {
		Elf64_Phdr ph;

		if (elfcore_read(p->c, p->at_phdr + i * sizeof(ph), &ph, sizeof(ph)) != sizeof(ph))
			return 0;
		if (ph.p_type == PT_PHDR)
			base = p->at_phdr - ph.p_vaddr;
		if (ph.p_type == PT_DYNAMIC) {
			dynamic = ph.p_vaddr;
			size = ph.p_memsz < DYNAMIC_MAX ? ph.p_memsz : DYNAMIC_MAX;
		}
	}
	if (!size)
		return 0;
	table = xmalloc(size);
	got = elfcore_read(p->c, base + dynamic, table, size);
	for (size_t i = 0; i + 16 <= got; i += 16)
		if (get_u64(table + i) == DT_DEBUG_TAG)
			return get_u64(table + i + 8);
	return 0;
}

/* What the kernel pushed: argc, argv, NULL, environment, NULL, auxiliary vector, some bytes, the
   random ones, and the strings above. The vector is in the notes too: where it stands says where
   all is. */
struct initial_stack {
	const char *bytes;
	uint64_t addr; /* of bytes[0] */
	size_t auxv;   /* in bytes */
};

static uint64_t word(const struct initial_stack *s, size_t i)
{
	return get_u64(s->bytes + i * 8);
}

/* The pointers that end with the NULL at `end` (a word's index); the first one's index. */
static size_t pointers_before(const struct initial_stack *s, size_t end)
{
	size_t i = end;

	while (i > 0 && word(s, i - 1) > STRINGS_MAX)
		i--;
	return i;
}

static void strings_part(struct elfcore_parts *p, uint64_t from, uint64_t to,
			 enum elfcore_part_kind kind)
{
	if (from && from < to && to - from <= STRINGS_MAX)
		elfcore_parts_add_memory(p, from, to - from, kind);
}

static void initial_parts(struct elfcore_parts *p, const struct initial_stack *s)
{
	size_t null = s->auxv / 8, env, args;
	uint64_t end = p->at_execfn;

	if (null < 2 || word(s, null - 1) != 0)
		return;
	env = pointers_before(s, null - 1);
	if (env == 0 || word(s, env - 1) != 0)
		return;
	args = pointers_before(s, env - 1);
	if (env < null - 1) {
		strings_part(p, word(s, env), end, ELFCORE_ENVIRONMENT);
		end = word(s, env);
	}
	if (args < env - 1)
		strings_part(p, word(s, args), end, ELFCORE_ARGUMENTS);
}

/* How far below the random bytes the pointers may begin: 100,000 of them. */
#define INITIAL_MAX KIB(800)
#define INITIAL_GAP KIB(4)

static void stack_strings(struct elfcore_parts *p)
{
	AUTO_FREE char *bytes = NULL;
	struct initial_stack s;
	uint64_t from;
	size_t got;

	elfcore_parts_add_memory(p, p->at_random, 16, ELFCORE_RANDOM);
	if (p->at_random < INITIAL_MAX || p->auxv.len < 32)
		return;
	/* a stack that is smaller begins later */
	for (from = (p->at_random - INITIAL_MAX) & ~(uint64_t)(PAGE - 1);
	     from < p->at_random && !elfcore_is_mapped(p->c, from); from += PAGE)
		;
	if (from >= p->at_random)
		return;
	bytes = xmalloc(p->at_random - from);
	got = elfcore_read(p->c, from, bytes, p->at_random - from);
	if (got != p->at_random - from)
		return;
	s = (struct initial_stack){ .bytes = bytes, .addr = from };
	for (size_t at = got & ~(size_t)7; at >= 8 && got - at < INITIAL_GAP; at -= 8)
		if (got - at >= 32 && memcmp(bytes + at, p->auxv.p, 32) == 0) {
			s.auxv = at;
			initial_parts(p, &s);
			return;
		}
}

static void vdso_part(struct elfcore_parts *p)
{
	for (size_t i = 0; p->at_vdso && i < p->c->n_segs; i++)
		if (p->c->segs[i].addr == p->at_vdso)
			elfcore_parts_add(p, p->c->segs[i].file_off, p->c->segs[i].file_size,
					  ELFCORE_FIXED);
}

void elfcore_parts_process(struct elfcore_parts *p)
{
	for (size_t i = 0; i < p->c->n_files; i++)
		if (p->c->files[i].elf)
			object_parts(p, p->c->files[i].start);
	vdso_part(p);
	loader_parts(p, debug_address(p));
	stack_strings(p);
}
