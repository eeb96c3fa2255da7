/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <stdlib.h>

struct age_aead {
	EVP_CIPHER_CTX *ctx;
};

/* Sealing can't fail short of a broken libcrypto, and going on could send clear text. */
static void must(bool ok)
{
	if (!ok)
		abort();
}

struct age_aead *age_aead_new(const uint8_t key[AGE_KEY], bool encrypt)
{
	struct age_aead *a = xcalloc(1, sizeof(*a));

	a->ctx = EVP_CIPHER_CTX_new();
	must(a->ctx &&
	     EVP_CipherInit_ex(a->ctx, EVP_chacha20_poly1305(), NULL, key, NULL, encrypt));
	return a;
}

void age_aead_free(struct age_aead *a)
{
	if (!a)
		return;
	EVP_CIPHER_CTX_free(a->ctx);	/* wipes */
	free(a);
}

void age_aead_seal(struct age_aead *a, const uint8_t nonce[AGE_NONCE], const uint8_t *in, size_t n,
		   uint8_t *ret)
{
	int len, more;

	must(n <= AGE_CHUNK && EVP_EncryptInit_ex(a->ctx, NULL, NULL, NULL, nonce) &&
	     EVP_EncryptUpdate(a->ctx, ret, &len, in, n) &&
	     EVP_EncryptFinal_ex(a->ctx, ret + len, &more) && (size_t)len + more == n &&
	     EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, AGE_TAG, ret + n) > 0);
}

bool age_aead_open(struct age_aead *a, const uint8_t nonce[AGE_NONCE], const uint8_t *in, size_t n,
		   uint8_t *ret)
{
	int len = 0, more = 0;
	bool good;

	if (n < AGE_TAG || n > AGE_CHUNK + AGE_TAG)
		return false;
	n -= AGE_TAG;
	good = EVP_DecryptInit_ex(a->ctx, NULL, NULL, NULL, nonce) &&
	       EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, AGE_TAG, (void *)(in + n)) > 0 &&
	       EVP_DecryptUpdate(a->ctx, ret, &len, in, n) &&
	       EVP_DecryptFinal_ex(a->ctx, ret + len, &more) > 0 && (size_t)len + more == n;
	if (!good)
		secret_wipe(ret, n);
	return good;
}

void age_aead_nonce(uint64_t chunk, bool last, uint8_t ret[AGE_NONCE])
{
	memset(ret, 0, AGE_NONCE);
	for (int i = 0; i < 8; i++)
		ret[10 - i] = chunk >> 8 * i;
	ret[AGE_NONCE - 1] = last;
}
