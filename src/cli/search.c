/* SPDX-License-Identifier: Apache-2.0 */
#include "search.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Patterns. A component is matched by fnmatch(3), whose FNM_EXTMATCH knows the extended ones. */

struct glob_walk {
	struct strings *found;
	struct err *err;
	int rc;
};

/* Is there anything in a component that is not itself? */
static bool is_pattern(struct span part)
{
	for (size_t i = 0; i < part.len; i++) {
		if (part.p[i] == '\\')
			i++;
		else if (strchr("*?[", part.p[i]))
			return true;
		else if (strchr("+@!", part.p[i]) && i + 1 < part.len && part.p[i + 1] == '(')
			return true;
	}
	return false;
}

/* Up to the next '/' that stands outside of parentheses. */
static struct span next_part(const char *p)
{
	size_t n = 0, depth = 0;

	for (; p[n] && (p[n] != '/' || depth > 0); n++) {
		if (p[n] == '\\' && p[n + 1])
			n++;
		else if (p[n] == '(')
			depth++;
		else if (p[n] == ')' && depth > 0)
			depth--;
	}
	return span_make(p, n);
}

static void add_literal(struct buf *path, struct span part)
{
	for (size_t i = 0; i < part.len; i++) {
		if (part.p[i] == '\\' && i + 1 < part.len)
			i++;
		buf_add_char(path, part.p[i]);
	}
}

static void walk(struct glob_walk *w, struct buf *path, const char *pattern);

/* With `name` behind path: a match, or the folder for the rest of the pattern. */
static void step_into(struct glob_walk *w, struct buf *path, const char *rest)
{
	struct stat st;

	if (*rest) {
		buf_add_char(path, '/');
		walk(w, path, rest);
	} else if (lstat(path->p, &st) == 0) {
		if (w->found->n >= LIMIT_SEARCH_NAMES)
			w->rc = err_set(w->err, RC_TOOBIG, "a pattern matches over %d files",
					LIMIT_SEARCH_NAMES);
		else
			strings_add(w->found, xstrdup(path->p));
	}
}

static void match_entries(struct glob_walk *w, struct buf *path, struct span part, const char *rest)
{
	AUTO_FREE char *pattern = xstrndup(part.p, part.len);
	DIR *d = opendir(path->len ? path->p : ".");
	size_t base = path->len;
	struct dirent *e;

	while (d && w->rc == RC_OK && (e = readdir(d))) {
		if (e->d_name[0] == '.' && pattern[0] != '.')
			continue;
		if (fnmatch(pattern, e->d_name, FNM_EXTMATCH | FNM_PERIOD) != 0)
			continue;
		buf_add_str(path, e->d_name);
		step_into(w, path, rest);
		path->len = base;
		if (path->p)
			path->p[base] = '\0';
	}
	if (d)
		closedir(d);
}

static void walk(struct glob_walk *w, struct buf *path, const char *pattern)
{
	struct span part;
	const char *rest;
	size_t base;

	for (; *pattern == '/'; pattern++)
		if (path->len == 0 || path->p[path->len - 1] != '/')
			buf_add_char(path, '/');
	part = next_part(pattern);
	if (part.len == 0)
		return;
	for (rest = pattern + part.len; *rest == '/'; rest++)
		;
	if (is_pattern(part)) {
		match_entries(w, path, part, rest);
		return;
	}
	base = path->len;
	add_literal(path, part);
	step_into(w, path, rest);
	path->len = base;
	path->p[base] = '\0';
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int search_glob(const char *pattern, struct strings *ret, struct err *err)
{
	struct strings found = { 0 };
	struct glob_walk w = { &found, err, RC_OK };
	AUTO_BUF path = BUF_INIT;
	struct stat st;

	if (lstat(pattern, &st) == 0)
		strings_add(&found, xstrdup(pattern));
	else
		walk(&w, &path, pattern);
	if (found.n > 1)
		qsort(found.v, found.n, sizeof(*found.v), by_text);
	for (size_t i = 0; w.rc == RC_OK && i < found.n; i++)
		strings_add(ret, xstrdup(found.v[i]));
	strings_done(&found);
	return w.rc;
}
