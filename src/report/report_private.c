/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <stdlib.h>

/* The private page: what a person should look at before the package goes out, with its places.
   Lines are those of the scrubbed texts, which have the line numbers of the originals. */

/* Where the lines of one text begin. Made when an item first asks for it. */
struct line_index {
	uint64_t *starts;
	size_t n, cap;
	bool made;
};

static void index_lines(struct line_index *x, struct span text)
{
	if (x->made)
		return;
	x->made = true;
	for (size_t at = 0; at < text.len;) {
		const char *nl = memchr(text.p + at, '\n', text.len - at);

		GROW(x->starts, x->n, x->cap);
		x->starts[x->n++] = at;
		at = nl ? (size_t)(nl - text.p) + 1 : text.len;
	}
}

static bool find_line(const struct report_account *a, struct line_index *indexes,
		      const struct report_item *item, struct span *ret)
{
	for (size_t i = 0; i < a->n_texts; i++) {
		struct span text = scrubbed_text(a->texts[i]);
		struct line_index *x = &indexes[i];
		size_t end;

		if (strcmp(scrubbed_name(a->texts[i]), item->file) != 0)
			continue;
		index_lines(x, text);
		if (item->line == 0 || item->line > x->n)
			return false;
		end = item->line < x->n ? x->starts[item->line] - 1 : text.len;
		*ret = span_sub(text, x->starts[item->line - 1], end);
		return true;
	}
	return false;
}

/* The line around a column, cut to what helps. Columns count bytes of the original, so in a line
   with tokens they are near, not exact. */
static void add_context(struct buf *ret, struct span line, uint64_t col)
{
	size_t from = 0;
	struct span shown;

	if (line.len > LIMIT_PAGE_CONTEXT && col > LIMIT_PAGE_CONTEXT / 2)
		from = col - LIMIT_PAGE_CONTEXT / 2;
	if (from > 0 && from > line.len - LIMIT_PAGE_CONTEXT)
		from = line.len - LIMIT_PAGE_CONTEXT;
	shown = span_sub(line, from, from + LIMIT_PAGE_CONTEXT);
	buf_add_str(ret, from > 0 ? "<code><b>…</b>" : "<code>");
	report_html_marked(ret, from > 0 ? shown : span_trim(shown));
	buf_add_str(ret, from + shown.len < line.len ? "<b>…</b></code>" : "</code>");
}

static void add_item(struct buf *ret, const struct report_account *a, struct line_index *indexes,
		     const struct report_item *item)
{
	struct span line;

	buf_add_str(ret, "<li><p>");
	report_html_str(ret, item->what);
	buf_add_str(ret, "<small>");
	report_html_str(ret, item->file);
	if (item->line)
		buf_addf(ret, ", line %llu, column %llu", (unsigned long long)item->line,
			 (unsigned long long)item->col);
	buf_add_str(ret, "</small></p>");
	if (find_line(a, indexes, item, &line))
		add_context(ret, line, item->col);
	buf_add_str(ret, "</li>\n");
}

static void add_items(struct buf *ret, const struct report_account *a, struct line_index *indexes,
		      const struct report_item *items, size_t n, bool open)
{
	const char *id = open ? "open" : "hints";
	uint64_t all = open ? a->open : a->hints, listed = 0;

	buf_addf(ret, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s (", id, id,
		 open ? "Open items" : "Hints");
	report_html_number(ret, all);
	buf_add_str(ret, ")</h2>\n");
	if (all == 0) {
		buf_add_str(ret, "<p>None.</p>\n</section>\n");
		return;
	}
	buf_add_str(ret, !open ? "<p>These hold nothing back, and may be harmless. Have a look.</p>\n" :
			 a->open_accepted ? "<p>They were let pass.</p>\n" :
					    "<p>Until somebody has decided on these (<code>corescrub "
					    "review</code>), there is no package.</p>\n");
	buf_add_str(ret, "<ol class=\"items\">\n");
	for (size_t i = 0; i < n; i++) {
		if (items[i].open != open)
			continue;
		add_item(ret, a, indexes, &items[i]);
		listed++;
	}
	buf_add_str(ret, "</ol>\n");
	if (all > listed) {
		buf_add_str(ret, "<p>Not listed: ");
		report_html_number(ret, all - listed);
		buf_add_str(ret, " more.</p>\n");
	}
	buf_add_str(ret, "</section>\n");
}

int report_private_page(const struct report_account *a, const struct report_item *items, size_t n,
			struct buf *ret, struct err *err)
{
	AUTO_FREE struct line_index *indexes = xcalloc(a->n_texts + 1, sizeof(*indexes));

	(void)err;
	report_html_begin(
		ret, "Private: look here before you publish",
		"<strong>Keep this page to yourself.</strong> It points at places where something "
		"was left, and it is not in the package.");
	report_html_figures(ret, a);
	add_items(ret, a, indexes, items, n, true);
	add_items(ret, a, indexes, items, n, false);
	report_html_rows(ret, a);
	report_html_facts(ret, a);
	report_html_end(ret);
	report_private_data(ret, a, items, n);
	for (size_t i = 0; i < a->n_texts; i++)
		free(indexes[i].starts);
	return RC_OK;
}
