/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_INTERNAL_H
#define CONF_INTERNAL_H

#include <corescrub/conf.h>

/* A node as the parser builds it. The public part comes first, so that a pointer to it is enough.
 */
struct conf_item {
	struct conf_node node;
	bool block; /* a scalar of style | or > */
	struct conf_item *parent;
	const struct conf_node **items, **keys;
	size_t cap;
};

struct conf {
	struct arena *arena;
	char *name;
	char *text; /* the source, for places inside a scalar */
	size_t len;
	const struct conf_node *root;
};

#endif
