/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

/*
 * Private keys: their text, and their integers, which stand in memory word by word in either byte
 * order. PEM: RFC 7468, 1421.
 */

#define KEY_TEXT_MAX LIMIT_LEARN_VALUE
#define INTEGER_MIN 8			/* a public exponent is no secret */

static int learn_integer(struct config_reader *r, const uint8_t *p, size_t n)
{
	uint8_t reversed[1024];
	uint32_t i;
	int rc;

	while (n && *p == 0) {
		p++;
		n--;
	}
	if (n < INTEGER_MIN || n > sizeof(reversed))
		return RC_OK;
	rc = learn_add(r->l, KIND_KEY, span_make((const char *)p, n), LEARN_CONFIG, &i, r->err);
	if (rc < 0 || i == UINT32_MAX)
		return rc;
	for (size_t k = 0; k < n; k++)
		reversed[k] = p[n - 1 - k];
	learn_extra_add(r->l, i, EXTRA_REVERSED, span_make((const char *)reversed, n));
	secret_wipe(reversed, sizeof(reversed));
	return RC_OK;
}

static int learn_number(struct config_reader *r, EVP_PKEY *key, const char *name)
{
	uint8_t bytes[1024];
	BIGNUM *bn = NULL;
	int rc = RC_OK, n;

	if (EVP_PKEY_get_bn_param(key, name, &bn) && BN_num_bytes(bn) <= (int)sizeof(bytes)) {
		n = BN_bn2bin(bn, bytes);
		rc = learn_integer(r, bytes, (size_t)n);
		secret_wipe(bytes, sizeof(bytes));
	}
	BN_clear_free(bn);
	return rc;
}

static int learn_private(struct config_reader *r, EVP_PKEY *key)
{
	static const char *const names[] = {
		OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
		OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
		OSSL_PKEY_PARAM_RSA_COEFFICIENT1, OSSL_PKEY_PARAM_PRIV_KEY,
	};
	uint8_t raw[128];
	size_t n = sizeof(raw);
	int rc = RC_OK;

	for (size_t i = 0; i < ARRAY_SIZE(names) && rc == RC_OK; i++)
		rc = learn_number(r, key, names[i]);
	if (rc == RC_OK && EVP_PKEY_get_raw_private_key(key, raw, &n) == 1) {
		rc = learn_integer(r, raw, n);
		secret_wipe(raw, sizeof(raw));
	}
	ERR_clear_error();
	return rc;
}

/* The bytes of a key that isn't encrypted. What can't be read (an encrypted one) has no integers
   here. */
static int learn_der(struct config_reader *r, struct span der, bool *ret_key)
{
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)der.len);
	PKCS8_PRIV_KEY_INFO *info = NULL;
	int rc = RC_OK;

	if (!key) {
		p = (const unsigned char *)der.p;
		info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.len);
		key = info ? EVP_PKCS82PKEY(info) : NULL;
	}
	*ret_key = key != NULL;
	if (key)
		rc = learn_private(r, key);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return rc;
}

/* OpenSSH's own format (PROTOCOL.key) keeps its numbers behind others; its body is learned as text,
   and its bytes as they are decoded. */
static int learn_body(struct config_reader *r, struct span body)
{
	AUTO_BUF text = BUF_INIT;
	AUTO_BUF der = BUF_INIT;
	const char *colon, *nl = NULL;
	bool key;
	uint32_t i;
	int rc;

	/* headers of an encrypted key (Proc-Type: …) end with their last line */
	colon = memrchr(body.p, ':', body.len);
	if (colon)
		nl = memchr(colon, '\n', (size_t)(body.p + body.len - colon));
	for (const char *c = nl ? nl : body.p; c < body.p + body.len; c++)
		if (!strchr(" \t\r\n\\\"", *c))
			buf_add_char(&text, *c);
	if (text.len < 16 || text.len > KEY_TEXT_MAX)
		return RC_OK;
	rc = learn_add(r->l, KIND_KEY, buf_span(&text), LEARN_CONFIG, &i, r->err);
	if (rc < 0 || !value_base64_decode(buf_span(&text), &der))
		return rc;
	rc = learn_der(r, buf_span(&der), &key);
	if (rc == RC_OK && !key)
		rc = learn_add(r->l, KIND_KEY, buf_span(&der), LEARN_CONFIG, &i, r->err);
	return rc;
}

int learn_read_keys(struct config_reader *r, struct span text, size_t *ret_found)
{
	ssize_t at = 0;
	bool key = false;
	int rc = RC_OK;

	*ret_found = 0;
	if (text.p[0] == 0x30 && memchr(text.p, '\0', text.len)) {
		rc = learn_der(r, text, &key);
		*ret_found = key;
		return rc;
	}
	while (rc == RC_OK && (at = span_find(text, SPAN_LIT("-----BEGIN "), (size_t)at)) >= 0) {
		ssize_t label = span_find(text, SPAN_LIT("PRIVATE KEY-----"), (size_t)at);
		ssize_t body = label < 0 ? -1 : label + (ssize_t)strlen("PRIVATE KEY-----");
		ssize_t end = body < 0 ? -1 : span_find(text, SPAN_LIT("-----END "), (size_t)body);

		at += (ssize_t)strlen("-----BEGIN ");
		if (label < 0 || label - at > 32 || end < 0)
			continue;
		rc = learn_body(r, span_sub(text, (size_t)body, (size_t)end));
		++*ret_found;
		at = end;
	}
	return rc;
}
