/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <corescrub/base/limits.h>
#include <corescrub/conf.h>
#include <stdlib.h>

static void test_tree(void **state)
{
	static const char text[] =
		"# settings\nname: \"a\\tb\"\nlist: [x, 'y z']\nflag: true\nquoted: \"true\"\n"
		"n: 42\nmap:\n  deep: {a: 1}\n";
	struct err err = ERR_INIT;
	AUTO(conf) c = NULL;
	const struct conf_node *root, *n;
	struct span s = { NULL, 0 };
	const struct span *v = NULL;
	size_t count = 0;
	bool flag = false;
	long number = 7;

	(void)state;
	assert_int_equal(conf_parse(SPAN_LIT(text), "t.yaml", &c, &err), RC_OK);
	root = conf_root(c);
	assert_int_equal(root->type, CONF_MAP);
	assert_int_equal(root->n, 6);
	assert_int_equal(conf_get_string(c, root, "name", &s, &err), RC_OK);
	assert_true(span_eq_str(s, "a\tb"));
	assert_int_equal(conf_get_strings(c, root, "list", &v, &count, &err), RC_OK);
	assert_int_equal(count, 2);
	assert_true(span_eq_str(v[1], "y z"));
	assert_int_equal(conf_get_strings(c, root, "name", &v, &count, &err), RC_OK);
	assert_int_equal(count, 1);
	assert_int_equal(conf_get_bool(c, root, "flag", &flag, &err), RC_OK);
	assert_true(flag);
	assert_int_equal(conf_get_int(c, root, "missing", 0, 9, &number, &err), RC_OK);
	assert_int_equal(number, 7);
	assert_int_equal(conf_get_int(c, root, "n", 0, 99, &number, &err), RC_OK);
	assert_int_equal(number, 42);
	n = conf_get(conf_get(conf_get(root, "map"), "deep"), "a");
	assert_int_equal(n->line, 8);
	assert_int_equal(n->col, 13);
	assert_int_equal(conf_get_bool(c, root, "quoted", &flag, &err), RC_SYNTAX);
	assert_int_equal(err.line, 5);
	assert_int_equal(err.col, 9);
	assert_int_equal(conf_get_int(c, root, "n", 0, 9, &number, &err), RC_SYNTAX);
	assert_int_equal(conf_get_string(c, root, "list", &s, &err), RC_SYNTAX);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned line, col;
	} cases[] = {
		{ "a: [1, 2\n", 2, 1 },
		{ "a: 1\n b: 2\n", 2, 3 },
		{ "a: &x 1\n", 1, 4 },
		{ "a: *x\n", 1, 4 },
		{ "a: !!str 1\n", 1, 4 },
		{ "a: 1\n---\nb: 2\n", 2, 1 },
		{ "a: 1\nb: 2\na: 3\n", 3, 1 },
		{ "{[a]: 1}\n", 1, 2 },
		{ "a: \"\\q\"\n", 1, 5 },
		{ "a: \xff\n", 1, 4 },
		{ "a: 'x\n", 2, 1 },
		{ "\t- a\n", 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		AUTO(conf) c = NULL;
		int rc = conf_parse(span_str(cases[i].text), "t.yaml", &c, &err);

		if (rc != RC_SYNTAX || err.line != cases[i].line || err.col != cases[i].col)
			fail_msg("case %zu: rc %d at %u:%u %s", i, rc, err.line, err.col, err.msg);
		assert_string_equal(err.file, "t.yaml");
	}
}

static void test_limits(void **state)
{
	struct err err = ERR_INIT;
	AUTO(conf) c = NULL;
	AUTO_BUF deep = BUF_INIT, wide = BUF_INIT;

	(void)state;
	for (int i = 0; i <= LIMIT_YAML_DEPTH; i++)
		buf_add_char(&deep, '[');
	assert_int_equal(conf_parse(buf_span(&deep), "t", &c, &err), RC_SYNTAX);
	buf_add_char(&wide, '[');
	for (int i = 0; i <= LIMIT_YAML_NODES; i++)
		buf_add_str(&wide, "1,");
	buf_add_char(&wide, ']');
	assert_int_equal(conf_parse(buf_span(&wide), "t", &c, &err), RC_SYNTAX);
	assert_null(c);
}

/* All of a text is read, also behind a NUL: nothing hides there, and nothing else is read. */
static void test_nul(void **state)
{
	struct err err = ERR_INIT;
	AUTO(conf) c = NULL;

	(void)state;
	assert_int_equal(conf_parse(SPAN_LIT("a: b\n# \0\nc: d\n"), "t", &c, &err), RC_SYNTAX);
	assert_int_equal(err.line, 2);
	assert_null(c);
}

static void test_empty(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 3; i++) {
		AUTO(conf) c = NULL;

		assert_int_equal(conf_parse(i == 0   ? SPAN_LIT("")
					    : i == 1 ? SPAN_LIT("# x\n")
						     : SPAN_LIT("{}"),
					    "t", &c, &err),
				 RC_OK);
		assert_int_equal(conf_root(c)->type, CONF_MAP);
		assert_int_equal(conf_root(c)->n, 0);
		assert_null(conf_get(conf_root(c), "x"));
	}
}

static void test_keys(void **state)
{
	static const char *const known[] = { "severity", "summary", "where", NULL };
	struct err err = ERR_INIT;
	AUTO(conf) c = NULL;

	(void)state;
	assert_int_equal(conf_parse(SPAN_LIT("where: 1\nsevrity: 2\n"), "t", &c, &err), RC_OK);
	assert_int_equal(conf_check_keys(c, conf_root(c), known, &err), RC_SYNTAX);
	assert_int_equal(err.line, 2);
	assert_non_null(strstr(err.msg, "\"severity\""));
	assert_string_equal(conf_nearest(SPAN_LIT("wher"), known), "where");
}

/* A place inside a scalar, in each of YAML's styles. */
static void test_places(void **state)
{
	static const struct {
		const char *text;
		size_t off;
		unsigned line, col;
	} cases[] = {
		{ "a: abcd\n", 2, 1, 6 },
		{ "a: 'abcd'\n", 2, 1, 7 },
		{ "a: 'a''cd'\n", 2, 1, 8 },
		{ "a: \"a\\tcd\"\n", 2, 1, 8 },
		{ "a: \"a\\\\cd\"\n", 2, 1, 8 },
		{ "a: |\n  ab\n  cd\n", 3, 3, 3 },
		{ "a: >\n  ab\n  cd\n", 4, 3, 4 },
		{ "a: ab\n  cd\n", 3, 2, 3 },
		{ "\xc3\xa4: '\xc3\xa4zd'\n", 2, 1, 6 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		AUTO(conf) c = NULL;

		assert_int_equal(conf_parse(span_str(cases[i].text), "t", &c, &err), RC_OK);
		conf_err_in(c, conf_root(c)->items[0], cases[i].off, &err, "here");
		if (err.line != cases[i].line || err.col != cases[i].col)
			fail_msg("case %zu: %u:%u", i, err.line, err.col);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),   cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_nul),
		cmocka_unit_test(test_empty),  cmocka_unit_test(test_keys),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
