/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact_internal.h"

#include <corescrub/tarball.h>
#include <stdlib.h>
#include <zlib.h>

#define BLOCK 512		/* of tar */
#define NAME_MAX_BYTES 4096	/* a long name's record */

/* POSIX ustar, with the magic of GNU's tar too. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
	char magic[8], uname[32], gname[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

struct walk {
	const struct tarball_visitor *v;
	struct span tar;
	size_t at;
	char name[NAME_MAX_BYTES];	/* the member's */
	bool long_name;			/* `name` came from a record before the header */
};

static void odd(const struct walk *w, const char *what)
{
	w->v->odd(w->v->ctx, w->at ? w->name : "", what);
}

static bool all_zero(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i])
			return false;
	return true;
}

/* Octal digits, spaces around and a NUL behind; or, with the top bit set, base 256. */
static bool read_number(const char *p, size_t len, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;

	if ((unsigned char)p[0] == 0x80) {
		for (i = 1; i < len; i++) {
			if (n >> 54)
				return false;
			n = n << 8 | (unsigned char)p[i];
		}
		*ret = n;
		return true;
	}
	while (i < len && p[i] == ' ')
		i++;
	for (; i < len && p[i] >= '0' && p[i] <= '7'; i++)
		n = n << 3 | (uint64_t)(p[i] - '0');
	for (; i < len; i++)
		if (p[i] != ' ' && p[i] != '\0')
			return false;
	*ret = n;
	return true;
}

/* The sum of all bytes, those of the sum itself taken as spaces. */
static bool sum_is_right(const struct header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	uint64_t sum = 0, wanted;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= offsetof(struct header, checksum) && i < offsetof(struct header, type) ?
			       ' ' : p[i];
	return read_number(h->checksum, sizeof(h->checksum), &wanted) && wanted == sum;
}

/* A field of text: nothing stands behind its NUL. */
static bool field_is(const char *p, size_t len, const char *text)
{
	size_t n = strlen(text);

	return n <= len && memcmp(p, text, n) == 0 && all_zero(span_make(p + n, len - n));
}
#define FIELD_IS(h, field, text) field_is((h)->field, sizeof((h)->field), text)

static void look_at_header(const struct walk *w, const struct header *h)
{
	uint64_t uid, gid;
	size_t used = strnlen(h->name, sizeof(h->name));

	if (!read_number(h->uid, sizeof(h->uid), &uid) || !read_number(h->gid, sizeof(h->gid), &gid) ||
	    uid || gid || !(FIELD_IS(h, uname, "root") || FIELD_IS(h, uname, "")) ||
	    !(FIELD_IS(h, gname, "root") || FIELD_IS(h, gname, "")))
		odd(w, "an owner");
	if (!all_zero(span_make(h->name + used, sizeof(h->name) - used)) ||
	    !all_zero(span_make(h->rest, sizeof(h->rest))) ||
	    (h->type != '2' && h->type != '1' && !FIELD_IS(h, link, "")))
		odd(w, "bytes in an unused part of a header");
}

/* The name out of the header, unless a record before it gave a longer one. */
static void take_name(struct walk *w, const struct header *h)
{
	size_t prefix = 0, len = strnlen(h->name, sizeof(h->name));

	if (w->long_name)
		return;
	if (memcmp(h->magic, "ustar\0", 6) == 0)
		prefix = strnlen(h->prefix, sizeof(h->prefix));
	memcpy(w->name, h->prefix, prefix);
	if (prefix)
		w->name[prefix++] = '/';
	memcpy(w->name + prefix, h->name, len);
	w->name[prefix + len] = '\0';
}

static int take_long_name(struct walk *w, struct span record, struct err *err)
{
	if (record.len < 2 || record.len > NAME_MAX_BYTES || record.p[record.len - 1] ||
	    memchr(record.p, '\0', record.len - 1))
		return err_set(err, RC_FORMAT, "a member's long name is damaged");
	memcpy(w->name, record.p, record.len);
	w->long_name = true;
	return RC_OK;
}

static int take_member(struct walk *w, const struct header *h, struct span bytes, struct err *err)
{
	struct tarball_member m = { .path = w->name, .type = h->type ? h->type : '0', .bytes = bytes };
	uint64_t mode, mtime;

	if (h->type == 'L')
		return take_long_name(w, bytes, err);
	take_name(w, h);
	look_at_header(w, h);
	w->long_name = false;
	if (!read_number(h->mode, sizeof(h->mode), &mode) ||
	    !read_number(h->mtime, sizeof(h->mtime), &mtime))
		return err_set(err, RC_FORMAT, "a member's header is damaged");
	if (strchr("xgKXNSV", m.type)) {
		odd(w, "an extended header");
		return RC_OK;
	}
	m.mode = mode & 07777;
	m.mtime = (int64_t)mtime;
	return w->v->member(w->v->ctx, &m, err);
}

/* One header, its bytes and their padding. *ret_end: the zero blocks were there. */
static int walk_one(struct walk *w, bool *ret_end, struct err *err)
{
	const struct header *h = (const void *)(w->tar.p + w->at);
	struct span rest = span_sub(w->tar, w->at, w->tar.len), bytes;
	uint64_t size, room;
	int rc;

	if (rest.len < 2 * BLOCK)
		return err_set(err, RC_FORMAT, "the archive is cut");
	if (all_zero(span_sub(rest, 0, BLOCK))) {
		if (!all_zero(rest))
			odd(w, "bytes behind the archive's end");
		*ret_end = true;
		return RC_OK;
	}
	if (memcmp(h->magic, "ustar", 5) != 0 || !sum_is_right(h) ||
	    !read_number(h->size, sizeof(h->size), &size))
		return err_set(err, RC_FORMAT, "a member's header is damaged");
	room = rest.len - BLOCK;
	if (size > room || (size + BLOCK - 1) / BLOCK * BLOCK > room)
		return err_set(err, RC_FORMAT, "the archive is cut");
	bytes = span_sub(rest, BLOCK, BLOCK + size);
	w->at += BLOCK;
	rc = take_member(w, h, bytes, err);
	if (rc < 0)
		return rc;
	rest = span_sub(w->tar, w->at + size, w->at + (size + BLOCK - 1) / BLOCK * BLOCK);
	if (!all_zero(rest))
		odd(w, "bytes behind a member's end");
	w->at += (size + BLOCK - 1) / BLOCK * BLOCK;
	return RC_OK;
}

static int walk_tar(struct span tar, const struct tarball_visitor *v, struct err *err)
{
	AUTO_FREE struct walk *w = xcalloc(1, sizeof(*w));
	uint64_t members = 0;
	bool end = false;
	int rc = RC_OK;

	w->v = v;
	w->tar = tar;
	while (rc == RC_OK && !end) {
		if (++members > LIMIT_ARCHIVE_MEMBERS)
			return err_set(err, RC_TOOBIG, "the archive has too many members");
		rc = walk_one(w, &end, err);
	}
	return rc;
}

/* All of the stream to spool. zlib tells to the byte where it ends. */
static int inflate_all(z_stream *z, struct artifact_budget *budget, struct artifact_spool *spool,
		       struct err *err)
{
	AUTO_FREE char *block = xmalloc(KIB(256));

	for (;;) {
		size_t n;
		int got, rc;

		z->next_out = (unsigned char *)block;
		z->avail_out = KIB(256);
		got = inflate(z, Z_NO_FLUSH);
		n = KIB(256) - z->avail_out;
		if (got != Z_OK && got != Z_STREAM_END)
			return err_set(err, RC_FORMAT, "the compressed stream is damaged or cut");
		if (!artifact_budget_take(budget, n))
			return err_set(err, RC_TOOBIG, "it unpacks to far more than its size");
		rc = spool->sink.write(&spool->sink, span_make(block, n), err);
		if (rc < 0 || got == Z_STREAM_END)
			return rc;
		if (n == 0 && z->avail_in == 0)
			return err_set(err, RC_FORMAT, "the compressed stream is cut");
	}
}

/* RFC 1952, 2.3.1: no flags, no time; then one member and nothing behind it. *ret_odd: what
   departs. */
static int unpack_gzip(struct span file, struct artifact_spool *spool, const char **ret_odd,
		       struct err *err)
{
	struct artifact_budget budget;
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)file.p };
	int rc;

	if (file.len > UINT32_MAX)
		return err_set(err, RC_TOOBIG, "the compressed stream is too large");
	z.avail_in = (unsigned)file.len;
	artifact_budget_init(&budget, file.len, NULL);
	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return err_set(err, RC_NOMEM, "no memory to unpack");
	rc = inflate_all(&z, &budget, spool, err);
	inflateEnd(&z);
	if (z.avail_in)
		*ret_odd = "bytes behind the compressed stream";
	else if (!all_zero(span_sub(file, 3, 8)))
		*ret_odd = "a gzip header with a name, comment or time";
	return rc;
}

static int unpack_zstd(struct span file, struct artifact_spool *spool, struct err *err)
{
	struct artifact_budget budget;
	const char *why;
	int rc;

	artifact_budget_init(&budget, file.len, NULL);
	rc = artifact_unpack_stream(file, STREAM_ZSTD, &budget, spool, &why, err);
	return rc == LEFT_OUT ? err_set(err, RC_FORMAT, "the compressed stream: %s", why) : rc;
}

bool tarball_probe(struct span file)
{
	enum artifact_stream stream = artifact_probe_stream(file);

	return stream == STREAM_GZIP || stream == STREAM_ZSTD ||
	       (file.len > BLOCK && memcmp(file.p + offsetof(struct header, magic), "ustar", 5) == 0);
}

int tarball_walk(struct span file, const struct tarball_visitor *v, struct err *err)
{
	AUTO_SPOOL spool;
	const char *odd_stream = NULL;
	struct span tar;
	int rc = RC_OK;

	artifact_spool_init(&spool);
	switch (artifact_probe_stream(file)) {
	case STREAM_GZIP:
		rc = unpack_gzip(file, &spool, &odd_stream, err);
		break;
	case STREAM_ZSTD:
		rc = unpack_zstd(file, &spool, err);
		break;
	case STREAM_NONE:
		return walk_tar(file, v, err);
	default:
		return err_set(err, RC_UNSUPPORTED, "a package is compressed by gzip or zstd");
	}
	if (rc == RC_OK)
		rc = artifact_spool_span(&spool, &tar, err);
	if (rc == RC_OK)
		rc = walk_tar(tar, v, err);
	/* of what is no tar nobody expects a form */
	if (rc == RC_OK && odd_stream)
		v->odd(v->ctx, "", odd_stream);
	return rc;
}
