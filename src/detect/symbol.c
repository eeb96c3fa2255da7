/* SPDX-License-Identifier: Apache-2.0 */
#include "detect_internal.h"

/* Symbol rules: what function and variable say of a value, whatever it looks like. */

/* An integer below this is a flag, a count or an enum. */
#define INTEGER_MIN 10
/* Shorter rests of older values behind a string's NUL are left to the other rules. */
#define TAIL_MIN 4

static uint64_t mix(uint64_t h, struct span s)
{
	size_t i;

	h = (h ^ s.len) * 0x9e3779b97f4a7c15u;
	for (i = 0; i + 8 <= s.len; i += 8) {
		uint64_t w;

		memcpy(&w, s.p + i, 8);
		h = (h ^ w) * 0xd6e8feb86659fd93u;
		h ^= h >> 32;
	}
	for (; i < s.len; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

/* The struct a member stands in: its path up to the last '.'. */
static struct span path_parent(struct span path)
{
	const char *dot = path.len ? memrchr(path.p, '.', path.len) : NULL;

	return span_make(path.p, dot ? (size_t)(dot - path.p) : 0);
}

uint32_t symbol_find(struct detector *d, const struct bt_value *v, bool only_learn)
{
	struct rule_symbol sym = { .variable = v->path };
	struct symbol_slot *slot;
	uint64_t hash;
	uint32_t rule;

	if (v->frame) {
		sym.function = v->frame->function;
		sym.file = v->frame->file;
		sym.library = v->frame->library;
	}
	/* a frame has many values: what its head adds to the hash is kept */
	if (d->last_head.p != sym.function.p || d->last_head.len != sym.function.len) {
		d->last_head = sym.function;
		d->head_hash = mix(mix(mix(d->seed, sym.function), sym.file), sym.library);
	}
	hash = mix(d->head_hash, sym.variable) | 1;
	slot = &d->symbols[hash >> 40 & (SYMBOL_SLOTS - 1)];
	if (slot->hash != hash) {
		slot->hash = hash;
		slot->rule = rule_symbol_match(d->rs, &sym, &rule) ? rule : NO_RULE;
		/* of {s, len} the name stands in front: passwd.s */
		if (slot->rule == NO_RULE && v->slen >= 0) {
			sym.variable = path_parent(sym.variable);
			if (sym.variable.len && rule_symbol_match(d->rs, &sym, &rule))
				slot->rule = rule;
		}
	}
	if (slot->rule != NO_RULE && only_learn && !ruleset_rule(d->rs, slot->rule)->learn)
		return NO_RULE;
	return slot->rule;
}

static struct span leaf_path(const struct detector *d, const struct leaf *f)
{
	return span_make(d->paths.p + f->path, f->path_len);
}

static struct span leaf_bytes(const struct detector *d, const struct leaf *f)
{
	return span_make(d->view.p + f->view, f->view_len);
}

static int apply_whole(struct look *l, const struct leaf *leaf, struct finding *f)
{
	f->off = leaf->off;
	f->len = (uint32_t)leaf->len;
	f->path = look_path(l, leaf);
	return look_emit(l, f);
}

/* Is the member an address alone (in6_addr's forms), or a sockaddr's data with the port first? */
static bool path_is_address(struct span path)
{
	return span_find(path, SPAN_LIT("addr8"), 0) >= 0 ||
	       span_find(path, SPAN_LIT("addr16"), 0) >= 0 ||
	       span_find(path, SPAN_LIT("addr32"), 0) >= 0;
}

/* The address families, as Linux numbers them. */
enum { FAMILY_UNKNOWN = -1, FAMILY_INET = 2, FAMILY_INET6 = 10 };

/* The one that a member beside the leaf tells. */
static int64_t family_of(const struct detector *d, uint32_t i)
{
	struct span parent = path_parent(leaf_path(d, &d->leaves[i]));
	unsigned n;

	for (n = 0; n < 4 && i > 0; n++) {
		const struct leaf *f = &d->leaves[--i];

		if (f->type == BT_INTEGER && span_eq(path_parent(leaf_path(d, f)), parent) &&
		    span_ends(leaf_path(d, f), SPAN_LIT("family")))
			return (int64_t)(f->integer & 0xffff);
	}
	return FAMILY_UNKNOWN;
}

/* Older glibc has __ss_align in front: it holds an IPv6 address's first half, the padding begins
   with the second. */
static bool is_second_half(const struct detector *d, uint32_t i)
{
	return i > 0 && span_ends(leaf_path(d, &d->leaves[i - 1]), SPAN_LIT("__ss_align")) &&
	       span_eq(path_parent(leaf_path(d, &d->leaves[i - 1])),
		       path_parent(leaf_path(d, &d->leaves[i])));
}

/* An IPv6 address that can be routed or is a network's own (RFC 4291, 2.4), and no pointer that the
   stack held there: 0x7f…, 0x55… or 0x56…, little-endian. */
static bool is_likely_ip6(struct span bytes)
{
	const uint8_t *p = (const uint8_t *)bytes.p;

	if (bytes.len < 16 || !((p[0] & 0xe0) == 0x20 || (p[0] & 0xfe) == 0xfc || p[0] == 0xfe))
		return false;
	return !p[4] || p[6] || p[7] || (p[5] != 0x7f && p[5] != 0x55 && p[5] != 0x56);
}

/* An address of the other family that was there before: behind an IPv4 one, in an IPv6 one's
   flow. */
static void apply_stale_address(struct look *l, uint32_t i, struct span bytes, bool ip6,
				struct finding f)
{
	static const char none[4];
	uint32_t from, to;

	if (!packed_sockaddr(bytes, !ip6, &from, &to))
		return;
	if (ip6 ? to - from < 4 || memcmp(bytes.p + from, none, 4) == 0
		: !is_likely_ip6(span_sub(bytes, from, to)))
		return;
	f.form = FORM_BYTES;
	f.kind = ip6 ? KIND_IP4 : KIND_IP6;
	string_hit_add(l->d, i, from, to, &f);
}

static bool is_zero(struct span bytes)
{
	size_t i;

	for (i = 0; i < bytes.len; i++)
		if (bytes.p[i])
			return false;
	return true;
}

/* Packed addresses in a string's bytes. */
static int apply_packed_string(struct look *l, uint32_t i, enum rule_decode decode,
			       struct finding *f)
{
	const struct leaf *leaf = &l->d->leaves[i];
	struct span bytes = leaf_bytes(l->d, leaf);
	uint32_t from = 0, to = (uint32_t)bytes.len;
	bool ip6 = decode == DECODE_IN6_ADDR || (decode != DECODE_IN_ADDR && bytes.len == 16 &&
						 path_is_address(leaf_path(l->d, leaf)));
	uint8_t a[16];

	if (value_ip4_parse(bytes, a) || value_ip6_parse(bytes, a)) {
		f->form = FORM_GDB_STRING;	/* in words */
		f->kind = value_ip4_parse(bytes, a) ? KIND_IP4 : KIND_IP6;
		string_hit_add(l->d, i, 0, to, f);
		return RC_OK;
	}
	if (decode == DECODE_SOCKADDR && !path_is_address(leaf_path(l->d, leaf))) {
		int64_t family = family_of(l->d, i);

		/* of another family, or never filled in */
		if (family != FAMILY_UNKNOWN && family != FAMILY_INET && family != FAMILY_INET6)
			return RC_OK;
		ip6 = family == FAMILY_INET6;
		if (!packed_sockaddr(bytes, ip6, &from, &to))
			return RC_OK;
		if (ip6 && is_second_half(l->d, i)) {
			ip6 = memcmp(bytes.p, "\0\0\xff\xff", 4) != 0;
			from = ip6 ? 0 : 4;
			to = bytes.len < 8 ? (uint32_t)bytes.len : 8;
		} else {
			apply_stale_address(l, i, bytes, ip6, *f);
		}
	} else {
		/* room for either: behind an IPv4 address all is zero */
		ip6 |= to == 16 && !is_zero(span_sub(bytes, 4, 16));
		to = to > (ip6 ? 16u : 4u) ? (ip6 ? 16 : 4) : to;
	}
	for (; from < to && bytes.p[to - 1] == '\0' && to - from > (ip6 ? 16u : 4u); to--)
		;
	if (from >= to || (!ip6 && to - from < 2))
		return RC_OK;
	f->form = FORM_BYTES;
	f->kind = ip6 ? KIND_IP6 : KIND_IP4;
	string_hit_add(l->d, i, from, to, f);
	return RC_OK;
}

/* What is left of older values behind the NUL that ends a credential. */
static void apply_tails(struct look *l, uint32_t i, size_t at, struct finding f)
{
	struct span bytes = leaf_bytes(l->d, &l->d->leaves[i]);

	f.flags |= FINDING_PARTIAL;
	while (at < bytes.len) {
		const char *nul;
		size_t end;

		if (bytes.p[at] == '\0') {
			at++;
			continue;
		}
		nul = memchr(bytes.p + at, '\0', bytes.len - at);
		end = nul ? (size_t)(nul - bytes.p) : bytes.len;
		if (end - at >= TAIL_MIN)
			string_hit_add(l->d, i, (uint32_t)at, (uint32_t)end, &f);
		at = end;
	}
}

static int apply_string(struct look *l, uint32_t i, uint32_t rule, struct finding *f)
{
	const struct leaf *leaf = &l->d->leaves[i];
	struct span bytes = leaf_bytes(l->d, leaf), head = bytes;
	const char *nul = bytes.len ? memchr(bytes.p, '\0', bytes.len) : NULL;

	f->form = FORM_GDB_STRING;
	f->flags |= FINDING_IN_STRING;
	if (ruleset_rule(l->d->rs, rule)->decode == DECODE_BYTES) {
		if (bytes.len && !(nul == bytes.p && span_trim(bytes).len == 0))
			string_hit_add(l->d, i, 0, (uint32_t)bytes.len, f);
		return RC_OK;
	}
	if (leaf->slen >= 0 && (size_t)leaf->slen < head.len)
		head.len = (size_t)leaf->slen;
	else if (nul)
		head.len = (size_t)(nul - bytes.p);
	if (head.len && !rule_value_stays(l->d->scanner, rule, head))
		string_hit_add(l->d, i, 0, (uint32_t)head.len, f);
	if (leaf->slen < 0 && nul && value_kind_is_credential(f->kind) && !l->learn)
		apply_tails(l, i, head.len, *f);
	return RC_OK;
}

static int apply_integer(struct look *l, const struct leaf *leaf, enum rule_decode decode,
			 struct finding *f)
{
	switch (decode) {
	case DECODE_SOCKADDR:
		/* of a sockaddr's integers (family, port, scope) only this one is an address */
		if (!span_ends(leaf_path(l->d, leaf), SPAN_LIT("s_addr")))
			return RC_OK;
		/* fall through */
	case DECODE_IN_ADDR:
		if (leaf->pointer && leaf->integer > UINT32_MAX)
			return RC_OK;
		f->form = FORM_IN_ADDR;
		f->kind = KIND_IP4;
		return apply_whole(l, leaf, f);
	case DECODE_ANY:
		/* `password = 0x…` is where it stands, not what it is */
		if (leaf->pointer || leaf->integer < INTEGER_MIN || (int64_t)leaf->integer < 0 ||
		    rule_value_stays(l->d->scanner, f->rule,
				     span_make(l->text.p + leaf->off, leaf->len)))
			return RC_OK;
		return apply_whole(l, leaf, f);
	default:
		return RC_OK;
	}
}

static int apply_array(struct look *l, uint32_t i, enum rule_decode decode, struct finding *f)
{
	const struct leaf *leaf = &l->d->leaves[i];
	struct span src = span_make(l->text.p + leaf->off, leaf->len), path = leaf_path(l->d, leaf);
	bool ip6 = decode == DECODE_IN6_ADDR ||
		   (decode == DECODE_SOCKADDR && path_is_address(path));
	AUTO_BUF bytes = BUF_INIT;

	packed_array(src, ip6, &bytes);
	if (is_zero(buf_span(&bytes)) || decode == DECODE_STRING)
		return RC_OK;
	if (decode == DECODE_SOCKADDR && !ip6 &&
	    (bytes.len < 6 || span_ends(path, SPAN_LIT("sin_zero"))))
		return RC_OK;
	f->form = FORM_BYTES;
	if (decode == DECODE_IN_ADDR || decode == DECODE_IN6_ADDR || decode == DECODE_SOCKADDR)
		f->kind = ip6 ? KIND_IP6 : KIND_IP4;
	return apply_whole(l, leaf, f);
}

int symbol_apply(struct look *l, uint32_t i, uint32_t rule)
{
	const struct leaf *leaf = &l->d->leaves[i];
	const struct rule_info *info = ruleset_rule(l->d->rs, rule);
	bool packed = info->decode == DECODE_IN_ADDR || info->decode == DECODE_IN6_ADDR ||
		info->decode == DECODE_SOCKADDR;
	struct finding f = { .rule = rule, .kind = (uint8_t)info->kind };

	switch (leaf->type) {
	case BT_STRING:
		return packed ? apply_packed_string(l, i, info->decode, &f) :
			apply_string(l, i, rule, &f);
	case BT_INTEGER:
		return apply_integer(l, leaf, info->decode, &f);
	case BT_ARRAY:
		return apply_array(l, i, info->decode, &f);
	default:
		return RC_OK;
	}
}
