/* SPDX-License-Identifier: Apache-2.0 */
#include "dropin.h"

#include <corescrub/age.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* One core after the other: one that fails doesn't keep the others from being processed. */

void dropin_say(const struct dropin *d, const char *fmt, ...)
{
	AUTO_FREE char *line = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&line, fmt, args);
	va_end(args);
	if (n < 0 || d->o->common.quiet || d->o->common.json)
		return;
	for (const char *p = line; *p; p++)
		printf((unsigned char)*p < 0x20 || *p == 0x7f ? "\\%03o" : "%c", (unsigned char)*p);
	putchar('\n');
	fflush(stdout);
}

struct one {				/* a core on its way */
	struct dropin *d;
	const struct found_core *core;
	char *folder, *old_name;	/* where it is, what it is called */
	size_t number;			/* from 0 */
	char *name;			/* what its files are called, and it itself if `renamed` */
	char *stem;			/* of its tarball, or NULL: its name */
	bool renamed;
};

static void one_done(struct one *o)
{
	free(o->folder);
	free(o->old_name);
	free(o->name);
	free(o->stem);
}

/* With --tarball-uniqueid the documented name, "asterisk-<uniqueid>.results"; of a second core a
   number more. */
static void choose_stem(struct one *o)
{
	const char *what = dropin_is_on(o->d, DROPIN_TARBALL_COREDUMPS) ? "coredumps" : "results";

	if (!o->d->uniqueid)
		return;
	if (o->number == 0)
		o->stem = xasprintf("%s-%s.%s", o->d->program, o->d->uniqueid, what);
	else
		o->stem = xasprintf("%s-%s-%zu.%s", o->d->program, o->d->uniqueid, o->number + 1, what);
}

/* "core-asterisk-<its time>", as the script names it; of a running program's dump, a compressed one
   or with --no-rename its own name. */
static int choose_name(struct one *o, struct err *err)
{
	AUTO_FREE char *date = NULL;
	size_t bare;
	int rc;

	if (search_is_compressed(o->old_name, &bare)) {
		o->name = xstrndup(o->old_name, bare);
		return RC_OK;
	}
	o->name = xstrdup(o->old_name);
	if (strstr(o->old_name, "running") || !dropin_is_on(o->d, DROPIN_RENAME))
		return RC_OK;
	rc = dropin_date(o->d->dateopts, o->core->mtime, &date, err);
	if (rc < 0)
		return rc;
	free(o->name);
	o->name = xasprintf("core-%s-%s", o->d->program, date);
	o->renamed = strcmp(o->name, o->old_name) != 0;
	return RC_OK;
}

/* Two cores of one second: the later one gets a number, where the script lost the first. */
static void make_unique(struct one *o, int folder)
{
	AUTO_FREE char *first = xstrdup(o->name);
	struct stat st;

	for (unsigned n = 2; o->renamed && n < 1000; n++) {
		if (fstatat(folder, o->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return;
		free(o->name);
		o->name = xasprintf("%s-%u", first, n);
	}
}

static bool still_there(const struct one *o, int folder)
{
	struct stat st;

	return fstatat(folder, o->old_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == o->core->dev && st.st_ino == o->core->ino;
}

/* The name is changed within its folder, over nothing, if it is still that of the core that was
   read. */
static int rename_core(const struct one *o, int folder, struct err *err)
{
	if (!still_there(o, folder))
		return err_set(err, RC_REFUSED, "%s is another file now; it keeps its name",
			       o->core->path);
	if (renameat2(folder, o->old_name, folder, o->name, RENAME_NOREPLACE) < 0)
		return err_errno(err, RC_IO, "%s can't be renamed", o->core->path);
	return RC_OK;
}

static void delete_core(const struct one *o, int folder)
{
	const char *name = o->renamed ? o->name : o->old_name;
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_dev != o->core->dev ||
	    st.st_ino != o->core->ino || unlinkat(folder, name, 0) < 0)
		message_warn("a core could not be deleted");
}

/* The configs teach what is secret, and go along, scrubbed, if that is asked for. */
static const char *config_folder(const struct dropin *d)
{
	const char *folder = d->etcdir;

	if (!folder && strcmp(d->program, "asterisk") == 0)
		folder = "/etc/asterisk";
	return folder && access(folder, R_OK | X_OK) == 0 ? folder : NULL;
}

static void copy_list(const struct strings *from, struct strings *to)
{
	for (size_t i = 0; i < from->n; i++)
		strings_add(to, xstrdup(from->v[i]));
}

struct lists {			/* what all cores have in common */
	struct strings learn, attach;
	struct age_recipients *recipients;	/* NULL: none */
};

static int gather(const struct dropin *d, struct lists *ret, struct err *err)
{
	const char *configs = config_folder(d);

	copy_list(&d->o->learn, &ret->learn);
	copy_list(&d->o->attach, &ret->attach);
	if (configs && !d->o->no_learn)
		strings_add(&ret->learn, xstrdup(configs));
	if (configs && dropin_is_on(d, DROPIN_TARBALL_CONFIG) && dropin_is_on(d, DROPIN_TARBALL_RESULTS))
		strings_add(&ret->attach, xstrdup(configs));
	if (!configs && dropin_is_on(d, DROPIN_TARBALL_CONFIG))
		message_warn("there is no config folder that can be read (see --etcdir)");
	if (!dropin_is_on(d, DROPIN_TARBALL_COREDUMPS) || !dropin_has_recipients(d->o))
		return RC_OK;	/* then --allow-plaintext was typed */
	return recipients_gather(&d->o->recipients, &ret->recipients, err);
}

/* The core goes to its recipients, or in the clear if that was typed. */
static void fill_tarball(const struct dropin *d, const struct lists *lists, struct run_flat *flat,
			 struct run_report_job *job)
{
	const char *configs = dropin_is_on(d, DROPIN_TARBALL_CONFIG) ? config_folder(d) : NULL;

	if (!dropin_is_on(d, DROPIN_TARBALL_COREDUMPS))
		return;
	if (!lists->recipients) {
		flat->plain_core = true;
		flat->plain_config = configs;
		return;
	}
	job->with_core = RUN_CORE_RAW;
	job->with_binaries = true;
	job->with_config = configs;
	job->recipients = lists->recipients;
}

static int report(const struct one *one, int dir, const struct lists *lists,
		  struct run_report_result *ret, struct err *err)
{
	const struct dropin *d = one->d;
	const struct dropin_options *o = d->o;
	struct run_flat flat = {
		.dir = dir,
		.folder = d->outputdir ? d->outputdir : one->folder,
		.texts = !dropin_is_on(d, DROPIN_DELETE_RESULTS_AFTER),
		.package = dropin_is_on(d, DROPIN_TARBALL_RESULTS),
		.clear = o->no_scrub,
		.stem = one->stem,
	};
	const char *const cores[] = { one->core->path, NULL }, *const names[] = { one->name, NULL };
	const int fds[] = { one->core->fd };
	struct run_report_job job = {
		.common = common_run_options(&o->common),
		.cores = cores,
		.core_fds = fds,
		.core_names = names,
		.flat = &flat,
		.exe = o->asterisk_bin && strchr(o->asterisk_bin, '/') ? o->asterisk_bin : NULL,
		.gdb = o->gdb,
		.attach = strings_list(&lists->attach),
		.timeout_s = o->timeout,
		.jobs = o->jobs,
		.no_sandbox = o->no_sandbox,
		.accept_open = o->accept_open,
		.listener = message_listener(&o->common),
	};
	int rc;

	job.common.case_name = o->case_name;
	job.common.learn = strings_list(&lists->learn);
	job.common.words = strings_list(&o->words);
	job.common.keep_words = strings_list(&o->keep_words);
	job.common.no_learn = o->no_learn;
	job.common.no_map = o->no_map || o->no_scrub;
	fill_tarball(d, lists, &flat, &job);
	rc = run_report(&job, o->common.json, ret, err);
	message_progress_end();
	return rc;
}

static int say(const struct one *o, const struct run_report_result *r)
{
	if (o->d->o->common.json)
		return print_buf(&r->table);
	for (size_t i = 0; i < r->files.n; i++)
		dropin_say(o->d, "Creating %s", r->files.v[i]);
	for (size_t i = 0; i < r->handoffs.n; i++)
		dropin_say(o->d, "Creating %s/%s", o->d->outputdir ? o->d->outputdir : o->folder,
			   r->handoffs.v[i]);
	if (!r->packed && !o->d->o->no_scrub) {
		message_warn("open items are left: look at *-review-private.html before the files are sent"
			     ", then --accept-open");
		return EXIT_PERSON;
	}
	return r->left_out ? EXIT_PERSON : EXIT_DONE;
}

/* Where the texts go. Beside the core means the folder that holds it still: whoever owns a folder
   above could have put a link in its place. */
static int open_output(const struct one *o, int folder, struct err *err)
{
	int fd;

	if (!o->d->outputdir && !still_there(o, folder))
		return err_set(err, RC_REFUSED, "%s is another file now", o->core->path);
	fd = o->d->outputdir ? open(o->d->outputdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) :
			       fcntl(folder, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? err_errno(err, RC_IO, "can't open the folder for the files") : fd;
}

static int process(struct one *o, const struct lists *lists, struct err *err)
{
	AUTO_CLOSE int folder = open(o->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct run_report_result result = { 0 };
	int dir, rc, code;

	if (folder < 0)
		return err_errno(err, RC_IO, "can't open the folder of %s", o->core->path);
	rc = choose_name(o, err);
	if (rc < 0)
		return rc;
	make_unique(o, folder);
	choose_stem(o);
	dropin_say(o->d, "Processing %s", o->core->path);
	if (o->renamed)
		dropin_say(o->d, "Renaming %s to %s/%s", o->core->path, o->folder, o->name);
	if (dropin_is_on(o->d, DROPIN_DRY_RUN))
		return EXIT_DONE;
	dir = open_output(o, folder, err);
	if (dir < 0)
		return dir;
	rc = report(o, dir, lists, &result, err);
	close(dir);
	if (rc < 0)
		return rc;
	code = say(o, &result);
	run_report_result_done(&result);
	/* the core last: while anything can fail, it stays as it was */
	if (o->renamed)
		rc = rename_core(o, folder, err);
	if (rc == RC_OK && code == EXIT_DONE && dropin_is_on(o->d, DROPIN_DELETE_COREDUMPS_AFTER))
		delete_core(o, folder);
	return rc < 0 ? rc : code;
}

static void split_path(struct one *o)
{
	const char *slash = strrchr(o->core->path, '/');

	o->folder = !slash		      ? xstrdup(".") :
		    slash == o->core->path ? xstrdup("/") :
					     xstrndup(o->core->path, (size_t)(slash - o->core->path));
	o->old_name = xstrdup(slash ? slash + 1 : o->core->path);
}

/* The worst of all: a failure, then what needs a person. */
static int worse(int a, int b)
{
	if (a == EXIT_FAILED || b == EXIT_FAILED)
		return EXIT_FAILED;
	return a ? a : b;
}

int dropin_process(struct dropin *d, const struct found_cores *found, struct err *err)
{
	struct lists lists = { 0 };
	int code = gather(d, &lists, err);

	for (size_t i = 0; code >= 0 && i < found->n; i++) {
		struct one o = { .d = d, .core = &found->v[i], .number = i };
		struct err e = ERR_INIT;
		int rc;

		split_path(&o);
		rc = process(&o, &lists, &e);
		one_done(&o);
		if (rc < 0 && found->n == 1) {
			*err = e;
			code = rc;
		} else if (rc < 0) {
			message_error(&e);
			code = worse(code, message_exit(&e));
		} else {
			code = worse(code, rc);
		}
	}
	strings_done(&lists.learn);
	strings_done(&lists.attach);
	age_recipients_free(lists.recipients);
	return code;
}
