/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "detect_internal.h"

/*
 * The view: what a range's strings, arrays and integers hold as bytes, one behind the other with
 * line ends between, so that the engines run once over it and not once a string. Hits are brought
 * back to the leaf, and through its map to the source.
 */

/* Fewer printable bytes in a row are numbers, not text. */
#define ASCII_MIN 6
#define SCALAR_MIN 4
/* Fewer digits in a row are no number of anybody's. */
#define RESIDUE_DIGITS 7

void view_reset(struct detector *d)
{
	buf_reset(&d->view);
	/* with nothing but empty strings in it, it is somewhere all the same */
	buf_add_char(&d->view, '\0');
	buf_reset(&d->view);
	buf_reset(&d->scalars);
	d->n_parts = d->n_scalars = d->n_hits = 0;
}

static void part_add(struct detector *d, enum view_what what, uint32_t leaf, uint32_t from,
		     struct span bytes)
{
	GROW(d->parts, d->n_parts, d->cap_parts);
	d->parts[d->n_parts++] = (struct view_part){
		.at = (uint32_t)d->view.len, .len = (uint32_t)bytes.len, .leaf = leaf, .from = from,
		.what = what,
	};
	buf_add_span(&d->view, bytes);
	buf_add_char(&d->view, '\n');
}

/* Digits glued behind a counted string's end are the rest of another number: nothing else in the
   string says so, and nobody needs them. */
static void residue_hit(struct detector *d, uint32_t leaf, size_t at, struct span rest)
{
	struct finding f = {
		.rule = (uint32_t)(d->n_rules - 1), .kind = KIND_PHONE, .form = FORM_GDB_STRING,
		.flags = FINDING_IN_STRING | FINDING_PARTIAL,
	};
	size_t n = rest.len && rest.p[0] == '+', plus = n;

	while (n < rest.len && rest.p[n] >= '0' && rest.p[n] <= '9')
		n++;
	if (n - plus >= RESIDUE_DIGITS)
		string_hit_add(d, leaf, (uint32_t)at, (uint32_t)(at + n), &f);
}

/* An address that is all of a counted string, the next one glued to it: a rule that reads both sees
   a longer word. */
static void glued_address_hit(struct detector *d, uint32_t leaf, struct span head, char next)
{
	struct finding f = {
		.rule = d->address_rule, .form = FORM_GDB_STRING, .flags = FINDING_IN_STRING,
	};
	uint8_t bytes[16];

	bool glued = next == '.' || (next >= '0' && next <= '9') ||
		((next | 0x20) >= 'a' && (next | 0x20) <= 'z');

	if (d->address_rule == NO_RULE || !glued)
		return;
	if (value_ip4_parse(head, bytes))
		f.kind = KIND_IP4;
	else if (value_ip6_parse(head, bytes))
		f.kind = KIND_IP6;
	else
		return;
	string_hit_add(d, leaf, 0, (uint32_t)head.len, &f);
}

void view_add_string(struct detector *d, uint32_t leaf, struct span decoded)
{
	struct leaf *f = &d->leaves[leaf];
	size_t cut = f->slen > 0 && (size_t)f->slen < decoded.len ? (size_t)f->slen : decoded.len;

	f->view = (uint32_t)d->view.len;
	f->view_len = (uint32_t)decoded.len;
	part_add(d, VIEW_STRING, leaf, 0, span_sub(decoded, 0, cut));
	/* what lies behind a counted string's end is another string's rest */
	if (cut < decoded.len) {
		d->view.len--;		/* the leaf's bytes stay in one piece */
		part_add(d, VIEW_STRING, leaf, (uint32_t)cut, span_sub(decoded, cut, decoded.len));
		residue_hit(d, leaf, cut, span_sub(decoded, cut, decoded.len));
		glued_address_hit(d, leaf, span_sub(decoded, 0, cut), decoded.p[cut]);
	}
}

static bool is_text_byte(uint8_t c)
{
	return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
}

/* Does v spell text in memory, but for NULs at its end? */
static bool integer_is_ascii(uint64_t v, char ret[8])
{
	unsigned i, n = 0;

	if (v >> 8 * (ASCII_MIN - 1) == 0)
		return false;
	for (i = 0; i < 8; i++) {
		ret[i] = (char)(v >> 8 * i);
		if (ret[i])
			n = i + 1;
	}
	for (i = n; i-- > 0; )
		if (!is_text_byte((uint8_t)ret[i]))
			return false;
	return true;
}

/* Runs of integers that are text, each with its neighbours. */
static void view_add_integers(struct detector *d)
{
	AUTO_BUF run = BUF_INIT;
	uint32_t i, first = 0;
	char bytes[8];

	for (i = 0; i <= d->n_leaves; i++) {
		const struct leaf *f = i < d->n_leaves ? &d->leaves[i] : NULL;

		if (f && f->active && f->type == BT_INTEGER &&
		    integer_is_ascii(f->integer, bytes)) {
			if (run.len == 0)
				first = i;
			buf_add(&run, bytes, sizeof(bytes));
		} else if (run.len) {
			part_add(d, VIEW_INTEGERS, first, 0, buf_span(&run));
			buf_reset(&run);
		}
	}
}

/* Half of it or more is one byte: no key, no digest. */
static bool is_flat(struct span s)
{
	size_t i, same = 0;

	for (i = 1; i < s.len; i++)
		same += s.p[i] == s.p[i - 1];
	return same * 2 >= s.len;
}

void view_add_array(struct detector *d, uint32_t leaf, const struct bt_value *v)
{
	size_t i, text = 0;

	/* too short to spell ASCII_MIN bytes, as one number each or several in one */
	if (v->len < 3 * ASCII_MIN)
		return;
	buf_reset(&d->value);
	packed_array(v->src, false, &d->value);
	for (i = 0; i < d->value.len && text < ASCII_MIN; i++)
		text = is_text_byte((uint8_t)d->value.p[i]) || d->value.p[i] < 0 ? text + 1 : 0;
	if (text == ASCII_MIN || (d->value.len >= 16 && !is_flat(buf_span(&d->value))))
		part_add(d, VIEW_ARRAY, leaf, 0, buf_span(&d->value));
}

void view_add_scalar(struct detector *d, uint32_t leaf, struct span src)
{
	/* flags and counts, where something stands, and gdb's own words */
	if (src.len < SCALAR_MIN || src.p[0] == '<' || span_starts(src, SPAN_LIT("0x")))
		return;
	if (d->n_scalars + 2 > d->cap_scalars) {
		d->cap_scalars = d->cap_scalars ? d->cap_scalars * 2 : 256;
		d->scalar_at = xreallocarray(d->scalar_at, d->cap_scalars, sizeof(*d->scalar_at));
	}
	d->scalar_at[d->n_scalars++] = (uint32_t)d->scalars.len;
	d->scalar_at[d->n_scalars++] = leaf;
	buf_add_span(&d->scalars, src);
	buf_add_char(&d->scalars, '\n');
}

void string_hit_add(struct detector *d, uint32_t leaf, uint32_t from, uint32_t to,
		    const struct finding *f)
{
	GROW(d->hits, d->n_hits, d->cap_hits);
	d->hits[d->n_hits++] = (struct string_hit){ .leaf = leaf, .from = from, .to = to, .f = *f };
}

static int leaf_emit(struct look *l, uint32_t i, const struct finding *f)
{
	const struct leaf *leaf = &l->d->leaves[i];
	struct finding one = *f;

	one.off = leaf->off;
	one.len = (uint32_t)leaf->len;
	one.path = look_path(l, leaf);
	return look_emit(l, &one);
}

/* A hit in bytes [from, to) of one part. */
static int part_hit(struct look *l, const struct view_part *p, uint32_t from, uint32_t to,
		    struct finding *f)
{
	uint32_t i;
	int rc = RC_OK;

	switch (p->what) {
	case VIEW_STRING:
		if (f->form == FORM_PLAIN)
			f->form = FORM_GDB_STRING;
		f->flags |= FINDING_IN_STRING;
		string_hit_add(l->d, p->leaf, p->from + from, p->from + to, f);
		return RC_OK;
	case VIEW_ARRAY:
		/* it goes as a whole, and what else it holds is no part of the value */
		if (f->form == FORM_PLAIN) {
			f->form = FORM_ASCII_INT;
			f->flags |= FINDING_PARTIAL | FINDING_MASKED;
		}
		return leaf_emit(l, p->leaf, f);
	case VIEW_INTEGERS:
		if (f->form == FORM_PLAIN) {
			f->form = FORM_ASCII_INT;
			f->flags |= FINDING_PARTIAL | FINDING_MASKED;
		}
		for (i = from / 8; rc == RC_OK && i <= (to - 1) / 8; i++)
			rc = leaf_emit(l, p->leaf + i, f);
		return rc;
	}
	return RC_OK;
}

/* A hit in the view; one over several parts goes to each. */
static int view_hit(struct look *l, size_t off, size_t len, const struct finding *f)
{
	const struct detector *d = l->d;
	size_t lo = 0, hi = d->n_parts, end = off + len;
	int rc = RC_OK;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->parts[mid].at <= off)
			lo = mid;
		else
			hi = mid;
	}
	for (; rc == RC_OK && lo < d->n_parts && d->parts[lo].at < end; lo++) {
		const struct view_part *p = &d->parts[lo];
		size_t from = off > p->at ? off - p->at : 0, to = end - p->at;
		struct finding one = *f;

		if (to > p->len)
			to = p->len;
		if (from < to)
			rc = part_hit(l, p, (uint32_t)from, (uint32_t)to, &one);
	}
	return rc;
}

static struct finding rule_finding(const struct look *l, const struct rule_hit *hit)
{
	return (struct finding){
		.rule = hit->rule, .kind = (uint8_t)l->d->rules[hit->rule].kind,
		.flags = hit->limit ? FINDING_LIMIT : 0,
	};
}

static int on_rule(void *ctx, const struct rule_hit *hit)
{
	struct finding f = rule_finding(ctx, hit);

	return view_hit(ctx, hit->off, hit->len, &f);
}

static int on_learned(void *ctx, const struct learned_hit *hit)
{
	struct finding f;

	look_learned(ctx, hit, &f);
	return view_hit(ctx, hit->off, hit->len, &f);
}

static int layer_hit(struct look *l, size_t off, size_t len, struct finding *f)
{
	uint64_t from, end;
	struct span src;

	if (!layer_source(&l->d->layer, off, off + len, &from, &end))
		return RC_OK;
	src = span_sub(buf_span(&l->d->view), from, end);
	if (f->form == FORM_PLAIN)
		f->form = layer_form(src);
	return view_hit(l, from, end - from, f);
}

static int on_layer_rule(void *ctx, const struct rule_hit *hit)
{
	struct finding f = rule_finding(ctx, hit);

	return layer_hit(ctx, hit->off, hit->len, &f);
}

static int on_layer_learned(void *ctx, const struct learned_hit *hit)
{
	struct finding f;

	look_learned(ctx, hit, &f);
	return layer_hit(ctx, hit->off, hit->len, &f);
}

static int on_scalar(void *ctx, const struct rule_hit *hit)
{
	struct look *l = ctx;
	const struct detector *d = l->d;
	struct finding f = rule_finding(l, hit);
	size_t lo = 0, hi = d->n_scalars / 2;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->scalar_at[2 * mid] <= hit->off)
			lo = mid;
		else
			hi = mid;
	}
	return leaf_emit(l, d->scalar_at[2 * lo + 1], &f);
}

static int scan(struct look *l, struct span text, unsigned where, rule_hit_fn rule,
		learned_hit_fn learned)
{
	struct detector *d = l->d;
	int rc;

	if (text.len == 0)
		return RC_OK;
	rc = rule_scan(d->scanner, text, 0, text.len, where, l->learn ? RULE_TEACHING : RULE_ALL,
		       rule, l, l->err);
	if (rc == RC_OK && learned && d->learned_scanner && !l->learn)
		rc = learned_scan(d->learned_scanner, text, 0, text.len, learned, l, l->err);
	return rc;
}

int view_detect(struct look *l)
{
	struct detector *d = l->d;
	size_t i;
	int rc;

	if (!l->learn)
		view_add_integers(d);
	layer_reset(&d->layer);
	for (i = 0; i < d->n_parts; i++) {
		const struct view_part *p = &d->parts[i];
		struct span bytes = span_make(d->view.p + p->at, p->len);

		if (p->what == VIEW_STRING && layer_has_escapes(bytes))
			layer_add(&d->layer, bytes, p->at);
	}
	rc = scan(l, buf_span(&d->view), WHERE_STRING, on_rule, on_learned);
	if (rc == RC_OK)
		rc = scan(l, buf_span(&d->layer.bytes), WHERE_STRING, on_layer_rule,
			  on_layer_learned);
	if (rc == RC_OK && d->has_values)
		rc = scan(l, buf_span(&d->scalars), WHERE_VALUE, on_scalar, NULL);
	return rc;
}
