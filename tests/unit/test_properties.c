/* SPDX-License-Identifier: Apache-2.0 */
#include "scrub_fixture.h"

/*
 * What a filter must keep to on any input: bytes outside of findings unchanged, lines kept,
 * scrub∘scrub = scrub, and the same output however the input was read.
 */

#define ROUNDS 10000

static uint64_t random_state;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state >> 33) % n);
}

static const char *const fragments[] = {
	"192.0.2.7", "198.51.100.250", "10.1.2.3", "127.0.0.1", "1.2.3.4.5", "tel:+14155550123",
	"tel=14155550123", "bob@example.com", "a@b", "password=", "pass=", "hunter2", "correct.horse",
	"word", "pass<<x>>word=", "<<", ">>", "<<abc>>", "user=", "user=alice", "acct=",
	"acct=1234567890123456", "host=", "host=pbx.example.com", "HOST",
	"-----BEGIN KEY-----\n", "QUJD\n", "-----END KEY-----", "[phone~", "[user]", "[secret]",
	"[ip4~aaaaaaaaaa]", "]", "[", "~", "\n", "\n", "\n", "\r\n", " ", " ", "\t", "\"", "\\", "\\\"",
	"\\n", "\\000", "\\304", "%2B", "%3A", "%", "=", ", ", "{", "}", "\xc3\xa9", "\xff", "\xfe\x80",
	"#0  0x00005555 in f (a=1) at f.c:12\n", "#1  g (p=0x55 \"tel:14155550123\") at g.c:3\n",
	"        s = \"", "        passwd = \"correct horse\"\n",
	"        v = {passwd = \"ab\", 'c' <repeats 30 times>, \"de\", n = 3}\n",
	"        a = {s_addr = 1299251403}\n", "        i = 3328785957739653494\n",
	"        s = \"x\\000tel:14155550123\\000\"...\n", "Thread 2 (LWP 17):\n", "$1 = {x = \"",
	" <repeats 3 times>", "...", "0x7f",
};

static void add_fragment(struct buf *b)
{
	uint32_t what = random_below(20);

	if (what == 0)
		buf_add_char(b, (char)random_below(256));
	else if (what == 1)
		buf_add_char(b, '\0');
	else
		buf_add_str(b, fragments[random_below(ARRAY_SIZE(fragments))]);
}

static size_t count_lines(struct span s)
{
	size_t n = 0, i;

	for (i = 0; i < s.len; i++)
		n += s.p[i] == '\n';
	return n;
}

struct rebuilt { struct buf buf; uint64_t at; };

/* What the plans say, done by hand: all that isn't in an edit must be there as it was. */
static int rebuild(void *ctx, const struct artifact *a, const struct redact_plan *p)
{
	struct rebuilt *r = ctx;
	size_t i;

	assert_int_equal(p->from, r->at);
	for (i = 0; i < p->n_edits; i++) {
		const struct edit *e = &p->edits[i];

		assert_true(e->off >= r->at && e->len > 0 && e->off + e->len <= p->to);
		buf_add(&r->buf, a->text.p + r->at, e->off - r->at);
		buf_add(&r->buf, e->with, e->with_len);
		r->at = e->off + e->len;
		assert_int_equal(count_lines(span_make(a->text.p + e->off, e->len)),
				 count_lines(span_make(e->with, e->with_len)));
	}
	buf_add(&r->buf, a->text.p + r->at, p->to - r->at);
	r->at = p->to;
	return RC_OK;
}

static void print_bytes(const char *what, struct span s)
{
	size_t i;

	print_error("%s: \"", what);
	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\n')
			print_error("\\n\"\n\"");
		else if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
			print_error("\\%03o", c);
		else
			print_error("%c", c);
	}
	print_error("\"\n");
}

static void check_input(struct fixture *f, struct span in)
{
	struct rebuilt r = { .at = 0 };
	AUTO_BUF out = fixture_scrub(f, in, rebuild, &r);
	AUTO_BUF again = fixture_scrub(f, buf_span(&out), NULL, NULL);

	assert_int_equal(r.at, in.len);
	assert_true(span_eq(buf_span(&r.buf), buf_span(&out)));
	assert_int_equal(count_lines(in), count_lines(buf_span(&out)));
	if (!span_eq(buf_span(&out), buf_span(&again))) {
		print_bytes("input", in);
		print_bytes("once", buf_span(&out));
		print_bytes("twice", buf_span(&again));
		fail_msg("scrubbing twice changed something");
	}
	buf_done(&r.buf);
}

static void test_random_inputs(void **state)
{
	struct fixture f;
	unsigned i;

	(void)state;
	random_state = 20240229;
	fixture_open(&f, NULL, false);
	for (i = 0; i < ROUNDS; i++) {
		AUTO_BUF in = BUF_INIT;
		uint32_t n = random_below(24) + 1;

		while (n--)
			add_fragment(&in);
		check_input(&f, buf_span(&in));
	}
	fixture_close(&f);
}

static void test_every_single_byte(void **state)
{
	struct fixture f;
	int c;

	(void)state;
	fixture_open(&f, NULL, false);
	for (c = 0; c < 256; c++) {
		char byte = (char)c;
		AUTO_BUF out = fixture_scrub(&f, span_make(&byte, 1), NULL, NULL);

		assert_true(span_eq(buf_span(&out), span_make(&byte, 1)));
	}
	fixture_close(&f);
}

/* Larger than any range: the cuts between ranges must not show. */
static void test_many_ranges(void **state)
{
	AUTO_BUF in = BUF_INIT;
	AUTO_BUF parts = BUF_INIT;
	AUTO_BUF whole = BUF_INIT;
	struct fixture f;
	size_t at, end;

	(void)state;
	random_state = 7;
	while (in.len < MIB(5)) {
		if (random_below(40) == 0)
			buf_add_str(&in, "x\n-----BEGIN KEY-----\nQUJD\nQUJD\n-----END KEY-----\n");
		buf_addf(&in, "INVITE sip:%u@192.0.2.%u tel:+1415555%04u \xff password=abc%ux\n",
			 random_below(1000), random_below(256), random_below(10000), random_below(99999));
	}
	fixture_open(&f, NULL, false);
	whole = fixture_scrub(&f, buf_span(&in), NULL, NULL);
	/* a key block may not be cut: pieces end behind an INVITE line */
	for (at = 0; at < in.len; at = end) {
		struct buf one;
		ssize_t next = at + 40000 < in.len ?
			span_find(buf_span(&in), SPAN_LIT("\nINVITE"), at + 40000) : -1;

		end = next < 0 ? in.len : (size_t)next + 1;
		one = fixture_scrub(&f, span_sub(buf_span(&in), at, end), NULL, NULL);
		buf_add_span(&parts, buf_span(&one));
		buf_done(&one);
	}
	assert_true(span_eq(buf_span(&whole), buf_span(&parts)));
	fixture_close(&f);
}

static void test_one_long_line(void **state)
{
	static const char unit[] = "abc 192.0.2.7 \xff\xfe tel:14155550123 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ";
	AUTO_BUF in = BUF_INIT;
	AUTO_BUF out = BUF_INIT;
	struct fixture f;
	size_t at;

	(void)state;
	while (in.len < MIB(50)) {
		buf_add(&in, unit, sizeof(unit) - 1);
		for (at = 0; at < 8000; at += 64)
			buf_add_str(&in, "................................................................");
	}
	fixture_open(&f, NULL, false);
	out = fixture_scrub(&f, buf_span(&in), NULL, NULL);
	assert_int_equal(span_find(buf_span(&out), SPAN_LIT("192.0.2.7"), 0), -1);
	assert_int_equal(span_find(buf_span(&out), SPAN_LIT("14155550123"), 0), -1);
	assert_int_equal(count_lines(buf_span(&out)), 0);
	fixture_close(&f);
}

/* The same bytes from memory and through a pipe in dribs. */
static void test_read_sizes(void **state)
{
	static const size_t sizes[] = { 1, 7, 4096, 65536 };
	AUTO_BUF in = BUF_INIT;
	AUTO_BUF want = BUF_INIT;
	struct fixture f;
	size_t i;

	(void)state;
	random_state = 99;
	while (in.len < 60000)
		add_fragment(&in);
	fixture_open(&f, NULL, false);
	want = fixture_scrub(&f, buf_span(&in), NULL, NULL);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct err err = ERR_INIT;
		AUTO(artifact) a = NULL;
		struct sink_buf out;
		size_t at, n;
		int fds[2];

		assert_int_equal(pipe(fds), 0);
		if (fork() == 0) {
			close(fds[0]);
			for (at = 0; at < in.len; at += n) {
				n = in.len - at < sizes[i] ? in.len - at : sizes[i];
				if (write(fds[1], in.p + at, n) != (ssize_t)n)
					_exit(1);
			}
			_exit(0);
		}
		close(fds[1]);
		fixture_check(artifact_from_fd(fds[0], "pipe", ARTIFACT_TEXT, &a, &err), &err);
		close(fds[0]);
		sink_buf_init(&out);
		fixture_check(redact_all(f.r, f.d, a, &out.sink, NULL, NULL, &err), &err);
		assert_true(span_eq(buf_span(&out.buf), buf_span(&want)));
		buf_done(&out.buf);
	}
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_single_byte),
		cmocka_unit_test(test_random_inputs),
		cmocka_unit_test(test_many_ranges),
		cmocka_unit_test(test_one_long_line),
		cmocka_unit_test(test_read_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
