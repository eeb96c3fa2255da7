/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* How long a private map is kept. */
#define MAP_SECONDS (90 * 24 * 3600)

int run_forget(const char *case_name, struct err *err)
{
	AUTO_FREE char *path = NULL;

	if (!*case_name || *case_name == '.' || strchr(case_name, '/'))
		return err_set(err, RC_USAGE, "that can't be the name of a case");
	path = redact_map_path(case_name);
	if (unlink(path) == 0)
		return RC_OK;
	return errno == ENOENT ? err_set(err, RC_NOTFOUND, "no private map of that case") :
				 err_errno(err, RC_IO, "can't delete the private map");
}

int run_forget_expired(size_t *ret_gone, struct err *err)
{
	AUTO_FREE char *folder = redact_map_path("x");
	time_t oldest = time(NULL) - MAP_SECONDS;
	size_t gone = 0;
	struct dirent *e;
	DIR *d;

	*strrchr(folder, '/') = '\0';
	d = opendir(folder);
	if (!d) {
		*ret_gone = 0;
		return errno == ENOENT ? RC_OK : err_errno(err, RC_IO, "can't read the state folder");
	}
	while ((e = readdir(d))) {
		size_t n = strlen(e->d_name);
		struct stat st;

		if (n < 5 || strcmp(e->d_name + n - 4, ".map") != 0 ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    st.st_mtime > oldest)
			continue;
		gone += unlinkat(dirfd(d), e->d_name, 0) == 0;
	}
	closedir(d);
	*ret_gone = gone;
	return RC_OK;
}
