/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

/* A text's lines as HTML. A long text is shown by its lines with tokens and two around each; what
   is not shown is counted, and said. */

#define AROUND 2

struct lines {
	struct buf *ret;
	size_t text;			/* the number in the lines' ids */
	size_t end;			/* ret may grow to this */
	bool all;
	uint64_t number, shown;		/* lines begin with 1; the last one shown */
	unsigned after;			/* lines still to show behind a token */
	struct span before[AROUND];	/* the lines just before, oldest first */
	uint64_t no_room;		/* lines that should have been shown */
};

static void show_line(struct lines *l, uint64_t number, struct span line, bool has_token)
{
	struct span head = span_sub(line, 0, LIMIT_PAGE_LINE);

	if (l->ret->len > l->end) {
		l->no_room++;
		return;
	}
	if (number > l->shown + 1) {
		buf_add_str(l->ret, "<b>… ");
		report_html_number(l->ret, number - l->shown - 1);
		buf_add_str(l->ret, " lines without a token</b>\n");
	}
	l->shown = number;
	if (has_token)
		buf_addf(l->ret, "<u id=l%zu-%llu>%llu</u>", l->text, (unsigned long long)number,
			 (unsigned long long)number);
	else
		buf_addf(l->ret, "<u>%llu</u>", (unsigned long long)number);
	report_html_marked(l->ret, head);
	if (head.len < line.len) {
		buf_add_str(l->ret, "<b>… ");
		report_html_number(l->ret, line.len - head.len);
		buf_add_str(l->ret, " more bytes in this line</b>");
	}
	buf_add_char(l->ret, '\n');
}

static void take_line(struct lines *l, struct span line)
{
	enum kind kind;
	size_t at = 0;
	bool has_token = value_token_next(line, &at, &kind) > 0;

	l->number++;
	if (l->all || has_token) {
		for (unsigned i = 0; !l->all && i < AROUND; i++)
			if (l->number > AROUND - i && l->number - (AROUND - i) > l->shown)
				show_line(l, l->number - (AROUND - i), l->before[i], false);
		show_line(l, l->number, line, has_token);
		l->after = AROUND;
	} else if (l->after > 0) {
		l->after--;
		show_line(l, l->number, line, false);
	}
	memmove(l->before, l->before + 1, sizeof(l->before) - sizeof(l->before[0]));
	l->before[AROUND - 1] = line;
}

static void end_lines(struct lines *l)
{
	if (l->no_room > 0) {
		buf_add_str(l->ret, "<b>… ");
		report_html_number(l->ret, l->no_room);
		buf_add_str(l->ret, l->all ? " more lines" : " more lines with tokens or near them");
		buf_add_str(l->ret, " are not shown: see the file itself</b>\n");
	} else if (l->number > l->shown) {
		buf_add_str(l->ret, "<b>… ");
		report_html_number(l->ret, l->number - l->shown);
		buf_add_str(l->ret, " lines without a token</b>\n");
	}
}

uint64_t report_html_lines(struct buf *ret, struct span text, size_t number, size_t *room)
{
	size_t start = ret->len, may = *room < LIMIT_PAGE_TEXT ? *room : LIMIT_PAGE_TEXT;
	struct lines l = { .ret = ret, .text = number, .end = start + may,
			   .all = text.len <= LIMIT_PAGE_WHOLE };

	for (size_t at = 0; at < text.len;) {
		const char *nl = memchr(text.p + at, '\n', text.len - at);
		size_t end = nl ? (size_t)(nl - text.p) : text.len;

		take_line(&l, span_sub(text, at, end));
		at = end + 1;
	}
	end_lines(&l);
	*room -= ret->len - start < *room ? ret->len - start : *room;
	return l.shown;
}
