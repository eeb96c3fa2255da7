/* SPDX-License-Identifier: Apache-2.0 */
#include "conf_internal.h"

#include <corescrub/base/file.h>
#include <corescrub/base/limits.h>
#include <stdlib.h>
#include <yaml.h>

struct builder {
	struct conf *c;
	struct err *err;
	struct conf_item *top;	     /* the open map or list, NULL at the document's level */
	const struct conf_node *key; /* the key that waits for its value, or NULL */
	size_t nodes, depth, documents;
};

void conf_free(struct conf *c)
{
	if (!c)
		return;
	arena_free(c->arena);
	free(c->name);
	free(c->text);
	free(c);
}

const struct conf_node *conf_root(const struct conf *c)
{
	return c->root;
}

const char *conf_name(const struct conf *c)
{
	return c->name;
}

static int mark_err(struct builder *b, yaml_mark_t at, const char *what)
{
	return err_at(b->err, RC_SYNTAX, b->c->name, (unsigned)at.line + 1, (unsigned)at.column + 1,
		      "%s", what);
}

/* libyaml's own words for what is wrong; they quote at most one character of the file. */
static int parser_err(struct builder *b, const yaml_parser_t *p)
{
	yaml_mark_t at = p->problem_mark;

	if (p->error == YAML_MEMORY_ERROR)
		return err_at(b->err, RC_NOMEM, b->c->name, 1, 1, "out of memory");
	if (p->error == YAML_READER_ERROR) {
		size_t end = p->problem_offset < b->c->len ? p->problem_offset : b->c->len;

		at.line = at.column = 0;
		for (size_t i = 0; i < end; i++) {
			at.column++;
			if (b->c->text[i] == '\n') {
				at.line++;
				at.column = 0;
			}
		}
		return mark_err(b, at, "a byte that YAML does not allow");
	}
	return mark_err(b, at, p->problem ? p->problem : "not YAML");
}

static int compare_keys(const void *a, const void *b)
{
	const struct conf_node *x = *(const struct conf_node *const *)a;
	const struct conf_node *y = *(const struct conf_node *const *)b;
	size_t n = x->text.len < y->text.len ? x->text.len : y->text.len;
	int order = memcmp(x->text.p, y->text.p, n);

	if (order)
		return order;
	if (x->text.len != y->text.len)
		return x->text.len < y->text.len ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

static int check_duplicates(struct builder *b, const struct conf_item *map)
{
	AUTO_FREE const struct conf_node **sorted = NULL;

	if (map->node.n < 2)
		return RC_OK;
	sorted = xreallocarray(NULL, map->node.n, sizeof(*sorted));
	memcpy(sorted, map->keys, map->node.n * sizeof(*sorted));
	qsort(sorted, map->node.n, sizeof(*sorted), compare_keys);
	for (size_t i = 1; i < map->node.n; i++)
		if (span_eq(sorted[i - 1]->text, sorted[i]->text))
			return err_at(b->err, RC_SYNTAX, b->c->name, sorted[i]->line,
				      sorted[i]->col,
				      "this key stands in the same map already, at line %u",
				      sorted[i - 1]->line);
	return RC_OK;
}

/* Children are gathered in an array that doubles in the arena: what it leaves behind is bounded. */
static void append_child(struct builder *b, const struct conf_node *child)
{
	struct conf_item *t = b->top;

	if (t->node.n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 4;
		const struct conf_node **items = arena_alloc(b->c->arena, cap * sizeof(*items));
		const struct conf_node **keys = arena_alloc(b->c->arena, cap * sizeof(*keys));

		if (t->node.n) {
			memcpy(items, t->items, t->node.n * sizeof(*items));
			memcpy(keys, t->keys, t->node.n * sizeof(*keys));
		}
		t->items = items;
		t->keys = keys;
		t->cap = cap;
	}
	t->items[t->node.n] = child;
	t->keys[t->node.n++] = b->key;
	t->node.items = t->items;
	t->node.keys = t->node.type == CONF_MAP ? t->keys : NULL;
	b->key = NULL;
}

static int add_node(struct builder *b, const yaml_event_t *ev, enum conf_type type,
		    struct conf_item **ret)
{
	struct conf_item *item;

	if (++b->nodes > LIMIT_YAML_NODES)
		return mark_err(b, ev->start_mark, "too many nodes in this file");
	item = arena_alloc(b->c->arena, sizeof(*item));
	item->node.type = type;
	item->node.line = (unsigned)ev->start_mark.line + 1;
	item->node.col = (unsigned)ev->start_mark.column + 1;
	item->parent = b->top;
	*ret = item;
	if (!b->top) {
		b->c->root = &item->node;
		return RC_OK;
	}
	if (b->top->node.type == CONF_MAP && !b->key) {
		if (type != CONF_STRING)
			return mark_err(b, ev->start_mark, "a key must be a plain string");
		b->key = &item->node;
		return RC_OK;
	}
	append_child(b, &item->node);
	return RC_OK;
}

static int on_scalar(struct builder *b, const yaml_event_t *ev)
{
	struct conf_item *item;
	int rc;

	if (ev->data.scalar.anchor)
		return mark_err(b, ev->start_mark, "anchors and aliases are not allowed");
	if (ev->data.scalar.tag)
		return mark_err(b, ev->start_mark, "tags are not allowed");
	rc = add_node(b, ev, CONF_STRING, &item);
	if (rc < 0)
		return rc;
	item->node.quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	item->block = ev->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
		      ev->data.scalar.style == YAML_FOLDED_SCALAR_STYLE;
	item->node.text = span_make(arena_strndup(b->c->arena, (const char *)ev->data.scalar.value,
						  ev->data.scalar.length),
				    ev->data.scalar.length);
	return RC_OK;
}

static int on_open(struct builder *b, const yaml_event_t *ev, enum conf_type type,
		   const void *anchor, const void *tag)
{
	struct conf_item *item;
	int rc;

	if (anchor)
		return mark_err(b, ev->start_mark, "anchors and aliases are not allowed");
	if (tag)
		return mark_err(b, ev->start_mark, "tags are not allowed");
	if (++b->depth > LIMIT_YAML_DEPTH)
		return mark_err(b, ev->start_mark, "nested too deep");
	rc = add_node(b, ev, type, &item);
	if (rc < 0)
		return rc;
	b->top = item;
	return RC_OK;
}

static int on_close(struct builder *b)
{
	struct conf_item *item = b->top;
	int rc = item->node.type == CONF_MAP ? check_duplicates(b, item) : RC_OK;

	b->depth--;
	b->top = item->parent;
	return rc;
}

static int on_event(struct builder *b, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return mark_err(b, ev->start_mark, "anchors and aliases are not allowed");
	case YAML_DOCUMENT_START_EVENT:
		if (b->documents++)
			return mark_err(b, ev->start_mark, "more than one document in this file");
		return RC_OK;
	case YAML_SCALAR_EVENT:
		return on_scalar(b, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(b, ev, CONF_LIST, ev->data.sequence_start.anchor,
			       ev->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return on_open(b, ev, CONF_MAP, ev->data.mapping_start.anchor,
			       ev->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_close(b);
	default:
		return RC_OK;
	}
}

static int parse_events(struct builder *b)
{
	yaml_parser_t parser;
	bool done = false;
	int rc = RC_OK;

	if (!yaml_parser_initialize(&parser))
		return err_set(b->err, RC_NOMEM, "out of memory");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)b->c->text, b->c->len);
	while (rc == RC_OK && !done) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&parser, &ev)) {
			rc = parser_err(b, &parser);
			break;
		}
		done = ev.type == YAML_STREAM_END_EVENT;
		rc = on_event(b, &ev);
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&parser);
	return rc;
}

int conf_parse(struct span text, const char *name, struct conf **ret, struct err *err)
{
	AUTO(conf) c = xcalloc(1, sizeof(*c));
	struct builder b = { .c = c, .err = err };
	int rc;

	c->arena = arena_new();
	c->name = xstrdup(name);
	if (text.len > LIMIT_YAML_FILE)
		return err_at(err, RC_SYNTAX, name, 1, 1, "the file is larger than %zu bytes",
			      LIMIT_YAML_FILE);
	c->text = xcalloc(1, text.len + 1);
	if (text.len)
		memcpy(c->text, text.p, text.len); /* it may hold NULs */
	c->len = text.len;
	rc = parse_events(&b);
	if (rc < 0)
		return rc;
	if (!c->root) {
		struct conf_item *empty = arena_alloc(c->arena, sizeof(*empty));

		empty->node = (struct conf_node){ .type = CONF_MAP, .line = 1, .col = 1 };
		c->root = &empty->node;
	}
	*ret = STEAL(c);
	return RC_OK;
}

int conf_read(const char *path, struct conf **ret, struct err *err)
{
	AUTO_BUF b = BUF_INIT;
	int rc = file_read(path, LIMIT_YAML_FILE, &b, err);

	if (rc == RC_TOOBIG)
		return err_at(err, RC_SYNTAX, path, 1, 1, "the file is larger than %zu bytes",
			      LIMIT_YAML_FILE);
	if (rc < 0)
		return rc;
	return conf_parse(buf_span(&b), path, ret, err);
}
