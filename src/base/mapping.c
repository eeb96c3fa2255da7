/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/base/file.h>
#include <corescrub/base/limits.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * A file that somebody still writes to can change or shrink between the two passes: findings would
 * point at other bytes, or a read would end in SIGBUS. So every file is copied once, into memory
 * or, when large, an unnamed file on disk; only a memfd that is sealed is mapped as it is.
 */

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct mapping {
	char *p;
	size_t len;
};

/* Where the copy grows. */
struct spool {
	int fd;
	bool memory;
	uint64_t len;
	const char *name;
};

static int map_fd(int fd, const char *name, struct mapping **ret, struct err *err)
{
	struct mapping *m;
	struct stat st;
	void *p = NULL;

	if (fstat(fd, &st) < 0)
		return err_errno(err, RC_IO, "can't read %s", name);
	if ((uint64_t)st.st_size > LIMIT_TEXT_MAPPED)
		return err_set(err, RC_TOOBIG, "%s is too large", name);
	if (st.st_size > 0) {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED)
			return err_errno(err, RC_NOMEM, "can't map %s", name);
		/* what gdb or a log printed has no business in a dump of ours */
		madvise(p, (size_t)st.st_size, MADV_DONTDUMP);
	}
	m = xcalloc(1, sizeof(*m));
	m->p = p;
	m->len = (size_t)st.st_size;
	*ret = m;
	return RC_OK;
}

/* Copies len bytes from the start of `from` to the end of `to`, in the kernel where it can. */
static int copy_range(int from, int to, uint64_t len, const char *name, struct err *err)
{
	uint64_t done = 0;
	off_t in = 0;
	char chunk[65536];

	while (done < len) {
		ssize_t n = copy_file_range(from, &in, to, NULL, len - done, 0);

		if (n <= 0)
			break;
		done += (uint64_t)n;
	}
	while (done < len) {
		size_t want = len - done < sizeof(chunk) ? (size_t)(len - done) : sizeof(chunk);
		ssize_t n = pread(from, chunk, want, (off_t)done);
		int rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, RC_IO, "can't read %s", name);
		if (n == 0)
			return err_set(err, RC_IO, "%s shrank while it was read", name);
		rc = file_write_all(to, span_make(chunk, (size_t)n), name, err);
		if (rc < 0)
			return rc;
		done += (uint64_t)n;
	}
	return RC_OK;
}

/* What a pipe gave so far outgrew memory: it moves to an unnamed file. */
static int spool_to_disk(struct spool *s, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int old = s->fd;
	int rc = file_unnamed(false, &fd, err);

	if (rc == RC_OK)
		rc = copy_range(s->fd, fd, s->len, s->name, err);
	if (rc < 0)
		return rc;
	s->fd = fd;
	s->memory = false;
	fd = old;
	return RC_OK;
}

static int spool_stream(struct spool *s, int from, struct err *err)
{
	char chunk[65536];
	int rc = file_unnamed(s->memory, &s->fd, err);

	while (rc == RC_OK) {
		ssize_t n = read(from, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, RC_IO, "can't read %s", s->name);
		if (n == 0)
			return RC_OK;
		if (s->memory && s->len + (uint64_t)n > LIMIT_SPOOL_MEMORY)
			rc = spool_to_disk(s, err);
		if (rc == RC_OK)
			rc = file_write_all(s->fd, span_make(chunk, (size_t)n), s->name, err);
		s->len += (uint64_t)n;
		if (s->len > LIMIT_TEXT_MAPPED)
			return err_set(err, RC_TOOBIG, "%s is too large", s->name);
	}
	return rc;
}

static int spool_file(struct spool *s, int from, uint64_t size, struct err *err)
{
	int rc;

	s->memory = size <= LIMIT_SPOOL_MEMORY;
	rc = file_unnamed(s->memory, &s->fd, err);
	if (rc == RC_OK)
		rc = copy_range(from, s->fd, size, s->name, err);
	return rc;
}

int mapping_open(int fd, const char *name, struct mapping **ret, struct err *err)
{
	AUTO_CLOSE int spooled = -1;
	struct spool s = { .fd = -1, .memory = true, .name = name };
	struct stat st;
	int rc, seals;

	if (fstat(fd, &st) < 0)
		return err_errno(err, RC_IO, "can't read %s", name);
	if (S_ISDIR(st.st_mode))
		return err_set(err, RC_FORMAT, "%s is a folder", name);
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > LIMIT_TEXT_MAPPED)
		return err_set(err, RC_TOOBIG, "%s is too large", name);
	seals = fcntl(fd, F_GET_SEALS);
	if (seals >= 0 && (seals & SEALS) == SEALS)
		return map_fd(fd, name, ret, err);
	/* files of /proc claim to be empty: they are read like a pipe */
	if (S_ISREG(st.st_mode) && st.st_size > 0)
		rc = spool_file(&s, fd, (uint64_t)st.st_size, err);
	else
		rc = spool_stream(&s, fd, err);
	spooled = s.fd;
	if (rc < 0)
		return rc;
	if (s.memory && fcntl(spooled, F_ADD_SEALS, SEALS) < 0)
		return err_errno(err, RC_IO, "can't seal the copy of %s", name);
	return map_fd(spooled, name, ret, err);
}

int mapping_open_path(const char *path, struct mapping **ret, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_IO, "can't open %s", path);
	return mapping_open(fd, path, ret, err);
}

struct span mapping_span(const struct mapping *m)
{
	return span_make(m->p ? m->p : "", m->len);
}

void mapping_free(struct mapping *m)
{
	if (!m)
		return;
	if (m->p)
		munmap(m->p, m->len);
	free(m);
}
