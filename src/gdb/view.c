/* SPDX-License-Identifier: Apache-2.0 */
#include "gdb_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* A person's gdb on an unpacked package: at the terminal, with the person's own commands. */

/* What a package could make gdb run is off, typed or not; its libthread_db is code. */
static const char *const settings[] = {
	"set auto-load off",
	"set debuginfod enabled off",
	"set libthread-db-search-path $sdir",
	"set history save off",
};

#define WAIT_SLICE_MS 200

static void add_setting(struct strings *argv, char *setting)
{
	strings_add(argv, xstrdup("-iex"));
	strings_add(argv, setting);
}

static void build_argv(const struct gdb_view *v, const char *gdb, const char *folder,
		       struct strings *argv)
{
	AUTO_BUF search = BUF_INIT;

	strings_add(argv, xstrdup(gdb));
	strings_add(argv, xstrdup("-nx"));
	strings_add(argv, xstrdup("-q"));
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		add_setting(argv, xstrdup(settings[i]));
	if (v->has_sysroot) {
		add_setting(argv, xasprintf("set sysroot %s/sysroot", folder));
		add_setting(argv, xasprintf("set debug-file-directory %s/sysroot/usr/lib/debug:/usr/lib/debug",
					    folder));
	}
	for (size_t i = 0; i < v->libraries->n; i++)
		buf_addf(&search, "%s%s/%s", i ? ":" : "", folder, v->libraries->v[i]);
	if (search.len)
		add_setting(argv, xasprintf("set solib-search-path %s", search.p));
	if (v->exe)
		strings_add(argv, xasprintf("%s/%s", folder, v->exe));
	strings_add(argv, xasprintf("--core=%s/core", folder));
	for (const char *const *a = v->args; a && *a; a++)
		strings_add(argv, xstrdup(*a));
}

/* gdb hears the terminal's keys itself; a request to end is for both. */
static int wait_for(struct process *p, bool (*stopped)(void), int *ret_status, struct err *err)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, interrupt, quit;
	int rc;

	sigaction(SIGINT, &ignore, &interrupt);
	sigaction(SIGQUIT, &ignore, &quit);
	do {
		if (stopped && stopped())
			process_kill(p);
		rc = process_wait(p, WAIT_SLICE_MS, ret_status, err);
	} while (rc == RC_TIMEOUT);
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	return rc;
}

static int run_gdb(const struct gdb_view *v, const struct gdb_install *g, const char *folder,
		   int *ret_status, struct err *err)
{
	AUTO_FREE char *term = xasprintf("TERM=%s", getenv("TERM") ? getenv("TERM") : "dumb");
	const char *const env[] = { "LC_ALL=C.UTF-8", term, "HOME=/nonexistent", "PYTHONNOUSERSITE=1",
				    "PYTHONDONTWRITEBYTECODE=1", NULL };
	struct strings argv = { 0 };
	struct sandbox box = {
		.parts = SANDBOX_ALL & ~SANDBOX_RLIMIT, .strict = geteuid() == 0,
		.read_paths = strings_list(&g->read), .exec_paths = strings_list(&g->exec),
		.uid = geteuid(), .gid = getegid(), .terminal = true,
	};
	struct process_spec spec = {
		.env = v->confined ? env : (const char *const *)environ, .in = STDIN_FILENO,
		.out = STDOUT_FILENO, .err = STDERR_FILENO, .foreground = true,
		.sandbox = v->confined ? &box : NULL,
	};
	AUTO(process) p = NULL;
	int rc;

	build_argv(v, g->path, folder, &argv);
	spec.argv = strings_list(&argv);
	rc = process_start(&spec, &p, err);
	if (rc == RC_SANDBOX)
		err_hint(err, "--unconfined does without");
	if (rc == RC_OK)
		rc = wait_for(p, v->stopped, ret_status, err);
	strings_done(&argv);
	return rc;
}

int gdb_view(const struct gdb_view *v, int *ret_status, struct err *err)
{
	static const char *const terminfo[] = { "/usr/share/terminfo", "/etc/terminfo", "/lib/terminfo" };
	AUTO_FREE char *folder = gdb_plain_path(v->folder);
	struct gdb_job job = { .gdb = v->gdb, .sandbox = v->confined };
	struct gdb_install g;
	int rc;

	if (!folder || strpbrk(folder, ":"))
		return err_set(err, RC_REFUSED, "gdb can't be given a path with a colon or control bytes");
	rc = gdb_install_find(&job, &g, err);
	if (rc < 0)
		return rc;
	strings_add(&g.read, xstrdup(folder));
	for (size_t i = 0; i < ARRAY_SIZE(terminfo); i++)
		strings_add(&g.read, xstrdup(terminfo[i]));
	rc = run_gdb(v, &g, folder, ret_status, err);
	gdb_install_done(&g);
	return rc;
}
