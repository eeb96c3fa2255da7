/* SPDX-License-Identifier: Apache-2.0 */
#include "base_internal.h"

#include <corescrub/base/file.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct outtree {
	int parent, top;	/* where it will stand; its hidden folder */
	char *target, *name;
	char hidden[48];	/* "" once it is committed */
};

int outtree_open(const char *target, struct outtree **ret, struct err *err)
{
	AUTO(outtree) t = xcalloc(1, sizeof(*t));
	struct stat st;
	int rc;

	t->parent = t->top = -1;
	t->target = xstrdup(target);
	for (size_t n = strlen(target); n > 1 && t->target[n - 1] == '/'; n--)
		t->target[n - 1] = '\0';
	rc = newfile_split(target, &t->parent, &t->name, err);
	if (rc < 0)
		return rc;
	if (fstatat(t->parent, t->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(err, RC_EXISTS, "%s exists already", target);
	newfile_random_name(t->hidden);
	if (mkdirat(t->parent, t->hidden, 0700) < 0) {
		t->hidden[0] = '\0';
		return err_errno(err, RC_IO, "can't make a folder for %s", target);
	}
	t->top = openat(t->parent, t->hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (t->top < 0)
		return err_errno(err, RC_IO, "can't open the folder for %s", target);
	*ret = STEAL(t);
	return RC_OK;
}

/* Opens the folder `name` below dir, making it first if it is not there; closes dir. */
static int enter(int dir, const char *name)
{
	int next;

	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		next = -1;
	else
		next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_close_p(&dir);
	return next;
}

/* The folder that path's last part stands in, and where that part begins. Changes path. */
static int walk_to(const struct outtree *t, char *path, int *ret_dir, const char **ret_part,
		   struct err *err)
{
	AUTO_CLOSE int dir = fcntl(t->top, F_DUPFD_CLOEXEC, 0);
	char *part = path, *slash;

	for (; dir >= 0 && (slash = strchr(part, '/')); part = slash + 1) {
		*slash = '\0';
		if (!*part || strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
			return err_set(err, RC_INTERNAL, "a path that can't stand in a folder");
		dir = enter(dir, part);
	}
	if (dir < 0)
		return err_errno(err, RC_IO, "can't make a folder in %s", t->target);
	*ret_part = part;
	*ret_dir = dir;
	dir = -1;
	return RC_OK;
}

int outtree_remove(struct outtree *t, const char *path, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);
	AUTO_CLOSE int dir = -1;
	const char *part;
	int rc = walk_to(t, copy, &dir, &part, err);

	if (rc == RC_OK && unlinkat(dir, part, 0) < 0)
		return err_errno(err, RC_IO, "can't remove a file in %s", t->target);
	return rc;
}

int outtree_create(struct outtree *t, const char *path, mode_t mode, int *ret_fd, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);
	AUTO_CLOSE int dir = -1;
	const char *part;
	int fd, rc = walk_to(t, copy, &dir, &part, err);

	if (rc < 0)
		return rc;
	fd = openat(dir, part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_errno(err, errno == EEXIST ? RC_EXISTS : RC_IO, "can't make a file in %s",
				 t->target);
	*ret_fd = fd;
	return RC_OK;
}

int outtree_reopen(struct outtree *t, const char *path, int *ret_fd, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);
	AUTO_CLOSE int dir = -1;
	const char *part;
	int fd, rc = walk_to(t, copy, &dir, &part, err);

	if (rc < 0)
		return rc;
	fd = openat(dir, part, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, RC_IO, "can't open a file in %s", t->target);
	*ret_fd = fd;
	return RC_OK;
}

int outtree_link(struct outtree *t, const char *path, const char *target, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(path);
	AUTO_CLOSE int dir = -1;
	const char *part;
	int rc = walk_to(t, copy, &dir, &part, err);

	if (rc == RC_OK && symlinkat(target, dir, part) < 0)
		return err_errno(err, errno == EEXIST ? RC_EXISTS : RC_IO, "can't make a link in %s",
				 t->target);
	return rc;
}

char *outtree_path(const struct outtree *t)
{
	const char *slash = strrchr(t->target, '/');

	if (!t->hidden[0])
		return xstrdup(t->target);
	return slash ? xasprintf("%.*s/%s", (int)(slash - t->target), t->target, t->hidden) :
		       xstrdup(t->hidden);
}

int outtree_commit(struct outtree *t, struct err *err)
{
	if (syncfs(t->top) < 0)
		return err_errno(err, RC_IO, "can't finish %s", t->target);
	if (newfile_rename(t->parent, t->hidden, t->parent, t->name) < 0)
		return errno == EEXIST || errno == ENOTEMPTY
			       ? err_set(err, RC_EXISTS, "%s exists already", t->target)
			       : err_errno(err, RC_IO, "can't name %s", t->target);
	t->hidden[0] = '\0';
	(void)fsync(t->parent);
	return RC_OK;
}

/* Removes what outtree_create made below dir; it only goes as deep as we went ourselves. Closes
   dir. */
static void remove_below(int dir)
{
	DIR *d = dir >= 0 ? fdopendir(dir) : NULL;
	struct dirent *e;

	if (!d) {
		auto_close_p(&dir);
		return;
	}
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0)
			continue;
		remove_below(openat(dirfd(d), e->d_name,
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
		unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

void outtree_free(struct outtree *t)
{
	if (!t)
		return;
	if (t->hidden[0]) {
		remove_below(t->top);
		t->top = -1;
		unlinkat(t->parent, t->hidden, AT_REMOVEDIR);
	}
	auto_close_p(&t->parent);
	auto_close_p(&t->top);
	free(t->target);
	free(t->name);
	free(t);
}
