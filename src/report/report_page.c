/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <corescrub/archive.h>

#include <stdlib.h>

/* review.html: what is in the package and what was replaced, for a person. One file, no script. */

static void add_fact(struct buf *ret, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_addf(ret, "<div><dt>%s</dt><dd>", name);
	report_html_str(ret, value);
	buf_add_str(ret, "</dd></div>\n");
}

static void add_list_fact(struct buf *ret, const char *name, const char *const *v)
{
	if (!v || !*v)
		return;
	buf_addf(ret, "<div><dt>%s</dt><dd>", name);
	for (size_t i = 0; v[i]; i++) {
		buf_add_str(ret, i ? ", " : "");
		report_html_str(ret, v[i]);
	}
	buf_add_str(ret, "</dd></div>\n");
}

/* The digests are long, and for comparing: small. */
static void add_hex_fact(struct buf *ret, const char *name, const char *hex)
{
	if (!hex || !*hex)
		return;
	buf_addf(ret, "<div><dt>%s</dt><dd class=\"hex\">", name);
	report_html_str(ret, hex);
	buf_add_str(ret, "</dd></div>\n");
}

static void add_digest_fact(struct buf *ret, const char *name, const uint8_t digest[DIGEST_LEN])
{
	static const uint8_t none[DIGEST_LEN];
	char hex[2 * DIGEST_LEN + 1];

	digest_hex(digest, DIGEST_LEN, hex);
	if (memcmp(digest, none, DIGEST_LEN) != 0)
		add_hex_fact(ret, name, hex);
}

void report_html_facts(struct buf *ret, const struct report_account *a)
{
	static const uint8_t none[DIGEST_LEN];
	AUTO_BUF threads = BUF_INIT;
	char created[32];

	report_time(a->created, created);
	if (a->threads)
		report_html_number(&threads, a->threads);
	buf_add_str(
		ret,
		"<section aria-labelledby=\"facts\">\n<h2 id=\"facts\">About this report</h2>\n<dl>\n");
	add_fact(ret, "Case", a->case_name);
	add_fact(ret, "Signal", a->signal);
	add_fact(ret, "Threads", threads.p);
	add_fact(ret, "Created", created);
	add_fact(ret, "Policy", a->policy);
	add_fact(ret, "Core inside", a->mode);
	add_fact(ret, "Made by", a->tool);
	add_list_fact(ret, "Recipients", a->recipients);
	add_list_fact(ret, "Confinement lacked", a->confinement);
	add_digest_fact(ret, "Decisions’ SHA-256", a->decisions ? a->decisions->sha256 : none);
	add_hex_fact(ret, "Program’s build id", a->build_id);
	add_digest_fact(ret, "Crash fingerprint", a->fingerprint);
	add_hex_fact(ret, "Rules’ SHA-256", a->ruleset);
	buf_add_str(ret, "</dl>\n</section>\n");
}

static void add_row(struct buf *ret, const struct report_row *row)
{
	const char *severity = value_severity_name(row->rule->severity);

	buf_addf(ret, "<tr><td><mark class=%s>%s</mark></td><td class=\"wrap\">",
		 report_html_class(row->rule->kind), report_row_kind(row));
	report_html_str(ret, row->rule->id);
	if (row->rule->summary && *row->rule->summary) {
		buf_add_str(ret, "<small>");
		report_html_str(ret, row->rule->summary);
		buf_add_str(ret, "</small>");
	}
	buf_addf(ret, "</td><td class=\"sev %s\">%s</td><td class=\"num\">", severity, severity);
	report_html_number(ret, row->count);
	buf_add_str(ret, "</td><td class=\"num\">");
	report_html_number(ret, row->distinct);
	buf_add_str(ret, "</td></tr>\n");
}

void report_html_rows(struct buf *ret, const struct report_account *a)
{
	AUTO_FREE struct report_row *rows = report_sorted_rows(a);
	uint64_t count = 0;

	buf_add_str(ret,
		    "<section aria-labelledby=\"rows\">\n<h2 id=\"rows\">What was replaced</h2>\n");
	if (a->n_rows == 0) {
		buf_add_str(ret, "<p>Nothing was found to replace.</p>\n</section>\n");
		return;
	}
	buf_add_str(
		ret,
		"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"rows\">\n"
		"<table>\n<thead><tr><th scope=\"col\">Kind</th><th scope=\"col\">Rule</th>"
		"<th scope=\"col\" class=\"sev\">Severity</th><th scope=\"col\" class=\"num\">Count</th>"
		"<th scope=\"col\" class=\"num\">Distinct</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < a->n_rows; i++) {
		add_row(ret, &rows[i]);
		count += rows[i].count;
	}
	buf_add_str(ret, "</tbody>\n<tfoot><tr><th scope=\"row\" colspan=\"2\">All</th>"
			 "<td class=\"sev\"></td><td class=\"num\">");
	report_html_number(ret, count);
	buf_add_str(ret, "</td><td></td></tr></tfoot>\n</table>\n</div>\n");
	if (a->preexisting) {
		buf_add_str(ret, "<p>Tokens that stood in the input already: ");
		report_html_number(ret, a->preexisting);
		buf_add_str(ret, ".</p>\n");
	}
	buf_add_str(ret, "</section>\n");
}

/* The number of the text that is this file, plus one; 0 if the page shows none. */
static size_t text_of_file(const struct report_account *a, const struct report_file *f)
{
	for (size_t i = 0; i < a->n_texts; i++)
		if (strcmp(scrubbed_name(a->texts[i]), f->path) == 0)
			return i + 1;
	return 0;
}

static void add_file_row(struct buf *ret, const struct report_account *a,
			 const struct report_file *f)
{
	char hex[2 * DIGEST_LEN + 1];
	size_t text = text_of_file(a, f);

	digest_hex(f->sha256, DIGEST_LEN, hex);
	buf_add_str(ret, "<tr><td class=\"wrap\">");
	if (text)
		buf_addf(ret, "<a href=\"#text-%zu\">", text);
	report_html_str(ret, f->path);
	buf_addf(ret, "%s<small class=\"hex\">%s</small></td><td>", text ? "</a>" : "", hex);
	report_html_str(ret, f->kind);
	buf_add_str(ret, "</td><td class=\"num\">");
	report_html_number(ret, f->size);
	buf_add_str(ret, "</td></tr>\n");
}

static void add_files(struct buf *ret, const struct report_account *a)
{
	if (a->n_files == 0)
		return;
	buf_add_str(
		ret,
		"<section aria-labelledby=\"files\">\n"
		"<h2 id=\"files\">What is in the package</h2>\n"
		"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"files\">\n"
		"<table>\n<thead><tr><th scope=\"col\">File and its SHA-256</th>"
		"<th scope=\"col\">Kind</th><th scope=\"col\" class=\"num\">Bytes</th></tr>"
		"</thead>\n<tbody>\n");
	for (size_t i = 0; i < a->n_files; i++)
		add_file_row(ret, a, &a->files[i]);
	buf_add_str(
		ret,
		"</tbody>\n</table>\n</div>\n<p>Beside them: this page, and "
		"<code>manifest.json</code>, which says the same for programs.</p>\n</section>\n");
}

static uint64_t count_lines(struct span text)
{
	uint64_t n = 0;

	for (size_t at = 0; at < text.len; n++) {
		const char *nl = memchr(text.p + at, '\n', text.len - at);

		at = nl ? (size_t)(nl - text.p) + 1 : text.len;
	}
	return n;
}

/* Gives the last line shown. */
static uint64_t add_text(struct buf *ret, const struct scrubbed *s, size_t number, size_t *room)
{
	struct span text = scrubbed_text(s);
	uint64_t shown;

	if (archive_probe_bytes(text) != ARCHIVE_PLAIN) {
		buf_addf(ret, "<p id=\"text-%zu\"><code>", number);
		report_html_str(ret, scrubbed_name(s));
		buf_add_str(ret, "</code> is compressed or an archive; what it holds was scrubbed, and "
				 "is not shown here.</p>\n");
		return 0;
	}
	buf_addf(ret, "<details id=\"text-%zu\"%s>\n<summary><h3>", number,
		 number == 1 ? " open" : "");
	report_html_str(ret, scrubbed_name(s));
	buf_add_str(ret, "</h3> <span>");
	report_html_number(ret, count_lines(text));
	buf_add_str(ret, " lines, ");
	report_html_number(ret, report_count_tokens(text));
	buf_add_str(ret, " tokens</span></summary>\n");
	if (text.len > LIMIT_PAGE_WHOLE)
		buf_add_str(ret,
			    "<p>Long, so only its lines with tokens are here, with those around "
			    "them. The file in the package is whole.</p>\n");
	buf_addf(ret, "<div class=text><pre tabindex=\"0\" role=\"region\" aria-label=\"text %zu\">",
		 number);
	shown = report_html_lines(ret, text, number, room);
	buf_add_str(ret, "</pre>\n");
	report_html_rail(ret, text, number, shown);
	buf_add_str(ret, "</div>\n</details>\n");
	return shown;
}

static void add_texts(struct buf *ret, const struct report_account *a, uint64_t *shown)
{
	size_t room = LIMIT_PAGE;

	if (a->n_texts == 0)
		return;
	buf_add_str(ret,
		    "<section aria-labelledby=\"texts\">\n<h2 id=\"texts\">The texts</h2>\n"
		    "<p>A token such as <code>[phone~…]</code> stands where a value stood. Marked are "
		    "<mark class=s>secrets</mark>, <mark class=p>people</mark>, "
		    "<mark class=n>machines</mark>; the rail on the right shows where in a text they "
		    "are. Characters that can’t be seen are shown <i>like this</i>.</p>\n");
	for (size_t i = 0; i < a->n_texts; i++)
		shown[i] = add_text(ret, a->texts[i], i + 1, &room);
	buf_add_str(ret, "</section>\n");
}

static void add_figure(struct buf *ret, const char *name, uint64_t n, bool warns)
{
	buf_addf(ret, "<div%s><dt>%s</dt><dd>", warns ? " class=warns" : "", name);
	report_html_number(ret, n);
	buf_add_str(ret, "</dd></div>\n");
}

/* What somebody in a hurry wants to know. */
void report_html_figures(struct buf *ret, const struct report_account *a)
{
	uint64_t count = 0;

	for (size_t i = 0; i < a->n_rows; i++)
		count += a->rows[i].count;
	buf_add_str(ret, "<dl class=figures>\n");
	add_figure(ret, count == 1 ? "value replaced" : "values replaced", count, false);
	add_figure(ret, a->n_rows == 1 ? "rule acted" : "rules acted", a->n_rows, false);
	if (a->decisions)
		add_figure(ret, "kept by decision", a->decisions->keep, a->decisions->keep > 0);
	if (a->decisions)
		add_figure(ret, "added by decision", a->decisions->redact, false);
	add_figure(ret, a->open_accepted ? "open items, accepted" : "open items", a->open, a->open > 0);
	buf_add_str(ret, "</dl>\n");
}

static void add_contents(struct buf *ret, const struct report_account *a)
{
	buf_add_str(ret, "<nav aria-label=Contents>");
	if (a->n_files)
		buf_add_str(ret, "<a href=\"#files\">What is in the package</a> ");
	buf_add_str(ret, "<a href=\"#rows\">What was replaced</a> ");
	if (a->n_rows && a->n_texts)
		buf_add_str(ret, "<a href=\"#tokens\">Tokens</a> ");
	if (a->n_texts)
		buf_add_str(ret, "<a href=\"#texts\">The texts</a> ");
	buf_add_str(ret, "<a href=\"#facts\">About this report</a></nav>\n");
}

int report_page(const struct report_account *a, struct buf *ret, struct err *err)
{
	AUTO_FREE uint64_t *shown = xcalloc(a->n_texts + 1, sizeof(*shown));
	AUTO_BUF texts = BUF_INIT;

	(void)err;
	/* the tokens' places lead into the texts below them, as far as those are shown */
	add_texts(&texts, a, shown);
	report_html_begin(ret, "Crash report, scrubbed",
			  "Read this before you publish the package: it shows what goes out. "
			  "Every value that a rule found was replaced; no rule finds everything.");
	report_html_figures(ret, a);
	add_contents(ret, a);
	add_files(ret, a);
	report_html_rows(ret, a);
	report_html_tokens(ret, a, shown);
	buf_add_span(ret, buf_span(&texts));
	report_html_facts(ret, a);
	report_html_end(ret);
	return RC_OK;
}
