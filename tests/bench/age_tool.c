/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Module age from the shell, for tests and the benchmark; stdin to stdout.
 *   age_tool encrypt [-a] [-r RECIPIENT | -R FILE | -P FILE]…
 *   age_tool decrypt [-i FILE | -P FILE]…
 * -P FILE holds a passphrase, without a newline.
 */
#include <corescrub/age.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_MAX MIB(1)

static int read_passphrase(const char *path, struct secret **ret, struct err *err)
{
	AUTO_BUF text = BUF_INIT;
	int rc = file_read(path, FILE_MAX, &text, err);

	if (rc == RC_OK)
		*ret = secret_new(text.p, text.len);
	return rc;
}

static int add_recipient(struct age_recipients *r, int opt, const char *arg, struct err *err)
{
	AUTO(secret) phrase = NULL;
	AUTO_BUF text = BUF_INIT;
	size_t skipped = 0;
	int rc;

	if (opt == 'r')
		return age_recipients_add(r, span_str(arg), err);
	if (opt == 'P') {
		rc = read_passphrase(arg, &phrase, err);
		return rc < 0 ? rc : age_recipients_add_passphrase(r, phrase, err);
	}
	rc = file_read(arg, FILE_MAX, &text, err);
	if (rc == RC_OK)
		rc = age_recipients_read(r, buf_span(&text), arg, &skipped, err);
	if (skipped)
		fprintf(stderr, "age_tool: %zu keys passed over\n", skipped);
	return rc;
}

static int pump(struct sink *to, struct err *err)
{
	static char bytes[MIB(1)];
	ssize_t n;
	int rc = RC_OK;

	while (rc == RC_OK && (n = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0)
		rc = to->write(to, span_make(bytes, n), err);
	return rc == RC_OK && n < 0 ? err_errno(err, RC_IO, "can't read") : rc;
}

static int encrypt(int argc, char **argv, struct sink *out, struct err *err)
{
	AUTO(age_recipients) r = age_recipients_new();
	AUTO(age_writer) w = NULL;
	bool armor = false;
	int opt, rc = RC_OK;

	while (rc == RC_OK && (opt = getopt(argc, argv, "ar:R:P:")) != -1) {
		if (opt == 'a')
			armor = true;
		else
			rc = add_recipient(r, opt, optarg, err);
	}
	if (rc == RC_OK)
		rc = age_encrypt(r, armor, out, &w, err);
	for (size_t i = 0; rc == RC_OK && i < age_recipients_count(r); i++) {
		AUTO_FREE char *print = age_recipients_fingerprint(r, i);

		fprintf(stderr, "age_tool: to %s\n", print);
	}
	if (rc == RC_OK)
		rc = pump(age_writer_sink(w), err);
	return rc < 0 ? rc : age_encrypt_end(w, err);
}

static int decrypt(int argc, char **argv, struct sink *out, struct err *err)
{
	AUTO(age_identities) ids = age_identities_new();
	int opt, rc = RC_OK;

	while (rc == RC_OK && (opt = getopt(argc, argv, "i:P:")) != -1) {
		AUTO(secret) phrase = NULL;
		AUTO_BUF text = BUF_INIT;

		if (opt == 'P') {
			rc = read_passphrase(optarg, &phrase, err);
			if (rc == RC_OK)
				rc = age_identities_add_passphrase(ids, phrase, err);
		} else {
			rc = file_read(optarg, FILE_MAX, &text, err);
			if (rc == RC_OK)
				rc = age_identities_read(ids, buf_span(&text), optarg, err);
		}
	}
	return rc < 0 ? rc : age_decrypt(STDIN_FILENO, "stdin", ids, out, err);
}

int main(int argc, char **argv)
{
	bool encrypts = argc > 1 && strcmp(argv[1], "encrypt") == 0;
	struct err err = ERR_INIT, later = ERR_INIT;
	struct sink_fd out;
	int rc;

	if (!encrypts && (argc < 2 || strcmp(argv[1], "decrypt") != 0)) {
		fprintf(stderr, "usage: age_tool encrypt|decrypt …\n");
		return 2;
	}
	sink_fd_init(&out, STDOUT_FILENO, "stdout");
	rc = encrypts ? encrypt(argc - 1, argv + 1, &out.sink, &err)
		      : decrypt(argc - 1, argv + 1, &out.sink, &err);
	if (sink_fd_flush(&out, &later) < 0 && rc == RC_OK) {
		rc = later.code;
		err = later;
	}
	if (rc < 0)
		fprintf(stderr, "age_tool: error %d: %s\n", rc, err.msg);
	return rc < 0;
}
