/* SPDX-License-Identifier: Apache-2.0 */
#include "approval.h"
#include "run_internal.h"

#include <corescrub/age.h>
#include <corescrub/bundle.h>
#include <corescrub/gdb.h>
#include <corescrub/report.h>
#include <corescrub/run_open.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDENTITY_MAX	MIB(1)
#define MANIFEST_MAX	MIB(64)
#define TEXT_MAX	MIB(256)
#define SIGNATURE_MAX	KIB(64)
#define SIGNATURE_NAMESPACE "corescrub"

struct opening {
	const struct run_open_job *job;
	struct run_open_result *result;
	int fd;				/* the package */
	struct stat st;
	struct outtree *tree;
	struct bundle_unpacked members;
	struct report_file *files;	/* of the manifest */
	size_t n_files;
};

static int open_package(struct opening *o, struct err *err)
{
	o->fd = open(o->job->package, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (o->fd < 0)
		return err_errno(err, RC_NOTFOUND, "can't open %s", o->job->package);
	if (fstat(o->fd, &o->st) < 0)
		return err_errno(err, RC_IO, "%s", o->job->package);
	if (!S_ISREG(o->st.st_mode))
		return err_set(err, RC_FORMAT, "%s is no regular file", o->job->package);
	return RC_OK;
}

/* PACKAGE.sig says who sent it, if the list knows the key. */
static int check_sender(struct opening *o, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s.sig", o->job->package);
	AUTO_CLOSE int allowed = -1;
	AUTO_BUF sig = BUF_INIT;
	int rc;

	if (!o->job->allowed_signers)
		return RC_OK;
	rc = approval_allowed(o->job->allowed_signers, &allowed, err);
	if (rc < 0 || access(path, F_OK) < 0)
		return rc;
	rc = file_read(path, SIGNATURE_MAX, &sig, err);
	if (rc == RC_OK)
		rc = approval_verify(SIGNATURE_NAMESPACE, o->fd, buf_span(&sig), allowed,
				     &o->result->signer, err);
	if (rc == RC_OK && !o->result->signer)
		rc = err_set(err, RC_REFUSED, "%s is no listed signer's, or not of this package", path);
	if (rc == RC_OK && lseek(o->fd, 0, SEEK_SET) < 0)
		rc = err_errno(err, RC_IO, "%s", o->job->package);
	return rc;
}

/* What was verified must be what was read: the file is ours to open, not to keep. */
static int check_unchanged(const struct opening *o, struct err *err)
{
	struct stat now;

	if (fstat(o->fd, &now) == 0 && now.st_size == o->st.st_size &&
	    now.st_mtim.tv_sec == o->st.st_mtim.tv_sec && now.st_mtim.tv_nsec == o->st.st_mtim.tv_nsec)
		return RC_OK;
	return err_set(err, RC_IO, "%s changed while it was read", o->job->package);
}

/* Decryption runs beside unpacking, a pipe between them. */
struct pump {
	struct opening *o;
	struct age_identities *ids;
	int to;
	int rc;
	struct err err;
};

static void *pump(void *arg)
{
	struct pump *p = arg;
	struct sink_fd out;

	sink_fd_init(&out, p->to, "the unpacker");
	p->rc = age_decrypt(p->o->fd, p->o->job->package, p->ids, &out.sink, &p->err);
	if (p->rc == RC_OK)
		p->rc = sink_fd_flush(&out, &p->err);
	buf_done(&out.pending);
	close(p->to);
	return NULL;
}

static int read_identities(const struct opening *o, struct age_identities *ids, struct err *err)
{
	const struct run_open_job *job = o->job;

	for (const char *const *path = job->identities; path && *path; path++) {
		AUTO_BUF text = BUF_INIT;
		int rc = file_read(*path, IDENTITY_MAX, &text, err);

		if (rc == RC_OK)
			rc = age_identities_read(ids, buf_span(&text), *path, err);
		if (rc < 0)
			return rc;
	}
	if (job->ask)
		age_identities_ask(ids, job->ask, job->ask_ctx);
	return RC_OK;
}

static int unpack_encrypted(struct opening *o, struct err *err)
{
	AUTO(age_identities) ids = age_identities_new();
	AUTO(bundle_unpacker) child = NULL;
	struct pump p = { .o = o, .ids = ids };
	struct err why = ERR_INIT;
	pthread_t thread;
	int ends[2];
	int rc = read_identities(o, ids, err);

	if (rc < 0)
		return rc;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, RC_IO, "can't make a pipe");
	p.to = ends[1];
	rc = bundle_unpacker_start(ends[0], &child, err);
	close(ends[0]);
	if (rc == RC_OK && pthread_create(&thread, NULL, pump, &p) != 0)
		rc = err_set(err, RC_NOMEM, "can't start a thread");
	if (rc < 0) {
		close(ends[1]);
		return rc;
	}
	rc = bundle_unpack(child, (uint64_t)o->st.st_size, o->job->stopped, o->tree, &o->members, &why);
	bundle_unpacker_free(STEAL(child));	/* with it the pipe's other end */
	pthread_join(thread, NULL);
	/* what was wrong with the stream comes before what was wrong with its content; but a closed
	   pipe is only our own haste */
	if (p.rc < 0 && (rc == RC_OK || p.rc != RC_IO)) {
		why = p.err;
		rc = p.rc;
	}
	if (rc < 0 && err)
		*err = why;
	if (rc == RC_NOTFOUND && !(o->job->identities && *o->job->identities))
		err_hint(err, "-i IDENTITY names the key it is for");
	return rc;
}

static int unpack(struct opening *o, struct err *err)
{
	AUTO(bundle_unpacker) child = NULL;
	uint8_t magic[4] = { 0 };
	bool clear;
	int rc;

	if (pread(o->fd, magic, sizeof(magic), 0) < 0)
		return err_errno(err, RC_IO, "%s", o->job->package);
	/* RFC 1952; RFC 8878 */
	clear = memcmp(magic, "\x1f\x8b", 2) == 0 || memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0;
	if (!clear)
		return unpack_encrypted(o, err);
	rc = bundle_unpacker_start(o->fd, &child, err);
	return rc < 0 ? rc : bundle_unpack(child, (uint64_t)o->st.st_size, o->job->stopped, o->tree,
					   &o->members, err);
}

static int mismatch(struct err *err, const char *what)
{
	return err_set(err, RC_FORMAT, "the package is not what its manifest says: %s", what);
}

static int check_file(struct opening *o, const struct bundle_member *m, const struct report_file *f,
		      struct err *err)
{
	AUTO_CLOSE int fd = -1;
	uint8_t digest[DIGEST_LEN];
	int rc;

	if (m->size != f->size)
		return mismatch(err, "a file of another size");
	if (m->target) {
		digest_sha256(span_str(m->target), digest);
	} else {
		rc = outtree_reopen(o->tree, m->path, &fd, err);
		if (rc == RC_OK)
			rc = bundle_digest(fd, f->of_data, digest, err);
		if (rc < 0)
			return rc;
	}
	return memcmp(digest, f->sha256, DIGEST_LEN) == 0 ? RC_OK : mismatch(err, "a file was changed");
}

static const struct report_file *listed(const struct opening *o, const char *path)
{
	AUTO_BUF spelled = BUF_INIT;
	size_t lo = 0, hi = o->n_files;

	report_manifest_path(path, &spelled);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(o->files[mid].path, spelled.p);

		if (order == 0)
			return &o->files[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static int read_member(struct opening *o, const char *path, size_t max, struct buf *ret,
		       struct err *err)
{
	AUTO_CLOSE int fd = -1;
	char self[40];
	int rc = outtree_reopen(o->tree, path, &fd, err);

	if (rc < 0)
		return rc;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return file_read(self, max, ret, err);
}

/* Every file is listed, every listed file is there, and each has its digest. */
static int check_manifest(struct opening *o, struct err *err)
{
	const struct bundle_unpacked *u = &o->members;
	AUTO_BUF text = BUF_INIT;
	size_t seen = 0;
	bool there = false;
	int rc = RC_OK;

	for (size_t i = 0; i < u->n; i++)
		there |= strcmp(u->v[i].path, "manifest.json") == 0 && !u->v[i].target;
	if (!there)
		return err_set(err, RC_FORMAT, "the package has no manifest");
	rc = read_member(o, "manifest.json", MANIFEST_MAX, &text, err);
	if (rc == RC_OK)
		rc = report_manifest_files(buf_span(&text), &o->files, &o->n_files, err);
	for (size_t i = 0; rc == RC_OK && i < u->n; i++) {
		const struct report_file *f = listed(o, u->v[i].path);

		if (strcmp(u->v[i].path, "manifest.json") == 0 && !f)
			continue;
		if (!f)
			return mismatch(err, "a file it does not list");
		rc = check_file(o, &u->v[i], f, err);
		seen++;
	}
	if (rc == RC_OK && seen != o->n_files)
		return mismatch(err, "a file is missing");
	return rc;
}

static bool has_kind(const struct opening *o, const char *path, const char *kind)
{
	const struct report_file *f = listed(o, path);

	return f && strcmp(f->kind, kind) == 0;
}

/* The manifest was checked, but who made it is not known: its paths are used below the folder
   alone. */
static int run_gdb(struct opening *o, const char *folder, struct err *err)
{
	struct strings libraries = { 0 };
	struct gdb_view view = {
		.folder = folder, .libraries = &libraries, .gdb = o->job->gdb, .args = o->job->gdb_args,
		.confined = !o->job->unconfined, .stopped = o->job->stopped,
	};
	int rc, status = 0;

	for (size_t i = 0; i < o->members.n; i++) {
		const char *path = o->members.v[i].path;
		AUTO_FREE char *last = libraries.n ? xstrdup(libraries.v[libraries.n - 1]) : NULL;
		AUTO_FREE char *dir = strrchr(path, '/') ?
			xstrndup(path, (size_t)(strrchr(path, '/') - path)) : xstrdup("");

		if (strncmp(path, "sysroot/", 8) != 0 || o->members.v[i].target)
			continue;
		view.has_sysroot = true;
		if (!view.exe && has_kind(o, path, "program"))
			view.exe = path;
		/* one gdb can't be given is found by the name it was loaded by, or not at all */
		if (has_kind(o, path, "library") && !strpbrk(dir, ":\n") && !(last && !strcmp(last, dir)))
			strings_add(&libraries, STEAL(dir));
	}
	rc = gdb_view(&view, &status, err);
	strings_done(&libraries);
	o->result->has_core = true;
	o->result->gdb_failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	return rc;
}

/* In the order in which a person reads them. */
static int collect_texts(struct opening *o, struct err *err)
{
	static const char *const kinds[] = { "info", "thread1", "locks", "brief", "full" };
	int rc = RC_OK;

	for (size_t k = 0; rc == RC_OK && k < ARRAY_SIZE(kinds); k++)
		for (size_t i = 0; rc == RC_OK && i < o->members.n; i++) {
			AUTO_BUF text = BUF_INIT;

			if (!has_kind(o, o->members.v[i].path, kinds[k]) || o->members.v[i].target)
				continue;
			rc = read_member(o, o->members.v[i].path, TEXT_MAX, &text, err);
			buf_add_span(&o->result->texts, buf_span(&text));
		}
	return rc;
}

static char *place_of(const struct run_open_job *job)
{
	const char *dir = secure_getenv("TMPDIR");
	uint8_t bytes[8];
	char hex[17];

	if (job->out_dir)
		return xstrdup(job->out_dir);
	digest_random(bytes, sizeof(bytes));
	digest_hex(bytes, sizeof(bytes), hex);
	return xasprintf("%s/corescrub-open-%s", dir && *dir ? dir : "/var/tmp", hex);
}

static int check_and_show(struct opening *o, struct err *err)
{
	AUTO_FREE char *folder = NULL;
	bool core = false;
	int rc = check_manifest(o, err);

	if (rc == RC_OK)
		rc = bundle_unpack_links(&o->members, o->tree, err);
	for (size_t i = 0; i < o->members.n; i++)
		core |= strcmp(o->members.v[i].path, "core") == 0 && !o->members.v[i].target;
	if (rc == RC_OK && !core)
		rc = collect_texts(o, err);
	if (rc == RC_OK && o->job->out_dir)
		rc = outtree_commit(o->tree, err);
	if (rc == RC_OK && !o->result->signer && o->job->listener.warn)
		o->job->listener.warn(o->job->listener.ctx,
				      "the sender is unknown: no listed signature speaks for this package");
	folder = outtree_path(o->tree);
	return rc == RC_OK && core ? run_gdb(o, folder, err) : rc;
}

static int open_all(struct opening *o, struct err *err)
{
	AUTO_FREE char *place = place_of(o->job);
	int rc = run_check_place(place, err);

	if (rc == RC_OK)
		rc = open_package(o, err);
	if (rc == RC_OK)
		rc = check_sender(o, err);
	if (rc == RC_OK)
		rc = outtree_open(place, &o->tree, err);
	if (rc == RC_OK)
		rc = unpack(o, err);
	if (rc == RC_OK)
		rc = check_unchanged(o, err);
	return rc == RC_OK ? check_and_show(o, err) : rc;
}

int run_open(const struct run_open_job *job, struct run_open_result *ret, struct err *err)
{
	struct opening o = { .job = job, .result = ret, .fd = -1 };
	int rc;

	*ret = (struct run_open_result){ .signer = NULL };
	rc = open_all(&o, err);
	report_files_free(o.files, o.n_files);
	bundle_unpacked_done(&o.members);
	outtree_free(o.tree);
	auto_close_p(&o.fd);
	if (rc < 0)
		run_open_result_done(ret);
	return rc;
}

void run_open_result_done(struct run_open_result *r)
{
	buf_done(&r->texts);
	free(r->signer);
	r->signer = NULL;
}
