/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <stdlib.h>

struct age_writer {
	struct sink sink;
	struct sink *out;	/* the armor's, or the caller's */
	struct age_armor *armor;
	struct age_aead *aead;
	uint64_t chunk;
	bool over;	/* ended, or failed: takes no more */
	size_t n;
	uint8_t clear[AGE_CHUNK];
	uint8_t sealed[AGE_CHUNK + AGE_TAG];
};

static int write_chunk(struct age_writer *w, const uint8_t *p, size_t n, bool last, struct err *err)
{
	uint8_t nonce[AGE_NONCE];

	age_aead_nonce(w->chunk++, last, nonce);
	age_aead_seal(w->aead, nonce, p, n, w->sealed);
	return w->out->write(w->out, span_make((char *)w->sealed, n + AGE_TAG), err);
}

/* A full chunk waits for the next byte: only then is it known not to be the last. */
static int take(struct age_writer *w, const uint8_t *p, size_t left, struct err *err)
{
	while (left) {
		size_t n = AGE_CHUNK - w->n < left ? AGE_CHUNK - w->n : left;
		int rc = RC_OK;

		if (w->n == 0 && left > AGE_CHUNK) {
			n = AGE_CHUNK;
			rc = write_chunk(w, p, n, false, err);
		} else if (w->n == AGE_CHUNK) {
			rc = write_chunk(w, w->clear, AGE_CHUNK, false, err);
			w->n = n = 0;
		} else {
			memcpy(w->clear + w->n, p, n);
			w->n += n;
		}
		if (rc < 0)
			return rc;
		p += n;
		left -= n;
	}
	return RC_OK;
}

static int writer_write(struct sink *sink, struct span bytes, struct err *err)
{
	struct age_writer *w = (struct age_writer *)sink;
	int rc;

	if (w->over)
		return err_set(err, RC_INTERNAL, "encryption has ended");
	rc = take(w, (const uint8_t *)bytes.p, bytes.len, err);
	w->over = rc < 0;
	return rc;
}

/* The header, the payload's nonce, and the payload's key into w. */
static int begin(struct age_writer *w, const struct age_recipients *r, struct err *err)
{
	AUTO_BUF header = BUF_INIT;
	uint8_t file_key[AGE_FILE_KEY], nonce[AGE_SALT], key[AGE_KEY];
	int rc;

	digest_random(file_key, AGE_FILE_KEY);
	digest_random(nonce, AGE_SALT);
	rc = age_header_write(r, file_key, &header, err);
	if (rc == RC_OK) {
		age_payload_key(file_key, nonce, key);
		w->aead = age_aead_new(key, true);
		buf_add(&header, nonce, AGE_SALT);
		rc = w->out->write(w->out, buf_span(&header), err);
	}
	secret_wipe(file_key, AGE_FILE_KEY);
	secret_wipe(key, AGE_KEY);
	return rc;
}

int age_encrypt(const struct age_recipients *r, bool armor, struct sink *out,
		struct age_writer **ret, struct err *err)
{
	AUTO(age_writer) w = NULL;
	int rc;

	if (age_recipients_count(r) == 0)
		return err_set(err, RC_REFUSED, "no recipient to encrypt to");
	w = xcalloc(1, sizeof(*w));
	w->sink.write = writer_write;
	w->armor = armor ? age_armor_new(out) : NULL;
	w->out = armor ? age_armor_sink(w->armor) : out;
	rc = begin(w, r, err);
	if (rc < 0)
		return rc;
	*ret = STEAL(w);
	return RC_OK;
}

struct sink *age_writer_sink(struct age_writer *w)
{
	return &w->sink;
}

int age_encrypt_end(struct age_writer *w, struct err *err)
{
	int rc;

	if (w->over)
		return err_set(err, RC_INTERNAL, "encryption has ended");
	w->over = true;
	rc = write_chunk(w, w->clear, w->n, true, err);
	if (rc == RC_OK && w->armor)
		rc = age_armor_end(w->armor, err);
	return rc;
}

void age_writer_free(struct age_writer *w)
{
	if (!w)
		return;
	age_aead_free(w->aead);
	age_armor_free(w->armor);
	secret_wipe(w->clear, sizeof(w->clear));
	free(w);
}
