/* SPDX-License-Identifier: Apache-2.0 */
#include "base_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

/* landlock(7), by system calls: glibc has no wrappers. What a kernel's headers may not know yet
   stands here; which of it the running kernel knows, its ABI version says. */

#define FS_TRUNCATE  (1ULL << 14)	/* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15)	/* ABI 5 */
#define NET_BIND     (1ULL << 0)	/* ABI 4 */
#define NET_CONNECT  (1ULL << 1)
#define SCOPE_UNIX   (1ULL << 0)	/* ABI 6: abstract AF_UNIX addresses outside */
#define SCOPE_SIGNAL (1ULL << 1)	/* signals to processes outside */

struct ruleset_attr {			/* struct landlock_ruleset_attr of ABI 6 */
	uint64_t fs, net, scoped;
};

static int abi_version(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* Everything the kernel can forbid is forbidden; rules give back reading and executing. */
static int create_ruleset(int abi)
{
	struct ruleset_attr a = { .fs = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1 };	/* ABI 1's, all */
	size_t size = sizeof(a.fs);

	if (abi >= 2)
		a.fs |= 1ULL << 13;	/* LANDLOCK_ACCESS_FS_REFER */
	if (abi >= 3)
		a.fs |= FS_TRUNCATE;
	if (abi >= 4) {
		a.net = NET_BIND | NET_CONNECT;
		size = sizeof(a.fs) + sizeof(a.net);
	}
	if (abi >= 5)
		a.fs |= FS_IOCTL_DEV;
	if (abi >= 6) {
		a.scoped = SCOPE_UNIX | SCOPE_SIGNAL;
		size = sizeof(a);
	}
	return (int)syscall(SYS_landlock_create_ruleset, &a, size, 0);
}

static int add_path(int ruleset, const char *path, uint64_t file_rights, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = { .parent_fd = fd };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return RC_OK;	/* what isn't there needs no permission */
	rule.allowed_access = file_rights;
	if (S_ISDIR(st.st_mode))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0)
		return RC_OK;
	/* a memfd lies in no folder: Landlock takes no rule for it and asks for none */
	if (errno == EBADFD)
		return RC_OK;
	return err_errno(err, RC_SANDBOX, "landlock takes no rule for %s", path);
}

int landlock_make(const char *const *read_paths, const char *const *exec_paths, int *ret_ruleset,
		  struct err *err)
{
	AUTO_CLOSE int ruleset = -1;
	int abi = abi_version();
	int rc = RC_OK;

	*ret_ruleset = -1;
	if (abi < 1)
		return RC_OK;
	ruleset = create_ruleset(abi);
	if (ruleset < 0)
		return RC_OK;
	for (size_t i = 0; rc == RC_OK && read_paths && read_paths[i]; i++)
		rc = add_path(ruleset, read_paths[i], LANDLOCK_ACCESS_FS_READ_FILE, err);
	for (size_t i = 0; rc == RC_OK && exec_paths && exec_paths[i]; i++)
		rc = add_path(ruleset, exec_paths[i],
			      LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE, err);
	if (rc < 0)
		return rc;
	*ret_ruleset = ruleset;
	ruleset = -1;
	return RC_OK;
}

bool landlock_enter(int ruleset)
{
	return ruleset >= 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}
