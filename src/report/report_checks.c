/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <jansson.h>
#include <stdlib.h>

/* What doctor found, for the person at this machine: unlike the rest here it names local files. */

static const char *const verdict_names[] = { "good", "note", "poor", "useless" };

/* Paths stand in it: what would turn text around, or not be seen, is shown as an escape. */
static void add_shown(struct buf *b, const char *s)
{
	struct span all = span_str(s);

	for (size_t i = 0; i < all.len;) {
		uint32_t point;
		size_t n = report_char(span_sub(all, i, all.len), &point);

		if (point != REPORT_INVALID && !report_char_is_hidden(point)) {
			buf_add(b, all.p + i, n);
		} else {
			for (size_t k = 0; k < n; k++)
				buf_addf(b, "\\%03o", (unsigned char)all.p[i + k]);
		}
		i += n;
	}
}

static size_t count(const struct report_check *v, size_t n, enum report_grade verdict)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += v[i].verdict == verdict;
	return found;
}

static const char *sum_up(const struct report_check *v, size_t n)
{
	if (count(v, n, REPORT_USELESS))
		return "a report would be useless, or there would be none";
	if (count(v, n, REPORT_POOR))
		return "a report would be poorer than it could be";
	return "fit for a useful report";
}

static void checks_text(const struct report_check *v, size_t n, struct buf *ret)
{
	/* the worst first, in the order in which they were looked at */
	for (int verdict = REPORT_USELESS; verdict >= REPORT_GOOD; verdict--)
		for (size_t i = 0; i < n; i++) {
			if (v[i].verdict != (enum report_grade)verdict)
				continue;
			buf_addf(ret, "%-8s %-16s ", verdict_names[verdict], v[i].id);
			add_shown(ret, v[i].found);
			buf_add_char(ret, '\n');
			if (!v[i].todo)
				continue;
			buf_addf(ret, "%-25s do: ", "");
			add_shown(ret, v[i].todo);
			buf_add_char(ret, '\n');
		}
	buf_addf(ret, "\n%s\n", sum_up(v, n));
}

static void checks_json(const struct report_check *v, size_t n, struct buf *ret)
{
	json_t *root = json_object(), *list = json_array();
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < n; i++) {
		json_t *row = json_object();
		AUTO_BUF found = BUF_INIT, todo = BUF_INIT;

		add_shown(&found, v[i].found);
		json_object_set_new(row, "id", json_string(v[i].id));
		json_object_set_new(row, "verdict", json_string(verdict_names[v[i].verdict]));
		json_object_set_new(row, "found", json_stringn(found.p, found.len));
		if (v[i].todo) {
			add_shown(&todo, v[i].todo);
			json_object_set_new(row, "do", json_stringn(todo.p, todo.len));
		}
		json_array_append_new(list, row);
	}
	json_object_set_new(root, "useful", json_boolean(!count(v, n, REPORT_USELESS)));
	json_object_set_new(root, "checks", list);
	text = json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	json_decref(root);
	buf_addf(ret, "%s\n", text ? text : "{}");
}

void report_checks(const struct report_check *v, size_t n, bool json, struct buf *ret)
{
	if (json)
		checks_json(v, n, ret);
	else
		checks_text(v, n, ret);
}
