/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_ELFCORE_PARTS_H
#define CORESCRUB_ELFCORE_PARTS_H

#include <corescrub/elfcore.h>

/*
 * What the bytes of a core file are for (part of the module elfcore), for whoever rewrites one.
 * What no part names is memory like any other. Offsets are of the file; parts may lie within
 * others.
 */

enum elfcore_part_kind {
	/* Never to be edited, or gdb can't load it or unwind: the ELF file's headers, notes'
	   framing and numbers, and in memory link maps and their names, r_debug, .dynamic, the
	   headers and build ids of mapped files, the vdso. */
	ELFCORE_FIXED,
	ELFCORE_REGISTERS,   /* a thread's general registers, 8 bytes each: likewise fixed */
	ELFCORE_VECTOR,	     /* its vector and x87 state, pointer authentication keys */
	ELFCORE_RANDOM,	     /* AT_RANDOM's 16 bytes */
	ELFCORE_ARGUMENTS,   /* argv's strings on the stack, a NUL behind each */
	ELFCORE_ENVIRONMENT, /* the environment's, likewise */
};
struct elfcore_part {
	uint64_t off, len;
	enum elfcore_part_kind kind;
};
/* Sorted by offset; the caller frees. What the core does not have, or lies about, is left out. */
int elfcore_parts(const struct elfcore *c, struct elfcore_part **ret, size_t *ret_n,
		  struct err *err);

/*
 * What a core needs to be debugged, without its heap: headers and notes; stacks from the stack
 * pointer (and its red zone) up; thread blocks; writable data of mapped files, .bss included; link
 * maps; the vdso; first pages of ELF files. Sorted, disjoint; the caller frees.
 */
struct elfcore_range {
	uint64_t off, len;
};
int elfcore_stack_ranges(const struct elfcore *c, struct elfcore_range **ret, size_t *ret_n,
			 struct err *err);

/* The core itself, for reading: borrowed. */
int elfcore_fd(const struct elfcore *c);
/* Is addr in a segment, dumped or not? */
bool elfcore_is_mapped(const struct elfcore *c, uint64_t addr);
/* Where the byte at addr stands in the file, and how many follow it there; false if it was not
   dumped. */
bool elfcore_offset(const struct elfcore *c, uint64_t addr, uint64_t *ret_off, uint64_t *ret_len);

#endif
