/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/base/ascii.h>
#include <corescrub/base/digest.h>

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

/* libcrypto fails here only when it is broken or out of memory; going on could weaken a token. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

struct sha256 {
	EVP_MD_CTX *ctx;
};

struct sha256 *sha256_new(void)
{
	struct sha256 *h = xcalloc(1, sizeof(*h));

	h->ctx = EVP_MD_CTX_new();
	must(h->ctx && EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL));
	return h;
}

void sha256_free(struct sha256 *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void sha256_add(struct sha256 *h, const void *p, size_t n)
{
	must(EVP_DigestUpdate(h->ctx, p, n));
}

void sha256_end(struct sha256 *h, uint8_t ret[DIGEST_LEN])
{
	must(EVP_DigestFinal_ex(h->ctx, ret, NULL));
	must(EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL));
}

void digest_sha256(struct span s, uint8_t ret[DIGEST_LEN])
{
	must(EVP_Digest(s.p, s.len, ret, NULL, EVP_sha256(), NULL));
}

void digest_md5(struct span s, uint8_t ret[16])
{
	must(EVP_Digest(s.p, s.len, ret, NULL, EVP_md5(), NULL));
}

struct hmac {
	EVP_MAC_CTX *keyed;	/* set up with the key, which it keeps from message to message */
};

struct hmac *hmac_new(struct span key)
{
	struct hmac *h = xcalloc(1, sizeof(*h));
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	must(mac);
	h->keyed = EVP_MAC_CTX_new(mac);
	must(h->keyed && EVP_MAC_init(h->keyed, (const uint8_t *)key.p, key.len, params));
	EVP_MAC_free(mac);
	return h;
}

struct hmac *hmac_copy(const struct hmac *h)
{
	struct hmac *copy = xcalloc(1, sizeof(*copy));

	copy->keyed = EVP_MAC_CTX_dup(h->keyed);
	must(copy->keyed);
	return copy;
}

void hmac_free(struct hmac *h)
{
	if (!h)
		return;
	EVP_MAC_CTX_free(h->keyed);
	free(h);
}

void hmac_parts(struct hmac *h, const struct span *parts, size_t n, uint8_t ret[DIGEST_LEN])
{
	size_t len;

	must(EVP_MAC_init(h->keyed, NULL, 0, NULL));
	for (size_t i = 0; i < n; i++)
		must(EVP_MAC_update(h->keyed, (const uint8_t *)parts[i].p, parts[i].len));
	must(EVP_MAC_final(h->keyed, ret, &len, DIGEST_LEN) && len == DIGEST_LEN);
}

void digest_hkdf(struct span key, struct span salt, struct span info, uint8_t *ret, size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx;
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key.p, key.len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt.p, salt.len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info.p, info.len),
		OSSL_PARAM_construct_end(),
	};

	must(kdf);
	ctx = EVP_KDF_CTX_new(kdf);
	must(ctx && EVP_KDF_derive(ctx, ret, len, params) > 0);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

void digest_random(void *ret, size_t len)
{
	must(len <= INT32_MAX && RAND_priv_bytes(ret, len) == 1);
}

void digest_hex(const uint8_t *p, size_t len, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*ret++ = digits[p[i] >> 4];
		*ret++ = digits[p[i] & 15];
	}
	*ret = '\0';
}

bool digest_from_hex(struct span hex, uint8_t ret[DIGEST_LEN])
{
	if (hex.len != 2 * DIGEST_LEN)
		return false;
	for (size_t i = 0; i < hex.len; i++) {
		int digit = ascii_hex_value(hex.p[i]);

		if (digit < 0 || (hex.p[i] >= 'A' && hex.p[i] <= 'F'))
			return false;
		ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | digit);
	}
	return true;
}
