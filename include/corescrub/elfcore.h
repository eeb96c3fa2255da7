/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_ELFCORE_H
#define CORESCRUB_ELFCORE_H

#include <corescrub/base.h>

/*
 * ELF cores (gABI; core(5); Linux fs/binfmt_elf.c for the notes): what the core itself says of its
 * program, threads, files. Everything in a core is a claim by somebody hostile; offsets are checked
 * against the file before use. x86-64 and aarch64, little endian. Notes are read through libelf.
 *
 * elfcore_probe (a silent look), elfcore_open, then ask; what is returned lives as long as the
 * core. One cut short opens too: info.truncated is set, and what is behind the cut reads as a hole.
 */

struct elfcore;

/* Reads headers and notes; dups fd, so the caller may close it. `name` is for messages. RC_FORMAT
   if it is no core, RC_UNSUPPORTED for other machines, RC_TOOBIG over a cap of limits.h. */
int elfcore_open(int fd, const char *name, struct elfcore **ret, struct err *err);
void elfcore_free(struct elfcore *c);
AUTO_DEFINE(elfcore, elfcore_free)
/* Is this file an ELF core at all? For silent skips. */
bool elfcore_probe(int fd);

struct elfcore_thread {
	int lwp;
	uint64_t pc, sp, fs_base;	/* fs_base: 0 on aarch64 where the core has no NT_ARM_TLS */
	int64_t syscall;		/* the number of the call it waits in, or -1 */
	uint64_t args[6];		/* of that system call */
};

struct elfcore_segment {		/* a PT_LOAD */
	uint64_t addr, mem_size;
	uint64_t file_off, file_size;	/* in the core; file_size is cut at the file's end */
	uint32_t flags;			/* PF_R, PF_W, PF_X */
};

struct elfcore_file {
	uint64_t start, end;		/* addresses, from its first to its last mapping */
	uint64_t file_off;		/* bytes, of the mapping at start */
	const char *path;		/* as the core claims; may hold anything */
	bool elf;			/* its first mapped page is an ELF header */
	uint8_t build_id[64];
	size_t build_id_len;		/* 0: no id in the mapped pages */
};

struct elfcore_info {
	const char *program;		/* path of the mapped file that AT_PHDR points into, else
					   AT_EXECFN's, which can be relative; or NULL */
	const char *comm;		/* PRPSINFO pr_fname: the name cut to 15 bytes; or NULL */
	const char *args;		/* PRPSINFO pr_psargs: clear text; or NULL */
	int signal, si_code, pid;
	uint64_t fault_addr;		/* SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP; else 0 */
	bool has_fault_addr;
	uid_t uid;			/* of PRPSINFO */
	gid_t gid;
	const char *machine;		/* "x86-64", "aarch64" */
	bool truncated;			/* segments reach past the end of the file */
	uint64_t size, data_size;	/* of the file; without holes */
};

const struct elfcore_info *elfcore_info(const struct elfcore *c);
/* In the core's order: the thread that got the signal is the first. */
const struct elfcore_thread *elfcore_threads(const struct elfcore *c, size_t *ret_n);
/* Sorted by address. */
const struct elfcore_segment *elfcore_segments(const struct elfcore *c, size_t *ret_n);
/* One row a mapped object, sorted by address; the same file mapped twice gives two rows. */
const struct elfcore_file *elfcore_files(const struct elfcore *c, size_t *ret_n);
/* Reads memory of the crashed process; the bytes got (short at a hole's or the memory's end). */
size_t elfcore_read(const struct elfcore *c, uint64_t addr, void *ret, size_t n);


/* What the dynamic loader had loaded, as gdb will look for it: the name it was loaded by, which can
   be a link to the file that was mapped, and where its dynamic table stands. The program's own
   entry, which has no name, is left out. Claims like all else; at most LIMIT_CORE_FILES. */
struct elfcore_link {
	const char *name;
	uint64_t dynamic;		/* an address within the mapped file */
};
const struct elfcore_link *elfcore_links(struct elfcore *c, size_t *ret_n);

/* Is the file at `path` (under sysroot, may be NULL) the one the core had mapped? Opened with the
   credentials uid/gid when we are root (O_NOFOLLOW on the last part, regular, ELF), build ids
   equal; where the core has none, a sysroot is the user's word for what is in it. RC_OK and the
   descriptor; else RC_REFUSED (err says why, not the path), RC_NOTFOUND. */
int elfcore_vouch(const struct elfcore *c, const struct elfcore_file *f, const char *sysroot,
		  uid_t uid, gid_t gid, int *ret_fd, struct err *err);
/* Build id and .debug_* presence of an ELF file on disk. *ret_len is 0 where it has no id;
   ret_debug may be NULL. RC_FORMAT if it is no ELF file of 64 bits. */
int elfcore_file_build_id(int fd, uint8_t ret[64], size_t *ret_len, bool *ret_debug,
			  struct err *err);
/* What .gnu_debugaltlink says of the file that holds what this one (it stands at `at`) shares with
   others: its path, a claim, and its build id. False where there is none. The caller frees the
   path. */
bool elfcore_file_alt(int fd, const char *at, char **ret_path, uint8_t ret[64], size_t *ret_len);
/* The separate debug file that is installed for a build id (/usr/lib/debug/.build-id/xx/…), or
   NULL; elfcore_debug_name is that path whether it is there or not. The caller frees. */
char *elfcore_debug_path(const uint8_t *id, size_t len);
char *elfcore_debug_name(const uint8_t *id, size_t len);

/* How an ELF file on disk was built: what of it a debugger can use. */
struct elfcore_build {
	uint8_t build_id[64];
	size_t build_id_len;		/* 0: none */
	bool symtab;			/* .symtab: names of functions, not only of exported ones */
	bool debug_info;		/* DWARF of its own */
	char debuglink[128];		/* name of its separate debug file (.gnu_debuglink), or "" */
	/* compilation units of C and its kin whose producer tells its options (DW_AT_producer) */
	size_t units, optimised;	/* optimised: above -O0, -Og left out */
};
/* RC_FORMAT if it is no ELF file of 64 bits. */
int elfcore_build_probe(int fd, struct elfcore_build *ret, struct err *err);
/* Does it define one of these names (NULL-terminated), in .symtab or .dynsym? */
bool elfcore_build_defines(int fd, const char *const *names);

/* A thread that waits for a lock, seen in the core alone: futex system call, the words at its
   address in glibc's layouts. Needs no symbols. The words are claims like all else. */
struct elfcore_wait {
	size_t thread;			/* index into elfcore_threads */
	uint64_t addr;			/* the object's start where it is known, else the word */
	int owner_lwp;			/* the holder, or 0 if not known; can be gone */
	const char *what;		/* "mutex", "rwlock", "condition variable", "semaphore",
					   "stream lock" (a FILE's), "thread exit" (a join),
					   "futex" */
};
const struct elfcore_wait *elfcore_waits(struct elfcore *c, size_t *ret_n);

/* A core of a running process, written to `out` (an empty file, its holes stay holes) while all its
   threads stand still. The process goes on whatever happens to us, and stays stopped if it was.
   Memory that it wants kept out of cores is left out. RC_IO where the disk has too little room:
   then nothing was stopped. RC_REFUSED: it can't be traced; RC_TIMEOUT: a thread would not stop. */
struct elfcore_taken {
	uint64_t stopped_us;		/* how long it stood still */
	uint64_t data, unread;		/* bytes copied; bytes that could not be read */
	size_t threads;
};
int elfcore_take(pid_t pid, int out, struct elfcore_taken *ret, struct err *err);

#endif
