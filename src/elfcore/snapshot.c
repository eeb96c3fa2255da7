/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * A child takes the core. It dies with us, and of an alarm when anything takes too long; the kernel
 * then lets the process go on, so no end of ours, SIGKILL too, leaves it stopped.
 */

#define STOP_SECONDS 10		/* until all threads stand still; a thread in a device may never */
#define COPY_SECONDS 600
/* What a core needs besides the memory in use: headers, notes, and room for the others on that
   disk. */
#define FREE_MARGIN MIB(64)
/* Of the memory that is free, what a core may take before it goes to the disk: one part of so
   many. */
#define STORE_SHARE 3
#define STORE_MARGIN MIB(16)	/* for written file mappings, which are copied whole */

struct told {			/* shared with the child */
	struct elfcore_taken result;
	struct err err;
	int rc;
	bool stopped;		/* all threads stood still */
};

static uint64_t clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* The value of "Name:   123 kB" in /proc/PID/status, in bytes. */
static uint64_t status_bytes(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) * 1024 : 0;
}

/* Refuses before anything is stopped. What is there now can only be less than what VmRSS says. */
static int check_space(const struct snapshot *s, int out, struct err *err)
{
	AUTO_BUF text = BUF_INIT;
	struct statvfs disk;
	uint64_t need, room;
	int rc = snapshot_read(s, "status", &text, err);

	if (rc < 0)
		return rc;
	if (fstatvfs(out, &disk) < 0)
		return err_errno(err, RC_IO, "can't look at the disk");
	need = status_bytes(text.p, "\nVmRSS:") + status_bytes(text.p, "\nVmSwap:");
	room = (uint64_t)disk.f_bavail * disk.f_frsize;
	/* a filesystem of no blocks knows no limit */
	if (disk.f_blocks == 0 || (room >= need && room - need >= FREE_MARGIN))
		return RC_OK;
	err_set(err, RC_IO, "the core may need %llu MiB, %llu MiB are free there",
		(unsigned long long)(need >> 20), (unsigned long long)(room >> 20));
	err_hint(err, "name a folder on another disk");
	return RC_IO;
}

/* Room in memory for what will be copied, if that is a small part of what is free. It is touched
   now, not during the stop. Without it the core is written while the process waits. */
static void make_store(struct snapshot *s)
{
	AUTO_BUF status = BUF_INIT, machine = BUF_INIT;
	uint64_t need, room;
	void *p;

	if (snapshot_read(s, "status", &status, NULL) < 0 ||
	    file_read("/proc/meminfo", KIB(64), &machine, NULL) < 0)
		return;
	need = status_bytes(status.p, "\nRssAnon:") + status_bytes(status.p, "\nRssShmem:") +
	       status_bytes(status.p, "\nVmSwap:") + STORE_MARGIN;
	room = status_bytes(machine.p, "\nMemAvailable:");
	if (room / STORE_SHARE < need)
		return;
	p = mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		return;
	s->store = p;
	s->store_size = need;
}

/* Ahead of others while the process waits, and first to go where memory is short: not the
   process. */
static void be_quick(void)
{
	AUTO_CLOSE int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "1000", 4);
	(void)setpriority(PRIO_PROCESS, 0, -20);	/* only root may */
}

static int take(struct snapshot *s, int out, struct told *told, struct err *err)
{
	uint64_t start = clock_us();
	int rc;

	alarm(STOP_SECONDS);
	rc = snapshot_stop(s, err);
	if (rc == RC_OK) {
		told->stopped = true;
		alarm(COPY_SECONDS);
		snapshot_take_registers(s);
		rc = snapshot_find_maps(s, err);
	}
	if (rc == RC_OK)
		rc = snapshot_copy(s, out, err);
	/* read now: a program may change its own name and arguments */
	if (rc == RC_OK)
		rc = snapshot_make_notes(s, err);
	snapshot_continue(s);
	told->result.stopped_us = clock_us() - start;
	alarm(0);
	if (rc == RC_OK)
		rc = snapshot_write_store(s, out, err);
	if (rc == RC_OK)
		rc = snapshot_write_head(s, out, err);
	told->result.threads = s->n_threads;
	told->result.data = s->data;
	told->result.unread = s->unread;
	return rc;
}

static _Noreturn void child(pid_t pid, int out, pid_t parent, struct told *told)
{
	struct snapshot s;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGALRM, SIG_DFL);
	if (getppid() != parent)
		_exit(1);
	told->rc = snapshot_open(pid, &s, &told->err);
	if (told->rc == RC_OK)
		told->rc = check_space(&s, out, &told->err);
	if (told->rc == RC_OK)
		told->rc = snapshot_find_kept_out(&s, &told->err);
	be_quick();
	if (told->rc == RC_OK)
		make_store(&s);
	if (told->rc == RC_OK)
		told->rc = take(&s, out, told, &told->err);
	snapshot_done(&s);
	_exit(0);
}

/* What the child said, or that it could say nothing. */
static int hear(const struct told *told, int status, pid_t pid, struct err *err)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		if (told->rc < 0 && err)
			*err = told->err;
		return told->rc;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return err_set(err, RC_TIMEOUT, told->stopped ?
				       "the core of process %d took over ten minutes; the process goes on" :
				       "process %d did not stop within ten seconds; it goes on",
			       (int)pid);
	return err_set(err, RC_CHILD, "the core of process %d could not be taken", (int)pid);
}

int elfcore_take(pid_t pid, int out, struct elfcore_taken *ret, struct err *err)
{
	struct told *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t parent = getpid(), taker;
	int status = 0, rc;

	if (told == MAP_FAILED)
		return err_errno(err, RC_NOMEM, "no memory to take a core");
	told->rc = RC_CHILD;
	taker = fork();
	if (taker == 0)
		child(pid, out, parent, told);
	if (taker < 0) {
		rc = err_errno(err, RC_CHILD, "can't start what takes the core");
	} else {
		while (waitpid(taker, &status, 0) < 0 && errno == EINTR)
			;
		rc = hear(told, status, pid, err);
	}
	if (rc == RC_OK)
		*ret = told->result;
	munmap(told, sizeof(*told));
	return rc;
}
