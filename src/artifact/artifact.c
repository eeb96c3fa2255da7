/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/artifact.h>

#include <stdatomic.h>
#include <stdlib.h>

static atomic_uint_fast64_t last_serial;

struct artifact *artifact_new(const char *name, enum artifact_kind kind)
{
	struct artifact *a = xcalloc(1, sizeof(*a));

	a->name = xstrdup(name);
	a->kind = kind;
	a->serial = atomic_fetch_add(&last_serial, 1) + 1;
	a->text = SPAN_LIT("");
	return a;
}

struct artifact *artifact_from_buf(const char *name, enum artifact_kind kind, struct buf *b)
{
	struct artifact *a = artifact_new(name, kind);
	size_t len = b->len;

	if (!b->p)
		return a;
	a->own = buf_steal(b);
	a->text = span_make(a->own, len);
	return a;
}

int artifact_from_fd(int fd, const char *name, enum artifact_kind kind, struct artifact **ret,
		     struct err *err)
{
	AUTO(artifact) a = artifact_new(name, kind);
	int rc = mapping_open(fd, name, &a->map, err);

	if (rc < 0)
		return rc;
	a->text = mapping_span(a->map);
	*ret = STEAL(a);
	return RC_OK;
}

void artifact_free(struct artifact *a)
{
	if (!a)
		return;
	if (a->own)
		secret_wipe(a->own, a->text.len);
	free(a->own);
	if (a->map)
		mapping_free(a->map);
	/* a file's name may hold a customer's number */
	secret_wipe(a->name, strlen(a->name));
	free(a->name);
	free(a);
}
