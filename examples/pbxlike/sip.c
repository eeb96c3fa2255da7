/* SPDX-License-Identifier: Apache-2.0 */
#include "pbxlike.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NONCE	"5f0e7a31c9d24b86"

static void md5_hex(const char *text, char ret[33])
{
	unsigned char md[EVP_MAX_MD_SIZE];

	EVP_Digest(text, strlen(text), md, NULL, EVP_md5(), NULL);
	for (size_t i = 0; i < 16; i++)
		snprintf(ret + 2 * i, 3, "%02x", md[i]);
}

/* The response of RFC 2617, without qop. */
static void digest_response(const char *ha1, const char *method, const char *uri, char ret[33])
{
	char a2[192], ha2[33], data[128];

	snprintf(a2, sizeof(a2), "%s:%s", method, uri);
	md5_hex(a2, ha2);
	snprintf(data, sizeof(data), "%s:%s:%s", ha1, NONCE, ha2);
	md5_hex(data, ret);
}

int sip_open(struct pbx *pbx)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	socklen_t len = sizeof(in);

	pbx->sip_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (pbx->sip_fd < 0 || bind(pbx->sip_fd, (struct sockaddr *)&in, sizeof(in)) != 0 ||
	    getsockname(pbx->sip_fd, (struct sockaddr *)&in, &len) != 0)
		return -1;
	pbx->sip_port = ntohs(in.sin_port);
	pbx->sip6_fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (pbx->sip6_fd >= 0 && bind(pbx->sip6_fd, (struct sockaddr *)&in6, sizeof(in6)) != 0)
		log_line("NOTICE", "no IPv6 on the loopback");	/* as in many containers */
	return 0;
}

/* The value of a header's parameter (`username="…"`), or "". */
static void param_get(const char *message, const char *name, char *ret, size_t size)
{
	char want[32];
	const char *at;
	size_t len;

	ret[0] = '\0';
	snprintf(want, sizeof(want), "%s=\"", name);
	at = strstr(message, want);
	if (!at)
		return;
	at += strlen(want);
	len = strcspn(at, "\"");
	snprintf(ret, size, "%.*s", (int)len, at);
}

static struct user *user_find(struct pbx *pbx, const char *name)
{
	for (size_t i = 0; i < pbx->config.n_users; i++)
		if (strcmp(pbx->config.users[i].name, name) == 0)
			return &pbx->config.users[i];
	return NULL;
}

static void register_handle(struct pbx *pbx, const char *message, char *reply, size_t size)
{
	char username[32], uri[128], response[40], expected[33], contact[128];
	struct user *user;

	param_get(message, "username", username, sizeof(username));
	param_get(message, "uri", uri, sizeof(uri));
	param_get(message, "response", response, sizeof(response));
	param_get(message, "contact", contact, sizeof(contact));
	user = user_find(pbx, username);
	if (user)
		digest_response(user->ha1, "REGISTER", uri, expected);
	if (!user || strcmp(expected, response) != 0) {
		log_line("WARNING", "Failed REGISTER of '%s': wrong digest", username);
		snprintf(reply, size, "SIP/2.0 403 Forbidden\r\n\r\n");
		return;
	}
	snprintf(user->contact, sizeof(user->contact), "sip:%s@%s", user->callerid_number, contact);
	log_line("NOTICE", "Registered '%s' at %s, contact %s", username, contact, user->contact);
	snprintf(reply, size, "SIP/2.0 200 OK\r\nContact: <%s>;expires=3600\r\n\r\n",
		 user->contact);
}

void *sip_thread(void *arg)
{
	struct pbx *pbx = arg;
	char packet[SIP_MAX], reply[512];
	struct sockaddr_in from;

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(pbx->sip_fd, packet, sizeof(packet) - 1, 0,
				     (struct sockaddr *)&from, &len);

		if (n <= 0)
			continue;
		packet[n] = '\0';
		register_handle(pbx, packet, reply, sizeof(reply));
		sendto(pbx->sip_fd, reply, strlen(reply), 0, (struct sockaddr *)&from, len);
	}
	return NULL;
}

int sip_register(struct pbx *pbx, const struct user *user)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(pbx->sip_port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char message[SIP_MAX], uri[96], response[33], peer[80];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t n = -1;

	snprintf(uri, sizeof(uri), "sip:%s", pbx->config.realm);
	sockaddr_text(&user->peer, peer, sizeof(peer));
	digest_response(user->ha1, "REGISTER", uri, response);
	snprintf(message, sizeof(message),
		 "REGISTER %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-%s\r\n"
		 "From: \"%s\" <sip:%s@%s>;tag=7c1\r\nAuthorization: Digest username=\"%s\", "
		 "realm=\"%s\", nonce=\"" NONCE "\", uri=\"%s\", response=\"%s\"\r\n"
		 "X-Reach: contact=\"%s\", mac=\"%s\"\r\n\r\n",
		 uri, peer, user->name, user->callerid_name, user->callerid_number,
		 pbx->config.realm, user->name, pbx->config.realm, uri, response, peer, user->mac);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
	    send(fd, message, strlen(message), 0) > 0)
		n = recv(fd, message, sizeof(message) - 1, 0);
	if (fd >= 0)
		close(fd);
	return n > 11 && memcmp(message, "SIP/2.0 200", 11) == 0 ? 0 : -1;
}

void sip_invite(const struct pbx *pbx, struct call *call)
{
	char remote[80];

	sockaddr_text(&call->caller.remote, remote, sizeof(remote));
	snprintf(call->sip, sizeof(call->sip),
		 "INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bK-%u\r\n"
		 "From: \"%s\" <sip:%s@%s>;tag=%u\r\nTo: <%s>\r\nCall-ID: %u-1f2e3d4c@%s\r\n"
		 "P-Asserted-Identity: \"%s\" <tel:%s>\r\nUser-Agent: toyphone/2.4.1.0\r\n\r\n"
		 "v=0\r\nc=IN IP4 %s\r\nm=audio 16384 RTP/SAVP 0\r\na=crypto:1 "
		 "AES_CM_128_HMAC_SHA1_80 inline:hQ2mT9xLrVb4NcY7KqWm2ZxT7LrVbDsa0pJfUeGi\r\n",
		 call->callee.uri, remote, call->id, call->caller.name, call->caller.number,
		 pbx->config.realm, call->id, call->callee.uri, call->id, pbx->config.realm,
		 call->caller.name, call->caller.number, remote);
}

/* Shorter than the INVITE, into the same buffer: its tail stays, as in any long-running server. */
void sip_bye(struct call *call)
{
	snprintf(call->sip, sizeof(call->sip), "BYE %s SIP/2.0\r\nCSeq: 2 BYE\r\n\r\n",
		 call->callee.uri);
}

const char *sip_sdp(const struct call *call)
{
	const char *body = strstr(call->sip, "\r\n\r\nv=0");

	return body ? body + 4 : call->sip;
}
