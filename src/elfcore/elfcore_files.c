/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_internal.h"

#include <stdlib.h>

/*
 * The file map: NT_FILE (Linux fs/binfmt_elf.c, fill_files_note): u64 count, u64 page size, count
 * times {u64 start, u64 end, u64 offset in pages}, then as many NUL-terminated paths.
 */

#define FILE_ROW	24
#define PHDRS_MAX	64		/* of one mapped object; linkers make a dozen */
#define NOTES_MAX	KIB(16)		/* of one mapped object */

int elfcore_files_parse(struct elfcore *c, struct span d, struct err *err)
{
	uint64_t count, page, rows_len, off;

	if (d.len < 16 || c->n_files > 0)
		return RC_OK;
	count = get_u64(d.p);
	page = get_u64(d.p + 8);
	if (count > LIMIT_CORE_FILES)
		return err_set(err, RC_TOOBIG, "%s: more than %d mapped files", c->name,
			       LIMIT_CORE_FILES);
	rows_len = 16 + count * FILE_ROW;
	if (rows_len > d.len)
		return RC_OK;	/* cut or damaged: the paths are missing */
	off = rows_len;
	for (uint64_t i = 0; i < count; i++) {
		const char *row = d.p + 16 + i * FILE_ROW;
		const char *end = memchr(d.p + off, 0, d.len - off);
		struct elfcore_file f = { .start = get_u64(row), .end = get_u64(row + 8) };

		if (!end)
			break;
		if (f.start < f.end &&
		    !__builtin_mul_overflow(get_u64(row + 16), page, &f.file_off)) {
			f.path = arena_strndup(c->arena, d.p + off, (size_t)(end - d.p) - off);
			GROW(c->files, c->n_files, c->cap_files);
			c->files[c->n_files++] = f;
		}
		off = (uint64_t)(end - d.p) + 1;
	}
	return RC_OK;
}

static int file_cmp(const void *pa, const void *pb)
{
	const struct elfcore_file *a = pa, *b = pb;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* Joins neighbours of one path into a row; a second mapping of a file's beginning opens another. */
static void files_join(struct elfcore *c)
{
	uint64_t prev_off = 0;
	size_t n = 0;

	for (size_t i = 0; i < c->n_files; i++) {
		struct elfcore_file f = c->files[i];

		if (n > 0 && strcmp(c->files[n - 1].path, f.path) == 0 &&
		    !(f.file_off == 0 && prev_off != 0)) {
			if (f.end > c->files[n - 1].end)
				c->files[n - 1].end = f.end;
		} else {
			c->files[n++] = f;
		}
		prev_off = f.file_off;
	}
	c->n_files = n;
}

bool elfcore_notes_build_id(struct span notes, size_t align, uint8_t ret[64], size_t *ret_len)
{
	size_t off = 0;

	while (off <= notes.len && notes.len - off >= 12) {
		uint64_t name_len = get_u32(notes.p + off), desc_len = get_u32(notes.p + off + 4);
		uint32_t type = get_u32(notes.p + off + 8);
		/* 64-bit sums of 32-bit lengths can't wrap */
		uint64_t name = off + 12;
		uint64_t desc = name + ((name_len + 3) & ~UINT64_C(3));
		uint64_t next;

		desc = (desc + align - 1) & ~(uint64_t)(align - 1);
		next = (desc + desc_len + align - 1) & ~(uint64_t)(align - 1);
		if (desc > notes.len || desc_len > notes.len - desc)
			return false;
		if (type == NT_GNU_BUILD_ID && name_len == 4 &&
		    memcmp(notes.p + name, "GNU", 4) == 0 && desc_len > 0 && desc_len <= 64) {
			memcpy(ret, notes.p + desc, desc_len);
			*ret_len = desc_len;
			return true;
		}
		if (next > notes.len)
			return false;
		off = (size_t)next;
	}
	return false;
}

/*
 * The build id of an object whose first page is mapped at f->start: its notes stand behind the
 * headers, in the one page that the kernel dumps of a file's mapping (coredump_filter, bit 4).
 */
static void file_build_id(const struct elfcore *c, struct elfcore_file *f)
{
	AUTO_FREE char *notes = NULL;
	char eh[sizeof(Elf64_Ehdr)], ph[sizeof(Elf64_Phdr)];
	uint64_t phoff, addr, span = f->end - f->start;
	unsigned n;

	if (f->file_off != 0 || elfcore_read(c, f->start, eh, sizeof(eh)) != sizeof(eh) ||
	    memcmp(eh, ELFMAG, SELFMAG) != 0)
		return;
	f->elf = true;
	phoff = get_u64(eh + offsetof(Elf64_Ehdr, e_phoff));
	n = get_u16(eh + offsetof(Elf64_Ehdr, e_phnum));
	if (eh[EI_CLASS] != ELFCLASS64 || eh[EI_DATA] != ELFDATA2LSB || n > PHDRS_MAX ||
	    get_u16(eh + offsetof(Elf64_Ehdr, e_phentsize)) != sizeof(ph) || phoff >= span)
		return;
	for (unsigned i = 0; i < n && f->build_id_len == 0; i++) {
		uint64_t off, len;
		size_t got;

		addr = f->start + phoff + i * sizeof(ph);
		if (elfcore_read(c, addr, ph, sizeof(ph)) != sizeof(ph))
			return;
		off = get_u64(ph + offsetof(Elf64_Phdr, p_offset));
		len = get_u64(ph + offsetof(Elf64_Phdr, p_filesz));
		if (get_u32(ph) != PT_NOTE || off >= span || len > span - off || len > NOTES_MAX)
			continue;
		if (!notes)
			notes = xmalloc(NOTES_MAX);
		got = elfcore_read(c, f->start + off, notes, (size_t)len);
		elfcore_notes_build_id(span_make(notes, got),
				       get_u64(ph + offsetof(Elf64_Phdr, p_align)) == 8 ? 8 : 4,
				       f->build_id, &f->build_id_len);
	}
}

void elfcore_files_finish(struct elfcore *c)
{
	if (c->n_files > 1)
		qsort(c->files, c->n_files, sizeof(*c->files), file_cmp);
	files_join(c);
	for (size_t i = 0; i < c->n_files; i++)
		file_build_id(c, &c->files[i]);
}
