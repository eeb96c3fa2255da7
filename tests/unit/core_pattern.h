/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CORE_PATTERN_H
#define TESTS_CORE_PATTERN_H

#include <corescrub/base.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * For tests that need dumps to go to a pipe handler: core_pattern_pipe, crash something, look
 * whether core_pattern_dumped, core_pattern_restore. The pattern is the whole machine's: a lock on
 * it keeps two tests from taking each other's for the one to restore, and a child puts it back when
 * the test ends in whatever way.
 */

#define CORE_PATTERN "/proc/sys/kernel/core_pattern"

struct core_pattern {
	char *dump;		/* the file that the handler makes */
	int lock;
	int hold;		/* the restorer waits for its closing */
	pid_t restorer;
};

static inline int core_pattern_set(const char *text)
{
	int fd = open(CORE_PATTERN, O_WRONLY | O_CLOEXEC);
	int r = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;

	if (fd >= 0)
		close(fd);
	return r;
}

/* Only root may, and not in every container. */
static inline bool core_pattern_is_ours(void)
{
	return geteuid() == 0 && access(CORE_PATTERN, W_OK) == 0;
}

static inline void core_pattern_pipe(const char *folder, struct core_pattern *ret)
{
	AUTO_FREE char *handler = xasprintf("%s/handler", folder);
	AUTO_FREE char *pattern = xasprintf("|%s", handler);
	AUTO_BUF before = BUF_INIT;
	FILE *f = fopen(handler, "w");
	int pipes[2];
	char byte;

	ret->dump = xasprintf("%s/dumped", folder);
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\ncat >%s\n", ret->dump);
	fclose(f);
	assert_int_equal(chmod(handler, 0700), 0);
	ret->lock = open(CORE_PATTERN, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(ret->lock, LOCK_EX), 0);
	assert_int_equal(file_read(CORE_PATTERN, 4096, &before, NULL), RC_OK);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	ret->hold = pipes[1];
	ret->restorer = fork();
	if (ret->restorer == 0) {
		setsid();	/* and with the lock, until it ends */
		close(pipes[1]);
		while (read(pipes[0], &byte, 1) < 0)
			;
		_exit(core_pattern_set(before.p) == 0 ? 0 : 1);
	}
	close(pipes[0]);
	assert_int_equal(core_pattern_set(pattern), 0);
}

/* Was anything dumped since the last look? Nobody waits for a handler but us. */
static inline bool core_pattern_dumped(const struct core_pattern *p)
{
	bool there;

	for (int i = 0; i < 20 && access(p->dump, F_OK) < 0; i++)
		usleep(50000);
	there = access(p->dump, F_OK) == 0;
	unlink(p->dump);
	return there;
}

static inline void core_pattern_restore(struct core_pattern *p)
{
	int status = -1;

	close(p->lock);
	close(p->hold);
	assert_int_equal(waitpid(p->restorer, &status, 0), p->restorer);
	assert_int_equal(status, 0);
	free(p->dump);
}

#endif
