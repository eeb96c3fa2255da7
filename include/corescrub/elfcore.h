/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_ELFCORE_H
#define CORESCRUB_ELFCORE_H

#include <corescrub/base.h>

/*
 * ELF cores (gABI; core(5); Linux fs/binfmt_elf.c for the notes): what the core itself says of its
 * program, threads, files. Everything in a core is a claim by somebody hostile; offsets are checked
 * against the file before use. x86-64 and aarch64, little endian. Notes are read through libelf.
 */

struct elfcore;
int elfcore_open(int fd, const char *name, struct elfcore **ret, struct err *err);	/* dups fd */
void elfcore_free(struct elfcore *c);
AUTO_DEFINE(elfcore, elfcore_free)
/* Is this file an ELF core at all? For silent skips. */
bool elfcore_probe(int fd);

struct elfcore_thread {
	int lwp;
	uint64_t pc, sp, fs_base;
	int64_t syscall;		/* orig_rax on x86-64, x8 on aarch64; -1 if in none */
	uint64_t args[6];		/* of that system call */
};
struct elfcore_file {
	uint64_t start, end;		/* addresses */
	uint64_t file_off;		/* bytes */
	const char *path;		/* as the core claims; may hold anything */
	bool elf;			/* its first mapped page is an ELF header */
	uint8_t build_id[64];
	size_t build_id_len;		/* 0: no id in the mapped pages */
};
struct elfcore_info {
	const char *program;		/* from AT_EXECFN's or the first mapped executable's path; or NULL */
	const char *args;		/* PRPSINFO pr_psargs: clear text */
	int signal, si_code, pid;
	uint64_t fault_addr;
	uid_t uid;			/* of PRPSINFO */
	const char *machine;		/* "x86-64", "aarch64" */
	bool truncated;			/* segments reach past the end of the file */
	uint64_t size, data_size;	/* of the file; without holes */
};
const struct elfcore_info *elfcore_info(const struct elfcore *c);
const struct elfcore_thread *elfcore_threads(const struct elfcore *c, size_t *ret_n);
/* One row a mapped object (the mapping of its first page), sorted by address. */
const struct elfcore_file *elfcore_files(const struct elfcore *c, size_t *ret_n);
/* Reads memory of the crashed process; the bytes got (short at a hole's or segment's end). */
size_t elfcore_read(const struct elfcore *c, uint64_t addr, void *ret, size_t n);

/* Is the file at `path` (under sysroot, may be NULL) the one the core had mapped? Opened with the
   credentials uid/gid (O_NOFOLLOW on the last part, regular, ELF), build ids equal. RC_OK and the
   descriptor; else RC_REFUSED (err says which of it) or RC_NOTFOUND. */
int elfcore_vouch(const struct elfcore *c, const struct elfcore_file *f, const char *sysroot, uid_t uid,
		  gid_t gid, int *ret_fd, struct err *err);
/* Build id and .debug_* presence of an ELF file on disk. */
int elfcore_file_build_id(int fd, uint8_t ret[64], size_t *ret_len, bool *ret_debug, struct err *err);
/* The separate debug file that is installed for a build id (/usr/lib/debug/.build-id/xx/…), or NULL. */
char *elfcore_debug_path(const uint8_t *id, size_t len);

/* A thread that waits for a lock, seen in the core alone: futex system call, the words at its address. */
struct elfcore_wait {
	size_t thread;			/* index into elfcore_threads */
	uint64_t addr;			/* the futex word */
	int owner_lwp;			/* holder of a glibc mutex there, or 0 if not known */
	const char *what;		/* "mutex", "rwlock", "condition variable", "futex" */
};
const struct elfcore_wait *elfcore_waits(struct elfcore *c, size_t *ret_n);

#endif
