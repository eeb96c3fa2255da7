/* SPDX-License-Identifier: Apache-2.0 */
#include "scrub_fixture.h"

#include <corescrub/check.h>

/* A core's memory: what is found in bytes, and what takes its place. */

#define CONTEXT 64 /* enough for what these tests hold */

static struct fixture fix;
static struct detect_addresses *known;

static int setup(void **state)
{
	struct learned *l = learned_new();
	struct err err = ERR_INIT;

	(void)state;
	fixture_check(learned_add(l, KIND_SECRET, SPAN_LIT("Otter-51-quartz"), LEARN_CONFIG, &err),
		      &err);
	fixture_open(&fix, l, false);
	known = detect_addresses_new();
	detect_addresses_add(known, KIND_IP4, SPAN_LIT("203.0.113.77"));
	detect_addresses_add(known, KIND_IP6, SPAN_LIT("2001:db8:51::7a"));
	detect_addresses_add(known, KIND_IP4, SPAN_LIT("127.0.0.1"));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	detect_addresses_free(known);
	fixture_close(&fix);
	return 0;
}

/* Memory that is being scrubbed: chunks of a size, with CONTEXT around each. */
struct memory {
	struct buf in, out;
	uint64_t replaced, open;
};

static int on_late(void *ctx, uint64_t off, struct span bytes, struct err *err)
{
	struct memory *m = ctx;

	(void)err;
	assert_true(off + bytes.len <= m->out.len);
	memcpy(m->out.p + off, bytes.p, bytes.len);
	return RC_OK;
}

static void scrub_chunk(struct memory *m, struct redact_fill *fill, size_t at, size_t size)
{
	size_t low = at < CONTEXT ? 0 : at - CONTEXT,
	       to = at + size < m->in.len ? at + size : m->in.len;
	size_t high = to + CONTEXT < m->in.len ? to + CONTEXT : m->in.len;
	AUTO_BUF bytes = BUF_INIT;
	struct findings found;
	struct redact_chunk chunk;
	struct detect_window w;
	struct err err = ERR_INIT;

	buf_add(&bytes, m->in.p + low, high - low);
	findings_init(&found, NULL, 0);
	w = (struct detect_window){
		.bytes = buf_span(&bytes), .off = low, .from = at - low, .to = to - low
	};
	fixture_check(detect_memory_rules(fix.d, &w, &found, &err), &err);
	fixture_check(detect_memory_learned(fix.d, &w, known, &found, &err), &err);
	chunk = (struct redact_chunk){ .bytes = bytes.p,
				       .len = bytes.len,
				       .from = w.from,
				       .to = w.to,
				       .off = low,
				       .found = &found };
	fixture_check(redact_fill_chunk(fill, &chunk, &err), &err);
	memcpy(m->out.p + at, bytes.p + w.from, to - at);
	findings_done(&found);
}

static void scrub(struct memory *m, size_t size, const struct detect_range *fixed, size_t n_fixed)
{
	struct redact_fill_job job = { .redactor = fix.r,
				       .detector = fix.d,
				       .late = on_late,
				       .ctx = m,
				       .fixed = fixed,
				       .n_fixed = n_fixed };
	AUTO(redact_fill) fill = redact_fill_new(&job);
	struct err err = ERR_INIT;

	buf_reset(&m->out);
	for (size_t i = 0; i < m->in.len; i++)
		buf_add_char(&m->out, '?');
	for (size_t at = 0; at < m->in.len; at += size)
		scrub_chunk(m, fill, at, size);
	fixture_check(redact_fill_end(fill, &err), &err);
	m->replaced = redact_fill_count(fill, &m->open);
}

static void memory_done(struct memory *m)
{
	buf_done(&m->in);
	buf_done(&m->out);
}

/* The token's ten characters, the kind, dots: n bytes of them. */
static void fill_of(enum kind kind, const char *value, char *ret, size_t n)
{
	char token[64];
	AUTO_BUF b = BUF_INIT;
	const char *tilde;

	fixture_token(&fix, kind, value, token);
	tilde = strchr(token, '~');
	if (tilde)
		buf_add(&b, tilde + 1, 10);
	buf_add_str(&b, value_kind_name(kind));
	while (b.len < n)
		buf_add_char(&b, '.');
	memcpy(ret, b.p, n);
	ret[n] = '\0';
}

static void add(struct memory *m, const char *bytes, size_t n)
{
	buf_add(&m->in, bytes, n);
}
#define ADD(m, s) add(m, s, sizeof(s) - 1)

static bool has(const struct buf *b, const char *p, size_t n)
{
	return span_find(buf_span(b), span_make(p, n), 0) >= 0;
}

static void test_strings(void **state)
{
	struct memory m = { .in = BUF_INIT, .out = BUF_INIT };
	char want[64];

	(void)state;
	ADD(&m, "\1\2\0\0tel:+15550142\0\7\7user password=short1 x\0\xff\xfe"
		"abc\0");
	scrub(&m, 1000, NULL, 0);
	assert_int_equal(m.out.len, m.in.len);
	assert_int_equal(m.replaced, 2);
	fill_of(KIND_PHONE, "+15550142", want, 9);
	assert_true(has(&m.out, want, 9));
	/* under eight characters a secret gets no hash */
	assert_true(has(&m.out, "password=secret x", 17));
	assert_true(has(&m.out,
			"\xff\xfe"
			"abc\0",
			6));
	memory_done(&m);
}

static void test_wide(void **state)
{
	static const char text[] = "mail bob@example.com now";
	struct memory m = { .in = BUF_INIT, .out = BUF_INIT };
	char want[64];

	(void)state;
	ADD(&m, "\1\2\3"); /* an odd place */
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		add(&m, (const char[]){ text[i], 0 }, 2);
	ADD(&m, "\0\0\0");
	scrub(&m, 1000, NULL, 0);
	assert_int_equal(m.replaced, 1);
	fill_of(KIND_EMAIL, "bob@example.com", want, 15);
	for (size_t i = 0; i < 15; i++) {
		assert_int_equal(m.out.p[3 + 2 * (5 + i)], want[i]);
		assert_int_equal(m.out.p[3 + 2 * (5 + i) + 1], 0);
	}
	memory_done(&m);
}

static void test_learned(void **state)
{
	struct memory m = { .in = BUF_INIT, .out = BUF_INIT };
	char want[64];

	(void)state;
	ADD(&m, "\x90\x91Otter-51-quartz\x92 T3R0ZXItNTEtcXVhcnR6 \1\1\1"
		"4f747465722d35312d71756172747a \2 Otter-51-q\0\0");
	scrub(&m, 1000, NULL, 0);
	fill_of(KIND_SECRET, "Otter-51-quartz", want, 15);
	assert_true(has(&m.out, want, 15));
	assert_false(has(&m.out, "Otter-51", 8));
	assert_false(has(&m.out, "T3R0ZXItNTEtcXVhcnR6", 20));
	assert_false(has(&m.out, "4f747465722d3531", 16));
	assert_true(has(&m.out, want, 10));
	memory_done(&m);
}

static void test_packed(void **state)
{
	struct memory m = { .in = BUF_INIT, .out = BUF_INIT };
	const uint8_t *p;

	(void)state;
	ADD(&m, "\2\0\x13\xc4\xcb\0\x71\x4d\0\0\0\0\0\0\0\0");	 /* sockaddr_in */
	ADD(&m, "\x20\x01\x0d\xb8\0\x51\0\0\0\0\0\0\0\0\0\x7a"); /* in6_addr */
	ADD(&m, "\2\0\0\x50\x7f\0\0\1\0\0\0\0\0\0\0\0");	 /* loopback */
	ADD(&m, "\1\xcb\0\x71\x4d\1\1\1");			 /* at no place for one */
	scrub(&m, 1000, NULL, 0);
	assert_int_equal(m.replaced, 2);
	p = (const uint8_t *)m.out.p;
	assert_memory_equal(p, m.in.p, 4);
	assert_int_equal(p[4] & 0xf0, 0xf0);
	assert_true(value_ip4_stays(p + 4));
	assert_memory_equal(p + 16, "\1\0\0\0\0\0\0\0", 8);
	assert_true(value_ip6_stays(p + 16));
	assert_memory_equal(p + 32, m.in.p + 32, m.in.len - 32);
	memory_done(&m);
}

/* However memory is cut into chunks, the same bytes come out. */
static void test_chunks(void **state)
{
	static const size_t sizes[] = { 1, 7, 16, 33, 64, 200 };
	struct memory m = { .in = BUF_INIT, .out = BUF_INIT };
	AUTO_BUF whole = BUF_INIT;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		ADD(&m,
		    "\0\1\2text tel:+442079460958 and pass=Otter-51-quartz-more\xc3\xbc end\0\0");
		for (unsigned k = 0; k <= i; k++)
			ADD(&m, "\x80");
	}
	scrub(&m, 100000, NULL, 0);
	buf_add_span(&whole, buf_span(&m.out));
	assert_true(m.replaced >= 16);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		scrub(&m, sizes[i], NULL, 0);
		assert_memory_equal(m.out.p, whole.p, whole.len);
	}
	memory_done(&m);
}

/* What nothing may edit stays, and is told. */
static void test_fixed(void **state)
{
	struct memory m = { .in = BUF_INIT, .out = BUF_INIT };
	const struct detect_range fixed[] = { { 3, 2 }, { 30, 4 } };

	(void)state;
	ADD(&m, "\0\0Otter-51-quartz\0\0\0\0\0\0Otter-51-quartz\0\0Otter-51-quartz\0");
	scrub(&m, 1000, fixed, 2);
	assert_int_equal(m.open, 2);
	assert_int_equal(m.replaced, 1);
	assert_memory_equal(m.out.p, m.in.p, 38);
	assert_false(has(&m.out, "Otter-51-quartz\0Otter", 21));
	memory_done(&m);
}

struct seen {
	unsigned n;
	size_t off;
};

static int on_item(void *ctx, const char *name, const struct check_item *item)
{
	struct seen *s = ctx;

	(void)name;
	s->n += item->level == CHECK_LEAK;
	s->off = item->off;
	return 0;
}

/* The second look sees what stands in memory, in any spelling, where it is asked to look. */
static void test_second_look(void **state)
{
	AUTO(check) c = check_new();
	struct err err = ERR_INIT;
	AUTO_BUF b = BUF_INIT;
	struct seen s = { 0 };
	size_t at;

	(void)state;
	check_know(c, KIND_SECRET, SPAN_LIT("Otter-51-quartz"));
	fixture_check(check_seal(c, &err), &err);
	for (at = 0; at < 5000; at++)
		buf_add_char(&b, (char)(at % 251 ? at * 7 : 0));
	fixture_check(check_memory(c, buf_span(&b), 0, b.len, on_item, &s, &err), &err);
	assert_int_equal(s.n, 0);
	for (at = 1000; at < 1100; at++) {
		s.n = 0;
		memcpy(b.p + at, "Otter-51-quartz", 15);
		fixture_check(check_memory(c, buf_span(&b), 900, 1200, on_item, &s, &err), &err);
		assert_int_equal(s.n, 1);
		assert_int_equal(s.off, at);
		fixture_check(check_memory(c, buf_span(&b), at + 1, 1200, on_item, &s, &err), &err);
		fixture_check(check_memory(c, buf_span(&b), 900, at, on_item, &s, &err), &err);
		assert_int_equal(s.n, 1);
		memset(b.p + at, at & 1 ? 0 : 'z', 15);
	}
	memcpy(b.p + 3000, "T3R0ZXItNTEtcXVhcnR6", 20);
	fixture_check(check_memory(c, buf_span(&b), 0, b.len, on_item, &s, &err), &err);
	assert_int_equal(s.n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),	    cmocka_unit_test(test_wide),
		cmocka_unit_test(test_learned),	    cmocka_unit_test(test_packed),
		cmocka_unit_test(test_chunks),	    cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_second_look),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
