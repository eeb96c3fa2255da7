/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_symbols_internal.h"

#include <stdlib.h>

/* A module's complete structs by name: a unit that only declares one has pointers to it all the
   same. */

#define NAMES_MAX	2000000

struct named_die {
	const char *name;
	Dwarf_Die die;
};
struct module_types {
	struct named_die *rows;		/* open addressing; cap is a power of two */
	size_t n, cap;
};

static uint64_t name_hash(const char *name)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(1099511628211);
	return h ^ h >> 29;
}

bool symbols_is_struct(int tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
	       tag == DW_TAG_union_type || tag == DW_TAG_interface_type;
}

static struct named_die *named_slot(struct module_types *t, const char *name)
{
	size_t i = name_hash(name) & (t->cap - 1);

	while (t->rows[i].name && strcmp(t->rows[i].name, name) != 0)
		i = (i + 1) & (t->cap - 1);
	return &t->rows[i];
}

static void named_grow(struct module_types *t)
{
	struct module_types was = *t;

	t->cap = was.cap ? was.cap * 2 : 256;
	t->rows = xcalloc(t->cap, sizeof(*t->rows));
	for (size_t i = 0; i < was.cap; i++)
		if (was.rows[i].name)
			*named_slot(t, was.rows[i].name) = was.rows[i];
	free(was.rows);
}

static void named_add(struct module_types *t, const char *name, const Dwarf_Die *die)
{
	struct named_die *slot;

	if (t->n >= NAMES_MAX)
		return;
	if (t->n * 2 >= t->cap)
		named_grow(t);
	slot = named_slot(t, name);
	if (slot->name)
		return;
	*slot = (struct named_die){ name, *die };
	t->n++;
}

static void types_add_below(struct module_types *t, Dwarf_Die *parent, unsigned depth)
{
	Dwarf_Die child;
	int r = dwarf_child(parent, &child);

	for (; r == 0; r = dwarf_siblingof(&child, &child)) {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_namespace && depth < LIMIT_SYMBOLS_DEPTH)
			types_add_below(t, &child, depth + 1);
		if (symbols_is_struct(tag) && !dwarf_hasattr(&child, DW_AT_declaration)) {
			const char *name = dwarf_diename(&child);

			if (name)
				named_add(t, name, &child);
		}
	}
}

void symbols_types_add(struct symbols *s, struct module *m, Dwarf_Die *unit)
{
	if (!m->types)
		m->types = arena_alloc(s->arena, sizeof(*m->types));
	types_add_below(m->types, unit, 0);
}

bool symbols_type_complete(const struct symbols *s, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	const struct module_types *t = s->module ? s->module->types : NULL;

	if (!name || !t || t->n == 0)
		return false;
	const struct named_die *slot = named_slot((struct module_types *)t, name);

	if (!slot->name)
		return false;
	*die = slot->die;
	return true;
}
