/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

/*
 * Configs of lines: Asterisk's .conf ([section](template), key => value, ; and ;-- --; comments),
 * ini, environment files (export KEY="value"), key: value. What a line is can be told without
 * knowing which of them the file is. Asterisk: doc/configuration.txt of its sources.
 */

/* Does an Asterisk comment begin at i? `\;` is a semicolon, and one in a word is part of it. */
static bool comment_at(struct span line, size_t i)
{
	char before = i ? line.p[i - 1] : ' ';

	if (line.p[i] == ';')
		return before != '\\';
	return line.p[i] == '#' && (before == ' ' || before == '\t');
}

/* The value as the program gets it: without the comment behind it, its quotes, \; undone. */
static void value_read(struct span s, bool with_comment, struct buf *ret)
{
	size_t end = s.len;

	buf_reset(ret);
	for (size_t i = 0; !with_comment && i < s.len; i++) {
		if (comment_at(s, i)) {
			end = i;
			break;
		}
	}
	s = span_trim(span_sub(s, 0, end));
	if (s.len >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.len - 1] == s.p[0])
		s = span_sub(s, 1, s.len - 1);
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] != '\\' || i + 1 >= s.len || s.p[i + 1] != ';')
			buf_add_char(ret, s.p[i]);
}

/* Programs differ on whether `;` and `#` end a value: both readings are learned. Some take quotes
   as part of it, but what is between them is then found too. */
static int pair(struct config_reader *r, struct span key, struct span value)
{
	AUTO_BUF b = BUF_INIT;
	int rc;
	size_t n;

	value_read(value, false, &b);
	rc = learn_pair(r, key, buf_span(&b));
	n = b.len;
	value_read(value, true, &b);
	if (rc == RC_OK && b.len != n && !memchr(b.p, ' ', b.len) && !memchr(b.p, '\t', b.len))
		rc = learn_pair(r, key, buf_span(&b));
	return rc;
}

static bool key_char(char c)
{
	return is_word(c) || c == '.' || c == '-' || c == '/' || c == '@';
}

static int line_read(struct config_reader *r, struct span line)
{
	size_t end, at;
	struct span key;

	if (span_starts(line, SPAN_LIT("export ")))
		line = span_trim(span_sub(line, 7, line.len));
	/* yaml's list items; a quoted key */
	if (span_starts(line, SPAN_LIT("- ")))
		line = span_trim(span_sub(line, 2, line.len));
	if (line.len && (line.p[0] == '"' || line.p[0] == '\''))
		line = span_sub(line, 1, line.len);
	for (end = 0; end < line.len && key_char(line.p[end]); end++)
		;
	key = span_sub(line, 0, end);
	if (key.len == 0)
		return RC_OK;
	for (at = end; at < line.len && (line.p[at] == ' ' || line.p[at] == '"' || line.p[at] == '\'' ||
					 line.p[at] == '\t' || line.p[at] == '+'); at++)
		;
	if (at >= line.len || (line.p[at] != '=' && line.p[at] != ':'))
		return RC_OK;
	at++;
	if (at < line.len && line.p[at - 1] == '=' && line.p[at] == '>')
		at++;
	return pair(r, key, span_sub(line, at, line.len));
}

/* [name], [name](!), [name](template): what stands behind a template is a section of its own. */
static bool section_read(struct span line, struct span *ret)
{
	const char *end;

	if (line.len < 2 || line.p[0] != '[')
		return false;
	end = memchr(line.p, ']', line.len);
	if (!end)
		return false;
	*ret = span_make(line.p + 1, (size_t)(end - line.p - 1));
	return true;
}

int learn_read_lines(struct config_reader *r, struct span text)
{
	unsigned comment = 0;		/* ;-- nests */
	size_t at = 0;
	int rc = RC_OK;

	while (at < text.len && rc == RC_OK) {
		const char *nl = memchr(text.p + at, '\n', text.len - at);
		size_t end = nl ? (size_t)(nl - text.p) : text.len;
		struct span line = span_trim(span_sub(text, at, end)), name;

		at = end + 1;
		if (span_starts(line, SPAN_LIT(";--")) && !span_starts(line, SPAN_LIT(";---"))) {
			comment += span_find(line, SPAN_LIT("--;"), 3) < 0;
			continue;
		}
		if (comment) {
			comment -= span_find(line, SPAN_LIT("--;"), 0) >= 0;
			continue;
		}
		if (line.len == 0 || line.p[0] == ';' || line.p[0] == '#')
			continue;
		if (section_read(line, &name))
			rc = learn_section(r, name);
		else
			rc = line_read(r, line);
	}
	return rc;
}
