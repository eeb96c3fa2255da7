/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <corescrub/age.h>
#include <corescrub/map.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/*
 * Where private maps are kept: "<case>.map", to which each run adds; encrypted ones, which only
 * their recipient can read, get a file for each run: "<case>.map.age", "<case>+2.map.age", …
 */

#define MAP_SECONDS (90 * 24 * 3600)	/* how long one is kept after it was last written */
#define RUNS_MAX 10000			/* of a case */

int run_map_recipients(const char *const *lines, struct age_recipients **ret, struct err *err)
{
	AUTO(age_recipients) to = NULL;
	int rc = RC_OK;

	if (!lines || !*lines)
		return RC_OK;
	to = age_recipients_new();
	for (; rc == RC_OK && *lines; lines++)
		rc = age_recipients_add(to, span_str(*lines), err);
	if (rc == RC_OK)
		*ret = STEAL(to);
	return rc;
}

static int write_sealed(const struct age_recipients *to, struct span text, const char *path,
			struct err *err)
{
	AUTO(tempfile) t = NULL;
	AUTO(age_writer) w = NULL;
	struct sink_fd out;
	int rc = redact_map_folders(path, err);

	if (rc == RC_OK)
		rc = tempfile_open(path, 0600, &t, err);
	if (rc < 0)
		return rc;
	sink_fd_init(&out, tempfile_fd(t), path);
	rc = age_encrypt(to, false, &out.sink, &w, err);
	if (rc == RC_OK)
		rc = age_writer_sink(w)->write(age_writer_sink(w), text, err);
	if (rc == RC_OK)
		rc = age_encrypt_end(w, err);
	if (rc == RC_OK)
		rc = sink_fd_flush(&out, err);
	buf_done(&out.pending);
	return rc == RC_OK ? tempfile_commit(t, false, err) : rc;
}

/* The first of the case's names that is free. */
static int write_next(const struct age_recipients *to, struct span text, const char *case_name,
		      struct err *err)
{
	int rc = RC_EXISTS;

	for (unsigned run = 1; rc == RC_EXISTS && run < RUNS_MAX; run++) {
		AUTO_FREE char *name = run == 1 ? xstrdup(case_name) : xasprintf("%s+%u", case_name, run);
		AUTO_FREE char *clear = redact_map_path(name);
		AUTO_FREE char *path = xasprintf("%s.age", clear);

		rc = access(path, F_OK) == 0 ? RC_EXISTS : write_sealed(to, text, path, err);
	}
	return rc;
}

int run_map_write(const struct engine *e, const struct redactor *r, const char *path,
		  struct err *err)
{
	AUTO_FREE char *own = path ? NULL : redact_map_path(e->case_name);
	struct err ignored = ERR_INIT;
	AUTO_BUF text = BUF_INIT;
	size_t gone;
	int rc;

	/* who keeps making maps should not have to think of the old ones */
	if (!path)
		run_forget_expired(&gone, &ignored);
	if (!e->map_recipients) {
		rc = redact_map_write(r, path ? path : own, e->case_name, err);
	} else {
		redact_map_text(r, e->case_name, SPAN_LIT(""), &text);
		rc = path ? write_sealed(e->map_recipients, buf_span(&text), path, err) :
			    write_next(e->map_recipients, buf_span(&text), e->case_name, err);
	}
	if (rc == RC_IO && !path)
		err_hint(err, "the private map goes to $XDG_STATE_HOME/corescrub or ~/.local/state/corescrub; "
			      "--no-map makes none");
	return rc;
}

/* Is the file called so a map of the case (NULL: of any)? */
static bool is_map(const char *name, const char *case_name)
{
	size_t len = strlen(name), of_case;
	const char *rest;

	if (len > 4 && strcmp(name + len - 4, ".map") == 0)
		len -= 4;
	else if (len > 8 && strcmp(name + len - 8, ".map.age") == 0)
		len -= 8;
	else
		return false;
	if (!case_name)
		return true;
	/* no case has a plus in its name */
	rest = memchr(name, '+', len);
	of_case = rest ? (size_t)(rest - name) : len;
	return strlen(case_name) == of_case && memcmp(name, case_name, of_case) == 0;
}

int run_map_each(const char *case_name, run_map_fn fn, void *ctx, struct err *err)
{
	AUTO_FREE char *folder = redact_map_path("x");
	time_t oldest = time(NULL) - MAP_SECONDS;
	struct dirent **entries;
	int n, rc = RC_OK;

	*strrchr(folder, '/') = '\0';
	n = scandir(folder, &entries, NULL, alphasort);
	if (n < 0)
		return errno == ENOENT ? RC_OK : err_errno(err, RC_IO, "can't read the state folder");
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", folder, entries[i]->d_name);
		struct stat st;

		if (rc == RC_OK && is_map(entries[i]->d_name, case_name) && lstat(path, &st) == 0 &&
		    S_ISREG(st.st_mode))
			rc = fn(ctx, path, st.st_mtime < oldest, err);
		free(entries[i]);
	}
	free(entries);
	return rc;
}
