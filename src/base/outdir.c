/* SPDX-License-Identifier: Apache-2.0 */
#include "base_internal.h"
#include <corescrub/base/file.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct entry {
	struct newfile file;
	char *name;
	mode_t mode;
	bool named;		/* in the folder; taken back if a later one fails */
};

struct outdir {
	int parent;
	char *target;		/* as given, for messages */
	char *name;		/* its last part; NULL: the files go into `parent` itself */
	struct entry *v;
	size_t n, cap;
};

int outdir_open(const char *target, struct outdir **ret, struct err *err)
{
	AUTO(outdir) d = xcalloc(1, sizeof(*d));
	struct stat st;
	int rc;

	d->parent = -1;
	d->target = xstrdup(target);
	rc = newfile_split(target, &d->parent, &d->name, err);
	if (rc < 0)
		return rc;
	if (fstatat(d->parent, d->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(err, RC_EXISTS, "%s exists already", target);
	if (errno != ENOENT)
		return err_errno(err, RC_IO, "can't look at %s", target);
	*ret = STEAL(d);
	return RC_OK;
}

int outdir_open_existing(int dir, const char *folder, struct outdir **ret, struct err *err)
{
	AUTO(outdir) d = xcalloc(1, sizeof(*d));

	d->target = xstrdup(folder);
	d->parent = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->parent < 0)
		return err_errno(err, RC_IO, "can't open folder %s", folder);
	*ret = STEAL(d);
	return RC_OK;
}

int outdir_add(struct outdir *d, const char *name, mode_t mode, int *ret_fd, struct err *err)
{
	struct entry e = { .mode = mode };
	int rc;

	if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, RC_INTERNAL, "a name that can't stand in a folder");
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->v[i].name, name) == 0)
			return err_set(err, RC_EXISTS, "%s would be written twice", name);
	rc = newfile_create(d->parent, d->target, &e.file, err);
	if (rc < 0)
		return rc;
	e.name = xstrdup(name);
	GROW(d->v, d->n, d->cap);
	d->v[d->n++] = e;
	*ret_fd = e.file.fd;
	return RC_OK;
}

/* Does the name stand for what we made? Others may have swapped it. */
static bool is_same(int dir, const char *name, int fd)
{
	struct stat named, ours;

	return fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &ours) == 0 &&
	       named.st_dev == ours.st_dev && named.st_ino == ours.st_ino;
}

static int fill_folder(struct outdir *d, int dir, bool replace, struct err *err)
{
	for (size_t i = 0; i < d->n; i++) {
		struct entry *e = &d->v[i];

		if (fchmod(e->file.fd, e->mode) < 0 || fsync(e->file.fd) < 0)
			return err_errno(err, RC_IO, "can't finish %s", e->name);
	}
	for (size_t i = 0; i < d->n; i++) {
		int rc = newfile_link(&d->v[i].file, dir, d->v[i].name, replace, err);

		if (rc < 0)
			return rc;
		d->v[i].named = true;
		if (!is_same(dir, d->v[i].name, d->v[i].file.fd))
			return err_set(err, RC_REFUSED, "somebody interferes in the folder of %s",
				       d->target);
	}
	(void)fsync(dir);	/* some filesystems can't */
	return RC_OK;
}

/* Opens the folder just made, if it is still ours: in a folder that others write to they could have
   put another in its place. */
static int open_hidden(struct outdir *d, const char *hidden, int *ret_dir, struct err *err)
{
	AUTO_CLOSE int dir = openat(d->parent, hidden,
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (dir < 0 || fstat(dir, &st) < 0)
		return err_errno(err, RC_IO, "can't open the folder for %s", d->target);
	if (st.st_uid != geteuid() || (st.st_mode & 0777) != 0700)
		return err_set(err, RC_REFUSED, "somebody interferes in the folder of %s",
			       d->target);
	*ret_dir = dir;
	dir = -1;
	return RC_OK;
}

static void remove_hidden(struct outdir *d, int dir, const char *hidden)
{
	for (size_t i = 0; dir >= 0 && i < d->n; i++)
		unlinkat(dir, d->v[i].name, 0);
	unlinkat(d->parent, hidden, AT_REMOVEDIR);
}

static int commit_new(struct outdir *d, struct err *err)
{
	AUTO_CLOSE int dir = -1;
	char hidden[48];
	int rc;

	newfile_random_name(hidden);
	if (mkdirat(d->parent, hidden, 0700) < 0)
		return err_errno(err, RC_IO, "can't make a folder for %s", d->target);
	rc = open_hidden(d, hidden, &dir, err);
	if (rc == RC_OK)
		rc = fill_folder(d, dir, false, err);
	if (rc == RC_OK && newfile_rename(d->parent, hidden, d->parent, d->name) < 0)
		rc = errno == EEXIST || errno == ENOTEMPTY
			     ? err_set(err, RC_EXISTS, "%s exists already", d->target)
			     : err_errno(err, RC_IO, "can't name %s", d->target);
	else if (rc == RC_OK && !is_same(d->parent, d->name, dir))
		rc = err_set(err, RC_REFUSED, "somebody interferes in the folder of %s", d->target);
	if (rc < 0) {
		remove_hidden(d, dir, hidden);
		return rc;
	}
	(void)fsync(d->parent);
	return RC_OK;
}

static int commit_existing(struct outdir *d, struct err *err)
{
	int rc = fill_folder(d, d->parent, true, err);

	for (size_t i = 0; rc < 0 && i < d->n; i++)
		if (d->v[i].named && is_same(d->parent, d->v[i].name, d->v[i].file.fd))
			unlinkat(d->parent, d->v[i].name, 0);
	return rc;
}

int outdir_commit(struct outdir *d, struct err *err)
{
	if (!d->name)
		return commit_existing(d, err);
	return commit_new(d, err);
}

void outdir_free(struct outdir *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++) {
		newfile_done(&d->v[i].file);
		free(d->v[i].name);
	}
	auto_close_p(&d->parent);
	free(d->v);
	free(d->target);
	free(d->name);
	free(d);
}
