/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_AGE_H
#define CORESCRUB_AGE_H

#include <corescrub/base.h>

/*
 * The age file format, version 1 (C2SP age.md): encryption to recipients, decryption by identities, as a
 * stream both ways. The ciphers are libcrypto's; ours is the framing. Nothing here opens a file by itself.
 *
 * Encrypt: age_recipients_new, age_recipients_add…, age_encrypt (a sink), write, age_encrypt_end.
 * Decrypt: age_identities_new, age_identities_add…, age_decrypt from a descriptor to a sink.
 */

enum age_kind { AGE_X25519, AGE_SCRYPT, AGE_SSH_ED25519, AGE_SSH_RSA };

struct age_recipients;
struct age_recipients *age_recipients_new(void);
void age_recipients_free(struct age_recipients *r);
AUTO_DEFINE(age_recipients, age_recipients_free)
/* One "age1…", "ssh-ed25519 …" or "ssh-rsa …" line (OpenSSH public keys, at least 2048 bits). RC_SYNTAX
   says which it could not read; RC_UNSUPPORTED for other key types. */
int age_recipients_add(struct age_recipients *r, struct span line, struct err *err);
/* A passphrase: must be the only recipient (the specification says so). */
int age_recipients_add_passphrase(struct age_recipients *r, const struct secret *passphrase,
				  struct err *err);
/* Lines of a recipients file: blank ones and those with '#' first are skipped; err has file:line. */
int age_recipients_read(struct age_recipients *r, struct span text, const char *name, struct err *err);
size_t age_recipients_count(const struct age_recipients *r);
/* For people and manifests: kind and SHA-256 of the public key, hex, cut to 16 ("x25519 5f0c…"). */
char *age_recipients_fingerprint(const struct age_recipients *r, size_t i);

struct age_identities;
struct age_identities *age_identities_new(void);
void age_identities_free(struct age_identities *ids);	/* wipes */
AUTO_DEFINE(age_identities, age_identities_free)
/* An identity file: age-keygen's, or an unencrypted OpenSSH private key (ed25519, rsa). */
int age_identities_read(struct age_identities *ids, struct span text, const char *name, struct err *err);
int age_identities_add_passphrase(struct age_identities *ids, const struct secret *passphrase,
				  struct err *err);

/* A sink that encrypts what is written to it into `out`, which must outlive it. armor: PEM-like text. */
struct age_writer;
int age_encrypt(const struct age_recipients *r, bool armor, struct sink *out, struct age_writer **ret,
		struct err *err);
struct sink *age_writer_sink(struct age_writer *w);
int age_encrypt_end(struct age_writer *w, struct err *err);	/* the last chunk; without it: not sound */
void age_writer_free(struct age_writer *w);
AUTO_DEFINE(age_writer, age_writer_free)

/* Decrypts all of fd (armored or not, read once, from where it stands) to out, chunk by authenticated
   chunk. RC_FORMAT: not age, damaged, truncated, trailing bytes; RC_NOTFOUND: no identity fits. A caller
   that must not show unfinished plaintext keeps it back until RC_OK. */
int age_decrypt(int fd, const char *name, const struct age_identities *ids, struct sink *out,
		struct err *err);

/* A new X25519 identity in age-keygen's file form ("# created: …", "# public key: age1…", the key), and
   its recipient line. */
int age_keygen(int64_t now, struct buf *ret_file, struct buf *ret_recipient, struct err *err);

#endif
