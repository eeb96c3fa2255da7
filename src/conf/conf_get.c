/* SPDX-License-Identifier: Apache-2.0 */
#include "conf_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Message of a variadic front, cut to the size of err.msg. */
__attribute__((format(printf, 5, 0)))
static int err_vat(struct err *err, const struct conf *c, unsigned line, unsigned col,
		   const char *fmt, va_list ap)
{
	char msg[sizeof(err->msg)];

	vsnprintf(msg, sizeof(msg), fmt, ap);
	return err_at(err, RC_SYNTAX, c->name, line, col, "%s", msg);
}

int conf_err(const struct conf *c, const struct conf_node *at, struct err *err, const char *fmt,
	     ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = err_vat(err, c, at->line, at->col, fmt, ap);
	va_end(ap);
	return rc;
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

/*
 * Where the decoded byte `off` of a scalar stands in the source. Decoded and source bytes are
 * walked together: white space may be folded, a quote doubled, an escape one byte for several. An
 * unknown escape leaves the two out of step, and the place is then only near.
 */
static size_t source_offset(const struct conf *c, const struct conf_item *item, size_t start,
			    size_t off)
{
	size_t at = start;
	char quote = 0;

	if (item->block) {
		while (at < c->len && c->text[at] != '\n')
			at++;
	} else if (item->node.quoted && at < c->len) {
		quote = c->text[at++];
	}
	for (size_t i = 0; i <= off && at < c->len; i++) {
		char want = i < item->node.text.len ? item->node.text.p[i] : 0;

		if (i < item->node.text.len && (!is_blank(want) || item->block))
			while (at < c->len && is_blank(c->text[at]) && c->text[at] != want)
				at++;
		if (i == off)
			break;
		if (c->text[at] == want)
			at += quote == '\'' && want == '\'' ? 2 : 1;
		else if (quote == '"' && c->text[at] == '\\')
			at += 2;
		else
			at += is_blank(want) ? 0 : 1;
		if (quote == '"' && (want == '\\' || want == '"') && at < c->len &&
		    c->text[at] == want)
			at++;
	}
	return at;
}

static bool is_continuation(char ch)
{
	return ((unsigned char)ch & 0xc0) == 0x80;
}

/* The byte offset of a node's start; libyaml counts characters. */
static size_t node_offset(const struct conf *c, const struct conf_node *n)
{
	unsigned line = 1, col = 1;
	size_t i;

	for (i = 0; i < c->len && line < n->line; i++)
		line += c->text[i] == '\n';
	while (i < c->len && (col < n->col || is_continuation(c->text[i])))
		col += !is_continuation(c->text[i++]);
	return i;
}

int conf_err_in(const struct conf *c, const struct conf_node *at, size_t off, struct err *err,
		const char *fmt, ...)
{
	const struct conf_item *item = (const struct conf_item *)at;
	size_t start = node_offset(c, at), end = source_offset(c, item, start, off);
	unsigned line = at->line, col = at->col;
	va_list ap;
	int rc;

	for (size_t i = start; i < end && i < c->len; i++) {
		col += !is_continuation(c->text[i]);
		if (c->text[i] == '\n') {
			line++;
			col = 1;
		}
	}
	va_start(ap, fmt);
	rc = err_vat(err, c, line, col, fmt, ap);
	va_end(ap);
	return rc;
}

const struct conf_node *conf_get(const struct conf_node *map, const char *key)
{
	for (size_t i = 0; map->type == CONF_MAP && i < map->n; i++)
		if (span_eq_str(map->keys[i]->text, key))
			return map->items[i];
	return NULL;
}

/* Levenshtein's distance, of short names only. */
static size_t name_distance(struct span a, const char *b)
{
	size_t row[65], n = strlen(b);

	if (a.len > 64 || n > 64)
		return 64;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = diagonal + (a.p[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

const char *conf_nearest(struct span name, const char *const *known)
{
	const char *best = NULL;
	size_t best_distance = 64;

	for (; known && *known; known++) {
		size_t d = name_distance(name, *known);

		if (d < best_distance) {
			best_distance = d;
			best = *known;
		}
	}
	return best;
}

int conf_check_keys(const struct conf *c, const struct conf_node *map, const char *const *known,
		    struct err *err)
{
	if (map->type != CONF_MAP)
		return conf_err(c, map, err, "expected a map");
	for (size_t i = 0; i < map->n; i++) {
		const char *const *k = known;
		const char *nearest;

		while (*k && !span_eq_str(map->keys[i]->text, *k))
			k++;
		if (*k)
			continue;
		nearest = conf_nearest(map->keys[i]->text, known);
		return conf_err(c, map->keys[i], err, "unknown key%s%s%s",
				nearest ? "; the nearest known one is \"" : "",
				nearest ? nearest : "", nearest ? "\"" : "");
	}
	return RC_OK;
}

int conf_get_string(const struct conf *c, const struct conf_node *map, const char *key,
		    struct span *ret, struct err *err)
{
	const struct conf_node *n = conf_get(map, key);

	if (!n)
		return RC_OK;
	if (n->type != CONF_STRING)
		return conf_err(c, n, err, "\"%s\" must be a string", key);
	*ret = n->text;
	return RC_OK;
}

int conf_get_bool(const struct conf *c, const struct conf_node *map, const char *key, bool *ret,
		  struct err *err)
{
	const struct conf_node *n = conf_get(map, key);
	bool yes, no;

	if (!n)
		return RC_OK;
	yes = n->type == CONF_STRING && !n->quoted && span_eq_str(n->text, "true");
	no = n->type == CONF_STRING && !n->quoted && span_eq_str(n->text, "false");
	if (!yes && !no)
		return conf_err(c, n, err, "\"%s\" must be true or false", key);
	*ret = yes;
	return RC_OK;
}

int conf_get_int(const struct conf *c, const struct conf_node *map, const char *key, long min,
		 long max, long *ret, struct err *err)
{
	const struct conf_node *n = conf_get(map, key);
	char *end = NULL;
	long v = 0;

	if (!n)
		return RC_OK;
	if (n->type == CONF_STRING && !n->quoted && n->text.len > 0 && n->text.len < 12)
		v = strtol(n->text.p, &end, 10);
	if (!end || *end || is_blank(n->text.p[0]) || v < min || v > max)
		return conf_err(c, n, err, "\"%s\" must be a number from %ld to %ld", key, min,
				max);
	*ret = v;
	return RC_OK;
}

int conf_get_strings(const struct conf *c, const struct conf_node *map, const char *key,
		     const struct span **ret, size_t *ret_n, struct err *err)
{
	const struct conf_node *n = conf_get(map, key);
	struct span *v;

	if (!n)
		return RC_OK;
	if (n->type == CONF_STRING) {
		*ret = &n->text;
		*ret_n = 1;
		return RC_OK;
	}
	if (n->type != CONF_LIST)
		return conf_err(c, n, err, "\"%s\" must be a string or a list of strings", key);
	v = arena_alloc(c->arena, (n->n + 1) * sizeof(*v));
	for (size_t i = 0; i < n->n; i++) {
		if (n->items[i]->type != CONF_STRING)
			return conf_err(c, n->items[i], err, "\"%s\" must hold strings only", key);
		v[i] = n->items[i]->text;
	}
	*ret = v;
	*ret_n = n->n;
	return RC_OK;
}
