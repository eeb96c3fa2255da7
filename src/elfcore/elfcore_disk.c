/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_internal.h"

#include <stdlib.h>
#include <sys/stat.h>

/*
 * ELF files on disk. They belong to whoever made the core, and these looks are made in our own
 * process with our own rights: so they are made by reading fixed structures at checked offsets, and
 * not by a library that maps the file and believes its sizes.
 */

#define DEBUG_ROOT	"/usr/lib/debug/.build-id"
#define DISK_PHDRS_MAX	256
#define DISK_NOTES_MAX	MIB(1)
#define DISK_SHDRS_MAX	65536

struct disk {
	int fd;
	Elf64_Ehdr eh;
};

static bool disk_open(int fd, struct disk *ret)
{
	ret->fd = fd;
	return elfcore_pread(fd, &ret->eh, sizeof(ret->eh), 0) == sizeof(ret->eh) &&
	       memcmp(ret->eh.e_ident, ELFMAG, SELFMAG) == 0 &&
	       ret->eh.e_ident[EI_CLASS] == ELFCLASS64 && ret->eh.e_ident[EI_DATA] == ELFDATA2LSB;
}

/* Entry i of a table of entries of this size. */
static bool disk_row(const struct disk *d, uint64_t table, uint64_t i, void *ret, size_t size)
{
	uint64_t off;

	return !__builtin_add_overflow(table, i * size, &off) &&
	       elfcore_pread(d->fd, ret, size, off) == size;
}

/* The section of this name with content in the file. */
static bool disk_section(const struct disk *d, const char *name, Elf64_Shdr *ret)
{
	size_t len = strlen(name) + 1;
	uint64_t n = d->eh.e_shnum, names = d->eh.e_shstrndx;
	Elf64_Shdr first, strings;
	char text[32];

	if (d->eh.e_shoff == 0 || d->eh.e_shentsize != sizeof(first) || len > sizeof(text) ||
	    !disk_row(d, d->eh.e_shoff, 0, &first, sizeof(first)))
		return false;
	if (n == 0)
		n = first.sh_size;	/* gABI: more than the header's field can say */
	if (names == SHN_XINDEX)
		names = first.sh_link;
	if (n > DISK_SHDRS_MAX || names >= n ||
	    !disk_row(d, d->eh.e_shoff, names, &strings, sizeof(strings)))
		return false;
	for (uint64_t i = 1; i < n; i++) {
		uint64_t at;

		if (!disk_row(d, d->eh.e_shoff, i, ret, sizeof(*ret)))
			return false;
		if (ret->sh_type != SHT_NOBITS && ret->sh_name < strings.sh_size &&
		    !__builtin_add_overflow(strings.sh_offset, ret->sh_name, &at) &&
		    elfcore_pread(d->fd, text, len, at) == len && memcmp(text, name, len) == 0)
			return true;
	}
	return false;
}

/* The build id among the notes at off. */
static bool notes_build_id(const struct disk *d, uint64_t off, uint64_t size, uint64_t align,
			   uint8_t ret[64], size_t *ret_len)
{
	AUTO_FREE char *notes = NULL;

	if (size > DISK_NOTES_MAX)
		return false;
	notes = xmalloc(size + 1);
	return elfcore_pread(d->fd, notes, size, off) == size &&
	       elfcore_notes_build_id(span_make(notes, size), align == 8 ? 8 : 4, ret, ret_len);
}

static void disk_build_id(const struct disk *d, uint8_t ret[64], size_t *ret_len)
{
	Elf64_Phdr ph;
	Elf64_Shdr sh;

	*ret_len = 0;
	if (d->eh.e_phnum > 0 && (d->eh.e_phentsize != sizeof(ph) || d->eh.e_phnum > DISK_PHDRS_MAX))
		return;
	for (unsigned i = 0; i < d->eh.e_phnum; i++) {
		if (!disk_row(d, d->eh.e_phoff, i, &ph, sizeof(ph)))
			return;
		if (ph.p_type == PT_NOTE &&
		    notes_build_id(d, ph.p_offset, ph.p_filesz, ph.p_align, ret, ret_len))
			return;
	}
	/* what dwz makes has sections alone */
	if (d->eh.e_phnum == 0 && disk_section(d, ".note.gnu.build-id", &sh))
		notes_build_id(d, sh.sh_offset, sh.sh_size, sh.sh_addralign, ret, ret_len);
}

int elfcore_file_build_id(int fd, uint8_t ret[64], size_t *ret_len, bool *ret_debug,
			  struct err *err)
{
	struct disk d;
	Elf64_Shdr sh;

	if (!disk_open(fd, &d))
		return err_set(err, RC_FORMAT, "not a 64-bit ELF file");
	disk_build_id(&d, ret, ret_len);
	if (ret_debug)
		*ret_debug = disk_section(&d, ".debug_info", &sh) ||
			     disk_section(&d, ".zdebug_info", &sh);
	return RC_OK;
}

uint16_t elfcore_file_machine(int fd)
{
	struct disk d;

	return disk_open(fd, &d) ? d.eh.e_machine : EM_NONE;
}

bool elfcore_file_alt(int fd, const char *at, char **ret_path, uint8_t ret[64], size_t *ret_len)
{
	const char *slash = strrchr(at, '/');
	struct disk d;
	Elf64_Shdr sh;
	char link[4096 + 64];
	const char *end;
	size_t n;

	if (!disk_open(fd, &d) || !disk_section(&d, ".gnu_debugaltlink", &sh) ||
	    sh.sh_size > sizeof(link))
		return false;
	n = elfcore_pread(fd, link, sh.sh_size, sh.sh_offset);
	end = memchr(link, 0, n);	/* a name, then the id */
	if (!end || end == link || end + 1 == link + n || n - (size_t)(end + 1 - link) > 64)
		return false;
	*ret_len = n - (size_t)(end + 1 - link);
	memcpy(ret, end + 1, *ret_len);
	*ret_path = link[0] == '/' || !slash ? xstrdup(link) :
		    xasprintf("%.*s/%s", (int)(slash - at), at, link);
	return true;
}

bool elfcore_file_tls(int fd, uint64_t *ret_size, uint64_t *ret_align)
{
	struct disk d;
	Elf64_Phdr ph;

	if (!disk_open(fd, &d) || d.eh.e_phentsize != sizeof(ph) || d.eh.e_phnum > DISK_PHDRS_MAX)
		return false;
	for (unsigned i = 0; i < d.eh.e_phnum; i++) {
		if (!disk_row(&d, d.eh.e_phoff, i, &ph, sizeof(ph)))
			return false;
		if (ph.p_type != PT_TLS)
			continue;
		*ret_size = ph.p_memsz;
		*ret_align = ph.p_align ? ph.p_align : 1;
		return (*ret_align & (*ret_align - 1)) == 0 && *ret_align <= MIB(1) &&
		       *ret_size <= MIB(64);
	}
	return false;
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
