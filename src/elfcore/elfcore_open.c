/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

size_t elfcore_pread(int fd, void *ret, size_t n, uint64_t off)
{
	size_t got = 0;

	while (got < n) {
		ssize_t k;

		if (off > (uint64_t)INT64_MAX - n)
			break;
		k = pread(fd, (char *)ret + got, n - got, (off_t)(off + got));
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			break;
		got += (size_t)k;
	}
	return got;
}

bool elfcore_probe(int fd)
{
	uint8_t head[20];
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       elfcore_pread(fd, head, sizeof(head), 0) == sizeof(head) &&
	       memcmp(head, ELFMAG, SELFMAG) == 0 && get_u16(head + 16) == ET_CORE;
}

static int segment_cmp(const void *pa, const void *pb)
{
	const struct elfcore_segment *a = pa, *b = pb;

	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

/* Adds a PT_LOAD. What would wrap or stands behind the file's end is cut off. */
static void segment_add(struct elfcore *c, const GElf_Phdr *ph)
{
	struct elfcore_segment s = { .addr = ph->p_vaddr, .mem_size = ph->p_memsz,
				     .file_off = ph->p_offset, .file_size = ph->p_filesz,
				     .flags = ph->p_flags };
	uint64_t end;

	if (__builtin_add_overflow(s.addr, s.mem_size, &end))
		return;
	if (s.file_size > s.mem_size)
		s.file_size = s.mem_size;
	if (__builtin_add_overflow(s.file_off, s.file_size, &end) || end > c->info.size) {
		c->info.truncated = true;
		s.file_size = s.file_off < c->info.size ? c->info.size - s.file_off : 0;
	}
	GROW(c->segs, c->n_segs, c->cap_segs);
	c->segs[c->n_segs++] = s;
}

static int segments_load(struct elfcore *c, Elf *elf, size_t n_phdrs, struct err *err)
{
	for (size_t i = 0; i < n_phdrs; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)i, &ph))
			return err_set(err, RC_FORMAT, "%s: damaged program headers", c->name);
		if (ph.p_type == PT_LOAD)
			segment_add(c, &ph);
	}
	if (c->n_segs > 1)
		qsort(c->segs, c->n_segs, sizeof(*c->segs), segment_cmp);
	return RC_OK;
}

/* The ELF header, checked before anything is believed. */
static int header_check(struct elfcore *c, Elf *elf, size_t *ret_n_phdrs, struct err *err)
{
	GElf_Ehdr eh;
	uint64_t end;
	size_t n;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &eh))
		return err_set(err, RC_FORMAT, "%s: not an ELF core", c->name);
	if (eh.e_type != ET_CORE) {
		int rc = err_set(err, RC_FORMAT, "%s: a program or library, not an ELF core", c->name);

		err_hint(err, "the core alone is needed: it names its program, --exe another one");
		return rc;
	}
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB ||
	    (eh.e_machine != EM_X86_64 && eh.e_machine != EM_AARCH64))
		return err_set(err, RC_UNSUPPORTED,
			       "%s: a core of another machine than x86-64 or aarch64", c->name);
	if (elf_getphdrnum(elf, &n) != 0 || n == 0)
		return err_set(err, RC_FORMAT, "%s: a core without program headers", c->name);
	if (n > LIMIT_CORE_SEGMENTS)
		return err_set(err, RC_TOOBIG, "%s: more than %d segments", c->name,
			       LIMIT_CORE_SEGMENTS);
	if (__builtin_mul_overflow((uint64_t)n, sizeof(Elf64_Phdr), &end) ||
	    __builtin_add_overflow(end, eh.e_phoff, &end) || end > c->info.size)
		return err_set(err, RC_FORMAT, "%s: the core ends within its headers", c->name);
	c->machine = eh.e_machine;
	c->info.machine = eh.e_machine == EM_X86_64 ? "x86-64" : "aarch64";
	*ret_n_phdrs = n;
	return RC_OK;
}

static const char *program_find(struct elfcore *c)
{
	for (size_t i = 0; c->at_phdr != 0 && i < c->n_files; i++)
		if (c->at_phdr >= c->files[i].start && c->at_phdr < c->files[i].end)
			return c->files[i].path;
	return c->at_execfn ? elfcore_string(c, c->at_execfn, 4096) : NULL;
}

static int core_load(struct elfcore *c, struct err *err)
{
	Elf *elf;
	size_t n_phdrs = 0;
	int rc;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return err_set(err, RC_INTERNAL, "libelf is older than its header");
	/* read, not mapped: a core that shrinks under us must not be a SIGBUS */
	elf = elf_begin(c->fd, ELF_C_READ, NULL);
	if (!elf)
		return err_set(err, RC_FORMAT, "%s: not an ELF core", c->name);
	rc = header_check(c, elf, &n_phdrs, err);
	if (rc == RC_OK)
		rc = segments_load(c, elf, n_phdrs, err);
	if (rc == RC_OK)
		rc = elfcore_notes_load(c, elf, n_phdrs, err);
	elf_end(elf);
	if (rc != RC_OK)
		return rc;
	elfcore_files_finish(c);
	c->info.program = program_find(c);
	return RC_OK;
}

int elfcore_open(int fd, const char *name, struct elfcore **ret, struct err *err)
{
	AUTO(elfcore) c = xcalloc(1, sizeof(*c));
	struct stat st;
	uint64_t blocks;
	int rc;

	c->arena = arena_new();
	c->name = xstrdup(name);
	c->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (c->fd < 0 || fstat(c->fd, &st) != 0)
		return err_errno(err, RC_IO, "%s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, RC_FORMAT, "%s: not a regular file", name);
	c->info.size = (uint64_t)st.st_size;
	blocks = (uint64_t)st.st_blocks * 512;
	c->info.data_size = blocks < c->info.size ? blocks : c->info.size;
	rc = core_load(c, err);
	if (rc != RC_OK)
		return rc;
	*ret = STEAL(c);
	return RC_OK;
}

void elfcore_free(struct elfcore *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	arena_free(c->arena);
	free(c->name);
	free(c->segs);
	free(c->threads);
	free(c->regs);
	free(c->files);
	free(c->waits);
	free(c->links);
	free(c);
}

const struct elfcore_info *elfcore_info(const struct elfcore *c)
{
	return &c->info;
}

const struct elfcore_thread *elfcore_threads(const struct elfcore *c, size_t *ret_n)
{
	*ret_n = c->n_threads;
	return c->threads;
}

const struct elfcore_segment *elfcore_segments(const struct elfcore *c, size_t *ret_n)
{
	*ret_n = c->n_segs;
	return c->segs;
}

const struct elfcore_file *elfcore_files(const struct elfcore *c, size_t *ret_n)
{
	*ret_n = c->n_files;
	return c->files;
}
