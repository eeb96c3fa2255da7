/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <corescrub/review.h>

static char folder[] = "/tmp/test_review.XXXXXX";

static char *in_folder(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, 0600);
}

/* Decisions. */

static void add(struct decisions *d, enum decision_verb verb, const char *what, const char *reason)
{
	struct decision one = {
		.verb = verb, .what = (char *)(uintptr_t)what, .kind = KIND_NAME,
		.reason = (char *)(uintptr_t)reason,
		.file = verb == DECISION_PLACE ? (char *)(uintptr_t)"a \"file\".txt" : NULL, .line = 7,
	};

	assert_int_equal(decisions_add(d, &one, NULL), RC_OK);
}

static void add_token(char *ret, unsigned char seed)
{
	uint8_t mac[DIGEST_LEN];

	memset(mac, seed, sizeof(mac));
	value_token_format(KIND_PHONE, mac, ret);
}

static void test_decisions_are_read_as_written(void **state)
{
	AUTO_FREE char *path = in_folder("round/case.decisions");
	AUTO(decisions) d = decisions_new("case", "0011223344556677");
	AUTO(decisions) r = NULL;
	struct err err = ERR_INIT;
	char token[VALUE_TOKEN_MAX];

	(void)state;
	add_token(token, 1);
	add(d, DECISION_ACCEPT, token, NULL);
	add(d, DECISION_KEEP, token, "so: \"it\" \\ must\tbe # \xc3\xa4");
	add(d, DECISION_REDACT, "- null: \x01'x'", NULL);
	add(d, DECISION_PATTERN, "[a-z]{1,3}\\d", NULL);
	add(d, DECISION_PLACE, "an engine limit", NULL);
	assert_int_equal(decisions_write(d, path, &err), RC_OK);
	assert_int_equal(decisions_read(path, &r, &err), RC_OK);
	assert_int_equal(r->n, d->n);
	assert_string_equal(r->case_name, "case");
	assert_string_equal(r->key, d->key);
	assert_string_equal(r->salt, d->salt);
	assert_memory_equal(r->sha256, d->sha256, DIGEST_LEN);
	for (size_t i = 0; i < d->n; i++) {
		assert_int_equal(r->v[i].verb, d->v[i].verb);
		assert_string_equal(r->v[i].what, d->v[i].what);
	}
	assert_string_equal(r->v[1].reason, d->v[1].reason);
	assert_int_equal(r->v[2].kind, KIND_NAME);
	assert_string_equal(r->v[4].file, "a \"file\".txt");
	assert_int_equal(r->v[4].line, 7);
	assert_int_equal(decisions_of_token(r, span_str(token))->verb, DECISION_KEEP);
	assert_int_equal(decisions_of_place(r, "an engine limit", "a \"file\".txt", 7), 1);
}

static void test_the_later_decision_counts(void **state)
{
	AUTO(decisions) d = decisions_new("case", NULL);
	char token[VALUE_TOKEN_MAX];

	(void)state;
	add_token(token, 2);
	add(d, DECISION_KEEP, token, "why");
	assert_true(decisions_keep(d, 0));
	add(d, DECISION_ACCEPT, token, NULL);
	assert_false(decisions_keep(d, 0));
	assert_int_equal(decisions_count(d, DECISION_KEEP), 0);
	decisions_undo(d);
	assert_int_equal(decisions_count(d, DECISION_KEEP), 1);
}

static void test_files_that_are_none(void **state)
{
	static const char *const bad[] = {
		"", "[]", "corescrub-decisions: 2\ncase: c\nkey: ''\nsalt: s\ndecisions: []\n",
		"corescrub-decisions: 1\ncase: c\nkey: ''\nsalt: s\ndecisions: {}\n",
		"corescrub-decisions: 1\ncase: c\nkey: ''\nsalt: s\ndecisions: [{}]\n",
		"corescrub-decisions: 1\ncase: c\nkey: ''\nsalt: s\ndecisions: [{accept: x}]\n",
		"corescrub-decisions: 1\ncase: c\nkey: ''\nsalt: s\ndecisions: [{keep: '[card]', reason: x}]\n",
		"corescrub-decisions: 1\ncase: c\nkey: ''\nsalt: s\ndecisions: [{redact: x}]\n",
		"corescrub-decisions: 1\ncase: c\nkey: ''\nsalt: s\ndecisions: [{redact: x, kind: y}]\n",
		"corescrub-decisions: 1\ncase: c\nkey: ''\nsalt: s\ndecisions: [{accept-place: x, file: y}]\n",
		"corescrub-decisions: 1\ncase: c\nkey: ''\nsalt: s\ndecisions: [{redact: x, accept: y}]\n",
		"corescrub-decisions: 1\ncase: c\nkey: ''\nsalt: s\ndecisions: [{redact: \"x\\0\", kind: name}]\n",
		"corescrub-decisions: 1\ncase: c\nkey: ''\nsalt: s\nmore: x\ndecisions: []\n",
	};
	AUTO_FREE char *path = in_folder("bad");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct decisions *d = NULL;
		struct err err = ERR_INIT;

		write_text(path, bad[i]);
		if (decisions_read(path, &d, &err) != RC_SYNTAX)
			fail_msg("file %zu was taken: %s", i, err.msg);
		assert_null(d);
	}
	chmod(path, 0644);
	assert_int_equal(decisions_read(path, &(struct decisions *){ NULL }, NULL), RC_REFUSED);
}

/* The walk, with answers from a list. */

struct script {
	const char *const *answers;
	struct buf screen;
};

static void script_write(void *ctx, struct span text)
{
	buf_add_span(&((struct script *)ctx)->screen, text);
}

static bool script_read(void *ctx, const char *prompt, struct buf *ret)
{
	struct script *s = ctx;

	buf_add_str(&s->screen, prompt);
	buf_add_char(&s->screen, '\n');
	if (!*s->answers)
		return false;
	buf_add_str(ret, *s->answers++);
	buf_add_char(ret, '\n');
	return true;
}

static int any_pattern(const char *regex, struct err *err)
{
	return strchr(regex, '(') ? err_set(err, RC_SYNTAX, "it is open") : RC_OK;
}

static void walk(struct span text, const char *const *answers, struct decisions *d, struct buf *screen,
		 struct review_result *ret)
{
	AUTO_FREE char *path = in_folder("walk.decisions");
	const struct review_text texts[] = { { "full.txt", text } };
	const struct review_item items[] = { { true, "an engine limit", "full.txt", 2, 1 },
					     { false, "far away", "other.txt", 9, 4000000 } };
	struct script script = { .answers = answers, .screen = BUF_INIT };
	struct review_job job = {
		.texts = texts, .n_texts = 1, .items = items, .n_items = 2, .can_keep = true,
		.decisions = d, .path = path, .check_pattern = any_pattern,
		.terminal = { script_write, script_read, &script, 24, 80, false },
	};

	assert_int_equal(review_walk(&job, ret, NULL), RC_OK);
	*screen = script.screen;
}

/* Every screen fits: no line over 80 columns, no byte a terminal would act on. */
static void check_screen(const struct buf *screen)
{
	size_t column = 0;

	for (size_t i = 0; i < screen->len; i++) {
		unsigned char c = (unsigned char)screen->p[i];

		assert_true(c == '\n' || (c >= 0x20 && c < 0x7f));
		column = c == '\n' ? 0 : column + 1;
		assert_true(column <= 80);
	}
}

static void test_walk(void **state)
{
	static const char *const answers[] = {
		"?", "a", "A", "k", "", "k", "a reason", "r", "/(/", "r", "/x{2}/", "host", "r", "ab", "r",
		"Example Ltd", "bogus", "", "m", "p", "n", "zz", "r", "something", "", "u", "a", NULL,
	};
	AUTO(decisions) d = decisions_new("case", "k");
	AUTO_BUF text = BUF_INIT, screen = BUF_INIT;
	char one[VALUE_TOKEN_MAX], two[VALUE_TOKEN_MAX];
	struct review_result result;

	(void)state;
	add_token(one, 3);
	add_token(two, 4);
	buf_addf(&text, "first\nsecond \033[31m\a %s Example Ltd\n", one);
	for (int i = 0; i < 5000; i++)
		buf_add_char(&text, "\x01\xff long"[i % 7]);
	buf_addf(&text, "%s %s\n%s", one, two, two);
	walk(buf_span(&text), answers, d, &screen, &result);
	check_screen(&screen);
	assert_int_equal(result.all, 4);
	assert_int_equal(result.left, 0);
	assert_int_equal(result.left_open, 0);
	assert_int_equal(decisions_count(d, DECISION_PLACE), 2);
	assert_int_equal(decisions_count(d, DECISION_KEEP), 1);
	assert_int_equal(decisions_count(d, DECISION_PATTERN), 1);
	assert_int_equal(decisions_count(d, DECISION_REDACT), 1);
	assert_int_equal(decisions_count(d, DECISION_ACCEPT), 1);
	assert_non_null(strstr(screen.p, "Not kept: a reason is needed."));
	assert_non_null(strstr(screen.p, "it is open"));
	assert_non_null(strstr(screen.p, "It stands 1 times"));
}

static void test_walk_over_nothing(void **state)
{
	static const char *const answers[] = { "s", NULL };
	AUTO(decisions) d = decisions_new("case", "k");
	AUTO_BUF screen = BUF_INIT;
	struct review_result result;

	(void)state;
	walk(span_make("", 0), answers, d, &screen, &result);
	assert_int_equal(result.all, 2);
	assert_int_equal(result.left_open, 1);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	AUTO_FREE char *command = xasprintf("rm -rf %s", folder);

	(void)state;
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decisions_are_read_as_written),
		cmocka_unit_test(test_the_later_decision_counts),
		cmocka_unit_test(test_files_that_are_none),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_walk_over_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
