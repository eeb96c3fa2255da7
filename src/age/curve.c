/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <stdlib.h>

AUTO_DEFINE(bignum_st, BN_clear_free)
AUTO_DEFINE(bignum_ctx, BN_CTX_free)

static EVP_PKEY *private_key(const uint8_t scalar[AGE_KEY])
{
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, scalar, AGE_KEY);
}

static EVP_PKEY *public_key(const uint8_t point[AGE_KEY])
{
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point, AGE_KEY);
}

bool age_curve_multiply(const uint8_t scalar[AGE_KEY], const uint8_t point[AGE_KEY],
			uint8_t ret[AGE_KEY])
{
	static const uint8_t zero[AGE_KEY];
	AUTO(evp_pkey_st) mine = private_key(scalar);
	AUTO(evp_pkey_st) theirs = public_key(point);
	AUTO(evp_pkey_ctx_st) ctx = mine ? EVP_PKEY_CTX_new(mine, NULL) : NULL;
	size_t len = AGE_KEY;

	return theirs && ctx && EVP_PKEY_derive_init(ctx) > 0 &&
	       EVP_PKEY_derive_set_peer(ctx, theirs) > 0 && EVP_PKEY_derive(ctx, ret, &len) > 0 &&
	       len == AGE_KEY && CRYPTO_memcmp(ret, zero, AGE_KEY) != 0;
}

void age_curve_public(const uint8_t scalar[AGE_KEY], uint8_t ret[AGE_KEY])
{
	AUTO(evp_pkey_st) key = private_key(scalar);
	size_t len = AGE_KEY;

	if (!key || EVP_PKEY_get_raw_public_key(key, ret, &len) <= 0 || len != AGE_KEY)
		abort();	/* any 32 bytes are a scalar: libcrypto is broken */
}

bool age_curve_is_sound(const uint8_t point[AGE_KEY])
{
	uint8_t scalar[AGE_KEY], product[AGE_KEY];
	bool sound;

	digest_random(scalar, sizeof(scalar));
	sound = age_curve_multiply(scalar, point, product);
	secret_wipe(scalar, sizeof(scalar));
	secret_wipe(product, sizeof(product));
	return sound;
}

/* u = (1 + y) / (1 - y) mod 2^255 - 19: the birational map of RFC 7748, 4.1. */
static bool montgomery(BIGNUM *y, const BIGNUM *p, BN_CTX *ctx)
{
	AUTO(bignum_st) below = BN_new();

	return below && BN_cmp(y, p) < 0 && BN_mod_sub(below, BN_value_one(), y, p, ctx) &&
	       BN_mod_inverse(below, below, p, ctx) && BN_mod_add(y, y, BN_value_one(), p, ctx) &&
	       BN_mod_mul(y, y, below, p, ctx);
}

bool age_curve_from_ed25519(const uint8_t edwards[AGE_KEY], uint8_t ret[AGE_KEY])
{
	AUTO(bignum_st) p = BN_new();
	AUTO(bignum_st) y = NULL;
	AUTO(bignum_ctx) ctx = BN_CTX_new();
	uint8_t bytes[AGE_KEY];

	memcpy(bytes, edwards, AGE_KEY);
	bytes[AGE_KEY - 1] &= 0x7f;	/* the sign of x, which u does not depend on */
	y = BN_lebin2bn(bytes, AGE_KEY, NULL);
	return p && y && ctx && BN_set_bit(p, 255) && BN_sub_word(p, 19) && montgomery(y, p, ctx) &&
	       BN_bn2lebinpad(y, ret, AGE_KEY) == AGE_KEY;
}

void age_curve_from_seed(const uint8_t seed[AGE_KEY], uint8_t ret[AGE_KEY])
{
	uint8_t hash[64];

	if (!EVP_Digest(seed, AGE_KEY, hash, NULL, EVP_sha512(), NULL))
		abort();
	memcpy(ret, hash, AGE_KEY);
	secret_wipe(hash, sizeof(hash));
}
