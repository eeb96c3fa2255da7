/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/base/file.h>
#include <corescrub/base/limits.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U	/* Linux 6.3; implies MFD_ALLOW_SEALING */
#endif

int file_write_all(int fd, struct span bytes, const char *name, struct err *err)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.p, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, RC_IO, "can't write %s", name);
		bytes = span_sub(bytes, (size_t)n, bytes.len);
	}
	return RC_OK;
}

int file_read(const char *path, size_t max, struct buf *ret, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	AUTO_BUF b = BUF_INIT;
	char chunk[16384];
	ssize_t n;
	int rc;

	if (fd < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_IO, "can't open %s", path);
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, RC_IO, "can't read %s", path);
		rc = buf_reserve_input(&b, (size_t)n, max, NULL);
		if (rc < 0)
			return err_set(err, rc, "%s is over the limit of %zu bytes", path, max);
		buf_add(&b, chunk, (size_t)n);
	}
	secret_wipe(chunk, sizeof(chunk));
	*ret = b;
	b = (struct buf)BUF_INIT;
	return RC_OK;
}

static int unnamed_in_memory(void)
{
	int fd = memfd_create("corescrub", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("corescrub", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

static int unnamed_on_disk(const char *dir)
{
	char path[4096];
	int fd = open(dir, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	/* A filesystem without O_TMPFILE: the name is gone before the first byte comes. */
	if ((size_t)snprintf(path, sizeof(path), "%s/.corescrub-XXXXXX", dir) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0 && unlink(path) < 0) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

int file_unnamed(bool memory, int *ret_fd, struct err *err)
{
	const char *dir = secure_getenv("TMPDIR");
	int fd;

	if (!dir || !*dir)
		dir = "/var/tmp";
	fd = memory ? unnamed_in_memory() : unnamed_on_disk(dir);
	if (fd < 0)
		return err_errno(err, RC_IO, "can't make a temporary file in %s",
				 memory ? "memory" : dir);
	*ret_fd = fd;
	return RC_OK;
}

int file_copy(int from, int to, const char *name, struct err *err)
{
	char chunk[65536];
	off_t at = 0;
	ssize_t n;

	/* the kernel copies where it can; what it refuses goes through our hands */
	while ((n = sendfile(to, from, &at, MIB(8))) > 0)
		;
	while (n < 0) {
		ssize_t got = pread(from, chunk, sizeof(chunk), at);
		int rc;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			secret_wipe(chunk, sizeof(chunk));
			return got ? err_errno(err, RC_IO, "can't read back %s", name) : RC_OK;
		}
		rc = file_write_all(to, span_make(chunk, got), name, err);
		if (rc < 0)
			return rc;
		at += got;
	}
	return RC_OK;
}
