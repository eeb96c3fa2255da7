/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_internal.h"

#include <stdlib.h>

/*
 * With the token key a package can be asked: is any word of it a value whose token stands in it
 * too? A credential that was removed in one place and left in another is found so, without a map.
 * Each word's token is worked out for each kind it could be.
 */

#define WORD_MIN 4
#define WORD_MAX 200
#define CREDENTIAL_MIN 8	/* shorter ones have no token of their own */
#define PHONE_MIN 7		/* digits: fewer are any number */

struct word {
	struct span text;		/* in the arena */
	const char *shown;
	uint64_t line;
};
struct words {
	struct arena *arena;
	struct word *v;			/* all different, in the order they were met */
	size_t n, cap;
	uint32_t *slots;		/* index + 1 into v, by hash; 0 is free */
	size_t mask;
	char (*tokens)[VALUE_TOKEN_MAX];
	size_t n_tokens, cap_tokens;
	bool kinds[KIND_COUNT];		/* which kinds have a token here */
	uint64_t seed;
};

struct words *words_new(void)
{
	struct words *w = xcalloc(1, sizeof(*w));

	w->arena = arena_new();
	w->mask = 4095;
	w->slots = xcalloc(w->mask + 1, sizeof(*w->slots));
	digest_random(&w->seed, sizeof(w->seed));
	return w;
}

void words_free(struct words *w)
{
	if (!w)
		return;
	arena_free(w->arena);
	free(w->v);
	free(w->slots);
	free(w->tokens);
	free(w);
}

/* Seeded, so that a package can't choose what collides. */
static uint64_t hash_of(const struct words *w, struct span s)
{
	uint64_t h = w->seed ^ s.len;

	for (size_t i = 0; i < s.len; i++) {
		h = (h ^ (unsigned char)s.p[i]) * 0x9e3779b97f4a7c15;
		h ^= h >> 29;
	}
	return h;
}

static void place_word(struct words *w, uint32_t index)
{
	size_t at = hash_of(w, w->v[index].text) & w->mask;

	while (w->slots[at])
		at = (at + 1) & w->mask;
	w->slots[at] = index + 1;
}

static void grow(struct words *w)
{
	free(w->slots);
	w->mask = 2 * w->mask + 1;
	w->slots = xcalloc(w->mask + 1, sizeof(*w->slots));
	for (size_t i = 0; i < w->n; i++)
		place_word(w, (uint32_t)i);
}

static void add_word(struct words *w, struct span s, const char *shown, uint64_t line)
{
	size_t at;

	if (s.len < WORD_MIN || s.len > WORD_MAX || w->n >= UINT32_MAX / 2)
		return;
	for (at = hash_of(w, s) & w->mask; w->slots[at]; at = (at + 1) & w->mask)
		if (span_eq(w->v[w->slots[at] - 1].text, s))
			return;
	GROW(w->v, w->n, w->cap);
	w->v[w->n] = (struct word){
		span_make(arena_strndup(w->arena, s.p, s.len), s.len), shown, line,
	};
	w->slots[at] = (uint32_t)++w->n;
	if (w->n * 2 > w->mask)
		grow(w);
}

static void add_token(struct words *w, struct span token, enum kind kind)
{
	if (token.len >= VALUE_TOKEN_MAX || !memchr(token.p, '~', token.len))
		return;		/* constants are of no value */
	GROW(w->tokens, w->n_tokens, w->cap_tokens);
	memset(w->tokens[w->n_tokens], 0, VALUE_TOKEN_MAX);
	memcpy(w->tokens[w->n_tokens++], token.p, token.len);
	w->kinds[kind] = true;
}

/* What ends a word: white space, quotes, brackets, separators; a backslash too, with what it
   escapes. */
static bool ends_word(char c)
{
	return (unsigned char)c <= ' ' || (c && strchr("\"'`<>()[]{},;=|\\", c));
}

static bool ends_part(char c)
{
	return c == ':' || c == '@' || c == '/' || c == '?' || c == '&';
}

/* The run as a whole, what its separators part, and its head before each of them. */
static void add_run(struct words *w, struct span run, const char *shown, uint64_t line)
{
	size_t from = 0;

	add_word(w, run, shown, line);
	for (size_t i = 0; i <= run.len; i++) {
		if (i < run.len && !ends_part(run.p[i]))
			continue;
		if (from || i < run.len)
			add_word(w, span_sub(run, from, i), shown, line);
		from = i + 1;
	}
	while (run.len && strchr(".:!?", run.p[run.len - 1])) {
		run.len--;
		add_word(w, run, shown, line);
	}
}

/* Behind an escape, as gdb writes it: \n, \000. */
static size_t skip_escape(struct span t, size_t at)
{
	size_t digits = 0;

	if (++at >= t.len)
		return at;
	while (digits < 3 && at + digits < t.len && t.p[at + digits] >= '0' &&
	       t.p[at + digits] <= '7')
		digits++;
	return at + (digits ? digits : t.p[at] == '"' || t.p[at] == '\n' ? 0 : 1);
}

/* What stands between two quotes may be a name with spaces. */
static void take_string(struct words *w, struct span t, size_t at, const char *shown, uint64_t line)
{
	size_t end = at + 1;

	while (end < t.len && end - at <= WORD_MAX && t.p[end] != '"' && t.p[end] != '\\' &&
	       t.p[end] != '\n')
		end++;
	if (end < t.len && (t.p[end] == '"' || t.p[end] == '\\'))
		add_word(w, span_sub(t, at + 1, end), shown, line);
}

void words_take(struct words *w, const char *shown, struct span t)
{
	uint64_t line = 1;
	size_t at = 0;

	while (at < t.len) {
		size_t from = at;
		enum kind kind;

		if (!ends_word(t.p[at])) {
			while (at < t.len && !ends_word(t.p[at]))
				at++;
			add_run(w, span_sub(t, from, at), shown, line);
			continue;
		}
		line += t.p[at] == '\n';
		if (t.p[at] == '"')
			take_string(w, t, at, shown, line);
		if (t.p[at] == '[' && value_token_at(span_sub(t, at, t.len), &kind)) {
			at += value_token_at(span_sub(t, at, t.len), &kind);
			add_token(w, span_sub(t, from, at), kind);
		} else {
			at = t.p[at] == '\\' ? skip_escape(t, at) : at + 1;
		}
	}
}

static size_t count_of(struct span s, const char *set)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.p[i] && strchr(set, s.p[i]) != NULL;
	return n;
}

/* Could the word be of this kind at all? Working out a token costs a microsecond. */
static bool may_be(enum kind kind, struct span s)
{
	size_t digits = count_of(s, "0123456789");

	switch (kind) {
	case KIND_PHONE:
		return digits >= PHONE_MIN && digits + count_of(s, "+-. ()") == s.len;
	case KIND_IP4:
	case KIND_IP4_LAN:
		return value_ip4_parse(s, (uint8_t[4]){ 0 });
	case KIND_IP6:
	case KIND_IP6_LAN:
		return value_ip6_parse(s, (uint8_t[16]){ 0 });
	case KIND_MAC:
		return value_mac_parse(s, (uint8_t[6]){ 0 });
	case KIND_EMAIL:
		return memchr(s.p, '@', s.len);
	case KIND_SECRET:
	case KIND_TOKEN:
	case KIND_KEY:
	case KIND_HASH:
		return s.len >= CREDENTIAL_MIN;
	case KIND_USER:
	case KIND_NAME:
	case KIND_HOST:
	case KIND_PATH:
	case KIND_ACCOUNT:
		return true;
	default:
		return false;
	}
}

/* Nobody else has these by chance: letters alone, or digits alone, a program may have of its
   own. */
static bool is_certain(enum kind kind, struct span s)
{
	size_t digits = count_of(s, "0123456789");
	size_t letters = 0;

	if (kind == KIND_USER || kind == KIND_NAME || kind == KIND_HOST || kind == KIND_PATH ||
	    kind == KIND_ACCOUNT)
		return false;
	for (size_t i = 0; i < s.len; i++)
		letters += (s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z';
	return !value_kind_is_credential(kind) || (letters < s.len && digits < s.len);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void ask_one(struct verify *v, const struct words *w, struct redactor *r,
		    const struct word *word)
{
	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		struct verify_at at = { word->shown, word->line, 1 };
		char token[VALUE_TOKEN_MAX];

		if (!w->kinds[kind] || !may_be(kind, word->text) || value_stays(kind, word->text) ||
		    redact_token_text(r, kind, word->text, token) == 0 ||
		    !bsearch(token, w->tokens, w->n_tokens, VALUE_TOKEN_MAX, by_text))
			continue;
		if (is_certain(kind, word->text))
			verify_leak(v, at, "key.known", value_kind_name(kind),
				    "its token stands in the package too");
		else
			verify_hint(v, at, "key.known", value_kind_name(kind),
				    "a word whose token stands in the package too");
		return;
	}
}

/* The case is the verifier's, else the manifest's; loose files are of none. */
int words_ask(struct verify *v, struct words *w, const struct manifest *m, struct err *err)
{
	const char *given = v->job->common.case_name;
	struct redact_options options = { .key = v->key };
	AUTO(redactor) r = NULL;
	int rc;

	if (!w)
		return RC_OK;
	options.case_name = given ? given : m ? m->case_name : "scrub";
	rc = redactor_new(&options, &r, err);
	if (rc < 0)
		return rc;
	if (m && strcmp(m->token_key, redactor_key_id(r)) != 0)
		verify_note(v, "the token key given is not the one it was made with: it tells "
			    "nothing");
	if (w->n_tokens)
		qsort(w->tokens, w->n_tokens, VALUE_TOKEN_MAX, by_text);
	for (size_t i = 0; i < w->n; i++)
		ask_one(v, w, r, &w->v[i]);
	return RC_OK;
}
