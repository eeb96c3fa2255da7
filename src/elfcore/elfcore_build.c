/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_internal.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

/* What a debugger can make of a program or library on disk; files that a person or a core names. */

#define UNITS_MAX	20000
#define SECTIONS_MAX	65536
#define SYMBOLS_MAX	4000000
#define PRODUCER_MAX	4096

static const char *section_name(Elf *elf, Elf_Scn *scn, size_t names, GElf_Shdr *ret)
{
	return gelf_getshdr(scn, ret) ? elf_strptr(elf, names, ret->sh_name) : NULL;
}

/* Section names: .gnu_debuglink is a NUL-terminated file name and a checksum (gdb's manual,
   "Separate Debug Files"). */
static void look_at_sections(Elf *elf, struct elfcore_build *b)
{
	size_t names, seen = 0;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return;
	while ((scn = elf_nextscn(elf, scn)) && seen++ < SECTIONS_MAX) {
		const char *name = section_name(elf, scn, names, &sh);
		Elf_Data *data;
		size_t len;

		if (!name || sh.sh_type == SHT_NOBITS)
			continue;
		if (sh.sh_type == SHT_SYMTAB)
			b->symtab = true;
		if (strcmp(name, ".debug_info") == 0 || strcmp(name, ".zdebug_info") == 0)
			b->debug_info = true;
		if (strcmp(name, ".gnu_debuglink") != 0)
			continue;
		data = elf_getdata(scn, NULL);
		len = data && data->d_buf ? strnlen(data->d_buf, data->d_size) : 0;
		if (len > 0 && len < data->d_size && len < sizeof(b->debuglink) &&
		    !memchr(data->d_buf, '/', len))
			memcpy(b->debuglink, data->d_buf, len + 1);
	}
}

enum level { LEVEL_UNKNOWN, LEVEL_PLAIN, LEVEL_OPTIMISED };

/*
 * gcc writes its options behind its version: "GNU C17 12.2.0 -mtune=generic -g -O2"; the last -O
 * counts, none is -O0. clang tells them only with -grecord-command-line, assemblers never.
 */
static enum level producer_level(const char *producer)
{
	enum level level = LEVEL_UNKNOWN;
	size_t len = strnlen(producer, PRODUCER_MAX);

	if (memmem(producer, len, "GNU AS", 6))
		return LEVEL_UNKNOWN;
	if (memmem(producer, len, " -g", 3) || memmem(producer, len, " -m", 3))
		level = LEVEL_PLAIN;
	for (const char *p = producer; p + 3 < producer + len; p++) {
		if (memcmp(p, " -O", 3) != 0)
			continue;
		level = p[3] == '0' || p[3] == 'g' ? LEVEL_PLAIN : LEVEL_OPTIMISED;
	}
	return level;
}

static void look_at_units(Elf *elf, struct elfcore_build *b)
{
	Dwarf *dw = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;

	for (size_t i = 0; dw && i < UNITS_MAX; i++) {
		Dwarf_Attribute attr;
		const char *producer;
		enum level level;

		if (dwarf_get_units(dw, cu, &cu, NULL, NULL, &die, NULL) != 0)
			break;
		producer = dwarf_formstring(dwarf_attr(&die, DW_AT_producer, &attr));
		level = producer ? producer_level(producer) : LEVEL_UNKNOWN;
		b->units += level != LEVEL_UNKNOWN;
		b->optimised += level == LEVEL_OPTIMISED;
	}
	dwarf_end(dw);
}

static int elf_open(int fd, Elf **ret, struct err *err)
{
	Elf *elf;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return err_set(err, RC_INTERNAL, "libelf is older than its header");
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF || gelf_getclass(elf) != ELFCLASS64) {
		elf_end(elf);
		return err_set(err, RC_FORMAT, "not a 64-bit ELF file");
	}
	*ret = elf;
	return RC_OK;
}

int elfcore_build_probe(int fd, struct elfcore_build *ret, struct err *err)
{
	struct elfcore_build b = { .build_id_len = 0 };
	Elf *elf;
	int rc = elfcore_file_build_id(fd, b.build_id, &b.build_id_len, NULL, err);

	if (rc == RC_OK)
		rc = elf_open(fd, &elf, err);
	if (rc < 0)
		return rc;
	look_at_sections(elf, &b);
	if (b.debug_info)
		look_at_units(elf, &b);
	elf_end(elf);
	*ret = b;
	return RC_OK;
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; name && *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static bool table_defines(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh, const char *const *names)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;
	GElf_Sym sym;

	for (size_t i = 0; i < n && i < SYMBOLS_MAX; i++)
		if (gelf_getsym(data, (int)i, &sym) && sym.st_shndx != SHN_UNDEF &&
		    is_one_of(elf_strptr(elf, sh->sh_link, sym.st_name), names))
			return true;
	return false;
}

bool elfcore_build_defines(int fd, const char *const *names)
{
	Elf_Scn *scn = NULL;
	bool found = false;
	size_t seen = 0;
	GElf_Shdr sh;
	Elf *elf;

	if (elf_open(fd, &elf, NULL) < 0)
		return false;
	while (!found && (scn = elf_nextscn(elf, scn)) && seen++ < SECTIONS_MAX)
		if (gelf_getshdr(scn, &sh) && (sh.sh_type == SHT_SYMTAB || sh.sh_type == SHT_DYNSYM))
			found = table_defines(elf, scn, &sh, names);
	elf_end(elf);
	return found;
}
