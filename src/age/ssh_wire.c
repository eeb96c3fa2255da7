/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <stdlib.h>

/* Blobs of RFC 4251, section 5: strings and integers with their length in front; and the private
   key file of OpenSSH's PROTOCOL.key. */

#define RSA_MIN_BITS 2048

AUTO_DEFINE(bignum_st, BN_clear_free)
AUTO_DEFINE(ossl_param_bld_st, OSSL_PARAM_BLD_free)
AUTO_DEFINE(ossl_param_st, OSSL_PARAM_free)

static bool read_u32(struct span *s, uint32_t *ret)
{
	if (s->len < 4)
		return false;
	*ret = 0;
	for (int i = 0; i < 4; i++)
		*ret = *ret << 8 | (uint8_t)s->p[i];
	*s = span_sub(*s, 4, s->len);
	return true;
}

static bool read_string(struct span *s, struct span *ret)
{
	uint32_t len;

	if (!read_u32(s, &len) || len > s->len)
		return false;
	*ret = span_sub(*s, 0, len);
	*s = span_sub(*s, len, s->len);
	return true;
}

static bool read_word(struct span *s, const char *word)
{
	struct span got;

	return read_string(s, &got) && span_eq_str(got, word);
}

/* A positive integer, without needless zeros in front. */
static bool read_integer(struct span *s, struct span *ret)
{
	if (!read_string(s, ret) || ret->len == 0 || (uint8_t)ret->p[0] >= 0x80)
		return false;
	if (ret->p[0] == 0 && (ret->len == 1 || (uint8_t)ret->p[1] < 0x80))
		return false;
	if (ret->p[0] == 0)
		*ret = span_sub(*ret, 1, ret->len);
	return true;
}

static bool push(OSSL_PARAM_BLD *params, const char *name, struct span bytes, BIGNUM **ret)
{
	*ret = BN_secure_new();
	return *ret && BN_bin2bn((const uint8_t *)bytes.p, bytes.len, *ret) &&
	       OSSL_PARAM_BLD_push_BN(params, name, *ret);
}

/* d: the private exponent, or empty. libcrypto does without the primes: slower, but once a file. */
static EVP_PKEY *make_rsa(struct span n, struct span e, struct span d)
{
	AUTO(ossl_param_bld_st) build = OSSL_PARAM_BLD_new();
	AUTO(ossl_param_st) params = NULL;
	AUTO(evp_pkey_ctx_st) ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	AUTO(bignum_st) bn_n = NULL;
	AUTO(bignum_st) bn_e = NULL;
	AUTO(bignum_st) bn_d = NULL;
	int what = d.len ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
	EVP_PKEY *key = NULL;

	if (!build || !ctx || !push(build, OSSL_PKEY_PARAM_RSA_N, n, &bn_n) ||
	    !push(build, OSSL_PKEY_PARAM_RSA_E, e, &bn_e) ||
	    (d.len && !push(build, OSSL_PKEY_PARAM_RSA_D, d, &bn_d)))
		return NULL;
	params = OSSL_PARAM_BLD_to_param(build);
	if (!params || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, what, params) <= 0)
		return NULL;
	return key;
}

static int set_rsa(struct age_key *k, struct span n, struct span e, struct span d, struct err *err)
{
	/* an odd exponent over 1 that others can read too; integers have no leading zeros here */
	if (e.len > 4 || !(e.p[e.len - 1] & 1) || (e.len == 1 && e.p[0] == 1) ||
	    n.len > LIMIT_AGE_RSA_BITS / 8 || !(n.p[n.len - 1] & 1))
		return err_set(err, RC_SYNTAX, "a damaged RSA key");
	k->rsa = make_rsa(n, e, d);
	if (!k->rsa)
		return err_set(err, RC_SYNTAX, "a damaged RSA key");
	if (EVP_PKEY_get_bits(k->rsa) < RSA_MIN_BITS)
		return err_set(err, RC_REFUSED, "an RSA key of less than %d bits", RSA_MIN_BITS);
	return RC_OK;
}

static int read_rsa(struct span blob, struct age_key *k, struct err *err)
{
	struct span e, n;

	if (!read_integer(&blob, &e) || !read_integer(&blob, &n) || blob.len)
		return err_set(err, RC_SYNTAX, "a damaged RSA key");
	return set_rsa(k, n, e, span_make("", 0), err);
}

static int read_ed25519(struct span blob, struct age_key *k, struct err *err)
{
	struct span point;

	if (!read_string(&blob, &point) || point.len != AGE_KEY || blob.len ||
	    !age_curve_from_ed25519((const uint8_t *)point.p, k->point))
		return err_set(err, RC_SYNTAX, "a damaged Ed25519 key");
	if (!age_curve_is_sound(k->point))
		return err_set(err, RC_REFUSED, "a recipient anybody could decrypt for");
	return RC_OK;
}

int age_ssh_read_blob(struct span blob, struct age_key **ret, struct err *err)
{
	AUTO(age_key) k = NULL;
	struct span whole = blob, type;
	int rc;

	if (!read_string(&blob, &type))
		return err_set(err, RC_SYNTAX, "a damaged SSH key");
	if (span_eq_str(type, "ssh-rsa")) {
		k = age_key_new(AGE_SSH_RSA);
		rc = read_rsa(blob, k, err);
	} else if (span_eq_str(type, "ssh-ed25519")) {
		k = age_key_new(AGE_SSH_ED25519);
		rc = read_ed25519(blob, k, err);
	} else {
		rc = err_set(err, RC_UNSUPPORTED, "an SSH key that is neither ed25519 nor rsa");
	}
	if (rc < 0)
		return rc;
	buf_add_span(&k->wire, whole);
	*ret = STEAL(k);
	return RC_OK;
}

/* Behind the kind: the public key, then seed and public key in one. */
static bool read_private_ed25519(struct span *s, struct age_key *k)
{
	struct span point, both;
	uint8_t check[AGE_KEY];

	if (!read_string(s, &point) || !read_string(s, &both) || point.len != AGE_KEY ||
	    both.len != 2 * AGE_KEY || memcmp(both.p + AGE_KEY, point.p, AGE_KEY) != 0)
		return false;
	age_curve_from_seed((const uint8_t *)both.p, k->scalar);
	age_curve_public(k->scalar, check);
	return memcmp(check, k->point, AGE_KEY) == 0;
}

static bool read_private_rsa(struct span *s, struct age_key *k)
{
	struct span n, e, d, unused;
	AUTO(evp_pkey_st) public = STEAL(k->rsa);

	/* behind d: the inverse of q, p, q */
	return read_integer(s, &n) && read_integer(s, &e) && read_integer(s, &d) &&
	       read_integer(s, &unused) && read_integer(s, &unused) && read_integer(s, &unused) &&
	       set_rsa(k, n, e, d, NULL) == RC_OK && EVP_PKEY_eq(public, k->rsa) == 1;
}

/* Two equal words, the key, a comment, and 1, 2, 3, … up to a block of 8. */
static bool read_private_part(struct span s, struct age_key *k)
{
	struct span comment;
	uint32_t a, b;

	if (s.len % 8 || !read_u32(&s, &a) || !read_u32(&s, &b) || a != b ||
	    !read_word(&s, age_key_kind(k)))
		return false;
	if (k->kind == AGE_SSH_RSA ? !read_private_rsa(&s, k) : !read_private_ed25519(&s, k))
		return false;
	if (!read_string(&s, &comment) || s.len >= 8)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] != (char)(i + 1))
			return false;
	return true;
}

int age_ssh_read_private(struct span blob, const char *name, struct age_key **ret, struct err *err)
{
	static const char magic[] = "openssh-key-v1";	/* with its NUL */
	AUTO(age_key) k = NULL;
	struct err why = ERR_INIT;
	struct span cipher, public, private;
	uint32_t n;
	int rc;

	if (!span_starts(blob, span_make(magic, sizeof(magic))))
		return err_at(err, RC_FORMAT, name, 0, 0, "a damaged OpenSSH private key");
	blob = span_sub(blob, sizeof(magic), blob.len);
	if (read_string(&blob, &cipher) && !span_eq_str(cipher, "none")) {
		rc = err_at(err, RC_UNSUPPORTED, name, 0, 0, "the private key is encrypted");
		err_hint(err, "take the passphrase off a copy: ssh-keygen -p -f COPY");
		return rc;
	}
	if (!read_word(&blob, "none") || !read_word(&blob, "") || !read_u32(&blob, &n) || n != 1 ||
	    !read_string(&blob, &public) || !read_string(&blob, &private) || blob.len)
		return err_at(err, RC_FORMAT, name, 0, 0, "a damaged OpenSSH private key");
	rc = age_ssh_read_blob(public, &k, &why);
	if (rc < 0)
		return err_at(err, rc == RC_SYNTAX ? RC_FORMAT : rc, name, 0, 0, "%s", why.msg);
	if (!read_private_part(private, k))
		return err_at(err, RC_FORMAT, name, 0, 0, "a damaged OpenSSH private key");
	*ret = STEAL(k);
	return RC_OK;
}
