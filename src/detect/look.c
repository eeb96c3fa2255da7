/* SPDX-License-Identifier: Apache-2.0 */
#include "detect_internal.h"

/* Findings on their way out: to the caller, or, in pass one, their values to what is learned. */

/* --keep-words: is all of f's value a word that must stay? */
static bool is_kept(struct look *l, const struct finding *f)
{
	struct detector *d = l->d;

	if (!d->learned || !learned_has_keep(d->learned))
		return false;
	buf_reset(&d->value);
	detect_value(d, l->a, f, &d->value);
	return learned_is_kept(d->learned, buf_span(&d->value));
}

/* Is all of it a head's function, file or library? Those are the program's words and stay, so they
   teach nothing. In pass one guards are in the text's order. */
static bool is_guarded(const struct detector *d, const struct finding *f)
{
	size_t lo = 0, hi = d->n_guards;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->guards[mid].off > f->off)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo > 0 && f->off + f->len <= d->guards[lo - 1].off + d->guards[lo - 1].len;
}

int look_emit(struct look *l, const struct finding *f)
{
	struct detector *d = l->d;

	if (f->len == 0)
		return RC_OK;
	if (!l->learn) {
		if (!is_kept(l, f))
			findings_add(l->ret, f);
		return RC_OK;
	}
	if (f->flags & (FINDING_LIMIT | FINDING_HINT | FINDING_HELD | FINDING_MASKED) || is_guarded(d, f))
		return RC_OK;
	buf_reset(&d->value);
	detect_value(d, l->a, f, &d->value);
	return learned_add(l->learn, f->kind, buf_span(&d->value), l->origin, l->err);
}

uint32_t look_path(const struct look *l, const struct leaf *leaf)
{
	struct span path = span_make(l->d->paths.p + leaf->path, leaf->path_len);

	return l->ret ? findings_path(l->ret, path) : 0;
}

void look_learned(const struct look *l, const struct learned_hit *hit, struct finding *ret)
{
	const struct learned_value *v = learned_get(l->d->learned, hit->value);

	*ret = (struct finding){
		.rule = (uint32_t)(l->d->n_pack + v->kind),
		.kind = (uint8_t)v->kind,
		.form = FORM_LEARNED,
		.value = hit->value + 1,
		.flags = (uint16_t)((hit->partial ? FINDING_PARTIAL : 0) |
				    (hit->held ? FINDING_HELD : 0)),
	};
}

/* The packed forms' bytes from the source: an array, or a piece of a string. */
static void value_bytes(const struct finding *f, struct span src, struct buf *ret)
{
	bool ip6 = f->kind == KIND_IP6 || f->kind == KIND_IP6_LAN;

	if (src.len && src.p[0] == '{')
		packed_array(src, ip6, ret);
	else
		gdb_unquote(src, f->flags & FINDING_QUOTE_OPEN, ret);
}

static bool is_address(enum kind kind)
{
	return kind == KIND_IP4 || kind == KIND_IP4_LAN || kind == KIND_IP6 || kind == KIND_IP6_LAN;
}

static void value_packed(const struct finding *f, struct span src, struct buf *ret)
{
	AUTO_BUF bytes = BUF_INIT;
	uint32_t from, to;
	enum kind kind;
	size_t i;

	value_bytes(f, src, &bytes);
	if (!is_address(f->kind)) {
		buf_add_span(ret, buf_span(&bytes));
		return;
	}
	/* a sockaddr's data as an array has its port first; of two words the first is an address */
	if (src.len && src.p[0] == '{' && bytes.len != 4 && bytes.len != 8 && bytes.len != 16 &&
	    packed_sockaddr(buf_span(&bytes), false, &from, &to)) {
		packed_address(span_make(bytes.p + from, to - from), f->kind, ret, &kind);
		return;
	}
	for (i = bytes.len; i < 4; i++)
		buf_add_char(&bytes, '\0');	/* gdb leaves trailing NULs out */
	packed_address(buf_span(&bytes), f->kind, ret, &kind);
}

static void value_integer(const struct finding *f, struct span src, struct buf *ret)
{
	uint64_t v;
	char bytes[8];
	unsigned i, n = f->form == FORM_IN_ADDR ? 4 : 8;
	enum kind kind;

	if (src.len && src.p[0] == '{') {
		packed_array(src, false, ret);
		return;
	}
	if (!packed_integer(src, &v)) {
		buf_add_span(ret, src);
		return;
	}
	for (i = 0; i < 8; i++)
		bytes[i] = (char)(v >> 8 * i);
	if (f->form == FORM_IN_ADDR) {
		packed_address(span_make(bytes, 4), KIND_IP4, ret, &kind);
		return;
	}
	while (n && bytes[n - 1] == '\0')
		n--;
	buf_add(ret, bytes, n);
}

/* Two hex digits a byte, whatever stands between the bytes. */
static void value_digits(struct span src, struct buf *ret)
{
	for (size_t i = 0; i + 1 < src.len; i++) {
		int high = ascii_hex_value(src.p[i]), low = ascii_hex_value(src.p[i + 1]);

		if (high < 0 || low < 0)
			continue;
		buf_add_char(ret, (char)(high << 4 | low));
		i++;
	}
}

void detect_value(const struct detector *d, const struct artifact *a, const struct finding *f,
		  struct buf *ret)
{
	struct span src = span_make(a->text.p + f->off, f->len);
	AUTO_BUF inner = BUF_INIT;

	if (f->form == FORM_LEARNED && f->value) {
		buf_add_span(ret, learned_get(d->learned, f->value - 1)->bytes);
		return;
	}
	if (f->form == FORM_BYTES) {
		value_packed(f, src, ret);
		return;
	}
	if (f->form == FORM_HEX) {
		value_digits(src, ret);
		return;
	}
	if (f->form == FORM_IN_ADDR || f->form == FORM_ASCII_INT) {
		value_integer(f, src, ret);
		return;
	}
	if (f->flags & FINDING_IN_STRING || f->form == FORM_GDB_STRING) {
		gdb_unquote(src, f->flags & FINDING_QUOTE_OPEN, &inner);
		src = buf_span(&inner);
	}
	if (f->form == FORM_URL || f->form == FORM_JSON || f->form == FORM_XML)
		layer_unescape(src, ret);
	else
		buf_add_span(ret, src);
}
