/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

#include <stdlib.h>

/*
 * Symbol rules: globs over names. "*" is any run of bytes, dots and all, "?" is one byte; brackets
 * are what they are in C, so that "[*]" is any index. A variable's pattern may fit the whole path
 * or any part of it that begins behind a dot, in any case, with or without the path's last indexes.
 *
 * Most patterns end in a plain name. They are found by a hash of it; the others are tried in turn.
 */

struct symbol_entry {
	uint32_t rule, next; /* next: the chain's next entry + 1, or 0 */
	uint32_t hash;
	struct span pattern;
};

struct symbol_index {
	struct symbol_entry *entries; /* of one chain in the order of the rules */
	size_t n, cap;
	uint32_t *heads;
	size_t mask;
	uint32_t others; /* head of the chain of patterns without a plain last name */
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool same(char a, char b, bool nocase)
{
	return a == b || (nocase && lower(a) == lower(b));
}

/* Linear in practice: only the last "*" is ever taken back. */
static bool glob_fits(struct span pattern, struct span text, bool nocase)
{
	size_t p = 0, t = 0, star = SIZE_MAX, retry = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.p[p] == '*') {
			star = p++;
			retry = t;
		} else if (p < pattern.len &&
			   (pattern.p[p] == '?' || same(pattern.p[p], text.p[t], nocase))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++retry;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.p[p] == '*')
		p++;
	return p == pattern.len;
}

static struct span strip_index(struct span path)
{
	while (path.len && path.p[path.len - 1] == ']') {
		const char *open = memrchr(path.p, '[', path.len);

		if (!open)
			break;
		path.len = (size_t)(open - path.p);
	}
	return path;
}

static bool path_fits(struct span pattern, struct span path)
{
	struct span bare = strip_index(path);

	for (;;) {
		const char *dot;

		if (glob_fits(pattern, path, true) ||
		    (bare.len < path.len && glob_fits(pattern, bare, true)))
			return true;
		dot = bare.len ? memchr(bare.p, '.', bare.len) : NULL;
		if (!dot)
			return false;
		path.len -= (size_t)(dot + 1 - path.p);
		bare.len -= (size_t)(dot + 1 - bare.p);
		path.p = bare.p = dot + 1;
	}
}

static bool list_fits(const struct rule_glob_list *l, struct span text)
{
	for (size_t i = 0; i < l->n; i++)
		if (glob_fits(l->v[i], text, false))
			return true;
	return l->n == 0;
}

static bool frame_fits(const struct rule *r, const struct rule_symbol *sym)
{
	return list_fits(&r->function, sym->function) && list_fits(&r->file, sym->file) &&
	       list_fits(&r->library, sym->library);
}

bool rule_symbol_fits(const struct rule *r, const struct rule_symbol *sym)
{
	bool fits = false;

	for (size_t i = 0; i < r->variable.n && !fits; i++)
		fits = path_fits(r->variable.v[i], sym->variable);
	return fits && frame_fits(r, sym);
}

static struct span last_name(struct span path)
{
	const char *dot;

	path = strip_index(path);
	dot = path.len ? memrchr(path.p, '.', path.len) : NULL;
	return dot ? span_sub(path, (size_t)(dot + 1 - path.p), path.len) : path;
}

/* FNV-1a of the name in lower case. */
static uint32_t name_hash(struct span name)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (uint8_t)lower(name.p[i])) * 16777619u;
	return h;
}

static void add_entry(struct symbol_index *ix, uint32_t rule, struct span pattern)
{
	GROW(ix->entries, ix->n, ix->cap);
	ix->entries[ix->n++] = (struct symbol_entry){ .rule = rule,
						      .hash = name_hash(last_name(pattern)),
						      .pattern = pattern };
}

void rule_symbols_index(struct ruleset *rs)
{
	struct symbol_index *ix = xcalloc(1, sizeof(*ix));
	size_t size = 64;

	for (size_t i = 0; i < rs->n_rules; i++)
		for (size_t k = 0; rs->rules[i].info.active && k < rs->rules[i].variable.n; k++)
			add_entry(ix, (uint32_t)i, rs->rules[i].variable.v[k]);
	while (size < ix->n * 2)
		size *= 2;
	ix->heads = xcalloc(size, sizeof(*ix->heads));
	ix->mask = size - 1;
	for (size_t i = ix->n;
	     i-- > 0;) { /* backwards, so that a chain begins with the first rule */
		struct symbol_entry *e = &ix->entries[i];
		struct span name = last_name(e->pattern);
		bool plain = name.len && !memchr(name.p, '*', name.len) &&
			     !memchr(name.p, '?', name.len) && !memchr(name.p, '[', name.len);
		uint32_t *head = plain ? &ix->heads[e->hash & ix->mask] : &ix->others;

		e->next = *head;
		*head = (uint32_t)i + 1;
	}
	rs->symbols = ix;
}

void rule_symbols_free(struct symbol_index *ix)
{
	if (!ix)
		return;
	free(ix->entries);
	free(ix->heads);
	free(ix);
}

bool rule_symbol_match(const struct ruleset *rs, const struct rule_symbol *sym, uint32_t *ret_rule)
{
	const struct symbol_index *ix = rs->symbols;
	uint32_t hash = name_hash(last_name(sym->variable)), best = UINT32_MAX;
	uint32_t starts[2] = { ix->heads[hash & ix->mask], ix->others };

	for (int chain = 0; chain < 2; chain++) {
		for (uint32_t i = starts[chain]; i; i = ix->entries[i - 1].next) {
			const struct symbol_entry *e = &ix->entries[i - 1];

			if (e->rule >= best)
				break;
			if ((chain == 0 && e->hash != hash) ||
			    !path_fits(e->pattern, sym->variable) ||
			    !frame_fits(&rs->rules[e->rule], sym))
				continue;
			best = e->rule;
		}
	}
	if (best == UINT32_MAX)
		return false;
	*ret_rule = best;
	return true;
}

/* The longest run of plain bytes in a pattern's last name: no dot, so one name of a path holds
   it. */
static struct span longest_piece(struct span pattern)
{
	struct span name = last_name(pattern), best = { NULL, 0 };

	for (size_t i = 0; i < name.len;) {
		size_t n = 0;

		while (i + n < name.len && !memchr("*?[]", name.p[i + n], 4))
			n++;
		if (n > best.len)
			best = span_make(name.p + i, n);
		i += n + 1;
	}
	return best;
}

static bool holds(struct span text, struct span piece)
{
	for (size_t i = 0; i + piece.len <= text.len; i++) {
		size_t n = 0;

		while (n < piece.len && same(piece.p[n], text.p[i + n], true))
			n++;
		if (n == piece.len)
			return true;
	}
	return false;
}

bool rule_symbol_may_match(const struct ruleset *rs, struct span name)
{
	const struct symbol_index *ix = rs->symbols;
	uint32_t hash = name_hash(name);

	for (uint32_t i = ix->heads[hash & ix->mask]; i; i = ix->entries[i - 1].next)
		if (ix->entries[i - 1].hash == hash)
			return true;
	for (uint32_t i = ix->others; i; i = ix->entries[i - 1].next)
		if (holds(name, longest_piece(ix->entries[i - 1].pattern)))
			return true;
	return false;
}
