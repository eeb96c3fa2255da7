/* SPDX-License-Identifier: Apache-2.0 */
#include "gdb_internal.h"
#include <stdlib.h>

void strings_add(struct strings *l, char *s)
{
	GROW(l->v, l->n + 1, l->cap);
	l->v[l->n++] = s;
	l->v[l->n] = NULL;
}

void strings_done(struct strings *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct strings){ 0 };
}

const char *const *strings_list(const struct strings *l)
{
	static const char *const none[] = { NULL };

	return l->v ? (const char *const *)l->v : none;
}
