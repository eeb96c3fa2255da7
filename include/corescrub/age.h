/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_AGE_H
#define CORESCRUB_AGE_H

#include <corescrub/base.h>

/*
 * The age file format, version 1 (https://c2sp.org/age): encryption to recipients, decryption by
 * identities, as a stream both ways in constant memory. The ciphers are libcrypto's; ours is the
 * framing. Nothing here opens a file by itself.
 *
 * Encrypt: age_recipients_new, age_recipients_add…, age_encrypt (a sink), write, age_encrypt_end.
 * Decrypt: age_identities_new, age_identities_read…, age_decrypt from a descriptor to a sink.
 */

struct age_recipients;
struct age_recipients *age_recipients_new(void);
void age_recipients_free(struct age_recipients *r);	/* wipes a passphrase */
AUTO_DEFINE(age_recipients, age_recipients_free)
/* One "age1…", "ssh-ed25519 …" or "ssh-rsa …" line (OpenSSH public keys; RSA of 2048 bits or
   more). One that is there already is not added again. RC_SYNTAX: damaged; RC_UNSUPPORTED: another
   kind of key; RC_REFUSED: a short RSA key, a point of low order, a passphrase is there already. */
int age_recipients_add(struct age_recipients *r, struct span line, struct err *err);
/* A passphrase, not an empty one: must be the only recipient, or RC_REFUSED. */
int age_recipients_add_passphrase(struct age_recipients *r, const struct secret *passphrase,
				  struct err *err);
/* Lines of a recipients file: blank ones and those with '#' first are skipped; err has file:line.
   SSH keys of kinds that age can't use (ECDSA, security keys) are passed over and counted in
   *ret_skipped; a file without any recipient is RC_SYNTAX, one with only these RC_UNSUPPORTED. */
int age_recipients_read(struct age_recipients *r, struct span text, const char *name,
			size_t *ret_skipped, struct err *err);
size_t age_recipients_count(const struct age_recipients *r);
/* For people and manifests: kind and SHA-256 of the public key, hex, cut to 16 ("x25519 5f0c…"),
   or "passphrase". The key is 32 bytes, for SSH the blob of RFC 4253, 6.6. To be freed. */
char *age_recipients_fingerprint(const struct age_recipients *r, size_t i);

struct age_identities;
struct age_identities *age_identities_new(void);
void age_identities_free(struct age_identities *ids);	/* wipes */
AUTO_DEFINE(age_identities, age_identities_free)
/* An identity file: age-keygen's, or an unencrypted OpenSSH private key (ed25519, rsa). RC_SYNTAX
   with file:line, RC_FORMAT for a damaged OpenSSH key, RC_UNSUPPORTED for an encrypted or other
   one. */
int age_identities_read(struct age_identities *ids, struct span text, const char *name,
			struct err *err);
int age_identities_add_passphrase(struct age_identities *ids, const struct secret *passphrase,
				  struct err *err);
/* Where the passphrase comes from if the file turns out to need one: called at most once in
   age_decrypt, its secret is freed there. An error of its own ends the decryption with it. */
typedef int (*age_ask_fn)(void *ctx, struct secret **ret, struct err *err);
void age_identities_ask(struct age_identities *ids, age_ask_fn ask, void *ctx);

/* A sink that encrypts what is written to it into `out`, which must outlive it; the header goes out
   at once. armor: PEM-like text. RC_REFUSED without a recipient. */
struct age_writer;
int age_encrypt(const struct age_recipients *r, bool armor, struct sink *out,
		struct age_writer **ret, struct err *err);
struct sink *age_writer_sink(struct age_writer *w);
/* Writes the last chunk. What `out` got without it, or before an error, no decryption accepts. */
int age_encrypt_end(struct age_writer *w, struct err *err);
void age_writer_free(struct age_writer *w);
AUTO_DEFINE(age_writer, age_writer_free)

/* Decrypts all of fd (armored or not, read once, from where it stands) to out, chunk by
   authenticated chunk. RC_FORMAT: not age, damaged, truncated, trailing bytes; RC_UNSUPPORTED:
   another version, or a work factor over our limit; RC_NOTFOUND: no identity fits. A caller that
   must not show unfinished plaintext keeps it back until RC_OK: chunks in front of a damaged one
   are authentic and were written. */
int age_decrypt(int fd, const char *name, const struct age_identities *ids, struct sink *out,
		struct err *err);

/* A new X25519 identity in age-keygen's file form ("# created: …", "# public key: age1…", the
   key), and its recipient, without a newline. now: seconds since 1970. */
void age_keygen(int64_t now, struct buf *ret_file, struct buf *ret_recipient);

#endif
