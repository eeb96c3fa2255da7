/* SPDX-License-Identifier: Apache-2.0 */
#include "dropin.h"

#include <stdio.h>
#include <stdlib.h>

/* date(1) is not run: strftime knows its formats but for %N. */

#define DATE_MAX 200

/* %N is nanoseconds, %3N their first three digits; the rest is left to strftime. */
static void add_nanoseconds(const char *format, long ns, struct buf *ret)
{
	char digits[10];

	snprintf(digits, sizeof(digits), "%09ld", ns);
	for (const char *p = format; *p; p++) {
		if (p[0] == '%' && p[1] == 'N') {
			buf_add_str(ret, digits);
			p++;
		} else if (p[0] == '%' && p[1] >= '1' && p[1] <= '9' && p[2] == 'N') {
			buf_add(ret, digits, (size_t)(p[1] - '0'));
			p += 2;
		} else if (p[0] == '%' && p[1]) {
			buf_add(ret, p++, 2);
		} else {
			buf_add_char(ret, *p);
		}
	}
}

/* Takes a word off; quotes around a whole one, as in '-u "+%F %T"', are not part of it. */
static struct span next_word(struct span *text)
{
	struct span word;
	size_t n = 0;

	*text = span_trim(*text);
	while (n < text->len && text->p[n] != ' ' && text->p[n] != '\t')
		n++;
	/* the format is the last word, blanks and all */
	if (text->len && *text->p == '+')
		n = text->len;
	word = span_sub(*text, 0, n);
	*text = span_sub(*text, n, text->len);
	return word;
}

static int parse(const char *options, bool *ret_utc, char **ret_format, struct err *err)
{
	struct span rest = span_str(options), word;
	bool first = true;

	*ret_utc = false;
	*ret_format = NULL;
	for (word = next_word(&rest); word.len; word = next_word(&rest), first = false) {
		if (first && (span_eq_str(word, "date") || span_eq_str(word, "gdate")))
			continue;
		if (span_eq_str(word, "-u") || span_eq_str(word, "--utc") ||
		    span_eq_str(word, "--universal")) {
			*ret_utc = true;
		} else if (*word.p == '+') {
			*ret_format = xstrndup(word.p + 1, word.len - 1);
			return RC_OK;
		} else {
			return err_set(err, RC_USAGE,
				       "of date's options only -u and +FORMAT are understood");
		}
	}
	return err_set(err, RC_USAGE, "the date needs a +FORMAT");
}

void dropin_plain_name(char *text)
{
	for (; *text; text++)
		if (*text == ':' || *text == '/' || (unsigned char)*text <= ' ')
			*text = '-';
}

int dropin_date(const char *options, struct timespec when, char **ret, struct err *err)
{
	AUTO_FREE char *format = NULL;
	AUTO_BUF plain = BUF_INIT;
	char text[DATE_MAX];
	struct tm tm;
	bool utc;
	size_t n;
	int rc = parse(options, &utc, &format, err);

	if (rc < 0)
		return rc;
	add_nanoseconds(format, when.tv_nsec, &plain);
	if (utc)
		gmtime_r(&when.tv_sec, &tm);
	else
		localtime_r(&when.tv_sec, &tm);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"	/* the format is the user's */
	n = plain.p ? strftime(text, sizeof(text), plain.p, &tm) : 0;
#pragma GCC diagnostic pop
	if (n == 0)
		return err_set(err, RC_USAGE, "the date's format gives nothing, or too much");
	dropin_plain_name(text);
	*ret = xstrndup(text, n);
	return RC_OK;
}
