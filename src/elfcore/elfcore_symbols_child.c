/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_symbols_internal.h"

#include <corescrub/base/process.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The child that reads symbols. It opens what may be opened, gives up every right but to compute
 * and to write rows, and only then lets libdw look at a file.
 */

#define OUT_BLOCK KIB(64)

#if defined(__SANITIZE_ADDRESS__)
#define CHILD_MEMORY 0		/* the sanitizer's own tables are larger than any limit */
#else
#define CHILD_MEMORY LIMIT_SYMBOLS_MEMORY
#endif

static void out_flush(struct symbols *s)
{
	size_t done = 0;

	while (done < s->out.len) {
		ssize_t n = write(s->fd, s->out.p + done, s->out.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(1);	/* nobody listens any more */
		done += (size_t)n;
	}
	buf_reset(&s->out);
}

void symbols_send(struct symbols *s, const struct row *row, const char *const texts[ROW_TEXTS])
{
	struct row head = *row;

	for (int i = 0; i < ROW_TEXTS; i++) {
		size_t len = texts && texts[i] ? strlen(texts[i]) : 0;

		head.len[i] = texts && texts[i] ? (uint32_t)(len < ROW_TEXT_MAX ? len : ROW_TEXT_MAX)
						: ROW_NO_TEXT;
	}
	buf_add(&s->out, &head, sizeof(head));
	for (int i = 0; i < ROW_TEXTS; i++)
		if (head.len[i] != ROW_NO_TEXT)
			buf_add(&s->out, texts[i], head.len[i]);
	if (s->out.len >= OUT_BLOCK)
		out_flush(s);
}

static void say(struct symbols *s, enum row_kind kind, uint32_t unit, uint32_t shape)
{
	struct row row = { .kind = kind, .unit = unit, .shape = shape };

	symbols_send(s, &row, NULL);
	if (kind == ROW_UNIT)
		out_flush(s);	/* what comes now may be the end of us */
}

static int debug_open(const uint8_t *id, size_t id_len)
{
	AUTO_FREE char *path = elfcore_debug_path(id, id_len);
	AUTO_CLOSE int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	uint8_t have[64];
	size_t n;
	int ret = fd;

	if (fd < 0 || elfcore_file_build_id(fd, have, &n, NULL, NULL) != RC_OK || n != id_len ||
	    memcmp(have, id, n) != 0)
		return -1;
	fd = -1;
	return ret;
}

/* What dwz moved out of a file of several into one for all: where its link says, or by its build
   id. */
static int alt_open(const struct symbols *s, int fd, const char *at)
{
	struct elfcore_file f = { .elf = true };
	AUTO_FREE char *path = NULL;
	int ret;

	if (!elfcore_file_alt(fd, at, &path, f.build_id, &f.build_id_len))
		return -1;
	f.path = path;
	if (elfcore_vouch(s->c, &f, s->w->sysroot, s->w->uid, s->w->gid, &ret, NULL) == RC_OK)
		return ret;
	return debug_open(f.build_id, f.build_id_len);
}

/* Of two mappings of one file only the larger is a module; the other is somebody who read it. */
static bool is_shadowed(const struct elfcore *c, size_t i)
{
	const struct elfcore_file *f = &c->files[i];

	for (size_t k = 0; k < c->n_files; k++) {
		const struct elfcore_file *o = &c->files[k];
		uint64_t mine = f->end - f->start, its = o->end - o->start;

		if (k != i && o->elf && (its > mine || (its == mine && k < i)) &&
		    strcmp(o->path, f->path) == 0)
			return true;
	}
	return false;
}

static int module_open(struct symbols *s, struct module *m)
{
	const struct elfcore_file *f = m->file;
	struct err ignored = ERR_INIT;
	AUTO_FREE char *debug_path = NULL;
	uint8_t id[64];
	size_t id_len;
	bool debug = false;
	int rc;

	m->is_program = s->c->info.program && strcmp(s->c->info.program, f->path) == 0;
	if (m->is_program && s->w->exe) {
		m->fd = open(s->w->exe, O_RDONLY | O_CLOEXEC);
		rc = m->fd < 0 ? RC_NOTFOUND : RC_OK;
	} else {
		rc = elfcore_vouch(s->c, f, s->w->sysroot, s->w->uid, s->w->gid, &m->fd, &ignored);
	}
	if (rc != RC_OK)
		return rc == RC_NOTFOUND ? SKIP_ABSENT : SKIP_OTHER_BUILD;
	if (elfcore_file_machine(m->fd) != s->c->machine)
		return SKIP_DAMAGED;
	elfcore_file_tls(m->fd, &m->tls_size, &m->tls_align);
	elfcore_file_build_id(m->fd, id, &id_len, &debug, NULL);
	if (!debug)
		m->debug_fd = debug_open(f->build_id, f->build_id_len);
	debug_path = m->debug_fd >= 0 ? elfcore_debug_path(f->build_id, f->build_id_len) : NULL;
	m->alt_fd = debug_path ? alt_open(s, m->debug_fd, debug_path) : alt_open(s, m->fd, f->path);
	return -1;
}

static void modules_open(struct symbols *s, const uint8_t *bad)
{
	s->modules = xcalloc(s->c->n_files + 1, sizeof(*s->modules));
	for (size_t i = 0; i < s->c->n_files; i++) {
		struct module m = { .file = &s->c->files[i], .unit = (uint32_t)i, .fd = -1,
				    .debug_fd = -1, .alt_fd = -1 };
		int why;

		if (bad[i] || !m.file->elf || is_shadowed(s->c, i))
			continue;
		why = module_open(s, &m);
		if (why >= 0) {
			auto_close_p(&m.fd);
			say(s, ROW_SKIPPED, m.unit, (uint32_t)why);
		} else {
			s->modules[s->n_modules++] = m;
		}
	}
}

/* Asked for a separate debug file, and then for what that shares with others (DWARF 5, 7.3.6). */
static int find_debuginfo(Dwfl_Module *mod, void **userdata, const char *modname, Dwarf_Addr base,
			  const char *file_name, const char *debuglink_file,
			  GElf_Word debuglink_crc, char **debuginfo_file_name)
{
	struct module *m = *userdata;
	int *fd, ret;

	(void)mod;
	(void)modname;
	(void)base;
	(void)file_name;
	(void)debuglink_file;
	(void)debuglink_crc;
	if (!m)
		return -1;
	fd = m->debug_fd >= 0 ? &m->debug_fd : &m->alt_fd;
	ret = *fd;
	*fd = -1;
	*debuginfo_file_name = NULL;
	return ret;
}

static int find_no_elf(Dwfl_Module *mod, void **userdata, const char *modname, Dwarf_Addr base,
		       char **file_name, Elf **elfp)
{
	(void)mod;
	(void)userdata;
	(void)modname;
	(void)base;
	(void)file_name;
	(void)elfp;
	return -1;
}

static void modules_report(struct symbols *s)
{
	static const Dwfl_Callbacks callbacks = { .find_elf = find_no_elf,
						  .find_debuginfo = find_debuginfo };

	s->dwfl = dwfl_begin(&callbacks);
	if (!s->dwfl)
		_exit(1);
	dwfl_report_begin(s->dwfl);
	for (size_t i = 0; i < s->n_modules; i++) {
		struct module *m = &s->modules[i];
		char name[24];
		void **userdata;

		snprintf(name, sizeof(name), "%u", m->unit);	/* two of one name would be one */
		m->dwfl = dwfl_report_elf(s->dwfl, name, name, m->fd, m->file->start, false);
		if (!m->dwfl) {
			say(s, ROW_SKIPPED, m->unit, SKIP_DAMAGED);
			continue;
		}
		dwfl_module_info(m->dwfl, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
		*userdata = m;
	}
	dwfl_report_end(s->dwfl, NULL, NULL);
}

/* All descriptors but ours: what a confined process has open, it can still write to. */
static void descriptors_close(int a, int b)
{
	unsigned lo = (unsigned)(a < b ? a : b), hi = (unsigned)(a < b ? b : a);
	unsigned from = CHILD_MEMORY ? 0 : 3;	/* the sanitizer's reports go to 2 */

	if (lo > from)
		syscall(SYS_close_range, from, lo - 1, 0);
	if (hi > lo + 1)
		syscall(SYS_close_range, lo + 1, hi - 1, 0);
	syscall(SYS_close_range, hi + 1, ~0U, 0);
}

static void descriptors_raise(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static void confine(struct symbols *s)
{
	struct sandbox box = { .parts = SANDBOX_ALL, .uid = s->w->uid, .gid = s->w->gid,
			       .memory = CHILD_MEMORY };
	unsigned missing = SANDBOX_ALL;
	struct err ignored = ERR_INIT;

	if (s->w->no_sandbox)
		return;
	if (sandbox_apply_self(&box, &missing, &ignored) != RC_OK)
		missing = SANDBOX_ALL;
	say(s, ROW_MISSING, 0, missing);
	if (missing && s->w->strict) {
		out_flush(s);
		_exit(1);
	}
}

static void units_read(struct symbols *s, uint32_t from, const uint8_t *bad)
{
	uint32_t n_files = (uint32_t)s->c->n_files;
	bool dwarf;

	for (size_t i = 0; i < s->n_modules; i++) {
		struct module *m = &s->modules[i];

		if (m->unit < from || !m->dwfl)
			continue;
		say(s, ROW_UNIT, m->unit, 0);
		if (symbols_module(s, m, &dwarf))
			say(s, ROW_READ, m->unit, dwarf);
		else
			say(s, ROW_SKIPPED, m->unit, SKIP_NO_SYMBOLS);
	}
	say(s, ROW_UNIT, n_files, 0);
	if (!symbols_attach(s))
		return;
	for (size_t i = 0; i < s->c->n_threads; i++) {
		uint32_t unit = n_files + (uint32_t)i;

		if (unit < from || bad[unit])
			continue;
		say(s, ROW_UNIT, unit, 0);
		symbols_thread(s, i);
	}
}

void elfcore_symbols_child(const struct elfcore *c, const struct elfcore_wish *w, int fd,
			   uint32_t from, const uint8_t *bad)
{
	struct symbols s = { .c = c, .w = w, .fd = fd, .thread = SIZE_MAX };
	struct row end = { .kind = ROW_END };

	descriptors_close(c->fd, fd);
	descriptors_raise();
	s.arena = arena_new();
	s.pages = xcalloc(PAGE_CACHE, sizeof(*s.pages));
	s.scopes = xcalloc(SCOPE_CACHE, sizeof(*s.scopes));
	modules_open(&s, bad);
	confine(&s);
	modules_report(&s);
	units_read(&s, from, bad);
	end.size = s.n_frames;
	end.shape = s.capped;
	symbols_send(&s, &end, NULL);
	out_flush(&s);
	_exit(0);
}
