/* SPDX-License-Identifier: Apache-2.0 */
#include "base_internal.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All by system calls: glibc's set*id take locks that a fork may have left taken. */

/* Root's number stays, its power goes: an exec gives nothing back (NOROOT), nor does a file. */
static bool drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return false;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return false;
	if (prctl(PR_SET_SECUREBITS,
		  SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
			  SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
			  SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
		  0, 0, 0) < 0)
		return false;
	return syscall(SYS_capset, &head, none) == 0;
}

/* With the numbers of another user the kernel clears the capabilities by itself. */
static bool become(uid_t uid, gid_t gid)
{
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0 ||
	    syscall(SYS_setresuid, uid, uid, uid) < 0)
		return false;
	return syscall(SYS_geteuid) == uid && syscall(SYS_getegid) == gid;
}

bool privilege_drop(uid_t uid, gid_t gid)
{
	/* an ordinary user is nobody else and can't be */
	if (syscall(SYS_geteuid) != 0)
		return true;
	if (uid != 0)
		return become(uid, gid);
	return become(0, gid) && drop_capabilities();
}
