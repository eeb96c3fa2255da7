/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/value.h>

enum kind_trait {
	CREDENTIAL = 1 << 0, /* learned by pieces too */
	UNMAPPED = 1 << 1,   /* never enters the private map */
	CONSTANT = 1 << 2,   /* so few possible values that a keyed hash could be tried out */
};

static const struct {
	const char *name;
	unsigned traits;
} kinds[KIND_COUNT] = {
	[KIND_PHONE] = { "phone", 0 },
	[KIND_IP4] = { "ip4", 0 },
	[KIND_IP4_LAN] = { "ip4-lan", 0 },
	[KIND_IP6] = { "ip6", 0 },
	[KIND_IP6_LAN] = { "ip6-lan", 0 },
	[KIND_MAC] = { "mac", 0 },
	[KIND_EMAIL] = { "email", 0 },
	[KIND_SECRET] = { "secret", CREDENTIAL | UNMAPPED },
	[KIND_TOKEN] = { "token", CREDENTIAL | UNMAPPED },
	[KIND_KEY] = { "key", CREDENTIAL | UNMAPPED },
	[KIND_HASH] = { "hash", CREDENTIAL | UNMAPPED },
	[KIND_USER] = { "user", 0 },
	[KIND_NAME] = { "name", 0 },
	[KIND_HOST] = { "host", 0 },
	[KIND_PATH] = { "path", 0 },
	[KIND_CARD] = { "card", UNMAPPED | CONSTANT },
	[KIND_DTMF] = { "dtmf", UNMAPPED | CONSTANT },
	[KIND_ACCOUNT] = { "account", 0 },
};

static const char *const severities[] = { "low", "medium", "high", "critical" };

const char *value_kind_name(enum kind kind)
{
	return kind < KIND_COUNT ? kinds[kind].name : "unknown";
}

bool value_kind_parse(struct span name, enum kind *ret_kind)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (span_eq_str(name, kinds[i].name)) {
			*ret_kind = (enum kind)i;
			return true;
		}
	}
	return false;
}

const char *value_severity_name(enum severity s)
{
	return s < ARRAY_SIZE(severities) ? severities[s] : "unknown";
}

bool value_severity_parse(struct span name, enum severity *ret_severity)
{
	for (size_t i = 0; i < ARRAY_SIZE(severities); i++) {
		if (span_eq_str(name, severities[i])) {
			*ret_severity = (enum severity)i;
			return true;
		}
	}
	return false;
}

bool value_kind_is_credential(enum kind kind)
{
	return kind < KIND_COUNT && kinds[kind].traits & CREDENTIAL;
}

bool value_kind_is_mapped(enum kind kind)
{
	return kind < KIND_COUNT && !(kinds[kind].traits & UNMAPPED);
}

bool value_kind_is_constant(enum kind kind)
{
	return kind < KIND_COUNT && kinds[kind].traits & CONSTANT;
}
