/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_internal.h"

#include <corescrub/tarball.h>
#include <stdlib.h>

/* A public package: its members, one by one, then what the manifest says of them. */

void verify_files_add(struct verify_files *f, const char *path, const char *shown,
		      struct span bytes)
{
	struct verify_file one = { .shown = shown, .size = bytes.len };
	AUTO_BUF listed = BUF_INIT;

	report_manifest_path(path, &listed);
	one.path = buf_steal(&listed);
	digest_sha256(bytes, one.sha256);
	GROW(f->v, f->n, f->cap);
	f->v[f->n++] = one;
}

void verify_files_done(struct verify_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].path);
	free(f->v);
	buf_done(&f->manifest);
	*f = (struct verify_files){ .v = NULL };
}

/* The verifier's own policy and rules count; what the manifest says of itself is compared. */
static void compare_claims(struct verify *v, const char *shown, const struct manifest *m)
{
	const struct run_verify_job *job = v->job;
	char own[2 * DIGEST_LEN + 1];

	ruleset_hash(v->engine->rules, own);
	if (job->common.policy && strcmp(job->common.policy, m->policy) != 0)
		verify_change(v, shown, "package.policy", "made under another policy");
	if (job->ruleset && strcmp(job->ruleset, m->ruleset) != 0)
		verify_change(v, shown, "package.ruleset", "made with another ruleset");
	else if (!job->ruleset && strcmp(own, m->ruleset) != 0)
		verify_note(v, "%s was made with another ruleset than the one it was checked with",
			    shown);
	if (job->common.case_name && strcmp(job->common.case_name, m->case_name) != 0)
		verify_change(v, shown, "package.case", "made for another case");
	if (m->open)
		verify_note(v, "%s: %llu open items when it was made", shown,
			    (unsigned long long)m->open);
}

int verify_manifest(struct verify *v, const char *shown, struct span text, struct manifest **ret,
		    struct err *err)
{
	AUTO(manifest) m = NULL;
	struct err damage = ERR_INIT;
	int rc = manifest_read(text, "manifest", &m, &damage);

	verify_note(v, "hashes prove that nothing was changed since, not who made it: that takes a "
		    "signature");
	if (rc < 0)
		verify_change_at(v, (struct verify_at){ shown, damage.line, damage.col },
				 "package.schema", damage.msg);
	else
		compare_claims(v, shown, m);
	rc = verify_manifest_text(v, shown, text, m, err);
	if (rc == RC_OK && m)
		rc = verify_approvals(v, shown, text, m, err);
	if (rc == RC_OK)
		*ret = STEAL(m);
	return rc;
}

bool verify_compare(struct verify *v, const struct report_file *claim, const struct verify_file *is)
{
	if (claim->of_data)
		verify_change(v, is->shown, "package.kind", "a sparse file in a public package");
	else if (claim->size != is->size)
		verify_change(v, is->shown, "package.size", "not the size that the manifest says");
	else if (memcmp(claim->sha256, is->sha256, DIGEST_LEN) != 0)
		verify_change(v, is->shown, "package.hash", "not the bytes that the manifest says");
	else
		return true;
	return false;
}

static int by_path(const void *a, const void *b)
{
	const struct verify_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void verify_listed(struct verify *v, const struct manifest *m, struct verify_files *f,
		   const char *shown)
{
	size_t claim = 0, is = 0;

	if (f->n)
		qsort(f->v, f->n, sizeof(*f->v), by_path);
	for (size_t i = 1; i < f->n; i++)
		if (strcmp(f->v[i - 1].path, f->v[i].path) == 0)
			verify_change(v, f->v[i].shown, "package.duplicate", "it is there twice");
	while (claim < m->n_files || is < f->n) {
		int order = claim == m->n_files ? 1 : is == f->n ? -1 :
				    strcmp(m->files[claim].path, f->v[is].path);

		if (order < 0) {
			verify_change(v, verify_name(v, shown, m->files[claim].path),
				      "package.missing",
				      "the manifest lists it, and it is not there");
			claim++;
		} else if (order > 0) {
			verify_change(v, f->v[is].shown, "package.extra",
				      "the manifest does not list it");
			is++;
		} else {
			verify_compare(v, &m->files[claim++], &f->v[is++]);
		}
	}
}

struct package {
	struct verify *v;
	const char *shown;
	struct verify_files *files;
	char *root;			/* the one folder that all is in */
	char *last;			/* the member before */
	int64_t mtime;
	unsigned members;
};

/* Below the package's one folder, whatever unpacks it. */
static const char *inside(struct package *p, const char *path)
{
	const char *slash = strchr(path, '/');
	size_t root = slash ? (size_t)(slash - path) : 0;

	if (!root || !slash[1] || path[strlen(path) - 1] == '/' || strstr(path, "//"))
		return NULL;
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (strncmp(part, "../", 3) == 0 || strcmp(part, "..") == 0 ||
		    strncmp(part, "./", 2) == 0 || strcmp(part, ".") == 0)
			return NULL;
	}
	if (!p->root)
		p->root = xstrndup(path, root);
	return strlen(p->root) == root && memcmp(p->root, path, root) == 0 ? slash + 1 : NULL;
}

static void look_at_header(struct package *p, const struct tarball_member *m, const char *shown)
{
	if (m->mode != 0644)
		verify_change(p->v, shown, "package.form", "a mode that no package has");
	if (p->members > 1 && m->mtime != p->mtime)
		verify_change(p->v, shown, "package.form", "a time of its own");
	if (p->last && strcmp(p->last, m->path) > 0)
		verify_change(p->v, shown, "package.form", "not in the order of names");
	p->mtime = m->mtime;
	free(p->last);
	p->last = xstrdup(m->path);
}

static int take_member(void *ctx, const struct tarball_member *m, struct err *err)
{
	struct package *p = ctx;
	const char *path = inside(p, m->path), *shown;
	int rc;

	p->members++;
	shown = verify_name(p->v, p->shown, path ? path : m->path);
	if (m->type != '0') {
		verify_change(p->v, shown, "package.type", "no plain file");
		return verify_name_text(p->v, shown, m->path, err);
	}
	if (!path) {
		verify_change(p->v, shown, "package.name",
			      "a name that leads out of the package's folder");
		path = m->path;
	}
	look_at_header(p, m, shown);
	if (p->files->has_manifest && strcmp(path, "manifest.json") == 0)
		verify_change(p->v, shown, "package.duplicate", "it is there twice");
	rc = verify_name_text(p->v, shown, path, err);
	if (rc < 0)
		return rc;
	if (strcmp(path, "manifest.json") == 0 && !p->files->has_manifest) {
		buf_add_span(&p->files->manifest, m->bytes);
		p->files->has_manifest = true;
		return RC_OK;
	}
	verify_files_add(p->files, path, shown, m->bytes);
	return verify_bytes(p->v, shown, m->bytes, err);
}

static void tell_odd(void *ctx, const char *path, const char *what)
{
	struct package *p = ctx;

	verify_change(p->v, *path ? verify_name(p->v, p->shown, path) : p->shown, "package.form",
		      what);
}

static int judge(struct package *p, struct err *err)
{
	struct verify *v = p->v;
	const char *shown = verify_name(v, p->shown, "manifest.json");
	AUTO(manifest) m = NULL;
	int rc = RC_OK;

	if (p->files->has_manifest)
		rc = verify_manifest(v, shown, buf_span(&p->files->manifest), &m, err);
	else
		verify_change(v, p->shown, "package.manifest", "there is no manifest.json");
	if (m) {
		verify_listed(v, m, p->files, p->shown);
		if (strcmp(m->mode, "none") != 0)
			verify_change(v, shown, "package.kind", "a core in a public package");
	}
	return rc == RC_OK ? words_ask(v, v->words, m, err) : rc;
}

/* Is it a package that is damaged, or something else that gzip or zstd made? */
static bool looks_like_package(const char *shown)
{
	static const char *const ends[] = { ".tar.gz", ".tgz", ".tar", ".tar.zst" };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (span_ends(span_str(shown), span_str(ends[i])))
			return true;
	return false;
}

int verify_package(struct verify *v, const char *shown, struct span file, bool *ret_is_tar,
		   struct verify_files *files, struct err *err)
{
	struct package p = { .v = v, .shown = shown, .files = files };
	struct tarball_visitor visitor = { take_member, tell_odd, &p };
	struct words *outer = v->words;
	bool outer_package = v->in_package;
	struct err damage = ERR_INIT;
	int rc;

	v->words = v->key ? words_new() : NULL;
	v->in_package = true;
	rc = tarball_walk(file, &visitor, &damage);
	*ret_is_tar = p.members > 0 || looks_like_package(shown);
	if (rc < 0 && (rc == RC_FORMAT || rc == RC_TOOBIG || rc == RC_UNSUPPORTED)) {
		if (*ret_is_tar)
			verify_change(v, shown, "package.damaged", damage.msg);
		rc = RC_OK;
	} else if (rc < 0) {
		*err = damage;
	}
	if (rc == RC_OK && *ret_is_tar)
		rc = judge(&p, err);
	words_free(v->words);
	v->words = outer;
	v->in_package = outer_package;
	free(p.root);
	free(p.last);
	return rc;
}
