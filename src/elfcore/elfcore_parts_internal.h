/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ELFCORE_PARTS_INTERNAL_H
#define ELFCORE_PARTS_INTERNAL_H

#include "elfcore_internal.h"

#include <corescrub/elfcore_parts.h>

/* Parts as they are collected, and what the auxiliary vector says. */
struct elfcore_parts {
	const struct elfcore *c;
	struct elfcore_part *v;
	size_t n, cap;
	bool full; /* LIMIT_CORE_PARTS: some are missing */
	struct buf auxv;
	uint64_t at_phdr, at_phnum, at_random, at_execfn, at_vdso;
};
/* Reads all parts; end with elfcore_parts_done whether it fails or not. */
int elfcore_parts_read(struct elfcore_parts *p, const struct elfcore *c, struct err *err);
void elfcore_parts_done(struct elfcore_parts *p);
int elfcore_parts_check(const struct elfcore_parts *p, struct err *err); /* RC_TOOBIG: full */
void elfcore_parts_add(struct elfcore_parts *p, uint64_t off, uint64_t len,
		       enum elfcore_part_kind kind);
/* A range of addresses, as far as it was dumped. */
void elfcore_parts_add_memory(struct elfcore_parts *p, uint64_t addr, uint64_t len,
			      enum elfcore_part_kind kind);

/* elfcore_process.c: what the process's memory has of the loader's and the kernel's making. */
void elfcore_parts_process(struct elfcore_parts *p);

/* elfcore_memory.c: the segment that holds addr, dumped or not; or NULL. */
const struct elfcore_segment *elfcore_segment_of(const struct elfcore *c, uint64_t addr);

/* The program headers of a mapped ELF file: n of them, what they say of where it stands. */
struct elfcore_object {
	uint64_t base; /* added to its own addresses */
	Elf64_Phdr phdrs[64];
	size_t n;
	uint64_t headers; /* bytes from its start that hold headers */
};
/* The one whose first page is at addr; false if that is no ELF header. */
bool elfcore_object_read(const struct elfcore *c, uint64_t addr, struct elfcore_object *ret);

#endif
