/* SPDX-License-Identifier: Apache-2.0 */
#include "base_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptors of a confined program; it is executed from the number behind them. */
#define DESCRIPTORS 4096

const char *sandbox_part_name(enum sandbox_part part)
{
	switch (part) {
	case SANDBOX_SECCOMP:
		return "seccomp";
	case SANDBOX_LANDLOCK:
		return "landlock";
	case SANDBOX_NETNS:
		return "network namespace";
	case SANDBOX_RLIMIT:
		return "resource limits";
	case SANDBOX_NO_NEW_PRIVS:
		return "no new privileges";
	case SANDBOX_PDEATHSIG:
		return "death with the parent";
	case SANDBOX_NO_DUMP:
		return "no core dump";
	case SANDBOX_OWNER:
		return "owner's credentials";
	}
	return "unknown";
}

/* No memory in a dump, should there be one after all; kept by an exec (core(5)). */
static void empty_dumps(void)
{
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, "0", 1);
	close(fd);
}

static bool dumps_go_to_a_handler(void)
{
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
	char first = '|';	/* what can't be read is taken for the worse */

	if (fd >= 0) {
		if (read(fd, &first, 1) != 1)
			first = '|';
		close(fd);
	}
	return first == '|' || first == '@';
}

/* 1 where 0 would do for a file: the kernel takes 1 as "no dump to a pipe handler either"
   (fs/coredump.c), while 0 does not stop those. */
static bool limit_core(void)
{
	struct rlimit one = { 1, 1 }, none = { 0, 0 };

	empty_dumps();
	if (setrlimit(RLIMIT_CORE, &one) == 0)
		return true;
	/* an ordinary user can't raise a hard limit of 0 */
	return setrlimit(RLIMIT_CORE, &none) == 0 && !dumps_go_to_a_handler();
}

/* Where 0, 1 or 2 is closed the next file that is opened would be it, and what is printed would
   land in that file. Opened the other way round, so that reading and writing fail as they would
   have. */
static bool fill_standard(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			return false;
	return true;
}

bool process_harden_self(void)
{
	limit_core();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	umask(077);
	return fill_standard();
}

static int descriptor_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_max > DESCRIPTORS)
		return DESCRIPTORS;
	return (int)l.rlim_max - 1;
}

/* Address space that is taken already; 0 if that can't be told. */
static uint64_t own_memory(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (f && fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

int sandbox_plan_make(const struct sandbox *s, bool program, struct sandbox_plan *ret,
		      struct err *err)
{
	struct sandbox_plan p = { .spec = s, .ruleset = -1, .exec_fd = -1 };
	int rc = RC_OK;

	p.parts = SANDBOX_NO_NEW_PRIVS | SANDBOX_PDEATHSIG | SANDBOX_NO_DUMP | (s ? s->parts : 0);
	p.parent = program ? getpid() : getppid();
	if (program)
		p.exec_fd = descriptor_limit();
	if (s && s->memory)
		p.memory = s->memory + (program ? 0 : own_memory());
	if (p.parts & SANDBOX_LANDLOCK)
		rc = landlock_make(s->read_paths, s->exec_paths, &p.ruleset, err);
	if (rc == RC_OK && (p.parts & SANDBOX_SECCOMP))
		rc = seccomp_make(p.exec_fd, s->terminal, &p.filter, &p.n_filter, err);
	if (rc < 0) {
		sandbox_plan_done(&p);
		return rc;
	}
	*ret = p;
	return RC_OK;
}

void sandbox_plan_done(struct sandbox_plan *p)
{
	auto_close_p(&p->ruleset);
	free(p->filter);
	p->ruleset = -1;
	p->filter = NULL;
}

static bool set_limit(int what, uint64_t value)
{
	struct rlimit l = { value, value };
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)what, &now) == 0 && now.rlim_max < l.rlim_max)
		l.rlim_cur = l.rlim_max = now.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &l) == 0;
}

static bool set_limits(const struct sandbox_plan *p)
{
	bool good = set_limit(RLIMIT_FSIZE, p->spec->file_size);

	if (p->memory)
		good &= set_limit(RLIMIT_AS, p->memory);
	if (p->exec_fd >= 0)
		good &= set_limit(RLIMIT_NOFILE, (uint64_t)p->exec_fd);
	return good;
}

/* A change of user clears the signal, so it is set after; a parent that died before is seen by its
   number. */
static bool die_with_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return false;
	if (getppid() != parent)
		_exit(127);
	return true;
}

unsigned sandbox_plan_enter(const struct sandbox_plan *p)
{
	unsigned lost = 0;
	bool alone;

	if (!limit_core())
		lost |= SANDBOX_NO_DUMP;
	alone = !(p->parts & SANDBOX_NETNS) || unshare(CLONE_NEWNET) == 0;
	if ((p->parts & SANDBOX_RLIMIT) && !set_limits(p))
		lost |= SANDBOX_RLIMIT;
	if ((p->parts & SANDBOX_OWNER) && !privilege_drop(p->spec->uid, p->spec->gid))
		lost |= SANDBOX_OWNER;
	/* An ordinary user gets one with a user namespace, where that is allowed. Nobody is
	   mapped in it, so it gives no power that outlives the exec. */
	if (!alone && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		lost |= SANDBOX_NETNS;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		lost |= SANDBOX_NO_NEW_PRIVS;
	if ((p->parts & SANDBOX_LANDLOCK) && !landlock_enter(p->ruleset))
		lost |= SANDBOX_LANDLOCK;
	if ((p->parts & SANDBOX_PDEATHSIG) && !die_with_parent(p->parent))
		lost |= SANDBOX_PDEATHSIG;
	return lost;
}

bool sandbox_plan_seal(const struct sandbox_plan *p)
{
	return !(p->parts & SANDBOX_SECCOMP) || seccomp_enter(p->filter, p->n_filter, false);
}

int sandbox_apply_self(const struct sandbox *s, unsigned *ret_missing, struct err *err)
{
	struct sandbox_plan p;
	unsigned lost;
	int rc = sandbox_plan_make(s, false, &p, err);

	if (rc < 0)
		return rc;
	lost = sandbox_plan_enter(&p);
	if ((p.parts & SANDBOX_SECCOMP) && !seccomp_enter(p.filter, p.n_filter, true))
		lost |= SANDBOX_SECCOMP;
	sandbox_plan_done(&p);
	if (lost && s->strict)
		return err_set(err, RC_SANDBOX, "a part of the confinement can't be had");
	*ret_missing = lost;
	return RC_OK;
}

/* A child takes everything upon itself and tells, by its exit status, what it did not get. */
unsigned sandbox_probe(void)
{
	struct sandbox s = { .parts = SANDBOX_ALL, .uid = geteuid(), .gid = getegid() };
	struct sandbox_plan p;
	int status;
	pid_t pid;

	if (sandbox_plan_make(&s, true, &p, NULL) < 0)
		return 0;
	pid = fork();
	if (pid == 0) {
		unsigned lost = sandbox_plan_enter(&p);

		if (!sandbox_plan_seal(&p))
			lost |= SANDBOX_SECCOMP;
		_exit((int)lost);
	}
	sandbox_plan_done(&p);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 0;
	return SANDBOX_ALL & ~(unsigned)WEXITSTATUS(status);
}
