/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEMORY_INTERNAL_H
#define MEMORY_INTERNAL_H

#include "detect_internal.h"

/* A run of text in a window's bytes, and where its bytes stand in the view. */
struct memory_run {
	size_t at, len; /* in the view */
	size_t source;	/* in the window */
	bool wide;	/* UTF-16LE: two bytes each */
};
struct memory_runs {
	struct buf view; /* runs with a line end behind each */
	struct memory_run *v;
	size_t n, cap;
	size_t last_end; /* of the run before, in the window */
};
struct memory_runs *memory_runs_new(void);
void memory_runs_free(struct memory_runs *r);
/* Finds the runs that touch [from, to) of a window, all of each. */
void memory_runs_find(struct memory_runs *r, const struct detect_window *w);
/* The run that a place in the view belongs to. There is at least one. */
const struct memory_run *memory_run_at(const struct memory_runs *r, size_t at);
bool memory_is_zero(const char *p, size_t n);

/* memory_address.c: calls fn for each known address that begins in [from, to). */
typedef void (*memory_address_fn)(void *ctx, size_t off, size_t len);
void memory_addresses_find(const struct detect_addresses *a, const struct detect_window *w,
			   size_t from, size_t to, memory_address_fn fn, void *ctx);
/* Adds 4 or 16 bytes, unless the address says nothing. */
bool memory_addresses_add(struct detect_addresses *a, const uint8_t *p, size_t len);

#endif
