/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define READ_SIZE MIB(1)
/* A hole shorter than this, or than a 65536th of the file, is read like data: the map stays
   small. */
#define HOLE_LEAST KIB(64)

int bundle_read_all(int fd, char *p, size_t n, uint64_t off, struct err *err)
{
	while (n > 0) {
		ssize_t got = pread(fd, p, n, (off_t)off);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, RC_IO, "can't read a file of the package");
		if (got == 0)
			return err_set(err, RC_IO, "a file became shorter while it was read");
		p += got;
		off += (uint64_t)got;
		n -= (size_t)got;
	}
	return RC_OK;
}

/* The next stretch of data at or behind `from`, rounded to blocks. False: there is none. */
static bool next_extent(int fd, uint64_t from, uint64_t size, struct bundle_extent *ret)
{
	off_t data = lseek(fd, (off_t)from, SEEK_DATA), hole;
	uint64_t end = size;

	if (data < 0 && errno == ENXIO)
		return false;
	if (data < 0)	/* a filesystem that knows no holes */
		data = (off_t)from;
	hole = lseek(fd, data, SEEK_HOLE);
	if (hole > data && (uint64_t)hole < size)
		end = ((uint64_t)hole + BUNDLE_BLOCK - 1) / BUNDLE_BLOCK * BUNDLE_BLOCK;
	if ((uint64_t)data >= size)
		return false;
	ret->off = (uint64_t)data / BUNDLE_BLOCK * BUNDLE_BLOCK;
	ret->len = (end < size ? end : size) - ret->off;
	return true;
}

int bundle_extents(int fd, uint64_t size, struct bundle_extent **ret, size_t *ret_n,
		   struct err *err)
{
	uint64_t least = size >> 16 > HOLE_LEAST ? size >> 16 : HOLE_LEAST, at = 0;
	struct bundle_extent *v = NULL, e;
	size_t n = 0, cap = 0;

	if (size > INT64_MAX)
		return err_set(err, RC_TOOBIG, "a file is too large to pack");
	while (at < size && next_extent(fd, at, size, &e)) {
		at = e.off + e.len;
		if (n > 0 && e.off - (v[n - 1].off + v[n - 1].len) < least) {
			v[n - 1].len = at - v[n - 1].off;
			continue;
		}
		if (n == 0 && e.off < least) {
			e.len += e.off;
			e.off = 0;
		}
		GROW(v, n, cap);
		v[n++] = e;
	}
	*ret = v;
	*ret_n = n;
	return RC_OK;
}

bool bundle_is_zero(const char *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

void bundle_digest_blocks(struct sha256 *h, uint64_t off, const char *p, size_t len)
{
	while (len > 0) {
		size_t n = len < BUNDLE_BLOCK ? len : BUNDLE_BLOCK;
		uint8_t at[8];

		if (!bundle_is_zero(p, n)) {
			for (unsigned i = 0; i < sizeof(at); i++)
				at[i] = (uint8_t)(off >> 8 * i);
			sha256_add(h, at, sizeof(at));
			sha256_add(h, p, n);
		}
		p += n;
		off += n;
		len -= n;
	}
}

static int digest_extent(int fd, const struct bundle_extent *e, struct sha256 *h, char *bytes,
			 struct err *err)
{
	for (uint64_t done = 0; done < e->len;) {
		size_t n = e->len - done < READ_SIZE ? (size_t)(e->len - done) : READ_SIZE;
		int rc = bundle_read_all(fd, bytes, n, e->off + done, err);

		if (rc < 0)
			return rc;
		bundle_digest_blocks(h, e->off + done, bytes, n);
		done += n;
	}
	return RC_OK;
}

static int digest_data(int fd, uint64_t size, struct sha256 *h, char *bytes, struct err *err)
{
	AUTO_FREE struct bundle_extent *v = NULL;
	size_t n = 0;
	int rc = bundle_extents(fd, size, &v, &n, err);

	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = digest_extent(fd, &v[i], h, bytes, err);
	return rc;
}

static int digest_whole(int fd, uint64_t size, struct sha256 *h, char *bytes, struct err *err)
{
	for (uint64_t at = 0; at < size;) {
		size_t n = size - at < READ_SIZE ? (size_t)(size - at) : READ_SIZE;
		int rc = bundle_read_all(fd, bytes, n, at, err);

		if (rc < 0)
			return rc;
		sha256_add(h, bytes, n);
		at += n;
	}
	return RC_OK;
}

int bundle_digest(int fd, bool of_data, uint8_t ret[DIGEST_LEN], struct err *err)
{
	AUTO_FREE char *bytes = xmalloc(READ_SIZE);
	AUTO(sha256) h = sha256_new();
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return err_errno(err, RC_IO, "can't look at a file of the package");
	rc = (of_data ? digest_data : digest_whole)(fd, (uint64_t)st.st_size, h, bytes, err);
	if (rc == RC_OK)
		sha256_end(h, ret);
	return rc;
}
