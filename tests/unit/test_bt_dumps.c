/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <glob.h>
#include <regex.h>
#include <stdio.h>

#include "bt_listing.h"

/*
 * What gdb prints of programs in several languages, made now by tests/fixtures/bt_dumps.sh: nothing
 * is lost, every head and every local is seen, a cursor that jumps sees what one that walks does.
 */

static char folder[] = "/tmp/corescrub-bt-XXXXXX";

static int make_dumps(void **state)
{
	AUTO_FREE char *command = NULL;

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	command = xasprintf("tests/fixtures/bt_dumps.sh %s", folder);
	return system(command);
}

static int remove_dumps(void **state)
{
	AUTO_FREE char *command = xasprintf("rm -rf %s", folder);

	(void)state;
	return system(command);
}

typedef void (*check_fn)(struct span text, const char *path);

/* Runs check over the dumps whose names end like this; there must be some. */
static void each_dump(const char *suffix, check_fn check)
{
	AUTO_FREE char *pattern = xasprintf("%s/*%s", folder, suffix);
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		AUTO_BUF text = BUF_INIT;

		assert_int_equal(file_read(found.gl_pathv[i], MIB(16), &text, NULL), RC_OK);
		assert_true(text.len > 1000);
		check(buf_span(&text), found.gl_pathv[i]);
	}
	globfree(&found);
}

static int join(void *ctx, uint64_t off, uint64_t len)
{
	uint64_t *at = ctx;

	/* plain spans come in order and don't touch: between them are the leaves */
	if (off < *at)
		return 1;
	*at = off + len;
	return 0;
}

static int add_plain(void *ctx, uint64_t off, uint64_t len)
{
	(void)off;
	*(uint64_t *)ctx += len;
	return 0;
}

static void check_whole(struct span text, const char *path)
{
	AUTO(bt) b = NULL;
	AUTO(bt_cursor) c = NULL;
	const struct bt_value *v;
	uint64_t end = 0, leaves = 0, plain = 0, at = 0;

	(void)path;
	assert_int_equal(bt_parse(text, &b, NULL), RC_OK);
	c = bt_cursor_new(b);
	while ((v = bt_next(c))) {
		assert_true(v->off + v->len <= text.len);
		assert_true(v->src.p == text.p + v->off && v->src.len == v->len);
		if (v->type == BT_GROUP || v->type == BT_FRAME)
			continue;
		assert_true(v->off >= end && v->len > 0);
		end = v->off + v->len;
		leaves += v->len;
	}
	assert_int_equal(bt_plain(b, add_plain, &plain), 0);
	assert_int_equal(bt_plain(b, join, &at), 0);
	assert_int_equal(leaves + plain, text.len);
}

static void test_nothing_is_lost(void **state)
{
	(void)state;
	each_dump(".txt", check_whole);
	each_dump(".expanded", check_whole);
}

/* The next match's groups, from *at on. */
static bool next_match(regex_t *re, struct span text, size_t *at, regmatch_t m[8])
{
	m[0].rm_so = (regoff_t)*at;
	m[0].rm_eo = (regoff_t)text.len;
	if (*at >= text.len || regexec(re, text.p, 8, m, REG_STARTEND | (*at ? REG_NOTBOL : 0)) != 0)
		return false;
	*at = (size_t)m[0].rm_eo;
	return true;
}

static bool next_frame(struct bt_cursor *c, struct bt_frame *ret)
{
	const struct bt_value *v;

	while ((v = bt_next(c))) {
		if (v->type == BT_FRAME) {
			*ret = *v->frame;
			return true;
		}
	}
	return false;
}

static void check_heads(struct span text, const char *path)
{
	AUTO(bt) b = NULL;
	AUTO(bt_cursor) c = NULL;
	struct bt_frame f = { 0 };
	regex_t re;
	regmatch_t m[8];
	size_t at = 0, n = 0;

	(void)path;
	assert_int_equal(bt_parse(text, &b, NULL), RC_OK);
	c = bt_cursor_new(b);
	assert_int_equal(regcomp(&re, "(^|\n)#([0-9]+) +((0x[0-9a-f]+) in )?([^ \n]+)", REG_EXTENDED), 0);
	for (; next_match(&re, text, &at, m); n++) {
		assert_true(next_frame(c, &f));
		assert_int_equal(f.number_src.p - text.p, m[2].rm_so);
		assert_int_equal(f.number_src.len, m[2].rm_eo - m[2].rm_so);
		assert_true(m[4].rm_so < 0 ? f.address.len == 0 : f.address.p - text.p == m[4].rm_so);
		assert_true(f.signal_handler || f.function.p - text.p == m[5].rm_so);
		assert_true(f.signal_handler || f.function.len > 0);
		/* every head with a ":number" at the end of its last line has a file and a line */
		assert_true(f.line.len == 0 || (f.file.len && f.line.p[f.line.len] == '\n'));
		assert_true(memmem(text.p + f.off, f.len, " at ", 4) == NULL || f.line.len > 0);
	}
	assert_true(n > 5);
	assert_false(next_frame(c, &f));
	regfree(&re);
}

static void test_heads_as_a_regex_finds_them(void **state)
{
	(void)state;
	each_dump("-default.txt", check_heads);
	each_dump("-pretty.txt", check_heads);
	each_dump("-much.txt", check_heads);
	each_dump("-little.txt", check_heads);
	each_dump("-raw.txt", check_heads);
}

/* Does the listing of a text hold this name as the head or a part of a path? */
static bool lists_name(const char *listing, struct span name)
{
	AUTO_FREE char *pattern = xasprintf("\n%.*s", (int)name.len, name.p);
	const char *p = listing;

	while ((p = strstr(p, pattern))) {
		p += name.len + 1;
		if (strchr(" .[", *p))
			return true;
	}
	return false;
}

static void check_locals(struct span text, const char *path)
{
	AUTO_FREE char *listing = list_text(text);
	regex_t re;
	regmatch_t m[8];
	size_t at = 0, n = 0;

	/* with "print address off" a pointer without a symbol is nothing at all */
	assert_int_equal(regcomp(&re, "\n        ([A-Za-z_~&.][^ \n=]*) = ([^ \n][^\n]*)", REG_EXTENDED), 0);
	for (; next_match(&re, text, &at, m); n++) {
		struct span name = span_make(text.p + m[1].rm_so, (size_t)(m[1].rm_eo - m[1].rm_so));

		if (!lists_name(listing, name))
			fail_msg("%s: %.*s is not in the listing", path, (int)name.len, name.p);
	}
	assert_true(n > 5);
	regfree(&re);
}

static void test_every_local_is_seen(void **state)
{
	(void)state;
	each_dump("-default.txt", check_locals);
	each_dump("-much.txt", check_locals);
	each_dump("-little.txt", check_locals);
	each_dump("-raw.txt", check_locals);
	each_dump("-rawmuch.txt", check_locals);
}

static bool same_head(const struct bt_frame *a, const struct bt_frame *b)
{
	return span_eq(a->number_src, b->number_src) && span_eq(a->address, b->address) &&
	       span_eq(a->function, b->function) && span_eq(a->file, b->file) && span_eq(a->line, b->line);
}

/* Heads of gdb's own text come in the same order in its shell-expanded twin; `more` may stand
   between. */
static void check_twin(struct span text, const char *path)
{
	AUTO_FREE char *twin_path = xasprintf("%.*s.expanded", (int)(strlen(path) - 4), path);
	AUTO_BUF twin = BUF_INIT;
	AUTO(bt) b = NULL;
	AUTO(bt) b2 = NULL;
	AUTO(bt_cursor) c = NULL;
	AUTO(bt_cursor) c2 = NULL;
	struct bt_frame f = { 0 }, f2 = { 0 };

	assert_int_equal(file_read(twin_path, MIB(16), &twin, NULL), RC_OK);
	assert_int_equal(bt_parse(text, &b, NULL), RC_OK);
	assert_int_equal(bt_parse(buf_span(&twin), &b2, NULL), RC_OK);
	c = bt_cursor_new(b);
	c2 = bt_cursor_new(b2);
	while (next_frame(c, &f)) {
		do
			assert_true(next_frame(c2, &f2));
		while (!same_head(&f, &f2));
	}
}

static void test_expanded_twins_have_the_same_heads(void **state)
{
	(void)state;
	each_dump("-default.txt", check_twin);
	each_dump("-much.txt", check_twin);
	each_dump("-narrow.txt", check_twin);
}

static void check_seek(struct span text, const char *path)
{
	AUTO(bt) b = NULL;
	AUTO(bt_cursor) walk = NULL;
	AUTO(bt_cursor) jump = NULL;
	const struct bt_value *v, *w;

	(void)path;
	assert_int_equal(bt_parse(text, &b, NULL), RC_OK);
	walk = bt_cursor_new(b);
	jump = bt_cursor_new(b);
	while ((v = bt_next(walk))) {
		if (v->type == BT_GROUP || v->type == BT_FRAME)
			continue;
		w = bt_value_at(jump, v->off + v->len / 2);
		assert_non_null(w);
		assert_int_equal(w->off, v->off);
		assert_int_equal(w->type, v->type);
		assert_true(span_eq(w->path, v->path));
		assert_true(!w->frame == !v->frame);
		assert_true(!w->frame || (w->frame->off == v->frame->off &&
					  w->frame->index == v->frame->index));
	}
	assert_null(bt_value_at(jump, text.len));
}

static void test_a_jump_sees_what_a_walk_does(void **state)
{
	(void)state;
	each_dump("-default.txt", check_seek);
	each_dump("-narrow.txt", check_seek);
	each_dump("-default.expanded", check_seek);
}

/* Every string's decoded bytes are spelled by source inside of it, piece by piece and in order. */
static void check_source(struct span text, const char *path)
{
	AUTO(bt) b = NULL;
	AUTO(bt_cursor) c = NULL;
	const struct bt_value *v;

	(void)path;
	assert_int_equal(bt_parse(text, &b, NULL), RC_OK);
	c = bt_cursor_new(b);
	while ((v = bt_next(c))) {
		uint64_t before = v->off, off, len;

		for (size_t i = 0; v->type == BT_STRING && i < v->decoded.len; i++) {
			bt_source(v, i, i + 1, &off, &len);
			assert_true(off >= before && len > 0 && off + len <= v->off + v->len);
			if (len == 1)
				assert_int_equal(text.p[off], v->decoded.p[i]);
			before = off;
		}
	}
}

static void test_source_of_every_byte(void **state)
{
	(void)state;
	each_dump(".txt", check_source);
	each_dump(".expanded", check_source);
}

/* What the C program holds comes out as it was. */
static void test_values_of_the_c_program(void **state)
{
	static const char *const lines[] = {
		"\nquotes = \"\"\"'\"{}, x = 1, \"\"\n", "\nnodes[1].user.ptr = \"bob\", realm=\" slen 3\n",
		"\nnodes[2].address = \"192.0.2.55", "\nbytes = \"\\023\\304\\012c2\\007\\000\"\n",
		"\nutf16 = \"sixteen \\303\\251", "\nutf8 = \"caf\\303\\251\\357\"\n", "\nflag = true\n",
		"\nutf32 = \"thirty-two \\360\\237\\230\\200", "\nsmall = -1\n", "\nletter = 65\n",
		"\nwords = [7002943971834920961][3328210922013605939][-1][-1][-1][0]\n",
		"\nmatrix[1] = [4][5][6]\n", "\nzeros = [0*300]\n", "\n#5 <signal>\n", "\nnode.colour = (RED | BLUE)\n",
		"\ntail = \"new\\000 of something\\000", "\n(s = \"in the handler\"\n", "\nbad = 0x8\n",
		"\\015\\012#1  not a frame (x=1)\\015\\012\"\n",
	};
	AUTO_FREE char *path = xasprintf("%s/c-default.txt", folder);
	AUTO_FREE char *listing = NULL;
	AUTO_BUF text = BUF_INIT;

	(void)state;
	assert_int_equal(file_read(path, MIB(16), &text, NULL), RC_OK);
	listing = list_text(buf_span(&text));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!strstr(listing, lines[i]))
			fail_msg("not in the listing: %s", lines[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_lost),
		cmocka_unit_test(test_heads_as_a_regex_finds_them),
		cmocka_unit_test(test_every_local_is_seen),
		cmocka_unit_test(test_expanded_twins_have_the_same_heads),
		cmocka_unit_test(test_a_jump_sees_what_a_walk_does),
		cmocka_unit_test(test_source_of_every_byte),
		cmocka_unit_test(test_values_of_the_c_program),
	};

	return cmocka_run_group_tests(tests, make_dumps, remove_dumps);
}
