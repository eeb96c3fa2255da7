/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_CONF_H
#define CORESCRUB_CONF_H

#include <corescrub/base.h>

/*
 * YAML files as typed trees that remember line and column. Aliases, anchors, tags, several
 * documents and duplicate keys are errors; so are files over limits.h. Read one with conf_read,
 * walk it with conf_get and the typed getters; conf_check_keys refuses keys nobody knows.
 */

enum conf_type { CONF_MAP, CONF_LIST, CONF_STRING };

struct conf;			/* a document; owns its nodes */
struct conf_node {
	enum conf_type type;
	unsigned line, col;		/* where it starts, 1-based */
	struct span text;		/* CONF_STRING: the scalar, decoded; NUL-terminated behind */
	bool quoted;			/* CONF_STRING: was quoted, so "true" is a string */
	size_t n;			/* children of a list or pairs of a map */
	const struct conf_node *const *items;	/* list items or map values */
	const struct conf_node *const *keys;	/* CONF_MAP: keys[i] names items[i] */
};

int conf_read(const char *path, struct conf **ret, struct err *err);
int conf_parse(struct span text, const char *name, struct conf **ret, struct err *err);
void conf_free(struct conf *c);
AUTO_DEFINE(conf, conf_free)
const struct conf_node *conf_root(const struct conf *c);	/* an empty file: an empty map */
const char *conf_name(const struct conf *c);

/* The value of a key, or NULL; map must be a CONF_MAP. */
const struct conf_node *conf_get(const struct conf_node *map, const char *key);
/* RC_SYNTAX at the first key that `known` (NULL-terminated) lacks; names the nearest known one. */
int conf_check_keys(const struct conf *c, const struct conf_node *map, const char *const *known,
		    struct err *err);
/* Typed getters: a missing key leaves *ret as it was; another type is RC_SYNTAX at its place. */
int conf_get_string(const struct conf *c, const struct conf_node *map, const char *key,
		    struct span *ret, struct err *err);
int conf_get_bool(const struct conf *c, const struct conf_node *map, const char *key, bool *ret,
		  struct err *err);
int conf_get_int(const struct conf *c, const struct conf_node *map, const char *key, long min,
		 long max, long *ret, struct err *err);
/* A list of strings, or one string as a list of one. *ret points into the tree's arena. */
int conf_get_strings(const struct conf *c, const struct conf_node *map, const char *key,
		     const struct span **ret, size_t *ret_n, struct err *err);
/* An error at a node's place. */
int conf_err(const struct conf *c, const struct conf_node *at, struct err *err, const char *fmt,
	     ...) __attribute__((format(printf, 4, 5)));
/* The same at byte `off` of a string node's decoded text, traced back to the source. */
int conf_err_in(const struct conf *c, const struct conf_node *at, size_t off, struct err *err,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The name in `known` (NULL-terminated) that is most like `name`, for messages; NULL if none is. */
const char *conf_nearest(struct span name, const char *const *known);

#endif
