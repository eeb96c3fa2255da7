/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor_internal.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Would the next crash leave a core, whole, and where? core(5), proc(5), systemd.exec(5). */

#define ROOM_REPORT	MIB(64)		/* five texts, pages and a package, with room to spare */
#define ROOM_CORE	MIB(16)		/* no core of a real program is smaller */
#define ROOM_ENOUGH	((uint64_t)1 << 30)

/* The process whose limits count: the one asked about, or the shell that started us, as our own
   were taken away when we began. */
static pid_t limits_of(const struct doctor *d)
{
	return d->subject == SUBJECT_PID ? d->pid : getppid();
}

/* "Max core file size       0        unlimited     bytes": the soft limit's word, or NULL. */
static char *core_limit(pid_t pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/limits", (int)pid);
	AUTO_BUF text = BUF_INIT;
	char word[32];
	const char *line;

	if (file_read(path, KIB(64), &text, NULL) < 0 || !text.p)
		return NULL;
	line = strstr(text.p, "Max core file size");
	if (!line || sscanf(line, "Max core file size %31s", word) != 1)
		return NULL;
	return xstrdup(word);
}

/* A number in /proc/PID/status, by its label; fallback if it isn't there. */
static uint64_t status_number(pid_t pid, const char *label, uint64_t fallback)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/status", (int)pid);
	AUTO_FREE char *want = xasprintf("\n%s:", label);
	AUTO_BUF text = BUF_INIT;
	const char *line;

	if (file_read(path, KIB(64), &text, NULL) < 0 || !text.p)
		return fallback;
	line = strstr(text.p, want);
	return line ? strtoull(line + strlen(want), NULL, 10) : fallback;
}

/* The last LimitCORE= of a file, where there is one. */
static void take_limit(const char *path, char **limit)
{
	AUTO_BUF text = BUF_INIT;
	struct span all;

	if (file_read(path, MIB(1), &text, NULL) < 0)
		return;
	all = buf_span(&text);
	for (size_t at = 0, end; at < all.len; at = end) {
		struct span line;

		end = span_line_end(all, at);
		line = span_trim(span_sub(all, at, end));
		if (!span_starts(line, SPAN_LIT("LimitCORE=")))
			continue;
		line = span_trim(span_sub(line, strlen("LimitCORE="), line.len));
		free(*limit);
		*limit = xstrndup(line.p, line.len);
	}
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_setting(const struct dirent *e)
{
	return span_ends(span_str(e->d_name), SPAN_LIT(".conf"));
}

/* The unit's file, then what is dropped in: the most local file has the last word. */
char *doctor_unit_limit(const struct doctor *d, const char *unit)
{
	static const char *const places[] = { "/lib/systemd/system", "/usr/lib/systemd/system",
					      "/run/systemd/system", "/etc/systemd/system" };
	char *limit = NULL;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(places); i++) {
		const char *place = places[i % ARRAY_SIZE(places)];
		bool dropped = i >= ARRAY_SIZE(places);
		AUTO_FREE char *inside = xasprintf("%s/%s%s", place, unit, dropped ? ".d" : "");
		AUTO_FREE char *path = doctor_system(d, inside);
		struct dirent **list = NULL;
		int n = dropped ? scandir(path, &list, is_setting, by_name) : 0;

		if (!dropped)
			take_limit(path, &limit);
		for (int k = 0; k < n; k++) {
			AUTO_FREE char *file = xasprintf("%s/%s", path, list[k]->d_name);

			take_limit(file, &limit);
			free(list[k]);
		}
		free(list);
	}
	return limit;
}

/* "0::/system.slice/asterisk.service": the unit's name, or NULL. */
static char *unit_of(pid_t pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/cgroup", (int)pid);
	AUTO_FREE char *line = doctor_line(path);
	const char *slash = line ? strrchr(line, '/') : NULL;

	return slash && span_ends(span_str(slash), SPAN_LIT(".service")) ? xstrdup(slash + 1) : NULL;
}

static void look_at_unit(struct doctor *d)
{
	AUTO_FREE char *unit = unit_of(d->pid);
	AUTO_FREE char *limit = unit ? doctor_unit_limit(d, unit) : NULL;
	AUTO_FREE char *todo = NULL;

	if (!unit)
		return;
	todo = xasprintf("systemctl edit %s: [Service] LimitCORE=infinity; then restart it", unit);
	if (!limit)
		doctor_add(d, "core-limit-unit", REPORT_NOTE, todo,
			   "%s sets no LimitCORE: systemd's default counts", unit);
	else if (strncmp(limit, "infinity", 8) == 0)
		doctor_add(d, "core-limit-unit", REPORT_GOOD, NULL, "%s: LimitCORE=%s", unit, limit);
	else
		doctor_add(d, "core-limit-unit", REPORT_POOR, todo, "%s: LimitCORE=%s", unit, limit);
}

/* To a pipe the kernel writes whatever the limit, but for 1 (fs/coredump.c). */
static void look_at_limit(struct doctor *d, bool pipe)
{
	AUTO_FREE char *limit = core_limit(limits_of(d));
	const char *who = d->subject == SUBJECT_PID ? "the process" : "this shell";
	AUTO_FREE char *todo =
		d->subject == SUBJECT_PID ?
			xasprintf("prlimit --pid %d --core=unlimited", (int)d->pid) :
			xstrdup("ulimit -c unlimited, then start the program from here");
	uint64_t bytes;

	if (!limit) {
		doctor_add(d, "core-limit", REPORT_NOTE, NULL, "%s: its limits can't be read", who);
		return;
	}
	bytes = strcmp(limit, "unlimited") == 0 ? UINT64_MAX : strtoull(limit, NULL, 10);
	if (bytes == UINT64_MAX || (pipe && bytes != 1))
		doctor_add(d, "core-limit", REPORT_GOOD, NULL, "%s: %s%s", who, limit,
			   pipe ? ", and a handler gets the core whatever it is" : "");
	else if (bytes < KIB(64))
		doctor_add(d, "core-limit", REPORT_USELESS, todo,
			   "%s: limit %s, so a crash leaves no core", who, limit);
	else
		doctor_add(d, "core-limit", REPORT_POOR, todo, "%s: cores are cut at %s bytes", who,
			   limit);
}

static char *cwd_of(pid_t pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/cwd", (int)pid);
	char cwd[4096];
	ssize_t n = readlink(path, cwd, sizeof(cwd));

	return n > 0 ? xstrndup(cwd, (size_t)n) : NULL;
}

/* The folder of a pattern's file, cut before the first %; from the process's folder if relative. */
static char *landing_folder(const struct doctor *d, const char *pattern)
{
	AUTO_FREE char *cwd = pattern[0] == '/' ? NULL : cwd_of(limits_of(d));
	AUTO_FREE char *path = NULL;
	char *percent, *slash;

	if (pattern[0] != '/' && !cwd)
		return NULL;
	path = cwd ? xasprintf("%s/%s", cwd, pattern) : xstrdup(pattern);
	percent = strchr(path, '%');
	if (percent)
		*percent = '\0';
	slash = strrchr(path, '/');
	slash[slash == path] = '\0';
	return STEAL(path);
}

/* Free bytes of the folder's file system for its users, root's reserve left out. */
static bool free_bytes(const char *folder, uint64_t *ret)
{
	struct statvfs v;

	if (statvfs(folder, &v) < 0)
		return false;
	*ret = (uint64_t)v.f_bavail * v.f_frsize;
	return true;
}

static void look_at_room(struct doctor *d, const char *folder, const char *shown, uint64_t need)
{
	uint64_t room;

	if (!free_bytes(folder, &room))
		return;
	if (room < need)
		doctor_add(d, "disk", REPORT_USELESS, "make room there, or let cores go elsewhere",
			   "%s has %llu MiB free, %llu MiB are needed", shown,
			   (unsigned long long)(room >> 20), (unsigned long long)(need >> 20));
	else if (room < ROOM_ENOUGH || room < 2 * need)
		doctor_add(d, "disk", REPORT_NOTE, "make room there",
			   "%s has %llu MiB free: enough for one core, not for many", shown,
			   (unsigned long long)(room >> 20));
	else
		doctor_add(d, "disk", REPORT_GOOD, NULL, "%s has %llu MiB free", shown,
			   (unsigned long long)(room >> 20));
}

/* May the process's user make files in it? By the folder's mode, as another user can't be asked. */
static bool may_write(const struct doctor *d, const struct stat *st)
{
	uint64_t uid = status_number(d->pid, "Uid", 0), gid = status_number(d->pid, "Gid", 0);

	if (d->subject != SUBJECT_PID || uid == 0)
		return true;
	if (st->st_uid == uid)
		return st->st_mode & S_IWUSR;
	if (st->st_gid == gid)
		return st->st_mode & S_IWGRP;
	return st->st_mode & S_IWOTH;
}

static void look_at_folder(struct doctor *d, const char *folder)
{
	AUTO_FREE char *seen = d->subject == SUBJECT_PID ?
				       xasprintf("/proc/%d/root%s", (int)d->pid, folder) :
				       xstrdup(folder);
	uint64_t need = ROOM_CORE;
	struct stat st;

	/* what is in memory is about what goes into the core: its anonymous pages, not its files */
	if (d->subject == SUBJECT_PID)
		need = (status_number(d->pid, "RssAnon", ROOM_CORE >> 10) +
			status_number(d->pid, "RssShmem", 0) + status_number(d->pid, "VmSwap", 0)) << 10;
	if (stat(seen, &st) < 0 || !S_ISDIR(st.st_mode)) {
		doctor_add(d, "core-place", REPORT_USELESS, "make the folder, or change core_pattern",
			   "the folder %s is not there: no core is written", folder);
		return;
	}
	if (!may_write(d, &st)) {
		doctor_add(d, "core-place", REPORT_USELESS,
			   "let the program's user write there, or change core_pattern",
			   "the program's user can't write in %s: no core is written", folder);
		return;
	}
	doctor_add(d, "core-place", REPORT_GOOD, NULL, "cores land in %s", folder);
	look_at_room(d, seen, folder, need);
}

static void look_at_handler(struct doctor *d, const char *handler)
{
	static const char note[] = "core-pattern";

	if (strstr(handler, "systemd-coredump"))
		doctor_add(d, note, REPORT_NOTE,
			   "coredumpctl list; coredumpctl -o FILE dump PID. ProcessSizeMax and "
			   "ExternalSizeMax in /etc/systemd/coredump.conf cut large cores",
			   "cores go to a pipe: systemd-coredump keeps them in /var/lib/systemd/coredump");
	else if (strstr(handler, "apport"))
		doctor_add(d, note, REPORT_POOR,
			   "sysctl -w kernel.core_pattern=/var/tmp/core-%e-%t",
			   "cores go to a pipe: apport drops those of programs that no package holds");
	else
		doctor_add(d, note, REPORT_NOTE, "look where that program leaves them, or: "
			   "sysctl -w kernel.core_pattern=/var/tmp/core-%e-%t",
			   "cores go to a pipe, to a program that decides where they land");
}

static void look_at_pattern(struct doctor *d, const char *pattern)
{
	AUTO_FREE char *folder = NULL;

	if (!*pattern) {
		doctor_add(d, "core-pattern", REPORT_USELESS,
			   "sysctl -w kernel.core_pattern=/var/tmp/core-%e-%t",
			   "core_pattern is empty: no core is written");
		return;
	}
	if (*pattern == '|' || *pattern == '@') {
		look_at_handler(d, pattern + 1);
		return;
	}
	if (*pattern == '/')
		doctor_add(d, "core-pattern", REPORT_GOOD, NULL, "core_pattern is %s", pattern);
	else
		doctor_add(d, "core-pattern", REPORT_NOTE,
			   "sysctl -w kernel.core_pattern=/var/tmp/core-%e-%t",
			   "core_pattern is relative: cores land in the folder that the program happens "
			   "to be in");
	folder = landing_folder(d, pattern);
	if (folder)
		look_at_folder(d, folder);
}

/*
 * A process that changed its user is not dumpable unless it says otherwise; the files below
 * /proc/PID then belong to root (proc(5), prctl(2) PR_SET_DUMPABLE).
 */
static bool is_dumpable(pid_t pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/limits", (int)pid);
	struct stat st;

	return stat(path, &st) < 0 || st.st_uid == status_number(pid, "Uid", st.st_uid);
}

static void look_at_dumpable(struct doctor *d, bool absolute)
{
	AUTO_FREE char *path = doctor_system(d, "/proc/sys/fs/suid_dumpable");
	AUTO_FREE char *value = doctor_line(path);
	static const char todo[] = "sysctl -w fs.suid_dumpable=2, with an absolute core_pattern";
	bool lost = d->subject == SUBJECT_PID && !is_dumpable(d->pid);

	if (!value)
		return;
	if (strcmp(value, "0") == 0 && lost)
		doctor_add(d, "suid-dumpable", REPORT_USELESS, todo,
			   "the process changed its user, and suid_dumpable is 0: it leaves no core");
	else if (strcmp(value, "0") == 0)
		doctor_add(d, "suid-dumpable", REPORT_NOTE, todo,
			   "suid_dumpable is 0: a program that changes its user leaves no core");
	else if (strcmp(value, "1") == 0)
		doctor_add(d, "suid-dumpable", REPORT_NOTE, todo,
			   "suid_dumpable is 1: users can read the cores of programs that had more "
			   "rights than they");
	else if (!absolute)
		doctor_add(d, "suid-dumpable", lost ? REPORT_USELESS : REPORT_NOTE,
			   "make core_pattern absolute",
			   "suid_dumpable is %s, but core_pattern is relative: a program that changes "
			   "its user leaves no core", value);
	else
		doctor_add(d, "suid-dumpable", REPORT_GOOD, NULL, "suid_dumpable is %s", value);
}

void doctor_machine(struct doctor *d)
{
	AUTO_FREE char *path = doctor_system(d, "/proc/sys/kernel/core_pattern");
	AUTO_FREE char *pattern = doctor_line(path);
	bool pipe = pattern && (*pattern == '|' || *pattern == '@');

	/* the core is there: only its report needs room */
	if (d->subject == SUBJECT_CORE) {
		look_at_room(d, ".", "this folder", ROOM_REPORT);
		return;
	}
	look_at_limit(d, pipe);
	if (d->subject == SUBJECT_PID)
		look_at_unit(d);
	if (pattern)
		look_at_pattern(d, pattern);
	else
		doctor_add(d, "core-pattern", REPORT_NOTE, NULL, "core_pattern can't be read");
	look_at_dumpable(d, pattern && (pipe || *pattern == '/'));
}
