/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <corescrub/age.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

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

static int write_key(const char *path, struct span key, struct err *err)
{
	AUTO(tempfile) t = NULL;
	int rc = tempfile_open(path, 0600, &t, err);

	if (rc < 0)
		return rc;
	rc = file_write_all(tempfile_fd(t), key, path, err);
	return rc < 0 ? rc : tempfile_commit(t, false, err);
}

static int make_token_key(const struct keygen_options *o, struct err *err)
{
	char key[32];
	int rc;

	if (!o->output)
		return err_set(err, RC_USAGE, "keygen --token-key needs --output");
	digest_random(key, sizeof(key));
	rc = write_key(o->output, span_make(key, sizeof(key)), err);
	secret_wipe(key, sizeof(key));
	return rc;
}

/* As age-keygen: to stdout where no file is named, and the public key to stderr unless the person
   sees it in the output anyway. */
static int make_identity(const struct keygen_options *o, struct err *err)
{
	AUTO_BUF key = BUF_INIT;
	AUTO_BUF recipient = BUF_INIT;
	struct stat st;
	int rc;

	age_keygen(time(NULL), &key, &recipient);
	if (o->output) {
		rc = write_key(o->output, buf_span(&key), err);
	} else {
		if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077))
			message_warn("the secret key goes to a file that others may open");
		rc = file_write_all(STDOUT_FILENO, buf_span(&key), "stdout", err);
	}
	if (rc == RC_OK && (o->output || !isatty(STDOUT_FILENO)))
		fprintf(stderr, "Public key: %s\n", recipient.p);
	return rc;
}

int cmd_keygen(const struct cmd *cmd, int argc, char **argv)
{
	struct keygen_options o = { 0 };
	struct strings args = { 0 };
	struct err err = ERR_INIT;
	int rc = cmd_begin(cmd, argc, argv, &o, &args, &err);

	if (rc == RC_OK && args.n)
		rc = err_set(&err, RC_USAGE, "keygen takes no arguments");
	else if (rc == RC_OK)
		rc = o.token_key ? make_token_key(&o, &err) : make_identity(&o, &err);
	return cmd_end(cmd, &o, &args, rc, &err);
}
