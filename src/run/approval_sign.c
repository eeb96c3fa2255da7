/* SPDX-License-Identifier: Apache-2.0 */
#include "approval.h"
#include "review_internal.h"

#include <corescrub/report.h>

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* `review --approve`: writes what is approved, and its signature beside it. */

/* The agent, if there is one, holds keys that are locked in their files: a child has no
   terminal. */
static void keep_env(struct strings *env)
{
	static const char *const names[] = { "SSH_AUTH_SOCK", "HOME", "PATH" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (getenv(names[i]))
			strings_add(env, xasprintf("%s=%s", names[i], getenv(names[i])));
}

static int sign(const char *key, struct span json, struct buf *ret, struct err *err)
{
	const char *argv[] = { "ssh-keygen", "-Y", "sign", "-n", APPROVAL_NAMESPACE, "-f", key, NULL };
	__attribute__((cleanup(strings_done))) struct strings env = { 0 };
	AUTO_CLOSE int in = -1;
	bool good = false;
	int rc = approval_fd(json, &in, err);

	keep_env(&env);
	if (rc == RC_OK)
		rc = approval_keygen(argv, strings_list(&env), in, NULL, ret, &good, err);
	if (rc < 0 || (good && ret->len))
		return rc;
	rc = err_set(err, RC_CHILD, "ssh-keygen can't sign with %s", key);
	err_hint(err, "a key with a passphrase must be in ssh-agent");
	return rc;
}

static int write_one(const char *path, struct span bytes, struct tempfile **ret, struct err *err)
{
	int rc = tempfile_open(path, 0644, ret, err);

	return rc < 0 ? rc : file_write_all(tempfile_fd(*ret), bytes, path, err);
}

/* The signature first: an approval without one would look like one that was tampered with. */
static int write_both(const char *path, const struct buf *json, const struct buf *sig,
		      struct err *err)
{
	AUTO_FREE char *sig_path = xasprintf("%s.sig", path);
	AUTO(tempfile) a = NULL;
	AUTO(tempfile) b = NULL;
	int rc = write_one(sig_path, buf_span(sig), &b, err);

	if (rc == RC_OK)
		rc = write_one(path, buf_span(json), &a, err);
	if (rc == RC_OK)
		rc = tempfile_commit(b, false, err);
	if (rc < 0)
		return rc;
	rc = tempfile_commit(a, false, err);
	if (rc < 0)
		unlink(sig_path);
	return rc;
}

/* "<package>.<name>.approval.json", of the name what is harmless in a file's. */
static char *default_path(const char *package, const char *name)
{
	AUTO_BUF path = BUF_INIT;
	size_t len = strlen(package);

	while (len > 1 && package[len - 1] == '/')
		len--;
	buf_add(&path, package, len);
	buf_add_char(&path, '.');
	for (; *name; name++) {
		bool plain = (*name >= '0' && *name <= '9') || (*name >= 'a' && *name <= 'z') ||
			     (*name >= 'A' && *name <= 'Z') || *name == '-' || *name == '_';

		buf_add_char(&path, plain ? *name : '-');
	}
	buf_add_str(&path, ".approval.json");
	return buf_steal(&path);
}

static int fill(const struct run_approve_job *job, const struct reviewed *r,
		struct report_approval *a, struct err *err)
{
	AUTO(decisions) d = NULL;
	AUTO_BUF digest = BUF_INIT;
	int rc;

	a->time = time(NULL);
	a->not_after = a->time + (int64_t)job->days * 24 * 3600;
	a->name = (char *)(uintptr_t)job->name;
	a->purpose = (char *)(uintptr_t)(job->purpose ? job->purpose : "");
	a->policy = r->policy;
	a->ruleset = r->ruleset;
	memcpy(a->manifest, r->manifest, DIGEST_LEN);
	if (!a->policy || !a->ruleset)
		return err_set(err, RC_FORMAT, "%s: the manifest lacks its policy or ruleset", job->path);
	if (job->decisions) {
		rc = decisions_read(job->decisions, &d, err);
		if (rc < 0)
			return rc;
		if (strcmp(d->case_name, r->case_name) != 0)
			return err_set(err, RC_REFUSED, "%s is about another case", job->decisions);
		memcpy(a->decisions, d->sha256, DIGEST_LEN);
	} else if (r->decisions && value_hex_decode(span_str(r->decisions), &digest) &&
		   digest.len == DIGEST_LEN) {
		memcpy(a->decisions, digest.p, DIGEST_LEN);
	}
	return RC_OK;
}

int run_approve(const struct run_approve_job *job, char **ret_path, struct err *err)
{
	AUTO_FREE char *path = job->output ? xstrdup(job->output) : default_path(job->path, job->name);
	struct report_approval a = { 0 };
	AUTO_BUF json = BUF_INIT, sig = BUF_INIT;
	AUTO(reviewed) r = NULL;
	int rc;

	if (!job->name[0])
		return err_set(err, RC_USAGE, "an approval needs a name");
	rc = reviewed_load(job->path, &r, err);
	if (rc == RC_OK && r->several)
		rc = err_set(err, RC_REFUSED, "%s holds several reports: approve each package", job->path);
	if (rc == RC_OK)
		rc = fill(job, r, &a, err);
	if (rc == RC_OK)
		rc = report_approval(&a, &json, err);
	if (rc == RC_OK)
		rc = sign(job->sign_key, buf_span(&json), &sig, err);
	if (rc == RC_OK)
		rc = write_both(path, &json, &sig, err);
	if (rc < 0)
		return rc;
	*ret_path = STEAL(path);
	return RC_OK;
}
