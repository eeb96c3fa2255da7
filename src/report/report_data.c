/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <jansson.h>
#include <stdlib.h>

/*
 * What `review` reads of the private page: a comment at its end, a line of JSON for each item and
 * each token (doc/formats.md). ASCII, and without '>', so that nothing in it ends the comment.
 */

/* Takes root. */
static void add_line(struct buf *ret, json_t *root)
{
	char *text = json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(root);
	for (const char *p = text; p && *p; p++) {
		if (*p == '>')
			buf_add_str(ret, "\\u003e");
		else
			buf_add_char(ret, *p);
	}
	if (text)
		buf_add_char(ret, '\n');
	free(text);
}

static void add_items(struct buf *ret, const struct report_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_t *root = json_object();

		json_object_set_new(root, "item", json_string(items[i].open ? "open" : "hint"));
		json_object_set_new(root, "what", report_json_text(span_str(items[i].what)));
		json_object_set_new(root, "file", report_json_text(span_str(items[i].file)));
		json_object_set_new(root, "line", json_integer((json_int_t)items[i].line));
		json_object_set_new(root, "column", json_integer((json_int_t)items[i].col));
		add_line(ret, root);
	}
}

void report_private_data(struct buf *ret, const struct report_account *a,
			 const struct report_item *items, size_t n)
{
	struct report_tokens tokens;

	report_tokens_make(a, &tokens);
	buf_add_str(ret, "<!--" REPORT_DATA_HEAD "\n");
	add_items(ret, items, n);
	for (size_t i = 0; i < tokens.n && i < LIMIT_REVIEW_TOKENS; i++) {
		json_t *root;

		if (!tokens.v[i].rule)
			continue;
		root = json_object();
		json_object_set_new(root, "token", report_json_text(tokens.v[i].text));
		json_object_set_new(root, "rule", report_json_text(span_str(tokens.v[i].rule)));
		add_line(ret, root);
	}
	buf_add_str(ret, "-->\n");
	report_tokens_done(&tokens);
}
