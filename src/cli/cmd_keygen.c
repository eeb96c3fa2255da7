/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

struct keygen_options {
	struct common_options common;
	const char *output;
	bool token_key;
};

const struct opt keygen_opts[] = {
	{ "output", 'o', OPT_STRING, offsetof(struct keygen_options, output), "FILE",
	  "where the key goes, mode 0600", 0, 0 },
	{ "token-key", 0, OPT_FLAG, offsetof(struct keygen_options, token_key), NULL,
	  "a key for tokens: 32 random bytes, for --key-file", 0, 0 },
	{ 0 },
};

static int keygen(const struct keygen_options *o, struct err *err)
{
	AUTO(tempfile) t = NULL;
	char key[32];
	int rc;

	if (!o->token_key)
		return err_set(err, RC_USAGE, "keygen needs --token-key");
	if (!o->output)
		return err_set(err, RC_USAGE, "keygen needs --output");
	rc = tempfile_open(o->output, 0600, &t, err);
	if (rc < 0)
		return rc;
	digest_random(key, sizeof(key));
	rc = file_write_all(tempfile_fd(t), span_make(key, sizeof(key)), o->output, err);
	secret_wipe(key, sizeof(key));
	if (rc == RC_OK)
		rc = tempfile_commit(t, false, err);
	return rc < 0 ? rc : EXIT_DONE;
}

int cmd_keygen(const struct cmd *cmd, int argc, char **argv)
{
	struct keygen_options o = { 0 };
	struct strings args = { 0 };
	struct err err = ERR_INIT;
	int rc = cmd_begin(cmd, argc, argv, &o, &args, &err);

	if (rc == RC_OK)
		rc = keygen(&o, &err);
	return cmd_end(cmd, &o, &args, rc, &err);
}
