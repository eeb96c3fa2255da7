/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packing and encrypting alone, for the benchmark: pack_tool RECIPIENT FILE… puts the files into
 * a hand-off's tar, zstd and age, to stdout.
 */
#include <corescrub/age.h>
#include <corescrub/bundle.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int put(struct bundle_stream *b, const struct age_recipients *to, const char *path, unsigned number,
	       struct err *err)
{
	AUTO_FREE char *name = xasprintf("%06u", number);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(sealed) s = NULL;
	uint8_t digest[DIGEST_LEN];
	bool of_data;
	int rc;

	if (fd < 0)
		return err_errno(err, RC_NOTFOUND, "%s", path);
	rc = sealed_from_fd(to, name, fd, false, &s, err);
	return rc < 0 ? rc : bundle_stream_sealed(b, s, &of_data, digest, err);
}

static int pack(int argc, char **argv, struct sink *out, struct err *err)
{
	AUTO(age_recipients) to = age_recipients_new();
	AUTO(age_writer) w = NULL;
	AUTO(bundle_stream) b = NULL;
	AUTO(sealed) manifest = NULL;
	AUTO_BUF text = BUF_INIT;
	int rc = age_recipients_add(to, span_str(argv[1]), err);

	if (rc == RC_OK)
		rc = age_encrypt(to, false, out, &w, err);
	if (rc == RC_OK)
		rc = bundle_stream_open("p", 0, (unsigned)sysconf(_SC_NPROCESSORS_ONLN), w, &b, err);
	for (int i = 2; rc == RC_OK && i < argc; i++)
		rc = put(b, to, argv[i], (unsigned)i, err);
	if (rc == RC_OK)
		rc = sealed_from_buf(to, "manifest.json", &text, false, &manifest, err);
	if (rc == RC_OK)
		rc = bundle_stream_end(b, manifest, err);
	return rc == RC_OK ? age_encrypt_end(w, err) : rc;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct sink_fd out;
	int rc;

	if (argc < 3) {
		fprintf(stderr, "usage: pack_tool RECIPIENT FILE…\n");
		return 2;
	}
	sink_fd_init(&out, STDOUT_FILENO, "stdout");
	rc = pack(argc, argv, &out.sink, &err);
	if (rc == RC_OK)
		rc = sink_fd_flush(&out, &err);
	if (rc < 0)
		fprintf(stderr, "pack_tool: %s\n", err.msg);
	return rc < 0;
}
