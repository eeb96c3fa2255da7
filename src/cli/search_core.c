/* SPDX-License-Identifier: Apache-2.0 */
#include "search.h"

#include <corescrub/archive.h>
#include <corescrub/elfcore.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is found is opened once; every later step uses that descriptor. */

#define FIRST_LOGIN 1000	/* lower ones are the system's own (adduser(8)) */

void found_cores_done(struct found_cores *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].path);
		free(f->v[i].program);
		auto_close_p(&f->v[i].fd);
	}
	free(f->v);
	*f = (struct found_cores){ 0 };
}

static bool is_owner_taken(uid_t uid, const struct search_owners *owners)
{
	if (uid == 0 || uid == geteuid() || (owners->system && uid < FIRST_LOGIN))
		return true;
	for (size_t i = 0; i < owners->n; i++)
		if (owners->v[i] == uid)
			return true;
	return false;
}

/* The same file by another way to it. Hard links of other names are cores of their own. */
static bool is_known(const struct found_cores *f, const struct stat *st, const char *path)
{
	const char *name = basename(path);

	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].dev == st->st_dev && f->v[i].ino == st->st_ino &&
		    strcmp(basename(f->v[i].path), name) == 0)
			return true;
	return false;
}

bool search_is_compressed(const char *name, size_t *ret_bare)
{
	static const char *const ends[] = { ".zst", ".xz", ".lz4", ".gz", ".bz2" };
	struct span all = span_str(name);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (span_ends(all, span_str(ends[i]))) {
			*ret_bare = all.len - strlen(ends[i]);
			return true;
		}
	return false;
}

/* "core.x.zst", and not "core.x.tar.gz": an earlier report's package is no core. */
static bool may_be_core(const char *path)
{
	size_t bare;

	return search_is_compressed(path, &bare) && !span_ends(span_make(path, bare), SPAN_LIT(".tar"));
}

/* The core inside, with the owner and time of the file, for they decide who gdb becomes. */
static int unpack(int fd, const char *path, const struct stat *st)
{
	struct timespec times[2] = { st->st_mtim, st->st_mtim };
	struct err err = ERR_INIT;
	int out = -1;

	if (archive_unpack_sparse(fd, path, &out, &err) < 0 || out < 0)
		return -1;
	if (geteuid() == 0 && fchown(out, st->st_uid, st->st_gid) < 0) {
		close(out);
		return -1;
	}
	futimens(out, times);
	return out;
}

/* The program's name: of its file, else the kernel's 15 bytes. */
static char *program_name(int fd, const char *path)
{
	AUTO(elfcore) core = NULL;
	const struct elfcore_info *info;
	const char *slash;

	if (elfcore_open(fd, path, &core, NULL) < 0)
		return NULL;
	info = elfcore_info(core);
	slash = info->program ? strrchr(info->program, '/') : NULL;
	/* a program that was replaced while it ran */
	if (slash && span_ends(span_str(slash), SPAN_LIT(" (deleted)")))
		return xstrndup(slash + 1, strlen(slash + 1) - strlen(" (deleted)"));
	if (slash)
		return xstrdup(slash + 1);
	return info->comm ? xstrdup(info->comm) : NULL;
}

enum search_verdict search_open(const char *path, const struct search_owners *owners,
				struct found_cores *f, const char **ret_why)
{
	/* O_NONBLOCK: a fifo must not hold us up */
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ELOOP) {
		*ret_why = "it is a link";
		return SEARCH_REFUSED;
	}
	if (fd < 0 && errno == EACCES) {
		*ret_why = "it can't be read";
		return SEARCH_REFUSED;
	}
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || is_known(f, &st, path))
		return SEARCH_NO_CORE;
	if (!elfcore_probe(fd) && !may_be_core(path))
		return SEARCH_NO_CORE;
	if (!is_owner_taken(st.st_uid, owners)) {
		*ret_why = "it belongs to another user";
		return SEARCH_REFUSED;
	}
	if (!elfcore_probe(fd)) {
		int core = unpack(fd, path, &st);

		close(fd);
		fd = core;
		if (fd < 0 || !elfcore_probe(fd))
			return SEARCH_NO_CORE;
	}
	GROW(f->v, f->n, f->cap);
	f->v[f->n++] = (struct found_core){ .path = xstrdup(path), .fd = fd, .mtime = st.st_mtim,
					    .dev = st.st_dev, .ino = st.st_ino,
					    .program = program_name(fd, path) };
	fd = -1;
	return SEARCH_TAKEN;
}

static int by_time(const void *a, const void *b)
{
	const struct found_core *x = a, *y = b;

	if (x->mtime.tv_sec != y->mtime.tv_sec)
		return x->mtime.tv_sec < y->mtime.tv_sec ? 1 : -1;
	if (x->mtime.tv_nsec != y->mtime.tv_nsec)
		return x->mtime.tv_nsec < y->mtime.tv_nsec ? 1 : -1;
	return strcmp(x->path, y->path);
}

void found_cores_sort(struct found_cores *f)
{
	if (f->n > 1)
		qsort(f->v, f->n, sizeof(*f->v), by_time);
}

/* A literal in a pattern. */
static void add_quoted(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (strchr("*?[]\\()|+@!", *text))
			buf_add_char(b, '\\');
		buf_add_char(b, *text);
	}
}

/* core(5): %e is the name of the program, cut to 15 bytes, %E its path with '!' for '/'. */
static void add_directive(struct buf *b, char what, const char *program)
{
	switch (what) {
	case '%':
		buf_add_char(b, '%');
		break;
	case 'e':
	case 'f': {
		AUTO_FREE char *cut = xstrndup(program, 15);

		add_quoted(b, cut);
		buf_add_char(b, '*');
		break;
	}
	case 'E':
		buf_add_char(b, '*');
		add_quoted(b, program);
		break;
	default:
		buf_add_char(b, '*');
	}
}

void search_core_pattern(const char *text, const char *program, const char *cwd,
			 struct strings *ret)
{
	AUTO_BUF b = BUF_INIT;
	size_t len = strcspn(text, "\n");

	if (*text == '|') {
		/* these keep cores of many programs in folders of their own */
		if (memmem(text, len, "systemd-coredump", strlen("systemd-coredump"))) {
			buf_add_str(&b, "/var/lib/systemd/coredump/core.");
			add_directive(&b, 'e', program);
			buf_add_str(&b, ".*");
		} else if (memmem(text, len, "apport", strlen("apport"))) {
			buf_add_str(&b, "/var/lib/apport/coredump/core.");
			add_directive(&b, 'E', program);
			buf_add_str(&b, ".*");
		} else {
			return;
		}
		strings_add(ret, buf_steal(&b));
		return;
	}
	if (*text != '/' && cwd) {
		add_quoted(&b, cwd);
		buf_add_char(&b, '/');
	}
	for (size_t i = 0; i < len; i++) {
		char one[2] = { text[i], '\0' };

		if (text[i] == '%' && i + 1 < len)
			add_directive(&b, text[++i], program);
		else
			add_quoted(&b, one);
	}
	/* kernel.core_uses_pid appends ".PID"; texts that were made before have an end too */
	buf_add_str(&b, "?(.+([0-9]))");
	strings_add(ret, buf_steal(&b));
}

void search_machine_patterns(const char *program, const char *cwd, struct strings *ret)
{
	AUTO_BUF text = BUF_INIT;

	if (file_read("/proc/sys/kernel/core_pattern", KIB(4), &text, NULL) < 0 || text.len == 0)
		return;
	search_core_pattern(text.p, program, cwd, ret);
}
