/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_WORK_FIXTURE_H
#define TESTS_WORK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <corescrub/elfcore.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* For tests with a folder of their own: what the shell does there, the cores that are crashed in
   it. */

static inline int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline int run(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return system(cmd);
}

static inline struct elfcore *open_core_in(const char *folder, const char *name)
{
	struct elfcore *c = NULL;
	struct err err = ERR_INIT;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_true(elfcore_probe(fd));
	assert_int_equal(elfcore_open(fd, "a core", &c, &err), RC_OK);
	close(fd);
	return c;
}

#endif
