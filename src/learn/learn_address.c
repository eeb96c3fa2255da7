/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#include <stdio.h>

/* The spellings of a learned address that are its own: as numbers, and with other separators. */

#define DECIMAL_MIN 8		/* digits; shorter numbers are everywhere */
#define OCTETS_MIN 3		/* different ones, not 0: 10.0.0.1 is a number that others have too */

static const char lower_digits[] = "0123456789abcdef", upper_digits[] = "0123456789ABCDEF";

static void put_number(struct spelling *s, const char *text)
{
	for (size_t i = 0; text[i]; i++)
		learn_put(s, i, &text[i], 1);
	learn_put_done(s, FORM_IN_ADDR);
}

static void put_numbers(struct spelling *s, uint32_t number)
{
	char text[16];

	if (snprintf(text, sizeof(text), "%u", number) >= DECIMAL_MIN)
		put_number(s, text);
	snprintf(text, sizeof(text), "%08x", number);
	put_number(s, text);
	if (text[0] == '0')
		put_number(s, text + 1);
	snprintf(text, sizeof(text), "%08X", number);
	put_number(s, text);
}

static bool is_telling(const uint8_t a[4])
{
	size_t n = 0;

	for (size_t i = 0; i < 4; i++) {
		bool seen = a[i] == 0;

		for (size_t k = 0; k < i; k++)
			seen |= a[k] == a[i];
		n += !seen;
	}
	return n >= OCTETS_MIN;
}

/* As a struct's field prints, in either byte order, and as a host's name has it: 192-0-2-1. */
void learn_spell_address(struct spelling *s, struct span v)
{
	static const char separators[] = "-_";
	uint32_t orders[2];
	uint8_t a[4];
	char text[16];

	if (!value_ip4_parse(v, a) || !is_telling(a))
		return;
	orders[0] = a[0] | a[1] << 8 | a[2] << 16 | (uint32_t)a[3] << 24;
	orders[1] = __builtin_bswap32(orders[0]);
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		put_numbers(s, orders[i]);
	for (const char *sep = separators; *sep; sep++) {
		value_ip4_format(a, text);
		for (size_t i = 0; text[i]; i++)
			learn_put(s, i, text[i] == '.' ? sep : &text[i], 1);
		learn_put_done(s, FORM_PLAIN);
	}
}

/* The six octets without a separator, with each, and in groups of four, in either case. */
void learn_spell_mac(struct spelling *s, struct span v)
{
	static const struct { char sep; unsigned every; } forms[] = {
		{ '\0', 1 }, { ':', 1 }, { '-', 1 }, { '.', 2 },
	};
	uint8_t a[6];

	if (!value_mac_parse(v, a))
		return;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(forms); i++) {
		const char *digits = i & 1 ? upper_digits : lower_digits;

		for (size_t k = 0; k < sizeof(a); k++) {
			if (k && forms[i / 2].sep && k % forms[i / 2].every == 0)
				learn_put(s, k, &forms[i / 2].sep, 1);
			learn_put(s, k, &digits[a[k] >> 4], 1);
			learn_put(s, k, &digits[a[k] & 15], 1);
		}
		learn_put_done(s, FORM_PLAIN);
	}
}
