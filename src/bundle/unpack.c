/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* What a child may send at once; its names and data are shorter. */
#define FRAME_MOST KIB(64)

struct unpack {
	struct bundle_unpacker *child;
	bool (*stopped)(void);
	struct outtree *to;
	struct bundle_unpacked *u;
	int fd;				/* the file that data is for, or -1 */
	uint64_t size;			/* its */
	uint64_t written, may_write;	/* bytes that are no zeros */
	uint64_t seen;			/* zeros too, holes not */
	uint64_t logical;		/* of all files, with their holes */
	struct bundle_frame frame;	/* the last one, and what came with it: a NUL behind it */
	char bytes[FRAME_MOST + 1];
};

static int damaged(const char *what, struct err *err)
{
	return err_set(err, RC_FORMAT, "this is no sound package: %s", what);
}

static int write_at(struct unpack *p, int fd, const char *bytes, size_t n, uint64_t off,
		    struct err *err)
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
static int take_block(struct unpack *p, int fd, const char *bytes, size_t n, uint64_t off,
		      struct err *err)
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

static int read_all(struct unpack *p, void *to, size_t n, struct err *err)
{
	for (char *at = to; n > 0;) {
		ssize_t got = read(p->child->from, at, n);

		if (p->stopped && p->stopped())
			return err_set(err, RC_IO, "interrupted");
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return damaged("it can't be unpacked", err);	/* the child died of it */
		at += got;
		n -= (size_t)got;
	}
	return RC_OK;
}

static int next_frame(struct unpack *p, struct err *err)
{
	int rc = read_all(p, &p->frame, sizeof(p->frame), err);

	if (rc == RC_OK && p->frame.len > FRAME_MOST)
		return damaged("it can't be unpacked", err);
	if (rc == RC_OK)
		rc = read_all(p, p->bytes, p->frame.len, err);
	p->bytes[rc == RC_OK ? p->frame.len : 0] = '\0';
	return rc;
}

static int take_data(struct unpack *p, struct err *err)
{
	uint64_t off = p->frame.value, n = p->frame.len;

	if (p->fd < 0 || off > p->size || n > p->size - off)
		return damaged("bytes behind a file's end", err);
	p->seen += n;
	if (p->seen > LIMIT_ARCHIVE_BYTES)
		return err_set(err, RC_TOOBIG, "the package holds more than can be unpacked");
	return take_block(p, p->fd, p->bytes, n, off, err);
}

static struct bundle_member *add_member(struct bundle_unpacked *u, const char *path)
{
	GROW(u->v, u->n, u->cap);
	u->v[u->n] = (struct bundle_member){ .path = xstrdup(path) };
	return &u->v[u->n++];
}

static int take_file(struct unpack *p, const char *path, struct err *err)
{
	/* a script stays one: for its owner alone, like all else */
	mode_t mode = p->frame.executable ? 0700 : 0600;
	int rc;

	/* its holes too: what nobody could map is refused before it is made */
	p->size = p->frame.value;
	if (p->size > LIMIT_UNPACKED_CORE || p->logical > LIMIT_UNPACKED_CORE - p->size)
		return err_set(err, RC_TOOBIG, "the package holds more than can be unpacked");
	p->logical += p->size;
	rc = outtree_create(p->to, path, mode, &p->fd, err);
	if (rc == RC_EXISTS)
		return damaged("a name stands in it twice", err);
	if (rc < 0)
		return rc;
	add_member(p->u, path)->size = p->size;
	return ftruncate(p->fd, (off_t)p->size) == 0 ? RC_OK :
		err_errno(err, RC_IO, "can't write what is unpacked");
}

static int take_link(struct unpack *p, const char *path, struct err *err)
{
	AUTO_FREE char *name = xstrdup(path);
	struct bundle_member *m;
	int rc = next_frame(p, err);

	if (rc == RC_OK && (p->frame.type != FRAME_TARGET || strlen(p->bytes) != p->frame.len))
		return damaged("a link to nowhere", err);
	if (rc < 0)
		return rc;
	m = add_member(p->u, name);
	m->target = xstrdup(p->bytes);
	m->size = strlen(m->target);
	return RC_OK;
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

static int take_member(struct unpack *p, struct err *err)
{
	const char *path = strlen(p->bytes) == p->frame.len ? path_inside(p, p->bytes) : NULL;

	auto_close_p(&p->fd);
	p->fd = -1;
	if (!path)
		return damaged("a file's name leads out of it", err);
	if (p->u->n >= LIMIT_ARCHIVE_MEMBERS)
		return err_set(err, RC_TOOBIG, "the package has too many files");
	return p->frame.type == FRAME_FILE ? take_file(p, path, err) : take_link(p, path, err);
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

static int take_all(struct unpack *p, struct err *err)
{
	int rc;

	while ((rc = next_frame(p, err)) == RC_OK && p->frame.type != FRAME_END) {
		switch (p->frame.type) {
		case FRAME_FILE:
		case FRAME_LINK:
			rc = take_member(p, err);
			break;
		case FRAME_DATA:
			rc = take_data(p, err);
			break;
		default:
			rc = damaged("cut, no tar, or what no package holds: a device, a folder, a hard link",
				     err);
		}
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	if (p->u->n)
		qsort(p->u->v, p->u->n, sizeof(*p->u->v), by_path);
	return check_links(p->u, err);
}

int bundle_unpack(struct bundle_unpacker *child, uint64_t packed, bool (*stopped)(void),
		  struct outtree *to, struct bundle_unpacked *ret, struct err *err)
{
	AUTO_FREE struct unpack *p = xcalloc(1, sizeof(*p));
	struct bundle_unpacked u = { .root = NULL };
	int rc;

	p->child = child;
	p->stopped = stopped;
	p->to = to;
	p->u = &u;
	p->fd = -1;
	p->may_write = packed < LIMIT_ARCHIVE_BYTES / LIMIT_ARCHIVE_RATIO ? packed * LIMIT_ARCHIVE_RATIO :
									    LIMIT_ARCHIVE_BYTES;
	if (p->may_write < LIMIT_ARCHIVE_FREE)
		p->may_write = LIMIT_ARCHIVE_FREE;
	rc = take_all(p, err);
	auto_close_p(&p->fd);
	secret_wipe(p->bytes, sizeof(p->bytes));
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
