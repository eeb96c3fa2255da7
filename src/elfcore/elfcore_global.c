/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_symbols_internal.h"

#include <stdlib.h>

/* The variables of a module that stand in no frame: globals, statics of files and of functions,
   and, of the program, what each thread has of its own. */

struct tls_symbol {
	const char *name;
	uint64_t offset, size;
};
#define TLS_SYMBOLS_MAX 4096

struct unit {
	struct symbols *s;
	struct module *m;
	struct frame_view view;		/* of no frame */
	struct tls_symbol *tls;
	size_t n_tls, cap_tls;
};

/* Not every compiler tells DWARF where a thread-local variable is; the ELF symbol does. */
static void tls_symbols_find(struct unit *u)
{
	int n = u->m->is_program && u->m->tls_size ? dwfl_module_getsymtab(u->m->dwfl) : 0;

	for (int i = 1; i < n && u->n_tls < TLS_SYMBOLS_MAX; i++) {
		GElf_Sym sym;
		GElf_Addr ignored;
		const char *name = dwfl_module_getsym_info(u->m->dwfl, i, &sym, &ignored, NULL, NULL,
							   NULL);

		if (!name || GELF_ST_TYPE(sym.st_info) != STT_TLS || sym.st_size == 0 ||
		    sym.st_shndx == SHN_UNDEF)
			continue;
		GROW(u->tls, u->n_tls, u->cap_tls);
		u->tls[u->n_tls++] = (struct tls_symbol){ name, sym.st_value, sym.st_size };
	}
}

/* One of each thread; t is NULL where its type is not known. */
static void tls_walk(struct unit *u, const struct tls_symbol *sym, struct type *t)
{
	struct symbols *s = u->s;
	uint64_t addr;

	for (s->thread = 0; s->thread < s->c->n_threads; s->thread++) {
		if (!symbols_tls(s, sym->offset, &addr))
			continue;
		if (t)
			symbols_walk_variable(s, sym->name, addr, t);
		else
			symbols_walk_object(s, sym->name, addr, sym->size);
	}
	s->thread = SIZE_MAX;
}

static void variable_without_place(struct unit *u, const char *name, struct type *t)
{
	for (size_t i = 0; i < u->n_tls; i++)
		if (strcmp(u->tls[i].name, name) == 0)
			tls_walk(u, &u->tls[i], t);
}

static void variable_at(struct unit *u, struct type *t, const char *name, Dwarf_Attribute *location)
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
	bool placed = dwarf_attr(die, DW_AT_location, &location);
	const char *name;
	struct type *t;

	if (dwarf_hasattr(die, DW_AT_declaration) || (!placed && u->n_tls == 0))
		return;
	name = dwarf_diename(die);
	t = name ? symbols_type(u->s, die) : NULL;
	if (t && placed)
		variable_at(u, t, name, &location);
	else if (t)
		variable_without_place(u, name, t);
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
	for (size_t i = 0; i < u->n_tls; i++)
		tls_walk(u, &u->tls[i], NULL);
	return n > 1;
}

bool symbols_module(struct symbols *s, struct module *m, bool *ret_dwarf)
{
	struct unit u = { .s = s, .m = m, .view = { .module = m->dwfl } };
	bool any;

	s->module = m;
	s->thread = SIZE_MAX;
	s->function = s->file = NULL;
	tls_symbols_find(&u);
	*ret_dwarf = dwfl_module_getdwarf(m->dwfl, &u.view.bias) && read_dwarf(&u);
	any = *ret_dwarf || read_elf(&u);
	free(u.tls);
	return any;
}
