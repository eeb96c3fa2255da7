/* SPDX-License-Identifier: Apache-2.0 */
#include "dropin.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* Which process is the program? By the kernel's name for it, as pgrep -x. */

#define COMM_MAX 15

static bool read_proc(pid_t pid, const char *name, struct buf *ret)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/%s", (int)pid, name);

	return file_read(path, KIB(256), ret, NULL) == RC_OK && ret->len > 0;
}

static bool has_name(pid_t pid, const char *program)
{
	AUTO_BUF comm = BUF_INIT;
	AUTO_FREE char *cut = xstrndup(program, COMM_MAX);

	return read_proc(pid, "comm", &comm) && span_eq_str(span_trim(buf_span(&comm)), cut);
}

/* A remote console is the same program; it calls itself "rasterisk". A zombie has no command
   line. */
static bool is_console(pid_t pid, const char *program)
{
	AUTO_FREE char *name = xasprintf("r%s", program);
	AUTO_BUF line = BUF_INIT;
	const char *slash;

	if (!read_proc(pid, "cmdline", &line))
		return true;
	slash = strrchr(line.p, '/');
	return strcmp(slash ? slash + 1 : line.p, name) == 0;
}

static int check_pid(const char *program, const char *text, pid_t *ret, struct err *err)
{
	char *end;
	long pid = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || pid <= 0 || pid > INT_MAX)
		return err_set(err, RC_USAGE, "--pid takes the number of a process");
	if (!has_name((pid_t)pid, program))
		return err_set(err, RC_USAGE, "process %ld is not there, or is not %s", pid, program);
	*ret = (pid_t)pid;
	return RC_OK;
}

int dropin_find_running(const char *program, const char *pid_text, pid_t *ret, struct err *err)
{
	AUTO_BUF pids = BUF_INIT;
	size_t found = 0;
	struct dirent *e;
	DIR *proc;

	if (pid_text)
		return check_pid(program, pid_text, ret, err);
	proc = opendir("/proc");
	if (!proc)
		return err_errno(err, RC_IO, "can't list the processes");
	while ((e = readdir(proc))) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		if (pid <= 0 || !has_name(pid, program) || is_console(pid, program))
			continue;
		buf_addf(&pids, "%s%d", found++ ? ", " : "", (int)pid);
		*ret = pid;
	}
	closedir(proc);
	if (found == 1)
		return RC_OK;
	if (found == 0)
		err_set(err, RC_NOTFOUND, "no running %s was found", program);
	else
		err_set(err, RC_USAGE, "more than one %s is running: %.200s", program, pids.p);
	err_hint(err, "--pid=PID names the one to dump");
	return found ? RC_USAGE : RC_NOTFOUND;
}

char *dropin_cwd_of(pid_t pid)
{
	AUTO_FREE char *link = xasprintf("/proc/%d/cwd", (int)pid);
	char path[PATH_MAX];
	ssize_t n = readlink(link, path, sizeof(path) - 1);

	return n > 0 && path[0] == '/' ? xstrndup(path, (size_t)n) : NULL;
}
