/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "detect_internal.h"

/* From decoded bytes of string leaves back to the source. */

/* How far the cursor walks on to the next leaf before it is quicker to seek. */
#define WALK_ON KIB(8)

static int hit_compare(const void *x, const void *y)
{
	const struct string_hit *a = x, *b = y;

	if (a->leaf != b->leaf)
		return a->leaf < b->leaf ? -1 : 1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return (a->to > b->to) - (a->to < b->to);
}

/* "text" as it is, with nothing escaped: every byte is one of the source's. */
static bool is_verbatim(const struct look *l, const struct leaf *leaf)
{
	const char *src = l->text.p + leaf->off;

	return leaf->len >= leaf->view_len + 2u && src[0] == '"' &&
	       src[leaf->view_len + 1] == '"' &&
	       memcmp(src + 1, l->d->view.p + leaf->view, leaf->view_len) == 0;
}

/* The leaf's value again, with its map; the cursor only ever goes forward here. */
static const struct bt_value *leaf_again(struct look *l, const struct leaf *leaf, uint64_t *at)
{
	const struct bt_value *v = bt_string_at(l->reading->again, leaf->off, leaf->len);

	if (v && v->decoded.len >= leaf->view_len &&
	    memcmp(v->decoded.p, l->d->view.p + leaf->view, leaf->view_len) == 0) {
		*at = UINT64_MAX;
		return v;
	}
	if (leaf->off < *at || leaf->off - *at > WALK_ON)
		bt_cursor_seek(l->reading->again, leaf->off);
	while ((v = bt_next(l->reading->again)) && v->off <= leaf->off)
		if (v->off == leaf->off && v->type == BT_STRING) {
			*at = leaf->off;
			return v;
		}
	*at = UINT64_MAX;
	return NULL;
}

static void hit_place(struct string_hit *h, const struct leaf *leaf, const struct bt_value *v)
{
	uint64_t off = leaf->off, len = leaf->len;
	unsigned quotes = BT_QUOTE_OPEN | BT_QUOTE_CLOSE;

	if (!v && leaf->view_len) {
		/* verbatim */
		off = leaf->off + 1 + h->from;
		len = h->to - h->from;
		quotes = 0;
	} else if (v) {
		quotes = bt_source(v, h->from, h->to, &off, &len);
	}
	h->f.off = off;
	h->f.len = (uint32_t)len;
	if (quotes & BT_QUOTE_OPEN)
		h->f.flags |= FINDING_QUOTE_OPEN;
	if (quotes & BT_QUOTE_CLOSE)
		h->f.flags |= FINDING_QUOTE_CLOSE;
}

int strings_resolve(struct look *l)
{
	struct detector *d = l->d;
	const struct bt_value *v = NULL;
	uint32_t last = UINT32_MAX;
	uint64_t at = UINT64_MAX;
	bool verbatim = false;
	size_t i;

	if (d->n_hits > 1)
		qsort(d->hits, d->n_hits, sizeof(*d->hits), hit_compare);
	for (i = 0; i < d->n_hits; i++) {
		struct string_hit *h = &d->hits[i];
		const struct leaf *leaf = &d->leaves[h->leaf];
		int rc;

		if (h->leaf != last) {
			verbatim = is_verbatim(l, leaf);
			v = verbatim ? NULL : leaf_again(l, leaf, &at);
			last = h->leaf;
			if (!verbatim && !v)
				return err_set(l->err, RC_INTERNAL,
					       "a string is lost at offset %llu",
					       (unsigned long long)leaf->off);
		}
		/* an engine's limit: nobody knows what else the string holds */
		if (h->f.flags & FINDING_LIMIT) {
			h->from = 0;
			h->to = leaf->view_len;
		}
		hit_place(h, leaf, v);
		h->f.path = look_path(l, leaf);
		rc = look_emit(l, &h->f);
		if (rc < 0)
			return rc;
	}
	return RC_OK;
}
