/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_internal.h"

#include <corescrub/archive.h>
#include <corescrub/tarball.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The order: what is known, then each input; then what was found, changes first. */

#define ITEMS_MAX 5000		/* more lines help nobody; the counts go on */
#define SPELLING_MIN 7		/* a shorter spelling of a value may stand for anything */

static void add_item(struct verify *v, struct verify_at at, const char *rule, const char *kind,
		     const char *level, const char *what)
{
	AUTO_FREE char *own = xstrdup(what);

	if (v->n >= ITEMS_MAX)
		return;
	GROW(v->items, v->n, v->cap);
	strings_add(&v->names, STEAL(own));
	v->items[v->n++] = (struct report_problem){
		.file = at.file, .line = at.line, .col = at.col, .rule = rule, .kind = kind,
		.level = level, .what = v->names.v[v->names.n - 1],
	};
}

void verify_leak(struct verify *v, struct verify_at at, const char *rule, const char *kind,
		 const char *what)
{
	v->result->leaks++;
	add_item(v, at, rule, kind, "leak", what);
}

void verify_hint(struct verify *v, struct verify_at at, const char *rule, const char *kind,
		 const char *what)
{
	v->result->hints++;
	add_item(v, at, rule, kind, "hint", what);
}

void verify_change_at(struct verify *v, struct verify_at at, const char *rule, const char *what)
{
	v->result->changes++;
	add_item(v, at, rule, "", "change", what);
}

void verify_change(struct verify *v, const char *file, const char *rule, const char *what)
{
	verify_change_at(v, (struct verify_at){ .file = file }, rule, what);
}

void verify_note(struct verify *v, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < v->result->notes.n; i++)
		if (strcmp(v->result->notes.v[i], text) == 0)
			return;
	strings_add(&v->result->notes, xstrdup(text));
}

const char *verify_name(struct verify *v, const char *outer, const char *name)
{
	AUTO_BUF clean = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (engine_clean_name(v->engine, span_str(name), &clean, &ignored) < 0 || !clean.len) {
		buf_reset(&clean);
		buf_add_str(&clean, "a file");
	}
	strings_add(&v->names, outer ? xasprintf("%s!/%s", outer, clean.p) : buf_steal(&clean));
	return v->names.v[v->names.n - 1];
}

static void know_spellings(struct verify *v)
{
	size_t n;
	const struct map_file *files = private_map_files(v->map, &n);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < files[i].n; k++)
			if (files[i].places[k].spelling.len >= SPELLING_MIN)
				check_know(v->engine->check, files[i].places[k].kind,
					   files[i].places[k].spelling);
}

/* Every original of the maps, and every spelling of it. */
static int know_maps(struct verify *v, struct err *err)
{
	const struct map_token *tokens;
	int rc = RC_OK;
	size_t n;

	if (!v->job->maps || !*v->job->maps)
		return RC_OK;
	v->map = private_map_new();
	for (const char *const *p = v->job->maps; rc == RC_OK && *p; p++)
		rc = run_map_read(*p, v->job->identities, v->map, err);
	tokens = private_map_tokens(v->map, &n);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		check_know(v->engine->check, tokens[i].kind, tokens[i].original);
	if (rc == RC_OK)
		know_spellings(v);
	return rc;
}

static void say_what_is_not_known(struct verify *v)
{
	const struct run_options *o = &v->job->common;

	if (!v->map && !v->key && !(o->learn && *o->learn))
		verify_note(v, "no map, key or config was given: values that were learned when it "
			    "was made were not looked for");
	if (v->job->no_rules)
		verify_note(v, "without rules: the second look alone, which knows shapes and what "
			    "it is given");
}

static int prepare(struct verify *v, struct err *err)
{
	const struct run_options *o = &v->job->common;
	int rc = engine_new(o, false, &v->engine, err);

	if (rc == RC_OK)
		rc = know_maps(v, err);
	if (rc == RC_OK && o->key_file)
		rc = redact_key_read(o->key_file, &v->key, err);
	if (rc == RC_OK)
		rc = engine_seal(v->engine, err);
	if (rc == RC_OK)
		say_what_is_not_known(v);
	return rc;
}

/* A zip, or by its name a tar that something else compressed. */
static bool is_other_archive(const char *shown, struct span bytes)
{
	static const char *const ends[] = { ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tbz" };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (span_ends(span_str(shown), span_str(ends[i])))
			return true;
	return archive_probe_bytes(bytes) == ARCHIVE_MEMBERS;
}

/* An archive is a package, and must have a manifest, unless the caller says that it is none. */
static int verify_archive(struct verify *v, const char *shown, struct span bytes, bool *ret_done,
			  struct err *err)
{
	struct verify_files files = { .v = NULL };
	bool is_tar = false;
	int rc;

	*ret_done = false;
	if (v->job->plain)
		return RC_OK;
	if (!tarball_probe(bytes)) {
		if (is_other_archive(shown, bytes))
			verify_change(v, shown, "package.manifest",
				      "an archive that is no package");
		return RC_OK;
	}
	rc = verify_package(v, shown, bytes, &is_tar, &files, err);
	verify_files_done(&files);
	*ret_done = is_tar;
	return rc;
}

/* Clear bytes of an encrypted file: a hand-off is a tar that zstd packed (RFC 8878), anything else
   is what it would be in the clear. */
static bool is_handoff(int fd)
{
	uint8_t magic[4];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0;
}

int verify_file(struct verify *v, const char *path, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	AUTO(mapping) map = NULL;
	bool done = false, locked = false;
	int rc = run_unlock(path, v->job->identities, &fd, &locked, err);

	v->words = v->key && !v->words ? words_new() : v->words;
	if (rc == RC_OK && !v->job->plain && is_handoff(fd) &&
	    (locked || span_ends(span_str(path), SPAN_LIT(".tar.zst"))))
		return verify_handoff(v, path, fd, locked, err);
	if (rc == RC_OK)
		rc = mapping_open(fd, path, &map, err);
	if (rc == RC_OK)
		rc = verify_archive(v, path, mapping_span(map), &done, err);
	return rc < 0 || done ? rc : verify_bytes(v, path, mapping_span(map), err);
}

static int verify_input(struct verify *v, const char *path, struct err *err)
{
	struct stat st;
	int rc;

	v->input = path;
	v->met_manifest = false;
	if (stat(path, &st) < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_IO, "%s", path);
	if (S_ISDIR(st.st_mode))
		return verify_folder(v, path, err);
	rc = verify_file(v, path, err);
	if (rc == RC_OK)
		rc = words_ask(v, v->words, NULL, err);
	words_free(v->words);
	v->words = NULL;
	return rc;
}

static int weight(const char *level)
{
	return *level == 'c' ? 0 : *level == 'l' ? 1 : 2;
}

/* Changes, leaks, hints; each by file and place. */
static int by_weight(const void *a, const void *b)
{
	const struct report_problem *x = a, *y = b;
	int order = weight(x->level) - weight(y->level);

	if (!order)
		order = strcmp(x->file, y->file);
	if (!order)
		order = x->line < y->line ? -1 : x->line > y->line;
	if (!order)
		order = x->col < y->col ? -1 : x->col > y->col;
	return order ? order : strcmp(x->rule, y->rule);
}

/* file:line:column: level: rule kind: in words. Names may hold anything: control bytes are
   shown. */
static void add_line(struct buf *ret, const struct report_problem *p)
{
	for (const char *c = p->file; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			buf_addf(ret, "\\%03o", (unsigned char)*c);
		else
			buf_add_char(ret, *c);
	}
	buf_addf(ret, ":%llu:%llu: %s: %s%s%s: %s\n", (unsigned long long)p->line,
		 (unsigned long long)p->col, p->level, p->rule, *p->kind ? " " : "", p->kind,
		 p->what);
}

static int tell(struct verify *v, bool as_json, struct err *err)
{
	struct run_verify_result *r = v->result;
	struct report_verdict verdict = {
		.files = r->files, .leaks = r->leaks, .changes = r->changes, .hints = r->hints,
		.notes = strings_list(&r->notes),
	};

	if (v->n)
		qsort(v->items, v->n, sizeof(*v->items), by_weight);
	verdict.v = v->items;
	verdict.n = v->n;
	if (as_json)
		return report_verdict(&verdict, &r->lines, err);
	for (size_t i = 0; i < v->n; i++)
		add_line(&r->lines, &v->items[i]);
	return RC_OK;
}

int run_verify(const struct run_verify_job *job, bool as_json, struct run_verify_result *ret,
	       struct err *err)
{
	struct verify v = { .job = job, .result = ret };
	int rc;

	*ret = (struct run_verify_result){ .lines = BUF_INIT };
	rc = prepare(&v, err);
	for (const char *const *p = job->inputs; rc == RC_OK && *p; p++) {
		rc = verify_input(&v, *p, err);
		if (rc == RC_OK && job->allowed_signers && !v.met_manifest)
			verify_change(&v, *p, "package.approval",
				      "it has no manifest to be approved");
	}
	if (rc == RC_OK)
		rc = tell(&v, as_json, err);
	if (rc < 0)
		run_verify_result_done(ret);
	engine_free(v.engine);
	private_map_free(v.map);
	secret_free(v.key);
	free(v.items);
	strings_done(&v.names);
	return rc;
}

void run_verify_result_done(struct run_verify_result *r)
{
	strings_done(&r->notes);
	buf_done(&r->lines);
}
