/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VALUE_INTERNAL_H
#define VALUE_INTERNAL_H

#include <corescrub/value.h>

#define PHONE_DIGITS_MAX  15 /* E.164, without an international prefix */
#define PHONE_DIGITS_ROOM 24

/* The digits of a spelling of a phone number, and what its writing says. */
struct phone {
	char digits[PHONE_DIGITS_ROOM + 1];
	size_t n;
	bool international; /* "+", 00 or 011 stood before the digits, and is gone */
	bool separated;	    /* spaces, dots, dashes, slashes or parentheses stood between */
};
/* Reads all of text as a phone number's spelling, also in a tel: or sip: URI. */
bool value_phone_read(struct span text, struct phone *ret);
/* Is n right for the country whose code the digits begin with? */
bool value_phone_fits_country(const char *digits, size_t n);
/* Would the whole digits do as a number of one of the plans we know, "+" or not? */
bool value_phone_is_plausible(const struct phone *p, struct span text);

/* Is a an IPv4 address in IPv6's form (RFC 4291, 2.5.5.2)? ::ffff:0:0 is that form's prefix itself.
 */
bool value_ip6_is_mapped(const uint8_t a[16]);

#endif
