/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "age_fixture.h"

/* Recipients and identities of every kind, also those that ssh-keygen makes. */

static char folder[] = "/tmp/test_age_keys.XXXXXX";

static void shell(const char *command)
{
	AUTO_FREE char *line = xasprintf("cd %s && { %s; } >out 2>&1", folder, command);

	assert_int_equal(system(line), 0);
}

static int make_keys(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	shell("for n in 1 2; do ssh-keygen -q -t ed25519 -N '' -C 'a comment' -f ed$n;"
	      "ssh-keygen -q -t rsa -b 2048 -N '' -C '' -f rsa$n; done;"
	      "ssh-keygen -q -t rsa -b 1024 -N '' -f short; ssh-keygen -q -t ecdsa -N '' -f ecdsa;"
	      "ssh-keygen -q -t ed25519 -N 'a phrase' -f locked;"
	      "cp rsa1 pem && ssh-keygen -q -p -m PEM -N '' -f pem");
	return 0;
}

static int remove_keys(void **state)
{
	AUTO_FREE char *line = xasprintf("rm -rf %s", folder);

	(void)state;
	return system(line);
}

static char *content(const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
	AUTO_BUF text = BUF_INIT;

	assert_int_equal(file_read(path, MIB(1), &text, NULL), RC_OK);
	return buf_steal(&text);
}

static struct pair ssh_pair(const char *name)
{
	AUTO_FREE char *public = xasprintf("%s.pub", name);
	AUTO_FREE char *recipient = content(public);
	AUTO_FREE char *identity = content(name);

	return pair_of(recipient, identity);
}

static int opens(const struct age_identities *by, const struct buf *sealed, const char *clear)
{
	AUTO_BUF got = BUF_INIT;
	int rc = unseal(by, buf_span(sealed), &got, NULL);

	assert_true(span_eq_str(buf_span(&got), rc == RC_OK ? clear : ""));
	return rc;
}

static void test_each_opens_its_own(void **state)
{
	struct pair pairs[] = {
		pair_new(), pair_new(), ssh_pair("ed1"), ssh_pair("ed2"), ssh_pair("rsa1"),
		ssh_pair("rsa2"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		AUTO_BUF sealed = BUF_INIT;

		seal(pairs[i].to, i & 1, SPAN_LIT("some text"), 4, &sealed);
		for (size_t k = 0; k < ARRAY_SIZE(pairs); k++)
			assert_int_equal(opens(pairs[k].by, &sealed, "some text"),
					 k == i ? RC_OK : RC_NOTFOUND);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		pair_done(&pairs[i]);
}

static void test_several_recipients(void **state)
{
	struct pair a = pair_new(), b = ssh_pair("ed1"), c = ssh_pair("rsa1"), d = pair_new();
	AUTO_FREE char *ed = content("ed1.pub");
	AUTO_FREE char *rsa = content("rsa1.pub");
	AUTO_BUF sealed = BUF_INIT;
	AUTO_BUF flipped = BUF_INIT;

	(void)state;
	assert_int_equal(age_recipients_add(a.to, span_str(ed), NULL), RC_OK);
	assert_int_equal(age_recipients_add(a.to, span_str(rsa), NULL), RC_OK);
	assert_int_equal(age_recipients_add(a.to, span_str(ed), NULL), RC_OK);
	assert_int_equal(age_recipients_count(a.to), 3);
	seal(a.to, false, SPAN_LIT("some text"), 4, &sealed);
	assert_int_equal(opens(a.by, &sealed, "some text"), RC_OK);
	assert_int_equal(opens(b.by, &sealed, "some text"), RC_OK);
	assert_int_equal(opens(c.by, &sealed, "some text"), RC_OK);
	assert_int_equal(opens(d.by, &sealed, "some text"), RC_NOTFOUND);
	/* a stanza of another recipient is part of what the MAC covers */
	buf_add_span(&flipped, buf_span(&sealed));
	flipped.p[span_find(buf_span(&flipped), SPAN_LIT("-> ssh-rsa "), 0) + 20] ^= 1;
	assert_true(opens(a.by, &flipped, "") < 0);
	pair_done(&a);
	pair_done(&b);
	pair_done(&c);
	pair_done(&d);
}

static int answer(void *ctx, struct secret **ret, struct err *err)
{
	const char **phrase = ctx;

	if (!*phrase)
		return err_set(err, RC_REFUSED, "asked twice, or no terminal");
	*ret = secret_new(*phrase, strlen(*phrase));
	*phrase = NULL;
	return RC_OK;
}

static void test_passphrase(void **state)
{
	struct pair p = pair_of_passphrase("correct horse"), other = pair_new();
	AUTO(age_identities) asking = age_identities_new();
	const char *phrase = NULL;
	AUTO_BUF sealed = BUF_INIT;
	AUTO_BUF to_key = BUF_INIT;

	(void)state;
	seal(p.to, false, SPAN_LIT("some text"), 4, &sealed);
	assert_true(span_find(buf_span(&sealed), SPAN_LIT(" 18\n"), 0) > 0);
	assert_int_equal(opens(p.by, &sealed, "some text"), RC_OK);
	assert_int_equal(opens(other.by, &sealed, ""), RC_NOTFOUND);
	age_identities_ask(asking, answer, &phrase);
	assert_int_equal(opens(asking, &sealed, ""), RC_REFUSED);
	phrase = "correct horse";
	assert_int_equal(opens(asking, &sealed, "some text"), RC_OK);
	phrase = "wrong horse";
	assert_int_equal(opens(asking, &sealed, ""), RC_NOTFOUND);
	/* nobody is asked where a key is needed */
	seal(other.to, false, SPAN_LIT("some text"), 4, &to_key);
	assert_int_equal(opens(asking, &to_key, ""), RC_NOTFOUND);
	pair_done(&p);
	pair_done(&other);
}

static void test_passphrase_is_alone(void **state)
{
	AUTO(age_recipients) r = age_recipients_new();
	AUTO(secret) phrase = secret_new("a", 1);
	AUTO(secret) empty = secret_new("", 0);
	AUTO(age_writer) w = NULL;
	AUTO_FREE char *ed = content("ed1.pub");
	struct pair p = pair_new();
	struct sink_buf out;

	(void)state;
	sink_buf_init(&out);
	assert_int_equal(age_encrypt(r, false, &out.sink, &w, NULL), RC_REFUSED);
	assert_int_equal(age_recipients_add_passphrase(r, empty, NULL), RC_REFUSED);
	assert_int_equal(age_identities_add_passphrase(p.by, empty, NULL), RC_REFUSED);
	assert_int_equal(age_recipients_add_passphrase(p.to, phrase, NULL), RC_REFUSED);
	assert_int_equal(age_recipients_add_passphrase(r, phrase, NULL), RC_OK);
	assert_int_equal(age_recipients_add_passphrase(r, phrase, NULL), RC_REFUSED);
	assert_int_equal(age_recipients_add(r, span_str(ed), NULL), RC_REFUSED);
	assert_int_equal(age_recipients_count(r), 1);
	pair_done(&p);
}

/* The specification's own pair. */
#define SPEC_RECIPIENT "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
#define SPEC_IDENTITY "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"

static void test_native_keys(void **state)
{
	static const struct { const char *line; int rc; } cases[] = {
		{ SPEC_RECIPIENT, RC_OK },
		{ "  " SPEC_RECIPIENT "\r", RC_OK },
		{ "AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ", RC_SYNTAX },
		{ "age1Zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj", RC_SYNTAX },
		{ "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujw", RC_SYNTAX },
		{ "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwq", RC_SYNTAX },
		{ "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwjq", RC_SYNTAX },
		{ "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwb", RC_SYNTAX },
		{ "age1", RC_SYNTAX },
		{ SPEC_IDENTITY, RC_SYNTAX },
		{ "", RC_SYNTAX },
		{ "person@example.com", RC_SYNTAX },
		/* a plugin's */
		{ "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t",
		  RC_UNSUPPORTED },
		{ "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e",
		  RC_UNSUPPORTED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(age_recipients) r = age_recipients_new();
		struct err err = ERR_INIT;
		int rc = age_recipients_add(r, span_str(cases[i].line), &err);

		if (rc != cases[i].rc)
			fail_msg("case %zu: %d", i, rc);
		assert_true(rc == RC_OK || !strstr(err.msg, "zvkyg"));	/* no input in messages */
	}
}

static void test_specification_pair(void **state)
{
	struct pair p = pair_of(SPEC_RECIPIENT, SPEC_IDENTITY);
	AUTO_FREE char *print = age_recipients_fingerprint(p.to, 0);
	AUTO_BUF sealed = BUF_INIT;

	(void)state;
	seal(p.to, false, SPAN_LIT("some text"), 4, &sealed);
	assert_int_equal(opens(p.by, &sealed, "some text"), RC_OK);
	assert_int_equal(strlen(print), strlen("x25519 ") + 16);
	pair_done(&p);
}

static void test_ssh_recipients(void **state)
{
	AUTO(age_recipients) r = age_recipients_new();
	AUTO_FREE char *ed = content("ed1.pub");
	AUTO_FREE char *rsa = content("rsa1.pub");
	AUTO_FREE char *small = content("short.pub");
	AUTO_FREE char *ecdsa = content("ecdsa.pub");
	AUTO_FREE char *relabelled = xasprintf("ssh-rsa%s", ed + strlen("ssh-ed25519"));
	AUTO_FREE char *print = NULL;

	(void)state;
	assert_int_equal(age_recipients_add(r, span_str(small), NULL), RC_REFUSED);
	assert_int_equal(age_recipients_add(r, span_str(ecdsa), NULL), RC_UNSUPPORTED);
	assert_int_equal(age_recipients_add(r, span_str(relabelled), NULL), RC_SYNTAX);
	/* any cut of the base64 */
	for (size_t n = strlen("ssh-ed25519"); n < strlen("ssh-ed25519 ") + 68; n++)
		assert_int_equal(age_recipients_add(r, span_make(ed, n), NULL), RC_SYNTAX);
	for (size_t n = strlen("ssh-rsa"); n < strlen("ssh-rsa ") + 372; n++)
		assert_int_equal(age_recipients_add(r, span_make(rsa, n), NULL), RC_SYNTAX);
	assert_int_equal(age_recipients_count(r), 0);
	assert_int_equal(age_recipients_add(r, span_make(ed, strlen("ssh-ed25519 ") + 68), NULL),
			 RC_OK);
	assert_int_equal(age_recipients_add(r, span_make(rsa, strlen("ssh-rsa ") + 372), NULL),
			 RC_OK);
	print = age_recipients_fingerprint(r, 1);
	assert_true(span_starts(span_str(print), SPAN_LIT("ssh-rsa ")));
}

/* As a forge serves a user's keys. */
static void test_recipients_file(void **state)
{
	AUTO(age_recipients) r = age_recipients_new();
	AUTO(age_recipients) none = age_recipients_new();
	AUTO_FREE char *ed = content("ed1.pub");
	AUTO_FREE char *ecdsa = content("ecdsa.pub");
	AUTO_FREE char *keys =
		xasprintf("%s\n%s# a comment\r\n\n  %s\r\n", ecdsa, ed, SPEC_RECIPIENT);
	size_t skipped = 0;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(age_recipients_read(r, span_str(keys), "keys", &skipped, &err), RC_OK);
	assert_int_equal(age_recipients_count(r), 2);
	assert_int_equal(skipped, 1);
	assert_int_equal(age_recipients_read(none, span_str(ecdsa), "keys", &skipped, &err),
			 RC_UNSUPPORTED);
	assert_int_equal(age_recipients_read(none, SPAN_LIT("# none\n"), "keys", &skipped, &err),
			 RC_SYNTAX);
	assert_int_equal(age_recipients_read(none, SPAN_LIT("#\n\nage1x\n"), "keys", &skipped, &err),
			 RC_SYNTAX);
	assert_int_equal(err.line, 3);
	assert_string_equal(err.file, "keys");
}

static int read_identity(const char *text)
{
	AUTO(age_identities) ids = age_identities_new();

	return age_identities_read(ids, span_str(text), "key", NULL);
}

static void test_identity_files(void **state)
{
	AUTO_FREE char *locked = content("locked");
	AUTO_FREE char *ecdsa = content("ecdsa");
	AUTO_FREE char *small = content("short");
	AUTO_FREE char *pem = content("pem");
	struct err err = ERR_INIT;
	AUTO(age_identities) ids = age_identities_new();

	(void)state;
	assert_int_equal(read_identity("# c\r\n\n" SPEC_IDENTITY "\r\n\n" SPEC_IDENTITY), RC_OK);
	assert_int_equal(read_identity("# none\n"), RC_SYNTAX);
	assert_int_equal(read_identity(SPEC_RECIPIENT), RC_SYNTAX);
	assert_int_equal(read_identity("age-secret-key-1gfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgf"
				       "pyysjzgfpq4egaex"),
			 RC_SYNTAX);
	assert_int_equal(read_identity("AGE-PLUGIN-X-1QQQQ"), RC_UNSUPPORTED);
	assert_int_equal(read_identity("age-encryption.org/v1\n-> x\n"), RC_UNSUPPORTED);
	assert_int_equal(read_identity(ecdsa), RC_UNSUPPORTED);
	assert_int_equal(read_identity(pem), RC_UNSUPPORTED);
	assert_int_equal(read_identity(small), RC_REFUSED);
	assert_int_equal(age_identities_read(ids, span_str(locked), "key", &err), RC_UNSUPPORTED);
	assert_true(err.hint[0]);
}

/* Whatever is changed in a private key, it is refused or can be used: its comment may change, and
   in an RSA key the private exponent. */
static void test_damaged_ssh_identities(void **state)
{
	static const char *const names[] = { "ed1", "rsa1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct pair p = ssh_pair(names[i]);
		AUTO_FREE char *text = content(names[i]);
		AUTO_BUF sealed = BUF_INIT;
		size_t step = i ? 3 : 1, len = strlen(text);

		seal(p.to, false, SPAN_LIT("some text"), 4, &sealed);
		for (size_t at = 0; at < len; at += step) {
			AUTO(age_identities) ids = age_identities_new();
			char before = text[at];

			text[at] = before == 'A' ? 'B' : 'A';
			if (age_identities_read(ids, span_str(text), "key", NULL) == RC_OK) {
				int rc = opens(ids, &sealed, "some text");

				assert_true(rc == RC_OK || rc == RC_NOTFOUND);
			}
			text[at] = before;
		}
		for (size_t n = 0; n + 2 < len; n += step)
			assert_true(age_identities_read(p.by, span_make(text, n), "key", NULL) < 0);
		pair_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_opens_its_own),
		cmocka_unit_test(test_several_recipients),
		cmocka_unit_test(test_passphrase),
		cmocka_unit_test(test_passphrase_is_alone),
		cmocka_unit_test(test_native_keys),
		cmocka_unit_test(test_specification_pair),
		cmocka_unit_test(test_ssh_recipients),
		cmocka_unit_test(test_recipients_file),
		cmocka_unit_test(test_identity_files),
		cmocka_unit_test(test_damaged_ssh_identities),
	};

	return cmocka_run_group_tests(tests, make_keys, remove_keys);
}
