/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/base/file.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Who may change a file that we believe: settings, keys, rule databases. */

static bool owner_is_trusted(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

static int check_folder(const char *folder, struct err *err)
{
	struct stat st;

	if (stat(folder, &st) < 0)
		return err_errno(err, RC_IO, "can't look at %s", folder);
	if (!owner_is_trusted(&st))
		return err_set(err, RC_REFUSED, "%s belongs to another user", folder);
	if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))
		return err_set(err, RC_REFUSED, "others can write to the folder %s", folder);
	return RC_OK;
}

/* Every folder above an absolute path, "/" included. */
static int check_parents(const char *path, struct err *err)
{
	AUTO_FREE char *folder = xstrdup(path);
	char *slash;
	int rc;

	while ((slash = strrchr(folder, '/')) && slash != folder) {
		*slash = '\0';
		rc = check_folder(folder, err);
		if (rc < 0)
			return rc;
	}
	return check_folder("/", err);
}

static int check_mode(const struct stat *st, const char *path, bool private, struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, RC_REFUSED, "%s is not a regular file", path);
	if (private ? st->st_uid != geteuid() : !owner_is_trusted(st))
		return err_set(err, RC_REFUSED, "%s belongs to another user", path);
	if (st->st_mode & 022) {
		err_set(err, RC_REFUSED, "others can write to %s", path);
		err_hint(err, "chmod go-w %s", path);
		return RC_REFUSED;
	}
	if (private && (st->st_mode & 077)) {
		err_set(err, RC_REFUSED, "others can read %s", path);
		err_hint(err, "chmod 600 %s", path);
		return RC_REFUSED;
	}
	return RC_OK;
}

int file_check_trusted(int fd, const char *path, bool private, struct err *err)
{
	AUTO_FREE char *real = realpath(path, NULL);
	AUTO_FREE char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
	AUTO_FREE char *typed = NULL;
	struct stat st, named;
	int rc;

	if (fstat(fd, &st) < 0)
		return err_errno(err, RC_IO, "can't look at %s", path);
	rc = check_mode(&st, path, private, err);
	if (rc < 0)
		return rc;
	if (!real || (path[0] != '/' && !cwd) || stat(real, &named) < 0)
		return err_errno(err, RC_IO, "can't look at %s", path);
	if (named.st_dev != st.st_dev || named.st_ino != st.st_ino)
		return err_set(err, RC_REFUSED, "%s changed while it was looked at", path);
	/* a link on the way is as good as its folder: both the typed and the real way count */
	typed = cwd ? xasprintf("%s/%s", cwd, path) : xstrdup(path);
	rc = check_parents(real, err);
	if (rc == RC_OK)
		rc = check_parents(typed, err);
	return rc;
}
