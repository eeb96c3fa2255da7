/* SPDX-License-Identifier: Apache-2.0 */
#include "redact_internal.h"

#include <corescrub/redact/decisions.h>

#include <stdlib.h>

/* The list of decisions; its file is in decisions_file.c. */

struct decisions *decisions_new(const char *case_name, const char *key)
{
	struct decisions *d = xcalloc(1, sizeof(*d));
	uint8_t salt[16];
	char hex[33];

	digest_random(salt, sizeof(salt));
	digest_hex(salt, sizeof(salt), hex);
	d->case_name = xstrdup(case_name);
	d->key = xstrdup(key ? key : "");
	d->salt = xstrdup(hex);
	return d;
}

/* What is to go too is a value: it is wiped. */
static void decision_done(struct decision *one)
{
	if (one->what)
		secret_wipe(one->what, strlen(one->what));
	free(one->what);
	free(one->reason);
	free(one->file);
}

void decisions_free(struct decisions *d)
{
	if (!d)
		return;
	while (d->n)
		decision_done(&d->v[--d->n]);
	free(d->v);
	free(d->case_name);
	free(d->key);
	free(d->salt);
	free(d);
}

/* RFC 3629, as much of it as the file's reader asks for. */
static bool is_utf8(const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p;) {
		size_t len = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 :
			     *p < 0xf5 ? 4 : 0;

		if (len == 0 || (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
		    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
			return false;
		for (p++; --len; p++)
			if ((*p & 0xc0) != 0x80)
				return false;
	}
	return true;
}

int decisions_add(struct decisions *d, const struct decision *one, struct err *err)
{
	if (!is_utf8(one->what) || !is_utf8(one->reason ? one->reason : "") ||
	    !is_utf8(one->file ? one->file : ""))
		return err_set(err, RC_FORMAT, "that is no UTF-8");
	GROW(d->v, d->n, d->cap);
	d->v[d->n] = *one;
	d->v[d->n].what = xstrdup(one->what);
	d->v[d->n].reason = one->reason ? xstrdup(one->reason) : NULL;
	d->v[d->n].file = one->file ? xstrdup(one->file) : NULL;
	d->n++;
	return RC_OK;
}

void decisions_undo(struct decisions *d)
{
	decision_done(&d->v[--d->n]);
}

size_t decisions_count(const struct decisions *d, enum decision_verb verb)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += verb == DECISION_KEEP ? decisions_keep(d, i) : d->v[i].verb == verb;
	return n;
}

const struct decision *decisions_of_token(const struct decisions *d, struct span token)
{
	for (size_t i = d->n; i > 0; i--) {
		const struct decision *one = &d->v[i - 1];

		if ((one->verb == DECISION_KEEP || one->verb == DECISION_ACCEPT) &&
		    span_eq_str(token, one->what))
			return one;
	}
	return NULL;
}

size_t decisions_of_place(const struct decisions *d, const char *what, const char *file,
			  uint64_t line)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += d->v[i].verb == DECISION_PLACE && d->v[i].line == line &&
		     strcmp(d->v[i].what, what) == 0 && strcmp(d->v[i].file, file) == 0;
	return n;
}

bool decisions_keep(const struct decisions *d, size_t i)
{
	return d->v[i].verb == DECISION_KEEP && decisions_of_token(d, span_str(d->v[i].what)) == &d->v[i];
}

bool decisions_need_approval(enum kind kind)
{
	return value_kind_is_credential(kind) || value_kind_is_constant(kind);
}
