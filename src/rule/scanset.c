/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

#include <stdlib.h>

/*
 * What libhs looks for: for each selection of rules (a policy, places, learning or not) one
 * database. A rule with keywords is found by these, the others by their regex, as far as libhs can
 * read it.
 */

void rule_set_free(struct scan_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->n_targets; i++)
		free(set->expressions[i]);
	hs_free_database(set->db);
	rule_grams_free(set);
	free(set->member);
	free(set->units);
	free(set->every);
	free(set->targets);
	free(set->expressions);
	free(set->flags);
	free(set);
}

/* A flag that changes nothing for what can't match nothing: no flag at all says "not for libhs". */
#define HINT_FLAGS HS_FLAG_ALLOWEMPTY

static void add_target(struct scan_set *set, char *expression, unsigned flags)
{
	if (set->n_targets == set->cap_targets) {
		size_t cap = set->cap_targets ? set->cap_targets * 2 : 64;

		set->targets = xreallocarray(set->targets, cap, sizeof(*set->targets));
		set->expressions = xreallocarray(set->expressions, cap, sizeof(*set->expressions));
		set->flags = xreallocarray(set->flags, cap, sizeof(*set->flags));
		set->cap_targets = cap;
	}
	set->targets[set->n_targets] = (struct scan_target){ .first = set->n_units };
	set->expressions[set->n_targets] = expression;
	set->flags[set->n_targets] = flags;
	set->n_targets++;
}

static void add_unit(struct scan_set *set, size_t unit)
{
	GROW(set->units, set->n_units, set->cap_units);
	set->units[set->n_units++] = (uint32_t)unit;
	set->targets[set->n_targets - 1].n++;
}

/* A literal as a regex: every byte that is no letter or digit in hex. */
static char *keyword_expression(struct span word)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < word.len; i++) {
		uint8_t c = (uint8_t)word.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			buf_add_char(&b, (char)c);
		else if (c >= 'A' && c <= 'Z')
			buf_add_char(&b, (char)(c + 32));
		else
			buf_addf(&b, "\\x%02x", c);
	}
	return buf_steal(&b);
}

struct keyword_use {
	char *expression;
	uint32_t unit;
};

static int compare_uses(const void *a, const void *b)
{
	const struct keyword_use *x = a, *y = b;
	int order = strcmp(x->expression, y->expression);

	return order ? order : x->unit < y->unit ? -1 : x->unit > y->unit;
}

/* One target a keyword, whatever the number of units that wait for it. */
static void add_keywords(const struct ruleset *rs, struct scan_set *set)
{
	struct keyword_use *uses = NULL;
	size_t n = 0, cap = 0;

	for (size_t u = 0; u < rs->n_units; u++) {
		const struct rule *r = &rs->rules[rs->units[u].rule];

		if (!set->member[u] || !rs->units[u].keyed)
			continue;
		for (size_t k = 0; k < r->n_keywords; k++) {
			GROW(uses, n, cap);
			uses[n++] = (struct keyword_use){ keyword_expression(r->keywords[k]),
							  (uint32_t)u };
		}
	}
	if (n)
		qsort(uses, n, sizeof(*uses), compare_uses);
	for (size_t i = 0; i < n; i++) {
		bool again = i && !strcmp(uses[i].expression, set->expressions[set->n_targets - 1]);

		if (again && uses[i].unit == set->units[set->n_units - 1]) {
			free(uses[i].expression);
			continue;
		}
		if (again)
			free(uses[i].expression);
		else
			add_target(set, uses[i].expression, HS_FLAG_CASELESS);
		add_unit(set, uses[i].unit);
	}
	free(uses);
}

static bool hs_takes(const char *expression, unsigned flags)
{
	hs_expr_info_t *info = NULL;
	hs_compile_error_t *error = NULL;
	bool taken = hs_expression_info(expression, flags, &info, &error) == HS_SUCCESS &&
		     info->min_width > 0;

	free(info);
	hs_free_compile_error(error);
	return taken;
}

/* The regex as it is, or approximated where libhs can't do all of it; 0 if neither. */
static unsigned regex_flags(const struct rule_unit *u, const char *expression)
{
	if (u->min_width == 0)
		return 0;
	if (hs_takes(expression, HINT_FLAGS))
		return HINT_FLAGS;
	if (hs_takes(expression, HS_FLAG_PREFILTER))
		return HS_FLAG_PREFILTER;
	return 0;
}

static bool in_set(const uint8_t set[32], unsigned byte)
{
	return set[byte / 8] >> byte % 8 & 1;
}

static void fill_bytes(struct scan_target *t, const struct rule_hint *hint, bool multiline)
{
	for (unsigned b = 0; b < 256; b++)
		t->bytes[b] = (in_set(hint->prefix, b) ? BYTE_PREFIX : 0) |
			      (in_set(hint->all, b) ? BYTE_ANY : 0) |
			      (in_set(hint->first, b) ? BYTE_FIRST : 0) |
			      (in_set(hint->before_not, b) ? 0 : BYTE_BEFORE);
	if (!multiline)
		t->bytes['\n'] = BYTE_BEFORE; /* a line ends where it ends */
}

/* Found once for all sets: the regex is read for it, and looked through at length. */
static const struct rule_hint *unit_hint(struct rule_unit *u)
{
	if (!u->hint) {
		u->hint = xcalloc(1, sizeof(*u->hint));
		rule_hint_find(u->source, u->hint);
	}
	return u->hint;
}

static void add_regexes(struct ruleset *rs, struct scan_set *set)
{
	for (size_t u = 0; u < rs->n_units; u++) {
		const struct rule_hint *hint;
		struct scan_target *t;

		if (!set->member[u] || rs->units[u].keyed)
			continue;
		hint = unit_hint(&rs->units[u]);
		add_target(set, xstrdup(hint->n_grams ? "" : hint->text), 0);
		t = &set->targets[set->n_targets - 1];
		t->before = hint->before;
		t->after = hint->after;
		t->gram = hint->n_grams > 0;
		fill_bytes(t, hint, rs->units[u].multiline);
		t->min_width = hint->after ? 0 : rs->units[u].min_width;
		rule_grams_add(set, hint, set->n_targets - 1);
		add_unit(set, u);
	}
}

/* Length-prefixed, so that no two lists of expressions read alike. */
static void hash_set(const struct ruleset *rs, struct scan_set *set)
{
	AUTO(sha256) h = sha256_new();

	for (size_t i = 0; i < set->n_targets; i++) {
		uint64_t head[2] = { strlen(set->expressions[i]), set->flags[i] };

		sha256_add(h, head, sizeof(head));
		sha256_add(h, set->expressions[i], (size_t)head[0]);
	}
	sha256_add(h, set->member, rs->n_units);
	sha256_end(h, set->key);
}

static bool set_wants(const struct rule *r, unsigned policy, unsigned where, enum rule_share share)
{
	if (!(r->policies & policy && r->info.where & where))
		return false;
	return share == RULE_ALL ||
	       (r->info.learn &&
		(share == RULE_TEACHING || value_kind_is_credential(r->info.kind)));
}

struct scan_set *rule_set_build(struct ruleset *rs, unsigned policy, unsigned where,
				enum rule_share share)
{
	struct scan_set *set = xcalloc(1, sizeof(*set));

	set->member = xcalloc(rs->n_units + 1, 1);
	for (size_t u = 0; u < rs->n_units; u++) {
		const struct rule_unit *unit = &rs->units[u];

		set->member[u] = set_wants(&rs->rules[unit->rule], policy, where, share);
		if (set->member[u] && unit->multiline && unit->width > set->multiline_width)
			set->multiline_width = unit->width;
	}
	return set;
}

void rule_set_targets(struct ruleset *rs, struct scan_set *set)
{
	if (set->n_targets)
		return;
	add_keywords(rs, set);
	set->first_regex = set->n_targets;
	add_regexes(rs, set);
	hash_set(rs, set);
}

void rule_set_every(struct scan_set *set)
{
	free(set->every);
	set->every = xcalloc(set->n_targets + 1, sizeof(*set->every));
	set->n_every = 0;
	for (size_t i = 0; i < set->n_targets; i++)
		if (!set->flags[i] && !set->targets[i].gram)
			set->every[set->n_every++] = set->units[set->targets[i].first];
}

/* Compiles the targets that have flags. libhs may refuse one of them only here (too large): then
   that one loses its flags and RC_UNSUPPORTED asks for another try. */
static int try_compile(struct scan_set *set, hs_database_t **ret, struct err *err)
{
	AUTO_FREE const char **expressions = xcalloc(set->n_targets + 1, sizeof(*expressions));
	AUTO_FREE unsigned *flags = xcalloc(set->n_targets + 1, sizeof(*flags));
	AUTO_FREE unsigned *ids = xcalloc(set->n_targets + 1, sizeof(*ids));
	hs_compile_error_t *error = NULL;
	unsigned n = 0;
	int rc = RC_OK;

	for (size_t i = 0; i < set->n_targets; i++) {
		if (!set->flags[i])
			continue;
		expressions[n] = set->expressions[i];
		flags[n] = set->flags[i];
		ids[n++] = (unsigned)i;
	}
	if (n == 0)
		return RC_OK;
	if (hs_compile_multi(expressions, flags, ids, n, HS_MODE_BLOCK, NULL, ret, &error) ==
	    HS_SUCCESS)
		return RC_OK;
	rc = err_set(err, RC_FORMAT, "libhs can't take these rules together");
	if (error && error->expression >= 0 && ids[error->expression] >= set->first_regex) {
		set->flags[ids[error->expression]] = 0;
		rc = RC_UNSUPPORTED;
	}
	hs_free_compile_error(error);
	return rc;
}

int rule_set_compile(struct ruleset *rs, struct scan_set *set, hs_database_t **ret,
		     struct err *err)
{
	int rc;

	rule_set_targets(rs, set);
	for (size_t i = set->first_regex; i < set->n_targets; i++)
		set->flags[i] = set->targets[i].gram
					? 0
					: regex_flags(&rs->units[set->units[set->targets[i].first]],
						      set->expressions[i]);
	do
		rc = try_compile(set, ret, err);
	while (rc == RC_UNSUPPORTED);
	rule_set_every(set);
	return rc;
}

static int count_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
		       void *ctx)
{
	(void)from;
	(void)to;
	(void)flags;
	*(size_t *)ctx += id == 0;
	return 0;
}

/* Addresses among words, at every distance up to a few vectors: the same text on every machine. */
static void fill_sample(char *text, size_t len)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz0123456789-= \n";
	uint32_t seed = 1;

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525u + 1013904223u;
		text[i] = bytes[(seed >> 8) % (sizeof(bytes) - 1)];
	}
	for (size_t i = 0; i + 16 < len; i += 12 + (seed >> 8) % 150) {
		seed = seed * 1664525u + 1013904223u;
		memcpy(text + i, " 203.0.113.9 ", 13);
	}
}

static bool count_with(unsigned n, const char *text, unsigned len, size_t *ret)
{
	static const char *const patterns[] = { "(?:\\d{1,3}\\.){3}\\d{1,3}", "x+", "(?i)acme" };
	static const unsigned flags[] = { 0, 0, 0 }, ids[] = { 0, 1, 2 };
	hs_compile_error_t *error = NULL;
	hs_scratch_t *scratch = NULL;
	hs_database_t *db = NULL;
	bool done = hs_compile_multi(patterns, flags, ids, n, HS_MODE_BLOCK, NULL, &db, &error) ==
			    HS_SUCCESS &&
		    hs_alloc_scratch(db, &scratch) == HS_SUCCESS &&
		    hs_scan(db, text, len, 0, scratch, count_match, ret) == HS_SUCCESS;

	hs_free_compile_error(error);
	hs_free_scratch(scratch);
	hs_free_database(db);
	return done;
}

/*
 * Vectorscan up to 5.4.12 loses matches on x86 when patterns share a database. A library that finds
 * less of one in company than alone is not used.
 */
static bool test_libhs(void)
{
	size_t alone = 0, two = 0, three = 0, len = KIB(64);
	AUTO_FREE char *text = xmalloc(len);

	fill_sample(text, len);
	return count_with(1, text, (unsigned)len, &alone) &&
	       count_with(2, text, (unsigned)len, &two) &&
	       count_with(3, text, (unsigned)len, &three) && alone > 0 && two == alone &&
	       three == alone;
}

static bool libhs_sound;

static void test_libhs_once(void)
{
	libhs_sound = test_libhs();
}

bool rule_libhs_is_sound(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, test_libhs_once);
	return libhs_sound;
}

const char *rule_probe(bool *ret_sound)
{
	*ret_sound = rule_libhs_is_sound();
	return hs_version();
}

static struct scan_set *find_equal(struct ruleset *rs, const struct scan_set *set)
{
	for (size_t i = 0; i < rs->n_sets; i++)
		if (!memcmp(rs->all_sets[i]->member, set->member, rs->n_units))
			return rs->all_sets[i];
	return NULL;
}

struct scan_set *rule_set_get(struct ruleset *rs, unsigned where, enum rule_share share)
{
	struct scan_set **slot = &rs->sets[share][where & WHERE_ALL], *set;

	pthread_mutex_lock(&rs->lock);
	if (!*slot) {
		set = rule_set_build(rs, rs->policy, where, share);
		*slot = find_equal(rs, set);
		if (*slot) {
			rule_set_free(set);
		} else {
			GROW(rs->all_sets, rs->n_sets, rs->cap_sets);
			rs->all_sets[rs->n_sets++] = *slot = set;
		}
	}
	set = *slot;
	pthread_mutex_unlock(&rs->lock);
	return set;
}

/* Compiling takes longer than trying PCRE2 on this many bytes. */
#define COMPILE_WORTH_BYTES MIB(1)

/* Reading a prepared database out of its file and proving it takes longer than PCRE2 on this many.
 */
#define PREPARED_WORTH_BYTES KIB(4)

/* Under the ruleset's lock. */
static void make_ready(struct ruleset *rs, struct scan_set *set)
{
	if (set->seen < (rs->prepared ? PREPARED_WORTH_BYTES : COMPILE_WORTH_BYTES))
		return;
	/* what is prepared was so by a sound libhs of this version, and is proven anew */
	if (rs->prepared && !set->prepared_tried) {
		set->prepared_tried = true;
		rule_set_targets(rs, set);
		set->ready = rule_prepared_get(rs, set, &set->db);
	}
	if (set->ready || set->seen < COMPILE_WORTH_BYTES)
		return;
	if (!rule_libhs_is_sound() || rule_set_compile(rs, set, &set->db, NULL) < 0)
		set->failed = true;
	else
		set->ready = true;
}

bool rule_set_ready(struct ruleset *rs, struct scan_set *set, size_t bytes)
{
	if (set->ready)
		return true;
	pthread_mutex_lock(&rs->lock);
	set->seen += bytes;
	if (!set->ready && !set->failed)
		make_ready(rs, set);
	pthread_mutex_unlock(&rs->lock);
	return set->ready;
}

void ruleset_warm(struct ruleset *rs)
{
	static const unsigned places[] = { WHERE_TEXT, WHERE_STRING };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		for (int share = RULE_ALL; share <= RULE_TEACHING; share++)
			rule_set_ready(rs, rule_set_get(rs, places[i], share), PREPARED_WORTH_BYTES);
}
