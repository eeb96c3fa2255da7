/* SPDX-License-Identifier: Apache-2.0 */
#include "gdb_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Before anything of the core is read. Only what keeps gdb from files, the network and line breaks:
   print settings would change the text that developers know. */
static const char *const settings[] = {
	"set auto-load off",
	"set debuginfod enabled off",
	"set history save off",
	"set libthread-db-search-path $sdir",	/* never the folder of the core's own libc */
	"set pagination off",
	"set height 0",
	"set width 0",
};

static const char *const environment[] = {
	"LC_ALL=C.UTF-8",	/* under C, what is not ASCII is printed otherwise */
	"TERM=dumb",
	"HOME=/nonexistent",
	"PYTHONNOUSERSITE=1",
	"PYTHONDONTWRITEBYTECODE=1",
	NULL,
};

/* How long a gdb that printed all, or too much, may go on: a share of the time so far. */
#define WAIT_SHARE	 64
#define WAIT_SLICE_MS 20

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t gdb_deadline(const struct gdb_job *job)
{
	return clock_ms() + (int64_t)(job->timeout_s ? job->timeout_s : LIMIT_GDB_SECONDS) * 1000;
}

/* The same file through a descriptor that can't write. */
static int reopen_read_only(int fd, int *ret_fd, struct err *err)
{
	char path[40];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	if (again < 0)
		return err_errno(err, RC_IO, "can't open the core again");
	*ret_fd = again;
	return RC_OK;
}

/* gdb opens the core by its descriptor's path, as who it then is. */
static int hand_over_core(const struct gdb_job *job, int core, struct err *err)
{
	struct stat st;

	if (fstat(core, &st) < 0)
		return err_errno(err, RC_IO, "can't look at %s", job->core_name);
	if (!job->sandbox || geteuid() != 0 || st.st_nlink > 0 || st.st_uid == job->uid)
		return RC_OK;
	if (fchown(core, job->uid, job->gid) < 0)
		return err_errno(err, RC_IO, "can't hand over %s", job->core_name);
	return RC_OK;
}

/* A script reaches gdb through a descriptor that nobody else has, never by a file's name. */
static int hand_over_script(const struct gdb_job *job, struct span script, int *ret_fd,
			    struct err *err)
{
	AUTO_CLOSE int writable = -1;
	int rc = file_unnamed(true, &writable, err);

	if (rc == RC_OK && job->sandbox && geteuid() == 0 && fchown(writable, job->uid, job->gid))
		rc = err_errno(err, RC_IO, "can't hand over the script");
	if (rc == RC_OK)
		rc = file_write_all(writable, script, "the script", err);
	if (rc == RC_OK)
		rc = reopen_read_only(writable, ret_fd, err);
	return rc;
}

static int open_files(const struct gdb_job *job, const struct span *scripts, struct gdb_session *s,
		      struct err *err)
{
	int rc = file_unnamed(true, &s->out, err);

	if (rc == RC_OK)
		rc = file_unnamed(true, &s->err, err);
	if (rc == RC_OK && job->core_fd >= 0)
		rc = reopen_read_only(job->core_fd, &s->core, err);
	if (rc == RC_OK && job->core_fd >= 0)
		rc = hand_over_core(job, s->core, err);
	for (size_t i = 0; rc == RC_OK && scripts && scripts[i].p; i++) {
		if (i == GDB_SCRIPTS_MAX)
			return err_set(err, RC_INTERNAL, "more scripts than one gdb takes");
		rc = hand_over_script(job, scripts[i], &s->scripts[i], err);
	}
	return rc;
}

char *gdb_plain_path(const char *path)
{
	AUTO_FREE char *cwd = *path == '/' ? NULL : getcwd(NULL, 0);
	char *full = *path == '/' ? xstrdup(path) : xasprintf("%s/%s", cwd ? cwd : "", path);

	for (const char *p = full; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			free(full);
			return NULL;
		}
	return full;
}

/* The command with a line before it that no value can look like. */
static void add_command(const struct gdb_session *s, char *command, struct strings *argv)
{
	strings_add(argv, xstrdup("-ex"));
	strings_add(argv, xasprintf("echo \\n%s\\n", s->marker));
	if (!command)
		return;
	strings_add(argv, xstrdup("-ex"));
	strings_add(argv, command);
}

static int build_argv(const struct gdb_job *job, const struct gdb_session *s, const char *gdb,
		      const char *const *commands, struct strings *argv, struct err *err)
{
	AUTO_FREE char *exe = job->exe ? gdb_plain_path(job->exe) : NULL;
	AUTO_FREE char *sysroot = job->sysroot ? gdb_plain_path(job->sysroot) : NULL;

	if ((job->exe && !exe) || (job->sysroot && !sysroot))
		return err_set(err, RC_REFUSED, "gdb can't be given this program or sysroot path");
	strings_add(argv, xstrdup(gdb));
	strings_add(argv, xstrdup("-nx"));
	strings_add(argv, xstrdup("-batch"));
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		strings_add(argv, xstrdup("-iex"));
		strings_add(argv, xstrdup(settings[i]));
	}
	if (sysroot) {
		strings_add(argv, xstrdup("-iex"));
		strings_add(argv, xasprintf("set sysroot %s", sysroot));
	}
	if (s->core >= 0)
		strings_add(argv, xasprintf("--core=/proc/self/fd/%d", s->core));
	for (; commands && *commands; commands++)
		add_command(s, xstrdup(*commands), argv);
	for (size_t i = 0; i < GDB_SCRIPTS_MAX && s->scripts[i] >= 0; i++)
		add_command(s, xasprintf("source /proc/self/fd/%d", s->scripts[i]), argv);
	add_command(s, NULL, argv);
	strings_add(argv, xstrdup("-ex"));
	strings_add(argv, xasprintf("echo %s\\n", s->end));
	if (exe)
		strings_add(argv, xstrdup(exe));
	return RC_OK;
}

static int start_process(const struct gdb_job *job, const struct gdb_install *g,
			 const struct strings *argv, struct gdb_session *s, struct err *err)
{
	struct strings read = { 0 };
	int keep[GDB_SCRIPTS_MAX + 2];
	size_t n_keep = 0;
	struct sandbox box = {
		.parts = job->sandbox ? SANDBOX_ALL : SANDBOX_RLIMIT,
		.strict = job->sandbox && job->strict,
		.exec_paths = strings_list(&g->exec),
		.uid = job->uid,
		.gid = job->gid,
		.memory = LIMIT_GDB_MEMORY,
		.file_size = LIMIT_GDB_OUTPUT,
	};
	struct process_spec spec = { .argv = strings_list(argv), .env = environment, .in = -1,
				     .out = s->out, .err = s->err, .keep_fds = keep,
				     .sandbox = &box };
	int rc;

	for (size_t i = 0; i < g->read.n; i++)
		strings_add(&read, xstrdup(g->read.v[i]));
	if (s->core >= 0) {
		strings_add(&read, xasprintf("/proc/self/fd/%d", s->core));
		keep[n_keep++] = s->core;
	}
	for (size_t i = 0; i < GDB_SCRIPTS_MAX && s->scripts[i] >= 0; i++)
		keep[n_keep++] = s->scripts[i];
	keep[n_keep] = -1;
	if (job->exe)
		strings_add(&read, xstrdup(job->exe));
	box.read_paths = strings_list(&read);
	rc = process_start(&spec, &s->process, err);
	strings_done(&read);
	return rc;
}

int gdb_session_start(const struct gdb_job *job, const struct gdb_install *g,
		      const char *const *commands, const struct span *scripts,
		      struct gdb_session *ret, struct err *err)
{
	struct gdb_session s = { .out = -1, .err = -1, .core = -1, .scripts = { -1, -1 } };
	struct strings argv = { 0 };
	uint8_t random[16];
	int rc;

	digest_random(random, sizeof(random));
	digest_hex(random, sizeof(random), s.marker);
	digest_random(random, sizeof(random));
	digest_hex(random, sizeof(random), s.end);
	rc = open_files(job, scripts, &s, err);
	if (rc == RC_OK)
		rc = build_argv(job, &s, g->path, commands, &argv, err);
	if (rc == RC_OK)
		rc = start_process(job, g, &argv, &s, err);
	strings_done(&argv);
	if (rc < 0) {
		gdb_session_done(&s);
		return rc;
	}
	*ret = s;
	return RC_OK;
}

static bool output_is_full(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (uint64_t)st.st_size >= LIMIT_GDB_OUTPUT;
}

/* Has it printed its last line? */
static bool output_is_whole(const struct gdb_session *s)
{
	size_t n = strlen(s->end);
	char tail[sizeof(s->end) + 1];
	struct stat st;

	return fstat(s->out, &st) == 0 && st.st_size > (off_t)n &&
	       pread(s->out, tail, n + 1, st.st_size - (off_t)n - 1) == (ssize_t)n + 1 &&
	       memcmp(tail, s->end, n) == 0 && tail[n] == '\n';
}

static bool is_wanted(const struct gdb_job *job)
{
	return !job->stop || !atomic_load(job->stop);
}

/* Its Python ignores SIGXFSZ, so a gdb that prints without end is not ended by its limit alone. */
static int wait_while_it_prints(struct gdb_session *s, const struct gdb_job *job, int64_t deadline,
				int *ret_status, struct err *err)
{
	int64_t start = clock_ms(), now = start;
	int rc;

	do {
		int64_t slice = (now - start) / WAIT_SHARE + 1;

		if (slice > WAIT_SLICE_MS)
			slice = WAIT_SLICE_MS;
		if (slice > deadline - now)
			slice = deadline > now ? deadline - now : 0;
		rc = process_wait(s->process, (int)slice, ret_status, err);
		now = clock_ms();
	} while (rc == RC_TIMEOUT && !output_is_whole(s) && !output_is_full(s->out) &&
		 !output_is_full(s->err) && now < deadline && is_wanted(job));
	if (rc == RC_TIMEOUT && output_is_whole(s)) {
		process_kill(s->process);
		*ret_status = 0;
		return RC_OK;
	}
	if (rc == RC_TIMEOUT) {
		process_kill(s->process);
		/* what it printed may be read only when it prints no more */
		process_wait(s->process, -1, ret_status, NULL);
	}
	return rc;
}

int gdb_session_wait(struct gdb_session *s, const struct gdb_job *job, int64_t deadline,
		     struct err *err)
{
	int status = 0;
	int rc = wait_while_it_prints(s, job, deadline, &status, err);

	if (output_is_full(s->out) || output_is_full(s->err))
		return err_set(err, RC_TOOBIG, "gdb printed over %zu MiB on %s",
			       LIMIT_GDB_OUTPUT >> 20, job->core_name);
	if (!is_wanted(job))
		return err_set(err, RC_CHILD, "gdb was ended on %s", job->core_name);
	if (rc == RC_TIMEOUT) {
		err_set(err, RC_TIMEOUT, "gdb took longer than %u s on %s", job->timeout_s,
			job->core_name);
		err_hint(err, "--timeout gives it more");
	}
	if (rc < 0)
		return rc;
	if (WIFSIGNALED(status))
		return err_set(err, RC_CHILD, "gdb died of signal %s on %s",
			       sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status))
							      : "without a name",
			       job->core_name);
	return RC_OK;
}

int gdb_session_output(struct gdb_session *s, struct mapping **ret_out, struct err *err)
{
	/* nobody is to write any more: sealed, it is mapped and not copied */
	fcntl(s->out, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	return mapping_open(s->out, "gdb's output", ret_out, err);
}

struct process *gdb_session_process(struct gdb_session *s)
{
	return STEAL(s->process);
}

void gdb_session_done(struct gdb_session *s)
{
	process_free(s->process);
	s->process = NULL;
	auto_close_p(&s->out);
	auto_close_p(&s->err);
	auto_close_p(&s->core);
	s->out = s->err = s->core = -1;
	for (size_t i = 0; i < GDB_SCRIPTS_MAX; i++) {
		auto_close_p(&s->scripts[i]);
		s->scripts[i] = -1;
	}
}
