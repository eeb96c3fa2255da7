/* SPDX-License-Identifier: Apache-2.0 */
#include "redact_internal.h"

static void add_line_ends(struct buf *ret, struct span src)
{
	const char *p = src.p, *end = src.p + src.len;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		if (p > src.p && p[-1] == '\r')
			buf_add_char(ret, '\r');
		buf_add_char(ret, '\n');
		p++;
	}
}

static void add_constant(struct buf *ret, enum kind kind)
{
	char text[VALUE_TOKEN_MAX];

	buf_add(ret, text, value_token_constant(kind, text));
}

/* Text that means something inside of quotes would break them. */
static bool is_harmless(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\'' || c == '\\' || c < 0x20 || c >= 0x7f)
			return false;
	}
	return true;
}

/* The constant and the value's last bytes, if that tells less than half of it. */
static bool add_keep_last(struct buf *ret, enum kind kind, unsigned keep, struct span src)
{
	struct span last = span_sub(src, src.len < keep ? 0 : src.len - keep, src.len);

	add_constant(ret, kind);
	if (src.len < 2 * (size_t)keep || keep == 0 || !is_harmless(last))
		return false;
	buf_add_span(ret, last);
	return true;
}

bool edit_text(const struct redactor *r, struct span text, const struct cluster *c,
	       const struct piece *winner, const struct finding_rule *rule, struct buf *ret)
{
	struct span src = span_make(text.p + c->off, c->end - c->off);
	const struct token *t = winner->token == NO_TOKEN ? NULL : &r->tokens[winner->token];
	enum kind kind = t ? (enum kind)t->kind : rule->kind;
	enum action action = c->masked || !t ? ACTION_MASK : rule->action;
	bool soft = false;

	if (c->quotes & FINDING_QUOTE_OPEN)
		buf_add_char(ret, '"');
	/* what is kept or put for one value says nothing of a longer stretch */
	if (action == ACTION_KEEP_LAST &&
	    (winner->f.len != src.len || winner->f.form != FORM_PLAIN))
		action = ACTION_MASK;
	if (action == ACTION_REPLACE && (!rule->replace || !is_harmless(span_str(rule->replace))))
		action = ACTION_MASK;
	switch (action) {
	case ACTION_TOKEN:
		buf_add(ret, t->text, t->len);
		break;
	case ACTION_MASK:
		add_constant(ret, kind);
		break;
	case ACTION_DROP:
		soft = true;	/* its neighbours meet */
		break;
	case ACTION_KEEP_LAST:
		soft = add_keep_last(ret, kind, rule->keep_last, src);
		break;
	case ACTION_REPLACE:
		buf_add_str(ret, rule->replace);
		soft = true;
		break;
	}
	if (c->quotes & FINDING_QUOTE_CLOSE)
		buf_add_char(ret, '"');
	add_line_ends(ret, src);
	return soft;
}
