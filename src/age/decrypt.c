/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <stdlib.h>

#define SEALED_CHUNK (AGE_CHUNK + AGE_TAG)

struct payload {
	struct age_source *src;
	struct age_aead *aead;
	struct sink *out;
	uint64_t chunk;
	size_t n;
	uint8_t sealed[SEALED_CHUNK + 1];	/* and a byte of the next one */
	uint8_t clear[AGE_CHUNK];
};

static void payload_free(struct payload *p)
{
	age_aead_free(p->aead);
	secret_wipe(p->clear, sizeof(p->clear));
	free(p);
}
AUTO_DEFINE(payload, payload_free)

static int damaged(struct payload *p, const char *what, struct err *err)
{
	return err_at(err, RC_FORMAT, age_source_name(p->src), 0, 0, "damaged payload: %s", what);
}

static bool open_chunk(struct payload *p, size_t n, bool last)
{
	uint8_t nonce[AGE_NONCE];

	age_aead_nonce(p->chunk, last, nonce);
	return age_aead_open(p->aead, nonce, p->sealed, n, p->clear);
}

static int put(struct payload *p, size_t n, struct err *err)
{
	return p->out->write(p->out, span_make((char *)p->clear, n - AGE_TAG), err);
}

/* One with a byte behind it. The sender's last chunk is his word that no byte is. */
static int take_chunk(struct payload *p, struct err *err)
{
	int rc;

	if (!open_chunk(p, SEALED_CHUNK, false)) {
		if (!open_chunk(p, SEALED_CHUNK, true))
			return damaged(p, "a chunk is not authentic", err);
		rc = put(p, SEALED_CHUNK, err);
		return rc < 0 ? rc : damaged(p, "bytes behind its end", err);
	}
	rc = put(p, SEALED_CHUNK, err);
	p->chunk++;
	p->sealed[0] = p->sealed[SEALED_CHUNK];
	p->n = 1;
	return rc;
}

static int take_last(struct payload *p, struct err *err)
{
	int rc;

	if (p->n == SEALED_CHUNK && open_chunk(p, p->n, false)) {
		rc = put(p, p->n, err);
		return rc < 0 ? rc : damaged(p, "its last chunk is missing", err);
	}
	if (p->n < AGE_TAG || !open_chunk(p, p->n, true))
		return damaged(p, "its last chunk is not authentic, or cut short", err);
	if (p->n == AGE_TAG && p->chunk)
		return damaged(p, "an empty last chunk", err);
	return put(p, p->n, err);
}

static int take_payload(struct payload *p, struct err *err)
{
	for (;;) {
		size_t got;
		int rc = age_source_read(p->src, p->sealed + p->n, sizeof(p->sealed) - p->n, &got,
					 err);

		if (rc < 0)
			return rc;
		p->n += got;
		if (p->n < sizeof(p->sealed))
			return take_last(p, err);
		rc = take_chunk(p, err);
		if (rc < 0)
			return rc;
	}
}

/* Reads the header and the payload's nonce, and gives the payload's key. */
static int open_header(struct age_source *src, const struct age_identities *ids,
		       uint8_t ret[AGE_KEY], struct err *err)
{
	AUTO(age_header) h = NULL;
	uint8_t file_key[AGE_FILE_KEY], nonce[AGE_SALT];
	size_t got;
	int rc = age_header_read(src, &h, err);

	if (rc < 0)
		return rc;
	rc = age_header_unwrap(h, ids, file_key, age_source_name(src), err);
	if (rc < 0)
		return rc;
	rc = age_source_read(src, nonce, AGE_SALT, &got, err);
	if (rc == RC_OK && got < AGE_SALT)
		rc = err_at(err, RC_FORMAT, age_source_name(src), 0, 0,
			    "damaged header: cut short behind it");
	if (rc == RC_OK)
		age_payload_key(file_key, nonce, ret);
	secret_wipe(file_key, AGE_FILE_KEY);
	return rc;
}

int age_decrypt(int fd, const char *name, const struct age_identities *ids, struct sink *out,
		struct err *err)
{
	AUTO(age_source) src = age_source_new(fd, name);
	AUTO(payload) p = NULL;
	uint8_t key[AGE_KEY];
	int rc = open_header(src, ids, key, err);

	if (rc < 0)
		return rc;
	p = xcalloc(1, sizeof(*p));
	p->src = src;
	p->out = out;
	p->aead = age_aead_new(key, false);
	secret_wipe(key, AGE_KEY);
	return take_payload(p, err);
}
