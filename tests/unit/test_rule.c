/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/rule/rule_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char pack[] =
	"pack: t\n"
	"rules:\n"
	"  - id: ip\n"
	"    kind: ip4\n"
	"    match:\n"
	"      regex: '(?<![\\d.])((?:\\d{1,3}\\.){3}\\d{1,3})(?!\\d|\\.\\d)'\n"
	"      group: 1\n"
	"      validate: ipv4\n"
	"    except:\n"
	"      - cidr: 127.0.0.0/8\n"
	"      - regex: '^0\\.0\\.0\\.0$'\n"
	"    examples:\n"
	"      - { in: 'Contact: <sip:bob@203.0.113.9:5060>', hits: ['203.0.113.9'] }\n"
	"      - { in: '1.2.3.4 5.6.7.8', hits: ['1.2.3.4', '5.6.7.8'] }\n"
	"    negative_examples: ['Asterisk 18.20.1.2.3 built by root', '127.0.0.1']\n"
	"  - id: password\n"
	"    kind: secret\n"
	"    severity: critical\n"
	"    learn: true\n"
	"    match:\n"
	"      regex: '(?i)\\b(?:password|secret)\\s{0,4}[=:]\\s{0,4}(\\S{1,64})'\n"
	"      group: 1\n"
	"    examples: [{ in: 'Password: abc', hits: [abc] }]\n"
	"  - id: token\n"
	"    kind: token\n"
	"    match:\n"
	"      regex: '\\b[0-9a-f]{16,32}\\b'\n"
	"      keywords: [acme, vendor]\n"
	"    examples: [{ in: 'ACME key 0123456789abcdef', hits: ['0123456789abcdef'] }]\n"
	"    negative_examples: ['key 0123456789abcdef']\n"
	"  - id: pem\n"
	"    kind: key\n"
	"    where: [text, string, memory]\n"
	"    match:\n"
	"      multiline: true\n"
	"      regex: '-----BEGIN KEY-----[\\s\\S]{1,200}?-----END KEY-----'\n"
	"    examples: [{ in: \"-----BEGIN KEY-----\\nabc\\n-----END KEY-----\\n\", hits: "
	"[\"-----BEGIN KEY-----\\nabc\\n-----END KEY-----\"] }]\n"
	"  - id: user\n"
	"    kind: user\n"
	"    where: [text, string]\n"
	"    match: { regex: ['^user=(\\S{1,99})', 'login as (\\w+)(?=\\W|$)', '(?<=id )x+'], "
	"group: 0 }\n"
	"    examples: [{ in: 'user=bob', hits: ['user=bob'] }]\n"
	"  - id: strict-only\n"
	"    kind: host\n"
	"    policy: strict\n"
	"    match: { regex: 'host[0-9]{1,4}' }\n"
	"    examples: [{ in: 'host12', hits: ['host12'] }]\n"
	"  - id: symbol\n"
	"    kind: secret\n"
	"    match:\n"
	"      symbol: { variable: [password, '*.secret', 'md5_cred*', 'users[*].pin'] }\n"
	"      decode: string\n"
	"  - id: symbol-frame\n"
	"    kind: phone\n"
	"    match: { symbol: { variable: [ext], function: ['dial_*'], file: ['app_*.c'] } }\n";

static char *write_pack(const char *text, char path[64])
{
	int fd;

	snprintf(path, 64, "/tmp/test_rule.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

static struct ruleset *load(const char *text, const char *policy, bool examples, struct err *err)
{
	char path[64];
	const char *const paths[] = { write_pack(text, path), NULL };
	struct ruleset_options o = { .paths = paths, .policy = policy, .try_examples = examples };
	struct ruleset *rs = NULL;
	int rc = ruleset_load(&o, &rs, err);

	unlink(path);
	assert_int_equal(rc == RC_OK, rs != NULL);
	return rs;
}

struct hits {
	struct rule_hit *v;
	size_t n, cap;
};

static int keep(void *ctx, const struct rule_hit *hit)
{
	struct hits *h = ctx;

	GROW(h->v, h->n, h->cap);
	h->v[h->n++] = *hit;
	return RC_OK;
}

static int compare(const void *a, const void *b)
{
	const struct rule_hit *x = a, *y = b;

	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return x->len < y->len ? -1 : x->len > y->len;
}

static void sort_hits(struct hits *h)
{
	if (h->n)
		qsort(h->v, h->n, sizeof(*h->v), compare);
}

static void assert_same(const char *what, struct hits *a, struct hits *b)
{
	sort_hits(a);
	sort_hits(b);
	for (size_t i = 0; i < a->n || i < b->n; i++) {
		struct rule_hit x = i < a->n ? a->v[i] : (struct rule_hit){ .rule = UINT32_MAX };
		struct rule_hit y = i < b->n ? b->v[i] : (struct rule_hit){ .rule = UINT32_MAX };

		if (x.rule != y.rule || x.off != y.off || x.len != y.len || x.limit != y.limit)
			fail_msg("%s, hit %zu: rule %u at %zu+%zu, and rule %u at %zu+%zu", what, i,
				 x.rule, x.off, x.len, y.rule, y.off, y.len);
	}
	free(a->v);
	free(b->v);
	*a = *b = (struct hits){ NULL, 0, 0 };
}

static uint32_t seed = 1;

static uint32_t roll(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* Pieces that the rules above match, almost match, or that overlap. */
static void random_text(struct buf *b, size_t len, bool lines)
{
	static const char *const pieces[] = {
		"203.0.113.9",
		"1.2.3.4.5",
		"127.0.0.1",
		"password=",
		"Secret: hunter2",
		"acme ",
		"VENDOR",
		"0123456789abcdef0",
		"-----BEGIN KEY-----",
		"-----END KEY-----",
		"user=",
		"login as bob",
		"id xxx",
		" ",
		"\r",
		"x",
		"7",
		".",
		"host99",
		"hello world ",
		"abcdef0123456789",
		"\t",
		"=",
		":",
		"9999.",
	};

	while (b->len < len) {
		if (roll(12) == 0)
			buf_add_char(b, lines ? '\n' : ' ');
		else if (roll(40) == 0)
			buf_add_char(b, (char)roll(256));
		else
			buf_add_str(b, pieces[roll(ARRAY_SIZE(pieces))]);
	}
}

static void scan_both(struct rule_scanner *s, struct span text, unsigned where, bool learn)
{
	struct hits fast = { NULL, 0, 0 }, slow = { NULL, 0, 0 }, cut = { NULL, 0, 0 };
	struct err err = ERR_INIT;
	size_t from = 0;

	assert_int_equal(rule_scan(s, text, 0, text.len, where, learn, keep, &fast, &err), RC_OK);
	assert_int_equal(rule_scan_reference(s, text, 0, text.len, where, learn, keep, &slow, &err),
			 RC_OK);
	while (from < text.len) {
		ssize_t nl = span_find(text, SPAN_LIT("\n"), from + roll(200));
		size_t to = nl < 0 ? text.len : (size_t)nl + 1;

		assert_int_equal(rule_scan(s, text, from, to, where, learn, keep, &cut, &err),
				 RC_OK);
		from = to;
	}
	assert_same("whole and cut", &fast, &cut);
	assert_int_equal(rule_scan(s, text, 0, text.len, where, learn, keep, &fast, &err), RC_OK);
	assert_same("libhs and PCRE2", &fast, &slow);
}

static void test_scan_equals_reference(void **state)
{
	struct err err = ERR_INIT;
	AUTO(ruleset) rs = load(pack, "public", true, &err);
	AUTO(rule_scanner) s = NULL;
	AUTO_BUF warm = BUF_INIT;

	(void)state;
	if (!rs)
		fail_msg("%s:%u:%u %s", err.file, err.line, err.col, err.msg);
	assert_int_equal(rule_scanner_new(rs, &s, &err), RC_OK);
	random_text(&warm, 2 << 20, true);
	scan_both(s, buf_span(&warm), 1, false); /* large enough to have the database compiled */
	for (unsigned i = 0; i < 3000; i++) {
		AUTO_BUF b = BUF_INIT;

		random_text(&b, 1 + roll(i % 100 ? 2000 : 60000), i % 7 != 0);
		scan_both(s, buf_span(&b), i % 5 ? WHERE_TEXT : WHERE_MEMORY | WHERE_STRING,
			  i % 11 == 0);
	}
}

/* A bracket in a class is one of its own characters, but in [:alpha:]; behind \c it is none. */
static void test_classes(void **state)
{
	static const char *const regexes[] = {
		"x[a=[:]b|\\)", "x[[:]|\\)", "x[=[]b|\\)", "x[[:alpha:]]b|\\)", "x[[:x]b|\\)", "x[]:]b|\\)",
		"x[\\c\\]b|\\)", "x[\\c]]b|\\)", "x[\\c[-\\c]a]|\\)", "x\\c[|\\)",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(regexes); i++) {
		AUTO_FREE char *text = xasprintf("pack: t\nrules: [{id: a, kind: key, match: {regex: '%s'}}]\n",
						 regexes[i]);
		struct span in = SPAN_LIT("a ) [ ) xab\nx:b )\n");
		struct hits hits = { NULL, 0, 0 };
		struct err err = ERR_INIT;
		AUTO(ruleset) rs = load(text, "public", false, &err);
		AUTO(rule_scanner) s = NULL;

		assert_non_null(rs);
		assert_int_equal(rule_scanner_new(rs, &s, &err), RC_OK);
		rule_set_ready(rs, rule_set_get(rs, WHERE_TEXT, false), MIB(1));
		scan_both(s, in, WHERE_TEXT, false);
		assert_int_equal(rule_scan(s, in, 0, in.len, WHERE_TEXT, false, keep, &hits, &err),
				 RC_OK);
		assert_true(hits.n >= 3);
		free(hits.v);
	}
}

/* The shipped packs on their own examples, glued together in any order with any noise between. */
static void shipped_text(const struct ruleset *rs, struct buf *b, size_t len, bool lines)
{
	while (b->len < len) {
		const struct rule *r = &rs->rules[roll((uint32_t)rs->n_rules)];

		if (r->n_examples && roll(4))
			buf_add_span(b, r->examples[roll((uint32_t)r->n_examples)].in);
		else
			random_text(b, b->len + roll(60), lines);
		if (roll(3) == 0)
			buf_add_char(b, lines ? '\n' : ',');
	}
}

static void test_shipped_packs(void **state)
{
	static const char *const paths[] = { "rules", NULL };
	static const char *const policies[] = { "public", "strict", "developer" };

	(void)state;
	for (size_t p = 0; p < ARRAY_SIZE(policies); p++) {
		struct ruleset_options o = { .paths = paths, .policy = policies[p] };
		struct err err = ERR_INIT;
		AUTO(ruleset) rs = NULL;
		AUTO(rule_scanner) s = NULL;

		if (ruleset_load(&o, &rs, &err) < 0)
			fail_msg("%s:%u:%u %s", err.file, err.line, err.col, err.msg);
		assert_int_equal(rule_scanner_new(rs, &s, &err), RC_OK);
		for (unsigned w = 0; w < 2; w++) /* no text is too small for libhs here */
			for (unsigned learn = 0; learn < 2; learn++)
				rule_set_ready(rs, rule_set_get(rs, WHERE_TEXT << w, learn),
					       MIB(1));
		for (unsigned i = 0; i < 24; i++) {
			AUTO_BUF b = BUF_INIT;

			shipped_text(rs, &b, i ? 1 + roll(20000) : 60000, i % 5 != 4);
			scan_both(s, buf_span(&b), i % 3 ? WHERE_TEXT : WHERE_STRING, i % 7 == 3);
		}
	}
}

/* The sieve's own reading of an atom is PCRE2's, byte for byte, in either case. */
static void test_byte_sets(void **state)
{
	static const char *const atoms[] = {
		"a", "Z", "5", ".", "\\.", "\\n", "\\x41", "\\xe9", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S",
		"[abc]", "[^abc]", "[^aBc0-9]", "[^\\s\"\\\\]", "[^\n]", "[^<>\\n]", "[a-fX-Z_.-]", "[^a-fX-Z]",
		"[\\w.+-]", "[^\\W_]", "[^\\x00-\\x1f]", "[[:alpha:]]", "[^[:digit:]x]", "[]a]", "[^]a]", "[\\S]",
		"[^\\D5]", "[K-k]", "[@-`]", "[^@-`]",
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(atoms); i++) {
		const char *atom = atoms[i / 2];
		uint32_t options = PCRE2_ANCHORED | (i % 2 ? PCRE2_CASELESS : 0);
		PCRE2_SIZE where;
		int number;
		pcre2_code *code = pcre2_compile((PCRE2_SPTR)atom, PCRE2_ZERO_TERMINATED, options, &number,
						 &where, NULL);
		pcre2_match_data *match = pcre2_match_data_create(1, NULL);
		uint8_t set[32];

		assert_non_null(code);
		memset(set, 0xff, sizeof(set));
		rule_byte_set(atom, i % 2, set);
		for (unsigned b = 0; b < 256; b++) {
			uint8_t byte = (uint8_t)b;
			bool is = pcre2_match(code, &byte, 1, 0, 0, match, NULL) >= 0;

			if ((set[b / 8] >> b % 8 & 1) != is)
				fail_msg("%s, %s: byte %02x", atom, i % 2 ? "any case" : "its case", b);
		}
		pcre2_match_data_free(match);
		pcre2_code_free(code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_byte_sets),
		cmocka_unit_test(test_scan_equals_reference),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_shipped_packs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
