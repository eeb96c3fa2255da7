/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include <corescrub/elfcore_parts.h>

#include "redact_internal.h"

/*
 * Replacements of the same length, for memory. Findings that overlap become one stretch: all of it
 * goes, and the most severe, then longest one says as what. A stretch that reaches its chunk's end
 * waits for what the next chunk's findings add to it.
 */

#define LEFT_MAX 100000 /* places remembered that were left as they were */

struct stretch {
	uint64_t off, end;
	/* the finding that wins */
	struct finding f;
	bool masked; /* an engine's limit: no value, no token */
	struct token token;
	uint32_t number; /* the token's, or NO_TOKEN */
};

struct redact_fill {
	struct redact_fill_job job;
	const struct finding_rule *rules;
	struct stretch open; /* the one that may still grow; end 0: none */
	struct detect_range *left;
	size_t n_left, cap_left;
	uint8_t *held; /* learned values that were held back somewhere */
	size_t n_held;
	uint64_t replaced, open_items;
	struct buf value, text;
};

struct redact_fill *redact_fill_new(const struct redact_fill_job *job)
{
	struct redact_fill *f = xcalloc(1, sizeof(*f));
	size_t n;

	f->job = *job;
	f->rules = detector_rules(job->detector, &n);
	return f;
}

void redact_fill_free(struct redact_fill *f)
{
	if (!f)
		return;
	free(f->left);
	free(f->held);
	buf_done(&f->value);
	buf_done(&f->text);
	free(f);
}

uint64_t redact_fill_count(const struct redact_fill *f, uint64_t *ret_open)
{
	*ret_open = f->open_items;
	return f->replaced;
}

static void leave(struct redact_fill *f, uint64_t off, uint64_t len)
{
	f->open_items++;
	if (f->n_left >= LEFT_MAX)
		return;
	GROW(f->left, f->n_left, f->cap_left);
	f->left[f->n_left++] = (struct detect_range){ off, len };
}

bool redact_fill_left(const struct redact_fill *f, uint64_t off, uint64_t len)
{
	for (size_t i = 0; i < f->n_left; i++)
		if (off < f->left[i].off + f->left[i].len && f->left[i].off < off + len)
			return true;
	return false;
}

/* A learned value that the guard holds back is one item, wherever it stands. */
static void note_held(struct redact_fill *f, uint32_t value)
{
	if (value >= f->n_held) {
		f->held = xreallocarray(f->held, value + 1, 1);
		memset(f->held + f->n_held, 0, value + 1 - f->n_held);
		f->n_held = value + 1;
	}
	f->open_items += !f->held[value];
	f->held[value] = 1;
}

static bool touches_fixed(const struct redact_fill *f, uint64_t off, uint64_t end)
{
	size_t lo = 0, hi = f->job.n_fixed;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->job.fixed[mid].off + f->job.fixed[mid].len > off)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < f->job.n_fixed && f->job.fixed[lo].off < end;
}

/*
 * The last word of a value may be a pointer that only looked like text: a buffer without room for
 * its NUL, then a return address. All that text has of it stands in its six bytes that are not
 * zero.
 */
static bool ends_in_pointer(const struct redact_fill *f, const struct redact_chunk *c, uint64_t off,
			    uint64_t end, uint64_t *ret_end)
{
	uint64_t at = (end - 1) & ~(uint64_t)7, word;

	if (at < c->off || at + 8 > c->off + c->len || at + 6 > end || !f->job.core)
		return false;
	memcpy(&word, c->bytes + (at - c->off), 8);
	if (word >> 48 || !elfcore_is_mapped(f->job.core, word))
		return false;
	*ret_end = at > off ? at : off;
	return true;
}

static bool wins(const struct redact_fill *f, const struct finding *a, const struct finding *b)
{
	enum severity sa = f->rules[a->rule].severity, sb = f->rules[b->rule].severity;

	if (sa != sb)
		return sa > sb;
	if (a->len != b->len)
		return a->len > b->len;
	return a->rule < b->rule;
}

/* "[kind~" nine characters and a check character "]": these ten, the kind, dots. */
static void token_text(const struct redact_fill *f, const struct stretch *s, size_t n,
		       struct buf *ret)
{
	const struct token *t = s->masked ? NULL : &s->token;
	bool keyed = t && t->keyed && !(s->f.flags & (FINDING_MASKED | FINDING_LIMIT)) &&
		     f->rules[s->f.rule].action == ACTION_TOKEN;
	const char *tilde = keyed ? memchr(t->text, '~', t->len) : NULL;

	buf_reset(ret);
	if (f->rules[s->f.rule].action != ACTION_DROP || !t) {
		if (tilde)
			buf_add(ret, tilde + 1, (size_t)(t->text + t->len - 1 - (tilde + 1)));
		buf_add_str(ret, value_kind_name(s->f.kind));
	}
	while (ret->len < n)
		buf_add_char(ret, '.');
	ret->len = n;
}

/* The 45 bits of a keyed token: its nine characters of base32. */
static uint64_t token_bits(const struct token *t)
{
	const char *p = memchr(t->text, '~', t->len);
	uint64_t bits = 0;

	for (unsigned i = 1; p && i <= 9; i++)
		bits = bits << 5 | (uint64_t)(p[i] >= 'a' ? p[i] - 'a' : p[i] - '2' + 26);
	return bits;
}

/* An address of 240.0.0.0/4 or 100::/64 that the token's bits make. */
static void token_packed(const struct token *t, size_t len, struct buf *ret)
{
	uint64_t bits = token_bits(t);
	uint8_t a[16] = { 0x01 };

	if (len == 4) {
		for (unsigned i = 0; i < 4; i++)
			a[i] = (uint8_t)(bits >> (24 - 8 * i));
		a[0] |= 0xf0;
		if (a[0] == 0xff && a[1] == 0xff && a[2] == 0xff && a[3] == 0xff)
			a[3] = 0xfe; /* not the broadcast address */
	} else {
		for (unsigned i = 0; i < 8; i++)
			a[8 + i] = (uint8_t)(bits >> (56 - 8 * i));
	}
	buf_reset(ret);
	buf_add(ret, a, len);
}

static void make_text(struct redact_fill *f, const struct stretch *s)
{
	size_t n = (size_t)(s->end - s->off);
	bool exact = s->f.off == s->off && s->f.len == n;

	if (s->f.form == FORM_BYTES && exact && (n == 4 || n == 16) && s->token.keyed) {
		token_packed(&s->token, n, &f->text);
		return;
	}
	if (s->f.form == FORM_UTF16 && n % 2 == 0 && (s->f.off - s->off) % 2 == 0) {
		AUTO_BUF narrow = BUF_INIT;

		token_text(f, s, n / 2, &narrow);
		buf_reset(&f->text);
		for (size_t i = 0; i < n / 2; i++) {
			buf_add_char(&f->text, narrow.p[i]);
			buf_add_char(&f->text, '\0');
		}
		return;
	}
	token_text(f, s, n, &f->text);
}

/* Puts the open stretch in: what is in this chunk there, what is before it late. c is NULL at the
   end. */
static int stretch_put(struct redact_fill *f, const struct redact_chunk *c, struct err *err)
{
	struct stretch *s = &f->open;
	uint64_t begin = c ? c->off + c->from : s->end, split;

	if (!s->end)
		return RC_OK;
	make_text(f, s);
	split = s->off >= begin ? s->off : begin < s->end ? begin : s->end;
	if (c && split < s->end)
		memcpy(c->bytes + (split - c->off), f->text.p + (split - s->off), s->end - split);
	token_count(f->job.redactor, s->number, s->f.rule);
	f->replaced++;
	s->end = 0;
	return split > s->off ? f->job.late(f->job.ctx, s->off,
					    span_make(f->text.p, (size_t)(split - s->off)), err)
			      : RC_OK;
}

static int take_stretch(struct redact_fill *f, const struct redact_chunk *c,
			const struct stretch *one, struct err *err)
{
	struct stretch *s = &f->open;
	int rc;

	if (s->end && one->off < s->end) {
		if (one->end > s->end)
			s->end = one->end;
		if (wins(f, &one->f, &s->f)) {
			struct stretch won = *one;

			won.off = s->off;
			won.end = s->end;
			*s = won;
		}
		return RC_OK;
	}
	rc = stretch_put(f, c, err);
	*s = *one;
	return rc;
}

static int take_finding(struct redact_fill *f, const struct redact_chunk *c,
			const struct finding *found, struct err *err)
{
	struct stretch one = { .off = found->off,
			       .end = found->off + found->len,
			       .f = *found,
			       .number = NO_TOKEN,
			       .masked = (found->flags & FINDING_LIMIT) != 0 };
	struct redactor *r = f->job.redactor;
	struct span bytes;
	int rc;

	if (one.end > c->off + c->len)
		one.end = c->off + c->len;
	if (one.off >= one.end || found->flags & FINDING_HINT)
		return RC_OK;
	if (found->flags & FINDING_HELD) {
		note_held(f, found->value);
		return RC_OK;
	}
	bytes = span_make(c->bytes + (one.off - c->off), (size_t)(one.end - one.off));
	if (!one.masked) {
		buf_reset(&f->value);
		detect_memory_value(f->job.detector, found, bytes, &f->value);
		rc = token_make(r, found->kind, buf_span(&f->value), &one.token, &one.number, err);
		if (rc < 0)
			return rc;
		if (one.token.stays)
			return RC_OK;
		one.f.kind = one.token.kind;
	} else {
		f->open_items++;
	}
	if (touches_fixed(f, one.off, one.end)) {
		leave(f, one.off, one.end - one.off);
		return RC_OK;
	}
	if (found->form != FORM_BYTES && ends_in_pointer(f, c, one.off, one.end, &one.end))
		leave(f, one.end, 8);
	return one.off < one.end ? take_stretch(f, c, &one, err) : RC_OK;
}

int redact_fill_chunk(struct redact_fill *f, const struct redact_chunk *c, struct err *err)
{
	uint64_t begin = c->off + c->from, end = c->off + c->to;
	int rc = RC_OK;

	findings_sort(c->found);
	for (size_t i = 0; rc == RC_OK && i < c->found->n; i++)
		rc = take_finding(f, c, &c->found->v[i], err);
	if (rc < 0 || !f->open.end)
		return rc;
	if (f->open.end < end)
		return stretch_put(f, c, err);
	/* it may go on: nothing of it is written before that is known */
	if (f->open.off < begin)
		memset(c->bytes + c->from, 0, c->to - c->from);
	else
		memset(c->bytes + (f->open.off - c->off), 0, (size_t)(end - f->open.off));
	return RC_OK;
}

int redact_fill_end(struct redact_fill *f, struct err *err)
{
	return stretch_put(f, NULL, err);
}
