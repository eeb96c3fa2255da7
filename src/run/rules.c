/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* The folder that holds the running program. */
static int program_folder(char ret[PATH_MAX], struct err *err)
{
	ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 1);
	char *slash;

	if (n <= 0)
		return err_errno(err, RC_IO, "can't find the program's own place");
	ret[n] = '\0';
	slash = strrchr(ret, '/');
	if (!slash)
		return err_set(err, RC_IO, "can't find the program's own place");
	*slash = '\0';
	return RC_OK;
}

/* Who can write the packs decides what is removed. */
static int check_folder(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_IO, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, RC_NOTFOUND, "%s is no folder", path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 022))
		return err_set(err, RC_REFUSED, "%s can be written by others", path);
	return RC_OK;
}

int run_rules_folder(char **ret, struct err *err)
{
	static const char *const places[] = { "rules", "../share/corescrub/rules" };
	char folder[PATH_MAX];
	int rc = program_folder(folder, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", folder, places[i]);

		rc = check_folder(path, err);
		if (rc == RC_OK)
			*ret = STEAL(path);
		if (rc != RC_NOTFOUND)
			return rc;
	}
	err_set(err, RC_NOTFOUND, "the shipped rules are not beside the program");
	err_hint(err, "run 'make' or 'make install' again");
	return RC_NOTFOUND;
}

int run_ruleset(const char *const *rules, const char *policy, const struct decisions *d,
		struct ruleset **ret, struct err *err)
{
	AUTO_BUF added = BUF_INIT;
	AUTO_FREE const char **paths = NULL;
	AUTO_FREE char *shipped = NULL, *database = NULL;
	struct ruleset_options o = { .policy = policy ? policy : "public" };
	size_t n = 0;
	int rc = run_rules_folder(&shipped, err);

	if (rc < 0)
		return rc;
	while (rules && rules[n])
		n++;
	paths = xcalloc(n + 2, sizeof(*paths));
	paths[0] = shipped;
	for (size_t i = 0; i < n; i++)
		paths[i + 1] = rules[i];
	database = xasprintf("%s/rules.hsdb", shipped);
	run_patterns_pack(d, &added);
	o.added = buf_span(&added);
	o.paths = (const char *const *)paths;
	/* the shipped packs' examples were tried when they were built */
	o.try_examples = n > 0;
	o.database = n == 0 && !added.len && access(database, R_OK) == 0 ? database : NULL;
	return ruleset_load(&o, ret, err);
}
