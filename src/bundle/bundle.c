/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_internal.h"

#include <stdlib.h>

/* GNU's tar format takes names as bytes; pax would write them by the locale, and differ with it. */

struct bundle {
	char *root;
	int64_t mtime;
	const struct scrubbed **v;
	size_t n, cap;
};

struct bundle *bundle_new(const char *root, int64_t mtime)
{
	struct bundle *b = xcalloc(1, sizeof(*b));

	b->root = xstrdup(root);
	b->mtime = mtime;
	return b;
}

void bundle_free(struct bundle *b)
{
	if (!b)
		return;
	free(b->v);
	free(b->root);
	free(b);
}

void bundle_add(struct bundle *b, const struct scrubbed *s)
{
	GROW(b->v, b->n, b->cap);
	b->v[b->n++] = s;
}

static int by_name(const void *a, const void *b)
{
	const struct scrubbed *const *x = a, *const *y = b;

	return strcmp(scrubbed_name(*x), scrubbed_name(*y));
}

bool bundle_name_stays_inside(const char *name)
{
	const char *end;

	for (;; name = end + 1) {
		size_t len;

		end = strchrnul(name, '/');
		len = (size_t)(end - name);
		if (len == 0 || (len == 1 && name[0] == '.') ||
		    (len == 2 && !strncmp(name, "..", 2)))
			return false;
		if (*end == '\0')
			return true;
	}
}

static int check_names(const struct bundle *b, struct err *err)
{
	if (!bundle_name_stays_inside(b->root))
		return err_set(err, RC_REFUSED, "the package's folder needs a plain name");
	for (size_t i = 0; i < b->n; i++) {
		if (!bundle_name_stays_inside(scrubbed_name(b->v[i])))
			return err_set(err, RC_REFUSED, "a file's name leads out of the package");
		if (i > 0 && by_name(&b->v[i - 1], &b->v[i]) == 0)
			return err_set(err, RC_REFUSED, "two files of the package have one name");
	}
	return RC_OK;
}

la_ssize_t bundle_target_write(struct archive *a, void *ctx, const void *p, size_t len)
{
	struct bundle_target *t = ctx;

	(void)a;
	if (t->rc == RC_OK)
		t->rc = t->out->write(t->out, span_make(p, len), t->err);
	return (la_ssize_t)len;
}

int bundle_target_failed(const struct bundle_target *t, struct err *err)
{
	return t->rc < 0 ? t->rc : err_set(err, RC_IO, "the package can't be written");
}

int bundle_tar_init(struct bundle_tar *t, const char *root, int64_t mtime, struct sink *out,
		    const char *what, struct err *err)
{
	*t = (struct bundle_tar){
		.root = xstrdup(root), .mtime = mtime, .a = archive_write_new(),
		.target = { .out = out, .err = err }, .piece = xmalloc(BUNDLE_PIECE),
	};
	if (!t->a)
		return err_set(err, RC_NOMEM, "no memory to write the %s", what);
	return bundle_name_stays_inside(root) ? RC_OK :
		err_set(err, RC_REFUSED, "the %s's folder needs a plain name", what);
}

void bundle_tar_done(struct bundle_tar *t)
{
	if (t->target.rc == RC_OK)
		t->target.rc = RC_IO;	/* freeing it may write once more */
	if (t->a)
		archive_write_free(t->a);
	if (t->piece)
		secret_wipe(t->piece, BUNDLE_PIECE);
	free(t->piece);
	free(t->root);
}

int bundle_write_header(struct archive *a, const struct bundle_target *t, struct archive_entry *e,
			struct err *err)
{
	/* a warning says that a name was written as bytes: that is what we want */
	bool good = archive_write_header(a, e) >= ARCHIVE_WARN;

	archive_entry_free(e);
	return good && t->rc == RC_OK ? RC_OK : bundle_target_failed(t, err);
}

int bundle_write_data(struct archive *a, const struct bundle_target *t, const char *p, size_t len,
		      struct err *err)
{
	while (len > 0) {
		la_ssize_t n = archive_write_data(a, p, len);

		if (n <= 0 || t->rc < 0)
			return bundle_target_failed(t, err);
		p += n;
		len -= (size_t)n;
	}
	return RC_OK;
}

struct archive_entry *bundle_entry(struct archive *a, const char *root, const char *name, int type,
				   int64_t mtime)
{
	AUTO_FREE char *path = xasprintf("%s/%s", root, name);
	struct archive_entry *e = archive_entry_new2(a);

	archive_entry_copy_pathname(e, path);
	archive_entry_set_filetype(e, (unsigned)type);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_mtime(e, mtime, 0);
	archive_entry_set_uid(e, 0);
	archive_entry_set_gid(e, 0);
	archive_entry_set_uname(e, "root");
	archive_entry_set_gname(e, "root");
	return e;
}

static bool write_member(struct archive *a, const struct bundle *b, const struct scrubbed *s)
{
	struct archive_entry *e = bundle_entry(a, b->root, scrubbed_name(s), AE_IFREG, b->mtime);
	struct span text = scrubbed_text(s);
	bool good;

	archive_entry_set_size(e, (la_int64_t)text.len);
	good = archive_write_header(a, e) == ARCHIVE_OK;
	archive_entry_free(e);
	while (good && text.len > 0) {
		la_ssize_t n = archive_write_data(a, text.p, text.len);

		good = n > 0;
		text.p += n;
		text.len -= good ? (size_t)n : 0;
	}
	return good;
}

static bool open_archive(struct archive *a, struct bundle_target *t)
{
	return archive_write_set_format_gnutar(a) == ARCHIVE_OK &&
	       archive_write_add_filter_gzip(a) == ARCHIVE_OK &&
	       archive_write_set_filter_option(a, "gzip", "timestamp", NULL) == ARCHIVE_OK &&
	       archive_write_set_filter_option(a, "gzip", "compression-level", "6") == ARCHIVE_OK &&
	       archive_write_set_bytes_in_last_block(a, 1) == ARCHIVE_OK &&
	       archive_write_open(a, t, NULL, bundle_target_write, NULL) == ARCHIVE_OK;
}

int bundle_write(struct bundle *b, struct sink *out, struct err *err)
{
	struct bundle_target t = { .out = out, .err = err };
	struct archive *a;
	bool good;
	int rc;

	if (b->n > 1)
		qsort(b->v, b->n, sizeof(*b->v), by_name);
	rc = check_names(b, err);
	if (rc < 0)
		return rc;
	a = archive_write_new();
	if (!a)
		return err_set(err, RC_NOMEM, "no memory to write the package");
	good = open_archive(a, &t);
	for (size_t i = 0; good && t.rc == RC_OK && i < b->n; i++)
		good = write_member(a, b, b->v[i]);
	good = good && t.rc == RC_OK && archive_write_close(a) == ARCHIVE_OK;
	if (!good || t.rc < 0)
		rc = bundle_target_failed(&t, err);
	t.rc = t.rc < 0 ? t.rc : RC_IO; /* freeing it may write once more */
	archive_write_free(a);
	return rc;
}
