/* SPDX-License-Identifier: Apache-2.0 */
#include "review_internal.h"

#include <corescrub/archive.h>
#include <corescrub/conf.h>
#include <corescrub/manifest.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A report for a walk: its folder, its package, or the folder of an unpacked one. All of it may
   have been made by somebody else: names are only shown, never opened. */

void reviewed_free(struct reviewed *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_texts; i++) {
		free((char *)(uintptr_t)r->texts[i].name);
		free((char *)(uintptr_t)r->texts[i].text.p);
	}
	for (size_t i = 0; i < r->n_items; i++) {
		free((char *)(uintptr_t)r->items[i].what);
		free((char *)(uintptr_t)r->items[i].file);
	}
	for (size_t i = 0; i < r->n_rules; i++) {
		free((char *)(uintptr_t)r->rules[i].token);
		free((char *)(uintptr_t)r->rules[i].rule);
	}
	free(r->texts);
	free(r->items);
	free(r->rules);
	free(r->case_name);
	free(r->key);
	free(r->policy);
	free(r->ruleset);
	free(r->decisions);
	free(r);
}

static char *string_of(const struct conf_node *map, const char *key)
{
	const struct conf_node *n = conf_get(map, key);

	return n && n->type == CONF_STRING ? xstrndup(n->text.p, n->text.len) : NULL;
}

static char *given(const char *s)
{
	return *s ? xstrdup(s) : NULL;
}

static int take_manifest(struct reviewed *r, struct span json, const char *name, struct err *err)
{
	uint8_t digest[DIGEST_LEN];
	AUTO(manifest) m = NULL;
	int rc = manifest_read(json, name, &m, err);

	if (rc < 0)
		return rc;
	digest_sha256(json, digest);
	if (r->case_name) {
		r->several |= memcmp(digest, r->manifest, DIGEST_LEN) != 0;
		return RC_OK;
	}
	if (!*m->case_name)
		return err_set(err, RC_FORMAT, "%s names no case", name);
	r->case_name = xstrdup(m->case_name);
	r->key = given(m->token_key);
	r->policy = given(m->policy);
	r->ruleset = given(m->ruleset);
	r->decisions = given(m->decisions);
	memcpy(r->manifest, digest, DIGEST_LEN);
	return RC_OK;
}

static void take_text(struct reviewed *r, const char *name, struct buf *text)
{
	size_t len = text->len;

	for (size_t i = 0; i < r->n_texts; i++)
		if (strcmp(r->texts[i].name, name) == 0)
			return;		/* the folder's own file was there first */
	buf_add_str(text, "");
	GROW(r->texts, r->n_texts, r->cap_texts);
	r->texts[r->n_texts++] = (struct review_text){ xstrdup(name), { buf_steal(text), len } };
}

static void take_datum(struct reviewed *r, const struct conf_node *at)
{
	AUTO_FREE char *item = string_of(at, "item");
	const struct conf_node *line = conf_get(at, "line"), *col = conf_get(at, "column");

	if (item && line && col) {
		GROW(r->items, r->n_items, r->cap_items);
		r->items[r->n_items++] = (struct review_item){
			strcmp(item, "open") == 0, string_of(at, "what"), string_of(at, "file"),
			strtoull(line->text.p, NULL, 10), strtoull(col->text.p, NULL, 10),
		};
		if (!r->items[r->n_items - 1].what || !r->items[r->n_items - 1].file)
			r->n_items--;
	} else if (conf_get(at, "token") && conf_get(at, "rule")) {
		GROW(r->rules, r->n_rules, r->cap_rules);
		r->rules[r->n_rules++] = (struct review_rule){ string_of(at, "token"),
							       string_of(at, "rule") };
		if (!r->rules[r->n_rules - 1].token || !r->rules[r->n_rules - 1].rule)
			r->n_rules--;
	}
}

/* JSON as the page has it is YAML in flow style. The lines of data at the end of the private page
   (doc/formats.md). */
static void take_private_page(struct reviewed *r, struct span page)
{
	ssize_t at = span_find(page, SPAN_LIT("\n<!--corescrub-review 1\n"), 0);

	while (at >= 0) {
		size_t from, end;
		AUTO(conf) c = NULL;

		from = span_line_end(page, (size_t)at + (page.p[at] == '\n' && page.p[at + 1] == '<'));
		end = span_line_end(page, from);
		if (end >= page.len || span_starts(span_sub(page, from, end), SPAN_LIT("-->")))
			return;
		if (conf_parse(span_sub(page, from, end), "a line of the page", &c, NULL) == RC_OK)
			take_datum(r, conf_root(c));
		at = (ssize_t)from;
	}
}

static int take_file(struct reviewed *r, const char *name, struct buf *content, struct err *err)
{
	struct span s = span_str(name);

	if (span_ends(s, SPAN_LIT("manifest.json")))
		return take_manifest(r, buf_span(content), name, err);
	if (span_ends(s, SPAN_LIT("review-private.html")))
		take_private_page(r, buf_span(content));
	else if (!span_ends(s, SPAN_LIT("review.html")) && !span_eq_str(s, "README.txt"))
		take_text(r, name, content);
	return RC_OK;
}

/* A member's path is "package!/root/name". */
static int take_member(void *ctx, const char *path, struct span text, struct buf *ret,
		       struct err *err)
{
	const char *inside = strstr(path, "!/"), *slash = inside ? strchr(inside + 2, '/') : NULL;
	AUTO_BUF copy = BUF_INIT;

	(void)ret;
	if (!slash)
		return RC_OK;
	buf_add_span(&copy, text);
	return take_file(ctx, slash + 1, &copy, err);
}

static int load_package(struct reviewed *r, const char *path, struct err *err)
{
	struct archive_visitor visitor = { .text = take_member, .ctx = r };
	AUTO(mapping) map = NULL;
	int rc = mapping_open_path(path, &map, err);

	if (rc < 0)
		return rc;
	if (archive_probe_bytes(mapping_span(map)) != ARCHIVE_MEMBERS &&
	    archive_probe_bytes(mapping_span(map)) != ARCHIVE_COMPRESSED)
		return err_set(err, RC_FORMAT, "%s is no package", path);
	return archive_walk(mapping_span(map), path, &visitor, err);
}

/* Regular files only: a link could lead anywhere. */
static int load_file(struct reviewed *r, const char *folder, const char *name, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
	AUTO_BUF content = BUF_INIT;
	struct stat st;
	int rc;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return RC_OK;
	rc = file_read(path, LIMIT_REVIEW_TEXT, &content, err);
	return rc < 0 ? rc : take_file(r, name, &content, err);
}

static int is_part(const struct dirent *e)
{
	struct span name = span_str(e->d_name);

	return e->d_name[0] != '.' &&
	       (span_ends(name, SPAN_LIT(".txt")) || span_ends(name, SPAN_LIT(".json")) ||
		span_ends(name, SPAN_LIT(".html")) || span_ends(name, SPAN_LIT(".tar.gz")));
}

/* First its own files, then what only the packages in it have: attachments. */
static int load_folder(struct reviewed *r, const char *path, struct err *err)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, is_part, alphasort), rc = RC_OK;

	if (n < 0)
		return err_errno(err, RC_NOTFOUND, "can't list %s", path);
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; rc == RC_OK && i < n; i++) {
			bool package = span_ends(span_str(names[i]->d_name), SPAN_LIT(".tar.gz"));
			AUTO_FREE char *full = xasprintf("%s/%s", path, names[i]->d_name);

			if (pass == 0 && !package)
				rc = load_file(r, path, names[i]->d_name, err);
			else if (pass == 1 && package)
				rc = load_package(r, full, err);
		}
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return rc;
}

static int by_token(const void *x, const void *y)
{
	const struct review_rule *a = x, *b = y;

	return strcmp(a->token, b->token);
}

int reviewed_load(const char *path, struct reviewed **ret, struct err *err)
{
	AUTO(reviewed) r = xcalloc(1, sizeof(*r));
	struct stat st;
	int rc;

	if (stat(path, &st) < 0)
		return err_errno(err, RC_NOTFOUND, "can't open %s", path);
	rc = S_ISDIR(st.st_mode) ? load_folder(r, path, err) : load_package(r, path, err);
	if (rc < 0)
		return rc;
	if (!r->case_name)
		return err_set(err, RC_FORMAT, "%s holds no manifest of a report", path);
	if (r->n_rules)
		qsort(r->rules, r->n_rules, sizeof(*r->rules), by_token);
	*ret = STEAL(r);
	return RC_OK;
}
