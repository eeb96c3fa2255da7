/* SPDX-License-Identifier: Apache-2.0 */
#include "gdb_internal.h"
#include <stdlib.h>
#include <unistd.h>

/* The list is made by asking, not by allowing /usr/lib: a core may name any file there. */

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash != path ? xstrndup(path, (size_t)(slash - path)) : xstrdup("/");
}

/* From "…/libpython3.11.so.1.0": the module folders of that version, beside it and where
   distributions put what is not compiled. */
static void add_python(const char *library, const char *name, struct strings *ret)
{
	AUTO_FREE char *folder = folder_of(library);
	const char *version = name + strlen("libpython");
	const char *end = strstr(version, ".so");
	int n = end ? (int)(end - version) : 0;

	strings_add(ret, xasprintf("%s/python%.*s", folder, n, version));
	strings_add(ret, xasprintf("%s/../python%.*s", folder, n, version));
	strings_add(ret, xasprintf("/usr/lib/python%.*s", n, version));
	strings_add(ret, xasprintf("/etc/python%.*s", n, version));	/* linked to from there */
}

/* libthread_db is opened by name from beside libc, character sets from gconv below it. */
static void add_companions(const char *library, struct strings *ret)
{
	AUTO_FREE char *folder = folder_of(library);
	const char *name = strrchr(library, '/') + 1;

	if (strncmp(name, "libpython", strlen("libpython")) == 0)
		add_python(library, name, ret);
	if (strncmp(name, "libc.so", strlen("libc.so")) == 0) {
		strings_add(ret, xasprintf("%s/libthread_db.so.1", folder));
		strings_add(ret, xasprintf("%s/gconv", folder));
	}
}

static void add_data(const char *program, struct strings *ret)
{
	static const char *const fixed[] = {
		"/usr/lib/debug", "/etc/ld.so.cache", "/usr/lib/locale", "/usr/share/locale",
		"/etc/localtime", "/usr/share/zoneinfo", "/dev/null", "/dev/urandom",
		"/sys/devices/system/cpu",
	};
	AUTO_FREE char *bin = folder_of(program);

	strings_add(ret, xasprintf("%s/../share/gdb", bin));	/* PREFIX/share/gdb */
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		strings_add(ret, xstrdup(fixed[i]));
}

static char *find_gdb(const char *gdb, struct err *err)
{
	char *path = process_find_program(gdb ? gdb : "gdb");

	if (path && access(path, X_OK) == 0)
		return path;
	if (path)
		err_errno(err, RC_NOTFOUND, "can't run %s", gdb);
	else
		err_set(err, RC_NOTFOUND, "there is no %s", gdb ? gdb : "gdb");
	err_hint(err, "install gdb, or name it by --gdb");
	free(path);
	return NULL;
}

int gdb_libraries(const char *gdb, struct strings *ret, struct err *err)
{
	AUTO_FREE char *path = find_gdb(gdb, err);

	return path ? process_libraries(path, ret, err) : RC_NOTFOUND;
}

int gdb_install_find(const struct gdb_job *job, struct gdb_install *ret, struct err *err)
{
	struct gdb_install g = { .path = find_gdb(job->gdb, err) };
	const char *loader = process_loader();
	size_t libraries;
	int rc = RC_OK;

	if (!g.path)
		return RC_NOTFOUND;
	strings_add(&g.exec, xstrdup(g.path));
	if (loader && job->sandbox) {
		strings_add(&g.exec, xstrdup(loader));
		for (size_t i = 0; job->libraries && i < job->libraries->n; i++)
			strings_add(&g.read, xstrdup(job->libraries->v[i]));
		if (!job->libraries)
			rc = process_libraries(g.path, &g.read, err);
	}
	if (rc < 0) {
		gdb_install_done(&g);
		return rc;
	}
	libraries = g.read.n;
	for (size_t i = 0; i < libraries; i++)
		add_companions(g.read.v[i], &g.read);
	add_data(g.path, &g.read);
	for (const char *const *f = job->readable; f && *f; f++)
		strings_add(&g.read, xstrdup(*f));
	*ret = g;
	return RC_OK;
}

void gdb_install_done(struct gdb_install *g)
{
	free(g->path);
	strings_done(&g->read);
	strings_done(&g->exec);
	g->path = NULL;
}
