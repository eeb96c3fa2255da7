/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define READ_SIZE KIB(256)

struct unpack {
	int fd;
	bool (*stopped)(void);
	struct outtree *to;
	struct bundle_unpacked *u;
	struct archive *a;
	uint64_t written, may_write;	/* bytes that are no zeros */
	uint64_t seen;			/* zeros too, holes not */
	uint64_t logical;		/* of all files, with their holes */
	char buffer[READ_SIZE];
};

static la_ssize_t read_some(struct archive *a, void *ctx, const void **ret)
{
	struct unpack *p = ctx;
	ssize_t n;

	(void)a;
	do {
		if (p->stopped && p->stopped())
			return -1;
		n = read(p->fd, p->buffer, READ_SIZE);
	} while (n < 0 && errno == EINTR);
	*ret = p->buffer;
	return n;
}

static int damaged(const char *what, struct err *err)
{
	return err_set(err, RC_FORMAT, "this is no sound package: %s", what);
}

static int write_at(struct unpack *p, int fd, const char *bytes, size_t n, uint64_t off, struct err *err)
{
	p->written += n;
	if (p->written > p->may_write)
		return err_set(err, RC_TOOBIG, "the package unpacks to far more than its size");
	while (n > 0) {
		ssize_t done = pwrite(fd, bytes, n, (off_t)off);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_errno(err, RC_IO, "can't write what is unpacked");
		bytes += done;
		off += (uint64_t)done;
		n -= (size_t)done;
	}
	return RC_OK;
}

/* Bytes of a file at an offset: blocks of zeros stay holes. */
static int take_block(struct unpack *p, int fd, const char *bytes, size_t n, uint64_t off, struct err *err)
{
	size_t from = 0;

	for (size_t at = 0; at < n;) {
		size_t len = BUNDLE_BLOCK - (off + at) % BUNDLE_BLOCK;
		bool zero;

		len = len < n - at ? len : n - at;
		zero = bundle_is_zero(bytes + at, len);
		if (zero && at > from) {
			int rc = write_at(p, fd, bytes + from, at - from, off + from, err);

			if (rc < 0)
				return rc;
		}
		at += len;
		from = zero ? at : from;
	}
	return from < n ? write_at(p, fd, bytes + from, n - from, off + from, err) : RC_OK;
}

static int take_content(struct unpack *p, int fd, uint64_t size, struct err *err)
{
	const void *bytes;
	size_t n;
	la_int64_t off;
	int r, rc;

	/* its holes too: what nobody could map is refused before it is made */
	p->logical += size;
	if (p->logical > LIMIT_UNPACKED_CORE)
		return err_set(err, RC_TOOBIG, "the package holds more than can be unpacked");
	while ((r = archive_read_data_block(p->a, &bytes, &n, &off)) == ARCHIVE_OK) {
		if (off < 0 || (uint64_t)off > size || n > size - (uint64_t)off)
			return damaged("bytes behind a file's end", err);
		p->seen += n;
		if (p->seen > LIMIT_ARCHIVE_BYTES)
			return err_set(err, RC_TOOBIG, "the package holds more than can be unpacked");
		rc = take_block(p, fd, bytes, n, (uint64_t)off, err);
		if (rc < 0)
			return rc;
	}
	if (r != ARCHIVE_EOF)
		return damaged("a file is damaged or cut", err);
	return ftruncate(fd, (off_t)size) == 0 ? RC_OK :
						 err_errno(err, RC_IO, "can't write what is unpacked");
}

static struct bundle_member *add_member(struct bundle_unpacked *u, const char *path)
{
	GROW(u->v, u->n, u->cap);
	u->v[u->n] = (struct bundle_member){ .path = xstrdup(path) };
	return &u->v[u->n++];
}

static int take_file(struct unpack *p, struct archive_entry *e, const char *path, struct err *err)
{
	/* a script stays one: for its owner alone, like all else */
	mode_t mode = archive_entry_perm(e) & 0100 ? 0700 : 0600;
	la_int64_t size = archive_entry_size(e);
	AUTO_CLOSE int fd = -1;
	struct bundle_member *m;
	int rc;

	if (!archive_entry_size_is_set(e) || size < 0)
		return damaged("a file without a size", err);
	rc = outtree_create(p->to, path, mode, &fd, err);
	if (rc == RC_EXISTS)
		return damaged("a name stands in it twice", err);
	if (rc < 0)
		return rc;
	m = add_member(p->u, path);
	m->size = (uint64_t)size;
	return take_content(p, fd, m->size, err);
}

/* The member's path below the package's one folder, which the first one names. */
static const char *path_inside(struct unpack *p, const char *full)
{
	size_t n;

	if (!full || !bundle_name_stays_inside(full) || !strchr(full, '/'))
		return NULL;
	n = strcspn(full, "/");
	if (!p->u->root)
		p->u->root = xstrndup(full, n);
	return strlen(p->u->root) == n && strncmp(p->u->root, full, n) == 0 ? full + n + 1 : NULL;
}

static int take_member(struct unpack *p, struct archive_entry *e, struct err *err)
{
	const char *path = path_inside(p, archive_entry_pathname(e));
	const char *target;

	if (!path)
		return damaged("a file's name leads out of it", err);
	if (p->u->n >= LIMIT_ARCHIVE_MEMBERS)
		return err_set(err, RC_TOOBIG, "the package has too many files");
	if (archive_entry_hardlink(e))
		return damaged("a hard link", err);
	if (archive_entry_filetype(e) == AE_IFREG)
		return take_file(p, e, path, err);
	target = archive_entry_symlink(e);
	if (archive_entry_filetype(e) != AE_IFLNK || !target)
		return damaged("a device, a folder or the like", err);
	add_member(p->u, path)->target = xstrdup(target);
	p->u->v[p->u->n - 1].size = strlen(target);
	return RC_OK;
}

static int by_path(const void *a, const void *b)
{
	const struct bundle_member *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static const struct bundle_member *find(const struct bundle_unpacked *u, const char *path)
{
	struct bundle_member key = { .path = (char *)path };

	return bsearch(&key, u->v, u->n, sizeof(*u->v), by_path);
}

/* Where a link leads, by its text alone: no folder of the package is a link. NULL: out of it. */
static char *resolve(const char *path, const char *target)
{
	AUTO_BUF out = BUF_INIT;
	const char *slash = strrchr(path, '/');

	buf_add(&out, path, slash ? (size_t)(slash - path) : 0);
	buf_add_str(&out, "");
	for (const char *p = target; *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && strncmp(p, "..", 2) == 0) {
			char *up = out.len ? strrchr(out.p, '/') : NULL;

			if (!out.len)
				return NULL;
			out.len = up ? (size_t)(up - out.p) : 0;
			out.p[out.len] = '\0';
		} else if (n == 0 || (n == 1 && *p == '.')) {
			return NULL;
		} else {
			buf_add_str(&out, out.len ? "/" : "");
			buf_add(&out, p, n);
		}
		p += n + (p[n] == '/');
	}
	return buf_steal(&out);
}

static int check_links(const struct bundle_unpacked *u, struct err *err)
{
	for (size_t i = 0; i < u->n; i++) {
		const struct bundle_member *m = &u->v[i], *at;
		AUTO_FREE char *to = m->target ? resolve(m->path, m->target) : NULL;

		if (i > 0 && by_path(&u->v[i - 1], m) == 0)
			return damaged("a name stands in it twice", err);
		if (!m->target)
			continue;
		at = to ? find(u, to) : NULL;
		if (strncmp(m->path, "sysroot/", 8) != 0 || !at || at->target ||
		    strncmp(at->path, "sysroot/", 8) != 0)
			return damaged("a link that leads out of it", err);
	}
	return RC_OK;
}

static int open_archive(struct unpack *p, struct err *err)
{
	p->a = archive_read_new();
	if (!p->a)
		return err_set(err, RC_NOMEM, "no memory to unpack");
	if (archive_read_support_filter_gzip(p->a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(p->a) != ARCHIVE_OK ||
	    archive_read_support_format_tar(p->a) != ARCHIVE_OK ||
	    archive_read_open(p->a, p, NULL, read_some, NULL) != ARCHIVE_OK)
		return damaged("no tar, compressed by gzip or zstd", err);
	return RC_OK;
}

static int take_all(struct unpack *p, struct err *err)
{
	struct archive_entry *e;
	int r, rc = RC_OK;

	/* a warning tells of a name in no known encoding: names are bytes */
	while (rc == RC_OK && ((r = archive_read_next_header(p->a, &e)) == ARCHIVE_OK || r == ARCHIVE_WARN))
		rc = take_member(p, e, err);
	if (rc < 0)
		return rc;
	if (r != ARCHIVE_EOF)
		return damaged("the archive is damaged or cut", err);
	if (p->u->n)
		qsort(p->u->v, p->u->n, sizeof(*p->u->v), by_path);
	return check_links(p->u, err);
}

int bundle_unpack(int fd, uint64_t packed, bool (*stopped)(void), struct outtree *to,
		  struct bundle_unpacked *ret, struct err *err)
{
	AUTO_FREE struct unpack *p = xcalloc(1, sizeof(*p));
	struct bundle_unpacked u = { .root = NULL };
	int rc;

	p->fd = fd;
	p->stopped = stopped;
	p->to = to;
	p->u = &u;
	p->may_write = packed < LIMIT_ARCHIVE_BYTES / LIMIT_ARCHIVE_RATIO ? packed * LIMIT_ARCHIVE_RATIO :
									    LIMIT_ARCHIVE_BYTES;
	if (p->may_write < LIMIT_ARCHIVE_FREE)
		p->may_write = LIMIT_ARCHIVE_FREE;
	rc = open_archive(p, err);
	if (rc == RC_OK)
		rc = take_all(p, err);
	archive_read_free(p->a);
	if (rc < 0 && stopped && stopped())
		rc = err_set(err, RC_IO, "interrupted");
	if (rc < 0) {
		bundle_unpacked_done(&u);
		return rc;
	}
	*ret = u;
	return RC_OK;
}

int bundle_unpack_links(const struct bundle_unpacked *u, struct outtree *to, struct err *err)
{
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < u->n; i++)
		if (u->v[i].target)
			rc = outtree_link(to, u->v[i].path, u->v[i].target, err);
	return rc;
}

void bundle_unpacked_done(struct bundle_unpacked *u)
{
	for (size_t i = 0; i < u->n; i++) {
		free(u->v[i].path);
		free(u->v[i].target);
	}
	free(u->v);
	free(u->root);
	*u = (struct bundle_unpacked){ .root = NULL };
}
