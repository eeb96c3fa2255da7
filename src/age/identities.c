/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <stdlib.h>

struct age_identities *age_identities_new(void)
{
	return xcalloc(1, sizeof(struct age_identities));
}

void age_identities_free(struct age_identities *ids)
{
	if (!ids)
		return;
	age_keys_done(&ids->keys);
	free(ids);
}

void age_identities_ask(struct age_identities *ids, age_ask_fn ask, void *ctx)
{
	ids->ask = ask;
	ids->ask_ctx = ctx;
}

int age_identities_add_passphrase(struct age_identities *ids, const struct secret *passphrase,
				  struct err *err)
{
	struct span s = secret_span(passphrase);
	struct age_key *k;

	if (s.len == 0)
		return err_set(err, RC_REFUSED, "the passphrase is empty");
	k = age_key_new(AGE_SCRYPT);
	k->passphrase = secret_new(s.p, s.len);
	age_keys_add(&ids->keys, k);
	return RC_OK;
}

static int read_line(struct age_identities *ids, struct span line, const char *name,
		     unsigned number, struct err *err)
{
	AUTO(age_key) k = age_key_new(AGE_X25519);

	if (span_starts(line, SPAN_LIT("AGE-PLUGIN-")) ||
	    span_starts(line, SPAN_LIT("AGE-SECRET-KEY-PQ-")))
		return err_at(err, RC_UNSUPPORTED, name, number, 1,
			      "an identity of a kind that is not supported");
	if (!age_bech32_decode("AGE-SECRET-KEY-", line, k->scalar))
		return err_at(err, RC_SYNTAX, name, number, 1, "not an identity");
	age_curve_public(k->scalar, k->point);
	age_keys_add(&ids->keys, STEAL(k));
	return RC_OK;
}

static int read_lines(struct age_identities *ids, struct span text, const char *name,
		      struct err *err)
{
	struct span line;
	size_t before = ids->keys.n;

	for (unsigned number = 1; age_next_line(&text, &line); number++) {
		int rc;

		line = span_trim(line);
		if (line.len == 0 || line.p[0] == '#')
			continue;
		rc = read_line(ids, line, name, number, err);
		if (rc < 0)
			return rc;
	}
	if (ids->keys.n == before)
		return err_at(err, RC_SYNTAX, name, 0, 0, "no identity in it");
	return RC_OK;
}

int age_identities_read(struct age_identities *ids, struct span text, const char *name,
			struct err *err)
{
	struct span body = span_trim(text);
	struct age_key *k;
	int rc;

	if (span_starts(body, SPAN_LIT(AGE_ARMOR_BEGIN)) ||
	    span_starts(body, SPAN_LIT("age-encryption.org/"))) {
		rc = err_at(err, RC_UNSUPPORTED, name, 0, 0, "the identity file is encrypted");
		err_hint(err, "decrypt it first: age -d");
		return rc;
	}
	if (span_starts(body, SPAN_LIT(AGE_SSH_BEGIN))) {
		rc = age_ssh_private(body, name, &k, err);
		if (rc == RC_OK)
			age_keys_add(&ids->keys, k);
		return rc;
	}
	if (span_starts(body, SPAN_LIT("-----BEGIN "))) {
		rc = err_at(err, RC_UNSUPPORTED, name, 0, 0,
			    "a private key that is not in OpenSSH's format");
		err_hint(err, "ssh-keygen -p -f COPY brings a copy into that format");
		return rc;
	}
	return read_lines(ids, text, name, err);
}
