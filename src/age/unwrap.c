/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

/* The arguments and the length of a stanza follow from its kind; anything else is damage. */

#define SEALED (AGE_FILE_KEY + AGE_TAG)

/* A decimal without zeros in front, at most `max`, or max + 1. */
static bool read_factor(struct span s, unsigned max, unsigned *ret)
{
	unsigned n = 0;

	if (s.len == 0 || s.p[0] == '0')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (n <= max)
			n = n * 10 + (s.p[i] - '0');
	}
	*ret = n <= max ? n : max + 1;
	return true;
}

static bool is_sound_scrypt(const struct age_stanza *s)
{
	uint8_t salt[AGE_SALT];
	unsigned factor;

	return s->n_args == 3 && age_base64_exact(s->args[1], salt, AGE_SALT) &&
	       read_factor(s->args[2], LIMIT_AGE_WORK_FACTOR, &factor) && s->body_len == SEALED;
}

bool age_stanza_is_sound(const struct age_stanza *s)
{
	uint8_t bytes[AGE_KEY];
	struct span kind = s->args[0];

	if (span_eq_str(kind, "X25519"))
		return s->n_args == 2 && age_base64_exact(s->args[1], bytes, AGE_KEY) &&
		       s->body_len == SEALED;
	if (span_eq_str(kind, "scrypt"))
		return is_sound_scrypt(s);
	if (span_eq_str(kind, "ssh-ed25519"))
		return s->n_args == 3 && age_base64_exact(s->args[1], bytes, 4) &&
		       age_base64_exact(s->args[2], bytes, AGE_KEY) && s->body_len == SEALED;
	if (span_eq_str(kind, "ssh-rsa"))
		return s->n_args == 2 && age_base64_exact(s->args[1], bytes, 4);
	return true;	/* not ours to judge */
}

static int open_sealed(const uint8_t key[AGE_KEY], const struct age_stanza *s,
		       uint8_t ret[AGE_FILE_KEY])
{
	static const uint8_t zero_nonce[AGE_NONCE];
	AUTO(age_aead) a = age_aead_new(key, false);

	return age_aead_open(a, zero_nonce, s->body, SEALED, ret) ? RC_OK : RC_NOTFOUND;
}

static int unwrap_curve(const struct age_key *by, const struct age_stanza *s,
			uint8_t ret[AGE_FILE_KEY], const char *name, struct err *err)
{
	uint8_t share[AGE_KEY], key[AGE_KEY];
	int rc;

	if (!age_base64_exact(s->args[s->n_args - 1], share, AGE_KEY) ||
	    !age_curve_wrap_key(by, by->scalar, share, share, key))
		return err_at(err, RC_FORMAT, name, 0, 0, "damaged header: a share of low order");
	rc = open_sealed(key, s, ret);
	secret_wipe(key, AGE_KEY);
	return rc;
}

static int unwrap_scrypt(const struct age_key *by, const struct age_stanza *s,
			 uint8_t ret[AGE_FILE_KEY], const char *name, struct err *err)
{
	uint8_t salt[AGE_SALT], key[AGE_KEY];
	unsigned factor = 0;
	int rc;

	if (!age_base64_exact(s->args[1], salt, AGE_SALT) ||
	    !read_factor(s->args[2], LIMIT_AGE_WORK_FACTOR, &factor))
		return err_at(err, RC_FORMAT, name, 0, 0, "damaged header: a stanza");
	if (factor > LIMIT_AGE_WORK_FACTOR)
		return err_at(err, RC_UNSUPPORTED, name, 0, 0,
			      "the passphrase's work factor is over %d", LIMIT_AGE_WORK_FACTOR);
	rc = age_scrypt_wrap_key(by->passphrase, salt, factor, key, err);
	if (rc == RC_OK)
		rc = open_sealed(key, s, ret);
	secret_wipe(key, AGE_KEY);
	return rc;
}

int age_unwrap(const struct age_key *by, const struct age_stanza *s, uint8_t ret[AGE_FILE_KEY],
	       const char *name, struct err *err)
{
	AUTO_BUF tag = BUF_INIT;

	if (!span_eq_str(s->args[0], age_key_kind(by)))
		return RC_NOTFOUND;
	if (by->kind == AGE_SCRYPT)
		return unwrap_scrypt(by, s, ret, name, err);
	if (by->kind == AGE_X25519)
		return unwrap_curve(by, s, ret, name, err);
	age_ssh_tag(by, &tag);
	if (!span_eq(s->args[1], buf_span(&tag)))
		return RC_NOTFOUND;
	if (by->kind == AGE_SSH_ED25519)
		return unwrap_curve(by, s, ret, name, err);
	return age_rsa_decrypt(by->rsa, s->body, s->body_len, ret) ? RC_OK : RC_NOTFOUND;
}
