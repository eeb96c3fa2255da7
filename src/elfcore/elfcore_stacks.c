/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_parts_internal.h"

#include <stdlib.h>

/*
 * What a core keeps without its heap. A thread's block (glibc's struct pthread, at fs_base) stands
 * at the top of its stack, with its thread-local variables below it on x86-64 and above on aarch64.
 */

#define PAGE	   4096
#define RED_ZONE   256	  /* below the stack pointer: 128 bytes by the x86-64 ABI, and a frame */
#define BLOCK	   KIB(4) /* of a thread, from fs_base on */
#define LOCALS	   KIB(8) /* thread-local variables next to it */
#define DTV_MOST   4096   /* rows of the vector of thread-local blocks; glibc makes as many as objects */
#define FIRST_PAGE PAGE

struct ranges {
	const struct elfcore *c;
	struct elfcore_parts list; /* of kind ELFCORE_FIXED; what is kept */
};

static void keep(struct ranges *r, uint64_t addr, uint64_t len)
{
	elfcore_parts_add_memory(&r->list, addr, len, ELFCORE_FIXED);
}

static uint64_t page_up(uint64_t addr)
{
	return (addr + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

/* The stack of a thread from sp on: to its thread block if that is above it, else to the segment's
   end. */
static void keep_stack(struct ranges *r, uint64_t sp, uint64_t block)
{
	const struct elfcore_segment *s = elfcore_segment_of(r->c, sp);
	uint64_t from = sp - RED_ZONE, end;

	if (!s || sp < RED_ZONE)
		return;
	end = s->addr + s->mem_size;
	if (from < s->addr)
		from = s->addr;
	if (block > sp && block < end && page_up(block + BLOCK) < end)
		end = page_up(block + BLOCK);
	keep(r, from, end - from);
}

/* The vector of thread-local blocks, in the heap: a row with the number of rows stands before it
   (glibc nptl, dtv[-1].counter), one with their age is its first. Its address is the block's first
   word on aarch64, the second on x86-64 (glibc's tcbhead_t). */
static void keep_dtv(struct ranges *r, uint64_t dtv)
{
	char n[8];

	if (dtv > 16 && elfcore_read(r->c, dtv - 16, n, sizeof(n)) == sizeof(n))
		keep(r, dtv - 16, 16 * ((get_u64(n) < DTV_MOST ? get_u64(n) : DTV_MOST) + 2));
}

static void keep_thread(struct ranges *r, const struct elfcore_thread *t, uint64_t main_stack)
{
	const struct elfcore_segment *own = elfcore_segment_of(r->c, t->fs_base);
	const struct elfcore_segment *on = elfcore_segment_of(r->c, t->sp);
	uint64_t from;
	char dtv[8];

	keep_stack(r, t->sp, t->fs_base);
	/* on another stack than its own (a signal handler's): frames go on in its own one */
	if (on && own && on != own && own->addr != main_stack && on->addr != main_stack)
		keep(r, own->addr, page_up(t->fs_base + BLOCK) - own->addr);
	if (!own)
		return;
	from = t->fs_base - own->addr < LOCALS ? own->addr : t->fs_base - LOCALS;
	keep(r, from, t->fs_base + BLOCK - from);
	if (elfcore_read(r->c, t->fs_base + (r->c->machine == EM_AARCH64 ? 0 : 8), dtv, 8) == 8)
		keep_dtv(r, get_u64(dtv));
}

/* All of a mapped file that can be written, with what the file does not have (.bss). */
static void keep_object(struct ranges *r, const struct elfcore_file *f)
{
	struct elfcore_object o;

	keep(r, f->start, FIRST_PAGE);
	if (!elfcore_object_read(r->c, f->start, &o))
		return;
	for (size_t i = 0; i < o.n; i++)
		if (o.phdrs[i].p_type == PT_LOAD && (o.phdrs[i].p_flags & PF_W))
			keep(r, o.base + o.phdrs[i].p_vaddr, o.phdrs[i].p_memsz);
}

/* The first segment at addr or above. */
static const struct elfcore_segment *first_from(const struct elfcore *c, uint64_t addr)
{
	size_t lo = 0, hi = c->n_segs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->segs[mid].addr < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return c->segs + lo;
}

static void keep_files(struct ranges *r)
{
	for (size_t i = 0; i < r->c->n_files; i++) {
		const struct elfcore_file *f = &r->c->files[i];

		if (f->elf)
			keep_object(r, f);
		for (const struct elfcore_segment *s = first_from(r->c, f->start);
		     s < r->c->segs + r->c->n_segs && s->addr < f->end; s++)
			if (s->flags & PF_W)
				keep(r, s->addr,
				     f->end - s->addr < s->mem_size ? f->end - s->addr
								    : s->mem_size);
	}
}

static void keep_stacks(struct ranges *r, uint64_t at_random)
{
	const struct elfcore_segment *main_stack = elfcore_segment_of(r->c, at_random);
	bool used = false;

	for (size_t i = 0; i < r->c->n_threads; i++) {
		const struct elfcore_thread *t = &r->c->threads[i];

		keep_thread(r, t, main_stack ? main_stack->addr : 0);
		used |= main_stack && elfcore_segment_of(r->c, t->sp) == main_stack;
	}
	if (!main_stack)
		return;
	/* no thread stands on it: its frames are below a handler's, at a place that nobody knows */
	if (!used)
		keep(r, main_stack->addr, main_stack->mem_size);
	else /* arguments, environment and the auxiliary vector */
		keep(r, at_random & ~(uint64_t)(PAGE - 1),
		     main_stack->addr + main_stack->mem_size - (at_random & ~(uint64_t)(PAGE - 1)));
}

static int range_cmp(const void *pa, const void *pb)
{
	const struct elfcore_part *a = pa, *b = pb;

	return a->off < b->off ? -1 : a->off > b->off;
}

/* Notes and headers: all of the file that is in no segment. */
static void keep_outside(struct ranges *r)
{
	AUTO_FREE struct elfcore_part *segs = xcalloc(r->c->n_segs + 1, sizeof(*segs));
	uint64_t at = 0;

	for (size_t i = 0; i < r->c->n_segs; i++)
		segs[i] =
			(struct elfcore_part){ r->c->segs[i].file_off, r->c->segs[i].file_size, 0 };
	if (r->c->n_segs > 1)
		qsort(segs, r->c->n_segs, sizeof(*segs), range_cmp);
	for (size_t i = 0; i < r->c->n_segs; i++) {
		if (segs[i].off > at)
			elfcore_parts_add(&r->list, at, segs[i].off - at, ELFCORE_FIXED);
		if (segs[i].len && segs[i].off + segs[i].len > at)
			at = segs[i].off + segs[i].len;
	}
	if (at < r->c->info.size)
		elfcore_parts_add(&r->list, at, r->c->info.size - at, ELFCORE_FIXED);
}

int elfcore_stack_ranges(const struct elfcore *c, struct elfcore_range **ret, size_t *ret_n,
			 struct err *err)
{
	struct ranges r = { .c = c };
	struct elfcore_range *v;
	size_t n = 0;
	int rc = elfcore_parts_read(&r.list, c, err);

	if (rc == RC_OK) {
		/* link maps, r_debug, .dynamic, the vdso and headers are parts already */
		keep_outside(&r);
		keep_files(&r);
		keep_stacks(&r, r.list.at_random);
		rc = elfcore_parts_check(&r.list, err);
	}
	if (rc < 0) {
		elfcore_parts_done(&r.list);
		return rc;
	}
	qsort(r.list.v, r.list.n, sizeof(*r.list.v), range_cmp);
	v = xcalloc(r.list.n, sizeof(*v));
	for (size_t i = 0; i < r.list.n; i++) {
		uint64_t off = r.list.v[i].off, end = off + r.list.v[i].len;

		if (n && off <= v[n - 1].off + v[n - 1].len) {
			if (end > v[n - 1].off + v[n - 1].len)
				v[n - 1].len = end - v[n - 1].off;
		} else {
			v[n++] = (struct elfcore_range){ off, end - off };
		}
	}
	elfcore_parts_done(&r.list);
	*ret = v;
	*ret_n = n;
	return RC_OK;
}
