/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_symbols_internal.h"

#include <stdlib.h>

/*
 * DWARF's types (DWARF 5, chapter 5), as far as memory is concerned. A type is made when a
 * variable, a member or a pointer names it, and once; what it is made of is looked up when somebody
 * walks into it. Chains of references are followed for so many steps only: a damaged one can be a
 * circle.
 */

#define PEEL_MAX	32		/* typedefs of qualifiers of typedefs */
#define ARRAY_DEPTH	8		/* dimensions, arrays of arrays */
#define TYPES_MAX	2000000

enum reach { REACH_UNKNOWN, REACH_NO, REACH_YES, REACH_AT_WORK };

static struct type *type_of(struct symbols *s, Dwarf_Die *die, unsigned depth);

static bool type_die(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attr;

	return dwarf_attr_integrate(die, DW_AT_type, &attr) && dwarf_formref_die(&attr, ret);
}

static struct type **type_slot(struct symbols *s, const void *key)
{
	size_t i = ((uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (s->cap_types - 1);

	while (s->type_keys[i] && s->type_keys[i] != key)
		i = (i + 1) & (s->cap_types - 1);
	s->n_types += !s->type_keys[i];		/* also one that will turn out to be none */
	s->type_keys[i] = key;
	return &s->types[i];
}

static void types_grow(struct symbols *s)
{
	struct type **types = s->types;
	const void **keys = s->type_keys;
	size_t cap = s->cap_types;

	s->cap_types = cap ? cap * 2 : 4096;
	s->n_types = 0;
	s->types = xcalloc(s->cap_types, sizeof(struct type *));
	s->type_keys = xcalloc(s->cap_types, sizeof(void *));
	for (size_t i = 0; i < cap; i++)
		if (keys[i])
			*type_slot(s, keys[i]) = types[i];
	free(types);
	free(keys);
}

static struct type *type_new(struct symbols *s, enum type_form form, uint64_t size)
{
	struct type *t = arena_alloc(s->arena, sizeof(*t));

	t->form = form;
	t->size = size;
	t->shape = ELFCORE_OTHER;
	return t;
}

static uint64_t byte_size(Dwarf_Die *die)
{
	int n = dwarf_bytesize(die);

	return n > 0 ? (uint64_t)n : 0;
}

static struct type *scalar_make(struct symbols *s, Dwarf_Die *die, bool is_enum)
{
	struct type *t = type_new(s, TYPE_LEAF, byte_size(die));
	Dwarf_Attribute attr;
	Dwarf_Word encoding = 0;

	if (!is_enum && (!dwarf_attr_integrate(die, DW_AT_encoding, &attr) ||
			 dwarf_formudata(&attr, &encoding) != 0))
		return t;
	switch (is_enum ? DW_ATE_unsigned : encoding) {
	case DW_ATE_signed_char:
	case DW_ATE_unsigned_char:
	case DW_ATE_UTF:
		t->is_char = t->size == 1;
		t->shape = ELFCORE_INTEGER;
		break;
	case DW_ATE_signed:
	case DW_ATE_unsigned:
	case DW_ATE_boolean:
		t->shape = ELFCORE_INTEGER;
		break;
	default:
		break;
	}
	return t;
}

/* The packed addresses of libc, and pjlib's of the same layout. */
static bool address_shape(const char *name, uint64_t size, enum elfcore_shape *ret)
{
	static const struct {
		const char *name;
		uint64_t size;		/* at least */
		enum elfcore_shape shape;
	} known[] = {
		{ "in_addr", 4, ELFCORE_IN_ADDR },	    { "in6_addr", 16, ELFCORE_IN6_ADDR },
		{ "sockaddr", 16, ELFCORE_SOCKADDR },	    { "sockaddr_in", 16, ELFCORE_SOCKADDR },
		{ "sockaddr_in6", 28, ELFCORE_SOCKADDR },   { "pj_in_addr", 4, ELFCORE_IN_ADDR },
		{ "sockaddr_storage", 28, ELFCORE_SOCKADDR }, { "pj_in6_addr", 16, ELFCORE_IN6_ADDR },
		{ "pj_sockaddr_in", 16, ELFCORE_SOCKADDR }, { "pj_sockaddr_in6", 28, ELFCORE_SOCKADDR },
		{ "pj_sockaddr", 28, ELFCORE_SOCKADDR },
	};

	for (size_t i = 0; name && i < ARRAY_SIZE(known); i++) {
		if (size >= known[i].size && strcmp(name, known[i].name) == 0) {
			*ret = known[i].shape;
			return true;
		}
	}
	return false;
}

static struct type *struct_make(struct symbols *s, Dwarf_Die *die)
{
	struct type *t = type_new(s, TYPE_STRUCT, byte_size(die));

	t->name = dwarf_diename(die);
	t->die = *die;
	if (address_shape(t->name, t->size, &t->shape))
		t->form = TYPE_LEAF;
	return t;
}

/* Elements of one dimension; 0: not known (C's `[]`, a length that only the program knew). */
static uint64_t subrange_count(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Word n;

	if (dwarf_attr_integrate(die, DW_AT_count, &attr) && dwarf_formudata(&attr, &n) == 0)
		return n;
	if (dwarf_attr_integrate(die, DW_AT_upper_bound, &attr) && dwarf_formudata(&attr, &n) == 0)
		return n + 1;	/* -1, for `[0]`, comes as all ones */
	return 0;
}

static struct type *array_make(struct symbols *s, Dwarf_Die *die, unsigned depth)
{
	uint64_t counts[ARRAY_DEPTH];
	size_t n = 0;
	Dwarf_Die of, child;
	struct type *t;

	if (depth >= ARRAY_DEPTH || !type_die(die, &of))
		return NULL;
	for (int r = dwarf_child(die, &child); r == 0 && n < ARRAY_SIZE(counts);
	     r = dwarf_siblingof(&child, &child))
		if (dwarf_tag(&child) == DW_TAG_subrange_type)
			counts[n++] = subrange_count(&child);
	t = type_of(s, &of, depth + 1);
	while (t && n > 0) {		/* the last dimension is the innermost */
		struct type *outer = type_new(s, TYPE_ARRAY, 0);

		outer->to = t;
		outer->count = counts[--n];
		if (__builtin_mul_overflow(t->size, outer->count, &outer->size))
			outer->size = outer->count = 0;
		outer->resolved = true;
		t = outer;
	}
	return t;
}

static struct type *type_make(struct symbols *s, Dwarf_Die *die, unsigned depth)
{
	struct type *t;

	switch (dwarf_tag(die)) {
	case DW_TAG_base_type:
		return scalar_make(s, die, false);
	case DW_TAG_enumeration_type:
		return scalar_make(s, die, true);
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		t = type_new(s, TYPE_POINTER, 8);
		t->die = *die;
		return t;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_interface_type:
		return struct_make(s, die);
	case DW_TAG_array_type:
		return array_make(s, die, depth);
	default:
		return NULL;
	}
}

static struct type *type_of(struct symbols *s, Dwarf_Die *from, unsigned depth)
{
	Dwarf_Die die = *from;
	struct type **slot, *t;

	for (unsigned i = 0; i < PEEL_MAX; i++) {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_typedef) {
			const char *name = dwarf_diename(&die);

			if (name && strcmp(name, "in_addr_t") == 0) {
				t = type_new(s, TYPE_LEAF, 4);
				t->shape = ELFCORE_IN_ADDR;
				return t;
			}
		} else if (tag != DW_TAG_const_type && tag != DW_TAG_volatile_type &&
			   tag != DW_TAG_restrict_type && tag != DW_TAG_atomic_type) {
			break;
		}
		if (!type_die(&die, &die))
			return NULL;
	}
	if (symbols_is_struct(dwarf_tag(&die)) && dwarf_hasattr(&die, DW_AT_declaration) &&
	    !symbols_type_complete(s, &die))
		return NULL;
	if (s->n_types >= TYPES_MAX) {
		s->capped = true;
		return NULL;
	}
	if (s->n_types * 2 >= s->cap_types)
		types_grow(s);
	slot = type_slot(s, die.addr);
	if (*slot)
		return *slot;
	t = type_make(s, &die, depth);
	*type_slot(s, die.addr) = t;	/* an array's elements may have moved the table */
	return t;
}

struct type *symbols_type(struct symbols *s, Dwarf_Die *die)
{
	Dwarf_Die t;

	return type_die(die, &t) ? type_of(s, &t, 0) : NULL;
}

static bool member_offset(Dwarf_Die *die, uint64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Word off = 0;
	Dwarf_Op *ops;
	size_t n;

	*ret = 0;
	if (!dwarf_attr_integrate(die, DW_AT_data_member_location, &attr))
		return true;	/* a union's */
	if (dwarf_formudata(&attr, &off) == 0) {
		*ret = off;
		return true;
	}
	if (dwarf_getlocation(&attr, &ops, &n) != 0 || n != 1 || ops[0].atom != DW_OP_plus_uconst)
		return false;	/* a virtual base's */
	*ret = ops[0].number;
	return true;
}

static bool member_make(struct symbols *s, Dwarf_Die *die, struct member *ret)
{
	int tag = dwarf_tag(die);

	*ret = (struct member){ .name = tag == DW_TAG_member ? dwarf_diename(die) : NULL };
	if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) ||
	    dwarf_hasattr(die, DW_AT_declaration) || dwarf_hasattr(die, DW_AT_bit_size) ||
	    dwarf_hasattr(die, DW_AT_external) || !member_offset(die, &ret->off))
		return false;
	ret->type = symbols_type(s, die);
	if (ret->type && ret->name)
		ret->hit = !s->w->name || s->w->name(s->w->ctx, span_str(ret->name));
	return ret->type;
}

static bool is_char_pointer(struct symbols *s, struct type *t)
{
	if (t->form != TYPE_POINTER)
		return false;
	symbols_type_resolve(s, t);
	return t->to && t->to->is_char;
}

/* {ptr, slen} and its kin: pairs of which both names are known to mean this. */
static void pair_find(struct symbols *s, struct type *t)
{
	static const char *const pairs[][2] = {
		{ "ptr", "slen" },		/* pjlib */
		{ "s", "len" },			/* SIP routers' str */
		{ "str", "len" },		/* Go */
		{ "data_ptr", "length" },	/* Rust's &str */
		{ "_M_str", "_M_len" },		/* std::string_view */
		{ "data", "len" },		/* nginx's ngx_str_t */
	};
	const struct member *m = t->members;

	/* std::string: the pointer is alone in its first member */
	if (t->n_members == 3 && m[0].name && m[1].name && strcmp(m[0].name, "_M_dataplus") == 0 &&
	    strcmp(m[1].name, "_M_string_length") == 0) {
		t->form = TYPE_PAIR;
		t->pair_len = 1;
		return;
	}
	if (t->n_members != 2 || !m[0].name || !m[1].name)
		return;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(pairs); i++) {
		size_t ptr = i % 2;

		if (strcmp(m[ptr].name, pairs[i / 2][0]) != 0 ||
		    strcmp(m[1 - ptr].name, pairs[i / 2][1]) != 0 ||
		    !is_char_pointer(s, m[ptr].type) || m[1 - ptr].type->form != TYPE_LEAF ||
		    m[1 - ptr].type->shape != ELFCORE_INTEGER)
			continue;
		t->form = TYPE_PAIR;
		t->pair_ptr = ptr;
		t->pair_len = 1 - ptr;
	}
}

static void members_find(struct symbols *s, struct type *t)
{
	AUTO_FREE struct member *list = NULL;
	size_t n = 0, cap = 0;
	Dwarf_Die child;

	for (int r = dwarf_child(&t->die, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
		struct member m;

		if (!member_make(s, &child, &m))
			continue;
		if (n >= LIMIT_SYMBOLS_ELEMENTS) {
			s->capped = true;
			break;
		}
		GROW(list, n, cap);
		list[n++] = m;
	}
	if (n == 0)
		return;
	t->members = arena_alloc(s->arena, n * sizeof(*list));
	memcpy(t->members, list, n * sizeof(*list));
	t->n_members = n;
	pair_find(s, t);
}

void symbols_type_resolve(struct symbols *s, struct type *t)
{
	if (t->resolved)
		return;
	t->resolved = true;
	if (t->form == TYPE_POINTER)
		t->to = symbols_type(s, &t->die);
	else if (t->form == TYPE_STRUCT)
		members_find(s, t);
}

static bool reaches(struct symbols *s, struct type *t, unsigned pointers, unsigned depth);

static bool reaches_members(struct symbols *s, struct type *t, unsigned pointers, unsigned depth)
{
	symbols_type_resolve(s, t);
	for (size_t i = 0; i < t->n_members; i++)
		if (t->members[i].hit || reaches(s, t->members[i].type, pointers, depth + 1))
			return true;
	return false;
}

static bool reaches_look(struct symbols *s, struct type *t, unsigned pointers, unsigned depth)
{
	switch (t->form) {
	case TYPE_LEAF:
		return s->w->addresses && (t->shape == ELFCORE_IN_ADDR ||
					   t->shape == ELFCORE_IN6_ADDR ||
					   t->shape == ELFCORE_SOCKADDR);
	case TYPE_STRUCT:
	case TYPE_PAIR:
		return reaches_members(s, t, pointers, depth);
	case TYPE_ARRAY:
		return reaches(s, t->to, pointers, depth + 1);
	case TYPE_POINTER:
		symbols_type_resolve(s, t);
		return t->to && pointers > 0 && reaches(s, t->to, pointers - 1, depth + 1);
	}
	return false;
}

/* A type that is being looked at further up says no: what it holds is found there. */
static bool reaches(struct symbols *s, struct type *t, unsigned pointers, unsigned depth)
{
	uint8_t *memo = &t->reach[pointers];

	if (depth > LIMIT_SYMBOLS_DEPTH * (LIMIT_SYMBOLS_POINTERS + 1))
		return false;
	if (*memo == REACH_UNKNOWN) {
		*memo = REACH_AT_WORK;
		*memo = reaches_look(s, t, pointers, depth) ? REACH_YES : REACH_NO;
	}
	return *memo == REACH_YES;
}

bool symbols_type_reaches(struct symbols *s, struct type *t, unsigned pointers)
{
	return reaches(s, t, pointers, 0);
}
