/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <corescrub/age.h>
#include <corescrub/map.h>

#include <fcntl.h>
#include <unistd.h>

/* Files that may be encrypted: packages and private maps. */

/* An identity file is small; OpenSSH's RSA keys have a few KiB. */
#define IDENTITY_MAX KIB(64)

static int read_identities(const char *const *paths, struct age_identities **ret, struct err *err)
{
	AUTO(age_identities) ids = age_identities_new();
	int rc = RC_OK;

	for (; rc == RC_OK && paths && *paths; paths++) {
		AUTO_BUF text = BUF_INIT;

		rc = file_read(*paths, IDENTITY_MAX, &text, err);
		if (rc == RC_OK)
			rc = age_identities_read(ids, buf_span(&text), *paths, err);
	}
	if (rc == RC_OK)
		*ret = STEAL(ids);
	return rc;
}

static bool is_encrypted(struct span s)
{
	return span_starts(s, SPAN_LIT("age-encryption.org/v1\n")) ||
	       span_starts(s, SPAN_LIT("-----BEGIN AGE ENCRYPTED FILE-----"));
}

/* What it holds, in an unnamed file: nobody sees any of it before all is there. */
static int decrypt(int fd, const char *path, const char *const *identities, int *ret_fd,
		   struct err *err)
{
	AUTO(age_identities) ids = NULL;
	AUTO_CLOSE int clear = -1;
	struct sink_fd out;
	int rc = read_identities(identities, &ids, err);

	if (rc == RC_OK)
		rc = file_unnamed(false, &clear, err);
	if (rc < 0)
		return rc;
	sink_fd_init(&out, clear, path);
	rc = age_decrypt(fd, path, ids, &out.sink, err);
	if (rc == RC_OK)
		rc = sink_fd_flush(&out, err);
	buf_done(&out.pending);
	if (rc == RC_OK && lseek(clear, 0, SEEK_SET) < 0)
		rc = err_errno(err, RC_IO, "can't read %s", path);
	if (rc == RC_OK) {
		*ret_fd = clear;
		clear = -1;
	}
	return rc;
}

int run_unlock(const char *path, const char *const *identities, int *ret_fd, bool *ret_locked,
	       struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char head[64];
	ssize_t n;
	int rc;

	if (fd < 0)
		return err_errno(err, RC_NOTFOUND, "can't open %s", path);
	/* a pipe can't be looked at first: it is taken for clear */
	n = pread(fd, head, sizeof(head), 0);
	*ret_locked = n > 0 && is_encrypted(span_make(head, (size_t)n));
	if (!*ret_locked) {
		*ret_fd = fd;
		fd = -1;
		return RC_OK;
	}
	if (!identities || !*identities) {
		rc = err_set(err, RC_USAGE, "%s is encrypted", path);
		err_hint(err, "--identity FILE names the key that opens it");
		return rc;
	}
	return decrypt(fd, path, identities, ret_fd, err);
}

int run_map_read(const char *path, const char *const *identities, struct private_map *to,
		 struct err *err)
{
	AUTO_CLOSE int fd = -1;
	AUTO(mapping) map = NULL;
	bool locked;
	int rc = run_unlock(path, identities, &fd, &locked, err);

	if (rc == RC_OK)
		rc = mapping_open(fd, path, &map, err);
	return rc == RC_OK ? private_map_add(to, mapping_span(map), path, err) : rc;
}
