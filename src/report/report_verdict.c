/* SPDX-License-Identifier: Apache-2.0 */
#include "report_jansson.h"

#include <corescrub/manifest.h>

static json_t *problem_value(const struct report_problem *p)
{
	json_t *o = json_object();

	json_object_set_new(o, "level", json_string(p->level));
	json_object_set_new(o, "file", report_json_text(span_str(p->file)));
	json_object_set_new(o, "line", json_integer((json_int_t)p->line));
	json_object_set_new(o, "column", json_integer((json_int_t)p->col));
	json_object_set_new(o, "rule", json_string(p->rule));
	json_object_set_new(o, "kind", *p->kind ? json_string(p->kind) : json_null());
	json_object_set_new(o, "what", json_string(p->what));
	return o;
}

int report_verdict(const struct report_verdict *r, struct buf *ret, struct err *err)
{
	json_t *root = json_object(), *findings = json_array(), *notes = json_array();

	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(findings, problem_value(&r->v[i]));
	for (const char *const *p = r->notes; p && *p; p++)
		json_array_append_new(notes, report_json_text(span_str(*p)));
	json_object_set_new(root, "files", json_integer((json_int_t)r->files));
	json_object_set_new(root, "leaks", json_integer((json_int_t)r->leaks));
	json_object_set_new(root, "changes", json_integer((json_int_t)r->changes));
	json_object_set_new(root, "hints", json_integer((json_int_t)r->hints));
	json_object_set_new(root, "findings", findings);
	json_object_set_new(root, "notes", notes);
	return report_json_dump(root, JSON_INDENT(2), ret, err);
}
