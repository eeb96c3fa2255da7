/* SPDX-License-Identifier: Apache-2.0 */
#include "dropin.h"

#include <corescrub/elfcore.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Which cores: those named, those found, or the one that is taken of the running program. */

#define OLD_PATTERN "/tmp/core!(*.txt)"
#define RUNNING_FOLDER "/tmp"

/* Accounts whose cores are taken: the one called like the program, and the running instance's. */
struct owners {
	uid_t v[2];
	size_t n;
};

static void add_owner(struct owners *o, uid_t uid)
{
	if (o->n < ARRAY_SIZE(o->v))
		o->v[o->n++] = uid;
}

static void find_owners(const struct dropin *d, pid_t running, struct owners *ret)
{
	const struct passwd *service = getpwnam(d->program);
	char path[32];
	struct stat st;

	if (service)
		add_owner(ret, service->pw_uid);
	snprintf(path, sizeof(path), "/proc/%d", (int)running);
	if (running > 0 && stat(path, &st) == 0)
		add_owner(ret, st.st_uid);
}

static bool is_program(const struct dropin *d, const struct found_core *c)
{
	size_t n;

	if (!c->program)
		return true;	/* a core cut so short that it doesn't say */
	n = strlen(c->program);
	return strncmp(c->program, d->program, n) == 0 && (!d->program[n] || n == 15);
}

static void drop_last(struct found_cores *f)
{
	struct found_core *c = &f->v[--f->n];

	free(c->path);
	free(c->program);
	auto_close_p(&c->fd);
}

static void warn_about(const char *path, const char *why)
{
	AUTO_FREE char *text = xasprintf("%s is skipped: %s", path, why);

	message_warn(text);
}

/* One name: typed ones are worth a word where they are another program's. */
static void look_at(const struct dropin *d, const char *path, const struct owners *owners,
		    bool typed, struct found_cores *f)
{
	struct search_owners who = { owners->v, owners->n, false };
	const char *why = NULL;

	switch (search_open(path, &who, f, &why)) {
	case SEARCH_NO_CORE:
		return;
	case SEARCH_REFUSED:
		warn_about(path, why);
		return;
	case SEARCH_TAKEN:
		break;
	}
	if (is_program(d, &f->v[f->n - 1]))
		return;
	drop_last(f);
	if (typed)
		warn_about(path, "it is of another program (see --asterisk-bin)");
}

static int search_one(const struct dropin *d, const char *pattern, const struct owners *owners,
		      bool typed, struct found_cores *f, struct err *err)
{
	struct strings names = { 0 };
	int rc = search_glob(pattern, &names, err);

	for (size_t i = 0; rc == RC_OK && i < names.n; i++)
		look_at(d, names.v[i], owners, typed, f);
	strings_done(&names);
	return rc;
}

static int search_list(const struct dropin *d, const struct strings *patterns,
		       const struct owners *owners, bool typed, struct found_cores *f, struct err *err)
{
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < patterns->n; i++)
		rc = search_one(d, patterns->v[i], owners, typed, f, err);
	return rc;
}

/* The config's patterns, else what the script has, and where this machine leaves cores. */
static int search_defaults(const struct dropin *d, const struct owners *owners, pid_t running,
			   struct found_cores *f, struct err *err)
{
	AUTO_FREE char *cwd = running > 0 ? dropin_cwd_of(running) : NULL;
	struct strings patterns = { 0 };
	int rc;

	if (d->has_patterns)
		return search_list(d, &d->patterns, owners, false, f, err);
	strings_add(&patterns, xstrdup(OLD_PATTERN));
	search_machine_patterns(d->program, cwd, &patterns);
	rc = search_list(d, &patterns, owners, false, f, err);
	strings_done(&patterns);
	return rc;
}

static int find_cores(const struct dropin *d, const struct strings *args, struct found_cores *f,
		      struct err *err)
{
	bool defaults = dropin_is_on(d, DROPIN_DEFAULT_SEARCH) &&
			(args->n == 0 || dropin_is_on(d, DROPIN_APPEND_COREDUMPS));
	struct owners owners = { .n = 0 };
	pid_t running = 0;
	int rc;

	/* only to know whose cores it leaves, and where */
	if (dropin_find_running(d->program, NULL, &running, NULL) < 0)
		running = 0;
	find_owners(d, running, &owners);
	rc = search_list(d, args, &owners, true, f, err);
	if (rc == RC_OK && defaults)
		rc = search_defaults(d, &owners, running, f, err);
	found_cores_sort(f);
	while (rc == RC_OK && dropin_is_on(d, DROPIN_LATEST) && f->n > 1)
		drop_last(f);
	return rc;
}

static bool asks_yes(const char *program)
{
	char answer[16] = "";

	printf("WARNING: %s stands still while its core is written; that will suspend call processing.  "
	       "Go on? (y/N) ", program);
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* As the kernel would leave it: of the process's user, for nobody else. */
static int write_dump(pid_t pid, const char *path, struct elfcore_taken *ret, int *ret_fd,
		      struct err *err)
{
	AUTO_FREE char *proc = xasprintf("/proc/%d", (int)pid);
	AUTO(tempfile) t = NULL;
	struct stat st;
	int rc = tempfile_open(path, 0600, &t, err);

	if (rc < 0)
		return rc;
	if (geteuid() == 0 && stat(proc, &st) == 0 && fchown(tempfile_fd(t), st.st_uid, st.st_gid) < 0)
		return err_errno(err, RC_IO, "can't give the core to the process's user");
	rc = elfcore_take(pid, tempfile_fd(t), ret, err);
	if (rc < 0)
		return rc;
	*ret_fd = fcntl(tempfile_fd(t), F_DUPFD_CLOEXEC, 0);
	return tempfile_commit(t, false, err);
}

static char *dump_path(const struct dropin *d, struct err *err)
{
	const char *folder = d->outputdir ? d->outputdir : RUNNING_FOLDER;
	AUTO_FREE char *date = NULL;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!d->uniqueid && dropin_date(d->dateopts, now, &date, err) < 0)
		return NULL;
	return xasprintf("%s/core-%s-running-%s", folder, d->program, d->uniqueid ? d->uniqueid : date);
}

static int dump(const struct dropin *d, pid_t pid, const char *path, struct found_cores *f,
		struct err *err)
{
	struct elfcore_taken taken;
	struct stat st;
	int fd = -1, rc;

	dropin_say(d, "Dumping running %s process to %s", d->program, path);
	rc = write_dump(pid, path, &taken, &fd, err);
	if (rc < 0)
		return rc;
	dropin_say(d, "Dump is complete: %zu threads, %llu.%llu MB, stopped for %llu.%03llu s.",
		   taken.threads, (unsigned long long)taken.data / 1000000,
		   (unsigned long long)taken.data / 100000 % 10,
		   (unsigned long long)taken.stopped_us / 1000000,
		   (unsigned long long)taken.stopped_us / 1000 % 1000);
	if (taken.unread)
		message_warn("some memory could not be read; it is missing in the core");
	if (fstat(fd, &st) < 0)
		return err_errno(err, RC_IO, "%s", path);
	GROW(f->v, f->n, f->cap);
	memmove(&f->v[1], &f->v[0], f->n++ * sizeof(f->v[0]));
	f->v[0] = (struct found_core){ .path = xstrdup(path), .fd = fd, .mtime = st.st_mtim,
				       .dev = st.st_dev, .ino = st.st_ino,
				       .program = xstrdup(d->program) };
	return RC_OK;
}

/* The process is dumped before anything else is looked at. Declined: a refusal, unless cores were
   named. */
static int dump_running(const struct dropin *d, bool others, struct found_cores *f, struct err *err)
{
	AUTO_FREE char *path = NULL;
	pid_t pid;
	int rc = dropin_find_running(d->program, d->o->pid, &pid, err);

	if (rc < 0)
		return rc;
	dropin_say(d, "Found a single %s instance running as process %d", d->program, (int)pid);
	path = dump_path(d, err);
	if (!path)
		return RC_USAGE;
	if (dropin_is_on(d, DROPIN_DRY_RUN)) {
		dropin_say(d, "Would dump process %d to %s", (int)pid, path);
		return RC_OK;
	}
	if (!d->o->without_prompt && !asks_yes(d->program)) {
		if (!others)
			return err_set(err, RC_REFUSED, "the running process is not dumped");
		message_warn("the running process is not dumped");
		return RC_OK;
	}
	return dump(d, pid, path, f, err);
}

bool dropin_has_recipients(const struct dropin_options *o)
{
	const struct recipient_options *r = &o->recipients;

	return r->encrypt_to.n || r->files.n || r->settings.n || r->passphrase;
}

static int check_options(const struct dropin *d, struct err *err)
{
	const struct dropin_options *o = d->o;
	bool cores = dropin_is_on(d, DROPIN_TARBALL_COREDUMPS);
	bool results = dropin_is_on(d, DROPIN_TARBALL_RESULTS);
	struct stat st;

	if (cores && results)
		return err_set(err, RC_USAGE,
			       "--tarball-coredumps and --tarball-results exclude each other");
	if (cores && !o->allow_plaintext && !dropin_has_recipients(o)) {
		err_set(err, RC_REFUSED, "a core holds every secret of the program: its tarball must be "
			"encrypted");
		err_hint(err, "--encrypt-to RECIPIENT; or --allow-plaintext, and anybody who gets the file "
			 "reads it all");
		return RC_REFUSED;
	}
	if (o->no_scrub && results)
		return err_set(err, RC_REFUSED, "--no-scrub makes no tarball of results: nothing in it "
			       "would be safe to send");
	if (d->outputdir && (stat(d->outputdir, &st) < 0 || !S_ISDIR(st.st_mode)))
		return err_set(err, RC_USAGE, "%s is no folder", d->outputdir);
	if (o->no_scrub)
		message_warn("--no-scrub: the files will hold passwords, telephone numbers, addresses and "
			     "names in the clear; they must not be published");
	return RC_OK;
}

int dropin_run(struct dropin *d, const struct strings *args, struct err *err)
{
	bool running = dropin_is_on(d, DROPIN_RUNNING);
	struct found_cores found = { 0 };
	int rc = check_options(d, err);

	if (rc == RC_OK && (!running || args->n))
		rc = find_cores(d, args, &found, err);
	if (rc == RC_OK && running)
		rc = dump_running(d, args->n > 0, &found, err);
	if (rc == RC_OK && found.n == 0 && running && dropin_is_on(d, DROPIN_DRY_RUN))
		rc = EXIT_DONE;
	else if (rc == RC_OK && found.n == 0)
		rc = err_set(err, RC_NOTFOUND, "no coredumps found");
	else if (rc == RC_OK)
		rc = dropin_process(d, &found, err);
	found_cores_done(&found);
	return rc;
}
