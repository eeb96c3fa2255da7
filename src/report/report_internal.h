/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORT_INTERNAL_H
#define REPORT_INTERNAL_H

#include <corescrub/report.h>

#define MANIFEST_SCHEMA "corescrub-manifest-1"

/* One character of text that claims to be UTF-8 (RFC 3629): its length and code point, or length 1
   and REPORT_INVALID for a byte that is not part of one. s is not empty. */
#define REPORT_INVALID UINT32_MAX
size_t report_char(struct span s, uint32_t *ret_point);
/* Would it change how the text around it looks, or not be seen: controls, bidi marks, zero
   widths? */
bool report_char_is_hidden(uint32_t point);

/* `rows` sorted by kind, then rule; the caller frees the array. */
struct report_row *report_sorted_rows(const struct report_account *a);
/* The name of a row's kind; constant text. */
const char *report_row_kind(const struct report_row *row);
/* The table for a terminal. */
void report_table_text(const struct report_account *a, struct buf *ret);
/* RFC 3339, in UTC. */
void report_time(int64_t seconds, char ret[32]);

/* HTML. Everything that is not written by us goes through one of the first two. */
void report_html_text(struct buf *ret, struct span text);
void report_html_str(struct buf *ret, const char *s);
void report_html_marked(struct buf *ret, struct span text);	/* sound tokens marked by kind */
void report_html_number(struct buf *ret, uint64_t n);		/* 1,234 */
/* The head with the policy that lets nothing in but the style, up to <main>; and the end. */
void report_html_begin(struct buf *ret, const char *title, const char *lead);
void report_html_end(struct buf *ret);
extern const char report_style[];

/* A text's lines with numbers; all of them, or those with tokens and their neighbours. room: bytes
   of HTML it may take, reduced by what it took. Gives the last line shown; those with tokens up to
   it have ids "l<number>-<line>". */
uint64_t report_html_lines(struct buf *ret, struct span text, size_t number, size_t *room);
/* Beside a text: where in it tokens stand, as a drawing whose marks lead to lines up to `shown`. */
void report_html_rail(struct buf *ret, struct span text, size_t number, uint64_t shown);
/* The tokens and where they stand; shown[i]: the last line that the page has of text i. */
void report_html_tokens(struct buf *ret, const struct report_account *a, const uint64_t *shown);
/* "s", "p" or "n": the class that gives a kind its colour. */
const char *report_html_class(enum kind kind);
/* How many sound tokens stand in text. */
uint64_t report_count_tokens(struct span text);

/* Where tokens stand, by kind, the most frequent first. The account must outlive it. */
struct report_stand {
	size_t text;			/* index into the account's texts */
	uint64_t line, count;		/* the first there, and how often */
	size_t next;			/* of the same token, + 1; 0: none */
};
struct report_token {
	struct span text;
	enum kind kind;
	const char *rule;		/* or NULL */
	uint64_t count;
	size_t first, last;		/* into stands, + 1 */
};
struct report_tokens {
	struct report_token *v;
	size_t n;
	struct report_stand *stands;
	size_t n_stands;
};
void report_tokens_make(const struct report_account *a, struct report_tokens *ret);
void report_tokens_done(struct report_tokens *t);

/* A JSON string; what is no UTF-8 is U+FFFD. */
struct json_t *report_json_text(struct span s);
/* In hex; null for zeros. */
struct json_t *report_json_digest(const uint8_t digest[DIGEST_LEN]);
/* Appends root (taken) and a line end; ASCII. */
int report_json_dump(struct json_t *root, size_t flags, struct buf *ret, struct err *err);
/* The private page's end, for review. */
#define REPORT_DATA_HEAD "corescrub-review 1"
void report_private_data(struct buf *ret, const struct report_account *a,
			 const struct report_item *items, size_t n);

/* Sections that both pages have. */
void report_html_figures(struct buf *ret, const struct report_account *a);
void report_html_facts(struct buf *ret, const struct report_account *a);
void report_html_rows(struct buf *ret, const struct report_account *a);

#endif
