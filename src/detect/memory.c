/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_internal.h"

#include <stdlib.h>

/*
 * Rules and learned values in a core's memory. Rules see the runs of text in a window, one behind
 * the other with line ends between; what they hit is brought back to the file. Learned values are
 * searched in the bytes themselves: their spellings know hex, base64, UTF-16 and the rest.
 */

struct memory_look {
	struct detector *d;
	const struct detect_window *w;
	const struct memory_runs *runs;
	struct findings *ret;
	struct buf value;
};

/* --keep-words: what is a word that must stay, stays in memory too. */
static bool is_kept(struct memory_look *l, const struct finding *f)
{
	const struct learned *learned = l->d->learned;

	if (!learned || !learned_has_keep(learned))
		return false;
	buf_reset(&l->value);
	detect_memory_value(l->d, f, span_make(l->w->bytes.p + (f->off - l->w->off), f->len),
			    &l->value);
	return learned_is_kept(learned, buf_span(&l->value));
}

static void emit(struct memory_look *l, struct finding *f, size_t off, size_t len)
{
	f->off = l->w->off + off;
	f->len = (uint32_t)len;
	if (off >= l->w->from && off < l->w->to && len && !is_kept(l, f))
		findings_add(l->ret, f);
}

/* A match that goes on in the next run has nothing to do with that: runs are no neighbours. */
static int on_rule(void *ctx, const struct rule_hit *hit)
{
	struct memory_look *l = ctx;
	const struct memory_run *r = memory_run_at(l->runs, hit->off);
	size_t from = hit->off - r->at, end = from + hit->len;
	struct finding f = {
		.rule = hit->rule,
		.kind = (uint8_t)l->d->rules[hit->rule].kind,
		.form = r->wide ? FORM_UTF16 : FORM_PLAIN,
		.flags = hit->limit ? FINDING_LIMIT : 0,
	};

	if (end > r->len)
		end = r->len;
	if (from < end)
		emit(l, &f, r->source + (from << r->wide), (end - from) << r->wide);
	return RC_OK;
}

int detect_memory_rules(struct detector *d, const struct detect_window *w, struct findings *ret,
			struct err *err)
{
	struct memory_runs *runs = d->runs ? d->runs : (d->runs = memory_runs_new());
	struct memory_look l = { .d = d, .w = w, .runs = runs, .ret = ret, .value = BUF_INIT };
	int rc = RC_OK;

	memory_runs_find(runs, w);
	if (runs->n)
		rc = rule_scan(d->scanner, buf_span(&runs->view), 0, runs->view.len, WHERE_MEMORY,
			       false, on_rule, &l, err);
	buf_done(&l.value);
	return rc;
}

static int on_learned(void *ctx, const struct learned_hit *hit)
{
	struct memory_look *l = ctx;
	struct look look = { .d = l->d };
	struct finding f;

	look_learned(&look, hit, &f);
	/* the form says how what takes its place is spelled */
	if (hit->form == FORM_UTF16)
		f.form = FORM_UTF16;
	emit(l, &f, hit->off, hit->len);
	return RC_OK;
}

#define ZERO_STEP KIB(4)
#define NEAR	  KIB(64) /* stays in a processor's own cache while all looks are taken */

/* The next stretch of [*at, to) with anything in it, in steps that end where pages do. */
static bool next_stretch(const struct detect_window *w, size_t *at, size_t *ret_end)
{
	size_t from = *at, end;

	while (from < w->to) {
		end = from + ZERO_STEP - (size_t)((w->off + from) % ZERO_STEP);
		if (end > w->to)
			end = w->to;
		if (!memory_is_zero(w->bytes.p + from, end - from))
			break;
		from = end;
	}
	*at = from;
	while (from < w->to) {
		end = from + ZERO_STEP - (size_t)((w->off + from) % ZERO_STEP);
		if (end > w->to)
			end = w->to;
		if (memory_is_zero(w->bytes.p + from, end - from))
			break;
		from = end;
	}
	*ret_end = from;
	return *at < from;
}

static void on_address(void *ctx, size_t off, size_t len)
{
	struct memory_look *l = ctx;
	enum kind kind = len == 4 ? KIND_IP4 : KIND_IP6;
	struct finding f = {
		.rule = (uint32_t)(l->d->n_pack + kind),
		.kind = (uint8_t)kind,
		.form = FORM_BYTES,
	};

	emit(l, &f, off, len);
}

int detect_memory_learned(struct detector *d, const struct detect_window *w,
			  const struct detect_addresses *known, struct findings *ret,
			  struct err *err)
{
	struct memory_look l = { .d = d, .w = w, .ret = ret, .value = BUF_INIT };
	size_t at = w->from, end;
	int rc = RC_OK;

	if (d->learned_scanner)
		learned_scanner_expect_memory(d->learned_scanner);
	for (; rc == RC_OK && next_stretch(w, &at, &end); at = end) {
		if (end - at > NEAR)
			end = at + NEAR;
		if (d->learned_scanner)
			rc = learned_scan(d->learned_scanner, w->bytes, at, end, on_learned, &l,
					  err);
		if (known)
			memory_addresses_find(known, w, at, end, on_address, &l);
	}
	buf_done(&l.value);
	return rc;
}

void detect_memory_value(const struct detector *d, const struct finding *f, struct span bytes,
			 struct buf *ret)
{
	enum kind kind;

	if (f->value) {
		buf_add_span(ret, learned_get(d->learned, f->value - 1)->bytes);
		return;
	}
	if (f->form == FORM_BYTES && (f->kind == KIND_IP4 || f->kind == KIND_IP6)) {
		packed_address(bytes, f->kind, ret, &kind);
		return;
	}
	if (f->form != FORM_UTF16) {
		buf_add_span(ret, bytes);
		return;
	}
	for (size_t i = 0; i < bytes.len; i += 2)
		buf_add_char(ret, bytes.p[i]);
}
