/* SPDX-License-Identifier: Apache-2.0 */
#include "pbxlike.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

struct field {
	const char *section, *key;
	size_t off, size;	/* in struct config, or in struct user for [user] */
};

#define FIELD(type, f)		offsetof(type, f), sizeof(((type *)0)->f)
#define IN_CONFIG(s, k, f)	{ s, k, FIELD(struct config, f) }
#define IN_USER(f)		{ "user", #f, FIELD(struct user, f) }

static const struct field fields[] = {
	IN_CONFIG("general", "realm", realm),
	IN_CONFIG("general", "api_token", api_token),
	IN_CONFIG("database", "dsn", dsn),
	IN_CONFIG("ami", "username", ami_username),
	IN_CONFIG("ami", "secret", ami_secret),
	IN_CONFIG("trunk", "name", trunk.name),
	IN_CONFIG("trunk", "username", trunk.username),
	IN_CONFIG("trunk", "secret", trunk.secret),
	IN_CONFIG("trunk", "callerid", trunk.callerid),
	IN_USER(name), IN_USER(password), IN_USER(callerid_name), IN_USER(callerid_number),
	IN_USER(email), IN_USER(pin), IN_USER(mac),
};

static bool address_parse(const char *text, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(5060);
		return true;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		return false;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(5060);
	return true;
}

void sockaddr_text(const struct sockaddr_storage *sa, char *ret, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "";
	const void *addr = sa->ss_family == AF_INET6
				   ? (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr
				   : (const void *)&((const struct sockaddr_in *)sa)->sin_addr;

	inet_ntop(sa->ss_family, addr, host, sizeof(host));
	snprintf(ret, size, sa->ss_family == AF_INET6 ? "[%s]:5060" : "%s:5060", host);
}

/* 0, or 1 if there is no such key or the value is too long. */
static int value_set(struct config *c, const char *section, const char *key, const char *value)
{
	struct user *user = c->n_users ? &c->users[c->n_users - 1] : NULL;
	struct sockaddr_storage sa;

	if (strcmp(key, "peer") == 0 && address_parse(value, &sa)) {
		if (strcmp(section, "trunk") == 0)
			memcpy(&c->trunk.peer, &sa, sizeof(c->trunk.peer));
		else if (user)
			user->peer = sa;
		return 0;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *f = &fields[i];
		char *base = strcmp(section, "user") == 0 ? (char *)user : (char *)c;

		if (base && strcmp(f->section, section) == 0 && strcmp(f->key, key) == 0)
			return snprintf(base + f->off, f->size, "%s", value) >= (int)f->size;
	}
	return 1;
}

static void user_digest(struct user *u, const char *realm)
{
	char text[192];
	unsigned char md[EVP_MAX_MD_SIZE];

	snprintf(text, sizeof(text), "%s:%s:%s", u->name, realm, u->password);
	EVP_Digest(text, strlen(text), md, NULL, EVP_md5(), NULL);
	for (size_t i = 0; i < 16; i++)
		snprintf(u->ha1 + 2 * i, 3, "%02x", md[i]);
}

int config_load(const char *path, struct config *ret)
{
	FILE *f = fopen(path, "re");
	char line[256], section[32] = "";
	unsigned n = 0;
	int rc = f ? 0 : -1;

	while (rc == 0 && fgets(line, sizeof(line), f)) {
		char *eq = strchr(line, '=');

		n++;
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '\0' || line[0] == ';')
			continue;
		if (sscanf(line, "[%31[a-z]]", section) == 1) {
			if (strcmp(section, "user") == 0 && ++ret->n_users > USERS_MAX)
				rc = -1;
			continue;
		}
		if (!eq)
			rc = -1;
		else
			*eq = '\0';
		if (rc == 0)
			rc = value_set(ret, section, line, eq + 1);
	}
	if (f)
		fclose(f);
	if (rc != 0 || ret->n_users == 0) {
		fprintf(stderr, "pbxlike: %s:%u: can't be read\n", path, n);
		return -1;
	}
	for (size_t i = 0; i < ret->n_users; i++)
		user_digest(&ret->users[i], ret->realm);
	return 0;
}
