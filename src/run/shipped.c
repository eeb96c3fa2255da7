/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"
#include "run_texts.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* What comes with the program: rules and profiles. */

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

/* Beside the program in a build folder, in ../share/corescrub where it is installed. */
static int shipped_folder(const char *name, char **ret, struct err *err)
{
	static const char *const places[] = { "", "../share/corescrub/" };
	char folder[PATH_MAX];
	int rc = program_folder(folder, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s%s", folder, places[i], name);

		rc = check_folder(path, err);
		if (rc == RC_OK)
			*ret = STEAL(path);
		if (rc != RC_NOTFOUND)
			return rc;
	}
	err_set(err, RC_NOTFOUND, "the shipped %s are not beside the program", name);
	err_hint(err, "run 'make' or 'make install' again");
	return RC_NOTFOUND;
}

int run_rules_folder(char **ret, struct err *err)
{
	return shipped_folder("rules", ret, err);
}

int run_profile(const char *const *profiles, const char *program, struct gdb_profile **ret,
		struct err *err)
{
	AUTO_FREE char *shipped = NULL;
	AUTO_FREE const char **places = NULL;
	size_t n = 0;
	int rc = shipped_folder("profiles", &shipped, err);

	if (rc < 0)
		return rc;
	while (profiles && profiles[n])
		n++;
	/* those that were named by hand come first */
	places = xcalloc(n + 2, sizeof(*places));
	for (size_t i = 0; i < n; i++)
		places[i] = profiles[i];
	places[n] = shipped;
	return gdb_profile_find((const char *const *)places, program, ret, err);
}
