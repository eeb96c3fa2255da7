/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor_internal.h"
#include "run_texts.h"

#include <corescrub/rule.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Is this machine, process, program or core fit for a useful report? */

void doctor_add(struct doctor *d, const char *id, enum report_grade verdict, const char *todo,
		const char *fmt, ...)
{
	AUTO_FREE char *found = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&found, fmt, ap) < 0)
		abort();
	va_end(ap);
	GROW(d->rows, d->n, d->cap);
	d->rows[d->n++] = (struct report_check){
		.id = id,
		.verdict = verdict,
		.found = arena_strndup(d->arena, found, strlen(found)),
		.todo = todo ? arena_strndup(d->arena, todo, strlen(todo)) : NULL,
	};
}

char *doctor_line(const char *path)
{
	AUTO_BUF text = BUF_INIT;
	struct span line;

	if (file_read(path, KIB(64), &text, NULL) < 0)
		return NULL;
	line = buf_span(&text);
	return xstrndup(text.p ? text.p : "", span_trim(span_sub(line, 0, span_line_end(line, 0))).len);
}

char *doctor_system(const struct doctor *d, const char *path)
{
	return xasprintf("%s%s", d->job->root ? d->job->root : "", path);
}

static void look_at_gdb(struct doctor *d)
{
	struct gdb_job job = { .core_fd = -1, .core_name = "nothing", .gdb = d->job->gdb,
			       .timeout_s = 60, .sandbox = true, .uid = geteuid(),
			       .gid = getegid() };
	struct gdb_probe p;
	struct err err = ERR_INIT;

	if (gdb_probe(&job, &p, &err) < 0) {
		doctor_add(d, "gdb", REPORT_USELESS,
			   err.code == RC_NOTFOUND ? "install gdb, or name one by --gdb" :
						     "name another gdb by --gdb",
			   "%s", err.msg);
		return;
	}
	doctor_add(d, "gdb", REPORT_GOOD, NULL, "%s, %s", p.path, p.version);
	if (p.python)
		doctor_add(d, "gdb-python", REPORT_GOOD, NULL, "gdb has Python");
	else
		doctor_add(d, "gdb-python", REPORT_POOR,
			   "install a gdb with Python (Debian: gdb instead of gdb-minimal)",
			   "gdb has no Python, or it can't start: info.txt and locks.txt go without "
			   "the program's own tables");
	gdb_probe_done(&p);
}

static void look_at_rules(struct doctor *d)
{
	bool sound;
	const char *version = rule_probe(&sound);

	if (sound)
		doctor_add(d, "rules-engine", REPORT_GOOD, NULL, "libhs %s", version);
	else
		doctor_add(d, "rules-engine", REPORT_NOTE, "install another version of libhs",
			   "libhs %s loses matches on this processor: corescrub does without it, at a "
			   "tenth of the speed", version);
}

static void look_at_confinement(struct doctor *d)
{
	unsigned there = sandbox_probe();
	AUTO_BUF missing = BUF_INIT;

	for (unsigned bit = 1; bit <= SANDBOX_OWNER; bit <<= 1)
		if (!(there & bit))
			buf_addf(&missing, "%s%s", missing.len ? ", " : "",
				 sandbox_part_name((enum sandbox_part)bit));
	if (!missing.len)
		doctor_add(d, "confinement", REPORT_GOOD, NULL, "gdb can be confined in every way");
	else if (geteuid() == 0)
		doctor_add(d, "confinement", REPORT_USELESS,
			   "run report as another user, or where the kernel has it; --no-sandbox "
			   "does without all confinement",
			   "missing: %s; as root report refuses to run gdb like this", missing.p);
	else
		doctor_add(d, "confinement", REPORT_NOTE,
			   "a newer kernel, or a container that allows it, has it",
			   "missing: %s; gdb runs with the rest", missing.p);
}

static void find_profile(struct doctor *d, const char *program)
{
	struct err err = ERR_INIT;

	if (program && run_profile(d->job->profiles, program, &d->profile, &err) < 0)
		doctor_add(d, "profile", REPORT_POOR, NULL, "%s%s%s", err.file, err.file[0] ? ": " : "",
			   err.msg);
	else if (d->profile)
		doctor_add(d, "profile", REPORT_GOOD, NULL, "%s: its own tables come too",
			   d->profile->name);
}

/* The mapped files of a process, each once, the program first. */
static void add_mapped(struct doctor_modules *m, pid_t pid)
{
	AUTO_FREE char *maps = xasprintf("/proc/%d/maps", (int)pid);
	AUTO_BUF text = BUF_INIT;
	struct span all;
	struct strings seen = { 0 };

	if (file_read(maps, MIB(64), &text, NULL) < 0)
		return;
	all = buf_span(&text);
	for (size_t at = 0, end; at < all.len; at = end) {
		struct span line;
		ssize_t slash;
		bool known = false;

		end = span_line_end(all, at);
		line = span_trim(span_sub(all, at, end));
		slash = span_find(line, SPAN_LIT(" /"), 0);
		if (slash < 0 || span_ends(line, SPAN_LIT(" (deleted)")) ||
		    span_find(line, SPAN_LIT(" r-xp "), 0) < 0)
			continue;
		line = span_sub(line, (size_t)slash + 1, line.len);
		for (size_t i = 0; i < seen.n && !known; i++)
			known = span_eq_str(line, seen.v[i]);
		for (size_t i = 0; i < m->n && !known; i++)
			known = span_eq_str(line, m->v[i].path);
		if (!known)
			strings_add(&seen, xstrndup(line.p, line.len));
	}
	for (size_t i = 0; i < seen.n; i++) {
		AUTO_FREE char *inside = xasprintf("/proc/%d/root%s", (int)pid, seen.v[i]);
		AUTO_CLOSE int fd = open(inside, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd >= 0)
			doctor_module_add(m, fd, seen.v[i]);
	}
	strings_done(&seen);
}

/* Was the process started with the option that makes it leave cores? "-fgvvv" holds the letter
   g. */
static void look_at_dump_option(struct doctor *d)
{
	const char *letter = d->profile ? d->profile->dump_option : NULL;
	AUTO_FREE char *path = xasprintf("/proc/%d/cmdline", (int)d->pid);
	AUTO_BUF args = BUF_INIT;
	bool given = false;

	if (!letter || file_read(path, MIB(4), &args, NULL) < 0 || !args.p)
		return;
	for (const char *arg = args.p; arg < args.p + args.len; arg += strlen(arg) + 1)
		given |= arg[0] == '-' && arg[1] != '-' && strchr(arg, letter[0]);
	if (given)
		doctor_add(d, "dump-option", REPORT_GOOD, NULL, "started with -%s", letter);
	else
		doctor_add(d, "dump-option", REPORT_POOR, d->profile->dump_hint,
			   "started without -%s", letter);
}

static int look_at_process(struct doctor *d, struct err *err)
{
	AUTO_FREE char *exe = xasprintf("/proc/%d/exe", (int)d->pid);
	AUTO_FREE char *path = NULL;
	AUTO_CLOSE int fd = open(exe, O_RDONLY | O_CLOEXEC);
	struct doctor_modules m = { .n = 0 };
	char name[4096];
	ssize_t n = readlink(exe, name, sizeof(name));

	if (n < 0 && errno == ENOENT)
		return err_set(err, RC_NOTFOUND, "there is no such process");
	if (fd < 0 || n < 0) {
		doctor_machine(d);
		doctor_add(d, "program", REPORT_NOTE, "run doctor as root or as the program's user",
			   "the process's program can't be looked at");
		return RC_OK;
	}
	path = xstrndup(name, (size_t)n);
	find_profile(d, path);
	doctor_machine(d);
	look_at_dump_option(d);
	if (n > 10 && strcmp(path + n - 10, " (deleted)") == 0)
		doctor_add(d, "program", REPORT_POOR, "restart the program, so that it runs what is "
			   "installed", "the process runs a program that was replaced or removed");
	doctor_module_add(&m, fd, path);
	add_mapped(&m, d->pid);
	doctor_modules_judge(d, &m);
	doctor_modules_done(&m);
	return RC_OK;
}

static void look_at_program(struct doctor *d, int fd)
{
	AUTO_FREE char *path = realpath(d->job->subject, NULL);	/* packages hold files, not links */
	struct doctor_modules m = { .n = 0 };
	struct strings libraries = { 0 };

	find_profile(d, d->job->subject);
	doctor_machine(d);
	doctor_module_add(&m, fd, path ? path : d->job->subject);
	if (process_libraries(d->job->subject, &libraries, NULL) < 0)
		doctor_add(d, "modules", REPORT_NOTE, NULL, "its libraries can't be listed");
	for (size_t i = 0; i < libraries.n; i++) {
		AUTO_CLOSE int lib = open(libraries.v[i], O_RDONLY | O_CLOEXEC);

		if (lib >= 0)
			doctor_module_add(&m, lib, libraries.v[i]);
	}
	doctor_modules_judge(d, &m);
	doctor_modules_done(&m);
	strings_done(&libraries);
}

/* The stack of the thread that crashed is what a cut core loses last, and what it is useless
   without. */
static void judge_cut(struct doctor *d, const struct elfcore *c)
{
	size_t n = 0;
	const struct elfcore_thread *t = elfcore_threads(c, &n);
	static const char todo[] = "give cores more room (limits, disk, the handler's greatest size) "
				   "and let it crash again";
	char word[8];

	if (!elfcore_info(c)->truncated)
		doctor_add(d, "core", REPORT_GOOD, NULL, "whole, %zu threads", n);
	else if (n == 0 || elfcore_read(c, t[0].sp, word, sizeof(word)) != sizeof(word))
		doctor_add(d, "core", REPORT_USELESS, todo,
			   "truncated: the crashing thread's stack is not in it");
	else
		doctor_add(d, "core", REPORT_POOR, todo,
			   "truncated: threads or variables will be missing");
}

static void judge_files(struct doctor *d, const struct elfcore *c, uid_t uid, gid_t gid)
{
	const char *program = elfcore_info(c)->program;
	size_t n, gone = 0, other = 0;
	const struct elfcore_file *f = elfcore_files(c, &n);
	struct doctor_modules m = { .n = 0 };
	bool has_program = false;

	/* twice, so that the program is the first row */
	for (size_t i = 0; i < 2 * n; i++) {
		const struct elfcore_file *file = &f[i % n];
		bool is_program = program && strcmp(program, file->path) == 0;
		AUTO_CLOSE int fd = -1;
		struct err why = ERR_INIT;

		if (!file->elf || is_program != (i < n) || (is_program && has_program))
			continue;
		if (elfcore_vouch(c, file, d->job->sysroot, uid, gid, &fd, &why) == RC_OK) {
			has_program |= is_program;
			doctor_module_add(&m, fd, file->path);
		} else if (is_program) {
			doctor_add(d, "core-program", REPORT_USELESS,
				   "fetch the very build that crashed and name it by --exe, or its "
				   "folder by --sysroot", "%s: %s", file->path, why.msg);
		} else if (file->path[0] == '/') {
			*(why.code == RC_NOTFOUND ? &gone : &other) += 1;
		}
	}
	if (has_program)
		doctor_add(d, "core-program", REPORT_GOOD, NULL,
			   "the program on disk is the build that crashed");
	else if (!program)
		doctor_add(d, "core-program", REPORT_USELESS, "name the program by --exe",
			   "the core doesn't tell which program it is of");
	if (gone + other)
		doctor_add(d, "core-modules", REPORT_POOR,
			   "install the builds that crashed again, or name a folder that holds them by "
			   "--sysroot",
			   "of the mapped modules %zu are gone and %zu are another build: no names in "
			   "their frames", gone, other);
	if (has_program)
		doctor_modules_judge(d, &m);
	doctor_modules_done(&m);
}

static int look_at_core(struct doctor *d, int fd, struct err *err)
{
	AUTO(elfcore) c = NULL;
	struct err why = ERR_INIT;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, RC_IO, "%s", d->job->subject);
	if (elfcore_open(fd, d->job->subject, &c, &why) < 0) {
		doctor_add(d, "core", REPORT_USELESS, "let it crash again", "%s", why.msg);
		return RC_OK;
	}
	find_profile(d, elfcore_info(c)->program);
	judge_cut(d, c);
	judge_files(d, c, st.st_uid, st.st_gid);
	doctor_machine(d);
	return RC_OK;
}

static bool is_number(const char *s)
{
	const char *p = s;

	while (isdigit((unsigned char)*p))
		p++;
	return p > s && *p == '\0' && p - s < 10;
}

static int look_at_subject(struct doctor *d, struct err *err)
{
	const char *subject = d->job->subject;
	AUTO_CLOSE int fd = -1;
	struct stat st;

	if (!subject) {
		doctor_machine(d);
		return RC_OK;
	}
	if (is_number(subject)) {
		d->subject = SUBJECT_PID;
		d->pid = atoi(subject);
		return look_at_process(d, err);
	}
	fd = open(subject, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_IO, "can't open %s", subject);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, RC_FORMAT, "%s is no regular file", subject);
	d->subject = elfcore_probe(fd) ? SUBJECT_CORE : SUBJECT_PROGRAM;
	if (d->subject == SUBJECT_CORE)
		return look_at_core(d, fd, err);
	look_at_program(d, fd);
	return RC_OK;
}

int run_doctor(const struct run_doctor_job *job, bool as_json, struct run_doctor_result *ret,
	       struct err *err)
{
	struct doctor d = { .job = job, .arena = arena_new() };
	int rc = look_at_subject(&d, err);

	if (rc == RC_OK) {
		look_at_gdb(&d);
		look_at_confinement(&d);
		look_at_rules(&d);
		*ret = (struct run_doctor_result){ .table = BUF_INIT };
		for (size_t i = 0; i < d.n; i++)
			ret->useless += d.rows[i].verdict == REPORT_USELESS;
		report_checks(d.rows, d.n, as_json, &ret->table);
	}
	gdb_profile_free(d.profile);
	free(d.rows);
	arena_free(d.arena);
	return rc;
}
