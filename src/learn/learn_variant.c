/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#include <wctype.h>

/*
 * A value as others write it: hosts and mail addresses have no case, exchanges send names in
 * capitals or last name first, a log may fold what it prints.
 */

#define VARIANT_MAX 128		/* longer values are no names, and nobody folds keys */
#define SECRET_MIN 8		/* a shorter one, folded, may stand anywhere */

enum letter_case { CASE_SAME, CASE_LOWER, CASE_UPPER, CASE_TITLE, CASE_COUNT };

static void add_utf8(struct buf *b, uint32_t cp)
{
	if (cp >= 0x800) {
		if (cp >= 0x10000) {
			buf_add_char(b, (char)(0xf0 | cp >> 18));
			buf_add_char(b, (char)(0x80 | (cp >> 12 & 0x3f)));
		} else {
			buf_add_char(b, (char)(0xe0 | cp >> 12));
		}
		buf_add_char(b, (char)(0x80 | (cp >> 6 & 0x3f)));
	} else {
		buf_add_char(b, (char)(0xc0 | cp >> 6));
	}
	buf_add_char(b, (char)(0x80 | (cp & 0x3f)));
}

/* What isn't UTF-8 stays as it is. */
static void add_folded(struct buf *b, struct span v, enum letter_case to, locale_t locale)
{
	bool begins = true;

	for (size_t i = 0, len; i < v.len; i += len) {
		uint32_t cp = learn_code_point(v, i, &len);
		bool upper = to == CASE_UPPER || (to == CASE_TITLE && begins);
		wint_t folded = upper ? towupper_l(cp, locale) : towlower_l(cp, locale);

		begins = cp < 0x80 && !is_alpha((char)cp) && !is_digit((char)cp);
		if (to == CASE_SAME || (len == 1 && cp >= 0x80))
			buf_add(b, v.p + i, len);
		else if (folded < 0x80)
			buf_add_char(b, (char)folded);
		else
			add_utf8(b, folded);
	}
}

struct maker {
	locale_t locale;
	learn_variant_fn fn;
	void *ctx;
};

/* Folded, it may be a word of anyone's where the value was none. */
static void make_cases(const struct maker *m, struct span v, enum letter_case from)
{
	for (enum letter_case to = from; to < CASE_COUNT; to++) {
		AUTO_BUF folded = BUF_INIT;

		add_folded(&folded, v, to, m->locale);
		if (!learn_is_ordinary(buf_span(&folded)))
			m->fn(m->ctx, buf_span(&folded));
		secret_wipe(folded.p, folded.len);
	}
}

/* "Anna Maria Kovacs" is "Kovacs Anna Maria" and "Kovacs, Anna Maria" too, and the other way
   round. */
static void make_orders(const struct maker *m, struct span v)
{
	const char *comma = memchr(v.p, ',', v.len), *space = memrchr(v.p, ' ', v.len);
	const char *const commas[] = { " ", ", " };
	struct span given, family;

	if (!space || space == v.p || space + 1 == v.p + v.len)
		return;
	given = span_make(v.p, (size_t)(space - v.p));
	family = span_make(space + 1, v.len - given.len - 1);
	if (comma) {
		family = span_make(v.p, (size_t)(comma - v.p));
		given = span_trim(span_make(comma + 1, v.len - family.len - 1));
	}
	if (!given.len || !family.len || memchr(given.p, ',', given.len))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(commas) + (comma != NULL); i++) {
		bool given_first = i == ARRAY_SIZE(commas);
		AUTO_BUF other = BUF_INIT;

		buf_add_span(&other, given_first ? given : family);
		buf_add_str(&other, given_first ? " " : commas[i]);
		buf_add_span(&other, given_first ? family : given);
		make_cases(m, buf_span(&other), CASE_SAME);
		secret_wipe(other.p, other.len);
	}
}

void learn_variants(enum kind kind, struct span v, locale_t locale, learn_variant_fn fn, void *ctx)
{
	struct maker m = { locale, fn, ctx };

	if (v.len > VARIANT_MAX)
		return;
	if (value_kind_is_credential(kind)) {
		if (v.len >= SECRET_MIN)
			make_cases(&m, v, CASE_LOWER);
		return;
	}
	switch (kind) {
	case KIND_NAME:
		make_orders(&m, v);
		make_cases(&m, v, CASE_LOWER);
		break;
	case KIND_USER:
	case KIND_HOST:
	case KIND_EMAIL:
		make_cases(&m, v, CASE_LOWER);
		break;
	default:
		break;
	}
}
