/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact_internal.h"

#include <corescrub/base/process.h>

#include <archive.h>
#include <archive_entry.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A compressed core, unpacked to where it can be seeked in. What reads cores needs it as the kernel
 * wrote it, so pages of zeros become holes again: a core of gigabytes is mostly those, and a bomb
 * of zeros then takes no room. The stream is whoever's crashed, so a child unpacks it that can do
 * nothing but read the one file and write the other.
 */

#define BLOCK	KIB(256)
#define PAGE	4096

#if defined(__SANITIZE_ADDRESS__)
#define CHILD_MEMORY 0		/* the sanitizer's own tables are larger than any limit */
#else
#define CHILD_MEMORY LIMIT_UNPACKED_MEMORY
#endif

struct unpack {
	struct archive *a;
	const char *name;
	int fd;
	uint64_t off;			/* bytes until now */
	struct artifact_budget budget;	/* of those that are written */
	bool hole;			/* the last ones are not */
};

static bool is_zero(const char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static int write_at(struct unpack *u, const char *p, size_t n, uint64_t off, struct err *err)
{
	while (n > 0) {
		ssize_t k = pwrite(u->fd, p, n, (off_t)off);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_errno(err, RC_IO, "can't unpack %s", u->name);
		p += k;
		n -= (size_t)k;
		off += (uint64_t)k;
	}
	return RC_OK;
}

/* One block from u->off on; runs of pages that are not zero are written, the rest is passed
   over. */
static int block_write(struct unpack *u, const char *p, size_t n, struct err *err)
{
	size_t at = 0;

	if (n > LIMIT_UNPACKED_CORE - u->off)
		return err_set(err, RC_TOOBIG, "%s unpacks to more than %llu GiB", u->name,
			       (unsigned long long)(LIMIT_UNPACKED_CORE >> 30));
	while (at < n) {
		size_t len = PAGE - (u->off + at) % PAGE;
		int rc = RC_OK;

		if (len > n - at)
			len = n - at;
		u->hole = is_zero(p + at, len);
		/* as many pages at once as there are */
		while (!u->hole && at + len < n) {
			size_t next = n - at - len < PAGE ? n - at - len : PAGE;

			if (is_zero(p + at + len, next))
				break;
			len += next;
		}
		if (!u->hole && !artifact_budget_take(&u->budget, len))
			return err_set(err, RC_TOOBIG, "%s unpacks to far more than its size",
				       u->name);
		if (!u->hole)
			rc = write_at(u, p + at, len, u->off + at, err);
		if (rc < 0)
			return rc;
		at += len;
	}
	u->off += n;
	return RC_OK;
}

static int damaged(const struct unpack *u, struct err *err)
{
	return err_set(err, RC_FORMAT, "%s is damaged, or cut short", u->name);
}

static int blocks_write(struct unpack *u, struct err *err)
{
	AUTO_FREE char *block = xmalloc(BLOCK);

	for (;;) {
		la_ssize_t n = archive_read_data(u->a, block, BLOCK);
		int rc;

		if (n < 0)
			return damaged(u, err);
		if (n == 0)
			break;
		rc = block_write(u, block, (size_t)n, err);
		if (rc < 0)
			return rc;
	}
	/* libarchive takes a stream that is cut in its first block for an empty one */
	if (u->off == 0)
		return damaged(u, err);
	/* the size; the filter of system calls knows no ftruncate */
	return u->hole ? write_at(u, "", 1, u->off - 1, err) : RC_OK;
}

static int stream_open(struct unpack *u, int fd, int filter, struct err *err)
{
	struct archive_entry *entry;
	int r;

	/* exactly one filter; what is not OK would start a program */
	if (archive_read_append_filter(u->a, filter) != ARCHIVE_OK ||
	    archive_read_support_format_raw(u->a) != ARCHIVE_OK)
		return err_set(err, RC_UNSUPPORTED, "libarchive was built without a compression");
	r = archive_read_open_fd(u->a, fd, BLOCK);
	if (r == ARCHIVE_OK)
		r = archive_read_next_header(u->a, &entry);
	return r == ARCHIVE_OK ? RC_OK : damaged(u, err);
}

static int unpack(struct unpack *u, int fd, int filter, struct err *err)
{
	__attribute__((cleanup(artifact_unpack_close))) struct archive *a = archive_read_new();
	int rc;

	if (!a)
		return err_set(err, RC_NOMEM, "no memory to unpack %s", u->name);
	u->a = a;
	rc = stream_open(u, fd, filter, err);
	return rc == RC_OK ? blocks_write(u, err) : rc;
}

static _Noreturn void child(struct unpack *u, int fd, int filter, const struct stat *st, int say_fd)
{
	struct sandbox box = { .parts = SANDBOX_ALL, .uid = st->st_uid, .gid = st->st_gid,
			       .memory = CHILD_MEMORY, .file_size = LIMIT_UNPACKED_CORE };
	struct err err = ERR_INIT;
	unsigned missing;

	sandbox_apply_self(&box, &missing, NULL);
	err.code = (enum rc)unpack(u, fd, filter, &err);
	(void)!write(say_fd, &err, sizeof(err));
	_exit(0);
}

static int child_run(struct unpack *u, int fd, int filter, const struct stat *st, struct err *err)
{
	int pipes[2], status;
	struct err said = ERR_INIT;
	ssize_t n;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_errno(err, RC_IO, "can't make a pipe");
	pid = fork();
	if (pid == 0)
		child(u, fd, filter, st, pipes[1]);
	close(pipes[1]);
	do
		n = pid < 0 ? 0 : read(pipes[0], &said, sizeof(said));
	while (n < 0 && errno == EINTR);
	close(pipes[0]);
	if (pid < 0)
		return err_errno(err, RC_CHILD, "can't start a child");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n != (ssize_t)sizeof(said))
		return damaged(u, err);		/* it died of it */
	if (said.code == RC_OK)
		return RC_OK;
	said.msg[sizeof(said.msg) - 1] = '\0';
	return err_set(err, said.code, "%s", said.msg);
}

/* libarchive's number of the one compression that a file of this head has. */
static int filter_of(struct span head)
{
	if (span_starts(head, SPAN_LIT("\x04\x22\x4d\x18")))	/* LZ4 frame format, "Magic Number" */
		return ARCHIVE_FILTER_LZ4;
	return artifact_stream_filter(artifact_probe_stream(head));
}

int archive_unpack_sparse(int fd, const char *name, int *ret_fd, struct err *err)
{
	AUTO_CLOSE int out = -1;
	struct unpack u = { .name = name };
	struct stat st;
	char head[16];
	ssize_t n = pread(fd, head, sizeof(head), 0);
	int rc, filter = n > 0 ? filter_of(span_make(head, (size_t)n)) : ARCHIVE_FILTER_NONE;

	*ret_fd = -1;
	if (filter == ARCHIVE_FILTER_NONE)
		return RC_OK;
	if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, RC_IO, "can't read %s", name);
	artifact_budget_init(&u.budget, (size_t)st.st_size, NULL);
	rc = file_unnamed(false, &out, err);
	if (rc < 0)
		return rc;
	u.fd = out;
	rc = child_run(&u, fd, filter, &st, err);
	if (rc < 0)
		return rc;
	*ret_fd = out;
	out = -1;
	return RC_OK;
}
