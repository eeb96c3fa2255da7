/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <corescrub/bt.h>

#include <stdlib.h>

/* `rules explain`: what the reader saw at a place and which rule acted. Shows values: for the eyes
   of whoever has the file anyway. */

struct place {
	const struct artifact *a;
	uint64_t from, to;	/* the line, without its end; or one byte where a column was given */
};

static int find_place(const struct artifact *a, unsigned line, unsigned col, struct place *ret,
		      struct err *err)
{
	const char *p = a->text.p, *end = p + a->text.len, *nl;

	for (unsigned i = 1; i < line; i++) {
		p = p < end ? memchr(p, '\n', end - p) : NULL;
		if (!p)
			return err_set(err, RC_NOTFOUND, "%s has no line %u", a->name, line);
		p++;
	}
	nl = p < end ? memchr(p, '\n', end - p) : NULL;
	*ret = (struct place){ a, p - a->text.p, (nl ? nl : end) - a->text.p };
	if (col && col > ret->to - ret->from)
		return err_set(err, RC_NOTFOUND, "line %u of %s has no column %u", line, a->name, col);
	if (col) {
		ret->from += col - 1;
		ret->to = ret->from + 1;
	}
	return RC_OK;
}

/* Bytes as gdb would print them, cut at 200. */
static void add_shown(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.len && i < 200; i++) {
		unsigned char c = s.p[i];

		if (c == '\\' || c == '"')
			buf_addf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			buf_addf(out, "\\%03o", c);
		else
			buf_add_char(out, c);
	}
	if (s.len > 200)
		buf_add_str(out, "…");
}

static bool touches(const struct place *p, uint64_t off, uint64_t len)
{
	return off < p->to && off + len > p->from;
}

static const char *type_name(enum bt_type type)
{
	static const char *const names[] = { "string", "integer", "array", "other", "struct", "frame" };

	return names[type];
}

static void add_value(struct buf *out, const struct bt_value *v)
{
	if (v->frame)
		buf_addf(out, "thread %u, frame #%u, function %.*s\n", v->frame->thread,
			 v->frame->number, (int)v->frame->function.len, v->frame->function.p);
	if (v->type == BT_FRAME)
		return;
	buf_addf(out, "  %s %.*s: %s", v->is_arg ? "argument" : "variable", (int)v->path.len, v->path.p,
		 type_name(v->type));
	if (v->type == BT_STRING) {
		buf_addf(out, " of %zu bytes%s: \"", v->decoded.len, v->cut ? ", cut by gdb" : "");
		add_shown(out, v->decoded);
		buf_add_char(out, '"');
		if (v->slen >= 0)
			buf_addf(out, ", of which %lld count", (long long)v->slen);
	} else if (v->type == BT_INTEGER) {
		buf_addf(out, ": %llu", (unsigned long long)v->integer);
	}
	buf_add_char(out, '\n');
}

static int explain_values(const struct place *p, struct buf *out, struct err *err)
{
	AUTO(bt) b = NULL;
	AUTO(bt_cursor) cursor = NULL;
	const struct bt_value *v;
	bool any = false;
	int rc;

	if (!bt_probe(p->a->text)) {
		buf_add_str(out, "no gdb output: read as text\n");
		return RC_OK;
	}
	rc = bt_parse(p->a->text, &b, err);
	if (rc < 0)
		return rc;
	cursor = bt_cursor_new(b);
	bt_cursor_seek(cursor, p->from);
	while ((v = bt_next(cursor)) && (v->off < p->to || v->type == BT_GROUP)) {
		if (v->type != BT_GROUP && touches(p, v->off, v->len)) {
			add_value(out, v);
			any = true;
		}
	}
	if (!any)
		buf_add_str(out, "no value of gdb's stands here: read as text\n");
	return RC_OK;
}

static const char *outcome(const struct finding *f)
{
	if (f->flags & FINDING_PREEXISTING)
		return "a token that was there, stays";
	if (f->flags & FINDING_HELD)
		return "held back, an open item";
	if (f->flags & FINDING_HINT)
		return "a hint, stays";
	return f->flags & FINDING_LIMIT ? "an engine limit, masked" : "goes";
}

static int explain_findings(struct engine *e, const struct place *p, struct buf *out,
			    struct err *err)
{
	const struct finding_rule *rules;
	struct findings found;
	uint64_t shown = 0;
	size_t n;
	int rc;

	rules = detector_rules(e->detector, &n);
	findings_init(&found, rules, n);
	rc = detect_text(e->detector, p->a, 0, p->a->text.len, &found, err);
	for (size_t i = 0; rc == RC_OK && i < found.n; i++) {
		const struct finding *f = &found.v[i];

		if (!touches(p, f->off, f->len))
			continue;
		buf_addf(out, "rule %s (%s): %u bytes: %s\n", rules[f->rule].id,
			 value_kind_name(f->kind), f->len, outcome(f));
		shown++;
	}
	if (rc == RC_OK && !shown)
		buf_add_str(out, "no rule acts here: none matches, or its validator or exception keeps it\n");
	findings_done(&found);
	return rc;
}

int run_explain(const struct run_options *o, const char *path, unsigned line, unsigned col,
		struct buf *ret, struct err *err)
{
	AUTO(engine) e = NULL;
	AUTO(artifact) a = artifact_new(path, ARTIFACT_TEXT);
	struct place place = { 0 };
	int rc = mapping_open_path(path, &a->map, err);

	if (rc < 0)
		return rc;
	a->text = mapping_span(a->map);
	rc = find_place(a, line, col, &place, err);
	if (rc == RC_OK)
		rc = engine_new(o, false, &e, err);
	if (rc == RC_OK)
		rc = engine_learn(e, a, err);
	if (rc == RC_OK)
		rc = engine_count(e, a, err);
	if (rc == RC_OK)
		rc = engine_seal(e, err);
	if (rc == RC_OK)
		rc = explain_values(&place, ret, err);
	return rc == RC_OK ? explain_findings(e, &place, ret, err) : rc;
}
