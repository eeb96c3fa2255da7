/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGE_FIXTURE_H
#define AGE_FIXTURE_H

/* Files encrypted and decrypted in memory, for the unit tests of module age. */

#include <corescrub/age.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* An own key pair made by age_keygen: its recipients and its identities. */
struct pair {
	struct age_recipients *to;
	struct age_identities *by;
};

static inline struct pair pair_new(void)
{
	struct pair p = { age_recipients_new(), age_identities_new() };
	AUTO_BUF file = BUF_INIT;
	AUTO_BUF recipient = BUF_INIT;

	age_keygen(1700000000, &file, &recipient);
	assert_int_equal(age_recipients_add(p.to, buf_span(&recipient), NULL), RC_OK);
	assert_int_equal(age_identities_read(p.by, buf_span(&file), "key", NULL), RC_OK);
	return p;
}

static inline struct pair pair_of(const char *recipient, const char *identity)
{
	struct pair p = { age_recipients_new(), age_identities_new() };

	assert_int_equal(age_recipients_add(p.to, span_str(recipient), NULL), RC_OK);
	assert_int_equal(age_identities_read(p.by, span_str(identity), "key", NULL), RC_OK);
	return p;
}

static inline struct pair pair_of_passphrase(const char *phrase)
{
	struct pair p = { age_recipients_new(), age_identities_new() };
	AUTO(secret) s = secret_new(phrase, strlen(phrase));

	assert_int_equal(age_recipients_add_passphrase(p.to, s, NULL), RC_OK);
	assert_int_equal(age_identities_add_passphrase(p.by, s, NULL), RC_OK);
	return p;
}

static inline void pair_done(struct pair *p)
{
	age_recipients_free(p->to);
	age_identities_free(p->by);
}

/* `step` bytes at a time. */
static inline void seal(const struct age_recipients *to, bool armor, struct span clear, size_t step,
			struct buf *ret)
{
	AUTO(age_writer) w = NULL;
	struct err err = ERR_INIT;
	struct sink_buf out;

	sink_buf_init(&out);
	assert_int_equal(age_encrypt(to, armor, &out.sink, &w, &err), RC_OK);
	for (size_t at = 0; at < clear.len; at += step) {
		struct sink *s = age_writer_sink(w);

		assert_int_equal(s->write(s, span_sub(clear, at, at + step), &err), RC_OK);
	}
	assert_int_equal(age_encrypt_end(w, &err), RC_OK);
	*ret = out.buf;
}

/* What came out stands in *ret whatever the result. */
static inline int unseal(const struct age_identities *by, struct span sealed, struct buf *ret,
			 struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct sink_buf out;
	int rc;

	assert_int_equal(file_unnamed(true, &fd, NULL), RC_OK);
	assert_int_equal(file_write_all(fd, sealed, "memory", NULL), RC_OK);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	sink_buf_init(&out);
	rc = age_decrypt(fd, "memory", by, &out.sink, err);
	*ret = out.buf;
	return rc;
}

static inline void fill(struct buf *ret, size_t n)
{
	assert_int_equal(buf_reserve_input(ret, n, MIB(64), NULL), RC_OK);
	digest_random(ret->p, n);
	ret->len = n;
}

#endif
