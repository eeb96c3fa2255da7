/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* How deep folders are followed: deeper ones are made by somebody who means harm. */
#define WALK_DEPTH 64

struct walk {
	run_file_fn fn;
	void (*skipped)(void *ctx, const char *path);
	void *ctx;
	size_t root_len;	/* of the path that was given, with its slash */
};

static int walk_one(const struct walk *w, const char *path, int depth, struct err *err);

static int walk_folder(const struct walk *w, const char *path, int depth, struct err *err)
{
	struct dirent **entries;
	int n, rc = RC_OK;

	if (depth >= WALK_DEPTH)
		return err_set(err, RC_TOOBIG, "folders nest deeper than %d", WALK_DEPTH);
	n = scandir(path, &entries, NULL, alphasort);
	if (n < 0)
		return err_errno(err, RC_IO, "can't read the folder %s", path);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (rc == RC_OK && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			AUTO_FREE char *child = xasprintf("%s/%s", path, name);

			rc = walk_one(w, child, depth + 1, err);
		}
		free(entries[i]);
	}
	free(entries);
	return rc;
}

static int walk_one(const struct walk *w, const char *path, int depth, struct err *err)
{
	struct stat st;

	/* what the user names may be a link, what is found below a folder not */
	if ((depth ? lstat(path, &st) : stat(path, &st)) < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_IO, "%s", path);
	if (S_ISDIR(st.st_mode))
		return walk_folder(w, path, depth, err);
	if (S_ISREG(st.st_mode))
		return w->fn(w->ctx, path, depth ? path + w->root_len : "", err);
	if (w->skipped)
		w->skipped(w->ctx, path);
	return RC_OK;
}

int run_walk(const char *path, run_file_fn fn, void (*skipped)(void *ctx, const char *path),
	     void *ctx, struct err *err)
{
	struct walk w = { fn, skipped, ctx, strlen(path) + 1 };

	return walk_one(&w, path, 0, err);
}
