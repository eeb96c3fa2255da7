/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <corescrub/age.h>

/* Who may open a hand-off: what was typed, else the settings' recipients. */

#define RECIPIENTS_MAX MIB(1)

static int add_files(struct age_recipients *r, const struct strings *paths, struct err *err)
{
	for (size_t i = 0; i < paths->n; i++) {
		AUTO_BUF text = BUF_INIT;
		size_t skipped = 0;
		int rc = file_read(paths->v[i], RECIPIENTS_MAX, &text, err);

		if (rc == RC_OK)
			rc = age_recipients_read(r, buf_span(&text), paths->v[i], &skipped, err);
		if (rc < 0)
			return rc;
		if (skipped)
			message_warn("keys of kinds that age can't use were passed over");
	}
	return RC_OK;
}

static int add_lines(struct age_recipients *r, const struct strings *lines, struct err *err)
{
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < lines->n; i++)
		rc = age_recipients_add(r, span_str(lines->v[i]), err);
	return rc;
}

int recipients_gather(const struct recipient_options *o, struct age_recipients **ret,
		      struct err *err)
{
	AUTO(age_recipients) r = age_recipients_new();
	AUTO(secret) phrase = NULL;
	int rc = add_lines(r, &o->encrypt_to, err);

	if (rc == RC_OK)
		rc = add_files(r, &o->files, err);
	if (rc == RC_OK && o->passphrase)
		rc = passphrase_ask_twice(&phrase, err);
	if (rc == RC_OK && o->passphrase)
		rc = age_recipients_add_passphrase(r, phrase, err);
	if (rc == RC_OK && age_recipients_count(r) == 0)
		rc = add_lines(r, &o->settings, err);
	if (rc < 0)
		return rc;
	*ret = STEAL(r);
	return RC_OK;
}
