/* SPDX-License-Identifier: Apache-2.0 */
#include "redact_internal.h"

/* What one plan is for: large enough that its overhead doesn't count, small enough for the
   cache. */
#define RANGE MIB(1)

int redact_apply(const struct artifact *a, const struct redact_plan *p, struct sink *out,
		 struct err *err)
{
	uint64_t at = p->from;
	size_t i;
	int rc;

	for (i = 0; i < p->n_edits; i++) {
		const struct edit *e = &p->edits[i];

		if (e->off < at || e->off + e->len > p->to)
			return err_set(err, RC_INTERNAL, "edits overlap");
		if (e->off > at) {
			rc = out->write(out, span_make(a->text.p + at, e->off - at), err);
			if (rc < 0)
				return rc;
		}
		rc = e->with_len ? out->write(out, span_make(e->with, e->with_len), err) : RC_OK;
		if (rc < 0)
			return rc;
		at = e->off + e->len;
	}
	return at < p->to ? out->write(out, span_make(a->text.p + at, p->to - at), err) : RC_OK;
}

static uint64_t plan_output_len(const struct redact_plan *p)
{
	uint64_t len = p->to - p->from;
	size_t i;

	for (i = 0; i < p->n_edits; i++)
		len += (uint64_t)p->edits[i].with_len - p->edits[i].len;
	return len;
}

/* What goes out is digested on its way, for the map. */
struct digest_sink {
	struct sink sink;
	struct sink *next;
	struct sha256 *sha256;
};

static int digest_write(struct sink *s, struct span bytes, struct err *err)
{
	struct digest_sink *d = (struct digest_sink *)s;

	sha256_add(d->sha256, bytes.p, bytes.len);
	return d->next->write(d->next, bytes, err);
}

static int all_ranges(struct redactor *r, struct detector *d, const struct artifact *a,
		      struct sink *out, redact_plan_fn each, void *ctx, struct err *err)
{
	uint64_t from = 0, at = 0;

	while (from < a->text.len) {
		AUTO(redact_plan) p = NULL;
		int rc = redact_plan(r, d, a, from, detect_cut(d, a, from, RANGE), &p, err);

		if (rc == RC_OK && each)
			rc = each(ctx, a, p);
		if (rc == RC_OK)
			rc = redact_apply(a, p, out, err);
		if (rc < 0)
			return rc;
		if (r->keep_map)
			map_note(r, a, p, at);
		at += plan_output_len(p);
		from = p->to;
	}
	return RC_OK;
}

int redact_all(struct redactor *r, struct detector *d, const struct artifact *a, struct sink *out,
	       redact_plan_fn each, void *ctx, struct err *err)
{
	AUTO(sha256) sha256 = r->keep_map ? sha256_new() : NULL;
	struct digest_sink digest = { { digest_write }, out, sha256 };
	uint8_t sum[DIGEST_LEN];
	int rc;

	map_begin(r, a);
	rc = all_ranges(r, d, a, sha256 ? &digest.sink : out, each, ctx, err);
	if (rc == RC_OK && sha256)
		sha256_end(sha256, sum);
	map_end(r, rc == RC_OK ? sum : NULL);
	return rc;
}
