/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <stdlib.h>

struct age_key *age_key_new(enum age_kind kind)
{
	struct age_key *k = xcalloc(1, sizeof(*k));

	k->kind = kind;
	return k;
}

void age_key_free(struct age_key *k)
{
	if (!k)
		return;
	buf_done(&k->wire);
	EVP_PKEY_free(k->rsa);
	secret_free(k->passphrase);
	secret_wipe(k, sizeof(*k));
	free(k);
}

const char *age_key_kind(const struct age_key *k)
{
	static const char *const names[] = {
		[AGE_X25519] = "X25519",
		[AGE_SCRYPT] = "scrypt",
		[AGE_SSH_ED25519] = "ssh-ed25519",
		[AGE_SSH_RSA] = "ssh-rsa",
	};

	return names[k->kind];
}

void age_keys_add(struct age_keys *l, struct age_key *k)
{
	GROW(l->v, l->n, l->cap);
	l->v[l->n++] = k;
}

void age_keys_done(struct age_keys *l)
{
	for (size_t i = 0; i < l->n; i++)
		age_key_free(l->v[i]);
	free(l->v);
	*l = (struct age_keys){ 0 };
}

bool age_next_line(struct span *text, struct span *ret)
{
	ssize_t end;

	if (text->len == 0)
		return false;
	end = span_find(*text, SPAN_LIT("\n"), 0);
	*ret = span_sub(*text, 0, end < 0 ? text->len : (size_t)end);
	*text = span_sub(*text, ret->len + (end >= 0), text->len);
	if (end >= 0 && span_ends(*ret, SPAN_LIT("\r")))
		ret->len--;
	return true;
}
