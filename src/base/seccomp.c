/* SPDX-License-Identifier: Apache-2.0 */
#include "base_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* libseccomp's macros leave the last field of a comparison out. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/*
 * A list of what is allowed; all else fails with EPERM, which programs survive. A name that this
 * libseccomp or this processor does not know is passed over: it stays forbidden.
 */

/* Computing, on what is open. No sleep: gdb asks `iconv -l` for names it can do without, and the
   library that starts programs for it would wait 15 s in all between its tries of a forbidden
   vfork. */
static const char *const always[] = {
	"arch_prctl", "brk", "clock_getres", "clock_gettime", "close", "close_range",
	"copy_file_range", "dup", "dup2", "dup3", "epoll_create1", "epoll_ctl", "epoll_pwait",
	"epoll_wait", "eventfd2", "exit", "exit_group", "fadvise64", "fdatasync", "fstat", "fsync",
	"futex", "get_robust_list", "getcpu", "getcwd", "getegid", "geteuid", "getgid", "getgroups",
	"getpgrp", "getpid", "getppid", "getrandom", "getresgid", "getresuid", "getrlimit",
	"getrusage", "getsid", "gettid", "gettimeofday", "getuid", "lseek", "madvise", "membarrier",
	"mincore", "mmap", "mprotect", "mremap", "munmap", "newfstatat", "pipe", "pipe2",
	"poll", "ppoll", "pread64", "preadv", "preadv2", "pselect6", "pwrite64", "pwritev", "read",
	"readv", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
	"rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "sched_getaffinity", "sched_getparam",
	"sched_getscheduler", "sched_yield", "select", "set_robust_list", "set_tid_address",
	"sigaltstack", "sysinfo", "time", "times", "umask", "uname", "write", "writev",
};

/* Looking at files, for a program that Landlock confines; nothing here makes or changes one. */
static const char *const looking[] = {
	"access", "chdir", "faccessat", "faccessat2", "fchdir", "fstatfs", "getdents", "getdents64",
	"lstat", "readlink", "readlinkat", "stat", "statfs", "statx", "wait4", "waitid",
};

/* Flags of open(2) that make, change or lock; O_RDONLY is 0. */
#define OPEN_CHANGING (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY))

static int allow_names(scmp_filter_ctx ctx, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);
		int r = nr == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);

		/* -EDOM: a pseudo number, of another processor's list */
		if (r < 0 && r != -EDOM)
			return r;
	}
	return 0;
}

/* Threads, no processes; a terminal may be asked, not typed into; no locks, leases or seals. */
static int allow_partly(scmp_filter_ctx ctx)
{
	static const int fcntl_commands[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL };
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				 SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

	/* clone3 has its flags in memory, which no filter sees; libc then takes clone */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(fcntl_commands); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				     SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)fcntl_commands[i]));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_EQ, TCGETS));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				     SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	/* asking for limits, of itself */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
				     SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0));
	return r;
}

/* What line editing asks for; TIOCSTI and the like stay forbidden. */
static int allow_terminal(scmp_filter_ctx ctx)
{
	static const unsigned long asked[] = { TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ, TIOCGPGRP, TCXONC,
					       TCFLSH };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(asked); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				     SCMP_A1(SCMP_CMP_EQ, asked[i]));
	/* an event loop's pipes must not block; no other flag can be set */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 2,
				     SCMP_A1(SCMP_CMP_EQ, F_SETFL),
				     SCMP_A2(SCMP_CMP_MASKED_EQ, ~(scmp_datum_t)(O_NONBLOCK | O_ACCMODE), 0));
	return r;
}

static int allow_program(scmp_filter_ctx ctx, int exec_fd)
{
	int r = allow_names(ctx, looking, ARRAY_SIZE(looking));

	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, OPEN_CHANGING, O_RDONLY));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
				     SCMP_A1(SCMP_CMP_MASKED_EQ, OPEN_CHANGING, O_RDONLY));
	/* open(2) is no call of aarch64 */
	if (r == -EDOM)
		r = 0;
	/* the number is above the limit of descriptors and closed by the exec: no second one */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(execveat), 2,
				     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)exec_fd),
				     SCMP_A4(SCMP_CMP_EQ, AT_EMPTY_PATH));
	return r;
}

/* libseccomp writes the program to a descriptor only. */
static int export_filter(scmp_filter_ctx ctx, struct sock_filter **ret, unsigned short *ret_n,
			 struct err *err)
{
	AUTO_CLOSE int fd = -1;
	AUTO_FREE struct sock_filter *filter = NULL;
	struct stat st;
	int rc = file_unnamed(true, &fd, err);

	if (rc < 0)
		return rc;
	if (seccomp_export_bpf(ctx, fd) < 0 || fstat(fd, &st) < 0)
		return err_set(err, RC_SANDBOX, "can't make the system call filter");
	filter = xmalloc((size_t)st.st_size);
	if (pread(fd, filter, (size_t)st.st_size, 0) != st.st_size ||
	    (size_t)st.st_size / sizeof(*filter) > BPF_MAXINSNS)
		return err_set(err, RC_SANDBOX, "can't make the system call filter");
	*ret_n = (unsigned short)((size_t)st.st_size / sizeof(*filter));
	*ret = STEAL(filter);
	return RC_OK;
}

int seccomp_make(int exec_fd, bool terminal, struct sock_filter **ret, unsigned short *ret_n,
		 struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r, rc;

	if (!ctx)
		return err_set(err, RC_NOMEM, "can't make the system call filter");
	/* another architecture's calls have other numbers: such a process ends */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r == 0)
		r = allow_names(ctx, always, ARRAY_SIZE(always));
	if (r == 0)
		r = allow_partly(ctx);
	if (r == 0 && exec_fd >= 0)
		r = allow_program(ctx, exec_fd);
	if (r == 0 && terminal)
		r = allow_terminal(ctx);
	rc = r == 0 ? export_filter(ctx, ret, ret_n, err)
		    : err_set(err, RC_SANDBOX, "can't make the system call filter (error %d)", -r);
	seccomp_release(ctx);
	return rc;
}

bool seccomp_enter(struct sock_filter *filter, unsigned short n, bool all_threads)
{
	struct sock_fprog program = { .len = n, .filter = filter };

	return filter && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				 all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0, &program) == 0;
}
