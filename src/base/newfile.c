/* SPDX-License-Identifier: Apache-2.0 */
#include "base_internal.h"
#include <corescrub/base/digest.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void newfile_random_name(char ret[static 48])
{
	uint8_t bytes[8];
	char hex[17];

	digest_random(bytes, sizeof(bytes));
	digest_hex(bytes, sizeof(bytes), hex);
	snprintf(ret, 48, ".corescrub-%s", hex);
}

int newfile_split(const char *target, int *ret_dir, char **ret_name, struct err *err)
{
	AUTO_FREE char *path = xstrdup(target);
	size_t n = strlen(path);
	const char *folder = ".", *name;
	char *slash;
	int dir;

	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	slash = strrchr(path, '/');
	name = slash ? slash + 1 : path;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, RC_USAGE, "%s names no file", target);
	if (slash) {
		folder = slash == path ? "/" : path;
		*slash = '\0';
	}
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_IO, "can't open folder %s",
				 folder);
	*ret_name = xstrdup(name);
	*ret_dir = dir;
	return RC_OK;
}

int newfile_create(int dir, const char *where, struct newfile *ret, struct err *err)
{
	struct newfile f = { .fd = -1, .dir = dir };

	f.fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (f.fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		newfile_random_name(f.hidden);
		f.fd = openat(dir, f.hidden, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			      0600);
	}
	if (f.fd < 0)
		return err_errno(err, RC_IO, "can't make a file for %s", where);
	*ret = f;
	return RC_OK;
}

int newfile_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	struct stat st;

	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A filesystem without the flag: a look first, the gap can't be closed there. */
	if (fstatat(to_dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(from_dir, from, to_dir, to);
}

/* Links an O_TMPFILE. AT_EMPTY_PATH needs a capability or a recent kernel, /proc needs /proc. */
static int link_unnamed(int fd, int dir, const char *name)
{
	char proc[40];

	if (linkat(fd, "", dir, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno == EEXIST)
		return -1;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, proc, dir, name, AT_SYMLINK_FOLLOW);
}

/* link(2) never replaces: the file gets a hidden name first, then takes the target's by rename. */
static int link_replacing(struct newfile *f, int dir, const char *name)
{
	char hidden[48];

	newfile_random_name(hidden);
	if (link_unnamed(f->fd, dir, hidden) < 0)
		return -1;
	if (renameat(dir, hidden, dir, name) < 0) {
		int saved = errno;

		unlinkat(dir, hidden, 0);
		errno = saved;
		return -1;
	}
	return 0;
}

int newfile_link(struct newfile *f, int dir, const char *name, bool replace, struct err *err)
{
	int r;

	if (f->hidden[0])
		r = replace ? renameat(f->dir, f->hidden, dir, name)
			    : newfile_rename(f->dir, f->hidden, dir, name);
	else
		r = replace ? link_replacing(f, dir, name) : link_unnamed(f->fd, dir, name);
	if (r < 0 && errno == EEXIST)
		return err_set(err, RC_EXISTS, "%s exists already", name);
	if (r < 0)
		return err_errno(err, RC_IO, "can't name %s", name);
	f->hidden[0] = '\0';
	return RC_OK;
}

void newfile_done(struct newfile *f)
{
	if (f->hidden[0])
		unlinkat(f->dir, f->hidden, 0);
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->hidden[0] = '\0';
}
