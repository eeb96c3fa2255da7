/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <corescrub/elfcore.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A child with threads and known memory is dumped; then it must go on as if nothing had been. */

#define N_THREADS 4
#define WORDS "a page that was written to"

struct places {			/* shared with the child: where things are in it */
	char *written, *untouched, *kept_out;
	volatile unsigned long ticks;
	bool ready;
};

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static _Noreturn void run_child(struct places *p)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	p->written = mmap(NULL, MIB(8), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(p->written + MIB(4), WORDS);
	p->untouched = mmap(NULL, MIB(64), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p->kept_out = mmap(NULL, MIB(1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(p->kept_out, WORDS);
	madvise(p->kept_out, MIB(1), MADV_DONTDUMP);
	mmap(NULL, (size_t)1 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);	/* as malloc does */
	for (int i = 0; i < N_THREADS; i++) {
		pthread_t t;

		if (pthread_create(&t, NULL, sleeper, NULL) != 0)
			_exit(1);
	}
	p->ready = true;
	for (;; p->ticks++)
		usleep(1000);
}

static int start(void **state)
{
	struct places *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				-1, 0);
	static struct {
		struct places *places;
		pid_t pid;
	} s;

	s.places = p;
	s.pid = fork();
	if (s.pid == 0)
		run_child(p);
	for (int i = 0; i < 5000 && !*(volatile bool *)&p->ready; i++)
		usleep(1000);
	*state = &s;
	return p->ready ? 0 : -1;
}

static struct places *places_of(void **state)
{
	return *(struct places **)*state;
}
static pid_t pid_of(void **state)
{
	return *(pid_t *)((struct places **)*state + 1);
}

static int stop(void **state)
{
	kill(pid_of(state), SIGKILL);
	waitpid(pid_of(state), NULL, 0);
	munmap(places_of(state), sizeof(struct places));
	return 0;
}

static void assert_it_goes_on(struct places *p)
{
	unsigned long before = p->ticks;

	for (int i = 0; i < 5000 && p->ticks == before; i++)
		usleep(1000);
	assert_true(p->ticks > before);
}

static void takes_threads_and_memory(void **state)
{
	struct places *p = places_of(state);
	struct err err = ERR_INIT;
	struct elfcore_taken result;
	AUTO_CLOSE int out = -1;
	AUTO(elfcore) core = NULL;
	char text[sizeof(WORDS)] = "";
	struct stat st;
	size_t n;

	assert_int_equal(file_unnamed(false, &out, &err), RC_OK);
	assert_int_equal(elfcore_take(pid_of(state), out, &result, &err), RC_OK);
	assert_it_goes_on(p);
	assert_int_equal(result.threads, N_THREADS + 1);
	assert_int_equal(result.unread, 0);
	assert_true(result.data < MIB(8));	/* holes stay holes */
	assert_int_equal(fstat(out, &st), 0);
	assert_true((size_t)st.st_size < (size_t)1 << 30);	/* what is only reserved is not there */
	assert_int_equal(elfcore_open(out, "core", &core, &err), RC_OK);
	assert_false(elfcore_info(core)->truncated);
	assert_int_equal(elfcore_info(core)->pid, pid_of(state));
	assert_non_null(elfcore_info(core)->program);
	assert_int_equal(elfcore_threads(core, &n)[0].lwp, pid_of(state));
	assert_int_equal(n, N_THREADS + 1);
	assert_int_equal(elfcore_read(core, (uintptr_t)p->written + MIB(4), text, sizeof(text)),
			 sizeof(text));
	assert_string_equal(text, WORDS);
	assert_int_equal(elfcore_read(core, (uintptr_t)p->untouched, text, 1), 1);
	assert_int_equal(text[0], 0);
	assert_int_equal(elfcore_read(core, (uintptr_t)p->kept_out, text, 1), 0);
}

/* Whoever stopped it before finds it stopped. */
static void leaves_a_stopped_one_stopped(void **state)
{
	struct err err = ERR_INIT;
	struct elfcore_taken result;
	AUTO_CLOSE int out = -1;
	int status;

	assert_int_equal(file_unnamed(false, &out, &err), RC_OK);
	kill(pid_of(state), SIGSTOP);
	assert_int_equal(waitpid(pid_of(state), &status, WUNTRACED), pid_of(state));
	assert_int_equal(elfcore_take(pid_of(state), out, &result, &err), RC_OK);
	unsigned long before = places_of(state)->ticks;
	usleep(50000);
	assert_int_equal(places_of(state)->ticks, before);
	kill(pid_of(state), SIGCONT);
	assert_it_goes_on(places_of(state));
}

static void refuses_one_that_is_traced(void **state)
{
	struct err err = ERR_INIT;
	struct elfcore_taken result;
	AUTO_CLOSE int out = -1;
	int status;

	assert_int_equal(file_unnamed(false, &out, &err), RC_OK);
	assert_int_equal(ptrace(PTRACE_SEIZE, pid_of(state), NULL, NULL), 0);
	assert_int_equal(elfcore_take(pid_of(state), out, &result, &err), RC_REFUSED);
	ptrace(PTRACE_INTERRUPT, pid_of(state), NULL, NULL);
	waitpid(pid_of(state), &status, __WALL);
	ptrace(PTRACE_DETACH, pid_of(state), NULL, NULL);
	assert_it_goes_on(places_of(state));
}

static void names_one_that_is_not_there(void **state)
{
	struct err err = ERR_INIT;
	struct elfcore_taken result;
	AUTO_CLOSE int out = -1;

	(void)state;
	assert_int_equal(file_unnamed(false, &out, &err), RC_OK);
	assert_int_equal(elfcore_take(0x7ffffff0, out, &result, &err), RC_NOTFOUND);
}

/* Killed at any instant, we leave it running. */
static void goes_on_when_we_are_killed(void **state)
{
	for (int i = 0; i < 20; i++) {
		pid_t us = fork();
		int status;

		if (us == 0) {
			struct err err = ERR_INIT;
			struct elfcore_taken result;
			int out;

			while (file_unnamed(true, &out, &err) == RC_OK &&
			       elfcore_take(pid_of(state), out, &result, &err) == RC_OK)
				close(out);
			_exit(1);
		}
		usleep(3000 + i * 977);
		kill(us, SIGKILL);
		waitpid(us, &status, 0);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_it_goes_on(places_of(state));
		usleep(20000);	/* until the last thread is let go: a traced one can't be seized */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_threads_and_memory, start, stop),
		cmocka_unit_test_setup_teardown(leaves_a_stopped_one_stopped, start, stop),
		cmocka_unit_test_setup_teardown(refuses_one_that_is_traced, start, stop),
		cmocka_unit_test(names_one_that_is_not_there),
		cmocka_unit_test_setup_teardown(goes_on_when_we_are_killed, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
