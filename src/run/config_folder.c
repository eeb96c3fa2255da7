/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <corescrub/gdb.h>

#include <fcntl.h>
#include <fnmatch.h>
#include <unistd.h>

/*
 * The program's own configuration: its secrets are in its memory too. Which folder that is the core
 * says, so it must look like the profile's, and its files are opened with the core owner's
 * credentials: what he can't read must not show in his report by what is missing.
 */

#define FILE_MAX	MIB(16)

struct gather {
	struct engine *engine;
	size_t read, passed_over;
};

static int learn_one(void *ctx, const char *path, const char *relative, struct err *err)
{
	struct gather *g = ctx;
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	AUTO(mapping) map = NULL;
	struct stat st;

	(void)relative;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > FILE_MAX ||
	    mapping_open(fd, "a file of the configuration", &map, NULL) < 0) {
		g->passed_over++;
		return RC_OK;
	}
	g->read++;
	return engine_learn_config(g->engine, mapping_span(map), "the configuration", err);
}

static void tell(const struct run_listener *l, const struct gather *g, bool whole)
{
	AUTO_FREE char *text = xasprintf("learned from %zu files of the program's configuration", g->read);

	if ((!whole || g->passed_over) && l && l->warn)
		l->warn(l->ctx, "parts of the program's configuration could not be read: secrets that stand "
				"only there are not known (see --learn)");
	if (l && l->note)
		l->note(l->ctx, text);
}

bool config_folder_fits(const struct gdb_profile *p, const char *folder)
{
	return p && p->config_folder && !strstr(folder, "/../") &&
	       fnmatch(p->config_folder, folder, 0) == 0;
}

int config_folder_learn(struct engine *e, const char *folder, uid_t uid, gid_t gid,
			const struct run_listener *l, struct err *err)
{
	struct credentials saved = { .taken = false };
	struct gather g = { .engine = e };
	struct err walk = ERR_INIT;
	int rc = credentials_take(uid, gid, &saved, err);

	if (rc < 0)
		return rc;
	rc = run_walk(folder, learn_one, NULL, &g, &walk);
	credentials_restore(&saved);
	/* on another machine there is no such folder */
	if (rc == RC_NOTFOUND && g.read == 0)
		return RC_OK;
	if (rc < 0 && rc != RC_IO && rc != RC_NOTFOUND) {
		*err = walk;
		return rc;
	}
	tell(l, &g, rc == RC_OK);
	return RC_OK;
}
