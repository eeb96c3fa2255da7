/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/age.h>
#include <corescrub/artifact_unseal.h>

#include <stdlib.h>

struct sealed {
	char *name;
	uint64_t size;
	struct buf text;
	struct sealed_content content;
};

/* The one place where the type is made. */
static int make(const struct age_recipients *to, const char *name, enum sealed_kind kind,
		struct sealed **ret, struct err *err)
{
	struct sealed *s;

	if (!to || age_recipients_count(to) == 0) {
		err_set(err, RC_REFUSED, "cores, programs and configurations leave encrypted only");
		err_hint(err, "name who may read them: --encrypt-to, --recipients-file, --passphrase");
		return RC_REFUSED;
	}
	s = xcalloc(1, sizeof(*s));
	s->name = xstrdup(name);
	s->content.kind = kind;
	s->content.fd = -1;
	*ret = s;
	return RC_OK;
}

int sealed_from_fd(const struct age_recipients *to, const char *name, int fd, bool executable,
		   struct sealed **ret, struct err *err)
{
	AUTO(sealed) s = NULL;
	struct stat st;
	int rc = make(to, name, SEALED_FILE, &s, err);

	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0)
		return err_errno(err, RC_IO, "can't look at a file to pack");
	if (!S_ISREG(st.st_mode))
		return err_set(err, RC_FORMAT, "what is to be packed is no regular file");
	s->content.fd = fd;
	s->content.executable = executable;
	s->size = (uint64_t)st.st_size;
	*ret = STEAL(s);
	return RC_OK;
}

int sealed_from_buf(const struct age_recipients *to, const char *name, struct buf *text,
		    bool executable, struct sealed **ret, struct err *err)
{
	AUTO(sealed) s = NULL;
	int rc = make(to, name, SEALED_TEXT, &s, err);

	if (rc < 0)
		return rc;
	s->text = *text;
	*text = (struct buf)BUF_INIT;
	s->content.text = s->text.p ? buf_span(&s->text) : SPAN_LIT("");
	s->content.executable = executable;
	s->size = s->text.len;
	*ret = STEAL(s);
	return RC_OK;
}

int sealed_from_link(const struct age_recipients *to, const char *name, const char *target,
		     struct sealed **ret, struct err *err)
{
	AUTO(sealed) s = NULL;
	int rc = make(to, name, SEALED_LINK, &s, err);

	if (rc < 0)
		return rc;
	buf_add_str(&s->text, target);
	s->content.text = buf_span(&s->text);
	s->size = s->text.len;
	*ret = STEAL(s);
	return RC_OK;
}

const char *sealed_name(const struct sealed *s)
{
	return s->name;
}

uint64_t sealed_size(const struct sealed *s)
{
	return s->size;
}

struct sealed_content sealed_content(const struct sealed *s)
{
	return s->content;
}

void sealed_free(struct sealed *s)
{
	if (!s)
		return;
	buf_done(&s->text);
	free(s->name);
	free(s);
}
