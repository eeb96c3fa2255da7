/* SPDX-License-Identifier: Apache-2.0 */
#include "approval.h"

#include "run_internal.h"

#include <corescrub/report.h>

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Approvals: checked here, signed in approval_sign.c. */

#define APPROVAL_MAX KIB(64)
#define ALLOWED_MAX MIB(4)
#define KEYGEN_MS 120000		/* a token's owner may have to touch it */

int approval_keygen(const char *const *argv, const char *const *env, int in, const int *keep,
		    struct buf *ret, bool *ret_good, struct err *err)
{
	struct process_spec spec = { .argv = argv, .env = env, .in = in, .out = -1, .err = -1,
				     .keep_fds = keep };
	AUTO(process) child = NULL;
	AUTO_CLOSE int out = -1;
	int status, rc = file_unnamed(true, &out, err);
	char block[4096];
	ssize_t n;

	if (rc < 0)
		return rc;
	spec.out = out;
	rc = process_start(&spec, &child, err);
	if (rc == RC_NOTFOUND)
		err_hint(err, "install OpenSSH's client");
	if (rc == RC_OK)
		rc = process_wait(child, KEYGEN_MS, &status, err);
	if (rc < 0)
		return rc;
	for (off_t at = 0; (n = pread(out, block, sizeof(block), at)) > 0; at += n)
		buf_add(ret, block, (size_t)n);
	*ret_good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return RC_OK;
}

int approval_fd(struct span bytes, int *ret, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	int rc = file_unnamed(true, &fd, err);

	if (rc == RC_OK)
		rc = file_write_all(fd, bytes, "an approval", err);
	if (rc == RC_OK && lseek(fd, 0, SEEK_SET) < 0)
		rc = err_errno(err, RC_IO, "an approval");
	if (rc < 0)
		return rc;
	*ret = fd;
	fd = -1;
	return RC_OK;
}

/* The signer's public key out of PROTOCOL.sshsig's armored blob: "SSHSIG", a version, the key. */
static bool key_of_signature(struct span sig, uint8_t ret[DIGEST_LEN])
{
	static const struct span begin = SPAN_LIT("-----BEGIN SSH SIGNATURE-----");
	ssize_t from = span_find(sig, begin, 0), end = span_find(sig, SPAN_LIT("-----END"), 0);
	AUTO_BUF text = BUF_INIT, blob = BUF_INIT;
	struct span key;
	uint32_t len;

	if (from != 0 || end < 0)
		return false;
	for (size_t i = begin.len; i < (size_t)end; i++)
		if (sig.p[i] != '\n' && sig.p[i] != '\r')
			buf_add_char(&text, sig.p[i]);
	if (!value_base64_decode(buf_span(&text), &blob) || blob.len < 14 ||
	    memcmp(blob.p, "SSHSIG", 6) != 0)
		return false;
	memcpy(&len, blob.p + 10, 4);
	len = __builtin_bswap32(len);
	if (len > blob.len - 14)
		return false;
	key = span_make(blob.p + 14, len);
	/* a certificate can be had anew for one key: it would count twice */
	if (span_find(key, SPAN_LIT("-cert-v"), 0) >= 0)
		return false;
	digest_sha256(key, ret);
	return true;
}

static const char *not_about_this(const struct report_approval *a, const struct approval_wanted *w)
{
	if (w->manifest && memcmp(a->manifest, w->manifest, DIGEST_LEN) != 0)
		return "it is of another manifest";
	if (w->decisions && memcmp(a->decisions, w->decisions, DIGEST_LEN) != 0)
		return "it is of other decisions";
	if ((w->policy && strcmp(a->policy, w->policy) != 0) ||
	    (w->ruleset && strcmp(a->ruleset, w->ruleset) != 0))
		return "it is of another policy or ruleset";
	if (w->now >= a->not_after)
		return "it has expired";
	if (a->time > w->now + 300)
		return "it is of a time to come";
	return NULL;
}

int approval_verify(const char *namespace, int in, struct span sig, int allowed, char **ret_who,
		    struct err *err)
{
	AUTO_BUF principals = BUF_INIT, ignored = BUF_INIT;
	AUTO_CLOSE int sig_fd = -1;
	char sig_path[32], allowed_path[32];
	bool listed = false, good = false;
	int rc = approval_fd(sig, &sig_fd, err);
	int keep[] = { sig_fd, allowed, -1 };

	snprintf(sig_path, sizeof(sig_path), "/proc/self/fd/%d", sig_fd);
	snprintf(allowed_path, sizeof(allowed_path), "/proc/self/fd/%d", allowed);
	const char *find[] = { "ssh-keygen", "-Y", "find-principals", "-s", sig_path, "-f", allowed_path,
			       NULL };

	if (rc == RC_OK)
		rc = approval_keygen(find, NULL, -1, keep, &principals, &listed, err);
	for (char *rest = principals.p, *name;
	     rc == RC_OK && listed && !good && rest && (name = strsep(&rest, "\n")) && *name;) {
		const char *verify[] = { "ssh-keygen", "-Y", "verify", "-n", namespace, "-I",
					 name, "-s", sig_path, "-f", allowed_path, NULL };

		if (lseek(in, 0, SEEK_SET) < 0)
			return err_errno(err, RC_IO, "can't read what is signed");
		rc = approval_keygen(verify, NULL, in, keep, &ignored, &good, err);
		if (rc == RC_OK && good)
			*ret_who = xstrdup(name);
	}
	return rc;
}

/* Does one of the principals that the list has for the key vouch for these very bytes? */
static int verify_signature(struct span json, struct span sig, int allowed, bool *ret,
			    struct err *err)
{
	AUTO_FREE char *who = NULL;
	AUTO_CLOSE int in = -1;
	int rc = approval_fd(json, &in, err);

	if (rc == RC_OK)
		rc = approval_verify(APPROVAL_NAMESPACE, in, sig, allowed, &who, err);
	*ret = who != NULL;
	return rc;
}

/* What is wrong with an approval, or NULL in *ret_wrong: then its key. */
static int check_one(const char *path, int allowed, const struct approval_wanted *wanted,
		     const char **ret_wrong, uint8_t ret_key[DIGEST_LEN], struct err *err)
{
	AUTO_FREE char *sig_path = xasprintf("%s.sig", path);
	AUTO_BUF json = BUF_INIT, sig = BUF_INIT;
	struct report_approval a;
	bool good = false;
	int rc;

	*ret_wrong = "it, or its signature, can't be read";
	if (file_read(path, APPROVAL_MAX, &json, NULL) < 0 ||
	    file_read(sig_path, APPROVAL_MAX, &sig, NULL) < 0)
		return RC_OK;
	*ret_wrong = "it is no approval";
	if (report_approval_read(buf_span(&json), &a, NULL) < 0)
		return RC_OK;
	*ret_wrong = not_about_this(&a, wanted);
	report_approval_done(&a);
	if (*ret_wrong)
		return RC_OK;
	*ret_wrong = "its signature is none by a plain key";
	if (!key_of_signature(buf_span(&sig), ret_key))
		return RC_OK;
	rc = verify_signature(buf_span(&json), buf_span(&sig), allowed, &good, err);
	*ret_wrong = good ? NULL : "its signature is by no listed key, or not of this text";
	return rc;
}

int approval_allowed(const char *path, int *ret, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	AUTO_BUF text = BUF_INIT;
	int rc;

	if (fd < 0)
		return err_errno(err, RC_NOTFOUND, "can't open %s", path);
	/* who can write it decides who may sign */
	rc = file_check_trusted(fd, path, false, err);
	if (rc == RC_OK)
		rc = file_read(path, ALLOWED_MAX, &text, err);
	return rc < 0 ? rc : approval_fd(buf_span(&text), ret, err);
}

int approvals_count(const char *const *paths, const char *allowed_signers,
		    const struct approval_wanted *wanted, size_t *ret_keys, struct strings *why,
		    struct err *err)
{
	AUTO_FREE uint8_t (*keys)[DIGEST_LEN] = NULL;
	AUTO_CLOSE int allowed = -1;
	size_t n = 0, most = 0;
	int rc = approval_allowed(allowed_signers, &allowed, err);

	while (paths[most])
		most++;
	keys = xcalloc(most + 1, sizeof(*keys));
	for (; rc == RC_OK && *paths; paths++) {
		const char *wrong;
		size_t k = 0;

		rc = check_one(*paths, allowed, wanted, &wrong, keys[n], err);
		if (rc == RC_OK && wrong)
			strings_add(why, xasprintf("%s does not count: %s", *paths, wrong));
		if (rc < 0 || wrong)
			continue;
		while (k < n && memcmp(keys[k], keys[n], DIGEST_LEN) != 0)
			k++;
		n += k == n;
	}
	*ret_keys = n;
	return rc;
}

void approvals_beside(const char *path, struct strings *ret)
{
	AUTO_BUF pattern = BUF_INIT;
	size_t len = strlen(path);
	glob_t found;

	while (len > 1 && path[len - 1] == '/')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (strchr("*?[\\", path[i]))
			buf_add_char(&pattern, '\\');
		buf_add_char(&pattern, path[i]);
	}
	buf_add_str(&pattern, ".*.approval.json");
	if (glob(pattern.p, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		strings_add(ret, xstrdup(found.gl_pathv[i]));
	globfree(&found);
}

int approvals_for_keeps(const struct decisions *d, const char *const *paths,
			const char *allowed_signers, struct err *err)
{
	__attribute__((cleanup(strings_done))) struct strings why = { 0 };
	struct approval_wanted wanted = { .decisions = d->sha256, .now = time(NULL) };
	bool needed = false;
	size_t keys = 0;
	int rc = RC_OK;

	for (size_t i = 0; i < d->n; i++)
		needed |= decisions_keep(d, i) && decisions_need_approval(d->v[i].kind);
	if (!needed)
		return RC_OK;
	if (paths && *paths && allowed_signers)
		rc = approvals_count(paths, allowed_signers, &wanted, &keys, &why, err);
	if (rc < 0 || keys)
		return rc;
	rc = err_set(err, RC_REFUSED, "the decisions keep a credential, and no approval of them holds%s%s",
		     why.n ? ": " : "", why.n ? why.v[0] : "");
	err_hint(err, "corescrub review --approve NAME --decisions FILE signs one; give it by --approval, "
		      "and whose count by --allowed-signers (verify: --require-approval)");
	return rc;
}
