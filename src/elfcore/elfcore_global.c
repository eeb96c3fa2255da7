/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_symbols_internal.h"

/* The variables of a module that stand in no frame: globals, statics of files and of functions, and,
   of the program, what each thread has of its own. */

struct unit {
	struct symbols *s;
	struct module *m;
	struct frame_view view;		/* of no frame */
};

static void variable_at(struct unit *u, struct type *t, const char *name,
			Dwarf_Attribute *location)
{
	struct symbols *s = u->s;
	struct place place;

	s->met_tls = false;
	if (symbols_locate(s, &u->view, location, &place) && !place.is_value)
		symbols_walk_variable(s, name, place.addr, t);
	if (!s->met_tls || !u->m->is_program)
		return;
	for (s->thread = 0; s->thread < s->c->n_threads; s->thread++)
		if (symbols_locate(s, &u->view, location, &place) && !place.is_value)
			symbols_walk_variable(s, name, place.addr, t);
	s->thread = SIZE_MAX;
}

static void variable(struct unit *u, Dwarf_Die *die)
{
	Dwarf_Attribute location;
	const char *name;
	struct type *t;

	if (dwarf_hasattr(die, DW_AT_declaration) || !dwarf_attr(die, DW_AT_location, &location))
		return;
	name = dwarf_diename(die);
	t = name ? symbols_type(u->s, die) : NULL;
	if (t)
		variable_at(u, t, name, &location);
}

static void variables_below(struct unit *u, Dwarf_Die *parent, const char *function, unsigned depth)
{
	Dwarf_Die child;
	int r = dwarf_child(parent, &child);

	for (; r == 0; r = dwarf_siblingof(&child, &child)) {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_variable) {
			u->s->function = function;
			variable(u, &child);
		} else if (depth >= LIMIT_SYMBOLS_DEPTH * 2 || !dwarf_haschildren(&child)) {
			continue;
		} else if (tag == DW_TAG_subprogram) {
			variables_below(u, &child, dwarf_diename(&child), depth + 1);
		} else if (tag == DW_TAG_namespace || tag == DW_TAG_lexical_block) {
			variables_below(u, &child, function, depth + 1);
		}
	}
}

static bool read_dwarf(struct unit *u)
{
	Dwarf_Die *unit = NULL;
	bool any = false;

	/* first what is defined anywhere, for pointers to what is only declared */
	while ((unit = dwfl_module_nextcu(u->m->dwfl, unit, &u->view.bias))) {
		symbols_types_add(u->s, u->m, unit);
		any = true;
	}
	while ((unit = dwfl_module_nextcu(u->m->dwfl, unit, &u->view.bias))) {
		u->s->file = dwarf_diename(unit);
		variables_below(u, unit, NULL, 0);
	}
	u->s->file = u->s->function = NULL;
	return any;
}

static bool read_elf(struct unit *u)
{
	int n = dwfl_module_getsymtab(u->m->dwfl);

	for (int i = 1; i < n; i++) {
		GElf_Sym sym;
		GElf_Addr addr;
		const char *name = dwfl_module_getsym_info(u->m->dwfl, i, &sym, &addr, NULL, NULL,
							   NULL);

		if (name && *name && GELF_ST_TYPE(sym.st_info) == STT_OBJECT && sym.st_size > 0 &&
		    sym.st_shndx != SHN_UNDEF && sym.st_shndx != SHN_ABS)
			symbols_walk_object(u->s, name, addr, sym.st_size);
	}
	return n > 1;
}

bool symbols_module(struct symbols *s, struct module *m, bool *ret_dwarf)
{
	struct unit u = { .s = s, .m = m, .view = { .module = m->dwfl } };

	s->module = m;
	s->thread = SIZE_MAX;
	s->function = s->file = NULL;
	*ret_dwarf = dwfl_module_getdwarf(m->dwfl, &u.view.bias) && read_dwarf(&u);
	return *ret_dwarf || read_elf(&u);
}
