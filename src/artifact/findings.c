/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/artifact.h>

#include <stdlib.h>

void findings_init(struct findings *f, const struct finding_rule *rules, size_t n_rules)
{
	*f = (struct findings){ .rules = rules, .n_rules = n_rules };
	buf_add_char(&f->paths, '\0');		/* offset 0 means no path */
}

void findings_done(struct findings *f)
{
	free(f->v);
	buf_done(&f->paths);
	*f = (struct findings){ .v = NULL };
}

void findings_add(struct findings *f, const struct finding *one)
{
	GROW(f->v, f->n, f->cap);
	f->v[f->n++] = *one;
}

/* Findings in one value come one behind the other, so looking at the last path alone saves nearly
   all of what a table would. */
uint32_t findings_path(struct findings *f, struct span path)
{
	size_t at = f->paths.len;

	if (path.len == 0 || path.len >= UINT32_MAX - at)
		return 0;
	if (at > path.len + 1) {
		size_t last = at - path.len - 1;

		if (f->paths.p[last - 1] == '\0' &&
		    memcmp(f->paths.p + last, path.p, path.len) == 0)
			return (uint32_t)last;
	}
	buf_add_span(&f->paths, path);
	buf_add_char(&f->paths, '\0');
	return (uint32_t)at;
}

static int finding_compare(const void *x, const void *y)
{
	const struct finding *a = x, *b = y;

	if (a->off != b->off)
		return a->off < b->off ? -1 : 1;
	if (a->len != b->len)
		return a->len > b->len ? -1 : 1;
	/* what is left decides nothing, but the order must not depend on the scan's */
	if (a->rule != b->rule)
		return a->rule < b->rule ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->form != b->form)
		return a->form < b->form ? -1 : 1;
	return (a->flags > b->flags) - (a->flags < b->flags);
}

void findings_sort(struct findings *f)
{
	if (f->n > 1)
		qsort(f->v, f->n, sizeof(*f->v), finding_compare);
}
