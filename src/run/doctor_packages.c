/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor_internal.h"

#include <stdlib.h>
#include <sys/wait.h>

/*
 * Which Debian package a file is of, by dpkg-query alone: no network. Elsewhere there is no
 * dpkg-query, and files have no package.
 */

#define ASK_MS	20000

static int ask_dpkg(const struct strings *argv, struct buf *ret)
{
	static const char *const env[] = { "LC_ALL=C", "PATH=/usr/bin:/bin", NULL };
	AUTO_CLOSE int out = -1;
	AUTO(process) p = NULL;
	AUTO(mapping) m = NULL;
	int status, rc = file_unnamed(true, &out, NULL);

	if (rc == RC_OK)
		rc = process_start(&(struct process_spec){ .argv = strings_list(argv), .env = env,
							   .in = -1, .out = out, .err = -1 }, &p, NULL);
	if (rc == RC_OK)
		rc = process_wait(p, ASK_MS, &status, NULL);
	if (rc == RC_OK)
		rc = mapping_open(out, "dpkg-query's answer", &m, NULL);
	if (rc == RC_OK)
		buf_add_span(ret, mapping_span(m));
	return rc;
}

/* "libfoo1:amd64: /usr/lib/…": the name, without what stands behind a ':' or ','. */
static void take_owner(struct doctor_modules *m, struct span line)
{
	ssize_t path = span_find(line, SPAN_LIT(": /"), 0);
	struct span name;
	size_t end = 0;

	if (path < 0 || span_starts(line, SPAN_LIT("diversion ")))
		return;
	name = span_sub(line, 0, (size_t)path);
	while (end < name.len && name.p[end] != ':' && name.p[end] != ',')
		end++;
	line = span_sub(line, (size_t)path + 2, line.len);
	for (size_t i = 0; i < m->n; i++) {
		struct span file = span_str(m->v[i].path);

		/* dpkg may know it without the /usr that a merged system puts before it */
		if (!m->v[i].package &&
		    (span_eq(file, line) || (span_starts(file, SPAN_LIT("/usr/")) &&
					     span_eq(span_sub(file, 4, file.len), line))))
			m->v[i].package = xstrndup(name.p, end);
	}
}

static void take_version(struct doctor_modules *m, struct span line)
{
	ssize_t space = span_find(line, SPAN_LIT(" "), 0);

	for (size_t i = 0; space > 0 && i < m->n; i++)
		if (m->v[i].package && !m->v[i].version &&
		    span_eq_str(span_sub(line, 0, (size_t)space), m->v[i].package))
			m->v[i].version = xstrndup(line.p + space + 1, line.len - (size_t)space - 1);
}

static void each_line(struct doctor_modules *m, const struct buf *text,
		      void (*take)(struct doctor_modules *m, struct span line))
{
	struct span all = buf_span(text);

	for (size_t at = 0, end; at < all.len; at = end) {
		end = span_line_end(all, at);
		take(m, span_trim(span_sub(all, at, end)));
	}
}

void doctor_packages(struct doctor_modules *m)
{
	struct strings files = { 0 }, names = { 0 };
	AUTO_BUF owners = BUF_INIT, versions = BUF_INIT;

	strings_add(&files, xstrdup("dpkg-query"));
	strings_add(&files, xstrdup("-S"));
	strings_add(&files, xstrdup("--"));
	strings_add(&names, xstrdup("dpkg-query"));
	strings_add(&names, xstrdup("-W"));
	strings_add(&names, xstrdup("-f${Package} ${Version}\\n"));
	strings_add(&names, xstrdup("--"));
	for (size_t i = 0; i < m->n; i++) {
		/* what has its symbols needs no package; neither do patterns, as dpkg takes them */
		if ((m->v[i].symbols && i > 0) || m->v[i].path[0] != '/' ||
		    strpbrk(m->v[i].path, "*?[\\"))
			continue;
		strings_add(&files, xstrdup(m->v[i].path));
		if (strncmp(m->v[i].path, "/usr/", 5) == 0)
			strings_add(&files, xstrdup(m->v[i].path + 4));
	}
	if (files.n > 3 && ask_dpkg(&files, &owners) == RC_OK)
		each_line(m, &owners, take_owner);
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].package)
			strings_add(&names, xstrdup(m->v[i].package));
	if (names.n > 4 && ask_dpkg(&names, &versions) == RC_OK)
		each_line(m, &versions, take_version);
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].package && !m->v[i].version) {
			free(m->v[i].package);
			m->v[i].package = NULL;
		}
	strings_done(&files);
	strings_done(&names);
}

/* Debian makes one by debhelper for each package (name-dbgsym); glibc makes its own. */
char *doctor_debug_package(const char *package)
{
	if (strcmp(package, "libc6") == 0)
		return xstrdup("libc6-dbg");
	if (span_ends(span_str(package), SPAN_LIT("-dbg")))
		return xstrdup(package);
	return xasprintf("%s-dbgsym", package);
}
