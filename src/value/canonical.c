/* SPDX-License-Identifier: Apache-2.0 */
#include "value_internal.h"

static void add_address(struct span text, struct buf *ret)
{
	uint8_t a[16];

	if (value_ip4_parse(text, a))
		buf_add(ret, a, 4);
	else if (!value_ip6_parse(text, a))
		buf_add_span(ret, text);
	else if (value_ip6_is_mapped(a))
		buf_add(ret, a + 12, 4);
	else
		buf_add(ret, a, 16);
}

static void add_lower(struct span text, struct buf *ret)
{
	for (size_t i = 0; i < text.len; i++)
		buf_add_char(ret, text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] + 32)
								       : text.p[i]);
}

void value_canonical(enum kind kind, struct span text, struct buf *ret)
{
	struct phone phone;
	uint8_t mac[6];

	switch (kind) {
	case KIND_PHONE:
		if (value_phone_read(text, &phone))
			buf_add(ret, phone.digits, phone.n);
		else
			buf_add_span(ret, text);
		break;
	case KIND_IP4:
	case KIND_IP4_LAN:
	case KIND_IP6:
	case KIND_IP6_LAN:
		add_address(text, ret);
		break;
	case KIND_MAC:
		if (value_mac_parse(text, mac))
			buf_add(ret, mac, 6);
		else
			add_lower(text, ret);
		break;
	case KIND_EMAIL:
	case KIND_HOST:
		add_lower(text, ret);
		break;
	default:
		buf_add_span(ret, text);
		break;
	}
}
