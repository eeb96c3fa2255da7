/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_symbols_internal.h"

#include <netinet/in.h>
#include <stdlib.h>

/*
 * From a variable's type and address down to its leaves, in the core's memory. What a pointer leads
 * to is put in a queue and walked later, so that the near comes before the far and recursion stays
 * as shallow as structs nest.
 */

#define TEXT_MIN	4		/* bytes, to be taken for text */
#define STEPS_MAX	1000000		/* members, elements looked at of one variable */

struct walk {
	bool hit;		/* a name on the path was one to look for */
	unsigned pointers;	/* that may still be followed */
	unsigned depth;
};

static void walk(struct symbols *s, uint64_t addr, struct type *t, struct walk w);

static void path_push(struct symbols *s, const char *name)
{
	if (s->path.len)
		buf_add_char(&s->path, '.');
	buf_add_str(&s->path, name);
}

static void path_push_index(struct symbols *s, uint64_t i)
{
	buf_addf(&s->path, "[%llu]", (unsigned long long)i);
}

static void path_cut(struct symbols *s, size_t len)
{
	s->path.len = len;
	s->path.p[len] = '\0';
}

/* A path that is too long loses its head: rules look at its end. */
static const char *path_tail(const struct symbols *s)
{
	const char *p = s->path.p ? s->path.p : "", *dot;

	if (s->path.len < LIMIT_SYMBOLS_PATH)
		return p;
	p += s->path.len - (LIMIT_SYMBOLS_PATH - 1);
	dot = strchr(p, '.');
	return dot ? dot + 1 : p;
}

static bool is_address(enum elfcore_shape shape)
{
	return shape == ELFCORE_IN_ADDR || shape == ELFCORE_IN6_ADDR || shape == ELFCORE_SOCKADDR;
}

static bool is_wanted(const struct symbols *s, const struct elfcore_variable *v)
{
	if (is_address(v->shape) && s->w->addresses)
		return true;
	return !s->w->wanted || s->w->wanted(s->w->ctx, v);
}

/* Gives a leaf that is wanted; the bytes that the core does not hold are cut off. */
static bool emit(struct symbols *s, enum elfcore_shape shape, uint64_t addr, uint64_t size,
		 uint64_t pointer)
{
	struct elfcore_variable v = { .function = s->function, .path = path_tail(s),
				      .file = s->file, .library = s->module->file->path,
				      .addr = addr, .pointer = pointer, .shape = shape,
				      .thread = s->thread };
	struct row row = { .kind = ROW_FOUND, .unit = s->module->unit, .shape = shape,
			   .thread = s->thread, .addr = addr, .pointer = pointer };
	const char *texts[ROW_TEXTS] = { v.function, v.path, v.file };

	v.size = row.size = elfcore_holds(s->c, addr, size);
	if (v.size == 0 || (is_address(shape) && v.size < size) || !is_wanted(s, &v))
		return false;
	if (s->n_found >= LIMIT_SYMBOLS_FOUND) {
		s->capped = true;
		return false;
	}
	s->n_found++;
	symbols_send(s, &row, texts);
	return true;
}

static void emit_string(struct symbols *s, uint64_t addr, uint64_t pointer)
{
	uint64_t len = addr ? symbols_string_length(s, addr, LIMIT_SYMBOLS_STRING) : 0;

	if (len > 0)
		emit(s, ELFCORE_STRING, addr, len, pointer);
}

/* Behind a pointer to struct sockaddr may stand a larger one. */
static void emit_sockaddr(struct symbols *s, uint64_t addr, uint64_t size, uint64_t pointer)
{
	char family[2];

	if (!symbols_memory(s, addr, family, sizeof(family)))
		return;
	if (get_u16(family) == AF_INET6 && size < sizeof(struct sockaddr_in6))
		size = sizeof(struct sockaddr_in6);
	emit(s, ELFCORE_SOCKADDR, addr, size, pointer);
}

/* Rules name a pair by itself or by its pointer: "cred.data", "cred.data.ptr". */
static void walk_pair(struct symbols *s, uint64_t addr, const struct type *t)
{
	const struct member *ptr = &t->members[t->pair_ptr], *len = &t->members[t->pair_len];
	uint64_t to = 0, n = 0, at = addr + ptr->off;
	char bytes[8] = { 0 };
	size_t path = s->path.len;

	if (len->type->size > 8 || !symbols_word(s, at, &to) || to == 0 ||
	    !symbols_memory(s, addr + len->off, bytes, len->type->size))
		return;
	n = get_u64(bytes);
	if (n == 0 || n > LIMIT_SYMBOLS_STRING * 16)
		return;
	path_push(s, ptr->name);
	if (!emit(s, ELFCORE_COUNTED, to, n, at)) {
		path_cut(s, path);
		emit(s, ELFCORE_COUNTED, to, n, at);
	}
	path_cut(s, path);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 31;
}

static uint64_t text_hash(const char *text)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * UINT64_C(1099511628211);
	return h;
}

static struct visited *visited_slot(struct visited *table, size_t cap, uint64_t key)
{
	size_t i = key & (cap - 1);

	while (table[i].key && table[i].key != key)
		i = (i + 1) & (cap - 1);
	return &table[i];
}

static void visited_grow(struct symbols *s)
{
	size_t cap = s->cap_visited ? s->cap_visited * 2 : 4096;
	struct visited *table = xcalloc(cap, sizeof(*table));

	for (size_t i = 0; i < s->cap_visited; i++)
		if (s->visited[i].key)
			*visited_slot(table, cap, s->visited[i].key) = s->visited[i];
	free(s->visited);
	s->visited = table;
	s->cap_visited = cap;
}

/*
 * Is this the first time, or are more pointers left than the last time? One object is walked again
 * where another name led to it: the name counts. Units have types of their own, so a struct is
 * known by its name and size.
 */
static bool visit(struct symbols *s, uint64_t addr, const struct type *t, struct walk w)
{
	struct visited *slot;
	const char *path = path_tail(s), *dot = strrchr(path, '.');
	uint64_t key = mix(mix(addr, t->size), t->name ? text_hash(t->name) : (uintptr_t)t);

	if (w.hit)
		key = mix(key, text_hash(dot ? dot : path));
	key |= 1;
	if (s->n_visited * 2 >= s->cap_visited)
		visited_grow(s);
	slot = visited_slot(s->visited, s->cap_visited, key);
	if (slot->key && slot->pointers >= w.pointers)
		return false;
	s->n_visited += slot->key == 0;
	*slot = (struct visited){ key, w.pointers };
	return true;
}

static void enqueue(struct symbols *s, uint64_t addr, struct type *t, struct walk w)
{
	const char *path;

	if (t == s->root)	/* a list's later nodes have the name of the first */
		path_cut(s, s->root_path);
	path = path_tail(s);
	if (!visit(s, addr, t, w) || elfcore_holds(s->c, addr, 1) == 0)
		return;
	if (s->n_objects >= LIMIT_SYMBOLS_OBJECTS) {
		s->capped = true;
		return;
	}
	s->n_objects++;
	GROW(s->queue, s->n_queue, s->cap_queue);
	s->queue[s->n_queue++] = (struct reached){
		.addr = addr, .type = t, .hit = w.hit, .pointers = (uint8_t)w.pointers,
		.path = arena_strndup(s->arena, path, strlen(path)) };
}

/* A struct's link to the next of its kind costs nothing, or a list would end at its fourth node. */
static bool take_pointer(const struct symbols *s, const struct type *to, struct walk *w)
{
	if (to == s->root)
		return true;
	if (w->pointers == 0)
		return false;
	w->pointers--;
	return true;
}

/* Goes where a pointer points that holds `value` and stands at `at`. */
static void follow(struct symbols *s, uint64_t value, uint64_t at, struct type *pointer,
		   struct walk w)
{
	struct type *to;

	symbols_type_resolve(s, pointer);
	to = pointer->to;
	if (!to || value == 0)
		return;
	if (to->is_char) {
		if (w.hit)
			emit_string(s, value, at);
		return;
	}
	if (!take_pointer(s, to, &w))
		return;
	symbols_type_resolve(s, to);
	if (to->form == TYPE_STRUCT) {
		if (w.hit || symbols_type_reaches(s, to, w.pointers))
			enqueue(s, value, to, w);
		return;
	}
	if (to->form == TYPE_LEAF && to->shape == ELFCORE_SOCKADDR) {
		if (w.hit || s->w->addresses)
			emit_sockaddr(s, value, to->size, at);
		return;
	}
	/* an array, a packed address, a pair, a pointer: of several the first */
	w.depth++;
	if (w.depth < LIMIT_SYMBOLS_DEPTH)
		walk(s, value, to, w);
}

/* libstdc++'s vector: what is between its first two pointers, and nothing behind. */
static bool is_vector(const struct type *t)
{
	const struct member *m = t->members;

	for (size_t i = 0; i + 1 < t->n_members; i++)
		if (m[i].name && m[i + 1].name && strcmp(m[i].name, "_M_start") == 0 &&
		    strcmp(m[i + 1].name, "_M_finish") == 0)
			return m[i].type->form == TYPE_POINTER && m[i].off == 0 && m[i + 1].off == 8;
	return false;
}

static void walk_vector(struct symbols *s, uint64_t addr, struct type *t, struct walk w)
{
	struct type *pointer = NULL;
	uint64_t from, to;
	size_t path = s->path.len;

	for (size_t i = 0; !pointer; i++)
		if (t->members[i].type->form == TYPE_POINTER)
			pointer = t->members[i].type;
	symbols_type_resolve(s, pointer);
	if (!pointer->to || pointer->to->size == 0 || !take_pointer(s, pointer->to, &w) ||
	    !symbols_word(s, addr, &from) || !symbols_word(s, addr + 8, &to) || to < from)
		return;
	if (!w.hit && !symbols_type_reaches(s, pointer->to, w.pointers))
		return;
	for (uint64_t i = 0; i < LIMIT_SYMBOLS_ELEMENTS && i < (to - from) / pointer->to->size; i++) {
		path_push_index(s, i);
		walk(s, from + i * pointer->to->size, pointer->to, w);
		path_cut(s, path);
	}
}

static void walk_members(struct symbols *s, uint64_t addr, struct type *t, struct walk w)
{
	size_t path = s->path.len;

	w.depth++;
	if (w.depth >= LIMIT_SYMBOLS_DEPTH) {
		s->capped = true;
		return;
	}
	if (is_vector(t)) {
		walk_vector(s, addr, t, w);
		return;
	}
	for (size_t i = 0; i < t->n_members; i++) {
		const struct member *m = &t->members[i];
		struct walk below = w;
		uint64_t at;

		below.hit |= m->hit;
		if (__builtin_add_overflow(addr, m->off, &at) ||
		    (!below.hit && !symbols_type_reaches(s, m->type, w.pointers)))
			continue;
		if (m->name)
			path_push(s, m->name);
		walk(s, at, m->type, below);
		path_cut(s, path);
	}
}

static void walk_array(struct symbols *s, uint64_t addr, struct type *t, struct walk w)
{
	size_t path = s->path.len;
	uint64_t n = t->count;

	if (t->to->form == TYPE_LEAF && !is_address(t->to->shape)) {
		uint64_t size = t->size;

		/* `char name[]` at a struct's end, or as long as only the program knew */
		if (size == 0 && t->to->is_char)
			size = symbols_string_length(s, addr, LIMIT_SYMBOLS_STRING);
		if (w.hit && t->to->shape == ELFCORE_INTEGER)
			emit(s, t->to->is_char ? ELFCORE_CHARS : ELFCORE_BYTES, addr, size, 0);
		return;
	}
	if (n > LIMIT_SYMBOLS_ELEMENTS) {
		n = LIMIT_SYMBOLS_ELEMENTS;
		s->capped = true;
	}
	w.depth++;
	if (w.depth >= LIMIT_SYMBOLS_DEPTH || (!w.hit && !symbols_type_reaches(s, t->to, w.pointers)))
		return;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at;

		if (__builtin_add_overflow(addr, i * t->to->size, &at))
			return;
		path_push_index(s, i);
		walk(s, at, t->to, w);
		path_cut(s, path);
	}
}

static void walk(struct symbols *s, uint64_t addr, struct type *t, struct walk w)
{
	uint64_t value;

	if (s->steps >= STEPS_MAX) {
		s->capped = true;
		return;
	}
	s->steps++;
	switch (t->form) {
	case TYPE_LEAF:
		if (w.hit || (is_address(t->shape) && s->w->addresses))
			emit(s, t->shape, addr, t->size, 0);
		return;
	case TYPE_STRUCT:
	case TYPE_PAIR:
		symbols_type_resolve(s, t);
		if (t->form == TYPE_STRUCT)
			walk_members(s, addr, t, w);
		else if (w.hit || t->members[t->pair_ptr].hit)
			walk_pair(s, addr, t);
		return;
	case TYPE_ARRAY:
		walk_array(s, addr, t, w);
		return;
	case TYPE_POINTER:
		if (symbols_word(s, addr, &value))
			follow(s, value, addr, t, w);
		return;
	}
}

static struct walk walk_begin(struct symbols *s, const char *name, struct type *t)
{
	struct walk w = { .pointers = LIMIT_SYMBOLS_POINTERS };

	w.hit = !s->w->name || s->w->name(s->w->ctx, span_str(name));
	s->steps = 0;
	s->root = t;
	buf_reset(&s->path);
	path_push(s, name);
	s->root_path = s->path.len;
	return w;
}

/* All that the pointers met until now lead to. */
static void walk_reached(struct symbols *s)
{
	for (size_t i = 0; i < s->n_queue; i++) {
		struct reached r = s->queue[i];
		struct walk w = { .hit = r.hit, .pointers = r.pointers };

		s->steps = 0;
		s->root = r.type;
		buf_reset(&s->path);
		buf_add_str(&s->path, r.path);
		s->root_path = s->path.len;
		walk(s, r.addr, r.type, w);
	}
	s->n_queue = 0;
}

void symbols_walk_variable(struct symbols *s, const char *name, uint64_t addr, struct type *t)
{
	struct walk w = walk_begin(s, name, t);

	if (w.hit || symbols_type_reaches(s, t, w.pointers))
		walk(s, addr, t, w);
	walk_reached(s);
}

void symbols_walk_value(struct symbols *s, const char *name, uint64_t value, struct type *t)
{
	struct walk w = walk_begin(s, name, t);

	if (t->form == TYPE_POINTER && (w.hit || symbols_type_reaches(s, t, w.pointers)))
		follow(s, value, 0, t, w);
	walk_reached(s);
}

/* Does text stand at addr? For objects of no known type. */
static bool is_text(struct symbols *s, uint64_t addr)
{
	char text[TEXT_MIN];

	if (!symbols_memory(s, addr, text, sizeof(text)))
		return false;
	for (size_t i = 0; i < sizeof(text); i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

/* What has a pointer's size and leads into the core's memory is a pointer: it is never the
   value. */
void symbols_walk_object(struct symbols *s, const char *name, uint64_t addr, uint64_t size)
{
	struct walk w = walk_begin(s, name, NULL);
	uint64_t value;

	if (!w.hit)
		return;
	if (size != 8 || !symbols_word(s, addr, &value) || elfcore_holds(s->c, value, 1) == 0)
		emit(s, ELFCORE_BYTES, addr, size, 0);
	else if (is_text(s, value))
		emit_string(s, value, addr);
}
