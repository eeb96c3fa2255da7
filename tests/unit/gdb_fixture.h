/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_GDB_FIXTURE_H
#define TESTS_GDB_FIXTURE_H

#include <corescrub/gdb.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Real cores for the tests of gdb: crashed by tests/fixtures/crash.sh in a folder of their own. */

static char fixture_dir[64];
static const char *fixture_readable[64];	/* what a core's vouched files would be */

/* The libraries that are loaded here are those of the fixtures, too. */
static inline int fixture_add_library(struct dl_phdr_info *info, size_t size, void *n)
{
	size_t *count = n;

	(void)size;
	if (info->dlpi_name[0] == '/' && *count < ARRAY_SIZE(fixture_readable) - 1)
		fixture_readable[(*count)++] = xstrdup(info->dlpi_name);
	return 0;
}

/* Not by process_start: what that starts leaves no usable core. */
static inline int fixture_run(const char *const *argv)
{
	int status = -1;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static inline int fixture_setup(void **state)
{
	size_t n = 0;

	(void)state;
	dl_iterate_phdr(fixture_add_library, &n);
	snprintf(fixture_dir, sizeof(fixture_dir), "/tmp/corescrub-test-XXXXXX");
	return mkdtemp(fixture_dir) ? 0 : -1;
}

static inline int fixture_teardown(void **state)
{
	const char *const argv[] = { "rm", "-rf", fixture_dir, NULL };

	(void)state;
	for (size_t i = 0; fixture_readable[i]; i++) {
		free((char *)fixture_readable[i]);
		fixture_readable[i] = NULL;
	}
	return fixture_run(argv);
}

static inline char *fixture_path(const char *name)
{
	return xasprintf("%s/%s", fixture_dir, name);
}

/* Crashes a fixture; its core's descriptor. The arguments end with NULL. */
static inline int fixture_crash(const char *name, const char *a, const char *b)
{
	const char *const argv[] = { "tests/fixtures/crash.sh", name, fixture_dir, a, b, NULL };
	AUTO_FREE char *core = xasprintf("%s/core-%s", fixture_dir, name);
	int fd;

	assert_int_equal(fixture_run(argv), 0);
	fd = open(core, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline struct gdb_job fixture_job(int core, const char *exe)
{
	return (struct gdb_job){
		.core_fd = core,
		.core_name = "the core",
		.exe = exe,
		.readable = fixture_readable,
		.timeout_s = 60,
		.jobs = 1,
		.n_threads = 1,
		.sandbox = true,
		.uid = geteuid(),
		.gid = getegid(),
	};
}

#endif
