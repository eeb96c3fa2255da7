/* SPDX-License-Identifier: Apache-2.0 */
#include "handoff_internal.h"

#include <stdlib.h>

struct handoff_member *handoff_list_add(struct handoff_list *l, char *name, const char *kind,
					enum handoff_source source)
{
	GROW(l->v, l->n, l->cap);
	l->v[l->n] = (struct handoff_member){ .name = name, .kind = kind, .source = source };
	return &l->v[l->n++];
}

void handoff_list_leave_out(struct handoff_list *l, const char *path, const char *why)
{
	/* a file mapped in several places has a row for each */
	for (size_t i = 0; i < l->n_left_out; i++)
		if (strcmp(l->left_out[i].path, path) == 0)
			return;
	GROW(l->left_out, l->n_left_out, l->cap_left_out);
	l->left_out[l->n_left_out++] = (struct report_left_out){ xstrdup(path), xstrdup(why) };
}

static void member_done(struct handoff_member *m)
{
	buf_done(&m->text);
	free(m->name);
	free(m->path);
}

void handoff_list_keep_open(struct handoff_list *l, size_t from)
{
	size_t n = from;

	for (size_t i = from; i < l->n; i++) {
		AUTO_CLOSE int fd = -1;

		if (handoff_open(l, &l->v[i], &fd, NULL) == RC_OK) {
			l->v[n++] = l->v[i];
			continue;
		}
		handoff_list_leave_out(l, l->v[i].path, "not for the core's owner to read");
		member_done(&l->v[i]);
	}
	l->n = n;
}

static int by_name(const void *a, const void *b)
{
	const struct handoff_member *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	/* a file before a link to another of its name */
	return order ? order : (int)x->source - (int)y->source;
}

void handoff_list_sort(struct handoff_list *l)
{
	size_t n = 0;

	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_name);
	for (size_t i = 0; i < l->n; i++) {
		if (n > 0 && strcmp(l->v[n - 1].name, l->v[i].name) == 0)
			member_done(&l->v[i]);
		else
			l->v[n++] = l->v[i];
	}
	l->n = n;
}

void handoff_list_done(struct handoff_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		member_done(&l->v[i]);
	for (size_t i = 0; i < l->n_left_out; i++) {
		free((char *)l->left_out[i].path);
		free((char *)l->left_out[i].why);
	}
	free(l->v);
	free(l->left_out);
	free(l->program);
	free(l->thread_db);
	strings_done(&l->folders);
	*l = (struct handoff_list){ .n = 0 };
}
