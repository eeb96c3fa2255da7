/* SPDX-License-Identifier: Apache-2.0 */
#include "base_internal.h"
#include <corescrub/base/file.h>
#include <stdlib.h>
#include <unistd.h>

struct tempfile {
	struct newfile file;
	int dir;
	char *target;		/* as given, for messages */
	char *name;		/* its last part */
	mode_t mode;
};

int tempfile_open(const char *target, mode_t mode, struct tempfile **ret, struct err *err)
{
	AUTO(tempfile) t = xcalloc(1, sizeof(*t));
	int rc;

	t->file.fd = t->dir = -1;
	t->mode = mode;
	t->target = xstrdup(target);
	rc = newfile_split(target, &t->dir, &t->name, err);
	if (rc == RC_OK)
		rc = newfile_create(t->dir, target, &t->file, err);
	if (rc < 0)
		return rc;
	*ret = STEAL(t);
	return RC_OK;
}

int tempfile_fd(const struct tempfile *t)
{
	return t->file.fd;
}

int tempfile_commit(struct tempfile *t, bool replace, struct err *err)
{
	int rc;

	/* the mode as asked for, whatever the umask */
	if (fchmod(t->file.fd, t->mode) < 0 || fsync(t->file.fd) < 0)
		return err_errno(err, RC_IO, "can't finish %s", t->target);
	rc = newfile_link(&t->file, t->dir, t->name, replace, err);
	if (rc < 0)
		return rc;
	/* The file is whole and has its name; some filesystems can't sync a folder. */
	(void)fsync(t->dir);
	return RC_OK;
}

void tempfile_free(struct tempfile *t)
{
	if (!t)
		return;
	newfile_done(&t->file);
	auto_close_p(&t->dir);
	free(t->target);
	free(t->name);
	free(t);
}
