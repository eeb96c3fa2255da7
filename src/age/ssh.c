/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#define SSH_END	 "-----END OPENSSH PRIVATE KEY-----"
#define FILE_MAX KIB(64)	/* a private key of 16384 bits takes 13 */

void age_ssh_tag(const struct age_key *k, struct buf *ret)
{
	uint8_t digest[DIGEST_LEN];

	digest_sha256(buf_span(&k->wire), digest);
	age_base64_encode(digest, 4, false, ret);
}

/* The word up to the next blank, which goes with it. */
static struct span next_word(struct span *line)
{
	size_t n = 0;
	struct span word;

	while (n < line->len && line->p[n] != ' ' && line->p[n] != '\t')
		n++;
	word = span_sub(*line, 0, n);
	*line = span_trim(span_sub(*line, n, line->len));
	return word;
}

int age_ssh_public(struct span line, struct age_key **ret, struct err *err)
{
	struct span type = next_word(&line), base64 = next_word(&line);
	AUTO(age_key) k = NULL;
	AUTO_BUF blob = BUF_INIT;
	size_t len;
	int rc;

	if (!span_eq_str(type, "ssh-ed25519") && !span_eq_str(type, "ssh-rsa"))
		return err_set(err, RC_UNSUPPORTED, "an SSH key that is neither ed25519 nor rsa");
	rc = buf_reserve_input(&blob, base64.len, FILE_MAX, err);
	if (rc < 0)
		return rc;
	if (!age_base64_decode(base64, true, (uint8_t *)blob.p, &len))
		return err_set(err, RC_SYNTAX, "an SSH key whose base64 is damaged");
	rc = age_ssh_read_blob(span_make(blob.p, len), &k, err);
	if (rc < 0)
		return rc;
	if (!span_eq_str(type, age_key_kind(k)))
		return err_set(err, RC_SYNTAX, "an SSH key of another kind than it says");
	*ret = STEAL(k);
	return RC_OK;
}

int age_ssh_private(struct span text, const char *name, struct age_key **ret, struct err *err)
{
	AUTO_BUF base64 = BUF_INIT;
	AUTO_BUF blob = BUF_INIT;
	struct span line = { 0 };
	bool ended = false;
	size_t len;
	int rc = buf_reserve_input(&base64, text.len, FILE_MAX, err);

	if (rc < 0)
		return rc;
	if (!age_next_line(&text, &line) || !span_eq_str(line, AGE_SSH_BEGIN))
		return err_at(err, RC_FORMAT, name, 1, 1, "a damaged OpenSSH private key");
	while (!ended && age_next_line(&text, &line)) {
		ended = span_eq_str(line, SSH_END);
		if (!ended)
			buf_add_span(&base64, line);
	}
	rc = buf_reserve_input(&blob, base64.len, FILE_MAX, err);
	if (rc < 0)
		return rc;
	if (!ended || text.len ||
	    !age_base64_decode(buf_span(&base64), true, (uint8_t *)blob.p, &len))
		return err_at(err, RC_FORMAT, name, 0, 0, "a damaged OpenSSH private key");
	blob.len = len;	/* so that all of it is wiped */
	return age_ssh_read_private(buf_span(&blob), name, ret, err);
}
