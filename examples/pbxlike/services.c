/* SPDX-License-Identifier: Apache-2.0 */
#include "pbxlike.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME __attribute__((noinline))

int ami_open(struct pbx *pbx)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);

	pbx->ami_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (pbx->ami_fd < 0 || bind(pbx->ami_fd, (struct sockaddr *)&in, sizeof(in)) != 0 ||
	    listen(pbx->ami_fd, 4) != 0 ||
	    getsockname(pbx->ami_fd, (struct sockaddr *)&in, &len) != 0)
		return -1;
	pbx->ami_port = ntohs(in.sin_port);
	return 0;
}

int ami_login(struct pbx *pbx)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(pbx->ami_port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char text[256];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(text, sizeof(text), "Action: Login\r\nUsername: %s\r\nSecret: %s\r\n\r\n",
		 pbx->config.ami_username, pbx->config.ami_secret);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
	    write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -1;
	return fd;
}

/* Reads up to the empty line that ends an action. */
static FRAME int ami_read_action(int fd, char *input, size_t size)
{
	size_t len = 0;

	while (len + 1 < size) {
		ssize_t n = read(fd, input + len, size - 1 - len);

		if (n <= 0)
			return -1;
		len += (size_t)n;
		input[len] = '\0';
		if (strstr(input, "\r\n\r\n"))
			return 0;
	}
	return -1;
}

static FRAME bool ami_authenticate(const struct config *c, const char *input)
{
	char username[32] = "", secret[48] = "";
	const char *at = strstr(input, "Username: ");

	if (at)
		sscanf(at, "Username: %31[^\r]\r\nSecret: %47[^\r]", username, secret);
	log_line("SECURITY", "AMI login of '%s' from 127.0.0.1", username);
	return strcmp(username, c->ami_username) == 0 && strcmp(secret, c->ami_secret) == 0;
}

/* Holds the list of calls; in mode deadlock it wants the database next. */
static FRAME void ami_list_calls(struct pbx *pbx, const char *api_token)
{
	char header[128];

	snprintf(header, sizeof(header), "Authorization: Bearer %s", api_token);
	pthread_mutex_lock(&pbx->calls_lock);
	pbx_park(pbx, pbx->crash == CRASH_DEADLOCK ? pbx->n_calls + 3 : 0);
	if (pbx->crash == CRASH_DEADLOCK)
		pthread_mutex_lock(&pbx->db_lock);
	pthread_mutex_unlock(&pbx->calls_lock);
	log_line("DEBUG", "Sent a list of calls, %zu bytes of headers", strlen(header));
}

void *ami_thread(void *arg)
{
	struct pbx *pbx = arg;
	char input[512];
	int fd = accept4(pbx->ami_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0 && ami_read_action(fd, input, sizeof(input)) == 0 &&
	    ami_authenticate(&pbx->config, input)) {
		ami_list_calls(pbx, pbx->config.api_token);
		ami_read_action(fd, input, sizeof(input));	/* there is none: waits */
	}
	return NULL;
}

/* The crash of mode abort: a call's record doesn't add up. */
static FRAME void cdr_check(const char *statement, int billed)
{
	if (billed < 0) {
		log_line("ERROR", "Broken record: %s", statement);
		abort();
	}
}

static FRAME void cdr_insert(struct pbx *pbx, const char *dsn, const struct call *call, int billed)
{
	char statement[384], remote[80];

	sockaddr_text(&call->caller.remote, remote, sizeof(remote));
	snprintf(statement, sizeof(statement),
		 "INSERT INTO cdr (clid, src, dst, peer, dsn) VALUES ('\"%s\" <%s>', '%s', '%s', "
		 "'%s', '%s')",
		 call->caller.name, call->caller.number, call->caller.number, call->callee.number,
		 remote, dsn);
	cdr_check(statement, billed);
	pthread_mutex_lock(&pbx->db_lock);
	if (pbx->crash == CRASH_DEADLOCK) {
		pbx_park(pbx, pbx->n_calls + 3);
		pthread_mutex_lock(&pbx->calls[0].lock);
	}
	pthread_mutex_unlock(&pbx->db_lock);
}

void *db_thread(void *arg)
{
	struct pbx *pbx = arg;

	pthread_mutex_lock(&pbx->park_lock);
	while (!pbx->crash_now)
		pthread_cond_wait(&pbx->wake, &pbx->park_lock);
	pthread_mutex_unlock(&pbx->park_lock);
	cdr_insert(pbx, pbx->config.dsn, &pbx->calls[0], pbx->crash == CRASH_ABORT ? -1 : 60);
	for (;;)
		pause();
	return NULL;
}
