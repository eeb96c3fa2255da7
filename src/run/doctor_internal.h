/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_DOCTOR_INTERNAL_H
#define CORESCRUB_DOCTOR_INTERNAL_H

#include <corescrub/elfcore.h>
#include <corescrub/gdb.h>
#include <corescrub/report.h>
#include <corescrub/run.h>

/*
 * The doctor: each part looks at one thing and adds rows, from what makes a report impossible to
 * what would make it better. Nothing here changes anything.
 */

enum doctor_subject { SUBJECT_MACHINE, SUBJECT_PID, SUBJECT_PROGRAM, SUBJECT_CORE };

struct doctor {
	const struct run_doctor_job *job;
	enum doctor_subject subject;
	pid_t pid;			/* SUBJECT_PID */
	struct gdb_profile *profile;	/* the program's, or NULL */
	struct arena *arena;		/* the rows' texts */
	struct report_check *rows;
	size_t n, cap;
};

/* A row; `todo` (may be NULL) and the words are copied. */
void doctor_add(struct doctor *d, const char *id, enum report_grade verdict, const char *todo,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The first line of a small file, or NULL. A path of the system's settings goes through
   doctor_system. */
char *doctor_line(const char *path);
char *doctor_system(const struct doctor *d, const char *path);	/* the job's root before it */

/* What befalls the next core: limits, core_pattern and its folder, suid_dumpable. */
void doctor_machine(struct doctor *d);
/* The LimitCORE= of a systemd unit's files, or NULL where none sets it. */
char *doctor_unit_limit(const struct doctor *d, const char *unit);

/* One file of a program, as its row. */
struct doctor_module {
	char *path;
	struct elfcore_build build;
	bool here;			/* it could be opened, and is the one that was mapped */
	bool symbols;			/* DWARF of its own, or in an installed debug file */
	char *package, *version;	/* Debian's, or NULL */
};
struct doctor_modules {
	struct doctor_module *v;
	size_t n, cap;
};
void doctor_modules_done(struct doctor_modules *m);
/* Looks at an open file; `path` is what it is called. */
void doctor_module_add(struct doctor_modules *m, int fd, const char *path);
/* Rows on the program (v[0]) and its modules: symbols, optimisation, lock tracking, packages. */
void doctor_modules_judge(struct doctor *d, struct doctor_modules *m);
/* Fills in which Debian packages the files belong to. */
void doctor_packages(struct doctor_modules *m);
/* The package that holds a package's debug symbols; the caller frees. */
char *doctor_debug_package(const char *package);

#endif
