/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <pwd.h>
#include <unistd.h>

/* What names this machine and its people: learned under the strict policy. */

#define FIRST_LOGIN 1000	/* lower ones are the system's own (adduser(8)) */

static int learn_addresses(struct learned *l, struct err *err)
{
	struct ifaddrs *all, *i;
	int rc = RC_OK;

	if (getifaddrs(&all) < 0)
		return RC_OK;	/* no addresses to learn where none can be listed */
	for (i = all; i && rc == RC_OK; i = i->ifa_next) {
		char text[INET6_ADDRSTRLEN];
		const void *bytes = NULL;
		enum kind kind = KIND_IP4;

		if (!i->ifa_addr || (i->ifa_flags & IFF_LOOPBACK))
			continue;
		if (i->ifa_addr->sa_family == AF_INET) {
			bytes = &((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr;
		} else if (i->ifa_addr->sa_family == AF_INET6) {
			bytes = &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr;
			kind = KIND_IP6;
		}
		if (bytes && inet_ntop(i->ifa_addr->sa_family, bytes, text, sizeof(text)))
			rc = learned_add(l, value_refine(kind, span_str(text)), span_str(text),
					 LEARN_MACHINE, err);
	}
	freeifaddrs(all);
	return rc;
}

static int learn_logins(struct learned *l, struct err *err)
{
	const struct passwd *p;
	int rc = RC_OK;

	setpwent();
	while (rc == RC_OK && (p = getpwent()))
		if (p->pw_uid >= FIRST_LOGIN && p->pw_uid != 65534)
			rc = learned_add(l, KIND_USER, span_str(p->pw_name), LEARN_MACHINE, err);
	endpwent();
	return rc;
}

int run_learn_machine(struct learned *l, struct err *err)
{
	char host[256] = "";
	int rc = RC_OK;

	gethostname(host, sizeof(host) - 1);
	if (host[0] && strcmp(host, "localhost") != 0)
		rc = learned_add(l, KIND_HOST, span_str(host), LEARN_MACHINE, err);
	if (rc == RC_OK)
		rc = learn_addresses(l, err);
	return rc == RC_OK ? learn_logins(l, err) : rc;
}
