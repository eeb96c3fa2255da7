/* SPDX-License-Identifier: Apache-2.0 */
#include "base_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct process {
	pid_t pid;
	int pidfd;
	unsigned missing;
	bool reaped;
};

/* What the child says before its exec; nothing more comes if that works. */
struct word {
	enum { WORD_READY, WORD_NO_DESCRIPTORS, WORD_NO_SANDBOX, WORD_NO_EXEC } what;
	int error;
	unsigned missing;
};

struct launch {
	const struct process_spec *spec;
	struct sandbox_plan plan;
	const char *const *env;
	char *path;		/* the program */
	int program;		/* an open descriptor of it */
	int word_fd;		/* where the child says a word */
};

char *process_find_program(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return xstrdup(name);
	if (!path || !*path)
		path = "/usr/local/bin:/usr/bin:/bin";
	while (*path) {
		size_t n = strcspn(path, ":");
		char *full = xasprintf("%.*s/%s", (int)n, path, name);
		struct stat st;

		if (n > 0 && path[0] == '/' && stat(full, &st) == 0 && S_ISREG(st.st_mode) &&
		    access(full, X_OK) == 0)
			return full;
		free(full);
		path += n + (path[n] == ':');
	}
	return NULL;
}

static void say(const struct launch *l, int what, int error, unsigned missing)
{
	struct word w = { .what = what, .error = error, .missing = missing };

	(void)!write(l->word_fd, &w, sizeof(w));
}

static bool place_standard(int fd, int target)
{
	int from = fd >= 0 ? fd : open("/dev/null", target == 0 ? O_RDONLY : O_WRONLY);

	/* equal numbers: dup2 would leave its close-on-exec */
	if (from == target)
		return fcntl(target, F_SETFD, 0) == 0;
	return from >= 0 && dup2(from, target) == target;
}

/*
 * 0, 1, 2 and those to keep stay open over the exec, all others close. First every descriptor we
 * need moves out of the way of 0, 1 and 2; the program gets the one number the filter lets through.
 */
static bool place_descriptors(struct launch *l)
{
	const struct process_spec *s = l->spec;
	int high[3] = { s->in, s->out, s->err };
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return false;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return false;
	l->word_fd = fcntl(l->word_fd, F_DUPFD_CLOEXEC, 3);
	for (int i = 0; i < 3; i++)
		if (high[i] >= 0 && (high[i] = fcntl(high[i], F_DUPFD_CLOEXEC, 3)) < 0)
			return false;
	/* dup3 and not F_DUPFD: this very number, whatever was there */
	if (l->word_fd < 0 || dup3(l->program, l->plan.exec_fd, O_CLOEXEC) < 0)
		return false;
	for (int i = 0; i < 3; i++)
		if (!place_standard(high[i], i))
			return false;
	/* CLOSE_RANGE_CLOEXEC, for those a library opened without; ours have it */
	syscall(SYS_close_range, 3, ~0U, 1U << 2);
	for (const int *k = s->keep_fds; k && *k >= 0; k++)
		if (fcntl(*k, F_SETFD, 0) < 0)
			return false;
	return true;
}

static void reset_signals(void)
{
	struct sigaction def = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &def, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Between fork and exec: system calls alone, other threads may have held any lock. */
static _Noreturn void child(struct launch *l)
{
	const struct sandbox *box = l->spec->sandbox;
	unsigned missing;

	if (!l->spec->foreground)
		setsid();	/* a process group and no terminal */
	reset_signals();
	if (!place_descriptors(l)) {
		say(l, WORD_NO_DESCRIPTORS, errno, 0);
		_exit(127);
	}
	missing = sandbox_plan_enter(&l->plan);
	if (!sandbox_plan_seal(&l->plan))
		missing |= SANDBOX_SECCOMP;
	if (missing && box && box->strict) {
		say(l, WORD_NO_SANDBOX, 0, missing);
		_exit(127);
	}
	say(l, WORD_READY, 0, missing);
	/* a script must be opened by its interpreter, so only a filter makes us insist */
	if (l->plan.parts & SANDBOX_SECCOMP)
		syscall(SYS_execveat, l->plan.exec_fd, "", l->spec->argv, l->env, AT_EMPTY_PATH);
	else
		execve(l->path, (char *const *)l->spec->argv, (char *const *)l->env);
	say(l, WORD_NO_EXEC, errno, missing);
	_exit(127);
}

static int describe_missing(unsigned missing, struct err *err)
{
	AUTO_BUF names = BUF_INIT;

	for (unsigned bit = 1; bit <= SANDBOX_ALL; bit <<= 1)
		if (missing & bit)
			buf_addf(&names, "%s%s", names.len ? ", " : "", sandbox_part_name(bit));
	err_set(err, RC_SANDBOX, "can't confine the program: no %s", names.p ? names.p : "");
	err_hint(err, "--no-sandbox does without");
	return RC_SANDBOX;
}

/* Reads the child's words until the pipe closes, by the exec or its end. */
static int hear(int fd, const struct launch *l, unsigned *ret_missing, struct err *err)
{
	struct word w = { .what = WORD_NO_EXEC, .error = ECHILD };
	ssize_t n;

	do {
		n = read(fd, &w, sizeof(w));
		if (n == (ssize_t)sizeof(w))
			*ret_missing = w.missing;
	} while (n == (ssize_t)sizeof(w) || (n < 0 && errno == EINTR));
	errno = w.error;
	switch (w.what) {
	case WORD_READY:
		return RC_OK;
	case WORD_NO_SANDBOX:
		return describe_missing(w.missing, err);
	case WORD_NO_DESCRIPTORS:
		return err_errno(err, RC_CHILD, "can't prepare %s", l->spec->argv[0]);
	case WORD_NO_EXEC:
		break;
	}
	/* it was there a moment ago: what is missing is what would interpret it */
	if (errno == ENOENT && (l->plan.parts & SANDBOX_SECCOMP))
		return err_set(err, RC_UNSUPPORTED, "can't confine %s: it is a script, no binary",
			       l->spec->argv[0]);
	return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_CHILD, "can't run %s",
			 l->spec->argv[0]);
}

static int launch_child(struct launch *l, struct process **ret, struct err *err)
{
	AUTO(process) p = xcalloc(1, sizeof(*p));
	AUTO_CLOSE int mine = -1;
	int pipes[2], rc;

	p->pidfd = -1;
	p->reaped = true;	/* until there is one */
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_errno(err, RC_CHILD, "can't run %s", l->spec->argv[0]);
	mine = pipes[0];
	l->word_fd = pipes[1];
	p->pid = fork();
	if (p->pid == 0)
		child(l);
	close(pipes[1]);
	if (p->pid < 0)
		return err_errno(err, RC_CHILD, "can't run %s", l->spec->argv[0]);
	p->reaped = false;
	rc = hear(mine, l, &p->missing, err);
	if (rc < 0)
		return rc;
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->pidfd < 0)
		return err_errno(err, RC_CHILD, "can't watch %s", l->spec->argv[0]);
	fcntl(p->pidfd, F_SETFD, FD_CLOEXEC);
	*ret = STEAL(p);
	return RC_OK;
}

int process_start(const struct process_spec *spec, struct process **ret, struct err *err)
{
	static const char *const no_env[] = { NULL };
	AUTO_CLOSE int program = -1;
	AUTO_FREE char *path = process_find_program(spec->argv[0]);
	struct launch l = { .spec = spec, .env = spec->env ? spec->env : no_env, .path = path };
	int rc;

	if (!path)
		return err_set(err, RC_NOTFOUND, "there is no program %s", spec->argv[0]);
	program = open(path, O_PATH | O_CLOEXEC);
	if (program < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_CHILD, "can't run %s",
				 path);
	rc = sandbox_plan_make(spec->sandbox, true, &l.plan, err);
	if (rc < 0)
		return rc;
	l.program = program;
	rc = launch_child(&l, ret, err);
	sandbox_plan_done(&l.plan);
	return rc;
}

unsigned process_missing(const struct process *p)
{
	return p->missing;
}

int process_fd(const struct process *p)
{
	return p->pidfd;
}

static int reap(struct process *p)
{
	int status = 0;

	/* while the dead leader still has its number, the group is surely its own */
	kill(-p->pid, SIGKILL);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	p->reaped = true;
	return status;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int process_wait(struct process *p, int timeout_ms, int *ret_status, struct err *err)
{
	struct pollfd poll_fd = { .fd = p->pidfd, .events = POLLIN };
	int64_t end = now_ms() + timeout_ms;
	int n;

	if (p->reaped)
		return err_set(err, RC_INTERNAL, "this process was waited for already");
	do {
		int64_t left = timeout_ms < 0 ? -1 : end - now_ms();

		n = poll(&poll_fd, 1, timeout_ms >= 0 && left < 0 ? 0 : (int)left);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(err, RC_CHILD, "can't wait for a program");
	if (n == 0)
		return err_set(err, RC_TIMEOUT, "the program took longer than %d s",
			       timeout_ms / 1000);
	*ret_status = reap(p);
	return RC_OK;
}

void process_kill(struct process *p)
{
	if (!p->reaped) {
		kill(p->pid, SIGKILL);	/* the group may not be there yet */
		kill(-p->pid, SIGKILL);
	}
}

void process_free(struct process *p)
{
	if (!p)
		return;
	if (!p->reaped) {
		process_kill(p);
		reap(p);
	}
	auto_close_p(&p->pidfd);
	free(p);
}
