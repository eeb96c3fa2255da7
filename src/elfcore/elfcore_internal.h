/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ELFCORE_INTERNAL_H
#define ELFCORE_INTERNAL_H

#include <corescrub/elfcore.h>

#include <gelf.h>

/* The general registers of a thread as its NT_PRSTATUS has them: x86-64's user_regs_struct, or
   aarch64's x0 to x30, sp, pc, pstate. */
#define ELFCORE_REGS 34
struct elfcore_regs {
	uint64_t r[ELFCORE_REGS];
};

enum x86_reg {		/* index into user_regs_struct, 8 bytes each */
	X86_R15, X86_R14, X86_R13, X86_R12, X86_RBP, X86_RBX, X86_R11, X86_R10, X86_R9, X86_R8,
	X86_RAX, X86_RCX, X86_RDX, X86_RSI, X86_RDI, X86_ORIG_RAX, X86_RIP, X86_CS, X86_EFLAGS,
	X86_RSP, X86_SS, X86_FS_BASE, X86_N_REGS = 27,
};

enum arm_reg {		/* x0 to x30, sp, pc, pstate */
	ARM_X8 = 8, ARM_SP = 31, ARM_PC = 32, ARM_N_REGS = 34,
};

struct elfcore {
	int fd;
	char *name;			/* for messages */
	uint16_t machine;		/* EM_X86_64, EM_AARCH64 */
	struct elfcore_info info;
	struct arena *arena;		/* strings out of the notes */

	struct elfcore_segment *segs;	/* sorted by address */
	size_t n_segs, cap_segs;
	struct elfcore_thread *threads;
	size_t n_threads, cap_threads;
	struct elfcore_regs *regs;	/* a row a thread */
	size_t cap_regs;
	struct elfcore_file *files;
	size_t n_files, cap_files;
	struct elfcore_wait *waits;
	size_t n_waits, cap_waits;
	bool waits_done;
	struct elfcore_link *links;
	size_t n_links, cap_links;
	bool links_done;

	uint64_t at_phdr, at_execfn;	/* AUXV, 0 if not there */
	bool has_siginfo, has_prpsinfo;
};

/* One note's content, in memory that lasts for the call. */
struct elfcore_note {
	const char *owner;		/* NUL-terminated: "CORE", "LINUX" */
	uint32_t type;
	struct span desc;
};

/* Little-endian numbers at p; the caller has checked that they are there. */
static inline uint16_t get_u16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t get_u32(const void *p)
{
	return get_u16(p) | (uint32_t)get_u16((const char *)p + 2) << 16;
}

static inline uint64_t get_u64(const void *p)
{
	return get_u32(p) | (uint64_t)get_u32((const char *)p + 4) << 32;
}

/* pread until n bytes or the file's end; the bytes got, 0 on an error too. */
size_t elfcore_pread(int fd, void *ret, size_t n, uint64_t off);
/* How many of the size bytes at addr the core holds, without a gap. */
uint64_t elfcore_holds(const struct elfcore *c, uint64_t addr, uint64_t size);
/* A string of the process's memory of fewer than max bytes, in the arena; or NULL. */
const char *elfcore_string(struct elfcore *c, uint64_t addr, size_t max);

/* All PT_NOTEs of the core: threads, process, auxiliary vector, file map. */
int elfcore_notes_load(struct elfcore *c, Elf *elf, size_t n_phdrs, struct err *err);
/* NT_FILE to rows, unsorted and without build ids. */
int elfcore_files_parse(struct elfcore *c, struct span desc, struct err *err);
/* Joins the mappings of one object, then looks into the mapped pages for headers and build ids. */
void elfcore_files_finish(struct elfcore *c);

/* The GNU build id among a run of notes (align: 4 or 8); false if there is none that fits ret. */
bool elfcore_notes_build_id(struct span notes, size_t align, uint8_t ret[64], size_t *ret_len);

/* Of an ELF file on disk: its e_machine (EM_NONE: no ELF file of 64 bits), the size and alignment
   of its thread-local block. */
uint16_t elfcore_file_machine(int fd);
bool elfcore_file_tls(int fd, uint64_t *ret_size, uint64_t *ret_align);

#endif
