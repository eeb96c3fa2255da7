/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

/* Each token with where it stands, folded by kind. */

/* What a text is called here: "full" is enough where there is one of it. */
static const char *short_name(const struct report_account *a, size_t text)
{
	const char *name = scrubbed_name(a->texts[text]), *found = NULL;

	for (size_t i = 0; i < a->n_files; i++)
		if (strcmp(a->files[i].path, name) == 0)
			found = a->files[i].kind;
	return found && strcmp(found, "attachment") != 0 ? found : name;
}

/* One text: a link to the first line there, and how often. */
static void add_stand(struct buf *ret, const struct report_account *a, const struct report_stand *s,
		      const uint64_t *shown)
{
	bool linked = s->line <= shown[s->text];

	if (linked)
		buf_addf(ret, "<a href=\"#l%zu-%llu\">", s->text + 1, (unsigned long long)s->line);
	report_html_str(ret, short_name(a, s->text));
	buf_add_char(ret, ':');
	buf_addf(ret, "%llu%s", (unsigned long long)s->line, linked ? "</a>" : "");
	if (s->count > 1) {
		buf_add_str(ret, " <span>and ");
		report_html_number(ret, s->count - 1);
		buf_add_str(ret, " more</span>");
	}
}

static void add_token(struct buf *ret, const struct report_account *a,
		      const struct report_tokens *t, const struct report_token *one,
		      const uint64_t *shown)
{
	buf_addf(ret, "<tr><td><mark class=%s>", report_html_class(one->kind));
	report_html_text(ret, one->text);
	buf_add_str(ret, "</mark>");
	if (one->rule) {
		buf_add_str(ret, "<small>");
		report_html_str(ret, one->rule);
		buf_add_str(ret, "</small>");
	}
	buf_add_str(ret, "</td><td class=num>");
	report_html_number(ret, one->count);
	buf_add_str(ret, "</td><td class=wrap><ul>");
	for (size_t at = one->first; at; at = t->stands[at - 1].next) {
		buf_add_str(ret, "<li>");
		add_stand(ret, a, &t->stands[at - 1], shown);
		buf_add_str(ret, "</li>");
	}
	buf_add_str(ret, "</ul></td></tr>\n");
}

static void begin_kind(struct buf *ret, enum kind kind, size_t n)
{
	buf_addf(ret, "<details>\n<summary><h3><mark class=%s>%s</mark></h3> <span>",
		 report_html_class(kind), value_kind_name(kind));
	report_html_number(ret, n);
	buf_addf(ret, " token%s</span></summary>\n<div class=scroll tabindex=0 role=region "
		 "aria-label=\"tokens of kind %s\">\n<table>\n<thead><tr><th scope=col>Token and rule</th>"
		 "<th scope=col class=num>Times</th><th scope=col>Where</th></tr></thead>\n<tbody>\n",
		 n == 1 ? "" : "s", value_kind_name(kind));
}

void report_html_tokens(struct buf *ret, const struct report_account *a, const uint64_t *shown)
{
	struct report_tokens t;
	size_t listed = 0;

	report_tokens_make(a, &t);
	if (t.n)
		buf_add_str(ret, "<section aria-labelledby=tokens>\n<h2 id=tokens>Tokens</h2>\n"
				 "<p>Equal values have equal tokens in this report, so a call can still be "
				 "followed.</p>\n");
	for (size_t i = 0, next; i < t.n && listed < LIMIT_PAGE_TOKENS; i = next) {
		for (next = i; next < t.n && t.v[next].kind == t.v[i].kind; next++)
			;
		begin_kind(ret, t.v[i].kind, next - i);
		for (size_t k = i; k < next && listed < LIMIT_PAGE_TOKENS; k++, listed++)
			add_token(ret, a, &t, &t.v[k], shown);
		buf_add_str(ret, "</tbody>\n</table>\n</div>\n</details>\n");
	}
	if (t.n > listed) {
		buf_add_str(ret, "<p>");
		report_html_number(ret, t.n - listed);
		buf_add_str(ret, " more tokens are not listed; they stand in the texts.</p>\n");
	}
	if (t.n)
		buf_add_str(ret, "</section>\n");
	report_tokens_done(&t);
}
