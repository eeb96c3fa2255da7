/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* What gdb could say of a program and its modules: names, lines, values. */

void doctor_modules_done(struct doctor_modules *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].path);
		free(m->v[i].package);
		free(m->v[i].version);
	}
	free(m->v);
	*m = (struct doctor_modules){ .n = 0 };
}

/* The debug file where a confined gdb finds it: below /usr/lib/debug, by build id or by name. */
static char *debug_file(const struct elfcore_build *b, const char *path)
{
	AUTO_FREE char *by_id = elfcore_debug_path(b->build_id, b->build_id_len);
	AUTO_FREE char *by_name = NULL;
	const char *slash = strrchr(path, '/');

	if (by_id)
		return STEAL(by_id);
	if (!b->debuglink[0] || !slash)
		return NULL;
	by_name = xasprintf("/usr/lib/debug%.*s/%s", (int)(slash - path), path, b->debuglink);
	return access(by_name, R_OK) == 0 ? STEAL(by_name) : NULL;
}

void doctor_module_add(struct doctor_modules *m, int fd, const char *path)
{
	struct doctor_module one = { .path = NULL };
	AUTO_FREE char *debug = NULL;

	if (elfcore_build_probe(fd, &one.build, NULL) < 0)
		return;
	one.symbols = one.build.debug_info;
	debug = one.symbols ? NULL : debug_file(&one.build, path);
	if (debug) {
		AUTO_CLOSE int other = open(debug, O_RDONLY | O_CLOEXEC);
		struct elfcore_build b;

		if (other >= 0 && elfcore_build_probe(other, &b, NULL) == RC_OK && b.debug_info) {
			one.symbols = true;
			one.build.symtab |= b.symtab;
			one.build.units = b.units;
			one.build.optimised = b.optimised;
		}
	}
	one.path = xstrdup(path);
	GROW(m->v, m->n, m->cap);
	m->v[m->n++] = one;
}

/* What apt is asked for, or NULL for a file that no package holds. */
static char *debug_package(const struct doctor_module *m)
{
	AUTO_FREE char *package = m->package ? doctor_debug_package(m->package) : NULL;

	if (!package)
		return NULL;
	/* Debian's own archive has glibc's, of whatever version it has glibc */
	return strcmp(package, "libc6-dbg") == 0 ? STEAL(package) :
						   xasprintf("%s=%s", package, m->version);
}

/* What to do for a file without symbols. */
static char *symbols_todo(const struct doctor_module *m)
{
	AUTO_FREE char *debug = elfcore_debug_name(m->build.build_id, m->build.build_id_len);
	AUTO_FREE char *package = debug_package(m);

	if (package)
		return xasprintf("apt install %s (from the archive debian-debug; ddebs on Ubuntu)", package);
	if (debug)
		return xasprintf("build it with -g and don't strip it, or put its debug file at %s", debug);
	return xstrdup("build it with -g and don't strip it");
}

static void judge_program(struct doctor *d, const struct doctor_module *m)
{
	AUTO_FREE char *todo = symbols_todo(m);

	if (m->symbols)
		doctor_add(d, "program-symbols", REPORT_GOOD, NULL, "%s has debug symbols", m->path);
	else if (m->build.symtab)
		doctor_add(d, "program-symbols", REPORT_POOR, todo,
			   "%s has no debug symbols: functions have names, but no lines or variables",
			   m->path);
	else
		doctor_add(d, "program-symbols", REPORT_USELESS, todo,
			   "%s is stripped: frames have no names, lines or variables", m->path);
	if (m->build.build_id_len == 0)
		doctor_add(d, "build-id", REPORT_POOR, "link it with -Wl,--build-id",
			   "%s has no build id: nobody can tell whether a core is of this build, and "
			   "report doesn't open it unasked", m->path);
	if (!m->symbols || m->build.units == 0)
		return;
	if (m->build.optimised)
		doctor_add(d, "optimisation", REPORT_NOTE,
			   "for the values of all variables build with -Og or -O0",
			   "%zu of %zu compilation units are optimised: variables can be <optimized out>",
			   m->build.optimised, m->build.units);
	else
		doctor_add(d, "optimisation", REPORT_GOOD, NULL, "built without optimisation");
}

static void judge_lock_tracking(struct doctor *d, const struct doctor_module *m)
{
	const struct gdb_profile *p = d->profile;
	AUTO_CLOSE int fd = -1;

	if (!p || !p->lock_tracking.n)
		return;
	fd = open(m->path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && elfcore_build_defines(fd, strings_list(&p->lock_tracking)))
		doctor_add(d, "lock-tracking", REPORT_GOOD, NULL, "%s tracks its locks", p->name);
	else
		doctor_add(d, "lock-tracking", REPORT_NOTE, p->lock_tracking_hint,
			   "%s doesn't track its locks: locks.txt shows what threads wait for, but "
			   "not where each lock was taken", p->name);
}

static bool same_package(const struct doctor_module *a, const struct doctor_module *b)
{
	return a->package && b->package && strcmp(a->package, b->package) == 0;
}

/* Was the package told with a module before this one? */
static bool is_told(const struct doctor_modules *m, size_t i)
{
	for (size_t k = 1; k < i; k++)
		if (!m->v[k].symbols && same_package(&m->v[k], &m->v[i]))
			return true;
	return false;
}

/* The program's own modules matter more than the system's, which share a row. */
static void judge_modules(struct doctor *d, const struct doctor_modules *m)
{
	AUTO_BUF names = BUF_INIT, wanted = BUF_INIT;
	size_t missing = 0, packages = 0;

	for (size_t i = 1; i < m->n; i++) {
		const struct doctor_module *one = &m->v[i];
		AUTO_FREE char *todo = symbols_todo(one);
		AUTO_FREE char *package = debug_package(one);

		if (one->symbols)
			continue;
		missing++;
		if (!one->package || same_package(one, &m->v[0])) {
			doctor_add(d, "module-symbols", REPORT_POOR, todo, "%s has no debug symbols",
				   one->path);
		} else if (!is_told(m, i)) {
			packages++;
			buf_addf(&names, "%s%s", names.len ? ", " : "", one->package);
			buf_addf(&wanted, " %s", package);
		}
	}
	if (packages) {
		AUTO_FREE char *todo = xasprintf("if frames of theirs matter: apt install%s (from the "
						 "archive debian-debug; ddebs on Ubuntu)", wanted.p);

		doctor_add(d, "library-symbols", REPORT_NOTE, todo,
			   "%zu package%s of the system without debug symbols: %s", packages,
			   packages == 1 ? "" : "s", names.p);
	}
	if (!missing && m->n > 1)
		doctor_add(d, "module-symbols", REPORT_GOOD, NULL, "all %zu modules have debug symbols",
			   m->n - 1);
}

void doctor_modules_judge(struct doctor *d, struct doctor_modules *m)
{
	if (m->n == 0) {
		doctor_add(d, "program", REPORT_USELESS, "name an ELF program, a core or a process's "
			   "number", "%s is no 64-bit ELF file", d->job->subject);
		return;
	}
	doctor_packages(m);
	judge_program(d, &m->v[0]);
	judge_lock_tracking(d, &m->v[0]);
	judge_modules(d, m);
}
