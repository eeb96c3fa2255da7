/* SPDX-License-Identifier: Apache-2.0 */
#include "handoff_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Which files of this machine go along: those that the core had mapped and whose build id proves
 * it, at the paths they had. What gdb looks for under another name gets a link there.
 */

#define SYSROOT "sysroot"

/* A path that can stand below sysroot/ and in a manifest, a script and a gdb command: absolute,
   without "." and "..", one line of UTF-8. */
static bool is_plain(const char *path)
{
	AUTO_BUF spelled = BUF_INIT;

	if (path[0] != '/' || !path[1])
		return false;
	for (const char *p = path; *p;) {
		size_t n = strcspn(p + 1, "/");

		if (n == 0 || (n == 1 && p[1] == '.') || (n == 2 && p[1] == '.' && p[2] == '.'))
			return false;
		p += 1 + n;
	}
	for (const char *p = path; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	report_manifest_path(path, &spelled);
	return strcmp(spelled.p, path) == 0;
}

/* "/a/./b//../c" as "/a/c"; NULL if that leads out. The caller frees. */
static char *normal_path(const char *path)
{
	AUTO_BUF out = BUF_INIT;

	buf_add_str(&out, "");
	for (const char *p = path; *p;) {
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 2 && strncmp(p, "..", 2) == 0) {
			char *slash = strrchr(out.p, '/');

			if (!slash)
				return NULL;
			out.len = (size_t)(slash - out.p);
			*slash = '\0';
		} else if (n > 0 && !(n == 1 && *p == '.')) {
			buf_add_char(&out, '/');
			buf_add(&out, p, n);
		}
		p += n;
	}
	return buf_steal(&out);
}

/* How `to` is reached from the folder of `from`; both are plain. */
static char *relative_path(const char *from, const char *to)
{
	AUTO_BUF out = BUF_INIT;
	size_t common = 0;

	for (size_t i = 0; from[i] && from[i] == to[i]; i++)
		if (from[i] == '/')
			common = i + 1;
	for (const char *p = from + common; (p = strchr(p, '/')); p++)
		buf_add_str(&out, "../");
	buf_add_str(&out, to + common);
	return buf_steal(&out);
}

static char *folder_of(const char *path)
{
	return xstrndup(path, (size_t)(strrchr(path, '/') - path));
}

static bool is_program(const struct handoff_list *l, const char *path)
{
	const char *program = elfcore_info(l->core)->program;

	return program && strcmp(program, path) == 0;
}

static struct handoff_member *add_path(struct handoff_list *l, const char *inside, const char *path,
				       const char *kind, bool of_owner)
{
	struct handoff_member *m = handoff_list_add(l, xasprintf(SYSROOT "%s", inside), kind, FROM_PATH);

	m->path = xstrdup(path);
	m->of_owner = of_owner;
	return m;
}

/* The link by which gdb finds a debug file by its build id. */
static void add_id_link(struct handoff_list *l, const char *path, const uint8_t *id, size_t len)
{
	AUTO_FREE char *name = elfcore_debug_name(id, len);

	if (!name || strcmp(name, path) == 0)
		return;
	handoff_list_add(l, xasprintf(SYSROOT "%s", name), "link", FROM_LINK)->path =
		relative_path(name, path);
}

/* What dwz moved out of the file at `at`, and of others, into one: at its own path, if it is that
   one. */
static void add_shared(struct handoff_list *l, int fd, const char *at)
{
	struct handoff_member probe = { .source = FROM_PATH, .of_owner = true, .kind = "debug" }, *m;
	AUTO_FREE char *claimed = NULL, *path = NULL, *by_id = NULL;
	AUTO_CLOSE int found = -1;

	if (fd < 0 || !elfcore_file_alt(fd, at, &claimed, probe.id, &probe.id_len))
		return;
	path = normal_path(claimed);
	by_id = elfcore_debug_name(probe.id, probe.id_len);
	for (unsigned i = 0; i < 2 && found < 0; i++) {
		probe.path = i ? by_id : path;
		if (!probe.path || !is_plain(probe.path) || handoff_open(l, &probe, &found, NULL) < 0)
			continue;
		m = add_path(l, probe.path, probe.path, "debug", true);
		memcpy(m->id, probe.id, probe.id_len);
		m->id_len = probe.id_len;
		add_id_link(l, probe.path, probe.id, probe.id_len);
	}
}

/* The debug file of a build id, below --sysroot or of this machine. */
static void add_debug(struct handoff_list *l, const uint8_t *id, size_t len)
{
	AUTO_FREE char *name = elfcore_debug_name(id, len);
	AUTO_FREE char *there = name && l->sysroot ? xasprintf("%s%s", l->sysroot, name) : NULL;
	const char *path = there && access(there, R_OK) == 0 ? there : name;
	AUTO_CLOSE int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;

	if (fd < 0)
		return;
	add_path(l, name, path, "debug", false);
	add_shared(l, fd, name);
}

/* gdb lists threads by libthread_db, which fits one glibc only: that beside it. */
static void add_thread_db(struct handoff_list *l, const char *libc)
{
	static const char *const names[] = { "libthread_db.so.1", "libthread_db-1.0.so" };
	AUTO_FREE char *folder = folder_of(libc);

	for (size_t i = 0; i < ARRAY_SIZE(names) && !l->thread_db; i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", folder, names[i]);
		AUTO_FREE char *inside = xasprintf("%s/%s", folder, names[0]);
		struct handoff_member probe = { .source = FROM_PATH, .path = path, .of_owner = true,
						.kind = "debug" };
		AUTO_CLOSE int fd = -1;

		if (handoff_open(l, &probe, &fd, NULL) < 0)
			continue;
		add_path(l, inside, path, "debug", true);
		l->thread_db = xasprintf(SYSROOT "%s", folder);
	}
}

static void add_folder(struct handoff_list *l, const char *path)
{
	AUTO_FREE char *folder = folder_of(path);
	AUTO_FREE char *inside = xasprintf(SYSROOT "%s", folder);

	for (size_t i = 0; i < l->folders.n; i++)
		if (strcmp(l->folders.v[i], inside) == 0)
			return;
	strings_add(&l->folders, STEAL(inside));
}

static void add_mapped(struct handoff_list *l, size_t row, const struct elfcore_file *f, int fd)
{
	bool program = is_program(l, f->path);
	const char *base = strrchr(f->path, '/') + 1;
	struct handoff_member *m = handoff_list_add(l, xasprintf(SYSROOT "%s", f->path),
						    program ? "program" : "library", FROM_MAPPED);
	uint8_t id[64];
	size_t len = 0;

	m->row = row;
	m->executable = program;
	if (program && !l->program)
		l->program = xstrdup(m->name);
	if (!program)
		add_folder(l, f->path);
	if (elfcore_file_build_id(fd, id, &len, NULL, NULL) == RC_OK)
		add_debug(l, id, len);
	add_shared(l, fd, f->path);
	if (strncmp(base, "libc.so", 7) == 0 || strncmp(base, "libc-", 5) == 0)
		add_thread_db(l, f->path);
}

/* --exe: the user's word, at the path that the program had. */
static void add_exe(struct handoff_list *l)
{
	const char *program = elfcore_info(l->core)->program;
	AUTO_FREE char *real = realpath(l->exe, NULL);
	const char *inside = program && is_plain(program) ? program : real;
	AUTO_CLOSE int fd = open(l->exe, O_RDONLY | O_CLOEXEC);
	struct handoff_member *m;
	uint8_t id[64];
	size_t len = 0;

	if (fd < 0 || !inside || !is_plain(inside)) {
		handoff_list_leave_out(l, l->exe, "its path can't stand in a package");
		return;
	}
	m = handoff_list_add(l, xasprintf(SYSROOT "%s", inside), "program", FROM_PATH);
	m->path = xstrdup(l->exe);
	m->executable = true;
	l->program = xstrdup(m->name);
	if (elfcore_file_build_id(fd, id, &len, NULL, NULL) == RC_OK)
		add_debug(l, id, len);
	add_shared(l, fd, inside);
}

/* The name by which the loader took a file: gdb looks for it there. */
static void add_link(struct handoff_list *l, const struct elfcore_link *link,
		     const struct elfcore_file *files, size_t n)
{
	AUTO_FREE char *name = link->name[0] == '/' ? normal_path(link->name) : NULL;
	const struct elfcore_file *of = NULL;

	for (size_t i = 0; i < n && !of; i++)
		if (link->dynamic >= files[i].start && link->dynamic < files[i].end)
			of = &files[i];
	if (!of || !name || !is_plain(name) || !is_plain(of->path) || strcmp(name, of->path) == 0)
		return;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].source == FROM_MAPPED && strcmp(files[l->v[i].row].path, of->path) == 0) {
			struct handoff_member *m = handoff_list_add(l, xasprintf(SYSROOT "%s", name),
								    "link", FROM_LINK);

			m->path = relative_path(name, of->path);
			return;
		}
}

void handoff_add_binaries(struct handoff_list *l)
{
	size_t n, n_links;
	const struct elfcore_file *files = elfcore_files(l->core, &n);
	const struct elfcore_link *links = elfcore_links(l->core, &n_links);

	if (l->exe)
		add_exe(l);
	for (size_t i = 0; i < n; i++) {
		struct handoff_member probe = { .source = FROM_MAPPED, .row = i };
		struct err why = ERR_INIT;
		AUTO_CLOSE int fd = -1;

		if (l->exe && is_program(l, files[i].path))
			continue;
		if (!is_plain(files[i].path))
			handoff_list_leave_out(l, files[i].path, "its path can't stand in a package");
		else if (!files[i].elf)
			handoff_list_leave_out(l, files[i].path, "the core does not show that it is ELF");
		else if (handoff_open(l, &probe, &fd, &why) < 0)
			handoff_list_leave_out(l, files[i].path, why.msg);
		else
			add_mapped(l, i, &files[i], fd);
	}
	for (size_t i = 0; i < n_links; i++)
		add_link(l, &links[i], files, n);
}

/* Beside a file of the core, and of no build id that the core knows: as its owner, and ELF; where
   another file said its build id, of that. */
static int open_beside(const struct handoff_list *l, const struct handoff_member *m, int *ret_fd,
		       struct err *err)
{
	struct elfcore_file f = { .path = m->path, .elf = true, .build_id_len = m->id_len };

	memcpy(f.build_id, m->id, m->id_len);
	return elfcore_vouch(l->core, &f, l->sysroot ? l->sysroot : "/", l->uid, l->gid, ret_fd, err);
}

void handoff_add_release(struct handoff_list *l)
{
	if (access("/etc/os-release", R_OK) == 0)
		add_path(l, "/etc/os-release", "/etc/os-release", "library", false);
}

static int open_as_owner(const struct handoff_list *l, const char *path, int *ret_fd,
			 struct err *err)
{
	struct credentials saved = { .taken = false };
	int rc = credentials_take(l->uid, l->gid, &saved, err);

	if (rc < 0)
		return rc;
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	credentials_restore(&saved);
	return *ret_fd < 0 ? err_errno(err, RC_IO, "can't open a file to pack") : RC_OK;
}

int handoff_open(const struct handoff_list *l, const struct handoff_member *m, int *ret_fd,
		 struct err *err)
{
	size_t n;
	const struct elfcore_file *files = elfcore_files(l->core, &n);

	if (m->source == FROM_MAPPED)
		return elfcore_vouch(l->core, &files[m->row], l->sysroot, l->uid, l->gid, ret_fd, err);
	if (m->of_owner && strcmp(m->kind, "config") == 0)
		return open_as_owner(l, m->path, ret_fd, err);
	if (m->of_owner)
		return open_beside(l, m, ret_fd, err);
	*ret_fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return *ret_fd < 0 ? err_errno(err, RC_IO, "can't open a file to pack") : RC_OK;
}
