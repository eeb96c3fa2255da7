/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_SNAPSHOT_INTERNAL_H
#define CORESCRUB_SNAPSHOT_INTERNAL_H

#include <corescrub/elfcore.h>

#include <stdint.h>
#include <sys/types.h>

/*
 * A core of a running process: snapshot_stop.c stops its threads and takes their registers,
 * snapshot_map.c says which memory belongs into a core, snapshot_write.c copies it and writes the
 * ELF file. All of it runs in a child of ours, see snapshot.c.
 */

#define SNAPSHOT_REGSETS 4

struct snapshot_thread {
	pid_t tid;
	bool stopped, gone;
	int signal;		/* that it was about to get when it stopped: goes back at the end */
	struct buf regs[SNAPSHOT_REGSETS];	/* row by row with snapshot_regsets; empty = has none */
};

struct snapshot_map {		/* a line of /proc/PID/maps */
	uint64_t start, end, offset;
	uint32_t flags;		/* PF_R, PF_W, PF_X */
	bool private, file;	/* file: a path, not anonymous memory or [heap] */
	enum { COPY_NOTHING, COPY_HEADER, COPY_PRESENT, COPY_ALL } copy;
	size_t path;		/* offset in snapshot.paths, for files */
	uint64_t at, size;	/* where in the core, bytes there */
};

struct snapshot_range {
	uint64_t start, end;
};

struct snapshot {
	pid_t pid;
	int dir, mem, pagemap;	/* /proc/PID, and two files of it */
	struct snapshot_thread *threads;
	size_t n_threads, cap_threads;
	struct snapshot_map *maps;
	size_t n_maps, cap_maps;
	struct buf paths;	/* NUL-terminated */
	struct snapshot_range *kept_out;	/* not to be dumped: by its own wish, or a device's */
	size_t n_kept_out, cap_kept_out;
	struct buf notes;
	/* Memory to copy to, made before the stop so that no disk is waited for meanwhile; behind its end
	   what is read goes to the file at once. */
	char *store;
	size_t store_size, store_used;
	struct snapshot_piece {	/* of the store */
		size_t from, len;
		uint64_t at;	/* where in the core */
	} *pieces;
	size_t n_pieces, cap_pieces;
	uint64_t data, unread;	/* bytes copied; bytes that could not be read */
};

extern const struct snapshot_regset {
	uint32_t type;		/* NT_… */
	const char *owner;	/* "CORE" or "LINUX" */
} snapshot_regsets[SNAPSHOT_REGSETS];

/* Opens what is needed of /proc/PID. */
int snapshot_open(pid_t pid, struct snapshot *s, struct err *err);
void snapshot_done(struct snapshot *s);
/* A whole file of /proc/PID. */
int snapshot_read(const struct snapshot *s, const char *name, struct buf *ret, struct err *err);

/* Seizes and stops every thread, also those that are made meanwhile. */
int snapshot_stop(struct snapshot *s, struct err *err);
void snapshot_take_registers(struct snapshot *s);
void snapshot_continue(struct snapshot *s);

/* The ranges that must stay out (VmFlags dd, io, pf of smaps). Slow: before the stop. */
int snapshot_find_kept_out(struct snapshot *s, struct err *err);
/* Reads the maps and decides what of each goes into the core. */
int snapshot_find_maps(struct snapshot *s, struct err *err);
int snapshot_page_bits(const struct snapshot *s, uint64_t addr, uint64_t *ret, size_t n);
/* Is the page there, or in the swap, and no guard (glibc 2.42 puts them below stacks; bit 58 from
   Linux 6.15 on)? Is it of a file, as it stands in the file? (proc(5), pagemap) */
#define SNAPSHOT_PAGE_THERE(bits) (((bits) >> 62) != 0 && !((bits) >> 58 & 1))
#define SNAPSHOT_PAGE_OF_FILE(bits) (((bits) >> 61) & 1)

/* Places the segments, then copies memory: to the store, what it can't hold to out. Needs the
   stopped process. snapshot_write_store may come when it goes on again. */
int snapshot_copy(struct snapshot *s, int out, struct err *err);
int snapshot_write_store(struct snapshot *s, int out, struct err *err);
/* The notes are made from what was read; then headers and notes are written. */
int snapshot_make_notes(struct snapshot *s, struct err *err);
int snapshot_write_head(const struct snapshot *s, int out, struct err *err);

#endif
