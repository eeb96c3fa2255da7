/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#include <pthread.h>
#include <stdlib.h>

/* What anyone's program, log or config could hold, and so says nothing about a secret. */

#define WORD_MIN 4
#define WORD_MAX 20
#define LEFT_MIN 2		/* this many characters that are of no word make a piece its value's own */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool in_set(char c, const char *set)
{
	return c && strchr(set, c);
}

static int word_compare(const void *key, const void *member)
{
	return strcmp(key, *(const char *const *)member);
}

static bool is_listed(struct span s)
{
	char word[WORD_MAX + 1];

	if (s.len < WORD_MIN || s.len > WORD_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		word[i] = lower(s.p[i]);
	word[s.len] = '\0';
	return bsearch(word, learn_words, learn_n_words, sizeof(*learn_words), word_compare) != NULL;
}

/* The longest listed word at the beginning of s, or 0. */
static size_t word_at(struct span s)
{
	for (size_t n = s.len < WORD_MAX ? s.len : WORD_MAX; n >= WORD_MIN; n--)
		if (is_listed(span_sub(s, 0, n)))
			return n;
	return 0;
}

/* The listed words by their ends: sorted as if written backwards. */
static const char **by_tail;
static pthread_once_t by_tail_once = PTHREAD_ONCE_INIT;

static int tail_compare(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t i = strlen(x), k = strlen(y);

	while (i && k && x[i - 1] == y[k - 1]) {
		i--;
		k--;
	}
	return (i ? (unsigned char)x[i - 1] : 0) - (k ? (unsigned char)y[k - 1] : 0);
}

static void sort_by_tail(void)
{
	by_tail = xcalloc(learn_n_words, sizeof(*by_tail));
	memcpy(by_tail, learn_words, learn_n_words * sizeof(*by_tail));
	qsort(by_tail, learn_n_words, sizeof(*by_tail), tail_compare);
}

/* s against as much of a word's head or tail: less, equal, greater. */
static int torn_compare(struct span s, const char *word, bool head)
{
	size_t n = head ? 0 : strlen(word);

	for (size_t i = 0; i < s.len; i++) {
		unsigned char a = (unsigned char)lower(s.p[head ? i : s.len - 1 - i]);
		unsigned char b = (unsigned char)(head ? word[i] : i < n ? word[n - 1 - i] : '\0');

		if (a != b || !b)
			return a - b;
	}
	return 0;
}

/* Is s the head or the tail of a listed word? */
static bool is_torn_word(struct span s, bool head)
{
	const char *const *words = learn_words;
	size_t lo = 0, hi = learn_n_words;

	if (s.len < WORD_MIN || s.len >= WORD_MAX)
		return false;
	if (!head) {
		pthread_once(&by_tail_once, sort_by_tail);
		words = by_tail;
	}
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (torn_compare(s, words[mid], head) > 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* the first that fits may be the word itself, which is not torn */
	for (; lo < learn_n_words && torn_compare(s, words[lo], head) == 0; lo++)
		if (strlen(words[lo]) > s.len)
			return true;
	return false;
}

/* How many characters of s belong to no word; at its edges pieces of words count as words. */
static size_t left_over(struct span s, bool torn)
{
	size_t left = 0, i = 0;

	if (torn && !word_at(s)) {
		/* the longest tail of a word at the beginning */
		while (i < s.len && is_alpha(s.p[i]))
			i++;
		while (i >= WORD_MIN && !is_torn_word(span_sub(s, 0, i), false))
			i--;
		i = i >= WORD_MIN ? i : 0;
	}
	while (i < s.len) {
		struct span rest = span_sub(s, i, s.len);
		size_t n = is_alpha(s.p[i]) ? word_at(rest) : 0;

		if (n == 0 && torn && is_alpha(s.p[i]) && is_torn_word(rest, true))
			n = rest.len;
		left += n == 0 && !in_set(s.p[i], " _-.:/");
		i += n ? n : 1;
	}
	return left;
}

static size_t distinct(struct span s)
{
	bool seen[256] = { false };
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		n += !seen[(unsigned char)s.p[i]];
		seen[(unsigned char)s.p[i]] = true;
	}
	return n;
}

static bool is_number(struct span v)
{
	size_t i = 0, dots = 0;

	if (v.len > 2 && v.p[0] == '0' && (v.p[1] == 'x' || v.p[1] == 'X')) {
		for (i = 2; i < v.len && is_hex(v.p[i]); i++)
			;
		return i == v.len;
	}
	if (v.p[0] == '-' || v.p[0] == '+')
		i = 1;
	for (; i < v.len && (is_digit(v.p[i]) || v.p[i] == '.'); i++)
		dots += v.p[i] == '.';
	/* a long number without a point is a PIN, a card, an access token */
	return i == v.len && (dots || v.len < 8);
}

/* /usr/lib/x.so: small letters between slashes; base64 has capitals. */
static bool is_path(struct span v)
{
	size_t slashes = 0;

	for (size_t i = 0; i < v.len; i++) {
		char c = v.p[i];

		if (!(c >= 'a' && c <= 'z') && !is_digit(c) && !in_set(c, "/._-"))
			return false;
		slashes += c == '/';
	}
	return v.p[0] == '/' && slashes > 1;
}

bool learn_is_ordinary(struct span v)
{
	bool words = true;

	if (v.len == 0 || distinct(v) <= 2 || is_number(v) || is_path(v))
		return true;
	for (size_t i = 0; i < v.len; i++)
		words &= is_alpha(v.p[i]) || in_set(v.p[i], "_-. ");
	/* "password", "voicemail_main"; three words behind one another are a passphrase */
	return words && v.len < 3 * WORD_MAX / 2 && left_over(v, false) == 0;
}

bool learn_piece_is_ordinary(struct span v)
{
	if (v.len == 0)
		return false;
	return distinct(v) <= 2 || is_number(v) || left_over(v, true) < LEFT_MIN;
}
