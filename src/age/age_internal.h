/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_AGE_INTERNAL_H
#define CORESCRUB_AGE_INTERNAL_H

#include <corescrub/age.h>
#include <openssl/evp.h>

/* Sizes of the specification. */
#define AGE_KEY		32	/* curve points, scalars, ChaCha20 keys, the MAC */
#define AGE_FILE_KEY	16
#define AGE_TAG		16	/* Poly1305 */
#define AGE_NONCE	12	/* ChaCha20-Poly1305 */
#define AGE_SALT	16	/* scrypt, and the payload's nonce */
#define AGE_CHUNK	KIB(64)
#define AGE_WORK_FACTOR	18	/* scrypt, when encrypting: a second, 256 MiB */

AUTO_DEFINE(evp_pkey_st, EVP_PKEY_free)
AUTO_DEFINE(evp_pkey_ctx_st, EVP_PKEY_CTX_free)

/* base64.c: RFC 4648, section 4, canonical alone. */
void age_base64_encode(const uint8_t *p, size_t n, bool padded, struct buf *ret);
/* At most s.len / 4 * 3 + 2 bytes to ret. */
bool age_base64_decode(struct span s, bool padded, uint8_t *ret, size_t *ret_len);
/* Unpadded, exactly n bytes. */
bool age_base64_exact(struct span s, uint8_t *ret, size_t n);

/* bech32.c: BIP 173 for 32 bytes; upper case if hrp is. */
void age_bech32_encode(const char *hrp, const uint8_t data[AGE_KEY], struct buf *ret);
bool age_bech32_decode(const char *hrp, struct span s, uint8_t ret[AGE_KEY]);

/* curve.c: RFC 7748. False where the product is zero: the point has a low order. */
bool age_curve_multiply(const uint8_t scalar[AGE_KEY], const uint8_t point[AGE_KEY],
			uint8_t ret[AGE_KEY]);
void age_curve_public(const uint8_t scalar[AGE_KEY], uint8_t ret[AGE_KEY]);
bool age_curve_is_sound(const uint8_t point[AGE_KEY]);
/* The Montgomery form of an Ed25519 public key, and of its private one (RFC 8032, 5.1.5). */
bool age_curve_from_ed25519(const uint8_t edwards[AGE_KEY], uint8_t ret[AGE_KEY]);
void age_curve_from_seed(const uint8_t seed[AGE_KEY], uint8_t ret[AGE_KEY]);

/* aead.c: ChaCha20-Poly1305 with one key; the cipher's context is kept from call to call. */
struct age_aead;
struct age_aead *age_aead_new(const uint8_t key[AGE_KEY], bool encrypt);
void age_aead_free(struct age_aead *a);
AUTO_DEFINE(age_aead, age_aead_free)
/* n bytes to n + AGE_TAG. */
void age_aead_seal(struct age_aead *a, const uint8_t nonce[AGE_NONCE], const uint8_t *in, size_t n,
		   uint8_t *ret);
/* n bytes, tag included, to n - AGE_TAG; false if they are not authentic, and ret is wiped. */
bool age_aead_open(struct age_aead *a, const uint8_t nonce[AGE_NONCE], const uint8_t *in, size_t n,
		   uint8_t *ret);
/* The payload's nonce (STREAM): the chunk's number, big endian, and whether it is the last. */
void age_aead_nonce(uint64_t chunk, bool last, uint8_t ret[AGE_NONCE]);

/* key.c: a recipient or an identity. */
enum age_kind { AGE_X25519, AGE_SCRYPT, AGE_SSH_ED25519, AGE_SSH_RSA };
struct age_key {
	enum age_kind kind;
	uint8_t point[AGE_KEY];		/* x25519, ssh-ed25519 */
	uint8_t scalar[AGE_KEY];	/* the same, identities only */
	struct buf wire;		/* ssh: the public key's blob, RFC 4253, 6.6 */
	EVP_PKEY *rsa;			/* ssh-rsa */
	struct secret *passphrase;	/* scrypt */
};
struct age_keys {
	struct age_key **v;
	size_t n, cap;
};
struct age_key *age_key_new(enum age_kind kind);
void age_key_free(struct age_key *k);	/* wipes */
AUTO_DEFINE(age_key, age_key_free)
const char *age_key_kind(const struct age_key *k);	/* the stanza's first argument */
void age_keys_add(struct age_keys *l, struct age_key *k);	/* takes k */
void age_keys_done(struct age_keys *l);
/* Splits the next line off *text, without its LF or CR LF; false at the end. */
bool age_next_line(struct span *text, struct span *ret);

struct age_recipients {
	struct age_keys keys;
};
struct age_identities {
	struct age_keys keys;
	age_ask_fn ask;
	void *ask_ctx;
};

/* ssh.c: OpenSSH's keys. */
#define AGE_SSH_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
/* "ssh-rsa AAAA… comment"; errors as age_recipients_add. */
int age_ssh_public(struct span line, struct age_key **ret, struct err *err);
int age_ssh_private(struct span text, const char *name, struct age_key **ret, struct err *err);
/* ssh_wire.c: their blobs. */
int age_ssh_read_blob(struct span blob, struct age_key **ret, struct err *err);
int age_ssh_read_private(struct span blob, const char *name, struct age_key **ret, struct err *err);
/* Four bytes of SHA-256 of the blob, as a stanza names its key. */
void age_ssh_tag(const struct age_key *k, struct buf *ret);

/* header.c */
struct age_stanza {
	struct span args[4];		/* the first ones */
	size_t n_args;
	const uint8_t *body;
	size_t body_len;
};
struct age_header {
	struct buf text;		/* up to the "---" of its last line */
	struct arena *bodies;
	struct age_stanza *stanzas;
	size_t n, cap;
	uint8_t mac[AGE_KEY];
};
struct age_source;
void age_header_free(struct age_header *h);
AUTO_DEFINE(age_header, age_header_free)
int age_header_read(struct age_source *src, struct age_header **ret, struct err *err);
/* The file key, after the check of the MAC. RC_NOTFOUND: no identity fits. */
int age_header_unwrap(const struct age_header *h, const struct age_identities *ids,
		      uint8_t ret[AGE_FILE_KEY], const char *name, struct err *err);
/* The whole header for the recipients. */
int age_header_write(const struct age_recipients *r, const uint8_t file_key[AGE_FILE_KEY],
		     struct buf *ret, struct err *err);
/* The key of the payload, of a file key and the nonce in front of it. */
void age_payload_key(const uint8_t file_key[AGE_FILE_KEY], const uint8_t nonce[AGE_SALT],
		     uint8_t ret[AGE_KEY]);

/* wrap.c, unwrap.c: one stanza. */
int age_wrap(const struct age_key *to, const uint8_t file_key[AGE_FILE_KEY], struct buf *header,
	     struct err *err);
/* RC_NOTFOUND, err untouched: not for this identity; RC_FORMAT: its point has a low order. */
int age_unwrap(const struct age_key *by, const struct age_stanza *s, uint8_t ret[AGE_FILE_KEY],
	       const char *name, struct err *err);
/* A stanza of a kind we know keeps to that kind's rules, read by whomever; unknown kinds pass. */
bool age_stanza_is_sound(const struct age_stanza *s);
/* What both share. The key that wraps of a curve's shared secret; false for a low order. */
bool age_curve_wrap_key(const struct age_key *k, const uint8_t scalar[AGE_KEY],
			const uint8_t point[AGE_KEY], const uint8_t share[AGE_KEY],
			uint8_t ret[AGE_KEY]);
int age_scrypt_wrap_key(const struct secret *passphrase, const uint8_t salt[AGE_SALT],
			unsigned factor, uint8_t ret[AGE_KEY], struct err *err);
/* OAEP with SHA-256 and the specification's label; decrypts to exactly AGE_FILE_KEY bytes. */
bool age_rsa_encrypt(EVP_PKEY *key, const uint8_t file_key[AGE_FILE_KEY], struct buf *ret);
bool age_rsa_decrypt(EVP_PKEY *key, const uint8_t *p, size_t n, uint8_t ret[AGE_FILE_KEY]);

/* source.c: the bytes to decrypt, out of their armor if they have one. */
struct age_source *age_source_new(int fd, const char *name);
void age_source_free(struct age_source *s);
AUTO_DEFINE(age_source, age_source_free)
const char *age_source_name(const struct age_source *s);
/* Up to n bytes; fewer only at the end. */
int age_source_read(struct age_source *s, uint8_t *p, size_t n, size_t *ret_n, struct err *err);
/* Appends a line with its LF; RC_FORMAT if there is none. text grows to `max` at most. */
int age_source_line(struct age_source *s, struct buf *text, size_t max, struct err *err);

/* armor.c: RFC 7468, strict. */
#define AGE_ARMOR_BEGIN "-----BEGIN AGE ENCRYPTED FILE-----"
#define AGE_ARMOR_END "-----END AGE ENCRYPTED FILE-----"
#define AGE_ARMOR_COLUMNS 64
#define AGE_ARMOR_BYTES 48	/* of one line */
struct age_armor;
struct age_armor *age_armor_new(struct sink *out);
void age_armor_free(struct age_armor *a);
struct sink *age_armor_sink(struct age_armor *a);
int age_armor_end(struct age_armor *a, struct err *err);

#endif
