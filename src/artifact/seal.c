/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/artifact_seal.h>

#include <stdlib.h>

struct scrubbed {
	char *name;
	struct buf text;
};

struct scrubbed *scrubbed_seal(const char *name, struct buf *text)
{
	struct scrubbed *s = xcalloc(1, sizeof(*s));

	s->name = xstrdup(name);
	s->text = *text;
	*text = (struct buf)BUF_INIT;
	return s;
}

const char *scrubbed_name(const struct scrubbed *s)
{
	return s->name;
}

struct span scrubbed_text(const struct scrubbed *s)
{
	return s->text.p ? buf_span(&s->text) : SPAN_LIT("");
}

void scrubbed_free(struct scrubbed *s)
{
	if (!s)
		return;
	buf_done(&s->text);
	free(s->name);
	free(s);
}
