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

/* What to do for a file without symbols. */
static char *symbols_todo(const struct doctor_module *m)
{
	AUTO_FREE char *debug = elfcore_debug_name(m->build.build_id, m->build.build_id_len);
	AUTO_FREE char *package = m->package ? doctor_debug_package(m->package) : NULL;

	if (package && strcmp(package, "libc6-dbg") == 0)
		return xstrdup("apt install libc6-dbg");
	if (package)
		return xasprintf("apt install %s=%s, from the archive debian-debug (ddebs on Ubuntu)",
				 package, m->version);
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

/* One row for all modules of a package, or for one that no package holds. */
static void judge_group(struct doctor *d, const struct doctor_modules *m, size_t first)
{
	const struct doctor_module *one = &m->v[first];
	AUTO_FREE char *todo = symbols_todo(one);
	/* a program's own modules matter more than the system's */
	enum report_grade v = !one->package || same_package(one, &m->v[0]) ? REPORT_POOR :
									       REPORT_NOTE;
	size_t n = 0;

	for (size_t i = 1; i < m->n; i++) {
		if (m->v[i].symbols || !(i == first || same_package(&m->v[i], one)))
			continue;
		if (i < first)
			return;		/* told with that one */
		n++;
	}
	if (one->package)
		doctor_add(d, "module-symbols", v, todo, "%s (%zu module%s) has no debug symbols here",
			   one->package, n, n == 1 ? "" : "s");
	else
		doctor_add(d, "module-symbols", v, todo, "%s has no debug symbols", one->path);
}

void doctor_modules_judge(struct doctor *d, struct doctor_modules *m)
{
	size_t missing = 0;

	if (m->n == 0) {
		doctor_add(d, "program", REPORT_USELESS, "name an ELF program, a core or a process's "
			   "number", "%s is no 64-bit ELF file", d->job->subject);
		return;
	}
	doctor_packages(m);
	judge_program(d, &m->v[0]);
	judge_lock_tracking(d, &m->v[0]);
	for (size_t i = 1; i < m->n; i++) {
		if (m->v[i].symbols)
			continue;
		missing++;
		judge_group(d, m, i);
	}
	if (!missing && m->n > 1)
		doctor_add(d, "module-symbols", REPORT_GOOD, NULL, "all %zu modules have debug symbols",
			   m->n - 1);
}
