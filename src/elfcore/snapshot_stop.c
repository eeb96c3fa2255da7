/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_internal.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Seized, never attached (ptrace(2)): no stop signal is sent that could be left behind, and when
 * the tracer dies, of whatever, the kernel lets every thread go on. PTRACE_O_EXITKILL is not set.
 */

const struct snapshot_regset snapshot_regsets[SNAPSHOT_REGSETS] = {
	{ NT_PRSTATUS, "CORE" },	/* first: the others stand behind it */
	{ NT_PRFPREG, "CORE" },
	{ NT_X86_XSTATE, "LINUX" },
	{ NT_ARM_TLS, "LINUX" },
};

/* The largest register set that is known: AVX-512 and AMX tiles, with room. */
#define REGSET_MAX KIB(64)

int snapshot_open(pid_t pid, struct snapshot *s, struct err *err)
{
	char path[32];

	*s = (struct snapshot){ .pid = pid, .dir = -1, .mem = -1, .pagemap = -1 };
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return err_errno(err, RC_NOTFOUND, "there is no process %d", (int)pid);
	s->mem = openat(s->dir, "mem", O_RDONLY | O_CLOEXEC);
	s->pagemap = openat(s->dir, "pagemap", O_RDONLY | O_CLOEXEC);
	if (s->mem >= 0 && s->pagemap >= 0)
		return RC_OK;
	err_errno(err, RC_REFUSED, "the memory of process %d can't be read", (int)pid);
	err_hint(err, "run this as root, or as the user of the process");
	return RC_REFUSED;
}

void snapshot_done(struct snapshot *s)
{
	for (size_t i = 0; i < s->n_threads; i++)
		for (size_t k = 0; k < SNAPSHOT_REGSETS; k++)
			buf_done(&s->threads[i].regs[k]);
	free(s->threads);
	free(s->maps);
	free(s->kept_out);
	free(s->pieces);
	if (s->store)
		munmap(s->store, s->store_size);
	buf_done(&s->paths);
	buf_done(&s->notes);
	auto_close_p(&s->dir);
	auto_close_p(&s->mem);
	auto_close_p(&s->pagemap);
}

int snapshot_read(const struct snapshot *s, const char *name, struct buf *ret, struct err *err)
{
	AUTO_CLOSE int fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	while (fd >= 0) {
		int rc = buf_reserve_input(ret, KIB(64), LIMIT_NOTE_BYTES, err);

		if (rc < 0)
			return rc;
		n = read(fd, ret->p + ret->len, KIB(64) - 1);
		if (n <= 0)
			break;
		ret->len += (size_t)n;
		ret->p[ret->len] = '\0';
	}
	return n < 0 ? err_errno(err, RC_IO, "can't read %s of process %d", name, (int)s->pid) : RC_OK;
}

static struct snapshot_thread *find_thread(struct snapshot *s, pid_t tid)
{
	for (size_t i = 0; i < s->n_threads; i++)
		if (s->threads[i].tid == tid)
			return &s->threads[i];
	return NULL;
}

/* One that ends meanwhile, or has ended and stays as a zombie, is none of ours. */
static int seize(struct snapshot *s, pid_t tid, struct err *err)
{
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0) {
		if (errno == ESRCH || tid != s->pid)
			return RC_OK;
		err_errno(err, RC_REFUSED, "process %d can't be stopped", (int)s->pid);
		err_hint(err, "is it debugged already? kernel.yama.ptrace_scope may also forbid it");
		return RC_REFUSED;
	}
	if (s->n_threads >= LIMIT_CORE_THREADS)
		return err_set(err, RC_TOOBIG, "too many threads");
	GROW(s->threads, s->n_threads, s->cap_threads);
	s->threads[s->n_threads++] = (struct snapshot_thread){ .tid = tid };
	ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
	return RC_OK;
}

/* Seizes the threads that are there and not yet ours. */
static int seize_new(struct snapshot *s, size_t *ret_new, struct err *err)
{
	int fd = openat(s->dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *tasks = fd >= 0 ? fdopendir(fd) : NULL;
	size_t before = s->n_threads;
	struct dirent *e;
	int rc = RC_OK;

	if (!tasks) {
		auto_close_p(&fd);
		return err_errno(err, RC_IO, "can't list the threads of process %d", (int)s->pid);
	}
	while (rc == RC_OK && (e = readdir(tasks))) {
		pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);

		if (tid > 0 && !find_thread(s, tid))
			rc = seize(s, tid, err);
	}
	closedir(tasks);
	*ret_new = s->n_threads - before;
	return rc;
}

/* Waits until each seized thread has stopped or is gone. SIGALRM ends us where one never does. */
static int wait_for_stops(struct snapshot *s, struct err *err)
{
	size_t waiting = 0;

	for (size_t i = 0; i < s->n_threads; i++)
		waiting += !s->threads[i].stopped && !s->threads[i].gone;
	while (waiting > 0) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL);
		struct snapshot_thread *t;

		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0)
			return err_errno(err, RC_CHILD, "can't wait for the threads");
		t = find_thread(s, tid);
		if (!t || t->stopped || t->gone)
			continue;
		waiting--;
		t->stopped = WIFSTOPPED(status);
		t->gone = !t->stopped;
		/* a stop that is not ours is a signal on its way: it must not be lost */
		if (t->stopped && status >> 16 != PTRACE_EVENT_STOP)
			t->signal = WSTOPSIG(status);
	}
	return RC_OK;
}

static int by_tid(const void *a, const void *b)
{
	const struct snapshot_thread *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

/* The main thread first, as in a core by the kernel; then by age. */
static void order_threads(struct snapshot *s)
{
	if (s->n_threads > 1)
		qsort(s->threads, s->n_threads, sizeof(*s->threads), by_tid);
	for (size_t i = 1; i < s->n_threads; i++)
		if (s->threads[i].tid == s->pid) {
			struct snapshot_thread first = s->threads[i];

			memmove(&s->threads[1], &s->threads[0], i * sizeof(first));
			s->threads[0] = first;
		}
}

int snapshot_stop(struct snapshot *s, struct err *err)
{
	size_t added = 0;
	int rc;

	/* a thread that runs on can make new ones, one that is stopped can't */
	do {
		rc = seize_new(s, &added, err);
		if (rc == RC_OK)
			rc = wait_for_stops(s, err);
	} while (rc == RC_OK && added > 0);
	if (rc == RC_OK && s->n_threads == 0)
		return err_set(err, RC_NOTFOUND, "process %d has no threads", (int)s->pid);
	if (rc == RC_OK)
		order_threads(s);
	return rc;
}

void snapshot_take_registers(struct snapshot *s)
{
	AUTO_FREE char *room = xmalloc(REGSET_MAX);

	for (size_t i = 0; i < s->n_threads; i++) {
		struct snapshot_thread *t = &s->threads[i];

		for (size_t k = 0; t->stopped && k < SNAPSHOT_REGSETS; k++) {
			struct iovec all = { room, REGSET_MAX };

			if (ptrace(PTRACE_GETREGSET, t->tid, (void *)(uintptr_t)snapshot_regsets[k].type,
				   &all) == 0)
				buf_add(&t->regs[k], room, all.iov_len);
		}
	}
	secret_wipe(room, REGSET_MAX);
}

void snapshot_continue(struct snapshot *s)
{
	for (size_t i = 0; i < s->n_threads; i++)
		if (s->threads[i].stopped)
			ptrace(PTRACE_DETACH, s->threads[i].tid, NULL,
			       (void *)(intptr_t)s->threads[i].signal);
}
