/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_internal.h"

#include <corescrub/elfcore_parts.h>
#include <stdio.h>
#include <stdlib.h>

/* Symbol rules on typed memory: what symbol.c does for what gdb printed. */

#define INTEGER_MIN 10	    /* below it stand flags, counts, enums */
#define TAIL_MIN    4	    /* shorter rests behind a string's NUL say nothing */
#define BYTES_MAX   KIB(64) /* of one leaf that are looked at */

struct typed {
	struct detector *d;
	const struct elfcore *core;
	const struct elfcore_variable *v;
	struct findings *ret;
	struct learned *learn;
	struct detect_addresses *known;
	struct err *err;
	struct finding f; /* rule, kind, path */
	bool learns;	  /* the rule's values are learned */
};

static bool find_rule(const struct detector *d, const struct elfcore_variable *v, uint32_t *ret)
{
	struct rule_symbol sym = {
		.function = span_str(v->function ? v->function : ""),
		.variable = span_str(v->path),
		.file = span_str(v->file ? v->file : ""),
		.library = span_str(v->library ? v->library : ""),
	};

	return d->has_symbols && rule_symbol_match(d->rs, &sym, ret);
}

static bool is_string(enum elfcore_shape shape)
{
	return shape == ELFCORE_CHARS || shape == ELFCORE_STRING || shape == ELFCORE_COUNTED;
}

/* "name" of "list.first.name[2]". */
static struct span last_name(const char *path)
{
	const char *dot = strrchr(path, '.'), *name = dot ? dot + 1 : path;

	return span_make(name, strcspn(name, "["));
}

bool detect_variable_wanted(const struct detector *d, const struct elfcore_variable *v)
{
	uint32_t rule;

	if (v->shape == ELFCORE_OTHER)
		return false;
	return find_rule(d, v, &rule) ||
	       (is_string(v->shape) && rule_symbol_may_match(d->rs, last_name(v->path)));
}

static int learn(struct typed *t, struct span value)
{
	if (!t->learn || !t->learns || value.len > LIMIT_LEARN_VALUE)
		return RC_OK;
	return learned_add(t->learn, t->f.kind, value, LEARN_MATERIAL, t->err);
}

/* The bytes [from, from + len) of the leaf as a finding, as far as its segment has them. */
static void emit(struct typed *t, uint64_t from, uint64_t len, enum finding_form form,
		 unsigned flags)
{
	struct finding f = t->f;
	uint64_t off, here;

	if (len == 0 || !elfcore_offset(t->core, t->v->addr + from, &off, &here))
		return;
	f.off = off;
	f.len = (uint32_t)(len < here ? len : here);
	f.form = (uint8_t)form;
	f.flags = (uint16_t)flags;
	findings_add(t->ret, &f);
}

/* What is left of older values behind the NUL that ends a credential. */
static void emit_tails(struct typed *t, struct span bytes, size_t at)
{
	while (at < bytes.len) {
		size_t end = at;

		while (end < bytes.len && (unsigned char)bytes.p[end] >= 0x20 &&
		       (unsigned char)bytes.p[end] < 0x7f)
			end++;
		if (end - at >= TAIL_MIN)
			emit(t, at, end - at, FORM_PLAIN, FINDING_PARTIAL);
		at = end + 1;
	}
}

static int take_string(struct typed *t, struct span bytes)
{
	const char *nul = bytes.len ? memchr(bytes.p, '\0', bytes.len) : NULL;
	struct span head = span_sub(bytes, 0, nul ? (size_t)(nul - bytes.p) : bytes.len);
	int rc = RC_OK;

	if (head.len && !rule_value_stays(t->d->scanner, t->f.rule, head)) {
		emit(t, 0, head.len, FORM_PLAIN, 0);
		rc = learn(t, head);
	}
	if (nul && t->v->shape == ELFCORE_CHARS && value_kind_is_credential(t->f.kind))
		emit_tails(t, bytes, head.len);
	return rc;
}

/* A string whose name a text rule may know: it sees what gdb would print, name = "value". */
struct named {
	struct typed *t;
	size_t from, end; /* of the value in the line */
};

static int on_named(void *ctx, const struct rule_hit *hit)
{
	struct named *n = ctx;
	struct typed *t = n->t;
	size_t from = hit->off < n->from ? n->from : hit->off;
	size_t end = hit->off + hit->len > n->end ? n->end : hit->off + hit->len;
	struct span value;

	if (from >= end || hit->limit)
		return RC_OK;
	t->f.rule = hit->rule;
	t->f.kind = (uint8_t)ruleset_rule(t->d->rs, hit->rule)->kind;
	t->learns = ruleset_rule(t->d->rs, hit->rule)->learn;
	value = span_make(t->d->value.p + from, end - from);
	emit(t, from - n->from, end - from, FORM_PLAIN, 0);
	return learn(t, value);
}

#define NAMED_MAX KIB(4)

static int take_named(struct typed *t, struct span bytes)
{
	const char *nul = bytes.len ? memchr(bytes.p, '\0', bytes.len) : NULL;
	struct span name = last_name(t->v->path);
	struct buf *line = &t->d->value;
	struct named n = { .t = t };

	bytes.len = nul ? (size_t)(nul - bytes.p) : bytes.len;
	if (bytes.len == 0 || bytes.len > NAMED_MAX)
		return RC_OK;
	buf_reset(line);
	buf_add_span(line, name);
	buf_add_str(line, " = \"");
	n.from = line->len;
	buf_add_span(line, bytes);
	n.end = line->len;
	buf_add_char(line, '"');
	return rule_scan(t->d->scanner, buf_span(line), 0, line->len, WHERE_TEXT, RULE_ALL, on_named,
			 &n, t->err);
}

static int take_bytes(struct typed *t, struct span bytes)
{
	if (memory_is_zero(bytes.p, bytes.len))
		return RC_OK;
	emit(t, 0, bytes.len, FORM_PLAIN, 0);
	return bytes.len >= 8 ? learn(t, bytes) : RC_OK;
}

/* `len` bytes at `from` are an address of a host. */
static int take_address(struct typed *t, struct span bytes, size_t from, size_t len)
{
	const uint8_t *p = (const uint8_t *)bytes.p + from;
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	AUTO_BUF text = BUF_INIT;
	enum kind kind;

	if (from + len > bytes.len || memory_is_zero(bytes.p + from, len))
		return RC_OK;
	/* an IPv4 address in IPv6's clothes */
	if (len == 16 && memcmp(p, mapped, sizeof(mapped)) == 0)
		return take_address(t, bytes, from + 12, 4);
	if (len == 4 ? value_ip4_stays(p) : value_ip6_stays(p))
		return RC_OK;
	t->f.kind = len == 4 ? KIND_IP4 : KIND_IP6;
	emit(t, from, len, FORM_BYTES, 0);
	if (t->known)
		memory_addresses_add(t->known, p, len);
	packed_address(span_make(bytes.p + from, len), t->f.kind, &text, &kind);
	return learn(t, buf_span(&text));
}

static int take_sockaddr(struct typed *t, struct span bytes)
{
	unsigned family =
		bytes.len >= 2 ? (unsigned char)bytes.p[0] | (unsigned char)bytes.p[1] << 8 : 0;

	if (family == 2) /* AF_INET: family, port, address */
		return take_address(t, bytes, 4, 4);
	if (family == 10) /* AF_INET6: family, port, flow, address */
		return take_address(t, bytes, 8, 16);
	return RC_OK;
}

static int take_integer(struct typed *t, struct span bytes, enum rule_decode decode)
{
	uint64_t value = 0;
	char digits[24];
	int n;

	if (bytes.len == 4 && (decode == DECODE_IN_ADDR || decode == DECODE_SOCKADDR))
		return take_address(t, bytes, 0, 4);
	if (decode != DECODE_ANY || bytes.len > 8)
		return RC_OK;
	memcpy(&value, bytes.p, bytes.len); /* little-endian, as the core */
	n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	if (value < INTEGER_MIN || value >> (bytes.len * 8 - 1) ||
	    elfcore_is_mapped(t->core, value) ||
	    rule_value_stays(t->d->scanner, t->f.rule, span_make(digits, (size_t)n)))
		return RC_OK;
	emit(t, 0, bytes.len, FORM_ASCII_INT, 0);
	return learn(t, span_make(digits, (size_t)n));
}

/* An object of no known type: 8 bytes that point somewhere are a pointer, and what is there a
   string. */
static int take_untyped(struct typed *t, struct span bytes, enum rule_decode decode)
{
	struct elfcore_variable target = *t->v;
	AUTO_FREE char *text = NULL;
	uint64_t pointer;
	size_t got;
	int rc;

	if (bytes.len != 8)
		return decode == DECODE_STRING ? take_string(t, bytes) : take_bytes(t, bytes);
	memcpy(&pointer, bytes.p, 8);
	if (!elfcore_is_mapped(t->core, pointer))
		return decode == DECODE_STRING ? take_string(t, bytes)
					       : take_integer(t, bytes, decode);
	if (decode != DECODE_STRING && decode != DECODE_ANY)
		return RC_OK;
	text = xmalloc(BYTES_MAX);
	got = elfcore_read(t->core, pointer, text, BYTES_MAX);
	target.addr = pointer;
	target.shape = ELFCORE_STRING;
	t->v = &target;
	rc = memchr(text, 0, got) ? take_string(t, span_make(text, got)) : RC_OK;
	secret_wipe(text, got);
	return rc;
}

static int take(struct typed *t, struct span bytes, enum rule_decode decode)
{
	bool packed = decode == DECODE_IN_ADDR || decode == DECODE_IN6_ADDR;

	switch (t->v->shape) {
	case ELFCORE_IN_ADDR:
		return take_address(t, bytes, 0, 4);
	case ELFCORE_IN6_ADDR:
		return take_address(t, bytes, 0, 16);
	case ELFCORE_SOCKADDR:
		return take_sockaddr(t, bytes);
	case ELFCORE_INTEGER:
		return take_integer(t, bytes, decode);
	case ELFCORE_BYTES:
		if (packed && (bytes.len == 4 || bytes.len == 16))
			return take_address(t, bytes, 0, bytes.len);
		return packed || decode == DECODE_SOCKADDR ? RC_OK : take_untyped(t, bytes, decode);
	case ELFCORE_CHARS:
	case ELFCORE_STRING:
	case ELFCORE_COUNTED:
		if (packed && (bytes.len == 4 || bytes.len == 16))
			return take_address(t, bytes, 0, bytes.len);
		if (decode == DECODE_SOCKADDR)
			return take_sockaddr(t, bytes);
		return decode == DECODE_BYTES ? take_bytes(t, bytes) : take_string(t, bytes);
	case ELFCORE_OTHER:
		break;
	}
	return RC_OK;
}

static bool is_address(enum elfcore_shape shape)
{
	return shape == ELFCORE_IN_ADDR || shape == ELFCORE_IN6_ADDR || shape == ELFCORE_SOCKADDR;
}

int detect_variable(struct detector *d, const struct elfcore *core,
		    const struct elfcore_variable *v, struct findings *ret, struct learned *learned,
		    struct detect_addresses *known, struct err *err)
{
	struct typed t = { .d = d,
			   .core = core,
			   .v = v,
			   .ret = ret,
			   .learn = learned,
			   .known = known,
			   .err = err };
	size_t size = v->size < BYTES_MAX ? v->size : BYTES_MAX, got;
	enum rule_decode decode = DECODE_ANY;
	AUTO_FREE char *bytes = NULL;
	bool named = false;
	int rc = RC_OK;

	if (find_rule(d, v, &t.f.rule)) {
		const struct rule_info *info = ruleset_rule(d->rs, t.f.rule);

		t.f.kind = (uint8_t)info->kind;
		t.learns = info->learn;
		decode = info->decode;
	} else if (is_address(v->shape)) {
		t.f.rule = (uint32_t)(d->n_pack + KIND_IP4);
	} else if (is_string(v->shape)) {
		named = true;
	} else {
		return RC_OK;
	}
	bytes = xmalloc(size);
	got = elfcore_read(core, v->addr, bytes, size);
	if (got)
		rc = named ? take_named(&t, span_make(bytes, got))
			   : take(&t, span_make(bytes, got), decode);
	secret_wipe(bytes, got);
	return rc;
}
