/* SPDX-License-Identifier: Apache-2.0 */
#include "review_internal.h"

/* What the person sees. Plain lines: no cursor is moved, so that it can be scrolled back and
   logged. */

#define BOLD	"\033[1m"
#define DIM	"\033[2m"
#define MARK	"\033[7m"
#define PLAIN	"\033[0m"

/* Lines of the screen that are no context: three of the head, empty ones, the prompt. */
#define ROWS_TAKEN 9
#define AROUND_MOST 3

void show_bytes(struct buf *ret, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.p[i];

		if (c == '\t')
			buf_add_char(ret, ' ');
		else if (c < 0x20 || c >= 0x7f)
			buf_addf(ret, "\\%03o", c);
		else
			buf_add_char(ret, (char)c);
	}
}

static const char *style(const struct walk *w, const char *how)
{
	return w->job->terminal.color ? how : "";
}

void show_text(const struct walk *w, const char *text)
{
	w->job->terminal.write(w->job->terminal.ctx, span_str(text));
}

static size_t width(const struct walk *w)
{
	return w->job->terminal.columns < 40 ? 40 : w->job->terminal.columns;
}

bool step_line(const struct walk *w, struct span *ret_line, const struct review_text **ret_text,
	       uint64_t *ret_number, size_t *ret_col)
{
	const struct step *s = &w->steps[w->at];
	const struct review_text *t = NULL;
	uint64_t number = 1;
	size_t from = 0;

	for (size_t i = 0; s->item && i < w->job->n_texts; i++)
		if (strcmp(w->job->texts[i].name, s->item->file) == 0)
			t = &w->job->texts[i];
	if (!s->item)
		t = &w->job->texts[w->places[s->first + w->place].text];
	if (!t || (s->item && s->item->line == 0))
		return false;
	while (s->item ? number < s->item->line : true) {
		size_t end = span_line_end(t->text, from);

		if (s->item ? end >= t->text.len : end > w->places[s->first + w->place].off)
			break;
		from = end;
		number++;
	}
	if (s->item && number != s->item->line)
		return false;
	*ret_text = t;
	*ret_number = number;
	*ret_line = span_sub(t->text, from, span_line_end(t->text, from));
	*ret_col = s->item ? (size_t)(s->item->col ? s->item->col - 1 : 0) :
			     (size_t)w->places[s->first + w->place].off - from;
	return true;
}

/* A part of a line, escaped, its tokens bold and the one in question marked. */
static void add_part(const struct walk *w, struct buf *ret, struct span part, struct span marked)
{
	size_t from = 0, at = 0, len;
	enum kind kind;

	for (; (len = value_token_next(part, &at, &kind)); from = at += len) {
		struct span token = span_sub(part, at, at + len);

		show_bytes(ret, span_sub(part, from, at));
		buf_add_str(ret, style(w, marked.len && span_eq(token, marked) ? MARK : BOLD));
		show_bytes(ret, token);
		buf_add_str(ret, style(w, PLAIN));
	}
	show_bytes(ret, span_sub(part, from, part.len));
}

/* One line with its number, cut to the width around col. Escapes are four wide: it may be less. */
static void show_line(const struct walk *w, struct span line, uint64_t number, size_t col,
		      bool here, struct span marked)
{
	size_t room = width(w) - 12, from = 0, shown = 0, end;
	AUTO_BUF out = BUF_INIT;

	while (line.len && (line.p[line.len - 1] == '\n' || line.p[line.len - 1] == '\r'))
		line.len--;
	if (here && col > room * 2 / 3 && col < line.len)
		from = col - room / 3;
	for (end = from; end < line.len; end++) {
		unsigned char c = (unsigned char)line.p[end];

		shown += (c < 0x20 && c != '\t') || c >= 0x7f ? 4 : 1;
		if (shown > room)
			break;
	}
	buf_addf(&out, "%s%c%7llu%s %s", style(w, here ? BOLD : DIM), here ? '>' : ' ',
		 (unsigned long long)number, style(w, PLAIN), from ? ".." : "");
	add_part(w, &out, span_sub(line, from, end), marked);
	buf_add_str(&out, end < line.len ? "..\n" : "\n");
	w->job->terminal.write(w->job->terminal.ctx, buf_span(&out));
}

static void show_around(const struct walk *w, const struct review_text *t, struct span line,
			uint64_t number, size_t col, struct span marked)
{
	unsigned rows = w->job->terminal.rows;
	size_t around = rows > ROWS_TAKEN + 2 * AROUND_MOST ? AROUND_MOST :
			rows > ROWS_TAKEN + 2 ? (rows - ROWS_TAKEN) / 2 : 1;
	size_t from = (size_t)(line.p - t->text.p), at = from, before = 0;

	for (; before < around && at > 0; before++)
		at = span_line_start(t->text, at - 1);
	for (; before > 0; before--) {
		size_t end = span_line_end(t->text, at);

		show_line(w, span_sub(t->text, at, end), number - before, 0, false, marked);
		at = end;
	}
	show_line(w, line, number, col, true, marked);
	at = from + line.len;
	for (size_t i = 1; i <= around && at < t->text.len; i++) {
		size_t end = span_line_end(t->text, at);

		show_line(w, span_sub(t->text, at, end), number + i, 0, false, marked);
		at = end;
	}
}

static void add_head(const struct walk *w, const struct step *s, struct buf *ret)
{
	AUTO_BUF original = BUF_INIT;

	buf_add_str(ret, style(w, BOLD));
	if (s->item) {
		buf_add_str(ret, s->item->open ? "OPEN ITEM: " : "hint: ");
		show_bytes(ret, span_str(s->item->what));
		buf_addf(ret, "%s\n", style(w, PLAIN));
		return;
	}
	buf_addf(ret, "%s, ", value_kind_name(s->kind));
	show_bytes(ret, span_str(s->rule ? s->rule : "rule unknown"));
	buf_addf(ret, ": %.*s%s", (int)s->token.len, s->token.p, style(w, PLAIN));
	if (!memchr(s->token.p, '~', s->token.len))
		buf_add_str(ret, " (any value)");
	buf_add_char(ret, '\n');
	if (w->job->original && w->job->original(w->job->ctx, s->token, &original)) {
		struct span shown = span_sub(buf_span(&original), 0, width(w) / 2);

		buf_add_str(ret, "stood for: ");
		show_bytes(ret, shown);
		buf_add_char(ret, '\n');
	}
}

void show_step(const struct walk *w)
{
	const struct step *s = &w->steps[w->at];
	const struct review_text *t;
	AUTO_BUF head = BUF_INIT;
	uint64_t number;
	struct span line;
	size_t col;

	buf_add_char(&head, '\n');
	add_head(w, s, &head);
	if (!step_line(w, &line, &t, &number, &col)) {
		if (s->item) {
			buf_add_str(&head, "in ");
			show_bytes(&head, span_str(s->item->file));
			buf_add_char(&head, '\n');
		}
		w->job->terminal.write(w->job->terminal.ctx, buf_span(&head));
		return;
	}
	show_bytes(&head, span_str(t->name));
	buf_addf(&head, ":%llu", (unsigned long long)number);
	if (!s->item)
		buf_addf(&head, " (place %zu of %zu)", w->place + 1, s->n);
	buf_add_char(&head, '\n');
	w->job->terminal.write(w->job->terminal.ctx, buf_span(&head));
	show_around(w, t, line, number, col, s->item ? span_make("", 0) : s->token);
}
