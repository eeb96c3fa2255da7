/* SPDX-License-Identifier: Apache-2.0 */
#include "detect_internal.h"

/* gdb's language: one walk over a range's values, then the view they make. */

const struct leaf *leaf_at(const struct detector *d, uint64_t off)
{
	size_t lo = 0, hi = d->n_leaves;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->leaves[mid].off + d->leaves[mid].len > off)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < d->n_leaves && d->leaves[lo].off <= off ? &d->leaves[lo] : NULL;
}

static void guard_add_as(struct look *l, struct span s, bool between)
{
	struct detector *d = l->d;

	if (s.len == 0)
		return;
	GROW(d->guards, d->n_guards, d->cap_guards);
	d->guards[d->n_guards++] = (struct detect_guard){
		.off = (uint64_t)(s.p - l->text.p), .len = s.len, .between = between,
	};
}

static void guard_add(struct look *l, struct span s)
{
	guard_add_as(l, s, false);
}

/* A file or library with its word and the ")" of the arguments, whatever blanks are between: a rule
   that took those for a value's last bytes would leave a line that is no head any more. */
static struct span with_word(const struct bt_frame *f, struct span s, struct span word)
{
	const char *p;

	if (s.len == 0 || f->close.len == 0)
		return s;
	p = s.p - word.len;
	while (p > f->close.p && memchr(" \t\r\n", p[-1], 4))
		p--;
	if (p != f->close.p + f->close.len)
		return s;
	return span_make(f->close.p, (size_t)(s.p + s.len - f->close.p));
}

static void guard_frame(struct look *l, const struct bt_frame *f)
{
	struct span library = with_word(f, f->library, SPAN_LIT("from "));

	guard_add(l, f->number_src);
	guard_add(l, f->address);
	guard_add(l, f->function);
	guard_add(l, f->close);
	guard_add(l, with_word(f, f->file, SPAN_LIT("at ")));
	guard_add(l, f->line);
	/* the library's name is text, its place in the head is not */
	guard_add(l, span_make(library.p, library.len - f->library.len));
}

static bool is_name_byte(char c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c < 0 || (c && strchr("_$~&.:#", c));
}

/* Behind "name=" or "name = " at s[i] (of "name=name@entry=" behind either), or 0. */
static size_t name_end(struct span s, size_t i)
{
	size_t first = i;

	while (i < s.len && (is_name_byte(s.p[i]) || (i > first && ascii_is_digit(s.p[i]))))
		i++;
	if (i == first)
		return 0;
	s = span_sub(s, i, s.len);
	if (span_starts(s, SPAN_LIT("@entry=")))
		return i + strlen("@entry=");
	if (span_starts(s, SPAN_LIT(" = ")))
		return i + strlen(" = ");
	return s.len && s.p[0] == '=' ? i + 1 : 0;
}

/*
 * What stands between the values of a head: commas, brackets, names with their "=". A password may
 * hold the same bytes, and must not be taken from here: behind a string without its comma the head
 * reads as another one. No value hides here, as all is marks and names up to the first thing that
 * is neither.
 */
static void guard_between(struct look *l, uint64_t from, uint64_t end)
{
	struct span s = span_make(l->text.p + from, end > from ? end - from : 0);
	size_t i = 0, next;

	while (i < s.len) {
		next = s.p[i] && strchr(" \t\r\n,{}()[]", s.p[i]) ? i + 1 : name_end(s, i);
		if (!next)
			break;
		i = next;
	}
	guard_add_as(l, span_make(s.p, i), true);
}

/* How far a head's arguments are walked, and its ")"; `close` is 0 outside of a head that has
   one. */
struct head_place {
	uint64_t at, close;
};

static void head_step(struct look *l, const struct bt_value *v, struct head_place *h)
{
	const char *text = l->text.p;

	if (h->close && !l->learn)
		guard_between(l, h->at, v->is_arg ? v->off : h->close);
	if (v->is_arg) {
		h->at = v->off + v->len;
		return;
	}
	h->close = 0;
	if (v->type == BT_FRAME && v->frame->close.len) {
		struct span before = v->frame->function.len ? v->frame->function : v->frame->number_src;

		h->at = (uint64_t)(before.p + before.len - text);
		h->close = (uint64_t)(v->frame->close.p - text);
	}
}

static uint32_t leaf_add(struct look *l, const struct bt_value *v)
{
	struct detector *d = l->d;
	struct leaf *f;

	GROW(d->leaves, d->n_leaves, d->cap_leaves);
	f = &d->leaves[d->n_leaves];
	*f = (struct leaf){
		.off = v->off, .len = v->len, .integer = v->integer, .slen = v->slen,
		.path = (uint32_t)d->paths.len, .path_len = (uint32_t)v->path.len,
		.rule = NO_RULE, .type = (uint8_t)v->type, .pointer = v->is_pointer,
		.active = v->off + v->len > l->off && v->off < l->end,
	};
	buf_add_span(&d->paths, v->path);
	return (uint32_t)d->n_leaves++;
}

/* Does a string end as gdb ends one: "…", "…"..., 'c' <repeats 20 times>? One that never does
   took in what stands behind it, which is no value. */
static bool is_closed(struct span src)
{
	if (span_ends(src, SPAN_LIT("...")))
		src.len -= 3;
	return src.len && strchr("\"'>", src.p[src.len - 1]);
}

/* Does a token of an earlier run stand right before or behind a leaf? Its value may have had the
   quote that told what is a string and what is between two. */
static bool is_beside_token(struct span text, const struct bt_value *v)
{
	uint64_t end = v->off + v->len, near = v->off < VALUE_TOKEN_MAX ? v->off : VALUE_TOKEN_MAX;
	const char *open = memrchr(text.p + v->off - near, '[', near);
	enum kind kind;

	if (open && value_token_at(span_make(open, text.len - (size_t)(open - text.p)), &kind) ==
		    v->off - (uint64_t)(open - text.p))
		return true;
	return end < text.len && value_token_at(span_make(text.p + end, text.len - end), &kind) > 0;
}

static void walk_leaf(struct look *l, const struct bt_value *v)
{
	struct detector *d = l->d;
	uint32_t i = leaf_add(l, v);
	struct leaf *f = &d->leaves[i];

	if (!f->active)
		return;
	if (l->learn && v->type == BT_STRING && (!is_closed(v->src) || is_beside_token(l->text, v)))
		return;
	if (d->has_symbols)
		f->rule = symbol_find(d, v, l->learn != NULL);
	if (v->type == BT_STRING)
		view_add_string(d, i, v->decoded);
	else if (l->learn)
		return;		/* of the others a rule sees only a part, which is no value */
	else if (v->type == BT_ARRAY)
		view_add_array(d, i, v);
	else if (d->has_values)
		view_add_scalar(d, i, v->src);
}

/* A rule that names a struct names its members, but those that another rule names. */
static int walk_group(struct look *l, const struct bt_value *v)
{
	struct detector *d = l->d;
	uint32_t rule = d->has_symbols ? symbol_find(d, v, l->learn != NULL) : NO_RULE;
	const struct rule_info *info = rule == NO_RULE ? NULL : ruleset_rule(d->rs, rule);
	struct finding f;
	size_t i;

	if (!info || v->off + v->len <= l->off || v->off >= l->end)
		return RC_OK;
	if (info->decode != DECODE_ANY && info->decode != DECODE_BYTES) {
		for (i = d->n_leaves; i > 0 && d->leaves[i - 1].off >= v->off; i--)
			if (d->leaves[i - 1].rule == NO_RULE)
				d->leaves[i - 1].rule = rule;
		return RC_OK;
	}
	/* a struct as a whole is no value to learn */
	if (l->learn || v->len > UINT32_MAX)
		return RC_OK;
	f = (struct finding){
		.off = v->off, .len = (uint32_t)v->len, .rule = rule, .kind = (uint8_t)info->kind,
		.path = findings_path(l->ret, v->path),
	};
	return look_emit(l, &f);
}

/* How far apart two ranges are before it is quicker to seek than to walk on. */
#define WALK_ON KIB(8)

/* Records that touch one of the ranges, from their beginning to their end, in one walk. */
static int walk(struct look *l, const struct detect_range *ranges, size_t n)
{
	const struct bt_value *v;
	struct head_place head = { .close = 0 };
	uint64_t at = UINT64_MAX;
	bool inside = false;
	size_t i = 0;
	int rc = RC_OK;

	while (rc == RC_OK && i < n) {
		l->off = ranges[i].off;
		l->end = ranges[i].off + ranges[i].len;
		if (at == UINT64_MAX || (at < l->off && l->off - at > WALK_ON)) {
			bt_cursor_seek(l->reading->walk, l->off);
			inside = false;
		}
		v = bt_next(l->reading->walk);
		if (!v)
			break;
		at = v->off;
		/* a record that begins behind this range is the next one's, if it touches that */
		while (!inside && i < n && at >= ranges[i].off + ranges[i].len &&
		       (v->type == BT_FRAME || !v->is_arg))
			i++;
		if (i == n)
			break;
		l->off = ranges[i].off;
		l->end = ranges[i].off + ranges[i].len;
		inside = v->depth > 0;
		if (v->type != BT_GROUP)
			head_step(l, v, &head);
		if (v->type == BT_FRAME)
			guard_frame(l, v->frame);
		else if (v->type == BT_GROUP)
			rc = walk_group(l, v);
		else
			walk_leaf(l, v);
	}
	if (head.close && !l->learn)
		guard_between(l, head.at, head.close);
	return rc;
}

int gdb_detect(struct look *l, const struct detect_range *ranges, size_t n)
{
	struct detector *d = l->d;
	uint32_t i;
	int rc;

	d->n_leaves = 0;
	d->last_head = span_make(NULL, SIZE_MAX);
	buf_reset(&d->paths);
	view_reset(d);
	rc = walk(l, ranges, n);
	for (i = 0; rc == RC_OK && i < d->n_leaves; i++)
		if (d->leaves[i].active && d->leaves[i].rule != NO_RULE)
			rc = symbol_apply(l, i, d->leaves[i].rule);
	if (rc == RC_OK)
		rc = view_detect(l);
	return rc == RC_OK ? strings_resolve(l) : rc;
}
