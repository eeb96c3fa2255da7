/* SPDX-License-Identifier: Apache-2.0 */
#include "detect_internal.h"

/* Raw text: logs, configs, and gdb's text as it stands. */

/* How much a layer takes in before it is scanned, and how far the windows of a long line
   overlap. */
#define LAYER_FULL KIB(256)
#define LAYER_WINDOW KIB(64)
#define LAYER_OVERLAP 1024

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* How many bytes before p, down to low, belong to an escape that p stands in. */
static size_t inside_escape(const char *low, const char *p)
{
	size_t back, run;

	for (back = 1; back <= 3 && p - low >= (ptrdiff_t)back; back++) {
		if (p[-(ptrdiff_t)back] == '\\') {
			for (run = 1; run < 256 && p - back - run >= low &&
			     p[-(ptrdiff_t)(back + run)] == '\\'; run++)
				;
			return run % 2 ? back : 0;
		}
		if (!is_octal(p[-(ptrdiff_t)back]))
			return 0;
	}
	return 0;
}

/* Where a string's last quote is, if what follows is gdb's: the next member, a closing bracket, the
   line's end. Else UINT64_MAX. */
static uint64_t closing_quote(const struct look *l, const struct leaf *leaf)
{
	struct span src = span_make(l->text.p + leaf->off, leaf->len);
	struct span rest = span_make(src.p + src.len, l->text.len - leaf->off - src.len);

	if (span_ends(src, SPAN_LIT("...")))
		src.len -= 3;
	if (src.len < 2 || src.p[src.len - 1] != '"')
		return UINT64_MAX;
	if (rest.len && !memchr(")}\r\n", rest.p[0], 4) && !span_starts(rest, SPAN_LIT(", ")))
		return UINT64_MAX;
	return leaf->off + src.len - 1;
}

/* Moves the ends of what a raw match found in a string to whole escapes, and says whether one of
   them is outside of quotes. */
static void keep_quoting(const struct look *l, const struct leaf *leaf, struct finding *f)
{
	const char *text = l->text.p, *low = text + leaf->off, *high = low + leaf->len;
	const char *p = text + f->off, *end = p + f->len, *q;
	bool start_out = p <= low, out;

	if (p > low) {
		size_t back = inside_escape(low, p);

		/* three octal digits are one escape, a letter's is two bytes */
		if (back && (is_octal(*p) || back == 1))
			p -= back;
	}
	/* a shell-expanded string may end in a backslash: its quote is no part of an escape */
	if (end < high && (uint64_t)(end - text) != closing_quote(l, leaf)) {
		size_t back = inside_escape(low, end);

		if (back == 1 && !is_octal(*end))
			end++;
		else if (back)
			while (end < high && is_octal(*end) && back++ < 4)
				end++;
	}
	f->len = (uint32_t)(end - p);
	f->off = (uint64_t)(p - text);
	if (f->len == 0 || !memchr(p, '"', f->len))
		return;
	for (out = start_out, q = p; q < end; q++) {
		if (*q == '\\' && !out)
			q++;
		else if (*q == '"')
			out = !out;
	}
	if (out && !start_out)
		f->flags |= FINDING_QUOTE_CLOSE;
	if (!out && start_out)
		f->flags |= FINDING_QUOTE_OPEN;
}

/* A rule for whole lines knows nothing of quotes: on the last line of a string that spans several,
   its value would take in the quote and what stands behind the string. */
static void keep_in_lines(const struct look *l, const struct leaf *leaf, struct finding *f)
{
	uint64_t end = f->off + f->len, quote;

	if (end + strlen("...") < leaf->off + leaf->len)
		return;
	quote = closing_quote(l, leaf);
	if (f->off < quote && end > quote &&
	    memchr(l->text.p + leaf->off, '\n', f->off - leaf->off))
		f->len = (uint32_t)(quote - f->off);
}

struct text_scan { struct look *l; bool in_gdb; };

static int emit_raw(struct text_scan *s, struct finding *f)
{
	const struct leaf *leaf = s->in_gdb ? leaf_at(s->l->d, f->off) : NULL;

	if (leaf && leaf->type == BT_STRING) {
		f->path = look_path(s->l, leaf);
		if (f->form == FORM_PLAIN)
			f->form = FORM_GDB_STRING;
		f->flags |= FINDING_IN_STRING;
		if (f->rule < s->l->d->n_pack && !(f->flags & FINDING_LIMIT))
			keep_in_lines(s->l, leaf, f);
		keep_quoting(s->l, leaf, f);
	}
	return look_emit(s->l, f);
}

static int on_rule(void *ctx, const struct rule_hit *hit)
{
	struct text_scan *s = ctx;
	struct finding f = {
		.off = hit->off, .len = (uint32_t)hit->len, .rule = hit->rule,
		.kind = (uint8_t)s->l->d->rules[hit->rule].kind,
		.flags = hit->limit ? FINDING_LIMIT : 0,
	};

	return emit_raw(s, &f);
}

static int on_learned(void *ctx, const struct learned_hit *hit)
{
	struct text_scan *s = ctx;
	struct finding f;

	look_learned(s->l, hit, &f);
	f.off = hit->off;
	f.len = (uint32_t)hit->len;
	return emit_raw(s, &f);
}

static int emit_layered(struct text_scan *s, size_t off, size_t len, struct finding *f)
{
	struct look *l = s->l;
	uint64_t from, end;
	struct span src;

	if (!layer_source(&l->d->layer, off, off + len, &from, &end) || from < l->off ||
	    from >= l->end)
		return RC_OK;
	f->off = from;
	f->len = (uint32_t)(end - from);
	src = span_make(l->text.p + from, f->len);
	if (f->form == FORM_PLAIN)
		f->form = layer_form(src);
	return look_emit(l, f);
}

static int on_layer_rule(void *ctx, const struct rule_hit *hit)
{
	struct text_scan *s = ctx;
	struct finding f = {
		.rule = hit->rule, .kind = (uint8_t)s->l->d->rules[hit->rule].kind,
		.flags = hit->limit ? FINDING_LIMIT : 0,
	};

	return emit_layered(s, hit->off, hit->len, &f);
}

static int on_layer_learned(void *ctx, const struct learned_hit *hit)
{
	struct text_scan *s = ctx;
	struct finding f;

	look_learned(s->l, hit, &f);
	return emit_layered(s, hit->off, hit->len, &f);
}

static int layer_scan(struct text_scan *s)
{
	struct look *l = s->l;
	struct layer *layer = &l->d->layer;
	struct span text = buf_span(&layer->bytes);
	int rc;

	if (text.len == 0)
		return RC_OK;
	rc = rule_scan(l->d->scanner, text, 0, text.len, WHERE_TEXT, l->raw_share,
		       on_layer_rule, s, l->err);
	if (rc == RC_OK && l->d->learned_scanner && !l->learn)
		rc = learned_scan(l->d->learned_scanner, text, 0, text.len, on_layer_learned, s,
				  l->err);
	layer_reset(layer);
	return rc;
}

/* Where the next byte of each kind that may begin an escape is, or the end. */
struct escapes {
	const char *percent, *back, *reference, *end;
};

static const char *find_char(const char *p, const char *end, char c)
{
	const char *at = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;

	return at ? at : end;
}

/* The next byte from p on that may begin an escape, or the end. None is looked for twice. */
static const char *next_escape(struct escapes *e, const char *p)
{
	if (e->percent < p)
		e->percent = find_char(p, e->end, '%');
	if (e->back < p)
		e->back = find_char(p, e->end, '\\');
	if (e->reference < p)
		e->reference = layer_find_reference(p, e->end);
	p = e->back < e->percent ? e->back : e->percent;
	return e->reference < p ? e->reference : p;
}

/* Lines with escapes, once more without them. */
static int layers_detect(struct text_scan *s)
{
	struct look *l = s->l;
	const char *p = l->text.p + l->off, *end = l->text.p + l->end;
	struct escapes escapes = { .end = end };
	int rc = RC_OK;

	layer_reset(&l->d->layer);
	while (rc == RC_OK && (p = next_escape(&escapes, p)) < end) {
		uint64_t at = (uint64_t)(p - l->text.p);
		const struct leaf *leaf = s->in_gdb ? leaf_at(l->d, at) : NULL;
		const char *nl, *start, *stop;

		/* gdb's own escapes: what the string holds is seen to there */
		if (leaf) {
			p = l->text.p + leaf->off + leaf->len;
			continue;
		}
		nl = memrchr(l->text.p + l->off, '\n', (size_t)(p - l->text.p) - l->off);
		start = nl ? nl + 1 : l->text.p + l->off;
		nl = memchr(p, '\n', (size_t)(end - p));
		stop = nl ? nl : end;
		for (p = start; p < stop; p += LAYER_WINDOW - LAYER_OVERLAP) {
			struct span window = span_make(p, (size_t)(stop - p));

			if (window.len > LAYER_WINDOW)
				window.len = LAYER_WINDOW;
			if (layer_has_escapes(window))
				layer_add(&l->d->layer, window, (uint64_t)(p - l->text.p));
			if (l->d->layer.bytes.len >= LAYER_FULL && (rc = layer_scan(s)) < 0)
				return rc;
		}
		p = stop;
	}
	return layer_scan(s);
}

int text_detect(struct look *l, bool in_gdb)
{
	struct text_scan s = { .l = l, .in_gdb = in_gdb };
	int rc = rule_scan(l->d->scanner, l->text, l->off, l->end, WHERE_TEXT, l->raw_share,
			   on_rule, &s, l->err);

	if (rc == RC_OK && l->d->learned_scanner && !l->learn)
		rc = learned_scan(l->d->learned_scanner, l->text, l->off, l->end, on_learned, &s,
				  l->err);
	if (rc == RC_OK)
		rc = layers_detect(&s);
	return rc == RC_OK ? dump_detect(l, in_gdb) : rc;
}
