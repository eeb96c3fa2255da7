/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define RAW_SIZE KIB(64)
#define LINES	 512 /* of armor decoded at a time */

enum state { STATE_NEW, STATE_BINARY, STATE_ARMOR, STATE_LAST_LINE, STATE_END };

struct age_source {
	int fd;
	const char *name;
	enum state state;
	bool eof;
	uint8_t raw[RAW_SIZE];	/* as read */
	size_t raw_pos, raw_len;
	uint8_t clear[LINES * AGE_ARMOR_BYTES];	/* without the armor */
	size_t clear_pos, clear_len;
};

struct age_source *age_source_new(int fd, const char *name)
{
	struct age_source *s = xcalloc(1, sizeof(*s));

	s->fd = fd;
	s->name = name;
	return s;
}

void age_source_free(struct age_source *s)
{
	free(s);
}

const char *age_source_name(const struct age_source *s)
{
	return s->name;
}

static int read_some(struct age_source *s, uint8_t *p, size_t n, size_t *ret_n, struct err *err)
{
	ssize_t got;

	do {
		got = read(s->fd, p, n);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_errno(err, RC_IO, "can't read %s", s->name);
	s->eof = got == 0;
	*ret_n = got;
	return RC_OK;
}

/* Has at least n raw bytes at hand, or all that are left. */
static int fill_raw(struct age_source *s, size_t n, struct err *err)
{
	while (!s->eof && s->raw_len - s->raw_pos < n) {
		size_t got;
		int rc;

		if (s->raw_pos) {
			memmove(s->raw, s->raw + s->raw_pos, s->raw_len - s->raw_pos);
			s->raw_len -= s->raw_pos;
			s->raw_pos = 0;
		}
		rc = read_some(s, s->raw + s->raw_len, RAW_SIZE - s->raw_len, &got, err);
		if (rc < 0)
			return rc;
		s->raw_len += got;
	}
	return RC_OK;
}

static int bad_armor(struct age_source *s, const char *what, struct err *err)
{
	return err_at(err, RC_FORMAT, s->name, 0, 0, "damaged armor: %s", what);
}

/* The next line of armor without its LF or CR LF; the last one may have none. It lives until the
   next call. False in *ret_is at the end. */
static int armor_line(struct age_source *s, struct span *ret, bool *ret_is, struct err *err)
{
	size_t longest = AGE_ARMOR_COLUMNS + 2, left;
	const uint8_t *start, *lf;
	int rc = fill_raw(s, longest, err);

	if (rc < 0)
		return rc;
	start = s->raw + s->raw_pos;
	left = s->raw_len - s->raw_pos;
	*ret_is = left > 0;
	lf = memchr(start, '\n', left < longest ? left : longest);
	if (!lf && left > AGE_ARMOR_COLUMNS)
		return bad_armor(s, "a line is too long", err);
	*ret = span_make((const char *)start, lf ? (size_t)(lf - start) : left);
	s->raw_pos += ret->len + (lf != NULL);
	if (lf && span_ends(*ret, SPAN_LIT("\r")))
		ret->len--;
	if (ret->len > AGE_ARMOR_COLUMNS)
		return bad_armor(s, "a line is too long", err);
	return RC_OK;
}

static bool is_blank(struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		if (!memchr(" \t\r", line.p[i], 3))
			return false;
	return true;
}

/* Passes over lines of nothing but white space; the first other one, or false at the end. */
static int skip_blank(struct age_source *s, struct span *ret, bool *ret_is, struct err *err)
{
	size_t blank = 0;

	for (;;) {
		int rc = armor_line(s, ret, ret_is, err);

		if (rc < 0)
			return rc;
		if (!*ret_is || !is_blank(*ret))
			return RC_OK;
		blank += ret->len + 1;
		if (blank > LIMIT_AGE_ARMOR_BLANK)
			return bad_armor(s, "too much white space", err);
	}
}

/* Binary files begin with the version line, armored ones with white space or a dash. */
static int start(struct age_source *s, struct err *err)
{
	struct span head, line;
	bool is;
	int rc = fill_raw(s, 1, err);

	if (rc < 0)
		return rc;
	head = span_make((char *)s->raw, s->raw_len);
	s->state = STATE_BINARY;
	if (head.len == 0 || !memchr("- \t\r\n", head.p[0], 5)) {
		if (head.len && head.p[0] != 'a' &&
		    span_find(head, SPAN_LIT(AGE_ARMOR_BEGIN), 0) > 0)
			return bad_armor(s, "bytes in front of it", err);
		return RC_OK;
	}
	rc = skip_blank(s, &line, &is, err);
	if (rc < 0)
		return rc;
	if (!is || !span_eq_str(line, AGE_ARMOR_BEGIN))
		return bad_armor(s, "its first line", err);
	s->state = STATE_ARMOR;
	return RC_OK;
}

static int end_armor(struct age_source *s, struct err *err)
{
	struct span line;
	bool is;
	int rc = skip_blank(s, &line, &is, err);

	if (rc < 0)
		return rc;
	if (is)
		return bad_armor(s, "bytes behind its end", err);
	s->state = STATE_END;
	return RC_OK;
}

/* Takes the armor off the next line. */
static int clear_line(struct age_source *s, struct err *err)
{
	struct span line;
	size_t n;
	bool is;
	int rc = armor_line(s, &line, &is, err);

	if (rc < 0)
		return rc;
	if (!is)
		return bad_armor(s, "it does not end", err);
	if (span_eq_str(line, AGE_ARMOR_END))
		return end_armor(s, err);
	if (s->state == STATE_LAST_LINE || line.len == 0)
		return bad_armor(s, "a line is short", err);
	if (!age_base64_decode(line, true, s->clear + s->clear_len, &n))
		return bad_armor(s, "its base64", err);
	if (n < AGE_ARMOR_BYTES)
		s->state = STATE_LAST_LINE;
	s->clear_len += n;
	return RC_OK;
}

static int fill_clear(struct age_source *s, struct err *err)
{
	int rc = RC_OK;

	s->clear_pos = s->clear_len = 0;
	while (rc == RC_OK && s->state != STATE_END &&
	       s->clear_len + AGE_ARMOR_BYTES <= sizeof(s->clear))
		rc = clear_line(s, err);
	return rc;
}

/* The bytes at hand, without armor; none at the end. */
static int window(struct age_source *s, struct span *ret, struct err *err)
{
	int rc = s->state == STATE_NEW ? start(s, err) : RC_OK;

	if (rc < 0)
		return rc;
	if (s->state == STATE_BINARY) {
		rc = fill_raw(s, 1, err);
		*ret = span_make((char *)s->raw + s->raw_pos, s->raw_len - s->raw_pos);
		return rc;
	}
	if (s->clear_pos == s->clear_len)
		rc = fill_clear(s, err);
	*ret = span_make((char *)s->clear + s->clear_pos, s->clear_len - s->clear_pos);
	return rc;
}

static void advance(struct age_source *s, size_t n)
{
	if (s->state == STATE_BINARY)
		s->raw_pos += n;
	else
		s->clear_pos += n;
}

int age_source_read(struct age_source *s, uint8_t *p, size_t n, size_t *ret_n, struct err *err)
{
	size_t done = 0;

	while (done < n) {
		struct span at = { NULL, 0 };
		size_t got;
		int rc;

		/* large reads go where they are wanted */
		if (s->state == STATE_BINARY && s->raw_pos == s->raw_len && !s->eof &&
		    n - done >= RAW_SIZE / 2) {
			rc = read_some(s, p + done, n - done, &got, err);
			if (rc < 0)
				return rc;
			done += got;
			continue;
		}
		rc = window(s, &at, err);
		if (rc < 0)
			return rc;
		if (at.len == 0)
			break;
		got = at.len < n - done ? at.len : n - done;
		memcpy(p + done, at.p, got);
		advance(s, got);
		done += got;
	}
	*ret_n = done;
	return RC_OK;
}

int age_source_line(struct age_source *s, struct buf *text, size_t max, struct err *err)
{
	for (;;) {
		struct span at = { NULL, 0 };
		ssize_t lf;
		size_t n;
		int rc = window(s, &at, err);

		if (rc < 0)
			return rc;
		if (at.len == 0)
			return err_at(err, RC_FORMAT, s->name, 0, 0, "damaged header: cut short");
		lf = span_find(at, SPAN_LIT("\n"), 0);
		n = lf < 0 ? at.len : (size_t)lf + 1;
		if (n > max - text->len)
			return err_at(err, RC_FORMAT, s->name, 0, 0, "damaged header: too long");
		buf_add(text, at.p, n);
		advance(s, n);
		if (lf >= 0)
			return RC_OK;
	}
}
