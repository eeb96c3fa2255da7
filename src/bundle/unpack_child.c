/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack_internal.h"

#include <corescrub/base/process.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child: decompresses and reads the tar, and tells what it sees, frame by frame. */

#define READ_SIZE KIB(256)
#define DATA_MOST KIB(64)

#if defined(__SANITIZE_ADDRESS__)
#define CHILD_MEMORY 0		/* the sanitizer's own tables are larger than any limit */
#else
#define CHILD_MEMORY LIMIT_UNPACKED_MEMORY
#endif

/* False if nobody listens any more. */
static bool tell(int to, enum bundle_frame_type type, bool executable, uint64_t value,
		 const void *p, size_t len)
{
	struct bundle_frame f = { .type = (uint16_t)type, .executable = executable, .len = (uint32_t)len,
				  .value = value };

	return file_write_all(to, span_make((const char *)&f, sizeof(f)), "", NULL) == RC_OK &&
	       file_write_all(to, span_make(p, len), "", NULL) == RC_OK;
}

static bool tell_data(int to, const char *p, size_t len, uint64_t off)
{
	while (len > 0) {
		size_t n = len < DATA_MOST ? len : DATA_MOST;

		if (!tell(to, FRAME_DATA, false, off, p, n))
			return false;
		p += n;
		off += n;
		len -= n;
	}
	return true;
}

static bool tell_member(int to, struct archive *a, struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e), *target = archive_entry_symlink(e);
	const void *bytes;
	la_int64_t off;
	size_t n;
	int r;

	if (!name || strlen(name) > BUNDLE_NAME_MAX || archive_entry_hardlink(e))
		return false;
	if (archive_entry_filetype(e) == AE_IFLNK && target && strlen(target) <= BUNDLE_NAME_MAX)
		return tell(to, FRAME_LINK, false, 0, name, strlen(name)) &&
		       tell(to, FRAME_TARGET, false, 0, target, strlen(target));
	if (archive_entry_filetype(e) != AE_IFREG || !archive_entry_size_is_set(e) ||
	    archive_entry_size(e) < 0)
		return false;
	if (!tell(to, FRAME_FILE, archive_entry_perm(e) & 0100, (uint64_t)archive_entry_size(e), name,
		  strlen(name)))
		return false;
	while ((r = archive_read_data_block(a, &bytes, &n, &off)) == ARCHIVE_OK)
		if (off < 0 || !tell_data(to, bytes, n, (uint64_t)off))
			return false;
	return r == ARCHIVE_EOF;
}

static bool tell_members(struct archive *a, int from, int to)
{
	struct archive_entry *e;
	int r;

	/* a filter that is not OK would start a program */
	if (archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
	    archive_read_support_format_tar(a) != ARCHIVE_OK ||
	    archive_read_open_fd(a, from, READ_SIZE) != ARCHIVE_OK)
		return false;
	/* a warning tells of a name in no known encoding: names are bytes */
	while ((r = archive_read_next_header(a, &e)) == ARCHIVE_OK || r == ARCHIVE_WARN)
		if (!tell_member(to, a, e))
			return false;
	return r == ARCHIVE_EOF;
}

void bundle_unpack_tell(int from, int to)
{
	struct archive *a = archive_read_new();
	bool good = a && tell_members(a, from, to);
	char bytes[4096];

	archive_read_free(a);
	/* whoever writes must be able to end, and to say how it went */
	while (good && read(from, bytes, sizeof(bytes)) > 0)
		;
	(void)tell(to, good ? FRAME_END : FRAME_DAMAGED, false, 0, "", 0);
}

/* Two descriptors stay; the writing end of a pipe that we read must not be ours too. */
static void keep_two(int *from, int *to)
{
	int a = fcntl(*from, F_DUPFD, 10), b = fcntl(*to, F_DUPFD, 10);

	*from = dup2(a, 3);
	*to = dup2(b, 4);
	syscall(SYS_close_range, 5, ~0U, 0);
	if (*from != 3 || *to != 4)
		_exit(1);
}

static _Noreturn void child(int from, int to)
{
	struct sandbox box = { .parts = SANDBOX_ALL, .uid = geteuid(), .gid = getegid(),
			       .memory = CHILD_MEMORY };
	unsigned missing;

	keep_two(&from, &to);
	(void)sandbox_apply_self(&box, &missing, NULL);
	bundle_unpack_tell(from, to);
	_exit(0);
}

int bundle_unpacker_start(int fd, struct bundle_unpacker **ret, struct err *err)
{
	AUTO(bundle_unpacker) u = xcalloc(1, sizeof(*u));
	int ends[2];

	u->from = -1;
	u->pid = -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, RC_IO, "can't make a pipe");
	u->from = ends[0];
	(void)fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
	u->pid = fork();
	if (u->pid == 0)
		child(fd, ends[1]);
	close(ends[1]);
	if (u->pid < 0)
		return err_errno(err, RC_CHILD, "can't start a child");
	*ret = STEAL(u);
	return RC_OK;
}

void bundle_unpacker_free(struct bundle_unpacker *u)
{
	if (!u)
		return;
	auto_close_p(&u->from);
	if (u->pid > 0) {
		kill(u->pid, SIGKILL);
		while (waitpid(u->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(u);
}
