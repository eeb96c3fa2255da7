/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A core names files. One of them is opened only as the core's owner could open it, and believed
 * only if it is the very object that the core had mapped.
 */

/*
 * The path by O_PATH, which touches nothing: opening a device or a FIFO can have effects. No magic
 * links (/proc/…/fd), and with a sysroot no way out of it.
 */
static int path_open(const char *sysroot, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
				.resolve = RESOLVE_NO_MAGICLINKS };
	AUTO_CLOSE int root = -1;

	if (sysroot) {
		root = open(sysroot, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root < 0)
			return -1;
		how.resolve |= RESOLVE_IN_ROOT;
	}
	return (int)syscall(SYS_openat2, root >= 0 ? root : AT_FDCWD, path, &how, sizeof(how));
}

static int regular_open(const char *sysroot, const char *path, int *ret_fd, struct err *err)
{
	AUTO_CLOSE int look = path_open(sysroot, path);
	char self[64];
	struct stat st;
	int fd;

	if (look < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? err_set(err, RC_NOTFOUND, "a mapped file is not there any more")
			       : err_errno(err, RC_REFUSED, "a mapped file can't be opened");
	if (fstat(look, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(err, RC_REFUSED, "a mapped file is not a regular file");
	snprintf(self, sizeof(self), "/proc/self/fd/%d", look);
	fd = open(self, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, RC_REFUSED, "a mapped file can't be read");
	*ret_fd = fd;
	return RC_OK;
}

int elfcore_vouch(const struct elfcore *c, const struct elfcore_file *f, const char *sysroot,
		  uid_t uid, gid_t gid, int *ret_fd, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct credentials saved = { .taken = false };
	uint8_t id[64];
	size_t id_len = 0;
	int rc;

	(void)c;
	if (f->build_id_len == 0 && !sysroot)
		return err_set(err, RC_REFUSED, "a mapped file has no build id in the core");
	if (f->path[0] != '/')
		return err_set(err, RC_REFUSED, "a mapped file's path is not absolute");
	rc = credentials_take(uid, gid, &saved, err);
	if (rc != RC_OK)
		return rc;
	rc = regular_open(sysroot, f->path, &fd, err);
	credentials_restore(&saved);
	if (rc != RC_OK)
		return rc;
	if (elfcore_file_build_id(fd, id, &id_len, NULL, NULL) != RC_OK)
		return err_set(err, RC_REFUSED, "a mapped file is not ELF");
	if (f->build_id_len && (id_len != f->build_id_len || memcmp(id, f->build_id, id_len) != 0))
		return err_set(err, RC_REFUSED, "a mapped file has another build id than the core");
	*ret_fd = fd;
	fd = -1;
	return RC_OK;
}
