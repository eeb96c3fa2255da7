/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact_internal.h"

#include <search.h>
#include <stdlib.h>

/* Two trees over the same kind of node: by original name, and by the name given. */
struct name {
	char *key;
	char *given; /* by original: borrowed from the other tree's key */
	unsigned next; /* by given: the number to try next */
};

struct artifact_names {
	void *by_original;
	void *by_given;
};

struct artifact_names *artifact_names_new(void)
{
	return xcalloc(1, sizeof(struct artifact_names));
}

static void name_free(void *p)
{
	struct name *n = p;

	secret_wipe(n->key, strlen(n->key));
	free(n->key);
	free(n);
}

void artifact_names_free(struct artifact_names *n)
{
	tdestroy(n->by_original, name_free);
	tdestroy(n->by_given, name_free);
	free(n);
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->key, ((const struct name *)b)->key);
}

/* Finds the node of key, or makes it; *ret_new tells which. */
static struct name *name_put(void **root, const char *key, bool *ret_new)
{
	struct name *n = xcalloc(1, sizeof(*n));
	struct name **slot;

	n->key = xstrdup(key);
	n->next = 2;
	slot = tsearch(n, root, name_compare);
	if (!slot)
		abort(); /* out of memory; bookkeeping may die */
	*ret_new = *slot == n;
	if (!*ret_new)
		name_free(n);
	return *slot;
}

/* "dir/rec.wav" and 2 give "dir/rec~2.wav". */
static char *name_numbered(const char *clean, unsigned number)
{
	const char *slash = strrchr(clean, '/');
	const char *base = slash ? slash + 1 : clean;
	const char *dot = strrchr(base, '.');
	size_t head = dot && dot > base ? (size_t)(dot - clean) : strlen(clean);

	return xasprintf("%.*s~%u%s", (int)head, clean, number, clean + head);
}

const char *artifact_names_add(struct artifact_names *n, const char *original, const char *clean)
{
	bool fresh;
	struct name *from = name_put(&n->by_original, original, &fresh);
	struct name *first, *to;

	if (!fresh)
		return from->given;
	first = to = name_put(&n->by_given, clean, &fresh);
	while (!fresh) {
		AUTO_FREE char *other = name_numbered(clean, first->next++);

		to = name_put(&n->by_given, other, &fresh);
	}
	from->given = to->key;
	return from->given;
}

const char *artifact_names_find(const struct artifact_names *n, const char *original)
{
	const struct name wanted = { .key = (char *)original };
	struct name **slot = tfind(&wanted, &n->by_original, name_compare);

	return slot ? (*slot)->given : NULL;
}
