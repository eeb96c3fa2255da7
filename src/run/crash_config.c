/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * The program's own configuration: its secrets are in its memory too. Which folder that is the core says,
 * so it must look like the profile's, and its files are opened with the core owner's credentials: what he
 * can't read must not show in his report by what is missing.
 */

#define FILE_MAX	MIB(16)

struct gather {
	struct engine *engine;
	size_t read, passed_over;
};

/* The folder that the profile's script printed; one with escapes is none. */
static char *printed_folder(struct span info)
{
	static const char key[] = "config_folder = \"";
	ssize_t at = span_find(info, SPAN_LIT(key), 0);
	size_t start, end;

	/* a line of its own: no value makes one */
	if (at < 0 || span_line_start(info, (size_t)at) != (size_t)at)
		return NULL;
	start = end = (size_t)at + sizeof(key) - 1;
	while (end < info.len && info.p[end] != '"' && info.p[end] != '\\' && info.p[end] != '\n')
		end++;
	return end < info.len && info.p[end] == '"' ? xstrndup(info.p + start, end - start) : NULL;
}

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

static void tell(const struct crash *c, const struct gather *g, bool whole)
{
	const struct run_listener *l = &c->job->listener;
	AUTO_FREE char *text = xasprintf("learned from %zu files of the program's configuration", g->read);

	if ((!whole || g->passed_over) && l->warn)
		l->warn(l->ctx, "parts of the program's configuration could not be read: secrets that stand "
				"only there are not known (see --learn)");
	if (l->note)
		l->note(l->ctx, text);
}

char *crash_config_folder(const struct crash *c)
{
	const char *like = c->profile ? c->profile->config_folder : NULL;
	AUTO_FREE char *folder = like && c->gdb->info ? printed_folder(c->gdb->info->text) : NULL;

	return folder && !strstr(folder, "/../") && fnmatch(like, folder, 0) == 0 ? STEAL(folder) : NULL;
}

int crash_learn_config(const struct crash *c, struct engine *e, struct err *err)
{
	AUTO_FREE char *folder = crash_config_folder(c);
	struct credentials saved = { .taken = false };
	struct gather g = { .engine = e };
	struct err walk = ERR_INIT;
	int rc;

	if (!folder)
		return RC_OK;
	rc = credentials_take(c->uid, c->gid, &saved, err);
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
	tell(c, &g, rc == RC_OK);
	return RC_OK;
}
