/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PBXLIKE_H
#define PBXLIKE_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/*
 * A toy telephone exchange that keeps in memory what a real one keeps: users with passwords and
 * digests, a trunk's secret, calls with numbers and names, SIP messages, peers' addresses, a
 * database's DSN. It takes and makes no call over a network; it crashes in a way that is asked for.
 */

#define USERS_MAX	8
#define SIP_MAX		2048
#define N_CALLS		4

enum crash { CRASH_NULL, CRASH_ABORT, CRASH_DEADLOCK };

struct user {
	char name[32];
	char password[48];
	char ha1[33];			/* MD5 of name:realm:password, RFC 2617 */
	char callerid_name[64];
	char callerid_number[32];
	char email[64];
	char pin[16];			/* of the mailbox */
	char mac[24];
	struct sockaddr_storage peer;	/* where the telephone is */
	char contact[192];		/* set by a REGISTER */
};

struct trunk {
	char name[32];
	char username[32];
	char secret[48];
	char callerid[32];
	struct sockaddr_in peer;
};

struct config {
	char realm[64];
	char api_token[64];
	char dsn[128];
	char ami_username[32];
	char ami_secret[48];
	struct trunk trunk;
	struct user users[USERS_MAX];
	size_t n_users;
};

struct codec {
	const char *name;
	unsigned frame_ms;
};

struct leg {
	char uri[192];
	char number[32];
	char name[64];
	struct sockaddr_storage remote;
	const struct codec *codec;	/* NULL until it is agreed on */
};

struct call {
	unsigned id;
	pthread_mutex_t lock;
	const struct user *user;
	struct leg caller, callee;
	char digits[40];		/* what was dialled during the call */
	char sip[SIP_MAX]; /* the last message; a shorter one leaves a longer one's tail */
	bool go_on;			/* leave the wait and bridge */
};

struct pbx {
	struct config config;
	enum crash crash;
	pthread_mutex_t calls_lock;	/* the list of calls */
	pthread_mutex_t db_lock;
	pthread_mutex_t park_lock;
	pthread_cond_t parked;		/* a worker has reached its wait */
	pthread_cond_t wake;		/* go_on or crash_now was set */
	unsigned n_parked; /* steps made: one a call, the AMI's, in a deadlock two more */
	bool crash_now;
	struct call *calls;
	unsigned n_calls;
	int sip_fd, sip6_fd, ami_fd;	/* on the loopback */
	in_port_t sip_port, ami_port;	/* in host order */
};

/* config.c: 0, or -1 and a line on stderr. */
int config_load(const char *path, struct config *ret);
void sockaddr_text(const struct sockaddr_storage *sa, char *ret, size_t size);

/* log.c: a line to pbxlike.log, with date and level. */
int log_open(const char *path);
void log_line(const char *level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* sip.c */
int sip_open(struct pbx *pbx);
void *sip_thread(void *pbx);
/* Registers a user over the loopback, with a digest. */
int sip_register(struct pbx *pbx, const struct user *user);
void sip_invite(const struct pbx *pbx, struct call *call);
void sip_bye(struct call *call);
const char *sip_sdp(const struct call *call);	/* within its last message */

/* calls.c */
struct call_arg {
	struct pbx *pbx;
	struct call *call;
};
void call_init(struct pbx *pbx, struct call *call, unsigned id);
void *call_thread(void *call_arg);
/* Says that this thread is where it should be, and waits until `until` such steps were made. */
void pbx_park(struct pbx *pbx, unsigned until);
/* Only waits for them. */
void pbx_wait_parked(struct pbx *pbx, unsigned until);

/* services.c */
int ami_open(struct pbx *pbx);
void *ami_thread(void *pbx);
int ami_login(struct pbx *pbx);		/* as its own client; the connection stays open */
void *db_thread(void *pbx);

#endif
