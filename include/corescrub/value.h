/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_VALUE_H
#define CORESCRUB_VALUE_H

#include <corescrub/base.h>

/*
 * What a value is: its kind, how to read and check it, and the one form that all spellings share.
 * Pure functions over spans; nothing here knows where a value came from.
 */

/* The kinds of interface.md, "Tokens". The order is kept in files: add at the end. */
enum kind {
	KIND_PHONE, KIND_IP4, KIND_IP4_LAN, KIND_IP6, KIND_IP6_LAN, KIND_MAC, KIND_EMAIL,
	KIND_SECRET, KIND_TOKEN, KIND_KEY, KIND_HASH, KIND_USER, KIND_NAME, KIND_HOST, KIND_PATH,
	KIND_CARD, KIND_DTMF, KIND_ACCOUNT,
	KIND_COUNT
};
/* What becomes of a value that a rule found. */
enum action { ACTION_TOKEN, ACTION_MASK, ACTION_DROP, ACTION_KEEP_LAST, ACTION_REPLACE };
enum severity { SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };

const char *value_kind_name(enum kind kind);			/* "ip4-lan" */
bool value_kind_parse(struct span name, enum kind *ret_kind);
const char *value_severity_name(enum severity s);
bool value_severity_parse(struct span name, enum severity *ret_severity);
bool value_kind_is_credential(enum kind kind);	/* secret token key hash: learned by pieces too */
bool value_kind_is_mapped(enum kind kind);	/* may enter the private map */
bool value_kind_is_constant(enum kind kind);	/* card dtmf: always [kind], never keyed */

/* The kind as it is shown: ip4 → ip4-lan for RFC 1918, 6598, 3927 addresses, ip6 → ip6-lan for
   fc00::/7, fe80::/10; others as they are. `text` is any spelling. */
enum kind value_refine(enum kind kind, struct span text);
/* Appends the form that equal values share: the digits of a phone number ("+", 00 and 011 gone
   where they start an international number), the 4 or 16 bytes of an address (v4-mapped as IPv4), a
   MAC's 6 bytes, an e-mail in lower case; else the bytes themselves. What can't be read is taken as
   is. */
void value_canonical(enum kind kind, struct span text, struct buf *ret);
/* Addresses that say nothing and stay: loopback, unspecified, broadcast, multicast, and the tokens'
   own 240.0.0.0/4 and 100::/64. */
bool value_ip4_stays(const uint8_t a[4]);
bool value_ip6_stays(const uint8_t a[16]);
/* The same for a spelling of an address; false for every other kind. */
bool value_stays(enum kind kind, struct span text);

/* Readers. All of `text` must be the value; false otherwise, ret untouched. */
/* Dotted quad; also "192-0-2-1", zero-padded. */
bool value_ip4_parse(struct span text, uint8_t ret[4]);
/* RFC 4291, 5952: any textual form, with or without [brackets], %zone, /prefix. */
bool value_ip6_parse(struct span text, uint8_t ret[16]);
bool value_mac_parse(struct span text, uint8_t ret[6]);	/* 6 or 12 groups by : - or . (Cisco) */
void value_ip4_format(const uint8_t a[4], char ret[16]);
void value_ip6_format(const uint8_t a[16], char ret[40]);	/* RFC 5952 */

/* Codecs; false on a byte outside the alphabet. Decoders append. Padding may be missing. */
bool value_base64_decode(struct span text, struct buf *ret);	/* RFC 4648, both alphabets */
void value_base64_encode(struct span bytes, struct buf *ret);
bool value_hex_decode(struct span text, struct buf *ret);
void value_url_decode(struct span text, struct buf *ret);		/* %XX and +, the rest as is */
double value_entropy(struct span text);				/* Shannon, bits a byte */

/* Named checks of captured bytes, for rules: ipv4 ipv6 e164 phone luhn mac jwt pem base64 entropy:N
   email uri host. `arg` is what stands behind the colon, or empty. NULL if there is no such
   name. */
typedef bool (*value_check_fn)(struct span text, struct span arg);
value_check_fn value_check_find(struct span name);
const char *const *value_check_names(void);		/* NULL-terminated, for messages */

/*
 * Tokens: "[kind~" nine base32 characters, one check character "]", and the constants "[kind]".
 * The base32 alphabet is RFC 4648's in lower case. The check character is the low five bits of
 * FNV-1a 32 over "kind~" and the nine characters, folded: (h ^ h >> 5 ^ … ^ h >> 30) & 31.
 */
#define VALUE_TOKEN_MAX 24	/* longest token with its NUL */
size_t value_token_format(enum kind kind, const uint8_t mac[DIGEST_LEN], char ret[VALUE_TOKEN_MAX]);
size_t value_token_constant(enum kind kind, char ret[VALUE_TOKEN_MAX]);
/* Does a sound token (right check character) or a constant begin at s.p? Its length, or 0. */
size_t value_token_at(struct span s, enum kind *ret_kind);
/* The next token or constant of text at or behind *at: its length, 0 if there is none; *at is where
   it stands. */
size_t value_token_next(struct span text, size_t *at, enum kind *ret_kind);
/* Are there tokens in s, and beside them no letter, digit or byte of another script? Nothing is
   left there to learn, to replace or to find again. */
bool value_is_tokens(struct span s);

#endif
