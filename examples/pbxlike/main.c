/* SPDX-License-Identifier: Apache-2.0 */
#include "pbxlike.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * pbxlike null|abort|deadlock CONFIG: starts, registers its users, holds calls, then crashes. In
 * mode deadlock it prints "stuck PID" and hangs; whoever started it sends SIGABRT. With
 * PBXLIKE_THREADS=N in the environment N more calls are held, a thread each.
 */

static int thread_start(void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t t;
	int rc;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	rc = pthread_create(&t, &attr, run, arg);
	pthread_attr_destroy(&attr);
	return rc == 0 ? 0 : -1;
}

static int mode_parse(const char *text, enum crash *ret)
{
	static const char *const names[] = { "null", "abort", "deadlock" };

	for (unsigned i = 0; i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum crash)i;
			return 0;
		}
	return -1;
}

static int services_start(struct pbx *pbx)
{
	if (sip_open(pbx) != 0 || ami_open(pbx) != 0 || thread_start(sip_thread, pbx) != 0)
		return -1;
	for (size_t i = 0; i < pbx->config.n_users; i++)
		if (sip_register(pbx, &pbx->config.users[i]) != 0)
			return -1;
	return 0;
}

static int calls_start(struct pbx *pbx)
{
	const char *more = getenv("PBXLIKE_THREADS");
	struct call_arg *args;

	pbx->n_calls = N_CALLS + (more ? (unsigned)strtoul(more, NULL, 10) % 10000 : 0);
	pbx->calls = calloc(pbx->n_calls, sizeof(*pbx->calls));
	args = calloc(pbx->n_calls, sizeof(*args));
	if (!pbx->calls || !args)
		return -1;
	for (unsigned i = 0; i < pbx->n_calls; i++) {
		call_init(pbx, &pbx->calls[i], i);
		args[i] = (struct call_arg){ pbx, &pbx->calls[i] };
		if (thread_start(call_thread, &args[i]) != 0)
			return -1;
	}
	return 0;
}

/* Lets the database (abort, deadlock) or the first call (null, deadlock) go on to its end. */
static void crash_start(struct pbx *pbx)
{
	pthread_mutex_lock(&pbx->park_lock);
	pbx->crash_now = pbx->crash != CRASH_NULL;
	pbx->calls[0].go_on = pbx->crash != CRASH_ABORT;
	pthread_cond_broadcast(&pbx->wake);
	pthread_mutex_unlock(&pbx->park_lock);
}

int main(int argc, char **argv)
{
	static struct pbx pbx = {
		.calls_lock = PTHREAD_MUTEX_INITIALIZER, .db_lock = PTHREAD_MUTEX_INITIALIZER,
		.park_lock = PTHREAD_MUTEX_INITIALIZER, .parked = PTHREAD_COND_INITIALIZER,
		.wake = PTHREAD_COND_INITIALIZER,
	};

	if (argc != 3 || mode_parse(argv[1], &pbx.crash) != 0) {
		fprintf(stderr, "usage: pbxlike null|abort|deadlock CONFIG\n");
		return 2;
	}
	if (config_load(argv[2], &pbx.config) != 0 || log_open("pbxlike.log") != 0 ||
	    services_start(&pbx) != 0 || calls_start(&pbx) != 0)
		return 1;
	if (thread_start(ami_thread, &pbx) != 0 || thread_start(db_thread, &pbx) != 0)
		return 1;
	pbx_wait_parked(&pbx, pbx.n_calls);
	if (ami_login(&pbx) < 0)
		return 1;
	pbx_wait_parked(&pbx, pbx.n_calls + 1);
	crash_start(&pbx);
	if (pbx.crash == CRASH_DEADLOCK) {
		pbx_wait_parked(&pbx, pbx.n_calls + 3);
		usleep(200000);		/* the three are past their last step: the second mutex */
		printf("stuck %d\n", (int)getpid());
		fflush(stdout);
	}
	for (;;)
		pause();
}
