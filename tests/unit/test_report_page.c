/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include <corescrub/artifact_seal.h>
#include <corescrub/report.h>

static const struct finding_rule rule = { "pack.<b>", "what & why", KIND_PHONE, SEVERITY_HIGH,
					  ACTION_TOKEN, 0, NULL };

static struct scrubbed *text(const char *name, struct span content)
{
	struct buf b = BUF_INIT;

	buf_add_span(&b, content);
	return scrubbed_seal(name, &b);
}

/* The page of one text. */
static void page_of(const char *name, struct span content, struct buf *ret)
{
	struct scrubbed *s = text(name, content);
	const struct scrubbed *const texts[] = { s };
	const struct report_row row = { &rule, 1000, 2 };
	const struct report_file file = { name, "full", content.len, { 1 }, false };
	const struct report_account a = {
		.case_name = "<script>alert(1)</script>", .tool = "corescrub", .policy = "public",
		.rows = &row, .n_rows = 1, .files = &file, .n_files = 1, .texts = texts, .n_texts = 1,
		.open = 1, .hints = 1,
	};

	assert_int_equal(report_page(&a, ret, NULL), RC_OK);
	scrubbed_free(s);
}

static bool holds(const struct buf *b, const char *what)
{
	return span_find(buf_span(b), span_str(what), 0) >= 0;
}

static size_t count(const struct buf *b, const char *what)
{
	size_t n = 0;

	for (ssize_t at = 0; (at = span_find(buf_span(b), span_str(what), (size_t)at)) >= 0; at++)
		n++;
	return n;
}

static void add_token(struct buf *b)
{
	uint8_t mac[DIGEST_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	char token[VALUE_TOKEN_MAX];

	buf_add(b, token, value_token_format(KIND_PHONE, mac, token));
}

static void test_everything_is_escaped(void **state)
{
	AUTO_BUF page = BUF_INIT;

	(void)state;
	page_of("\"><img src=x>.txt", SPAN_LIT("</pre><script>x()</script> & \"q\" 'a'\n"
		"nul \0 esc \033[31m cr\r\nbidi \xe2\x80\xae zero \xe2\x80\x8b bad \xff\xc0\xaf c1 \xc2\x85\n"
		"tab\there \xc3\xa4\n"), &page);
	assert_false(holds(&page, "<script"));
	assert_false(holds(&page, "<img"));
	assert_false(holds(&page, "pack.<b>"));
	assert_true(holds(&page, "&lt;/pre&gt;&lt;script&gt;x()&lt;/script&gt; &amp; &quot;q&quot; &#39;a&#39;\n"));
	assert_true(holds(&page, "nul <i>\\x00</i> esc <i>\\x1b</i>[31m cr<i>\\r</i>\n"));
	assert_true(holds(&page, "bidi <i>&lt;U+202E&gt;</i> zero <i>&lt;U+200B&gt;</i> bad "
				 "<i>\\xff</i><i>\\xc0</i><i>\\xaf</i> c1 <i>&lt;U+0085&gt;</i>\n"));
	assert_true(holds(&page, "tab\there \xc3\xa4\n"));
	assert_true(holds(&page, "&lt;script&gt;alert(1)"));
	for (size_t i = 0; i < page.len; i++)
		assert_true((unsigned char)page.p[i] >= ' ' || page.p[i] == '\n' || page.p[i] == '\t');
}

/* One policy, whose only permission is the digest of the only style. */
static void test_policy_fits_the_style(void **state)
{
	AUTO_BUF page = BUF_INIT, wanted = BUF_INIT;
	const char *from, *to;
	uint8_t digest[DIGEST_LEN];

	(void)state;
	page_of("a", SPAN_LIT("x\n"), &page);
	from = strstr(page.p, "<style>") + 7;
	to = strstr(page.p, "</style>");
	digest_sha256(span_make(from, (size_t)(to - from)), digest);
	buf_add_str(&wanted, "content=\"default-src 'none'; style-src 'sha256-");
	value_base64_encode(span_make((char *)digest, DIGEST_LEN), &wanted);
	buf_add_str(&wanted, "'; base-uri 'none'; form-action 'none'\"");
	assert_true(holds(&page, wanted.p));
	assert_int_equal(count(&page, "<style"), 1);
	assert_false(holds(&page, " style="));
	assert_false(holds(&page, "http:"));
	assert_false(holds(&page, "https:"));
	assert_false(holds(&page, "src="));
}

static void test_tokens_are_marked(void **state)
{
	AUTO_BUF page = BUF_INIT, content = BUF_INIT;

	(void)state;
	buf_add_str(&content, "from ");
	add_token(&content);
	buf_add_str(&content, " with [secret] and [phone~aaaaaaaaaz] and [1]\n");
	page_of("a", buf_span(&content), &page);
	assert_true(holds(&page, "from <mark class=p>[phone~"));
	assert_true(holds(&page, "</mark> with <mark class=s>[secret]</mark> and [phone~aaaaaaaaaz] and [1]\n"));
	assert_true(holds(&page, "1 lines, 2 tokens"));
}

static void test_long_text_is_cut_and_says_so(void **state)
{
	AUTO_BUF page = BUF_INIT, content = BUF_INIT;

	(void)state;
	for (int i = 1; i <= 600000; i++) {
		buf_addf(&content, "line number %d of a text that goes on and on and on, and then on,"
			 " to make it long enough", i);
		if (i == 300000)
			add_token(&content);
		buf_add_char(&content, '\n');
	}
	assert_true(content.len > MIB(50));
	page_of("a", buf_span(&content), &page);
	assert_true(page.len < KIB(64));
	assert_true(holds(&page, "… 299,997 lines without a token"));
	assert_true(holds(&page, "<u>299998</u>"));
	assert_true(holds(&page, "<u>300002</u>"));
	assert_false(holds(&page, "<u>300003</u>"));
	assert_true(holds(&page, "… 299,998 lines without a token"));
	assert_true(holds(&page, "Long, so only its lines with tokens are here"));
}

static void test_page_has_a_size(void **state)
{
	AUTO_BUF page = BUF_INIT, content = BUF_INIT, bytes = BUF_INIT;

	(void)state;
	for (int i = 0; i < 400000; i++) {
		buf_addf(&content, "%d call from ", i);
		add_token(&content);
		buf_add_str(&content, " with a message that takes some room, and more of it\n");
	}
	page_of("a", buf_span(&content), &page);
	assert_true(page.len < LIMIT_PAGE_TEXT + KIB(64));
	assert_true(holds(&page, "more lines with tokens or near them are not shown: see the file itself"));
	buf_reset(&page);
	/* one line, and all of it characters that take many to show */
	for (int i = 0; i < 50; i++)
		for (int k = 0; k < 1 << 20; k++)
			buf_add_char(&bytes, '\1');
	page_of("a", buf_span(&bytes), &page);
	assert_true(page.len < LIMIT_PAGE_TEXT + KIB(64));
}

static void test_archive_is_only_named(void **state)
{
	AUTO_BUF page = BUF_INIT;

	(void)state;
	page_of("logs.gz", SPAN_LIT("\x1f\x8b\x08\0\0\0\0\0\0\3abc"), &page);
	assert_true(holds(&page, "<code>logs.gz</code> is compressed or an archive"));
	assert_false(holds(&page, "<i>\\x1f</i>"));
}

static void test_neighbours_are_shown_once(void **state)
{
	AUTO_BUF page = BUF_INIT, content = BUF_INIT;

	(void)state;
	while (content.len <= LIMIT_PAGE_WHOLE)
		buf_add_str(&content, "plain\n");
	for (int i = 0; i < 3; i++) {
		buf_add_str(&content, "n1\nn2\n");
		add_token(&content);
		buf_add_str(&content, "\nn3\n");
	}
	page_of("a", buf_span(&content), &page);
	assert_int_equal(count(&page, "</u>n1\n"), 3);
	assert_int_equal(count(&page, "</u>n2\n"), 3);
	assert_int_equal(count(&page, "</u>n3\n"), 3);
	assert_int_equal(count(&page, "</u>plain\n"), 0);
}

static void test_private_page(void **state)
{
	struct scrubbed *s = text("core-full.txt", SPAN_LIT("first\nsecond <line>\nlast"));
	const struct scrubbed *const texts[] = { s };
	const struct report_item items[] = {
		{ "core-full.txt", 2, 8, "looks unusual", false },
		{ "core-full.txt", 3, 1, "an engine limit", true },
		{ "core-full.txt", 4, 1, "behind the end", true },
		{ "not-there.txt", 1, 1, "no such text", false },
	};
	const struct report_account a = { .texts = texts, .n_texts = 1, .open = 2, .hints = 9 };
	AUTO_BUF page = BUF_INIT;

	(void)state;
	assert_int_equal(report_private_page(&a, items, 4, &page, NULL), RC_OK);
	assert_true(holds(&page, "Open items (2)"));
	assert_true(holds(&page, "an engine limit<small>core-full.txt, line 3, column 1</small></p>"
				 "<code>last</code>"));
	assert_true(holds(&page, "line 2, column 8</small></p><code>second &lt;line&gt;</code>"));
	assert_true(holds(&page, "behind the end<small>core-full.txt, line 4, column 1</small></p></li>"));
	assert_true(holds(&page, "no such text"));
	assert_true(holds(&page, "Not listed: 7 more."));
	scrubbed_free(s);
}

/* The public page says nothing of what was left. */
static void test_public_page_keeps_quiet(void **state)
{
	AUTO_BUF page = BUF_INIT;

	(void)state;
	page_of("a", SPAN_LIT("x\n"), &page);
	assert_false(holds(&page, "Open items"));
	assert_false(holds(&page, "Hints"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_escaped),
		cmocka_unit_test(test_policy_fits_the_style),
		cmocka_unit_test(test_tokens_are_marked),
		cmocka_unit_test(test_long_text_is_cut_and_says_so),
		cmocka_unit_test(test_page_has_a_size),
		cmocka_unit_test(test_archive_is_only_named),
		cmocka_unit_test(test_neighbours_are_shown_once),
		cmocka_unit_test(test_private_page),
		cmocka_unit_test(test_public_page_keeps_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
