/* SPDX-License-Identifier: Apache-2.0 */
#include "scrub_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct fixture fix;

static int setup(void **state)
{
	(void)state;
	fixture_open(&fix, NULL, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_close(&fix);
	return 0;
}

/* `want` with {kind:value} for tokens. */
static void check(const char *in, const char *want)
{
	AUTO_BUF expect = BUF_INIT;
	AUTO_BUF out = fixture_scrub(&fix, span_str(in), NULL, NULL);
	AUTO_BUF again = fixture_scrub(&fix, buf_span(&out), NULL, NULL);

	while (*want) {
		const char *colon = strchr(want, ':'), *end = strchr(want, '}');
		enum kind kind;

		if (*want == '{' && colon && end && colon < end &&
		    value_kind_parse(span_make(want + 1, (size_t)(colon - want - 1)), &kind)) {
			AUTO_FREE char *value = xstrndup(colon + 1, (size_t)(end - colon - 1));
			char token[64];

			fixture_token(&fix, kind, value, token);
			buf_add_str(&expect, token);
			want = end + 1;
		} else {
			buf_add_char(&expect, *want++);
		}
	}
	buf_add_char(&out, '\0');
	buf_add_char(&expect, '\0');
	buf_add_char(&again, '\0');
	assert_string_equal(out.p, expect.p);
	assert_string_equal(again.p, out.p);
}

static void test_actions(void **state)
{
	(void)state;
	check("from 192.0.2.7 to 192.0.2.8\n", "from {ip4:192.0.2.7} to {ip4:192.0.2.8}\n");
	check("at 127.0.0.1 and 10.1.2.3\n", "at 127.0.0.1 and {ip4:10.1.2.3}\n");
	check("user=alice x\n", "user=[user] x\n");
	check("acct=1234567890123456 x\n", "acct=[account]3456 x\n");
	check("acct=12345 x\n", "acct=[account] x\n");
	check("host=pbx7.example x\n", "host=HOST x\n");
	check("a <<name>> b\n", "a  b\n");
	check("password=hunter2 x\n", "password=[secret] x\n");
	check("password=hunter22x x\n", "password={secret:hunter22x} x\n");
}

static void test_overlap_covers_the_union(void **state)
{
	(void)state;
	/* the e-mail rule takes the address's digits too; the longer one wins */
	check("bob@192.0.2.7\n", "{email:bob@192.0.2.7}\n");
	/* the password is more severe than the longer e-mail: the union goes as a secret */
	check("pass=abcdefgh@example.com;\n", "pass={secret:abcdefgh@example.com;}\n");
	check("tel=+14155550123@192.0.2.7\n", "tel={email:14155550123@192.0.2.7}\n");
}

static void test_tokens_are_barriers(void **state)
{
	char token[64], line[200], want[200];

	(void)state;
	fixture_token(&fix, KIND_PHONE, "+14155550123", token);
	snprintf(line, sizeof(line), "password=%s user=[user]\n", token);
	check(line, line);
	/* what a rule matches beside a token goes, the token stays */
	snprintf(line, sizeof(line), "password=abcdefghij%s-tail12345\n", token);
	snprintf(want, sizeof(want), "password={secret:abcdefghij}%s{secret:-tail12345}\n", token);
	check(line, want);
	/* a wrong check character is ordinary text */
	token[strlen(token) - 2] = token[strlen(token) - 2] == 'a' ? 'b' : 'a';
	snprintf(line, sizeof(line), "password=%s\n", token);
	snprintf(want, sizeof(want), "password={secret:%s}\n", token);
	check(line, want);
}

static void test_closure_finds_what_redaction_made(void **state)
{
	(void)state;
	check("pass<<x>>word=abcdefgh\n", "password={secret:abcdefgh}\n");
	check("192.<<a>>0.2.<<b>>7\n", "[ip4]\n");
}

static void test_newlines_stay(void **state)
{
	(void)state;
	check("x\n-----BEGIN KEY-----\nAAAA\nBBBB\n-----END KEY-----\ny\n",
	      "x\n{key:-----BEGIN KEY-----\nAAAA\nBBBB\n-----END KEY-----}\n\n\n\ny\n");
}

static void test_counts_and_values(void **state)
{
	const struct redact_count *c;
	struct fixture f;
	struct buf out;
	size_t n, i;
	bool seen = false;

	(void)state;
	fixture_open(&f, NULL, false);
	out = fixture_scrub(&f, SPAN_LIT("192.0.2.7 192.0.2.7 192.0.2.8\n[user]\n"), NULL, NULL);
	buf_done(&out);
	c = redact_counts(f.r, &n);
	for (i = 0; i < n; i++) {
		assert_int_equal(c[i].count, 3);
		assert_int_equal(c[i].distinct, 2);
		seen = true;
	}
	assert_true(seen);
	assert_int_equal(redact_preexisting(f.r), 1);
	assert_int_equal(redact_open_items(f.r), 0);
	fixture_close(&f);
}

/* Texts that spell the same values otherwise: which spelling is the first one depends on the
   order. */
static const char *const shared_texts[] = {
	"at 192.0.2.7 tel=4155550123 [user]\n",
	"tel=+14155550123 and 192.0.2.8, tel=14155550123\n",
	"tel:14155550123 at 192.0.2.7, 198.51.100.4, tel=+14155550123\n",
};

static void join_text(struct fixture *f, const char *text)
{
	struct redactor *whole = f->r;
	struct err err = ERR_INIT;
	struct buf out;

	f->r = redactor_part(whole);
	out = fixture_scrub(f, span_str(text), NULL, NULL);
	fixture_check(redactor_join(whole, f->r, &err), &err);
	redactor_free(f->r);
	f->r = whole;
	buf_done(&out);
}

/* The map's text without its date. */
static void map_of(const struct redactor *r, struct buf *ret)
{
	AUTO_BUF map = BUF_INIT;
	struct span all;

	redact_map_text(r, "test", (struct span){ NULL, 0 }, &map);
	all = buf_span(&map);
	for (size_t at = 0, end; at < all.len; at = end) {
		end = span_line_end(all, at);
		if (!span_starts(span_sub(all, at, end), SPAN_LIT("created ")))
			buf_add_span(ret, span_sub(all, at, end));
	}
	buf_add_char(ret, '\0');
}

static void test_parts_are_as_one(void **state)
{
	struct fixture one, parts;
	AUTO_BUF want = BUF_INIT;
	AUTO_BUF got = BUF_INIT;
	const struct redact_count *a, *b;
	size_t n, m;

	(void)state;
	fixture_open(&one, NULL, true);
	fixture_open(&parts, NULL, true);
	for (size_t i = 0; i < ARRAY_SIZE(shared_texts); i++) {
		struct buf out = fixture_scrub(&one, span_str(shared_texts[i]), NULL, NULL);

		buf_done(&out);
		join_text(&parts, shared_texts[i]);
	}
	map_of(one.r, &want);
	map_of(parts.r, &got);
	assert_non_null(strstr(want.p, "\nat "));
	assert_string_equal(got.p, want.p);
	a = redact_counts(one.r, &n);
	b = redact_counts(parts.r, &m);
	assert_int_equal(n, m);
	for (size_t i = 0; i < n; i++)
		assert_memory_equal(&a[i], &b[i], sizeof(a[i]));
	assert_int_equal(redact_preexisting(parts.r), redact_preexisting(one.r));
	fixture_close(&one);
	fixture_close(&parts);
}

static void test_one_value_has_one_token(void **state)
{
	char a[64], b[64];

	(void)state;
	fixture_token(&fix, KIND_PHONE, "+1 (415) 555-0123", a);
	fixture_token(&fix, KIND_PHONE, "+14155550123", b);
	assert_string_equal(a, b);
	fixture_token(&fix, KIND_SECRET, "1234567", a);
	assert_string_equal(a, "[secret]");
	fixture_token(&fix, KIND_CARD, "4111111111111111", a);
	assert_string_equal(a, "[card]");
	fixture_token(&fix, KIND_IP4, "10.0.0.1", a);
	assert_memory_equal(a, "[ip4-lan~", 9);
}

static void test_the_map_holds_what_may(void **state)
{
	char folder[] = "/tmp/corescrub-map-XXXXXX";
	AUTO_FREE char *path = NULL;
	struct err err = ERR_INIT;
	AUTO_BUF map = BUF_INIT;
	struct fixture f;
	struct stat st;
	struct buf out;
	int i;

	(void)state;
	assert_non_null(mkdtemp(folder));
	path = xasprintf("%s/deep/test.map", folder);
	for (i = 0; i < 2; i++) {	/* the second run of a case adds to the first */
		fixture_open(&f, NULL, true);
		out = fixture_scrub(&f, i ? SPAN_LIT("192.0.2.8\n") :
				    SPAN_LIT("tel:+14155550123 tel:14155550123 192.0.2.7\n"
					     "password=hunter22x\n"), NULL, NULL);
		fixture_check(redact_map_write(f.r, path, "test", &err), &err);
		buf_done(&out);
		fixture_close(&f);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	fixture_check(file_read(path, MIB(1), &map, &err), &err);
	assert_true(span_starts(buf_span(&map), SPAN_LIT("corescrub-map 1\ncase \"test\"\n")));
	assert_true(span_find(buf_span(&map), SPAN_LIT("phone \"+14155550123\"\n"), 0) > 0);
	assert_true(span_find(buf_span(&map), SPAN_LIT(" \"14155550123\"\n"), 0) > 0);
	assert_true(span_find(buf_span(&map), SPAN_LIT("ip4 \"192.0.2.7\"\n"), 0) > 0);
	assert_true(span_find(buf_span(&map), SPAN_LIT("ip4 \"192.0.2.8\"\n"), 0) > 0);
	assert_int_equal(span_find(buf_span(&map), SPAN_LIT("hunter22x"), 0), -1);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	rmdir(folder);
}

static void test_key_files(void **state)
{
	char path[] = "/tmp/corescrub-key-XXXXXX";
	struct err err = ERR_INIT;
	struct secret *key = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "0123456789abcdef0123456789abcdef", 32), 32);
	fixture_check(redact_key_read(path, &key, &err), &err);
	assert_int_equal(secret_span(key).len, 32);
	secret_free(key);
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_int_equal(redact_key_read(path, &key, &err), RC_REFUSED);
	assert_int_equal(fchmod(fd, 0600), 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(redact_key_read(path, &key, &err), RC_REFUSED);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_overlap_covers_the_union),
		cmocka_unit_test(test_tokens_are_barriers),
		cmocka_unit_test(test_closure_finds_what_redaction_made),
		cmocka_unit_test(test_newlines_stay),
		cmocka_unit_test(test_counts_and_values),
		cmocka_unit_test(test_parts_are_as_one),
		cmocka_unit_test(test_one_value_has_one_token),
		cmocka_unit_test(test_the_map_holds_what_may),
		cmocka_unit_test(test_key_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
