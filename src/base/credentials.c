/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/base/process.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Gives back root's credentials to this thread. Going on with another user's would be wrong in
 * every later step, so a failure ends the process.
 */
void credentials_restore(struct credentials *saved)
{
	if (!saved->taken)
		return;
	setfsuid(0);
	setfsgid(0);
	if (setfsuid((uid_t)-1) != 0 || setfsgid((gid_t)-1) != 0 ||
	    syscall(SYS_setgroups, saved->n_groups, saved->groups) != 0)
		abort();
	free(saved->groups);
	saved->taken = false;
}

/*
 * File system credentials of this thread alone: the raw system calls, as glibc's setgroups would
 * change every thread. setfsuid away from 0 also drops the capabilities that pass over file modes.
 */
int credentials_take(uid_t uid, gid_t gid, struct credentials *saved, struct err *err)
{
	if (geteuid() != 0)
		return RC_OK;
	saved->n_groups = getgroups(0, NULL);
	if (saved->n_groups < 0)
		return err_errno(err, RC_IO, "groups");
	saved->groups = xcalloc((size_t)saved->n_groups + 1, sizeof(gid_t));
	saved->n_groups = getgroups(saved->n_groups, saved->groups);
	if (saved->n_groups < 0 || syscall(SYS_setgroups, 1, &gid) != 0) {
		free(saved->groups);
		return err_errno(err, RC_REFUSED, "can't take the owner's groups");
	}
	saved->taken = true;
	setfsgid(gid);
	setfsuid(uid);
	if ((uid_t)setfsuid((uid_t)-1) != uid || (gid_t)setfsgid((gid_t)-1) != gid) {
		credentials_restore(saved);
		return err_set(err, RC_REFUSED, "can't take the owner's credentials");
	}
	return RC_OK;
}
