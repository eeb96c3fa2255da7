/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <corescrub/learn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char pack[] =
	"pack: names\n"
	"rules:\n"
	"  - id: password\n"
	"    kind: secret\n"
	"    summary: passwords\n"
	"    severity: critical\n"
	"    match: { symbol: { variable: [password, secret, api_key] }, decode: string }\n"
	"    learn: true\n"
	"  - id: mail\n"
	"    kind: email\n"
	"    summary: mailboxes\n"
	"    severity: low\n"
	"    match: { symbol: { variable: [email] }, decode: string }\n"
	"  - id: name\n"
	"    kind: name\n"
	"    summary: names\n"
	"    severity: low\n"
	"    match: { symbol: { variable: [fullname] }, decode: string }\n";

static struct ruleset *rules;

static int load_rules(void **state)
{
	char path[] = "/tmp/test_learn_XXXXXX.yaml";
	int fd = mkstemps(path, 5);
	const char *paths[] = { path, NULL };
	struct ruleset_options o = { .paths = paths, .policy = "public" };
	struct err err = ERR_INIT;
	int rc;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, pack, sizeof(pack) - 1), sizeof(pack) - 1);
	close(fd);
	rc = ruleset_load(&o, &rules, &err);
	unlink(path);
	if (rc < 0)
		print_message("%s:%u: %s\n", err.file, err.line, err.msg);
	return rc;
}

static int drop_rules(void **state)
{
	(void)state;
	ruleset_free(rules);
	return 0;
}

static struct learned *read_config(const char *text, const char *name)
{
	struct learned *l = learned_new();
	struct err err = ERR_INIT;

	assert_int_equal(learned_config(l, rules, span_str(text), name, &err), RC_OK);
	return l;
}

static bool has(const struct learned *l, enum kind kind, const char *value)
{
	for (size_t i = 0; i < learned_count(l); i++) {
		const struct learned_value *v = learned_get(l, i);

		if (v->kind == kind && span_eq_str(v->bytes, value))
			return v->origin == LEARN_CONFIG;
	}
	return false;
}

static void expect(const char *name, const char *text, const char *const *secrets)
{
	AUTO(learned) l = read_config(text, name);
	size_t n = 0;

	for (; secrets[n]; n++) {
		if (!has(l, KIND_SECRET, secrets[n]))
			print_message("%s: not learned: %s\n", name, secrets[n]);
		assert_true(has(l, KIND_SECRET, secrets[n]));
	}
	if (learned_count(l) != n)
		for (size_t i = 0; i < learned_count(l); i++)
			print_message("%s: learned: %.*s\n", name, (int)learned_get(l, i)->bytes.len,
				      learned_get(l, i)->bytes.p);
	assert_int_equal(learned_count(l), n);
}

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_asterisk_conf(void **state)
{
	(void)state;
	expect("pjsip.conf",
	       "; password=old-in-comment\n"
	       "[base](!)\n"
	       "type = auth\n"
	       "password = no\n"
	       "[alice-auth](base)\n"
	       "username = alice\n"
	       "password = Zq7-one! ; the first\n"
	       ";-- a block\n"
	       "password = not-this\n"
	       "--;\n"
	       "[bob](+)\n"
	       "secret=>two\\;two\r\n"
	       "unrelated = password\n"
	       "register => carol:three-3@pbx.example.com/100\n"
	       "register => tls://dave:four-4:authdave@pbx.example.com:5061\n",
	       LIST("Zq7-one!", "two;two", "three-3", "four-4"));
}

static void test_semicolon_in_a_value(void **state)
{
	(void)state;
	expect("x.conf", "secret = one;two\n", LIST("one", "one;two"));
}

static void test_voicemail(void **state)
{
	AUTO(learned) l = read_config("[general]\nformat = wav49,gsm\n[default]\n"
				      "1234 => 4477,Ann Example,ann@example.com,,attach=yes\n"
				      "1235 => -9911,Bob Example\n", "voicemail.conf");

	(void)state;
	assert_true(has(l, KIND_SECRET, "4477"));
	assert_true(has(l, KIND_SECRET, "9911"));
	assert_true(has(l, KIND_NAME, "Ann Example"));
	assert_true(has(l, KIND_EMAIL, "ann@example.com"));
	assert_int_equal(learned_count(l), 5);
}

/* "asterisk" as a sender must not take the word out of every path. */
static void test_a_value_without_its_shape(void **state)
{
	AUTO(learned) l = read_config("email=asterisk\nemail=ann@example.com\n", "minivm.conf");

	(void)state;
	assert_true(has(l, KIND_EMAIL, "ann@example.com"));
	assert_int_equal(learned_count(l), 1);
}

static void test_other_formats(void **state)
{
	(void)state;
	expect("a.env", "export DB_PASSWORD='pw one'\nAPI_KEY=two-2 # note\nPATH=/bin\n",
	       LIST("pw one", "two-2"));
	expect("a.ini", "[db]\n# password = x\npassword : \"three 3\"\nurl = pg://u:f%6Fur@h/d\n",
	       LIST("three 3", "f%6Fur", "four"));
	expect("a.json", "{\"db\": {\"password\": \"a\\u00e9\\\"b\\n1\", \"port\": 5},\n"
	       "\t\"list\": [{\"secret\": \"s-2\"}, null], \"secret\": true}",
	       LIST("a\xc3\xa9\"b\n1", "s-2"));
	expect("a.yaml", "db:\n  password: 'one: two'\n  hosts: [a, b]\nitems:\n  - secret: s-3\n",
	       LIST("one: two", "s-3"));
	/* an anchor: refused as a tree, read as lines */
	expect("b.yaml", "base: &b\n  password: s-4\nother:\n  <<: *b\n  secret: \"s-5\"\n",
	       LIST("s-4", "s-5"));
	expect("broken.json", "{\"password\": \"s-6\",\n \"secret\": \"s-7\"\n", LIST("s-6", "s-7"));
	expect("empty.conf", " \n", LIST(NULL));
}

struct seen {
	struct span text;
	size_t n;
};

static int count_hit(void *ctx, const struct learned_hit *hit)
{
	struct seen *s = ctx;

	s->n += !hit->held;
	return 0;
}

static size_t hits(struct learned *l, struct span text)
{
	AUTO(learned_scanner) s = NULL;
	struct err err = ERR_INIT;
	struct seen seen = { text, 0 };

	assert_int_equal(learned_seal(l, &err), RC_OK);
	assert_int_equal(learned_scanner_new(l, &s, &err), RC_OK);
	assert_int_equal(learned_scan(s, text, 0, text.len, count_hit, &seen, &err), RC_OK);
	return seen.n;
}

static void test_digests_and_pairs(void **state)
{
	AUTO(learned) l = read_config("[alice]\nusername=alice\npassword=Zq7-one!\nrealm=example.com\n",
				      "pjsip.conf");
	char hex[33];
	uint8_t md5[16];

	(void)state;
	digest_md5(SPAN_LIT("alice:example.com:Zq7-one!"), md5);
	digest_hex(md5, 16, hex);
	assert_true(hits(l, span_str(hex)) > 0);
	assert_true(hits(l, span_make((char *)md5, 16)) > 0);
	digest_md5(SPAN_LIT("alice:asterisk:Zq7-one!"), md5);
	digest_hex(md5, 16, hex);
	assert_true(hits(l, span_str(hex)) > 0);
	assert_true(hits(l, SPAN_LIT("Basic YWxpY2U6WnE3LW9uZSE=")) > 0);
	digest_md5(SPAN_LIT("alice:other:Zq7-one!"), md5);
	digest_hex(md5, 16, hex);
	assert_int_equal(hits(l, span_str(hex)), 0);
}

static void check_key(EVP_PKEY *key, const char *number)
{
	AUTO(learned) l = learned_new();
	AUTO(learned) from_der = learned_new();
	struct err err = ERR_INIT;
	BIO *bio = BIO_new(BIO_s_mem());
	BIGNUM *bn = NULL;
	uint8_t be[512], le[512], *der = NULL;
	char *pem;
	long len;
	int n, der_len;

	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &pem);
	assert_int_equal(learned_config(l, rules, span_make(pem, (size_t)len), "k.pem", &err), RC_OK);
	assert_true(learned_count(l) >= 2);
	assert_int_equal(EVP_PKEY_get_bn_param(key, number, &bn), 1);
	n = BN_bn2bin(bn, be);
	for (int i = 0; i < n; i++)
		le[i] = be[n - 1 - i];
	assert_true(hits(l, span_make((char *)be, (size_t)n)) > 0);
	assert_true(hits(l, span_make((char *)le + 8, 8)) > 0);
	assert_true(hits(l, span_make(pem + 40, 30)) > 0);
	der_len = i2d_PrivateKey(key, &der);
	assert_true(der_len > 0);
	assert_int_equal(learned_config(from_der, rules, span_make((char *)der, (size_t)der_len),
					"k.der", &err), RC_OK);
	assert_true(hits(from_der, span_make((char *)be, (size_t)n)) > 0);
	OPENSSL_free(der);
	BN_free(bn);
	BIO_free(bio);
	EVP_PKEY_free(key);
}

static void test_private_keys(void **state)
{
	(void)state;
	check_key(EVP_RSA_gen(1024), "d");
	check_key(EVP_RSA_gen(1024), "rsa-factor1");
	check_key(EVP_EC_gen("P-256"), "priv");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asterisk_conf),
		cmocka_unit_test(test_semicolon_in_a_value),
		cmocka_unit_test(test_voicemail),
		cmocka_unit_test(test_a_value_without_its_shape),
		cmocka_unit_test(test_other_formats),
		cmocka_unit_test(test_digests_and_pairs),
		cmocka_unit_test(test_private_keys),
	};

	return cmocka_run_group_tests(tests, load_rules, drop_rules);
}
