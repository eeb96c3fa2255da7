/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/age/age_internal.h"
#include "age_fixture.h"

/* Passphrases, file keys and identities are gone from memory when the functions have returned. What
   is looked for is kept inverted, so that looking does not put it there. */

#define REGION_MAX MIB(256)	/* a sanitizer's shadow is larger */

static const uint8_t inverted[AGE_FILE_KEY] = {
	0x9e, 0x13, 0x8b, 0xd4, 0x77, 0x20, 0xe9, 0x5c, 0x81, 0x3a, 0xf6, 0x4d, 0xb2, 0x68, 0x0f, 0xc5,
};

static void put_secret(uint8_t ret[AGE_FILE_KEY])
{
	for (int i = 0; i < AGE_FILE_KEY; i++)
		ret[i] = ~inverted[i];
}

__attribute__((no_sanitize("address"))) static size_t count_in(const uint8_t *p, const uint8_t *end)
{
	size_t n = 0;

	for (; p + AGE_FILE_KEY <= end; p++) {
		int i = 0;

		while (i < AGE_FILE_KEY && (uint8_t)(p[i] ^ inverted[i]) == 0xff)
			i++;
		n += i == AGE_FILE_KEY;
	}
	return n;
}

/* How often it stands in memory that can be written. */
static size_t count(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], access[8];
	uintptr_t from, to;
	size_t n = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s", &from, &to, access) == 3 &&
		    strncmp(access, "rw", 2) == 0 && to - from <= REGION_MAX)
			n += count_in((const uint8_t *)from, (const uint8_t *)to);
	fclose(maps);
	return n;
}

static void test_it_is_found(void **state)
{
	uint8_t *p = xmalloc(AGE_FILE_KEY);

	(void)state;
	assert_int_equal(count(), 0);
	put_secret(p);
	assert_int_equal(count(), 1);
	secret_wipe(p, AGE_FILE_KEY);
	free(p);
	assert_int_equal(count(), 0);
}

static void test_passphrase(void **state)
{
	uint8_t phrase[AGE_FILE_KEY];
	AUTO_BUF sealed = BUF_INIT;
	AUTO_BUF clear = BUF_INIT;
	struct pair p = { age_recipients_new(), age_identities_new() };
	struct secret *s;

	(void)state;
	put_secret(phrase);
	s = secret_new(phrase, sizeof(phrase));
	secret_wipe(phrase, sizeof(phrase));
	assert_int_equal(age_recipients_add_passphrase(p.to, s, NULL), RC_OK);
	assert_int_equal(age_identities_add_passphrase(p.by, s, NULL), RC_OK);
	secret_free(s);
	assert_int_equal(count(), 2);
	seal(p.to, true, SPAN_LIT("some text"), 4, &sealed);
	assert_int_equal(unseal(p.by, buf_span(&sealed), &clear, NULL), RC_OK);
	assert_int_equal(count(), 2);
	pair_done(&p);
	assert_int_equal(count(), 0);
}

/* A stanza with the secret as the file key, read back. */
static void check_file_key(struct pair *p)
{
	uint8_t file_key[AGE_FILE_KEY], got[AGE_FILE_KEY];
	AUTO_BUF header = BUF_INIT;
	AUTO_CLOSE int fd = -1;
	AUTO(age_source) src = NULL;
	AUTO(age_header) h = NULL;

	put_secret(file_key);
	assert_int_equal(age_header_write(p->to, file_key, &header, NULL), RC_OK);
	secret_wipe(file_key, sizeof(file_key));
	assert_int_equal(count(), 0);
	assert_int_equal(file_unnamed(true, &fd, NULL), RC_OK);
	assert_int_equal(file_write_all(fd, buf_span(&header), "memory", NULL), RC_OK);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	src = age_source_new(fd, "memory");
	assert_int_equal(age_header_read(src, &h, NULL), RC_OK);
	assert_int_equal(age_header_unwrap(h, p->by, got, "memory", NULL), RC_OK);
	assert_int_equal(count(), 1);
	secret_wipe(got, sizeof(got));
	assert_int_equal(count(), 0);
}

static void test_file_key(void **state)
{
	struct pair curve = pair_new(), phrase = pair_of_passphrase("a phrase");

	(void)state;
	check_file_key(&curve);
	check_file_key(&phrase);
	pair_done(&curve);
	pair_done(&phrase);
}

/* An identity of the secret, twice, as its text gives it. */
static void test_identity(void **state)
{
	uint8_t scalar[AGE_KEY];
	struct buf text = BUF_INIT;
	AUTO(age_identities) ids = age_identities_new();

	(void)state;
	put_secret(scalar);
	put_secret(scalar + AGE_FILE_KEY);
	age_bech32_encode("AGE-SECRET-KEY-", scalar, &text);
	secret_wipe(scalar, sizeof(scalar));
	assert_int_equal(count(), 0);
	assert_int_equal(age_identities_read(ids, buf_span(&text), "key", NULL), RC_OK);
	buf_done(&text);
	assert_int_equal(count(), 2);
	age_identities_free(STEAL(ids));
	assert_int_equal(count(), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_found),
		cmocka_unit_test(test_passphrase),
		cmocka_unit_test(test_file_key),
		cmocka_unit_test(test_identity),
	};

	(void)argc;
	/* a library's first call of a function saves the vector registers, with whatever a memcpy left
	   there, on the stack: that is nobody's to wipe */
	if (!getenv("LD_BIND_NOW")) {
		setenv("LD_BIND_NOW", "1", 1);
		execv("/proc/self/exe", argv);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
