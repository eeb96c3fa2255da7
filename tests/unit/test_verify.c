/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include <corescrub/artifact_seal.h>
#include <corescrub/bundle.h>
#include <corescrub/tarball.h>

#include "../../src/run/verify_internal.h"

/* What reads packages, manifests, maps and pages back: strict, and unharmed by any bytes. */

static struct scrubbed *text(const char *name, const char *content)
{
	struct buf b = BUF_INIT;

	buf_add_str(&b, content);
	return scrubbed_seal(name, &b);
}

static void pack(struct buf *ret)
{
	AUTO(bundle) b = bundle_new("core", 1700000000);
	AUTO(scrubbed) one = text("README.txt", "how to\n");
	AUTO_FREE char *deep = xasprintf("attachments/%0150d/log", 1);
	AUTO(scrubbed) two = text(deep, "x\n");
	struct sink_buf out;

	bundle_add(b, one);
	bundle_add(b, two);
	sink_buf_init(&out);
	assert_int_equal(bundle_write(b, &out.sink, NULL), RC_OK);
	buf_add_span(ret, buf_span(&out.buf));
	buf_done(&out.buf);
}

struct seen { struct buf members; unsigned n, odd; };

static int see_member(void *ctx, const struct tarball_member *m, struct err *err)
{
	struct seen *s = ctx;

	(void)err;
	s->n++;
	buf_addf(&s->members, "%s %c %o %zu\n", m->path, m->type, m->mode, m->bytes.len);
	return RC_OK;
}

static void see_odd(void *ctx, const char *path, const char *what)
{
	struct seen *s = ctx;

	assert_non_null(path);
	assert_non_null(what);
	s->odd++;
}

static int walk(struct span file, struct seen *s)
{
	struct tarball_visitor v = { see_member, see_odd, s };
	struct err err = ERR_INIT;

	*s = (struct seen){ .members = BUF_INIT };
	return tarball_walk(file, &v, &err);
}

static void test_a_package_is_read(void **state)
{
	AUTO_BUF file = BUF_INIT;
	struct seen s;

	(void)state;
	pack(&file);
	assert_true(tarball_probe(buf_span(&file)));
	assert_int_equal(walk(buf_span(&file), &s), RC_OK);
	assert_int_equal(s.odd, 0);
	assert_int_equal(s.n, 2);
	assert_non_null(strstr(s.members.p, "core/README.txt 0 644 7\n"));
	assert_non_null(strstr(s.members.p, "1/log 0 644 2\n"));
	buf_done(&s.members);
}

static void test_what_is_added_is_odd(void **state)
{
	AUTO_BUF file = BUF_INIT;
	struct seen s;

	(void)state;
	pack(&file);
	buf_add_char(&file, 'x');
	assert_int_equal(walk(buf_span(&file), &s), RC_OK);
	assert_int_equal(s.odd, 1);
	buf_done(&s.members);
	file.len -= 2;
	assert_int_equal(walk(buf_span(&file), &s), RC_FORMAT);
	buf_done(&s.members);
	assert_int_equal(walk(SPAN_LIT(""), &s), RC_FORMAT);
}

/* Whatever is changed: told, or no member is any other than it was. */
static void test_any_changed_byte(void **state)
{
	AUTO_BUF file = BUF_INIT;
	AUTO_BUF tar = BUF_INIT;
	struct seen whole, s;
	size_t header = 0;

	(void)state;
	pack(&file);
	assert_int_equal(walk(buf_span(&file), &whole), RC_OK);
	for (size_t i = 0; i < file.len; i++) {
		int rc;

		file.p[i] ^= 0x10;
		rc = walk(buf_span(&file), &s);
		if (rc == RC_OK && s.odd == 0)
			/* how it was packed: RFC 1952's XFL and OS, a code of deflate's that nothing uses */
			assert_string_equal(s.members.p, whole.members.p);
		header += rc == RC_OK;
		buf_done(&s.members);
		file.p[i] ^= 0x10;
	}
	assert_true(header > 0);
	buf_done(&whole.members);
}

static void fill(struct report_account *a)
{
	static const struct finding_rule rule = { "network.ipv4", "IPv4 address", KIND_IP4, SEVERITY_MEDIUM,
						  ACTION_TOKEN, 0, NULL };
	static const struct report_row rows[] = { { &rule, 3, 2 } };
	static const struct report_file files[] = { { "core-full.txt", "full", 1000, { 1 }, false } };
	static const char *const missing[] = { "landlock", NULL };
	static const char *const recipients[] = { "x25519 5f0c", NULL };
	static const struct report_left_out left_out[] = { { "/opt/x.so", "another build" } };

	*a = (struct report_account){
		.case_name = "case-1", .tool = "corescrub 0.1", .policy = "public",
		.ruleset = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		.created = 1700000000, .fingerprint = { 9 }, .rows = rows, .n_rows = 1, .files = files,
		.n_files = 1, .open = 2, .confinement = missing, .recipients = recipients,
		.build_id = "0a1b", .signal = "SIGSEGV", .threads = 17, .mode = "none",
		.left_out = left_out, .n_left_out = 1, .token_key = "0123456789abcdef",
	};
}

static int read_back(json_t *root, struct manifest **ret)
{
	AUTO_FREE char *dumped = json_dumps(root, 0);
	struct err err = ERR_INIT;

	return manifest_read(span_str(dumped), "m", ret, &err);
}

/* Every key there is, taken away, of another type, and one that the schema lacks. */
static void test_manifest_is_held_to_its_schema(void **state)
{
	json_t *schema = json_load_file("doc/manifest.schema.json", 0, NULL), *root, *value;
	const json_t *known = json_object_get(schema, "properties");
	AUTO_BUF written = BUF_INIT;
	struct report_account a;
	struct manifest *m = NULL;
	const char *key;

	(void)state;
	assert_non_null(schema);
	fill(&a);
	assert_int_equal(report_manifest(&a, &written, NULL), RC_OK);
	root = json_loads(written.p, 0, NULL);
	assert_int_equal(read_back(root, &m), RC_OK);
	assert_string_equal(m->case_name, "case-1");
	assert_string_equal(m->token_key, "0123456789abcdef");
	assert_int_equal(m->open, 2);
	assert_non_null(strstr(m->texts.p, "/opt/x.so\n"));
	assert_null(strstr(m->texts.p, "00112233"));
	manifest_free(STEAL(m));
	json_object_foreach((json_t *)(uintptr_t)known, key, value) {
		json_t *other = json_deep_copy(root);
		bool required = false;

		for (size_t i = 0; i < json_array_size(json_object_get(schema, "required")); i++)
			required |= strcmp(json_string_value(json_array_get(json_object_get(schema, "required"),
									     i)), key) == 0;
		json_object_del(other, key);
		assert_int_equal(read_back(other, &m), required ? RC_FORMAT : RC_OK);
		manifest_free(STEAL(m));
		json_object_set_new(other, key, json_pack("[{s:i}]", "x", 1));
		assert_int_equal(read_back(other, &m), RC_FORMAT);
		json_decref(other);
	}
	/* and no key that the schema does not know */
	json_object_foreach(root, key, value)
		assert_non_null(json_object_get(known, key));
	json_object_set_new(root, "note", json_string("x"));
	assert_int_equal(read_back(root, &m), RC_FORMAT);
	json_decref(root);
	json_decref(schema);
}

static void test_manifests_that_are_no_json(void **state)
{
	struct err err = ERR_INIT;
	struct manifest *m = NULL;

	(void)state;
	assert_int_equal(manifest_read(SPAN_LIT("{\n \"open\": 0, \"open\": 0}"), "m", &m, &err), RC_SYNTAX);
	assert_int_equal(err.line, 2);
	assert_null(strstr(err.msg, "open"));
	assert_int_equal(manifest_read(SPAN_LIT("[]"), "m", &m, &err), RC_FORMAT);
}

#define MAP "corescrub-map 1\ncase \"c\"\ncreated 2026-11-23T13:22:00Z\n"
#define PHONE "[phone~acrcu44c2c]"
#define SUM "0000000000000000000000000000000000000000000000000000000000000001"

static void test_a_map_is_read(void **state)
{
	AUTO(private_map) m = private_map_new();
	struct err err = ERR_INIT;
	uint8_t sum[DIGEST_LEN] = { [DIGEST_LEN - 1] = 1 };
	const struct map_file *file;
	uint32_t run;

	(void)state;
	assert_int_equal(private_map_add(m, SPAN_LIT(MAP "token " PHONE " phone \"+1\\x00\\\"\\\\\"\n"
						     "file \"a b\" " SUM "\nat 3 19 " PHONE " \"\\x0a\"\n"
						     "created 2026-11-24T13:22:00Z\n"
						     "token " PHONE " phone \"001\"\n"), "m", &err), RC_OK);
	assert_true(span_eq(private_map_find(m, SPAN_LIT(PHONE))->original, SPAN_LIT("+1\0\"\\")));
	file = private_map_file(m, sum, &run);
	assert_non_null(file);
	assert_true(span_eq_str(file->name, "a b"));
	assert_int_equal(file->n, 1);
	assert_int_equal(file->places[0].len, 19);
	assert_true(span_eq_str(file->places[0].spelling, "\n"));
	assert_true(span_eq(private_map_find_in(m, run, SPAN_LIT(PHONE))->original, SPAN_LIT("+1\0\"\\")));
	assert_true(span_eq_str(private_map_find_in(m, run + 1, SPAN_LIT(PHONE))->original, "001"));
	assert_null(private_map_find(m, SPAN_LIT("[phone~bwon7w3lis]")));
}

static void test_damaged_maps(void **state)
{
	static const char *const bad[] = {
		"", "corescrub-map 2\n", MAP "token", MAP "token " PHONE "\n", MAP "token " PHONE " ip4 \"1\"\n",
		MAP "token [phone~acrcu44c2d] phone \"1\"\n", MAP "token " PHONE " phone \"1\n",
		MAP "token " PHONE " phone \"\\x1\"\n", MAP "token " PHONE " phone \"1\" more\n",
		MAP "at 1 2 " PHONE " \"x\"\n", MAP "file \"a\" 00\n", MAP "file \"a\" " SUM "\nat x 2 " PHONE " \"x\"\n",
		MAP "file \"a\" " SUM "\nat 5 4 " PHONE " \"x\"\nat 8 4 " PHONE " \"x\"\n", MAP "what\n",
		MAP "token " PHONE " phone \"1\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO(private_map) m = private_map_new();
		struct err err = ERR_INIT;

		assert_int_equal(private_map_add(m, span_str(bad[i]), "m", &err), RC_FORMAT);
	}
}

static void test_a_page_is_read_as_it_is_seen(void **state)
{
	static const char page[] =
		"<html><style>b{x:1}</style><p>Zx9<b>-tr</b>unk &lt;a&#35;b&#x26;c&quot;&bad;</p>\n"
		"<i title=\"in a tag\">x</i><!-- a > comment --><td>1</td><td>2</td><p";
	struct page_map map = { .v = NULL };
	AUTO_BUF seen = BUF_INIT;
	const char *at;

	(void)state;
	verify_page_text(SPAN_LIT(page), &seen, &map);
	assert_non_null(at = strstr(seen.p, "Zx9-trunk <a#b&c\"&bad;"));
	assert_string_equal(page + page_map_source(&map, (size_t)(at - seen.p)), strstr(page, "Zx9"));
	assert_string_equal(page + page_map_source(&map, (size_t)(at - seen.p) + 5), strstr(page, "r</b>unk"));
	assert_non_null(strstr(seen.p, "1\n\n2"));
	assert_non_null(strstr(seen.p, "a > comment"));
	assert_non_null(at = strstr(seen.p, "in a tag"));
	assert_string_equal(page + page_map_source(&map, (size_t)(at - seen.p)), strstr(page, "in a tag"));
	free(map.v);
}

/* Any bytes at all are read without harm. */
static void test_any_bytes(void **state)
{
	static const char alphabet[] = "<>&#;!-\"'= a0\n\\x[]~{}:,/";
	char bytes[64];

	(void)state;
	srand(7);
	for (int round = 0; round < 20000; round++) {
		struct span s = span_make(bytes, (size_t)rand() % sizeof(bytes));
		struct page_map map = { .v = NULL };
		AUTO_BUF seen = BUF_INIT;
		AUTO(private_map) m = private_map_new();
		struct manifest *manifest = NULL;
		AUTO_BUF text_of_map = BUF_INIT;

		for (size_t i = 0; i < s.len; i++)
			bytes[i] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
		verify_page_text(s, &seen, &map);
		for (size_t i = 0; i < seen.len; i++)
			assert_true(page_map_source(&map, i) <= s.len + 1);
		free(map.v);
		buf_add_str(&text_of_map, MAP "file ");
		buf_add_span(&text_of_map, s);
		private_map_add(m, buf_span(&text_of_map), "m", NULL);
		if (manifest_read(s, "m", &manifest, NULL) == RC_OK)
			manifest_free(manifest);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_package_is_read),
		cmocka_unit_test(test_what_is_added_is_odd),
		cmocka_unit_test(test_any_changed_byte),
		cmocka_unit_test(test_manifest_is_held_to_its_schema),
		cmocka_unit_test(test_manifests_that_are_no_json),
		cmocka_unit_test(test_a_map_is_read),
		cmocka_unit_test(test_damaged_maps),
		cmocka_unit_test(test_a_page_is_read_as_it_is_seen),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
