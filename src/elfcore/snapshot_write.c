/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_internal.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/procfs.h>
#include <unistd.h>

/* The ELF file: header, program headers, notes (core(5), Linux fs/binfmt_elf.c), then the
   segments. */

#define PAGE ((uint64_t)sysconf(_SC_PAGESIZE))
#define CHUNK MIB(1)
#define BITS_AT_ONCE 4096	/* pages of which the bits are asked at once */
#define NOTE_ROOM(s) (KIB(64) + (s)->n_threads * KIB(16) + (s)->paths.len + (s)->n_maps * 24)

#ifdef __aarch64__
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_X86_64
#endif

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* Where notes and segments will stand; the notes' size is known later, their room now. */
static uint64_t notes_at(const struct snapshot *s)
{
	return sizeof(Elf64_Ehdr) + (s->n_maps + 1) * sizeof(Elf64_Phdr);
}

static uint64_t place_segments(struct snapshot *s)
{
	uint64_t at = round_up(notes_at(s) + NOTE_ROOM(s), PAGE);

	for (size_t i = 0; i < s->n_maps; i++) {
		struct snapshot_map *m = &s->maps[i];

		m->at = at;
		m->size = m->copy == COPY_NOTHING ? 0 :
			  m->copy == COPY_HEADER  ? PAGE :
						    m->end - m->start;
		at += m->size;
	}
	return at;
}

static int write_at(int out, const char *p, size_t n, uint64_t at, struct err *err)
{
	while (n > 0) {
		ssize_t done = pwrite(out, p, n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_errno(err, RC_IO, "can't write the core");
		p += done;
		at += (uint64_t)done;
		n -= (size_t)done;
	}
	return RC_OK;
}

static bool is_zero(const char *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

/* Pages of zeros stay holes. */
static int write_pages(int out, const char *p, size_t n, uint64_t at, uint64_t *ret_data,
		       struct err *err)
{
	size_t page = PAGE, from = 0;

	while (from < n) {
		size_t to = from;
		int rc;

		while (to < n && !is_zero(p + to, n - to < page ? n - to : page))
			to += n - to < page ? n - to : page;
		rc = to > from ? write_at(out, p + from, to - from, at + from, err) : RC_OK;
		if (rc < 0)
			return rc;
		*ret_data += to - from;
		from = to + page;
	}
	return RC_OK;
}

static void keep_piece(struct snapshot *s, size_t len, uint64_t at)
{
	GROW(s->pieces, s->n_pieces, s->cap_pieces);
	s->pieces[s->n_pieces++] = (struct snapshot_piece){ s->store_used, len, at };
	s->store_used += len;
}

/* Memory [from, to) of a map. A page that can't be read stays a hole and is counted. */
static int copy_run(struct snapshot *s, const struct snapshot_map *m, uint64_t from, uint64_t to,
		    char *room, int out, struct err *err)
{
	while (from < to) {
		size_t want = to - from < CHUNK ? to - from : CHUNK;
		bool kept = s->store_size - s->store_used >= want;
		ssize_t got = pread(s->mem, kept ? s->store + s->store_used : room, want, (off_t)from);
		int rc = RC_OK;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			s->unread += PAGE;
			from += PAGE;
			continue;
		}
		if (kept)
			keep_piece(s, (size_t)got, m->at + (from - m->start));
		else
			rc = write_pages(out, room, (size_t)got, m->at + (from - m->start), &s->data, err);
		if (rc < 0)
			return rc;
		from += (uint64_t)got;
	}
	return RC_OK;
}

static int copy_present(struct snapshot *s, const struct snapshot_map *m, char *room, int out,
			struct err *err)
{
	uint64_t bits[BITS_AT_ONCE], page = PAGE;
	int rc = RC_OK;

	for (uint64_t at = m->start; rc == RC_OK && at < m->end;) {
		uint64_t left = (m->end - at) / page;
		int n = snapshot_page_bits(s, at, bits, left < BITS_AT_ONCE ? left : BITS_AT_ONCE);

		if (n <= 0)
			return copy_run(s, m, at, m->end, room, out, err);
		for (int i = 0; rc == RC_OK && i < n;) {
			int end = i;

			while (end < n && SNAPSHOT_PAGE_THERE(bits[end]))
				end++;
			if (end > i)
				rc = copy_run(s, m, at + i * page, at + end * page, room, out, err);
			i = end + 1;
		}
		at += (uint64_t)n * page;
	}
	return rc;
}

int snapshot_copy(struct snapshot *s, int out, struct err *err)
{
	AUTO_FREE char *room = xmalloc(CHUNK);
	uint64_t end = place_segments(s);
	int rc = RC_OK;

	if (ftruncate(out, (off_t)end) < 0)
		return err_errno(err, RC_IO, "can't write the core");
	for (size_t i = 0; rc == RC_OK && i < s->n_maps; i++) {
		const struct snapshot_map *m = &s->maps[i];

		if (m->copy == COPY_PRESENT)
			rc = copy_present(s, m, room, out, err);
		else if (m->size)
			rc = copy_run(s, m, m->start, m->start + m->size, room, out, err);
	}
	secret_wipe(room, CHUNK);
	return rc;
}

int snapshot_write_store(struct snapshot *s, int out, struct err *err)
{
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < s->n_pieces; i++)
		rc = write_pages(out, s->store + s->pieces[i].from, s->pieces[i].len, s->pieces[i].at,
				 &s->data, err);
	return rc;
}

static void add_note(struct buf *notes, const char *owner, uint32_t type, const void *p, size_t n)
{
	Elf64_Nhdr head = { (uint32_t)strlen(owner) + 1, (uint32_t)n, type };
	static const char zeros[4];

	buf_add(notes, &head, sizeof(head));
	buf_add(notes, owner, head.n_namesz);
	buf_add(notes, zeros, (4 - head.n_namesz % 4) % 4);
	buf_add(notes, p, n);
	buf_add(notes, zeros, (4 - n % 4) % 4);
}

/* The numbers of /proc/PID/stat behind the name, which may hold any byte: "pid (name) S 1 2 3
   …". */
static int read_stat(const struct snapshot *s, char *ret_state, long ret[3], struct err *err)
{
	AUTO_BUF text = BUF_INIT;
	int rc = snapshot_read(s, "stat", &text, err);
	const char *p = rc == RC_OK ? strrchr(text.p, ')') : NULL;

	if (rc == RC_OK &&
	    (!p || sscanf(p, ") %c %ld %ld %ld", ret_state, &ret[0], &ret[1], &ret[2]) != 4))
		rc = err_set(err, RC_FORMAT, "stat of process %d can't be read", (int)s->pid);
	return rc;
}

static int add_process(struct snapshot *s, const long ids[3], struct err *err)
{
	AUTO_BUF name = BUF_INIT, args = BUF_INIT;
	struct elf_prpsinfo info = { .pr_sname = 'T', .pr_pid = s->pid, .pr_ppid = (int)ids[0],
				     .pr_pgrp = (int)ids[1], .pr_sid = (int)ids[2] };
	struct stat st;
	int rc = snapshot_read(s, "comm", &name, err);

	if (rc == RC_OK)
		rc = snapshot_read(s, "cmdline", &args, err);
	if (rc < 0)
		return rc;
	if (fstat(s->dir, &st) == 0) {
		info.pr_uid = st.st_uid;
		info.pr_gid = st.st_gid;
	}
	for (size_t i = 0; i < name.len && name.p[i] != '\n' && i < sizeof(info.pr_fname) - 1; i++)
		info.pr_fname[i] = name.p[i];
	for (size_t i = 0; i < args.len && i < sizeof(info.pr_psargs) - 1; i++)
		info.pr_psargs[i] = args.p[i] ? args.p[i] : ' ';
	add_note(&s->notes, "CORE", NT_PRPSINFO, &info, sizeof(info));
	return RC_OK;
}

static void add_thread(struct snapshot *s, const struct snapshot_thread *t, const long ids[3])
{
	struct elf_prstatus status = { .pr_pid = t->tid, .pr_ppid = (int)ids[0],
				       .pr_pgrp = (int)ids[1], .pr_sid = (int)ids[2],
				       .pr_fpvalid = t->regs[1].len > 0 };

	if (t->regs[0].len == 0)
		return;
	memcpy(&status.pr_reg, t->regs[0].p,
	       t->regs[0].len < sizeof(status.pr_reg) ? t->regs[0].len : sizeof(status.pr_reg));
	add_note(&s->notes, "CORE", NT_PRSTATUS, &status, sizeof(status));
	for (size_t k = 1; k < SNAPSHOT_REGSETS; k++)
		if (t->regs[k].len)
			add_note(&s->notes, snapshot_regsets[k].owner, snapshot_regsets[k].type,
				 t->regs[k].p, t->regs[k].len);
}

/* NT_FILE: count and page size, then start, end and offset in pages of each, then the names. */
static void add_files(struct snapshot *s)
{
	AUTO_BUF body = BUF_INIT;
	uint64_t words[2] = { 0, PAGE };

	for (size_t i = 0; i < s->n_maps; i++)
		words[0] += s->maps[i].file;
	buf_add(&body, words, sizeof(words));
	for (size_t i = 0; i < s->n_maps; i++) {
		const struct snapshot_map *m = &s->maps[i];
		uint64_t row[3] = { m->start, m->end, m->offset / PAGE };

		if (m->file)
			buf_add(&body, row, sizeof(row));
	}
	for (size_t i = 0; i < s->n_maps; i++)
		if (s->maps[i].file)
			buf_add(&body, s->paths.p + s->maps[i].path,
				strlen(s->paths.p + s->maps[i].path) + 1);
	if (body.len <= LIMIT_NOTE_BYTES)
		add_note(&s->notes, "CORE", NT_FILE, body.p, body.len);
}

int snapshot_make_notes(struct snapshot *s, struct err *err)
{
	AUTO_BUF auxv = BUF_INIT;
	long ids[3];
	char state;
	int rc = read_stat(s, &state, ids, err);

	if (rc == RC_OK)
		rc = snapshot_read(s, "auxv", &auxv, err);
	if (rc < 0)
		return rc;
	add_thread(s, &s->threads[0], ids);
	rc = add_process(s, ids, err);
	if (rc < 0)
		return rc;
	add_note(&s->notes, "CORE", NT_AUXV, auxv.p, auxv.len);
	add_files(s);
	for (size_t i = 1; i < s->n_threads; i++)
		add_thread(s, &s->threads[i], ids);
	if (s->notes.len > NOTE_ROOM(s))
		return err_set(err, RC_TOOBIG, "the notes of this core are too large");
	return RC_OK;
}

int snapshot_write_head(const struct snapshot *s, int out, struct err *err)
{
	AUTO_BUF head = BUF_INIT;
	Elf64_Ehdr elf = { .e_type = ET_CORE, .e_machine = MACHINE, .e_version = EV_CURRENT,
			   .e_phoff = sizeof(elf), .e_ehsize = sizeof(elf),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = (Elf64_Half)(s->n_maps + 1) };
	Elf64_Phdr notes = { .p_type = PT_NOTE, .p_offset = notes_at(s), .p_filesz = s->notes.len,
			     .p_align = 4 };

	memcpy(elf.e_ident, ELFMAG, SELFMAG);
	elf.e_ident[EI_CLASS] = ELFCLASS64;
	elf.e_ident[EI_DATA] = ELFDATA2LSB;
	elf.e_ident[EI_VERSION] = EV_CURRENT;
	buf_add(&head, &elf, sizeof(elf));
	buf_add(&head, &notes, sizeof(notes));
	for (size_t i = 0; i < s->n_maps; i++) {
		const struct snapshot_map *m = &s->maps[i];
		Elf64_Phdr load = { .p_type = PT_LOAD, .p_flags = m->flags, .p_offset = m->at,
				    .p_vaddr = m->start, .p_filesz = m->size,
				    .p_memsz = m->end - m->start, .p_align = PAGE };

		buf_add(&head, &load, sizeof(load));
	}
	buf_add(&head, s->notes.p, s->notes.len);
	return write_at(out, head.p, head.len, 0, err);
}
