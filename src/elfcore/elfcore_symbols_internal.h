/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ELFCORE_SYMBOLS_INTERNAL_H
#define ELFCORE_SYMBOLS_INTERNAL_H

#include "elfcore_internal.h"

#include <corescrub/elfcore_symbols.h>

#include <dwarf.h>
#include <elfutils/libdwfl.h>

/*
 * What the files of typed memory share. elfcore_symbols.c is the parent: it starts the child and
 * reads its rows. All else runs in the child, in struct symbols: _child opens the files, confines
 * itself and keeps the order; _global and _frame find variables, _location their places, _type and
 * _names say what they are, and _leaf walks them down to the rows in the memory that _pages reads.
 */

enum row_kind {
	ROW_UNIT,		/* what is read from now on: module `unit`, or a thread behind them */
	ROW_FOUND,
	ROW_SKIPPED,		/* module `unit` was not read; shape: enum skip_reason */
	ROW_READ,		/* module `unit` was; shape: 1 by DWARF, 0 by ELF symbols */
	ROW_END,		/* size: frames; shape: 1 if a cap cut something */
	ROW_MISSING,		/* shape: parts of the confinement that are not in force */
};
enum skip_reason { SKIP_ABSENT, SKIP_OTHER_BUILD, SKIP_DAMAGED, SKIP_NO_SYMBOLS, SKIP_KILLED, SKIP_COUNT };

enum row_text { ROW_FUNCTION, ROW_PATH, ROW_FILE, ROW_TEXTS };
#define ROW_NO_TEXT	UINT32_MAX
#define ROW_TEXT_MAX	LIMIT_SYMBOLS_PATH

struct row {			/* then the texts, without NULs */
	uint32_t kind, unit, shape;
	uint32_t len[ROW_TEXTS];
	uint64_t thread, addr, size, pointer;
};

enum type_form {
	TYPE_LEAF,
	TYPE_STRUCT,		/* struct, class, union */
	TYPE_PAIR,		/* a struct that is {pointer to char, length} */
	TYPE_ARRAY,
	TYPE_POINTER,
};

struct type;
struct member {
	const char *name;	/* NULL: anonymous, a base class */
	uint64_t off;
	struct type *type;
	bool hit;		/* the wish's name() said yes */
};
struct type {
	enum type_form form;
	enum elfcore_shape shape;	/* LEAF */
	bool is_char;			/* LEAF of one byte that text is made of */
	bool resolved;			/* target, or members, are known */
	const char *name;		/* of a struct, or NULL */
	uint64_t size;
	Dwarf_Die die;			/* POINTER, ARRAY: of what; STRUCT: its own */
	struct type *to;		/* POINTER, ARRAY: to or of what; NULL: void, not known */
	uint64_t count;			/* ARRAY; 0: not known */
	struct member *members;
	size_t n_members;
	size_t pair_ptr, pair_len;	/* PAIR: members */
	uint8_t reach[LIMIT_SYMBOLS_POINTERS + 1];	/* enum reach, by pointers left */
};

struct module {
	const struct elfcore_file *file;
	uint32_t unit;
	int fd, debug_fd, alt_fd;	/* -1: not there, or given to libdwfl */
	bool is_program;
	uint64_t tls_size, tls_align;
	Dwfl_Module *dwfl;
	struct module_types *types;	/* complete structs by name, once it is read */
};

#define PAGE_CACHE	256		/* pages of the core's memory */
#define PAGE_BYTES	4096
struct page {
	uint64_t addr;			/* + 1, so that 0 is none */
	uint32_t len;
	char bytes[PAGE_BYTES];
};

/* An object that a pointer led to, to be walked later. */
struct reached {
	uint64_t addr;
	struct type *type;
	const char *path;
	bool hit;
	uint8_t pointers;		/* left */
};

struct visited {
	uint64_t key;			/* hash of a reached object; 0: free */
	uint64_t pointers;		/* that were left there */
};

struct scopes {				/* of a code address: innermost first */
	Dwarf_Addr pc, bias;
	Dwarf_Die *v, unit;
	int n;
};
#define SCOPE_CACHE	1024

struct symbols {
	const struct elfcore *c;
	const struct elfcore_wish *w;
	int fd;				/* rows go there */
	struct buf out;
	Dwfl *dwfl;
	struct module *modules;
	size_t n_modules;
	struct page *pages;		/* PAGE_CACHE */

	struct arena *arena;		/* types and paths */
	struct type **types;		/* open addressing by DIE */
	const void **type_keys;
	size_t n_types, cap_types;
	struct visited *visited;	/* open addressing */
	size_t n_visited, cap_visited;
	struct reached *queue;
	size_t n_queue, cap_queue;
	uint64_t n_found, n_objects, n_frames, steps;
	bool capped;

	/* of the variable at hand */
	const char *function, *file;
	size_t thread;
	const struct module *module;
	struct type *root;		/* the struct that is walked */
	struct buf path;
	size_t root_path;		/* its length at the root */
	size_t walked;			/* thread that libdwfl asks registers of */
	bool met_tls;			/* an expression asked for a thread's own block */
	struct scopes *scopes;		/* SCOPE_CACHE */
};

/* _child: the whole of it; does not return. */
_Noreturn void elfcore_symbols_child(const struct elfcore *c, const struct elfcore_wish *w, int fd,
				     uint32_t from, const uint8_t *bad);
void symbols_send(struct symbols *s, const struct row *row, const char *const texts[ROW_TEXTS]);

/* _pages: memory, through the pages at hand. Whether all n bytes, all 8 are there; the bytes in
   front of a NUL, at most so many, and all there are if the memory ends before. */
bool symbols_memory(struct symbols *s, uint64_t addr, void *ret, size_t n);
bool symbols_word(struct symbols *s, uint64_t addr, uint64_t *ret);
uint64_t symbols_string_length(struct symbols *s, uint64_t addr, uint64_t max);

/* _type: the type that a DIE's DW_AT_type names (NULL: none); of a type, what it points to, its
   members. All bounded; a broken one is NULL or has none. */
struct type *symbols_type(struct symbols *s, Dwarf_Die *die);
void symbols_type_resolve(struct symbols *s, struct type *t);
/* Is there a name to look for in t, or an address, behind at most so many pointers? */
bool symbols_type_reaches(struct symbols *s, struct type *t, unsigned pointers);

/* _names: notes a module's complete structs, unit by unit; turns a struct that its unit only
   declares into the one that another unit of the module at hand has. */
bool symbols_is_struct(int tag);
void symbols_types_add(struct symbols *s, struct module *m, Dwarf_Die *unit);
bool symbols_type_complete(const struct symbols *s, Dwarf_Die *die);

/* _leaf: rows for a variable named `name` of this type at addr, and for what its pointers lead to;
   for one whose value, a pointer, is known but stands in a register; for an ELF symbol's object. */
void symbols_walk_variable(struct symbols *s, const char *name, uint64_t addr, struct type *t);
void symbols_walk_value(struct symbols *s, const char *name, uint64_t value, struct type *t);
void symbols_walk_object(struct symbols *s, const char *name, uint64_t addr, uint64_t size);

/* _location: where a variable is, or its value. */
struct place {
	bool is_value;
	uint64_t addr;			/* or the value */
};
/* What an expression may ask of a frame; NULL state: of none, globals. */
struct frame_view {
	Dwfl_Frame *state;
	Dwarf_Addr pc;			/* of the call, in the process */
	Dwarf_Addr bias;		/* of its module's DWARF */
	Dwfl_Module *module;
	Dwarf_Attribute *frame_base;	/* or NULL */
};
bool symbols_locate(struct symbols *s, const struct frame_view *v, Dwarf_Attribute *location,
		    struct place *ret);

/*
 * Where the thread at hand has the offset of the program's thread-local block: below the thread's
 * base on x86-64 (variant II), behind two words on aarch64 (variant I; Drepper, "ELF Handling For
 * Thread-Local Storage"). What libraries have is found by tables of the loader's own; not here.
 */
bool symbols_tls(const struct symbols *s, uint64_t offset, uint64_t *ret);

/* _global: the variables of a module that stand in no frame. False: not a symbol was read. */
bool symbols_module(struct symbols *s, struct module *m, bool *ret_dwarf);
/* _frame: those of a thread's stack; false if it can't be unwound at all. */
bool symbols_attach(struct symbols *s);
void symbols_thread(struct symbols *s, size_t thread);

#endif
