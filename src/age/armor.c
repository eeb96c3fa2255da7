/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <stdlib.h>

#define BUFFER KIB(64)

struct age_armor {
	struct sink sink;
	struct sink *out;
	uint8_t line[AGE_ARMOR_BYTES];	/* one that is not full yet */
	size_t n;
	struct buf text;
};

static int flush(struct age_armor *a, struct err *err)
{
	int rc = a->out->write(a->out, buf_span(&a->text), err);

	a->text.len = 0;	/* ciphertext: nothing to wipe */
	return rc;
}

static void add_line(struct age_armor *a, const uint8_t *p, size_t n)
{
	age_base64_encode(p, n, true, &a->text);
	buf_add_char(&a->text, '\n');
}

static int armor_write(struct sink *sink, struct span bytes, struct err *err)
{
	struct age_armor *a = (struct age_armor *)sink;
	const uint8_t *p = (const uint8_t *)bytes.p;
	size_t left = bytes.len;

	while (left) {
		size_t n = AGE_ARMOR_BYTES - a->n < left ? AGE_ARMOR_BYTES - a->n : left;

		memcpy(a->line + a->n, p, n);
		a->n += n;
		p += n;
		left -= n;
		if (a->n == AGE_ARMOR_BYTES) {
			add_line(a, a->line, a->n);
			a->n = 0;
		}
		if (a->text.len >= BUFFER) {
			int rc = flush(a, err);

			if (rc < 0)
				return rc;
		}
	}
	return RC_OK;
}

struct age_armor *age_armor_new(struct sink *out)
{
	struct age_armor *a = xcalloc(1, sizeof(*a));

	a->sink.write = armor_write;
	a->out = out;
	buf_add_str(&a->text, AGE_ARMOR_BEGIN "\n");
	return a;
}

void age_armor_free(struct age_armor *a)
{
	if (!a)
		return;
	buf_done(&a->text);
	free(a);
}

struct sink *age_armor_sink(struct age_armor *a)
{
	return &a->sink;
}

int age_armor_end(struct age_armor *a, struct err *err)
{
	if (a->n)
		add_line(a, a->line, a->n);
	buf_add_str(&a->text, AGE_ARMOR_END "\n");
	return flush(a, err);
}
