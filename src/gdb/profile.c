/* SPDX-License-Identifier: Apache-2.0 */
#include "gdb_internal.h"

#include <corescrub/conf.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * A profile says what a program's own state is, in Python for gdb; doc/profiles.md. Its scripts run
 * in gdb, confined, but what they print is the report: nobody else may write them.
 */

#define PROFILE_MAX	MIB(1)		/* bytes of one script */
#define SCRIPTS_MAX	16		/* files that make one */

static const char *const known_keys[] = { "profile", "summary", "program", "info", "locks",
					  "lock-tracking", "lock-tracking-hint", "dump-option",
					  "dump-hint", "config-folder", "config-variable", NULL };

void gdb_profile_free(struct gdb_profile *p)
{
	if (!p)
		return;
	free(p->name);
	buf_done(&p->info);
	buf_done(&p->locks);
	strings_done(&p->lock_tracking);
	free(p->lock_tracking_hint);
	free(p->dump_option);
	free(p->dump_hint);
	free(p->config_folder);
	free(p->config_variable);
	free(p);
}

static int check_trusted(const char *path, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_IO, "can't open %s", path);
	return file_check_trusted(fd, path, false, err);
}

/* One Python file beside the profile. A line "end" would end gdb's python command early. */
static int add_script(const char *folder, struct span name, struct buf *to, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/%.*s", folder, (int)name.len, name.p);
	AUTO_BUF text = BUF_INIT;
	struct span all;
	int rc = check_trusted(path, err);

	if (rc == RC_OK)
		rc = file_read(path, PROFILE_MAX, &text, err);
	if (rc < 0)
		return rc;
	all = buf_span(&text);
	for (size_t at = 0, end, line = 1; at < all.len; at = end, line++) {
		end = span_line_end(all, at);
		if (span_eq_str(span_trim(span_sub(all, at, end)), "end"))
			return err_at(err, RC_SYNTAX, path, (unsigned)line, 1,
				      "a line 'end' alone ends a script for gdb");
	}
	buf_add_span(to, all);
	buf_add_char(to, '\n');
	return RC_OK;
}

/* The files of a key, one behind the other, as gdb commands: a memfd has no .py. */
static int load_script(const struct conf *c, const char *folder, const char *key, struct buf *ret,
		       struct err *err)
{
	const struct conf_node *at = conf_get(conf_root(c), key);
	const struct span *files = NULL;
	size_t n = 0;
	int rc = conf_get_strings(c, conf_root(c), key, &files, &n, err);

	if (rc < 0 || n == 0)
		return rc;
	buf_add_str(ret, "python\n");
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		if (i == SCRIPTS_MAX || !files[i].len || memchr(files[i].p, '/', files[i].len))
			return conf_err(c, at, err, "scripts are up to %d files beside the profile",
					SCRIPTS_MAX);
		rc = add_script(folder, files[i], ret, err);
	}
	buf_add_str(ret, "end\n");
	return rc;
}

static int load_string(const struct conf *c, const char *key, char **ret, struct err *err)
{
	struct span text = { NULL, 0 };
	int rc = conf_get_string(c, conf_root(c), key, &text, err);

	if (rc == RC_OK && text.p)
		*ret = xstrndup(text.p, text.len);
	return rc;
}

static int load_rest(const struct conf *c, const char *path, struct gdb_profile *p, struct err *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *folder = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
	const struct span *symbols = NULL;
	size_t n = 0;
	int rc = load_script(c, folder, "info", &p->info, err);

	if (rc == RC_OK)
		rc = load_script(c, folder, "locks", &p->locks, err);
	if (rc == RC_OK)
		rc = conf_get_strings(c, conf_root(c), "lock-tracking", &symbols, &n, err);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		strings_add(&p->lock_tracking, xstrndup(symbols[i].p, symbols[i].len));
	if (rc == RC_OK)
		rc = load_string(c, "lock-tracking-hint", &p->lock_tracking_hint, err);
	if (rc == RC_OK)
		rc = load_string(c, "dump-option", &p->dump_option, err);
	if (rc == RC_OK)
		rc = load_string(c, "config-folder", &p->config_folder, err);
	if (rc == RC_OK)
		rc = load_string(c, "config-variable", &p->config_variable, err);
	return rc == RC_OK ? load_string(c, "dump-hint", &p->dump_hint, err) : rc;
}

/* RC_OK with *ret NULL where it is another program's. */
static int load(const char *path, const char *program, struct gdb_profile **ret, struct err *err)
{
	const char *slash = strrchr(program, '/'), *base = slash ? slash + 1 : program;
	AUTO(gdb_profile) p = xcalloc(1, sizeof(*p));
	AUTO(conf) c = NULL;
	const struct span *globs = NULL;
	size_t n = 0;
	bool fits = false;
	int rc = check_trusted(path, err);

	if (rc == RC_OK)
		rc = conf_read(path, &c, err);
	if (rc < 0)
		return rc;
	if (conf_root(c)->type != CONF_MAP)
		return conf_err(c, conf_root(c), err, "a profile is a map");
	rc = conf_check_keys(c, conf_root(c), known_keys, err);
	if (rc == RC_OK)
		rc = load_string(c, "profile", &p->name, err);
	if (rc == RC_OK)
		rc = conf_get_strings(c, conf_root(c), "program", &globs, &n, err);
	if (rc < 0)
		return rc;
	if (!p->name || n == 0)
		return conf_err(c, conf_root(c), err, "a profile needs 'profile' and 'program'");
	for (size_t i = 0; i < n && !fits; i++)
		fits = fnmatch(globs[i].p, base, 0) == 0;
	if (!fits)
		return RC_OK;
	rc = load_rest(c, path, p, err);
	if (rc == RC_OK)
		*ret = STEAL(p);
	return rc;
}

static int is_profile(const struct dirent *e)
{
	return e->d_name[0] != '.' && span_ends(span_str(e->d_name), SPAN_LIT(".yaml"));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int search_folder(const char *folder, const char *program, struct gdb_profile **ret,
			 struct err *err)
{
	struct dirent **list = NULL;
	int n = scandir(folder, &list, is_profile, by_name), rc = RC_OK;

	if (n < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_IO, "can't open %s", folder);
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", folder, list[i]->d_name);

		if (rc == RC_OK && !*ret)
			rc = load(path, program, ret, err);
		free(list[i]);
	}
	free(list);
	return rc;
}

int gdb_profile_find(const char *const *places, const char *program, struct gdb_profile **ret,
		     struct err *err)
{
	struct gdb_profile *found = NULL;
	int rc = RC_OK;

	for (; rc == RC_OK && !found && places && *places; places++) {
		struct stat st;

		if (stat(*places, &st) < 0)
			return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_IO, "can't open %s",
					 *places);
		rc = S_ISDIR(st.st_mode) ? search_folder(*places, program, &found, err) :
					   load(*places, program, &found, err);
	}
	if (rc == RC_OK)
		*ret = found;
	return rc;
}
