/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an age file, as an identity file and as recipients: refused, or what they give can
   be used. No passphrase is tried: a file could ask for a second's work each time. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <corescrub/age.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The example of the specification, for which the corpus is encrypted. */
static const char identity[] =
	"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

static void need(bool holds)
{
	if (!holds)
		abort();
}

static int decrypt(const struct age_identities *ids, struct span file, struct buf *ret)
{
	AUTO_CLOSE int fd = -1;
	struct sink_buf out;
	int rc;

	need(file_unnamed(true, &fd, NULL) == RC_OK);
	need(file_write_all(fd, file, "memory", NULL) == RC_OK && lseek(fd, 0, SEEK_SET) == 0);
	sink_buf_init(&out);
	rc = age_decrypt(fd, "memory", ids, &out.sink, NULL);
	*ret = out.buf;
	return rc;
}

static void encrypt(const struct age_recipients *to, struct span clear, struct buf *ret)
{
	AUTO(age_writer) w = NULL;
	struct sink_buf out;

	sink_buf_init(&out);
	need(age_encrypt(to, true, &out.sink, &w, NULL) == RC_OK);
	need(age_writer_sink(w)->write(age_writer_sink(w), clear, NULL) == RC_OK);
	need(age_encrypt_end(w, NULL) == RC_OK);
	*ret = out.buf;
}

static void try_file(struct span bytes)
{
	AUTO(age_identities) ids = age_identities_new();
	AUTO_BUF clear = BUF_INIT;

	need(age_identities_read(ids, span_str(identity), "key", NULL) == RC_OK);
	if (decrypt(ids, bytes, &clear) == RC_OK)
		need(clear.len < bytes.len);
}

static void try_identity(struct span bytes)
{
	AUTO(age_identities) ids = age_identities_new();
	AUTO_BUF clear = BUF_INIT;

	if (age_identities_read(ids, bytes, "key", NULL) == RC_OK)
		need(decrypt(ids, SPAN_LIT("age-encryption.org/v1\n"), &clear) == RC_FORMAT);
}

static void try_recipients(struct span bytes)
{
	AUTO(age_recipients) to = age_recipients_new();
	AUTO(age_identities) ids = age_identities_new();
	AUTO_BUF sealed = BUF_INIT;
	AUTO_BUF clear = BUF_INIT;
	size_t skipped;

	if (age_recipients_read(to, bytes, "recipients", &skipped, NULL) < 0)
		return;
	need(age_recipients_count(to) > 0);
	encrypt(to, SPAN_LIT("some text"), &sealed);
	/* its parser takes what its writer gives: only the key may be missing */
	need(age_identities_read(ids, span_str(identity), "key", NULL) == RC_OK);
	need(decrypt(ids, buf_span(&sealed), &clear) != RC_FORMAT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_make((const char *)data, size);

	if (size > KIB(256))
		return 0;
	try_file(bytes);
	try_identity(bytes);
	try_recipients(bytes);
	return 0;
}
