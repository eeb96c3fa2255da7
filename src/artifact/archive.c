/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact_internal.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

/*
 * The recursion over streams, archives and their members. Each clean_… function returns RC_OK
 * (kept), LEFT_OUT (not, and named already), or a negative enum rc, which ends everything.
 */

struct job {
	const struct archive_visitor *v;
	bool writing; /* archive_rewrite; else archive_walk */
	unsigned members;
	struct artifact_budget budget;
};

/* One archive with members that is being read, and its new one. */
struct container {
	struct job *job;
	struct span bytes;
	const char *path;
	unsigned depth; /* archives around it, itself included */
	enum artifact_members kind;
	struct artifact_budget budget;
	struct archive *reader;
	struct artifact_repack writer;
	struct artifact_names *names;
};

/* A member while it is looked at. */
struct member {
	struct archive_entry *entry;
	const char *original;
	struct buf clean; /* its name */
	char *path;
};

static int clean_bytes(struct job *j, struct span bytes, const char *path, unsigned depth,
		       struct sink *out, struct err *err);

static int leave_out(const struct job *j, const char *path, const char *why)
{
	if (j->v->left_out)
		j->v->left_out(j->v->ctx, path, why);
	return LEFT_OUT;
}

static int clean_text(struct job *j, struct span text, const char *path, struct sink *out,
		      struct err *err)
{
	AUTO_BUF clean = BUF_INIT;
	int rc = j->v->text(j->v->ctx, path, text, j->writing ? &clean : NULL, err);

	if (rc < 0 || !j->writing || clean.len == 0)
		return rc < 0 ? rc : RC_OK;
	return out->write(out, buf_span(&clean), err);
}

static int write_entry(struct container *c, struct archive_entry *e, struct span content,
		       struct err *err)
{
	int rc = artifact_repack_entry(&c->writer, e, err);

	if (rc < 0 || content.len == 0)
		return rc;
	return c->writer.sink.write(&c->writer.sink, content, err);
}

/* A new entry that has nothing of the old one but its kind and permissions. */
static struct archive_entry *fresh_entry(const struct container *c, const struct member *m)
{
	struct archive_entry *e = archive_entry_new2(c->writer.a);
	const char *name = artifact_names_add(c->names, m->original, m->clean.p);
	unsigned type = archive_entry_filetype(m->entry);

	archive_entry_copy_pathname(e, name);
	archive_entry_set_filetype(e, type ? type : AE_IFREG);
	archive_entry_set_perm(e, archive_entry_perm(m->entry) & 0777);
	archive_entry_set_size(e, 0);
	return e;
}

static int clean_regular(struct container *c, struct member *m, struct err *err)
{
	AUTO_SPOOL in, out;
	struct archive_entry *e;
	struct span bytes;
	const char *why = NULL;
	int rc;

	artifact_spool_init(&in);
	artifact_spool_init(&out);
	rc = artifact_unpack_member(c->reader, m->entry, c->bytes, c->kind, &c->budget, &in, &bytes,
				    &why, err);
	if (rc == LEFT_OUT)
		return leave_out(c->job, m->path, why);
	if (rc == RC_OK)
		rc = clean_bytes(c->job, bytes, m->path, c->depth + 1, &out.sink, err);
	if (rc != RC_OK || !c->job->writing)
		return rc;
	rc = artifact_spool_span(&out, &bytes, err);
	if (rc < 0)
		return rc;
	e = fresh_entry(c, m);
	archive_entry_set_size(e, (la_int64_t)bytes.len);
	rc = write_entry(c, e, bytes, err);
	archive_entry_free(e);
	return rc;
}

static int clean_symlink(struct container *c, struct member *m, struct err *err)
{
	const struct archive_visitor *v = c->job->v;
	const char *target = archive_entry_symlink(m->entry);
	AUTO_BUF clean = BUF_INIT;
	struct archive_entry *e;
	int rc;

	if (!target)
		return leave_out(c->job, m->path, "unreadable link target");
	rc = v->name(v->ctx, c->path, span_str(target), &clean, err);
	if (rc < 0)
		return rc;
	e = fresh_entry(c, m);
	archive_entry_copy_symlink(e, clean.p ? clean.p : "");
	rc = write_entry(c, e, SPAN_LIT(""), err);
	archive_entry_free(e);
	return rc;
}

/* A hard link is a name for an earlier member: it follows that one, or goes with it. */
static int clean_hardlink(struct container *c, struct member *m, const char *target,
			  struct err *err)
{
	const char *given = artifact_names_find(c->names, target);
	struct archive_entry *e;
	int rc;

	if (!given)
		return leave_out(c->job, m->path, "link to a member that is not there");
	e = fresh_entry(c, m);
	archive_entry_copy_hardlink(e, given);
	rc = write_entry(c, e, SPAN_LIT(""), err);
	archive_entry_free(e);
	return rc;
}

static int clean_folder(struct container *c, struct member *m, struct err *err)
{
	struct archive_entry *e = fresh_entry(c, m);
	int rc = write_entry(c, e, SPAN_LIT(""), err);

	archive_entry_free(e);
	return rc;
}

/* Walking: a link's target is a name too. */
static int walk_link(struct container *c, struct member *m, struct err *err)
{
	const struct archive_visitor *v = c->job->v;
	const char *target = archive_entry_hardlink(m->entry);
	AUTO_BUF seen = BUF_INIT;

	if (!target)
		target = archive_entry_symlink(m->entry);
	return target && v->name ? v->name(v->ctx, m->path, span_str(target), &seen, err) : RC_OK;
}

static int clean_by_type(struct container *c, struct member *m, struct err *err)
{
	const char *link = archive_entry_hardlink(m->entry);
	unsigned type = archive_entry_filetype(m->entry);

	if (!link && (type == AE_IFREG || type == 0))
		return clean_regular(c, m, err);
	if (!c->job->writing)
		return walk_link(c, m, err);
	if (link)
		return clean_hardlink(c, m, link, err);
	if (type == AE_IFDIR)
		return clean_folder(c, m, err);
	if (type == AE_IFLNK)
		return clean_symlink(c, m, err);
	return leave_out(c->job, m->path, "special file");
}

static void strip_slashes(struct buf *b)
{
	while (b->len > 1 && b->p[b->len - 1] == '/')
		b->p[--b->len] = '\0';
}

/* The member's clean name; one that vanished, or holds a NUL, is replaced. */
static int member_name(struct container *c, struct member *m, struct err *err)
{
	const struct archive_visitor *v = c->job->v;
	int rc = RC_OK;

	if (v->name)
		rc = v->name(v->ctx, c->path, span_str(m->original), &m->clean, err);
	if (rc < 0)
		return rc;
	if (!c->job->writing) {
		buf_reset(&m->clean);
		buf_add_str(&m->clean, m->original);
	}
	strip_slashes(&m->clean);
	if (m->clean.len == 0 || strlen(m->clean.p) != m->clean.len) {
		buf_reset(&m->clean);
		buf_addf(&m->clean, "member-%u", c->job->members);
	}
	m->path = xasprintf("%s!/%s", c->path, m->clean.p);
	return RC_OK;
}

static int clean_member(struct container *c, struct archive_entry *entry, struct err *err)
{
	const char *name = archive_entry_pathname(entry);
	AUTO_BUF original = BUF_INIT;
	struct member m = { .entry = entry, .clean = BUF_INIT };
	int rc;

	buf_add_str(&original, name ? name : "");
	strip_slashes(&original);
	m.original = original.p;
	rc = member_name(c, &m, err);
	if (rc == RC_OK)
		rc = clean_by_type(c, &m, err);
	auto_free_p(&m.path);
	buf_done(&m.clean);
	return rc < 0 ? rc : RC_OK;
}

/* The writer's format is known when the first header was read. */
static int open_writer(struct container *c, enum artifact_stream stream, struct sink *out,
		       struct err *err)
{
	int format = c->kind == MEMBERS_ZIP ? ARCHIVE_FORMAT_ZIP : archive_format(c->reader);

	if (!c->job->writing)
		return RC_OK;
	return artifact_repack_open(&c->writer, format, stream, out, err);
}

static int clean_each(struct container *c, enum artifact_stream stream, struct sink *out,
		      struct err *err)
{
	struct archive_entry *entry;
	int r = archive_read_next_header(c->reader, &entry);
	int rc = open_writer(c, stream, out, err);

	if (rc < 0)
		return rc;
	if (c->kind == MEMBERS_ZIP && artifact_probe_empty_zip(c->bytes))
		r = ARCHIVE_EOF;
	for (; r != ARCHIVE_EOF; r = archive_read_next_header(c->reader, &entry)) {
		/* a warning is about a name's bytes */
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return leave_out(c->job, c->path, "damaged");
		if (++c->job->members > LIMIT_ARCHIVE_MEMBERS)
			return leave_out(c->job, c->path, "too many members");
		rc = clean_member(c, entry, err);
		if (rc < 0)
			return rc;
	}
	return c->job->writing ? artifact_repack_close(&c->writer, err) : RC_OK;
}

/* `bytes` is the bare archive; it is compressed again as `stream`. */
static int clean_members(struct job *j, struct span bytes, const char *path, unsigned depth,
			 enum artifact_stream stream, struct sink *out, struct err *err)
{
	struct container c = { .job = j, .bytes = bytes, .path = path, .depth = depth };
	int rc;

	if (depth > LIMIT_ARCHIVE_DEPTH)
		return leave_out(j, path, "nested too deeply");
	c.kind = artifact_probe_members(bytes);
	artifact_budget_init(&c.budget, bytes.len, &j->budget);
	rc = artifact_unpack_open(bytes, c.kind, &c.reader, err);
	if (rc < 0)
		return rc;
	c.names = artifact_names_new();
	rc = clean_each(&c, stream, out, err);
	artifact_names_free(c.names);
	artifact_repack_done(&c.writer);
	artifact_unpack_close(&c.reader);
	return rc;
}

/* The content of a stream that is not an archive, compressed again. */
static int clean_content(struct job *j, struct span content, const char *path, unsigned depth,
			 enum artifact_stream stream, struct sink *out, struct err *err)
{
	AUTO_REPACK w = { .a = NULL };
	struct archive_entry *e;
	int rc;

	if (!j->writing)
		return clean_bytes(j, content, path, depth + 1, NULL, err);
	rc = artifact_repack_open(&w, ARCHIVE_FORMAT_RAW, stream, out, err);
	if (rc < 0)
		return rc;
	e = archive_entry_new2(w.a);
	archive_entry_set_filetype(e, AE_IFREG);
	rc = artifact_repack_entry(&w, e, err);
	archive_entry_free(e);
	if (rc == RC_OK)
		rc = clean_bytes(j, content, path, depth + 1, &w.sink, err);
	return rc == RC_OK ? artifact_repack_close(&w, err) : rc;
}

static int clean_stream(struct job *j, struct span bytes, const char *path, unsigned depth,
			struct sink *out, struct err *err)
{
	enum artifact_stream stream = artifact_probe_stream(bytes);
	struct artifact_budget budget;
	AUTO_SPOOL inner;
	struct span content;
	const char *why = NULL;
	int rc;

	artifact_spool_init(&inner);
	if (depth > LIMIT_ARCHIVE_DEPTH)
		return leave_out(j, path, "nested too deeply");
	artifact_budget_init(&budget, bytes.len, &j->budget);
	rc = artifact_unpack_stream(bytes, stream, &budget, &inner, &why, err);
	if (rc == LEFT_OUT)
		return leave_out(j, path, why);
	if (rc == RC_OK)
		rc = artifact_spool_span(&inner, &content, err);
	if (rc < 0)
		return rc;
	/* a compressed tar is one archive, not two */
	if (archive_probe_bytes(content) == ARCHIVE_MEMBERS)
		return clean_members(j, content, path, depth, stream, out, err);
	return clean_content(j, content, path, depth, stream, out, err);
}

static int clean_bytes(struct job *j, struct span bytes, const char *path, unsigned depth,
		       struct sink *out, struct err *err)
{
	switch (archive_probe_bytes(bytes)) {
	case ARCHIVE_PLAIN:
		return clean_text(j, bytes, path, out, err);
	case ARCHIVE_COMPRESSED:
		return clean_stream(j, bytes, path, depth, out, err);
	case ARCHIVE_MEMBERS:
		return clean_members(j, bytes, path, depth, STREAM_NONE, out, err);
	case ARCHIVE_BINARY:
		break;
	}
	/* a key that can't go out can be learned from */
	if (!j->writing && artifact_probe_der(bytes))
		return clean_text(j, bytes, path, NULL, err);
	if (j->writing && j->v->pass_binary)
		return out->write(out, bytes, err);
	return leave_out(j, path, archive_probe_binary(bytes));
}

/* Names in pax headers and zips are UTF-8, and libarchive converts them by the thread's locale; the
   caller's own is put back. */
static int run_job(struct job *j, struct span bytes, const char *name, struct sink *out,
		   struct err *err)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
	int rc;

	artifact_budget_init(&j->budget, bytes.len, NULL);
	rc = clean_bytes(j, bytes, name, 1, out, err);
	if (utf8) {
		uselocale(before);
		freelocale(utf8);
	}
	return rc;
}

int archive_rewrite(struct span bytes, const char *name, const struct archive_visitor *v,
		    struct sink *out, struct err *err)
{
	struct job j = { .v = v, .writing = true };
	int rc = run_job(&j, bytes, name, out, err);

	if (rc == LEFT_OUT)
		return err_set(err, RC_UNSUPPORTED, "nothing in it can be scrubbed");
	return rc;
}

int archive_walk(struct span bytes, const char *name, const struct archive_visitor *v,
		 struct err *err)
{
	struct job j = { .v = v };
	int rc = run_job(&j, bytes, name, NULL, err);

	return rc < 0 ? rc : RC_OK;
}
