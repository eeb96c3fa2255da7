/* SPDX-License-Identifier: Apache-2.0 */
#include "review_internal.h"

#include <stdlib.h>

/* "Redact also": what, and what it is. */

#define WORDS_MOST 9		/* of a line, to pick from by one digit */
#define WORDS_BEFORE 40		/* bytes before what is in question */
#define SHORTEST 3		/* shorter texts stand everywhere */

bool ask_line(const struct walk *w, const char *prompt, struct buf *ret)
{
	struct span line;

	buf_reset(ret);
	if (!w->job->terminal.read(w->job->terminal.ctx, prompt, ret))
		return false;
	if (ret->len == 0) {
		buf_add_str(ret, "");
		return true;
	}
	line = span_trim(buf_span(ret));
	memmove(ret->p, line.p, line.len);
	ret->len = line.len;
	ret->p[ret->len] = '\0';
	return true;
}

static bool is_word_byte(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80 ||
	       memchr("_-.@+", c, 5) != NULL;
}

/* The words of a line from a little before col on; no tokens, no pointers. */
static size_t find_words(struct span line, size_t col, struct span words[WORDS_MOST])
{
	size_t n = 0, at = col < line.len ? col : 0, len;
	enum kind kind;

	at = at > WORDS_BEFORE ? at - WORDS_BEFORE : 0;
	while (at > 0 && is_word_byte((unsigned char)line.p[at - 1]))
		at--;
	while (at < line.len && n < WORDS_MOST) {
		size_t end = at;

		len = line.p[at] == '[' ? value_token_at(span_sub(line, at, line.len), &kind) : 0;
		if (len) {
			at += len;
			continue;
		}
		while (end < line.len && is_word_byte((unsigned char)line.p[end]))
			end++;
		if (end - at >= SHORTEST && !span_starts(span_sub(line, at, end), SPAN_LIT("0x")))
			words[n++] = span_sub(line, at, end);
		at = end > at ? end : at + 1;
	}
	return n;
}

static size_t show_words(const struct walk *w, struct span words[WORDS_MOST])
{
	const struct review_text *t;
	AUTO_BUF out = BUF_INIT;
	uint64_t number;
	struct span line;
	size_t col, n;

	if (!step_line(w, &line, &t, &number, &col))
		return 0;
	n = find_words(line, col, words);
	for (size_t i = 0; i < n; i++) {
		buf_addf(&out, "  %zu  ", i + 1);
		show_bytes(&out, span_sub(words[i], 0, 60));
		buf_add_char(&out, '\n');
	}
	if (n)
		w->job->terminal.write(w->job->terminal.ctx, buf_span(&out));
	return n;
}

static bool has_token(struct span s)
{
	enum kind kind;
	size_t at = 0;

	return value_token_next(s, &at, &kind) > 0;
}

static bool ask_kind(const struct walk *w, enum kind *ret)
{
	AUTO_BUF answer = BUF_INIT;

	for (;;) {
		if (!ask_line(w, "what is it (name, host, phone, account, secret, ...) [name]? ", &answer))
			return false;
		if (answer.len == 0) {
			*ret = KIND_NAME;
			return true;
		}
		if (value_kind_parse(buf_span(&answer), ret))
			return true;
		show_text(w, "There is no such kind; corescrub rules list shows them.\n");
	}
}

static void show_count(const struct walk *w, struct span text)
{
	AUTO_BUF out = BUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < w->job->n_texts; i++)
		for (ssize_t at = 0; (at = span_find(w->job->texts[i].text, text, (size_t)at)) >= 0;
		     at += (ssize_t)text.len)
			n++;
	buf_addf(&out, "It stands %zu times in these texts as it is, and will go in every spelling.\n", n);
	w->job->terminal.write(w->job->terminal.ctx, buf_span(&out));
}

/* Turns the answer into a decision; gives what is wrong with it, or NULL. */
static const char *read_answer(const struct walk *w, struct buf *answer, struct decision *one,
			       struct err *why)
{
	one->verb = DECISION_REDACT;
	one->what = answer->p;
	if (answer->len > 2 && answer->p[0] == '/' && answer->p[answer->len - 1] == '/') {
		answer->p[--answer->len] = '\0';
		one->verb = DECISION_PATTERN;
		one->what = answer->p + 1;
		return w->job->check_pattern(one->what, why) < 0 ? why->msg : NULL;
	}
	if (answer->len < SHORTEST)
		return "Shorter than three bytes, that would hit everywhere.";
	if (has_token(buf_span(answer)))
		return "A token holds nothing that could go.";
	return NULL;
}

int ask_redact(struct walk *w, struct err *err)
{
	struct span words[WORDS_MOST];
	size_t n = show_words(w, words);
	AUTO_BUF answer = BUF_INIT;
	struct decision one = { 0 };
	struct err why = ERR_INIT;
	const char *wrong;
	int rc;

	if (!ask_line(w, n ? "a text, /a pattern/, or a word's number: " : "a text, or /a pattern/: ",
		      &answer) || answer.len == 0)
		return 0;
	if (answer.len == 1 && answer.p[0] >= '1' && (size_t)(answer.p[0] - '0') <= n) {
		struct span word = words[answer.p[0] - '1'];

		buf_reset(&answer);
		buf_add_span(&answer, word);
	}
	wrong = memchr(answer.p, '\0', answer.len) ? "That holds a NUL." :
						     read_answer(w, &answer, &one, &why);
	if (wrong) {
		show_text(w, wrong);
		show_text(w, "\n");
		return 0;
	}
	if (!ask_kind(w, &one.kind))
		return 0;
	rc = decisions_add(w->job->decisions, &one, err);
	if (rc == RC_FORMAT) {
		show_text(w, "That is no UTF-8, and can't be kept.\n");
		return 0;
	}
	if (rc == RC_OK && one.verb == DECISION_REDACT)
		show_count(w, span_str(one.what));
	return rc < 0 ? rc : 1;
}
