/* SPDX-License-Identifier: Apache-2.0 */
#include "core_internal.h"
#include "handoff_internal.h"

#include <stdlib.h>
#include <unistd.h>

/* What the hand-offs of a run share: another key, and whom they are for. */
struct handoff {
	const struct run_report_job *job;
	struct engine engine;		/* a copy of the run's, with a redactor of its own */
	struct redactor *redactor;
	struct strings recipients;	/* fingerprints */
	struct attachments attached;
};

static const char *const core_modes[] = { "none", "raw", "scrubbed", "stacks" };

bool handoff_is_wanted(const struct run_report_job *job)
{
	return job->with_core != RUN_CORE_NONE || job->with_binaries || job->with_config;
}

int run_check_place(const char *out_dir, struct err *err)
{
	AUTO_FREE char *parent = out_dir ? xstrdup(out_dir) : xstrdup(".");
	size_t n = strlen(parent);
	struct stat st;
	char *slash;

	while (n > 1 && parent[n - 1] == '/')
		parent[--n] = '\0';
	slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = '\0';
	if (stat(out_dir && slash ? parent : ".", &st) < 0)
		return RC_OK;	/* its being absent is told where it is opened */
	if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))
		return err_set(err, RC_REFUSED, "others can write to the folder of the output");
	return RC_OK;
}

int handoff_check(const struct run_report_job *job, struct err *err)
{
	AUTO_BUF nothing = BUF_INIT;
	AUTO(sealed) probe = NULL;
	int rc;

	if (!handoff_is_wanted(job))
		return RC_OK;
	/* the type says no by itself; asked now, not after hours of gdb */
	rc = sealed_from_buf(job->recipients, "core", &nothing, false, &probe, err);
	if (rc == RC_OK && job->with_config && *job->with_config && access(job->with_config, R_OK) < 0)
		rc = err_errno(err, RC_NOTFOUND, "can't read the configuration %s", job->with_config);
	return rc == RC_OK ? run_check_place(job->out_dir, err) : rc;
}

struct handoff_core {
	struct core_options options;
	struct core_job *work;
};

int handoff_learn(struct crash *c, struct engine *e, struct err *err)
{
	const struct run_report_job *job = c->job;
	struct handoff_core *s;
	int rc;

	if (job->with_core != RUN_CORE_SCRUBBED && job->with_core != RUN_CORE_STACKS)
		return RC_OK;
	c->scrub = s = xcalloc(1, sizeof(*s));
	s->options = (struct core_options){
		.stacks = job->with_core == RUN_CORE_STACKS, .exe = job->exe, .sysroot = job->sysroot,
		.uid = c->uid, .gid = c->gid, .jobs = job->jobs, .timeout_s = job->timeout_s,
		.no_sandbox = job->no_sandbox, .listener = &job->listener,
	};
	rc = core_job_new(e, c->core, &s->options, &s->work, err);
	return rc < 0 ? rc : core_job_learn(s->work, err);
}

void handoff_core_free(struct handoff_core *s)
{
	if (!s)
		return;
	core_job_free(s->work);
	free(s);
}

int handoff_new(const struct run_report_job *job, struct engine *e, struct handoff **ret,
		struct err *err)
{
	struct redact_options options = { .case_name = e->case_name, .purpose = "handoff",
					  .keep_map = !job->common.no_map };
	AUTO(handoff) h = xcalloc(1, sizeof(*h));
	AUTO(secret) key = NULL;
	int rc = job->common.key_file ? redact_key_read(job->common.key_file, &key, err) : RC_OK;

	options.key = key;
	if (rc == RC_OK)
		rc = redactor_new(&options, &h->redactor, err);
	if (rc < 0)
		return rc;
	h->job = job;
	h->engine = *e;
	h->engine.redactor = h->redactor;
	for (size_t i = 0; i < age_recipients_count(job->recipients); i++)
		strings_add(&h->recipients, age_recipients_fingerprint(job->recipients, i));
	*ret = STEAL(h);
	return RC_OK;
}

void handoff_free(struct handoff *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->attached.n; i++)
		scrubbed_free(h->attached.v[i]);
	free(h->attached.v);
	strings_done(&h->recipients);
	redactor_free(h->redactor);
	free(h);
}

const struct strings *handoff_recipients(const struct handoff *h)
{
	return &h->recipients;
}

int handoff_map_write(const struct handoff *h, struct err *err)
{
	return run_map_write(&h->engine, h->redactor, NULL, err);
}

/* All of this was told when the public report was made. */
static void left_out_again(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static int told_already(void *ctx, const char *name, const struct check_item *item)
{
	(void)ctx;
	(void)name;
	(void)item;
	return 0;
}

int handoff_attach(struct handoff *h, const char *name, const struct artifact *a, struct err *err)
{
	struct engine_rewrite rewrite = { .engine = &h->engine, .left_out = left_out_again };
	struct scrubbed *clean = NULL;
	struct sink_buf out;
	AUTO_BUF clean_name = BUF_INIT;
	int rc;

	buf_add_str(&clean_name, "attachments/");
	sink_buf_init(&out);
	rc = engine_clean_name(&h->engine, span_str(name), &clean_name, err);
	for (size_t i = 0; rc == RC_OK && i < h->attached.n; i++)
		if (strcmp(scrubbed_name(h->attached.v[i]), clean_name.p) == 0)
			buf_addf(&clean_name, ".%zu", h->attached.n + 1);
	if (rc == RC_OK)
		rc = engine_clean_file(&rewrite, a, &out.sink, err);
	if (rc == RC_OK)
		rc = engine_seal_own(&h->engine, clean_name.p, &out.buf, told_already, NULL, &clean,
				     err);
	buf_done(&out.buf);
	if (rc < 0 || rc == ENGINE_LEFT_OUT)
		return rc < 0 ? rc : RC_OK;
	GROW(h->attached.v, h->attached.n, h->attached.cap);
	h->attached.v[h->attached.n++] = clean;
	return RC_OK;
}

/* One core's package on its way. */
struct packing {
	struct handoff *h;
	struct crash *crash;
	struct handoff_list list;
	struct scrubbed *clean[TEXT_COUNT];
	struct report_account account;
	struct report_file *files;
	size_t n_files;
	int core_fd;			/* what is packed as the core: the crash's own, or `own_fd` */
	int own_fd;			/* a scrubbed one, unnamed; or -1 */
};

static void packing_done(struct packing *p)
{
	for (size_t i = 0; i < TEXT_COUNT; i++)
		scrubbed_free(p->clean[i]);
	handoff_list_done(&p->list);
	free(p->files);
	auto_close_p(&p->own_fd);
}

static int clean_texts(struct packing *p, struct err *err)
{
	struct crash *c = p->crash;
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < TEXT_COUNT; i++)
		rc = engine_clean_sealed(&p->h->engine, c->texts[i], c->names[i], NULL, &p->clean[i], err);
	for (size_t i = 0; rc == RC_OK && i < TEXT_COUNT; i++)
		handoff_list_add(&p->list, xstrdup(c->names[i]), crash_text_names[i],
				 FROM_SCRUBBED)->clean = p->clean[i];
	for (size_t i = 0; rc == RC_OK && i < p->h->attached.n; i++)
		handoff_list_add(&p->list, xstrdup(scrubbed_name(p->h->attached.v[i])), "attachment",
				 FROM_SCRUBBED)->clean = p->h->attached.v[i];
	return rc;
}

struct config_ctx {
	struct handoff_list *list;
	const char *root;		/* the folder's last name */
};

static int add_config(void *ctx, const char *path, const char *relative, struct err *err)
{
	struct config_ctx *c = ctx;
	AUTO_BUF spelled = BUF_INIT;
	struct handoff_member *m;

	(void)err;
	report_manifest_path(relative, &spelled);
	if (strcmp(spelled.p, relative) != 0) {
		handoff_list_leave_out(c->list, path, "its path can't stand in a package");
		return RC_OK;
	}
	m = handoff_list_add(c->list, xasprintf("etc/%s%s%s", c->root, *relative ? "/" : "", relative),
			     "config", FROM_PATH);
	m->path = xstrdup(path);
	return RC_OK;
}

static void skip_config(void *ctx, const char *path)
{
	struct config_ctx *c = ctx;

	handoff_list_leave_out(c->list, path, "not a regular file");
}

int handoff_add_configs(struct handoff_list *l, const char *folder, struct err *err)
{
	AUTO_FREE char *real = realpath(folder, NULL);
	struct config_ctx ctx = { l, real ? strrchr(real, '/') + 1 : "" };

	if (!real)
		return err_errno(err, RC_NOTFOUND, "can't read the configuration");
	if (!*ctx.root)
		return err_set(err, RC_REFUSED, "all of / is no configuration");
	return run_walk(folder, add_config, skip_config, &ctx, err);
}

/* --with-config without a folder: the core's own word, so only what its owner could read. */
static int add_known_config(struct packing *p, struct err *err)
{
	AUTO_FREE char *folder = crash_config_folder(p->crash);
	struct credentials saved = { .taken = false };
	size_t before = p->list.n;
	int rc;

	if (!folder)
		return err_set(err, RC_USAGE, "which configuration is not known: --with-config=DIR");
	rc = credentials_take(p->crash->uid, p->crash->gid, &saved, err);
	if (rc < 0)
		return rc;
	rc = handoff_add_configs(&p->list, folder, err);
	credentials_restore(&saved);
	for (size_t i = before; rc == RC_OK && i < p->list.n; i++)
		p->list.v[i].of_owner = true;
	if (rc == RC_OK)
		handoff_list_keep_open(&p->list, before);
	return rc;
}

static int fill_list(struct packing *p, struct err *err)
{
	const struct run_report_job *job = p->h->job;
	const char *mode = core_modes[job->with_core];
	struct handoff_member *m;
	int rc = clean_texts(p, err);

	if (rc == RC_OK && job->with_config)
		rc = *job->with_config ? handoff_add_configs(&p->list, job->with_config, err) :
					 add_known_config(p, err);
	if (rc < 0)
		return rc;
	if (job->with_binaries)
		handoff_add_binaries(&p->list);
	if (job->with_binaries && job->flat)
		handoff_add_release(&p->list);
	if (job->with_core != RUN_CORE_NONE) {
		handoff_list_add(&p->list, xstrdup("core"), "core", FROM_CORE);
		m = handoff_list_add(&p->list, xstrdup("open-in-gdb.sh"), "script", FROM_TEXT);
		m->executable = true;
		handoff_script(&p->list, &m->text);
	}
	m = handoff_list_add(&p->list, xstrdup("README.txt"), "readme", FROM_TEXT);
	handoff_readme(&p->list, mode, job->with_config != NULL, &m->text);
	handoff_list_sort(&p->list);
	return RC_OK;
}

/* Seals a member and writes it; what it is made of is open for as long as that takes. */
static int put_member(struct packing *p, struct handoff_member *m, struct bundle_stream *to,
		      struct report_file *f, struct err *err)
{
	const struct age_recipients *whom = p->h->job->recipients;
	AUTO_CLOSE int fd = -1;
	AUTO(sealed) s = NULL;
	int rc = RC_OK;

	if (m->source == FROM_MAPPED || m->source == FROM_PATH)
		rc = handoff_open(&p->list, m, &fd, err);
	if (rc < 0)
		return rc;
	switch (m->source) {
	case FROM_SCRUBBED:
		f->size = scrubbed_text(m->clean).len;
		digest_sha256(scrubbed_text(m->clean), f->sha256);
		return bundle_stream_scrubbed(to, m->clean, err);
	case FROM_TEXT:
		rc = sealed_from_buf(whom, m->name, &m->text, m->executable, &s, err);
		break;
	case FROM_LINK:
		rc = sealed_from_link(whom, m->name, m->path, &s, err);
		break;
	case FROM_CORE:
		rc = sealed_from_fd(whom, m->name, p->core_fd, false, &s, err);
		break;
	case FROM_MAPPED:
	case FROM_PATH:
		rc = sealed_from_fd(whom, m->name, fd, m->executable, &s, err);
		break;
	}
	if (rc < 0)
		return rc;
	f->size = sealed_size(s);
	return bundle_stream_sealed(to, s, &f->of_data, f->sha256, err);
}

static int put_manifest(struct packing *p, struct bundle_stream *to, struct err *err)
{
	AUTO(sealed) s = NULL;
	AUTO_BUF text = BUF_INIT;
	int rc;

	p->account.files = p->files;
	p->account.n_files = p->n_files;
	p->account.left_out = p->list.left_out;
	p->account.n_left_out = p->list.n_left_out;
	p->account.recipients = strings_list(&p->h->recipients);
	p->account.mode = core_modes[p->h->job->with_core];
	p->account.preexisting = redact_preexisting(p->h->redactor);
	p->account.token_key = *redactor_key_id(p->h->redactor) ? redactor_key_id(p->h->redactor) : NULL;
	rc = report_manifest(&p->account, &text, err);
	if (rc == RC_OK)
		rc = sealed_from_buf(p->h->job->recipients, "manifest.json", &text, false, &s, err);
	return rc == RC_OK ? bundle_stream_end(to, s, err) : rc;
}

static int put_all(struct packing *p, struct age_writer *to, struct err *err)
{
	AUTO(bundle_stream) stream = NULL;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int rc = bundle_stream_open(p->crash->base, p->crash->created,
				    processors > 0 ? (unsigned)processors : 1, to, &stream, err);

	p->files = xcalloc(p->list.n + 1, sizeof(*p->files));
	for (size_t i = 0; rc == RC_OK && i < p->list.n; i++) {
		struct report_file *f = &p->files[p->n_files++];

		f->path = p->list.v[i].name;
		f->kind = p->list.v[i].kind;
		rc = put_member(p, &p->list.v[i], stream, f, err);
	}
	return rc == RC_OK ? put_manifest(p, stream, err) : rc;
}

/* tar, zstd and age in one go: what reaches the file is encrypted. */
static int write_package(struct packing *p, struct outdir *dir, const char *name, struct err *err)
{
	AUTO(age_writer) w = NULL;
	struct sink_fd out;
	int fd, rc = outdir_add(dir, name, 0600, &fd, err);

	if (rc < 0)
		return rc;
	sink_fd_init(&out, fd, name);
	rc = age_encrypt(p->h->job->recipients, false, &out.sink, &w, err);
	if (rc == RC_OK)
		rc = put_all(p, w, err);
	if (rc == RC_OK)
		rc = age_encrypt_end(w, err);
	if (rc == RC_OK)
		rc = sink_fd_flush(&out, err);
	buf_done(&out.pending);
	return rc;
}

/* The scrubbed core, to a file that never has a name. */
static int scrub_core(struct packing *p, uint64_t *ret_open, struct err *err)
{
	struct core_result result = { 0 };
	int rc = file_unnamed(false, &p->own_fd, err);

	if (rc == RC_OK)
		rc = core_job_write(p->crash->scrub->work, p->h->redactor, p->own_fd, &result, err);
	p->core_fd = p->own_fd;
	p->account.open += result.open;
	*ret_open = result.open;
	return rc;
}

int handoff_write(struct handoff *h, struct crash *c, const struct report_account *a,
		  struct outdir *dir, struct handoff_done *ret, struct err *err)
{
	struct packing p = {
		.h = h, .crash = c, .account = *a, .core_fd = c->fd, .own_fd = -1,
		.list = { .exe = h->job->exe, .sysroot = h->job->sysroot, .uid = c->uid, .gid = c->gid,
			  .core = c->core },
	};
	const struct run_flat *flat = h->job->flat;
	AUTO_FREE char *name = flat && flat->stem ? xasprintf("%s.tar.zst.age", flat->stem) :
						    xasprintf("%s-handoff.tar.zst.age", c->base);
	bool held;
	int rc = c->scrub ? scrub_core(&p, &ret->open, err) : RC_OK;

	held = ret->open && !h->job->accept_open;
	if (rc == RC_OK && !held)
		rc = fill_list(&p, err);
	if (rc == RC_OK && !held)
		rc = write_package(&p, dir, name, err);
	packing_done(&p);
	if (rc == RC_OK && !held)
		ret->name = STEAL(name);
	return rc;
}
