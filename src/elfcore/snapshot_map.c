/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_internal.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * What a core holds is what the kernel would put there by default (core(5), coredump_filter 0x33):
 * anonymous memory, private file mappings that were written to, the first page of mapped ELF files.
 */

#define PAGE ((uint64_t)sysconf(_SC_PAGESIZE))

/* A field of maps: hexadecimal up to `stop`. */
static bool take_hex(const char **p, char stop, uint64_t *ret)
{
	char *end;

	*ret = strtoull(*p, &end, 16);
	if (end == *p || *end != stop)
		return false;
	*p = end + 1;
	return true;
}

/* "7f0c4a000000-7f0c4a021000 rw-p 00000000 00:00 0          path" (proc(5)). */
static bool parse_line(struct snapshot *s, const char *line, struct snapshot_map *ret)
{
	struct snapshot_map m = { 0 };
	const char *p = line, *path;

	if (!take_hex(&p, '-', &m.start) || !take_hex(&p, ' ', &m.end) || strlen(p) < 5)
		return false;
	m.flags = (p[0] == 'r' ? PF_R : 0) | (p[1] == 'w' ? PF_W : 0) | (p[2] == 'x' ? PF_X : 0);
	m.private = p[3] == 'p';
	p += 5;
	if (m.end <= m.start || !take_hex(&p, ' ', &m.offset))
		return false;
	path = strchr(p, '/');
	if (strchr(p, '[') && (!path || strchr(p, '[') < path))
		path = NULL;
	m.file = path != NULL;
	m.path = s->paths.len;
	if (strstr(p, "[vdso]"))
		m.copy = COPY_ALL;	/* a mapping of the kernel's: pagemap doesn't tell of it */
	if (path) {
		buf_add_str(&s->paths, path);
		buf_add_char(&s->paths, '\0');
	}
	*ret = m;
	return true;
}

static bool is_kept_out(const struct snapshot *s, const struct snapshot_map *m)
{
	for (size_t i = 0; i < s->n_kept_out; i++)
		if (m->start < s->kept_out[i].end && s->kept_out[i].start < m->end)
			return true;
	return false;
}

int snapshot_page_bits(const struct snapshot *s, uint64_t addr, uint64_t *ret, size_t n)
{
	ssize_t got;

	do {
		got = pread(s->pagemap, ret, n * sizeof(*ret), (off_t)(addr / PAGE * sizeof(*ret)));
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -1 : (int)((size_t)got / sizeof(*ret));
}

/* Is there a page that is not as it stands in a file: written to, of a private file mapping? */
static bool has_own_page(const struct snapshot *s, const struct snapshot_map *m)
{
	uint64_t bits[512];

	for (uint64_t at = m->start; at < m->end;) {
		uint64_t left = (m->end - at) / PAGE;
		int n = snapshot_page_bits(s, at, bits, left < ARRAY_SIZE(bits) ? left : ARRAY_SIZE(bits));

		if (n <= 0)
			return true;	/* it can't be told: then all of it */
		for (int i = 0; i < n; i++)
			if (SNAPSHOT_PAGE_THERE(bits[i]) && !SNAPSHOT_PAGE_OF_FILE(bits[i]))
				return true;
		at += (uint64_t)n * PAGE;
	}
	return false;
}

static bool starts_elf(const struct snapshot *s, const struct snapshot_map *m)
{
	char magic[SELFMAG];

	return m->offset == 0 && (m->flags & PF_R) &&
	       pread(s->mem, magic, sizeof(magic), (off_t)m->start) == (ssize_t)sizeof(magic) &&
	       memcmp(magic, ELFMAG, SELFMAG) == 0;
}

static void decide(const struct snapshot *s, struct snapshot_map *m)
{
	const char *path = m->file ? s->paths.p + m->path : "";
	/* shared memory without a file of its own shows as a deleted one, or as a memfd */
	bool shared_anonymous = !m->private &&
				(!m->file || strncmp(path, "/dev/zero", 9) == 0 ||
				 strncmp(path, "/SYSV", 5) == 0 || strncmp(path, "/memfd:", 7) == 0);

	if (m->copy != COPY_NOTHING || is_kept_out(s, m))
		return;
	if (shared_anonymous)
		m->copy = COPY_ALL;	/* pagemap knows only the pages that this process touched */
	else if (!m->file && (m->flags || has_own_page(s, m)))
		m->copy = COPY_PRESENT;	/* not what malloc reserved and nobody may touch */
	else if (m->file && m->private && has_own_page(s, m))
		m->copy = COPY_ALL;
	else if (starts_elf(s, m))
		m->copy = COPY_HEADER;
}

int snapshot_find_maps(struct snapshot *s, struct err *err)
{
	AUTO_BUF text = BUF_INIT;
	int rc = snapshot_read(s, "maps", &text, err);
	char *save = NULL;

	if (rc < 0)
		return rc;
	for (char *line = strtok_r(text.p, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct snapshot_map m;

		if (strstr(line, "[vsyscall]") || strstr(line, "[vvar"))
			continue;	/* the kernel's own; not readable through mem */
		if (!parse_line(s, line, &m))
			return err_set(err, RC_FORMAT, "a line of maps that can't be read");
		if (s->n_maps >= LIMIT_CORE_SEGMENTS - 3)
			return err_set(err, RC_TOOBIG, "too many mappings");
		GROW(s->maps, s->n_maps, s->cap_maps);
		s->maps[s->n_maps++] = m;
	}
	if (s->n_maps == 0)
		return err_set(err, RC_NOTFOUND, "process %d has no memory", (int)s->pid);
	for (size_t i = 0; i < s->n_maps; i++)
		decide(s, &s->maps[i]);
	return RC_OK;
}

/* "VmFlags: rd wr mr mw me dd": dd is MADV_DONTDUMP, io and pf are devices' memory. */
static bool says_keep_out(const char *flags)
{
	return strstr(flags, " dd") || strstr(flags, " io") || strstr(flags, " pf");
}

int snapshot_find_kept_out(struct snapshot *s, struct err *err)
{
	AUTO_BUF text = BUF_INIT;
	struct snapshot_range range = { 0, 0 };
	int rc = snapshot_read(s, "smaps", &text, err);
	char *save = NULL;

	if (rc < 0)
		return rc;
	for (char *line = strtok_r(text.p, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *p = line;
		struct snapshot_range r;

		if (take_hex(&p, '-', &r.start) && take_hex(&p, ' ', &r.end)) {
			range = r;
		} else if (strncmp(line, "VmFlags:", 8) == 0 && says_keep_out(line + 8)) {
			GROW(s->kept_out, s->n_kept_out, s->cap_kept_out);
			s->kept_out[s->n_kept_out++] = range;
		}
	}
	return RC_OK;
}
