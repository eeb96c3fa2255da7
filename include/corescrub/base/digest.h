/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BASE_DIGEST_H
#define CORESCRUB_BASE_DIGEST_H

#include <corescrub/base/mem.h>

/* Digests and random bytes, on libcrypto. None of these can fail short of a broken libcrypto:
   abort. */

#define DIGEST_LEN 32

struct sha256;				/* streaming SHA-256, FIPS 180-4 */
struct sha256 *sha256_new(void);
void sha256_free(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *p, size_t n);
void sha256_end(struct sha256 *h, uint8_t ret[DIGEST_LEN]);	/* h is ready for a new message */
AUTO_DEFINE(sha256, sha256_free)

void digest_sha256(struct span s, uint8_t ret[DIGEST_LEN]);
void digest_md5(struct span s, uint8_t ret[16]);	/* for HTTP/SIP digests only, RFC 2617 */

struct hmac;				/* a keyed HMAC-SHA-256 (RFC 2104), reusable */
struct hmac *hmac_new(struct span key);
struct hmac *hmac_copy(const struct hmac *h);	/* with the same key, for another thread */
void hmac_free(struct hmac *h);
/* The HMAC of the parts one behind the other. */
void hmac_parts(struct hmac *h, const struct span *parts, size_t n, uint8_t ret[DIGEST_LEN]);
AUTO_DEFINE(hmac, hmac_free)

/* HKDF-SHA-256, RFC 5869: len bytes (at most 255 * 32) to ret. */
void digest_hkdf(struct span key, struct span salt, struct span info, uint8_t *ret, size_t len);
void digest_random(void *ret, size_t len);
/* Lower-case hex, 2 * len characters and a NUL. */
void digest_hex(const uint8_t *p, size_t len, char *ret);
/* The same back: false unless hex is 2 * DIGEST_LEN digits, in lower case. */
bool digest_from_hex(struct span hex, uint8_t ret[DIGEST_LEN]);

#endif
