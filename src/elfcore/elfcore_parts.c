/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_parts_internal.h"

#include <stdlib.h>

/* The parts of the file itself: headers and notes. Layouts: elfcore_notes.c. */

#define NOTE_REGS   112
#define PSINFO_TEXT 40 /* pr_fname, pr_psargs */
#define PSINFO_END  136
#define XCR0	    464 /* which state there is: gdb tells the note's layout by it, no secret */

/* Linux include/uapi/linux/elf.h */
enum {
	NOTE_PRSTATUS = 1,
	NOTE_FPREGSET = 2,
	NOTE_PRPSINFO = 3,
	NOTE_AUXV = 6,
	NOTE_FILE = 0x46494c45,
	NOTE_PRXFPREG = 0x46e62b7f,
	NOTE_X86_XSTATE = 0x202,
	NOTE_ARM_VFP = 0x400,
	NOTE_ARM_SVE = 0x405,
	NOTE_ARM_PACA_KEYS = 0x407,
	NOTE_ARM_PACG_KEYS = 0x408,
	NOTE_ARM_SSVE = 0x40b,
	NOTE_ARM_ZA = 0x40c,
	NOTE_ARM_ZT = 0x40d,
	NOTE_ARM_FPMR = 0x40e,
};

enum { AUX_PHDR = 3, AUX_PHNUM = 5, AUX_RANDOM = 25, AUX_EXECFN = 31, AUX_VDSO = 33 };

void elfcore_parts_add(struct elfcore_parts *p, uint64_t off, uint64_t len,
		       enum elfcore_part_kind kind)
{
	uint64_t end;

	if (len == 0 || off >= p->c->info.size)
		return;
	if (__builtin_add_overflow(off, len, &end) || end > p->c->info.size)
		len = p->c->info.size - off;
	if (p->n >= LIMIT_CORE_PARTS) {
		p->full = true;
		return;
	}
	GROW(p->v, p->n, p->cap);
	p->v[p->n++] = (struct elfcore_part){ off, len, kind };
}

void elfcore_parts_add_memory(struct elfcore_parts *p, uint64_t addr, uint64_t len,
			      enum elfcore_part_kind kind)
{
	while (len > 0 && !p->full) {
		uint64_t off, here;

		if (!elfcore_offset(p->c, addr, &off, &here))
			return;
		if (here > len)
			here = len;
		elfcore_parts_add(p, off, here, kind);
		len -= here;
		if (__builtin_add_overflow(addr, here, &addr))
			return;
	}
}

static bool is_vector(uint32_t type)
{
	switch (type) {
	case NOTE_FPREGSET:
	case NOTE_PRXFPREG:
	case NOTE_X86_XSTATE:
	case NOTE_ARM_VFP:
	case NOTE_ARM_SVE:
	case NOTE_ARM_PACA_KEYS:
	case NOTE_ARM_PACG_KEYS:
	case NOTE_ARM_SSVE:
	case NOTE_ARM_ZA:
	case NOTE_ARM_ZT:
	case NOTE_ARM_FPMR:
		return true;
	default:
		return false;
	}
}

static void auxv_read(struct elfcore_parts *p, const char *d, size_t len)
{
	if (p->auxv.len)
		return;
	buf_add(&p->auxv, d, len);
	for (size_t i = 0; i + 16 <= len && get_u64(d + i) != 0; i += 16) {
		uint64_t value = get_u64(d + i + 8);

		switch (get_u64(d + i)) {
		case AUX_PHDR:
			p->at_phdr = value;
			break;
		case AUX_PHNUM:
			p->at_phnum = value;
			break;
		case AUX_RANDOM:
			p->at_random = value;
			break;
		case AUX_EXECFN:
			p->at_execfn = value;
			break;
		case AUX_VDSO:
			p->at_vdso = value;
			break;
		default:
			break;
		}
	}
}

/* Where the paths of NT_FILE begin in its content. */
static uint64_t file_paths(const char *d, size_t len)
{
	uint64_t rows;

	if (len < 16 || __builtin_mul_overflow(get_u64(d), 24, &rows) || rows > len - 16)
		return 0;
	return 16 + rows;
}

/* One note whose content stands at d in memory, at off in the file. */
static void note_parts(struct elfcore_parts *p, uint32_t type, const char *d, uint64_t off,
		       size_t len)
{
	size_t regs = p->c->machine == EM_X86_64 ? 27 * 8 : 34 * 8;

	if (type == NOTE_X86_XSTATE && len >= XCR0 + 8) {
		elfcore_parts_add(p, off, XCR0, ELFCORE_VECTOR);
		elfcore_parts_add(p, off + XCR0, 8, ELFCORE_FIXED);
		elfcore_parts_add(p, off + XCR0 + 8, len - XCR0 - 8, ELFCORE_VECTOR);
		return;
	}
	if (is_vector(type)) {
		elfcore_parts_add(p, off, len, ELFCORE_VECTOR);
		return;
	}
	switch (type) {
	case NOTE_PRPSINFO:
		elfcore_parts_add(p, off, len < PSINFO_TEXT ? len : PSINFO_TEXT, ELFCORE_FIXED);
		if (len > PSINFO_END)
			elfcore_parts_add(p, off + PSINFO_END, len - PSINFO_END, ELFCORE_FIXED);
		return;
	case NOTE_FILE:
		elfcore_parts_add(p, off, file_paths(d, len), ELFCORE_FIXED);
		return;
	case NOTE_AUXV:
		auxv_read(p, d, len);
		break;
	case NOTE_PRSTATUS:
		if (len >= NOTE_REGS + regs)
			elfcore_parts_add(p, off + NOTE_REGS, regs, ELFCORE_REGISTERS);
		break;
	default:
		break;
	}
	elfcore_parts_add(p, off, len, ELFCORE_FIXED);
}

static void notes_parts(struct elfcore_parts *p, Elf_Data *data, uint64_t base)
{
	size_t off = 0, next, name_off, desc_off;
	const char *d = data->d_buf;
	GElf_Nhdr nh;

	while ((next = gelf_getnote(data, off, &nh, &name_off, &desc_off)) > 0) {
		size_t end = next < data->d_size ? next : data->d_size;

		if (desc_off > data->d_size || nh.n_descsz > data->d_size - desc_off)
			break;
		elfcore_parts_add(p, base + off, desc_off - off, ELFCORE_FIXED);
		note_parts(p, nh.n_type, d + desc_off, base + desc_off, nh.n_descsz);
		elfcore_parts_add(p, base + desc_off + nh.n_descsz, end - desc_off - nh.n_descsz,
				  ELFCORE_FIXED);
		off = next;
	}
}

/* The headers' tables, and each PT_NOTE. */
static void file_parts(struct elfcore_parts *p, Elf *elf)
{
	size_t n_phdrs = 0, n_shdrs = 0;
	GElf_Ehdr eh;

	if (!gelf_getehdr(elf, &eh) || elf_getphdrnum(elf, &n_phdrs) != 0)
		return;
	elfcore_parts_add(p, 0, eh.e_ehsize > 64 ? eh.e_ehsize : 64, ELFCORE_FIXED);
	elfcore_parts_add(p, eh.e_phoff, n_phdrs * sizeof(Elf64_Phdr), ELFCORE_FIXED);
	if (elf_getshdrnum(elf, &n_shdrs) == 0 && n_shdrs <= LIMIT_CORE_SEGMENTS) {
		GElf_Shdr sh;
		size_t names;

		elfcore_parts_add(p, eh.e_shoff, n_shdrs * sizeof(Elf64_Shdr), ELFCORE_FIXED);
		if (n_shdrs && elf_getshdrstrndx(elf, &names) == 0 && names < n_shdrs &&
		    gelf_getshdr(elf_getscn(elf, names), &sh) && sh.sh_type == SHT_STRTAB &&
		    sh.sh_size <= n_shdrs * 64)
			elfcore_parts_add(p, sh.sh_offset, sh.sh_size, ELFCORE_FIXED);
	}
	for (size_t i = 0; i < n_phdrs && i < LIMIT_CORE_SEGMENTS; i++) {
		uint64_t len, size = p->c->info.size;
		Elf_Data *data;
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_NOTE || ph.p_offset >= size)
			continue;
		len = ph.p_filesz > size - ph.p_offset ? size - ph.p_offset : ph.p_filesz;
		if (len == 0 || len > LIMIT_NOTE_BYTES)
			continue;
		data = elf_getdata_rawchunk(elf, (int64_t)ph.p_offset, (size_t)len, ELF_T_NHDR);
		if (data)
			notes_parts(p, data, ph.p_offset);
	}
}

int elfcore_parts_read(struct elfcore_parts *p, const struct elfcore *c, struct err *err)
{
	Elf *elf;

	*p = (struct elfcore_parts){ .c = c, .auxv = BUF_INIT };
	elf = elf_begin(c->fd, ELF_C_READ, NULL);
	if (!elf)
		return err_set(err, RC_FORMAT, "%s: not an ELF core", c->name);
	file_parts(p, elf);
	elf_end(elf);
	elfcore_parts_process(p);
	return elfcore_parts_check(p, err);
}

int elfcore_parts_check(const struct elfcore_parts *p, struct err *err)
{
	return p->full ? err_set(err, RC_TOOBIG, "%s: more than %d parts", p->c->name,
				 LIMIT_CORE_PARTS)
		       : RC_OK;
}

void elfcore_parts_done(struct elfcore_parts *p)
{
	free(p->v);
	buf_done(&p->auxv);
	*p = (struct elfcore_parts){ .c = NULL };
}

static int part_cmp(const void *pa, const void *pb)
{
	const struct elfcore_part *a = pa, *b = pb;

	if (a->off != b->off)
		return a->off < b->off ? -1 : 1;
	return a->len > b->len ? -1 : a->len < b->len;
}

int elfcore_parts(const struct elfcore *c, struct elfcore_part **ret, size_t *ret_n,
		  struct err *err)
{
	struct elfcore_parts p;
	int rc = elfcore_parts_read(&p, c, err);

	if (rc < 0) {
		elfcore_parts_done(&p);
		return rc;
	}
	if (p.n > 1)
		qsort(p.v, p.n, sizeof(*p.v), part_cmp);
	*ret = STEAL(p.v);
	*ret_n = p.n;
	elfcore_parts_done(&p);
	return RC_OK;
}

int elfcore_fd(const struct elfcore *c)
{
	return c->fd;
}
