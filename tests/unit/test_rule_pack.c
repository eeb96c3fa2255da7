/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/rule/rule_internal.h"

#include <corescrub/base/file.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Loading: what is refused and where, policies, symbols, lint, and the prepared database. */

static void write_file(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
}

static int load_with(const char *text, const char *policy, const char *database, bool examples,
		     struct ruleset **ret, struct err *err)
{
	static char path[] = "/tmp/test_rule_pack.yaml.XXXXXX";
	const char *const paths[] = { path, NULL };
	struct ruleset_options o = {
		.paths = paths, .policy = policy, .database = database, .try_examples = examples
	};
	int rc;

	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	close(mkstemp(path));
	write_file(path, text, strlen(text));
	rc = ruleset_load(&o, ret, err);
	unlink(path);
	return rc;
}

#define RULE_HEAD "pack: p\nrules:\n  - id: a\n    kind: secret\n"

static const struct {
	const char *text;
	unsigned line, col;
	const char *says;
} refused[] = {
	{ "pack: p\nrules:\n  - id: a\n    kind: secret\n    sevrity: low\n    match: { regex: x "
	  "}\n",
	  5, 5, "\"severity\"" },
	{ RULE_HEAD "    match: { regex: 'a(b' }\n", 5, 25, "bad regex" },
	{ RULE_HEAD "    match:\n      regex: >-\n        (?x) abc\n        d(e\n", 8, 12,
	  "bad regex" },
	{ RULE_HEAD "    match: { regex: 'ab\\Kc' }\n", 5, 0, "bad regex" },
	{ RULE_HEAD
	  "    match: { regex: x }\n  - id: a\n    kind: secret\n    match: { regex: y }\n",
	  6, 9, "there already" },
	{ RULE_HEAD "    match: { regex: x, validate: ipv5 }\n", 5, 34, "\"ipv4\"" },
	{ RULE_HEAD "    match: { regex: x, group: 1 }\n", 5, 31, "group" },
	{ RULE_HEAD "    match: { regex: 'x+' }\n", 5, 21, "greatest width" },
	{ RULE_HEAD "    match: { regex: 'x.*y', multiline: true }\n    where: text\n", 5, 0,
	  "greatest width" },
	{ RULE_HEAD "    match: { regex: x }\n    where: txt\n", 6, 12, "\"text\"" },
	{ RULE_HEAD "    match: { regex: x }\n    policy: [public, stict]\n", 6, 22, "\"strict\"" },
	{ RULE_HEAD "    match: { regex: x }\n    action: tokn\n", 6, 13, "\"token\"" },
	{ RULE_HEAD "    match: { regex: x }\n    action: keep-last\n", 6, 13, "needs a value" },
	{ RULE_HEAD "    match: { regex: x }\n    except: [{ cidr: 300.0.0.0/8 }]\n", 6, 0,
	  "address" },
	{ RULE_HEAD "    match: { regex: x }\n    examples: [{ in: y, hits: [x] }]\n", 6, 0,
	  "fewer hits" },
	{ RULE_HEAD "    match: { regex: x }\n    negative_examples: [axb]\n", 6, 0,
	  "negative example" },
	{ RULE_HEAD "    match: { regex: x, symbol: { variable: y } }\n", 5, 0, "one of" },
	{ RULE_HEAD "    match: { symbol: { function: y } }\n", 5, 0, "variable" },
	{ RULE_HEAD "    match: { regex: x }\n    learn: maybe\n", 6, 12, "true or false" },
	{ RULE_HEAD "    match: { regex: x, keywords: [a] }\n", 5, 0, "keyword" },
	{ "pack: p\nrules:\n  - id: a\n    kind: secrt\n    match: { regex: x }\n", 4, 11,
	  "\"secret\"" },
	{ "pack: p\nrules:\n  - kind: secret\n    match: { regex: x }\n", 3, 0, "\"id\"" },
	{ "pack: p\nrules: {}\n", 2, 0, "list" },
	{ "rules: []\n", 1, 0, "name" },
	{ "pack: p\nrules:\n  - id: [\n", 4, 0, "" },
	{ "pack: p\na: &x [1]\nb: *x\nrules: []\n", 2, 4, "anchors" },
	{ "pack: p\npack: q\nrules: []\n", 2, 1, "already" },
	{ "pack: p\nrules: []\n", 0, 0, "no rules" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct err err = ERR_INIT;
		struct ruleset *rs = NULL;
		int rc = load_with(refused[i].text, "public", NULL, true, &rs, &err);

		if (rc != RC_SYNTAX || err.line != refused[i].line ||
		    (refused[i].col && err.col != refused[i].col) ||
		    !strstr(err.msg, refused[i].says))
			fail_msg("case %zu: rc %d at %u:%u, \"%s\"", i, rc, err.line, err.col,
				 err.msg);
		assert_null(rs);
	}
}

static void test_unknown_policy(void **state)
{
	struct err err = ERR_INIT;
	struct ruleset *rs = NULL;

	(void)state;
	assert_int_equal(
		load_with(RULE_HEAD "    match: { regex: x }\n", "strikt", NULL, true, &rs, &err),
		RC_USAGE);
	assert_non_null(strstr(err.msg, "\"strict\""));
}

static const char pack[] =
	"pack: t\n"
	"rules:\n"
	"  - id: ip\n"
	"    kind: ip4\n"
	"    summary: address\n"
	"    match:\n"
	"      regex: '(?<![\\d.])((?:\\d{1,3}\\.){3}\\d{1,3})(?![\\d.])'\n"
	"      group: 1\n"
	"      validate: ipv4\n"
	"    action: { keep-last: 4 }\n"
	"    except: [{ cidr: 127.0.0.0/8 }, { cidr: 127.1.0.0/16 }]\n"
	"    examples: [{ in: 'from 203.0.113.9 port', hits: ['203.0.113.9'] }]\n"
	"    negative_examples: ['127.0.0.1']\n"
	"  - id: password\n"
	"    kind: secret\n"
	"    severity: critical\n"
	"    learn: true\n"
	"    match:\n"
	"      regex: ['(?i)\\bpassword=([^\\s&\\[]{1,64})', '(?i)\\bsecret: ([^\\s\\[]{1,64})']\n"
	"      group: 1\n"
	"    examples: [{ in: 'Password=abc&x', hits: [abc] }, { in: 'Secret: d', hits: [d] }]\n"
	"  - id: host\n"
	"    kind: host\n"
	"    policy: [strict]\n"
	"    action: { replace: 'host99' }\n"
	"    match: { regex: '\\bhost[0-9]{1,4}\\b' }\n"
	"    examples: [{ in: 'host12', hits: ['host12'] }]\n"
	"  - id: pin\n"
	"    kind: secret\n"
	"    match:\n"
	"      symbol: { variable: [password, '*.secret', 'md5_cred*', 'users[*].pin', 'cfg.?in'] "
	"}\n"
	"    examples: [{ variable: 'svm.password' }, { variable: 'users[3].pin' }, { variable: "
	"PASSWORD }]\n"
	"    negative_examples: [{ variable: 'password_length' }, { variable: 'secret' }]\n"
	"  - id: ext\n"
	"    kind: phone\n"
	"    policy: [public]\n"
	"    match:\n"
	"      symbol: { variable: [ext, '*'], function: ['dial_*'], file: ['app_*.c'], library: "
	"['*.so'] }\n";

static bool match(const struct ruleset *rs, const char *function, const char *variable,
		  const char *file, const char *library, const char *want)
{
	struct rule_symbol sym = { span_str(function), span_str(variable), span_str(file),
				   span_str(library) };
	uint32_t rule = 0;

	if (!rule_symbol_match(rs, &sym, &rule))
		return want == NULL;
	return want && !strcmp(ruleset_rule(rs, rule)->id, want);
}

static void test_symbols(void **state)
{
	struct err err = ERR_INIT;
	AUTO(ruleset) rs = NULL;

	(void)state;
	if (load_with(pack, "public", NULL, true, &rs, &err) < 0)
		fail_msg("%u: %s", err.line, err.msg);
	assert_true(match(rs, "f", "password", "", "", "t.pin"));
	assert_true(match(rs, "f", "cfg.password", "", "", "t.pin"));
	assert_true(match(rs, "f", "users[2].password", "", "", "t.pin"));
	assert_true(match(rs, "f", "passwords", "", "", NULL));
	assert_true(match(rs, "f", "password[3]", "", "", "t.pin"));
	assert_true(match(rs, "f", "a.b.secret", "", "", "t.pin"));
	assert_true(match(rs, "f", "secret", "", "", NULL));
	assert_true(match(rs, "f", "x.md5_cred_hash", "", "", "t.pin"));
	assert_true(match(rs, "f", "vm.users[12].pin", "", "", "t.pin"));
	assert_true(match(rs, "f", "vm.users.pin", "", "", NULL));
	assert_true(match(rs, "f", "cfg.pin", "", "", "t.pin"));
	assert_true(match(rs, "dial_exec", "ext", "app_dial.c", "app_dial.so", "t.ext"));
	assert_true(match(rs, "dial_exec", "other", "app_dial.c", "app_dial.so", "t.ext"));
	assert_true(match(rs, "dial_exec", "ext", "pbx.c", "app_dial.so", NULL));
	assert_true(match(rs, "exec", "ext", "app_dial.c", "app_dial.so", NULL));
	assert_true(match(rs, "dial_exec", "password", "app_dial.c", "app_dial.so", "t.pin"));
}

static void test_rule_info(void **state)
{
	struct err err = ERR_INIT;
	AUTO(ruleset) rs = NULL;
	AUTO(rule_scanner) s = NULL;
	const struct rule_info *info;

	(void)state;
	assert_int_equal(load_with(pack, "public", NULL, true, &rs, &err), RC_OK);
	assert_int_equal(ruleset_count(rs), 5);
	assert_null(ruleset_rule(rs, 5));
	info = ruleset_rule(rs, 0);
	assert_string_equal(info->id, "t.ip");
	assert_int_equal(info->kind, KIND_IP4);
	assert_int_equal(info->action, ACTION_KEEP_LAST);
	assert_int_equal(info->keep_last, 4);
	assert_int_equal(info->line, 3);
	assert_true(info->active && !info->learn && !info->is_symbol);
	assert_false(ruleset_rule(rs, 2)->active);
	assert_string_equal(ruleset_rule(rs, 2)->replace, "host99");
	assert_true(ruleset_rule(rs, 1)->learn &&
		    ruleset_rule(rs, 1)->severity == SEVERITY_CRITICAL);
	assert_int_equal(rule_scanner_new(rs, &s, &err), RC_OK);
	assert_true(rule_value_stays(s, 0, SPAN_LIT("127.3.4.5")));
	assert_true(rule_value_stays(s, 0, SPAN_LIT("1.2.3")));
	assert_false(rule_value_stays(s, 0, SPAN_LIT("203.0.113.9")));
}

struct reports {
	size_t errors, warnings;
	bool replacement, exception;
};

static void on_report(void *ctx, const struct rule_info *rule, unsigned line, bool error,
		      const char *what)
{
	struct reports *r = ctx;

	assert_non_null(rule);
	assert_true(line > 0);
	*(error ? &r->errors : &r->warnings) += 1;
	r->replacement |= strstr(what, "own replacement") != NULL;
	r->exception |= strstr(what, "within another") != NULL;
}

static void test_lint_and_test(void **state)
{
	struct err err = ERR_INIT;
	AUTO(ruleset) rs = NULL;
	struct reports r = { 0 };
	size_t run = 0, failed = 1;

	(void)state;
	assert_int_equal(load_with(pack, "public", NULL, false, &rs, &err), RC_OK);
	assert_int_equal(ruleset_lint(rs, on_report, &r, &err), RC_OK);
	assert_true(r.replacement && r.exception);
	assert_int_equal(r.errors, 1);
	r = (struct reports){ 0 };
	assert_int_equal(ruleset_test(rs, on_report, &r, &run, &failed, &err), RC_OK);
	assert_int_equal(run, 10);
	assert_int_equal(failed, 0);
	assert_int_equal(r.errors, 0);
}

static int count(void *ctx, const struct rule_hit *hit)
{
	(void)hit;
	++*(size_t *)ctx;
	return RC_OK;
}

static size_t hits_in(struct ruleset *rs, const char *text)
{
	struct err err = ERR_INIT;
	AUTO(rule_scanner) s = NULL;
	size_t n = 0;

	assert_int_equal(rule_scanner_new(rs, &s, &err), RC_OK);
	assert_int_equal(
		rule_scan(s, span_str(text), 0, strlen(text), WHERE_TEXT, false, count, &n, &err),
		RC_OK);
	return n;
}

#define SAMPLE "from 203.0.113.9 password=hunter2 secret: x host12\n"

static void test_policies(void **state)
{
	static const struct {
		const char *policy;
		size_t hits;
	} cases[] = { { "public", 3 }, { "strict", 4 }, { "developer", 3 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		AUTO(ruleset) rs = NULL;

		assert_int_equal(load_with(pack, cases[i].policy, NULL, true, &rs, &err), RC_OK);
		assert_int_equal(hits_in(rs, SAMPLE), cases[i].hits);
	}
}

/* A prepared database is used; one that is damaged, or writable by others, is passed over. */
static void test_prepared(void **state)
{
	char folder[] = "/tmp/test_rule_db.XXXXXX", path[64];
	struct err err = ERR_INIT;
	AUTO(ruleset) rs = NULL;
	AUTO_BUF bytes = BUF_INIT;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/rules.hsdb", folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(load_with(pack, "public", NULL, true, &rs, &err), RC_OK);
	assert_int_equal(ruleset_prepare(rs, fd, path, &err), RC_OK);
	close(fd);
	assert_int_equal(file_read(path, MIB(64), &bytes, &err), RC_OK);
	for (size_t i = 0; i < 200; i++) {
		AUTO(ruleset) again = NULL;

		if (i) {
			char c = bytes.p[i * (bytes.len - 1) / 200] ^= (char)(1 << i % 8);

			(void)c;
			write_file(path, bytes.p, i % 3 ? bytes.len : i * bytes.len / 200);
		}
		assert_int_equal(load_with(pack, "strict", path, false, &again, &err), RC_OK);
		rule_set_ready(again, rule_set_get(again, WHERE_TEXT, false), KIB(32));
		assert_int_equal(hits_in(again, SAMPLE), 4);
		if (i == 0)
			assert_true(rule_set_ready(again, rule_set_get(again, WHERE_TEXT, false),
						   KIB(32)));
	}
	assert_int_equal(chmod(path, 0666), 0);
	ruleset_free(STEAL(rs));
	assert_int_equal(load_with(pack, "strict", path, false, &rs, &err), RC_OK);
	assert_int_equal(hits_in(rs, SAMPLE), 4);
	assert_false(rule_set_get(rs, WHERE_TEXT, false)->ready);
	unlink(path);
	rmdir(folder);
}

static void test_engine_limit(void **state)
{
	struct err err = ERR_INIT;
	AUTO(ruleset) rs = NULL;
	AUTO(rule_scanner) s = NULL;
	AUTO_BUF text = BUF_INIT;
	size_t n = 0;

	(void)state;
	assert_int_equal(load_with("pack: p\nrules:\n  - id: a\n    kind: secret\n    where: text\n"
				   "    match: { regex: 'key(?:a{1,30}){1,30}[bc]' }\n",
				   "public", NULL, false, &rs, &err),
			 RC_OK);
	buf_add_str(&text, "first line\nkey");
	for (int i = 0; i < 3000; i++)
		buf_add_char(&text, 'a');
	buf_add_str(&text, "\nlast line\n");
	assert_int_equal(rule_scanner_new(rs, &s, &err), RC_OK);
	assert_int_equal(
		rule_scan(s, buf_span(&text), 0, text.len, WHERE_TEXT, false, count, &n, &err),
		RC_OK);
	assert_int_equal(n, 1); /* the line, as one hit with `limit` */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),	      cmocka_unit_test(test_unknown_policy),
		cmocka_unit_test(test_symbols),	      cmocka_unit_test(test_rule_info),
		cmocka_unit_test(test_lint_and_test), cmocka_unit_test(test_policies),
		cmocka_unit_test(test_prepared),      cmocka_unit_test(test_engine_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
