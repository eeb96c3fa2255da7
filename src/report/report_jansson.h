/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORT_JANSSON_H
#define REPORT_JANSSON_H

#include "report_internal.h"

#include <jansson.h>

/* JSON holds Unicode; a byte of something else becomes U+FFFD. */
json_t *report_json_text(struct span s);
/* Appends root, which it takes, and a line end. ASCII only: what could turn text around in a
   terminal or viewer stands as \u…. NULLs that came of failed allocations make the sets, and so
   this, fail. */
int report_json_dump(json_t *root, size_t flags, struct buf *ret, struct err *err);

#endif
