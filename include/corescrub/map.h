/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_MAP_H
#define CORESCRUB_MAP_H

#include <corescrub/base.h>
#include <corescrub/value.h>

/*
 * The private map, read back (part of the module redact; doc/formats.md). private_map_new,
 * private_map_add for each file of the case, then look tokens up.
 */

struct map_token {
	struct span token, original;
	enum kind kind;
};
struct map_place {
	uint64_t off;
	uint32_t len;			/* of what stands there in the scrubbed text */
	enum kind kind;
	struct span spelling;		/* what the source had */
};
/* One scrubbed text, with the places where more than the token's first spelling is needed. */
struct map_file {
	struct span name;		/* the source's */
	uint8_t sha256[DIGEST_LEN];	/* of the scrubbed text */
	const struct map_place *places;	/* sorted by offset */
	size_t n;
};

struct private_map;
struct private_map *private_map_new(void);
void private_map_free(struct private_map *m);	/* wipes */
AUTO_DEFINE(private_map, private_map_free)
/* Adds a map's text, which is copied. RC_FORMAT with file:line: no private map, or damaged. */
int private_map_add(struct private_map *m, struct span text, const char *name, struct err *err);

/* A token as it was first seen; NULL if the map lacks it. */
const struct map_token *private_map_find(const struct private_map *m, struct span token);
/* The text with this digest, or NULL; *ret_run says which run's spellings are its own. */
const struct map_file *private_map_file(const struct private_map *m,
					const uint8_t sha256[DIGEST_LEN], uint32_t *ret_run);
/* A token as that run saw it first. */
const struct map_token *private_map_find_in(const struct private_map *m, uint32_t run,
					    struct span token);
/* All there are, in the order of the map; a token may come once a run. */
const struct map_token *private_map_tokens(const struct private_map *m, size_t *ret_n);
const struct map_file *private_map_files(const struct private_map *m, size_t *ret_n);

#endif
