/* SPDX-License-Identifier: Apache-2.0 */
#include "dropin.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * ast_debug_tools.conf was sourced by a shell, as root, from where anybody may have put it. Here it
 * is read: assignments of words and of lists of words, quotes, $(hostname), comments. Nothing else
 * is done, and what is not understood is named.
 */

struct reader {
	struct dropin *d;
	struct span text;
	size_t at;
	unsigned line;		/* of `at` */
	const char *path;
	const char *why;	/* what is wrong with the statement */
};

static int peek(const struct reader *r)
{
	return r->at < r->text.len ? (unsigned char)r->text.p[r->at] : -1;
}

static int peek_next(const struct reader *r)
{
	return r->at + 1 < r->text.len ? (unsigned char)r->text.p[r->at + 1] : -1;
}

static int take(struct reader *r)
{
	int c = peek(r);

	r->at += c >= 0;
	r->line += c == '\n';
	return c;
}

static bool fail(struct reader *r, const char *why)
{
	r->why = why;
	return false;
}

/* Over blanks and joined lines; over line ends and comments too where `lines`. */
static void skip_blanks(struct reader *r, bool lines)
{
	for (;;) {
		int c = peek(r);

		if (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n')) {
			take(r);
		} else if (c == '\\' && peek_next(r) == '\n') {
			take(r);
			take(r);
		} else if (c == '#') {
			while (peek(r) >= 0 && peek(r) != '\n')
				take(r);
		} else {
			return;
		}
	}
}

static bool take_literal(struct reader *r, const char *text)
{
	if (!span_starts(span_sub(r->text, r->at, r->text.len), span_str(text)))
		return false;
	r->at += strlen(text);
	return true;
}

/* A byte of a word that means itself. In a pattern it must not mean more. */
static void add_quoted(struct buf *word, bool pattern, int c)
{
	if (pattern && strchr("*?[]\\()|+@!", c))
		buf_add_char(word, '\\');
	buf_add_char(word, (char)c);
}

static bool take_dollar(struct reader *r, bool pattern, struct buf *word)
{
	char host[256] = "";

	if (!take_literal(r, "$(hostname)") && !take_literal(r, "${HOSTNAME}") &&
	    !(take_literal(r, "$HOSTNAME") && !isalnum(peek(r)) && peek(r) != '_'))
		return fail(r, "of all that begins with $, only $(hostname) is understood");
	gethostname(host, sizeof(host) - 1);
	for (const char *p = host; *p; p++)
		add_quoted(word, pattern, *p);
	return true;
}

static bool take_quotes(struct reader *r, bool pattern, struct buf *word)
{
	int quote = take(r);

	while (peek(r) >= 0 && peek(r) != quote) {
		int c = peek(r);

		if (quote == '"' && c == '$') {
			if (!take_dollar(r, pattern, word))
				return false;
			continue;
		}
		if (quote == '"' && c == '`')
			return fail(r, "commands are not run");
		take(r);
		if (quote == '"' && c == '\\' && peek(r) >= 0 && strchr("\"\\$`\n", peek(r)))
			c = take(r);
		if (c != '\n' || quote == '\'')
			add_quoted(word, pattern, c);
	}
	return take(r) == quote || fail(r, "a quote is not closed");
}

static bool ends_word(int c)
{
	return c < 0 || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A byte outside of quotes; depth counts the groups of an extended pattern. */
static bool take_bare(struct reader *r, bool pattern, unsigned *depth, struct buf *word)
{
	int c = peek(r);

	if (c == '(' && pattern && word->len && strchr("?*+@!", word->p[word->len - 1]))
		++*depth;
	else if (c == ')' && *depth)
		--*depth;
	else if (c == '`')
		return fail(r, "commands are not run");
	else if (strchr(";&<>", c) || (c == '|' && !*depth))
		return fail(r, "commands are not run: only assignments are read");
	else if (strchr("(){}~", c))
		return fail(r, "a bracket, a brace or ~ outside of quotes is not understood");
	buf_add_char(word, (char)take(r));
	return true;
}

/* A word, up to a blank, a line's end, or the ')' of a list. False: r->why says what is wrong. */
static bool take_word(struct reader *r, bool pattern, struct buf *word)
{
	unsigned depth = 0;

	while (!ends_word(peek(r)) && !(pattern && depth == 0 && peek(r) == ')')) {
		int c = peek(r);
		bool good = true;

		if (c == '\'' || c == '"') {
			good = take_quotes(r, pattern, word);
		} else if (c == '$') {
			good = take_dollar(r, pattern, word);
		} else if (c == '\\') {
			take(r);
			c = take(r);
			if (c >= 0 && c != '\n')
				add_quoted(word, pattern, c);
		} else {
			good = take_bare(r, pattern, &depth, word);
		}
		if (!good)
			return false;
	}
	return depth == 0 || fail(r, "a bracket is not closed");
}

static bool take_list(struct reader *r, struct strings *ret)
{
	take(r);
	for (skip_blanks(r, true); peek(r) >= 0 && peek(r) != ')'; skip_blanks(r, true)) {
		AUTO_BUF word = BUF_INIT;

		if (!take_word(r, true, &word))
			return false;
		strings_add(ret, word.p ? buf_steal(&word) : xstrdup(""));
	}
	return take(r) == ')' || fail(r, "a list is not closed");
}

/* Behind a statement only a comment may stand. */
static bool take_end(struct reader *r)
{
	skip_blanks(r, false);
	return peek(r) < 0 || peek(r) == '\n' ||
	       fail(r, "commands are not run: only assignments are read");
}

static struct span take_name(struct reader *r)
{
	size_t from = r->at;

	while (isalnum(peek(r)) || peek(r) == '_')
		take(r);
	return span_sub(r->text, from, r->at);
}

static bool is_known(struct span name)
{
	static const char *const texts[] = { "COREDUMPS", "OUTPUTDIR", "DATEOPTS", "DATEFORMAT",
					     "ASTERISK_BIN", "LIBDIR", "MODDIR", "ETCDIR", "GDB" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (span_eq_str(name, texts[i]))
			return true;
	return dropin_find_switch(name) >= 0;
}

static void warn_at(const struct reader *r, unsigned line, const char *why)
{
	AUTO_FREE char *text = xasprintf("%s:%u: %s", r->path, line, why);

	message_warn(text);
}

/* COREDUMPS=(…); a nearer file's list counts. Other lists are for other tools. */
static void assign_list(struct reader *r, struct span name, bool add, struct strings *list)
{
	struct dropin *d = r->d;

	if (!span_eq_str(name, "COREDUMPS") || d->has_patterns)
		return;
	if (!add)
		strings_done(&d->patterns);
	for (size_t i = 0; i < list->n; i++)
		strings_add(&d->patterns, xstrdup(list->v[i]));
}

static int assign(struct reader *r, unsigned line, struct span name, struct span value,
		  struct err *err)
{
	struct err e = ERR_INIT;

	if (span_eq_str(name, "GDB")) {
		warn_at(r, line, "what runs is not taken from this file: use --gdb or corescrub.yaml");
		return RC_OK;
	}
	if (!dropin_set(r->d, name, value, &e) && !span_starts(name, SPAN_LIT("LOG")))
		warn_at(r, line, "a variable that nobody knows");
	return e.code < 0 ? err_at(err, e.code, r->path, line, 1, "%s", e.msg) : RC_OK;
}

/* NAME=word, NAME=(words), NAME+=(words); also behind export or declare. */
static bool take_statement(struct reader *r, struct span *ret_name, int *ret_rc, struct err *err)
{
	unsigned line = r->line;
	struct strings list = { 0 };
	AUTO_BUF word = BUF_INIT;
	bool good, add, is_list;

	if (take_literal(r, "export ") || take_literal(r, "declare -a ") || take_literal(r, "declare "))
		skip_blanks(r, false);
	*ret_name = take_name(r);
	add = take_literal(r, "+=");
	if (ret_name->len == 0 || (!add && !take_literal(r, "=")))
		return fail(r, "this is no assignment, and commands are not run");
	is_list = peek(r) == '(' || span_eq_str(*ret_name, "COREDUMPS");
	good = peek(r) == '(' ? take_list(r, &list) : take_word(r, is_list, &word);
	good = good && take_end(r);
	if (is_list && word.p)
		strings_add(&list, buf_steal(&word));
	if (good && is_list)
		assign_list(r, *ret_name, add, &list);
	else if (good)
		*ret_rc = assign(r, line, *ret_name, word.p ? buf_span(&word) : SPAN_LIT(""), err);
	strings_done(&list);
	return good;
}

/* A line that no config needs, or a NUL: then it is something else. */
static const char *strange(struct span text, unsigned *ret_line)
{
	size_t from = 0;

	for (*ret_line = 1; from < text.len; ++*ret_line) {
		size_t end = span_line_end(text, from);

		if (end - from > LIMIT_SHELL_LINE)
			return "the line is too long: the file is not read";
		if (memchr(text.p + from, '\0', end - from))
			return "there is a NUL byte: the file is not read";
		from = end;
	}
	return NULL;
}

int dropin_config_text(struct dropin *d, struct span text, const char *path, struct err *err)
{
	struct reader r = { .d = d, .text = text, .line = 1, .path = path };
	unsigned line;
	const char *why = strange(text, &line);

	if (why) {
		warn_at(&r, line, why);
		return RC_OK;
	}
	for (skip_blanks(&r, true); peek(&r) >= 0; skip_blanks(&r, true)) {
		struct span name = { 0 };
		int rc = RC_OK;

		line = r.line;
		if (!take_statement(&r, &name, &rc, err)) {
			if (peek(&r) >= 0)
				line = r.line;	/* where it was; what is not closed is named by its start */
			if (is_known(name))
				return err_at(err, RC_SYNTAX, path, line, 1, "%s", r.why);
			warn_at(&r, line, r.why);
			r.at = span_line_end(text, r.at);
			r.line += r.at > 0 && text.p[r.at - 1] == '\n';
		}
		if (rc < 0)
			return rc;
	}
	d->has_patterns = d->patterns.n > 0;
	return RC_OK;
}

/* Reads one file if it is there and trusted; says why if it isn't. */
static int read_file(struct dropin *d, const char *path, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	AUTO(mapping) map = NULL;
	AUTO_FREE char *text = NULL;
	struct err why = ERR_INIT;
	struct stat st;
	int rc = RC_OK;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return RC_OK;
	if (fd < 0 && errno == ELOOP)
		rc = err_set(&why, RC_REFUSED, "%s is a link", path);
	else if (fd < 0)
		rc = err_errno(&why, RC_IO, "can't open %s", path);
	if (rc == RC_OK)
		rc = file_check_trusted(fd, path, false, &why);
	if (rc == RC_OK && fstat(fd, &st) == 0 && (uint64_t)st.st_size > LIMIT_SHELL_CONFIG)
		rc = err_set(&why, RC_TOOBIG, "%s is too large", path);
	if (rc == RC_OK)
		rc = mapping_open(fd, path, &map, &why);
	if (rc == RC_OK)
		return dropin_config_text(d, mapping_span(map), path, err);
	text = xasprintf("%s; it is not read", why.msg);
	message_warn(text);
	return RC_OK;
}

int dropin_config(struct dropin *d, struct err *err)
{
	/* root's own home, whatever sudo left in HOME */
	const struct passwd *me = getpwuid(geteuid());
	AUTO_FREE char *home = me ? xasprintf("%s/ast_debug_tools.conf", me->pw_dir) : NULL;
	const char *const paths[] = { "./ast_debug_tools.conf", home,
				      "/etc/asterisk/ast_debug_tools.conf" };
	int rc = RC_OK;

	/* the nearest first: what is said is not said again */
	for (size_t i = 0; rc == RC_OK && i < ARRAY_SIZE(paths); i++)
		if (paths[i])
			rc = read_file(d, paths[i], err);
	return rc;
}
