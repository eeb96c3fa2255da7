/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Folders: a package that was unpacked ("manifest.json" in it), or what `report` made, where each
 * core's files begin with its name ("<core>-manifest.json", "<core>.tar.gz", …).
 */

struct folder {
	struct verify *v;
	const char *path;
	struct strings entries;		/* relative paths of all files */
	bool *seen;			/* entry by entry: some manifest answers for it */
};

static int add_entry(void *ctx, const char *path, const char *relative, struct err *err)
{
	struct folder *f = ctx;

	(void)path;
	(void)err;
	strings_add(&f->entries, xstrdup(relative));
	return RC_OK;
}

static void skip_entry(void *ctx, const char *path)
{
	struct folder *f = ctx;

	verify_change(f->v, verify_name(f->v, NULL, path), "package.type", "no plain file");
}

static bool take_entry(struct folder *f, const char *name)
{
	for (size_t i = 0; i < f->entries.n; i++)
		if (strcmp(f->entries.v[i], name) == 0) {
			f->seen[i] = true;
			return true;
		}
	return false;
}

static int open_entry(const struct folder *f, const char *name, struct mapping **ret,
		      struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/%s", f->path, name);

	return mapping_open_path(path, ret, err);
}

/* Adds the entry to what is there, under the name that a manifest gives it, and looks at it. Not
   where a claim holds of bytes that were looked at in the package. */
static int take_file(struct folder *f, const char *name, const char *listed_as,
		     const struct report_file *packed, struct verify_files *files, struct err *err)
{
	const char *shown = verify_name(f->v, NULL, name);
	AUTO(mapping) map = NULL;
	int rc = open_entry(f, name, &map, err);

	if (rc < 0)
		return rc;
	take_entry(f, name);
	if (strcmp(listed_as, "manifest.json") == 0) {
		buf_add_span(&files->manifest, mapping_span(map));
		files->has_manifest = true;
		return RC_OK;
	}
	verify_files_add(files, listed_as, shown, mapping_span(map));
	if (packed && verify_compare(f->v, packed, &files->v[files->n - 1]))
		return RC_OK;
	rc = verify_name_text(f->v, shown, name, err);
	return rc == RC_OK ? verify_bytes(f->v, shown, mapping_span(map), err) : rc;
}

static int unpacked(struct folder *f, struct err *err)
{
	struct verify_files files = { .v = NULL };
	AUTO(manifest) m = NULL;
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < f->entries.n; i++)
		rc = take_file(f, f->entries.v[i], f->entries.v[i], NULL, &files, err);
	if (rc == RC_OK)
		rc = verify_manifest(f->v, "manifest.json", buf_span(&files.manifest), &m, err);
	if (m)
		verify_listed(f->v, m, &files, NULL);
	if (rc == RC_OK)
		rc = words_ask(f->v, f->v->words, m, err);
	verify_files_done(&files);
	return rc;
}

/* How a file of the manifest is called beside the package: "<base>-review.html", or as it is. */
static char *name_beside(const struct folder *f, const char *base, const char *listed)
{
	AUTO_FREE char *with_base = xasprintf("%s-%s", base, listed);

	for (size_t i = 0; i < f->entries.n; i++)
		if (strcmp(f->entries.v[i], listed) == 0)
			return xstrdup(listed);
	for (size_t i = 0; i < f->entries.n; i++)
		if (strcmp(f->entries.v[i], with_base) == 0)
			return STEAL(with_base);
	return NULL;
}

/* README and attachments stand in the package alone. */
static bool only_packed(const struct report_file *claim)
{
	return strcmp(claim->kind, "readme") == 0 || strcmp(claim->kind, "attachment") == 0;
}

/* The files beside the package, held to the manifest beside it. */
static int beside(struct folder *f, const char *base, const struct manifest *m, bool packed,
		  struct err *err)
{
	struct verify_files files = { .v = NULL };
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < m->n_files; i++) {
		const struct report_file *claim = &m->files[i];
		AUTO_FREE char *name = name_beside(f, base, claim->path);

		if (!name && !only_packed(claim))
			verify_change(f->v, verify_name(f->v, NULL, claim->path), "package.missing",
				      "the manifest lists it, and it is not there");
		if (!name)
			continue;
		rc = take_file(f, name, claim->path, packed ? claim : NULL, &files, err);
		if (rc == RC_OK && !packed)
			verify_compare(f->v, claim, &files.v[files.n - 1]);
	}
	verify_files_done(&files);
	return rc;
}

static int packed_too(struct folder *f, const char *base, const struct verify_files *beside_it,
		      bool *ret_packed, struct err *err)
{
	AUTO_FREE char *name = xasprintf("%s.tar.gz", base);
	struct verify_files files = { .v = NULL };
	AUTO(mapping) map = NULL;
	bool is_tar;
	int rc;

	*ret_packed = take_entry(f, name);
	if (!*ret_packed)
		return RC_OK;
	rc = open_entry(f, name, &map, err);
	if (rc == RC_OK)
		rc = verify_package(f->v, verify_name(f->v, NULL, name), mapping_span(map), &is_tar,
				    &files, err);
	if (rc == RC_OK && files.has_manifest &&
	    !span_eq(buf_span(&files.manifest), buf_span(&beside_it->manifest)))
		verify_change(f->v, verify_name(f->v, NULL, name), "package.manifest",
			      "its manifest is not the one beside it");
	verify_files_done(&files);
	return rc;
}

/* What nobody sends, and what is sealed. */
static int pass_over(struct folder *f, const char *base, struct err *err)
{
	AUTO_FREE char *private = xasprintf("%s-review-private.html", base);
	AUTO_FREE char *sealed = xasprintf("%s-handoff.tar.zst.age", base);
	AUTO_FREE char *path = xasprintf("%s/%s", f->path, sealed);

	take_entry(f, private);
	if (!take_entry(f, sealed))
		return RC_OK;
	if (f->v->job->identities && *f->v->job->identities)
		return verify_file(f->v, path, err);
	verify_note(f->v, "%s was not opened: that takes --identity",
		    verify_name(f->v, NULL, sealed));
	return RC_OK;
}

static int one_core(struct folder *f, const char *base, struct err *err)
{
	AUTO_FREE char *name = xasprintf("%s-manifest.json", base);
	struct verify_files files = { .v = NULL };
	AUTO(manifest) m = NULL;
	bool packed = false;
	int rc = take_file(f, name, "manifest.json", NULL, &files, err);

	if (rc == RC_OK)
		rc = packed_too(f, base, &files, &packed, err);
	if (rc == RC_OK && !packed)
		verify_note(f->v, "there is no package of %s: open items hold it back", base);
	if (rc == RC_OK)
		rc = verify_manifest(f->v, verify_name(f->v, NULL, name), buf_span(&files.manifest),
				     &m, err);
	if (m)
		rc = beside(f, base, m, packed, err);
	if (rc == RC_OK && !packed)
		rc = words_ask(f->v, f->v->words, m, err);
	if (rc == RC_OK)
		rc = pass_over(f, base, err);
	verify_files_done(&files);
	return rc;
}

static int each_core(struct folder *f, size_t *ret_n, struct err *err)
{
	static const char ending[] = "-manifest.json";
	int rc = RC_OK;

	*ret_n = 0;
	for (size_t i = 0; rc == RC_OK && i < f->entries.n; i++) {
		const char *name = f->entries.v[i];
		AUTO_FREE char *base = NULL;

		if (strchr(name, '/') || !span_ends(span_str(name), SPAN_LIT(ending)))
			continue;
		base = xstrndup(name, strlen(name) - strlen(ending));
		rc = one_core(f, base, err);
		++*ret_n;
	}
	return rc;
}

static int loose(struct folder *f, struct err *err)
{
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < f->entries.n; i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", f->path, f->entries.v[i]);

		rc = verify_name_text(f->v, verify_name(f->v, NULL, path), f->entries.v[i], err);
		if (rc == RC_OK)
			rc = verify_file(f->v, path, err);
	}
	return rc;
}

/* An approval is of the manifest, so it can't be in it. Its text is looked at like any. */
static bool is_approval(const char *name)
{
	return span_ends(span_str(name), SPAN_LIT(".approval.json")) ||
	       span_ends(span_str(name), SPAN_LIT(".approval.json.sig"));
}

static int by_manifests(struct folder *f, struct err *err)
{
	size_t n;
	int rc = each_core(f, &n, err);

	if (rc < 0)
		return rc;
	if (n == 0) {
		verify_change(f->v, verify_name(f->v, NULL, f->path), "package.manifest",
			      "there is no manifest in this folder");
		return loose(f, err);
	}
	for (size_t i = 0; rc == RC_OK && i < f->entries.n; i++)
		if (!f->seen[i]) {
			struct verify_files none = { .v = NULL };

			rc = take_file(f, f->entries.v[i], f->entries.v[i], NULL, &none, err);
			if (!is_approval(f->entries.v[i]))
				verify_change(f->v, verify_name(f->v, NULL, f->entries.v[i]),
					      "package.extra", "no manifest here lists it");
			verify_files_done(&none);
		}
	return rc;
}

int verify_folder(struct verify *v, const char *path, struct err *err)
{
	struct folder f = { .v = v, .path = path };
	int rc = run_walk(path, add_entry, skip_entry, &f, err);

	f.seen = xcalloc(f.entries.n + 1, sizeof(*f.seen));
	v->words = v->key ? words_new() : NULL;
	v->in_package = !v->job->plain;
	if (rc == RC_OK && v->job->plain)
		rc = loose(&f, err);
	else if (rc == RC_OK)
		rc = take_entry(&f, "manifest.json") ? unpacked(&f, err) : by_manifests(&f, err);
	words_free(v->words);
	v->words = NULL;
	v->in_package = false;
	free(f.seen);
	strings_done(&f.entries);
	return rc;
}
