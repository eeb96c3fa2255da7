/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BASE_ASCII_H
#define CORESCRUB_BASE_ASCII_H

#include <stdbool.h>

/* Bytes as ASCII, whatever the locale. */

static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What a hex digit of either case stands for, or -1. */
static inline int ascii_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif
