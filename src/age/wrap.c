/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

/* The nonce of every wrapped file key: its key is used once. */
static const uint8_t zero_nonce[AGE_NONCE];

static struct span bytes(const uint8_t *p, size_t n)
{
	return span_make((const char *)p, n);
}

/* ssh-ed25519: the shared secret is multiplied by a scalar made of the SSH key, so that it differs
   from what the same curve key would give as an X25519 recipient. */
static bool tweak(const struct age_key *k, uint8_t shared[AGE_KEY])
{
	uint8_t scalar[AGE_KEY], product[AGE_KEY];
	bool good;

	digest_hkdf(SPAN_LIT(""), buf_span(&k->wire), SPAN_LIT("age-encryption.org/v1/ssh-ed25519"),
		    scalar, AGE_KEY);
	good = age_curve_multiply(scalar, shared, product);
	if (good)
		memcpy(shared, product, AGE_KEY);
	secret_wipe(scalar, AGE_KEY);
	secret_wipe(product, AGE_KEY);
	return good;
}

bool age_curve_wrap_key(const struct age_key *k, const uint8_t scalar[AGE_KEY],
			const uint8_t point[AGE_KEY], const uint8_t share[AGE_KEY],
			uint8_t ret[AGE_KEY])
{
	bool ssh = k->kind == AGE_SSH_ED25519;
	struct span info = ssh ? SPAN_LIT("age-encryption.org/v1/ssh-ed25519")
			       : SPAN_LIT("age-encryption.org/v1/X25519");
	uint8_t shared[AGE_KEY], salt[2 * AGE_KEY];
	bool good = age_curve_multiply(scalar, point, shared) && (!ssh || tweak(k, shared));

	if (good) {
		memcpy(salt, share, AGE_KEY);
		memcpy(salt + AGE_KEY, k->point, AGE_KEY);
		digest_hkdf(bytes(shared, AGE_KEY), bytes(salt, sizeof(salt)), info, ret, AGE_KEY);
	}
	secret_wipe(shared, AGE_KEY);
	return good;
}

int age_scrypt_wrap_key(const struct secret *passphrase, const uint8_t salt[AGE_SALT],
			unsigned factor, uint8_t ret[AGE_KEY], struct err *err)
{
	static const char label[] = "age-encryption.org/v1/scrypt";
	struct span phrase = secret_span(passphrase);
	uint8_t salted[sizeof(label) - 1 + AGE_SALT];
	uint64_t n = (uint64_t)1 << factor, memory = n * 8 * 128 + MIB(1);

	memcpy(salted, label, sizeof(label) - 1);
	memcpy(salted + sizeof(label) - 1, salt, AGE_SALT);
	if (!EVP_PBE_scrypt(phrase.p, phrase.len, salted, sizeof(salted), n, 8, 1, memory, ret,
			    AGE_KEY))
		return err_set(err, RC_NOMEM, "no %ju MiB of memory for the passphrase",
			       (uintmax_t)(memory >> 20));
	return RC_OK;
}

static EVP_PKEY_CTX *oaep(EVP_PKEY *key, bool encrypt)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	char hash[] = "SHA256", pad[] = "oaep", label[] = "age-encryption.org/v1/ssh-rsa";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, pad, 0),
		OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, hash, 0),
		OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, hash, 0),
		OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, label,
						  sizeof(label) - 1),
		OSSL_PARAM_construct_end(),
	};

	if (ctx && (encrypt ? EVP_PKEY_encrypt_init_ex(ctx, params)
			    : EVP_PKEY_decrypt_init_ex(ctx, params)) > 0)
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

bool age_rsa_encrypt(EVP_PKEY *key, const uint8_t file_key[AGE_FILE_KEY], struct buf *ret)
{
	AUTO(evp_pkey_ctx_st) ctx = oaep(key, true);
	uint8_t body[LIMIT_AGE_RSA_BITS / 8];
	size_t len = sizeof(body);

	if (!ctx || EVP_PKEY_encrypt(ctx, body, &len, file_key, AGE_FILE_KEY) <= 0)
		return false;
	buf_add(ret, body, len);
	return true;
}

bool age_rsa_decrypt(EVP_PKEY *key, const uint8_t *p, size_t n, uint8_t ret[AGE_FILE_KEY])
{
	AUTO(evp_pkey_ctx_st) ctx = oaep(key, false);
	uint8_t clear[LIMIT_AGE_RSA_BITS / 8];
	size_t len = sizeof(clear);
	bool good = n == (size_t)EVP_PKEY_get_size(key) && ctx &&
		    EVP_PKEY_decrypt(ctx, clear, &len, p, n) > 0 && len == AGE_FILE_KEY;

	if (good)
		memcpy(ret, clear, AGE_FILE_KEY);
	secret_wipe(clear, sizeof(clear));
	return good;
}

static void add_sealed(const uint8_t key[AGE_KEY], const uint8_t file_key[AGE_FILE_KEY],
		       struct buf *ret)
{
	AUTO(age_aead) a = age_aead_new(key, true);
	uint8_t body[AGE_FILE_KEY + AGE_TAG];

	age_aead_seal(a, zero_nonce, file_key, AGE_FILE_KEY, body);
	buf_add(ret, body, sizeof(body));
}

static int wrap_curve(const struct age_key *to, const uint8_t file_key[AGE_FILE_KEY],
		      struct buf *header, struct buf *body, struct err *err)
{
	uint8_t ephemeral[AGE_KEY], share[AGE_KEY], key[AGE_KEY];
	int rc = RC_OK;

	digest_random(ephemeral, AGE_KEY);
	age_curve_public(ephemeral, share);
	if (age_curve_wrap_key(to, ephemeral, to->point, share, key))
		add_sealed(key, file_key, body);
	else
		rc = err_set(err, RC_REFUSED, "a recipient anybody could decrypt for");
	buf_add_char(header, ' ');
	age_base64_encode(share, AGE_KEY, false, header);
	secret_wipe(ephemeral, AGE_KEY);
	secret_wipe(key, AGE_KEY);
	return rc;
}

static int wrap_scrypt(const struct age_key *to, const uint8_t file_key[AGE_FILE_KEY],
		       struct buf *header, struct buf *body, struct err *err)
{
	uint8_t salt[AGE_SALT], key[AGE_KEY];
	int rc;

	digest_random(salt, AGE_SALT);
	rc = age_scrypt_wrap_key(to->passphrase, salt, AGE_WORK_FACTOR, key, err);
	if (rc == RC_OK)
		add_sealed(key, file_key, body);
	buf_add_char(header, ' ');
	age_base64_encode(salt, AGE_SALT, false, header);
	buf_addf(header, " %d", AGE_WORK_FACTOR);
	secret_wipe(key, AGE_KEY);
	return rc;
}

int age_wrap(const struct age_key *to, const uint8_t file_key[AGE_FILE_KEY], struct buf *header,
	     struct err *err)
{
	AUTO_BUF body = BUF_INIT;
	int rc = RC_OK;

	buf_addf(header, "-> %s", age_key_kind(to));
	if (to->kind == AGE_SSH_ED25519 || to->kind == AGE_SSH_RSA) {
		buf_add_char(header, ' ');
		age_ssh_tag(to, header);
	}
	if (to->kind == AGE_SCRYPT)
		rc = wrap_scrypt(to, file_key, header, &body, err);
	else if (to->kind != AGE_SSH_RSA)
		rc = wrap_curve(to, file_key, header, &body, err);
	else if (!age_rsa_encrypt(to->rsa, file_key, &body))
		rc = err_set(err, RC_REFUSED, "an RSA key that can't encrypt");
	buf_add_char(header, '\n');
	/* the last line is shorter than the others, empty if need be */
	for (size_t at = 0; at <= body.len; at += AGE_ARMOR_BYTES) {
		struct span line = span_sub(buf_span(&body), at, at + AGE_ARMOR_BYTES);

		age_base64_encode((const uint8_t *)line.p, line.len, false, header);
		buf_add_char(header, '\n');
	}
	return rc;
}
