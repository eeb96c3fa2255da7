/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/value.h>

/*
 * Six groups of two digits behind : or -, three of four behind . or : or - (Cisco, HP), or twelve
 * digits in a row. One kind of separator, in every place where one is due.
 */
bool value_mac_parse(struct span text, uint8_t ret[6])
{
	size_t per_group = text.len == 17 ? 2 : text.len == 14 ? 4 : text.len == 12 ? 12 : 0;
	char sep = per_group == 12 ? 0 : per_group ? text.p[per_group] : 0;
	uint8_t a[6];
	size_t n = 0;

	if (!per_group || (sep && !memchr(":-.", sep, 3)) || (sep == '.' && per_group == 2))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int d;

		if (sep && i % (per_group + 1) == per_group) {
			if (text.p[i] != sep)
				return false;
			continue;
		}
		d = ascii_hex_value(text.p[i]);
		if (d < 0)
			return false;
		a[n / 2] = n % 2 ? (uint8_t)(a[n / 2] | d) : (uint8_t)(d << 4);
		n++;
	}
	memcpy(ret, a, 6);
	return true;
}
