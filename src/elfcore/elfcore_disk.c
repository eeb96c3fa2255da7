/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_internal.h"

#include <stdlib.h>
#include <sys/stat.h>

#define DEBUG_ROOT	"/usr/lib/debug/.build-id"
#define DISK_PHDRS_MAX	256
#define DISK_NOTES_MAX	MIB(1)
#define DISK_SHDRS_MAX	65536

static bool phdr_build_id(Elf *elf, int i, uint8_t ret[64], size_t *ret_len)
{
	GElf_Phdr ph;
	Elf_Data *data;

	if (!gelf_getphdr(elf, i, &ph) || ph.p_type != PT_NOTE || ph.p_filesz > DISK_NOTES_MAX)
		return false;
	data = elf_getdata_rawchunk(elf, (int64_t)ph.p_offset, ph.p_filesz, ELF_T_BYTE);
	return data && elfcore_notes_build_id(span_make(data->d_buf, data->d_size),
					      ph.p_align == 8 ? 8 : 4, ret, ret_len);
}

static bool has_debug_info(Elf *elf)
{
	size_t names, n, seen = 0;
	Elf_Scn *scn = NULL;

	if (elf_getshdrnum(elf, &n) != 0 || n > DISK_SHDRS_MAX ||
	    elf_getshdrstrndx(elf, &names) != 0)
		return false;
	while ((scn = elf_nextscn(elf, scn)) && seen++ < n) {
		GElf_Shdr sh;
		const char *name;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, names, sh.sh_name);
		if (name && (strcmp(name, ".debug_info") == 0 || strcmp(name, ".zdebug_info") == 0))
			return true;
	}
	return false;
}

int elfcore_file_build_id(int fd, uint8_t ret[64], size_t *ret_len, bool *ret_debug,
			  struct err *err)
{
	Elf *elf;
	size_t n = 0, len = 0;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return err_set(err, RC_INTERNAL, "libelf is older than its header");
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF || gelf_getclass(elf) != ELFCLASS64) {
		elf_end(elf);
		return err_set(err, RC_FORMAT, "not a 64-bit ELF file");
	}
	if (elf_getphdrnum(elf, &n) == 0 && n <= DISK_PHDRS_MAX)
		for (size_t i = 0; i < n && len == 0; i++)
			phdr_build_id(elf, (int)i, ret, &len);
	*ret_len = len;
	if (ret_debug)
		*ret_debug = has_debug_info(elf);
	elf_end(elf);
	return RC_OK;
}

char *elfcore_debug_name(const uint8_t *id, size_t len)
{
	char hex[2 * 64 + 1];

	if (len < 2 || len > 64)
		return NULL;
	digest_hex(id, len, hex);
	return xasprintf(DEBUG_ROOT "/%.2s/%s.debug", hex, hex + 2);
}

char *elfcore_debug_path(const uint8_t *id, size_t len)
{
	AUTO_FREE char *path = elfcore_debug_name(id, len);
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISREG(st.st_mode) ? STEAL(path) : NULL;
}
