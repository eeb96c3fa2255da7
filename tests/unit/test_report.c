/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <regex.h>
#include <stdio.h>

#include <corescrub/report.h>

static const struct finding_rule ipv4 = { "network.ipv4", "IPv4 address", KIND_IP4, SEVERITY_MEDIUM,
					  ACTION_TOKEN, 0, NULL };
static const struct finding_rule password = { "credentials.password", "password", KIND_SECRET,
					      SEVERITY_CRITICAL, ACTION_TOKEN, 0, NULL };
static const struct finding_rule longest = {
	"a-pack-with-a-long-name.a-rule-with-a-name-longer-than-any-terminal-likes", "", KIND_ACCOUNT,
	SEVERITY_LOW, ACTION_MASK, 0, NULL };

static struct report_account account(void)
{
	static const struct report_row rows[] = { { &password, 7, 2 }, { &longest, 1, 1 },
						  { &ipv4, 1234567, 89 } };
	static const struct report_file files[] = {
		{ "core-full.txt", "full", 1000, { 1, 2 }, false },
		{ "core", "core", (uint64_t)1 << 40, { 4 }, true },
		{ "attachments/\xff\xe2\x80\xae.log", "attachment", 0, { 3 }, false },
	};
	static const char *const missing[] = { "landlock", NULL };
	static const char *const recipients[] = { "SHA256:abc", NULL };
	static const struct report_left_out left_out[] = { { "/opt/x.so", "another build" } };

	return (struct report_account){
		.case_name = "case-1", .tool = "corescrub 0.1", .policy = "public",
		.ruleset = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
		.created = 1700000000, .fingerprint = { 9 }, .rows = rows, .n_rows = 3,
		.files = files, .n_files = 3, .open = 2, .hints = 3, .preexisting = 4,
		.confinement = missing, .recipients = recipients, .build_id = "0a1b", .signal = "SIGSEGV",
		.threads = 17, .mode = "none", .left_out = left_out, .n_left_out = 1,
	};
}

/* As much of JSON Schema as the schema uses: type, const, enum, pattern, minimum, required,
   properties, additionalProperties, items. */
static bool has_type(const json_t *v, const char *type)
{
	return (!strcmp(type, "object") && json_is_object(v)) ||
	       (!strcmp(type, "array") && json_is_array(v)) ||
	       (!strcmp(type, "string") && json_is_string(v)) ||
	       (!strcmp(type, "integer") && json_is_integer(v)) ||
	       (!strcmp(type, "null") && json_is_null(v));
}

static bool is_one_of(const json_t *v, const json_t *list, bool types)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		if (types ? has_type(v, json_string_value(one)) : json_equal(v, one))
			return true;
	return false;
}

static void check_scalar(const json_t *v, const json_t *schema, const char *where)
{
	const json_t *pattern = json_object_get(schema, "pattern");
	const json_t *type = json_object_get(schema, "type");
	regex_t re;

	if (json_is_string(type) && !has_type(v, json_string_value(type)))
		fail_msg("%s: wrong type", where);
	if (json_is_array(type) && !is_one_of(v, type, true))
		fail_msg("%s: none of its types", where);
	if (json_object_get(schema, "const") && !json_equal(v, json_object_get(schema, "const")))
		fail_msg("%s: not the constant", where);
	if (json_object_get(schema, "enum") && !is_one_of(v, json_object_get(schema, "enum"), false))
		fail_msg("%s: not in the list", where);
	if (json_object_get(schema, "minimum") &&
	    json_integer_value(v) < json_integer_value(json_object_get(schema, "minimum")))
		fail_msg("%s: too small", where);
	if (pattern && json_is_string(v)) {
		assert_int_equal(regcomp(&re, json_string_value(pattern), REG_EXTENDED | REG_NOSUB), 0);
		if (regexec(&re, json_string_value(v), 0, NULL, 0) != 0)
			fail_msg("%s: not of the pattern", where);
		regfree(&re);
	}
}

static void check_schema(json_t *v, const json_t *schema, const char *where)
{
	const json_t *properties = json_object_get(schema, "properties"), *name;
	const char *key;
	json_t *one;
	size_t i;

	check_scalar(v, schema, where);
	json_array_foreach(json_object_get(schema, "required"), i, name)
		if (json_is_object(v) && !json_object_get(v, json_string_value(name)))
			fail_msg("%s: lacks %s", where, json_string_value(name));
	json_object_foreach(v, key, one) {
		const json_t *sub = json_object_get(properties, key);

		if (sub)
			check_schema(one, sub, key);
		else if (json_is_false(json_object_get(schema, "additionalProperties")))
			fail_msg("%s: has a strange %s", where, key);
	}
	json_array_foreach(v, i, one)
		check_schema(one, json_object_get(schema, "items"), where);
}

static void check_manifest(const struct report_account *a)
{
	AUTO_BUF text = BUF_INIT;
	json_error_t error;
	json_t *schema = json_load_file("doc/manifest.schema.json", 0, &error), *v;

	if (!schema)
		fail_msg("%s", error.text);
	assert_int_equal(report_manifest(a, &text, NULL), RC_OK);
	v = json_loads(text.p, JSON_REJECT_DUPLICATES, &error);
	if (!v)
		fail_msg("%s", error.text);
	check_schema(v, schema, "manifest");
	json_decref(schema);
	json_decref(v);
}

static void test_manifest_follows_its_schema(void **state)
{
	struct report_account a = account();

	(void)state;
	check_manifest(&a);
	a = (struct report_account){ 0 };
	check_manifest(&a);
}

static void test_manifest_content(void **state)
{
	struct report_account a = account();
	AUTO_BUF text = BUF_INIT;
	const char *first, *second;

	(void)state;
	assert_int_equal(report_manifest(&a, &text, NULL), RC_OK);
	assert_non_null(strstr(text.p, "\"created\": \"2023-11-14T22:13:20Z\""));
	assert_non_null(strstr(text.p, "attachments/\\uFFFD\\u202E.log"));
	first = strstr(text.p, "network.ipv4");
	second = strstr(text.p, "credentials.password");
	assert_true(first && second && first < second);
	first = strstr(text.p, "attachments/");
	second = strstr(text.p, "core-full.txt");
	assert_true(first && second && first < second);
	for (size_t i = 0; i < text.len; i++)
		assert_true((unsigned char)text.p[i] < 0x7f);
}

static void test_files_are_read_back(void **state)
{
	struct report_account a = account();
	AUTO_BUF text = BUF_INIT;
	AUTO_BUF path = BUF_INIT;
	struct report_file *v;
	size_t n;

	(void)state;
	assert_int_equal(report_manifest(&a, &text, NULL), RC_OK);
	assert_int_equal(report_manifest_files(buf_span(&text), &v, &n, NULL), RC_OK);
	assert_int_equal(n, 3);
	report_manifest_path(a.files[2].path, &path);
	assert_string_equal(v[0].path, path.p);
	assert_string_equal(v[1].path, "core");
	assert_true(v[1].of_data && !v[2].of_data);
	assert_true(v[1].size == (uint64_t)1 << 40);
	assert_memory_equal(v[2].sha256, a.files[0].sha256, DIGEST_LEN);
	assert_string_equal(v[2].kind, "full");
	report_files_free(v, n);
}

static void test_manifests_that_are_none(void **state)
{
#define HEAD "{\"schema\":\"corescrub-manifest-1\",\"files\":["
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
	static const char *const bad[] = {
		"", "[]", "{}", "{\"schema\":\"corescrub-manifest-2\",\"files\":[]}",
		HEAD "1]}", HEAD "{\"path\":\"a\",\"size\":1,\"sha256\":\"00\"}]}",
		HEAD "{\"path\":\"a\",\"size\":-1,\"sha256\":\"" ZERO "\"}]}",
		HEAD "{\"path\":\"\",\"size\":1,\"sha256\":\"" ZERO "\"}]}",
		HEAD "{\"path\":\"a\",\"size\":1}]}",
		HEAD "{\"path\":\"a\",\"size\":1,\"sha256\":\"" ZERO "\"},"
		     "{\"path\":\"a\",\"size\":2,\"sha256\":\"" ZERO "\"}]}",
		HEAD "],\"files\":[]}", HEAD "]} x",
	};
	struct report_file *v;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(report_manifest_files(span_str(bad[i]), &v, &n, NULL), RC_FORMAT);
}

static void test_finding_is_one_line(void **state)
{
	struct finding f = { .off = 5, .len = 12, .kind = KIND_IP4_LAN };
	AUTO_BUF text = BUF_INIT;

	(void)state;
	assert_int_equal(report_finding(&f, &ipv4, SPAN_LIT("[ip4-lan~abc]"), "a\nb", 3, 9, "x.y", &text,
					NULL), RC_OK);
	assert_string_equal(text.p, "{\"rule\":\"network.ipv4\",\"kind\":\"ip4-lan\","
				    "\"token\":\"[ip4-lan~abc]\",\"file\":\"a\\nb\",\"line\":3,"
				    "\"column\":9,\"length\":12,\"symbol_path\":\"x.y\"}\n");
	buf_reset(&text);
	assert_int_equal(report_finding(&f, &ipv4, SPAN_LIT(""), NULL, 1, 1, "", &text, NULL), RC_OK);
	assert_non_null(strstr(text.p, "\"symbol_path\":null"));
	assert_non_null(strstr(text.p, "\"token\":\"\""));
}

static void test_table(void **state)
{
	struct report_account a = account();
	AUTO_BUF text = BUF_INIT;
	json_t *v;

	(void)state;
	report_table(&a, false, &text);
	assert_string_equal(text.p,
"kind     rule                                                 count    distinct\n"
"ip4      network.ipv4                                       1234567          89\n"
"secret   credentials.password                                     7           2\n"
"account  a-pack-with-a-long-name.a-rule-with-a-name-l..           1           1\n"
"total                                                       1234575          92\n"
"open items: 2, hints: 3, tokens that were there before: 4\n");
	for (char *line = text.p, *end; (end = strchr(line, '\n')); line = end + 1)
		assert_true(end - line <= 80);
	buf_reset(&text);
	report_table(&a, true, &text);
	v = json_loads(text.p, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(v, "redactions")), 3);
	assert_int_equal(json_integer_value(json_object_get(v, "hints")), 3);
	json_decref(v);
	buf_reset(&text);
	a = (struct report_account){ 0 };
	report_table(&a, false, &text);
	assert_string_equal(text.p, "nothing was redacted\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest_follows_its_schema),
		cmocka_unit_test(test_manifest_content),
		cmocka_unit_test(test_files_are_read_back),
		cmocka_unit_test(test_manifests_that_are_none),
		cmocka_unit_test(test_finding_is_one_line),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
