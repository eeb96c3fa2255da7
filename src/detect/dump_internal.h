/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DUMP_INTERNAL_H
#define DUMP_INTERNAL_H

#include "detect_internal.h"

#define DUMP_WIDTH_MAX KIB(16)	/* characters of a line of a hex dump */
#define DUMP_LINE_MAX KIB(4)	/* bytes that it shows */

/* A line of a hex dump (dump_line.c). */
struct dump_line {
	struct span line;
	uint16_t at[DUMP_LINE_MAX];	/* in it, where each byte's two digits stand */
	uint16_t n;
	uint16_t column;		/* where the bytes stand once more as characters, or 0 */
	uint8_t size;			/* digits of a group */
	char sep;
};
/* `goes_on`: the line before was one; then fewer bytes will do. */
bool dump_line_read(struct span line, bool goes_on, struct dump_line *ret);
char dump_byte(const struct dump_line *l, size_t i);
/* A place at or before the first line in [p, end) that looks like one, or end. */
const char *dump_find(const char *p, const char *end);

#endif
