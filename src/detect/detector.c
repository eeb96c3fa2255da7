/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "memory_internal.h"

/* One pass one's call: what a range of an artifact may hold at once. */
#define LEARN_RANGE MIB(1)
#define RANGE_MAX MIB(1024)

/* Of the matches that span lines, keys are the longest that a token elsewhere in them could make
   new. */
#define MULTILINE_MARGIN KIB(4)

static const char *const learned_ids[KIND_COUNT] = {
	[KIND_PHONE] = "learned.phone", [KIND_IP4] = "learned.ip4",
	[KIND_IP4_LAN] = "learned.ip4-lan", [KIND_IP6] = "learned.ip6",
	[KIND_IP6_LAN] = "learned.ip6-lan", [KIND_MAC] = "learned.mac",
	[KIND_EMAIL] = "learned.email", [KIND_SECRET] = "learned.secret",
	[KIND_TOKEN] = "learned.token", [KIND_KEY] = "learned.key",
	[KIND_HASH] = "learned.hash", [KIND_USER] = "learned.user",
	[KIND_NAME] = "learned.name", [KIND_HOST] = "learned.host",
	[KIND_PATH] = "learned.path", [KIND_CARD] = "learned.card",
	[KIND_DTMF] = "learned.dtmf", [KIND_ACCOUNT] = "learned.account",
};

/* The ruleset's table for the output half, and pseudo-rules for learned values and what the
   reader itself finds. */
static void detector_make_rules(struct detector *d)
{
	size_t i;

	d->n_pack = ruleset_count(d->rs);
	d->n_rules = d->n_pack + KIND_COUNT + 1;
	d->rules = xcalloc(d->n_rules, sizeof(*d->rules));
	d->address_rule = NO_RULE;
	for (i = 0; i < d->n_pack; i++) {
		const struct rule_info *r = ruleset_rule(d->rs, i);

		d->rules[i] = (struct finding_rule){
			.id = r->id, .summary = r->summary, .kind = r->kind,
			.severity = r->severity,
			.action = r->action, .keep_last = r->keep_last, .replace = r->replace,
		};
		if (r->active && r->kind == KIND_IP4 && d->address_rule == NO_RULE)
			d->address_rule = (uint32_t)i;
		d->has_symbols |= r->active && r->is_symbol;
		d->has_values |= r->active && !r->is_symbol && (r->where & WHERE_VALUE);
		if (r->active && r->multiline)
			d->margin = MULTILINE_MARGIN;
	}
	for (i = 0; i < KIND_COUNT; i++)
		d->rules[d->n_pack + i] = (struct finding_rule){
			.id = learned_ids[i], .summary = "value learned elsewhere",
			.kind = (enum kind)i, .action = ACTION_TOKEN,
			.severity = value_kind_is_credential((enum kind)i) ? SEVERITY_CRITICAL :
				SEVERITY_MEDIUM,
		};
	d->rules[d->n_rules - 1] = (struct finding_rule){
		.id = "string.residue", .summary = "digits behind a counted string's end",
		.kind = KIND_PHONE, .action = ACTION_TOKEN, .severity = SEVERITY_MEDIUM,
	};
}

int detector_new(const struct ruleset *rs, const struct learned *learned, struct detector **ret,
		 struct err *err)
{
	AUTO(detector) d = xcalloc(1, sizeof(*d));
	int rc;

	d->rs = rs;
	d->learned = learned;
	digest_random(&d->seed, sizeof(d->seed));
	detector_make_rules(d);
	d->symbols = xcalloc(SYMBOL_SLOTS, sizeof(*d->symbols));
	rc = rule_scanner_new(rs, &d->scanner, err);
	if (rc == RC_OK && learned)
		rc = learned_scanner_new(learned, &d->learned_scanner, err);
	if (rc < 0)
		return rc;
	*ret = STEAL(d);
	return RC_OK;
}

static void reading_drop(struct reading *r)
{
	bt_cursor_free(r->walk);
	bt_cursor_free(r->again);
	bt_free(r->bt);
	*r = (struct reading){ .bt = NULL };
}

void detector_free(struct detector *d)
{
	if (!d)
		return;
	reading_drop(&d->kept);
	reading_drop(&d->passing);
	rule_scanner_free(d->scanner);
	learned_scanner_free(d->learned_scanner);
	free(d->rules);
	free(d->symbols);
	free(d->guards);
	free(d->leaves);
	free(d->parts);
	free(d->scalar_at);
	free(d->hits);
	buf_done(&d->paths);
	buf_done(&d->view);
	buf_done(&d->scalars);
	buf_done(&d->value);
	layer_done(&d->layer);
	dump_done(&d->dump);
	memory_runs_free(d->runs);
	free(d);
}

const struct finding_rule *detector_rules(const struct detector *d, size_t *ret_n)
{
	*ret_n = d->n_rules;
	return d->rules;
}

const struct detect_guard *detect_guards(const struct detector *d, size_t *ret_n)
{
	*ret_n = d->n_guards;
	return d->guards;
}

uint64_t detect_margin(const struct detector *d)
{
	return d->margin;
}

/* Reads a's text if it is gdb's. What is passing is read anew each time: its place may be
   another's. */
static int detector_read(struct detector *d, const struct artifact *a, const struct reading **ret,
			 struct err *err)
{
	struct reading *r = a->serial ? &d->kept : &d->passing;
	int rc = RC_OK;

	*ret = r;
	if (a->serial && d->serial == a->serial)
		return RC_OK;
	reading_drop(r);
	if (a->serial)
		d->serial = 0;
	if (a->kind == ARTIFACT_GDB || bt_probe(a->text))
		rc = bt_parse(a->text, &r->bt, err);
	if (rc < 0)
		return rc;
	if (r->bt) {
		r->walk = bt_cursor_new(r->bt);
		r->again = bt_cursor_new(r->bt);
	}
	if (a->serial)
		d->serial = a->serial;
	return RC_OK;
}

bool detect_is_gdb(const struct detector *d, const struct artifact *a)
{
	return a->serial && a->serial == d->serial ? d->kept.bt != NULL : a->kind == ARTIFACT_GDB;
}

/* Does a frame's head begin at p, a line's start? */
static bool is_head(struct span text, const char *p)
{
	return text.p + text.len - p > 4 && p[0] == '#' && p[1] >= '0' && p[1] <= '9' &&
	       bt_is_frame(text, (uint64_t)(p - text.p));
}

/* The last line start in (from, to] where a frame's head is, or 0. */
static uint64_t last_head(struct span text, uint64_t from, uint64_t to)
{
	const char *low = text.p + from, *p = text.p + to;

	while (p > low && (p = memrchr(low, '\n', (size_t)(p - low)))) {
		if (is_head(text, p + 1))
			return (uint64_t)(p + 1 - text.p);
	}
	return 0;
}

/* The first line start at or behind `from` where a frame's head is, or `to`. What only seems to be
   one may stand in a string whose escapes a shell expanded: its frame goes on behind it. */
static uint64_t next_head(struct span text, uint64_t from, uint64_t to)
{
	const char *high = text.p + to, *p = text.p + from;

	while (p < high && !is_head(text, p)) {
		p = memchr(p, '\n', (size_t)(high - p));
		p = p ? p + 1 : high;
	}
	return (uint64_t)(p - text.p);
}

void detect_context(const struct detector *d, const struct artifact *a, uint64_t from, uint64_t to,
		    uint64_t *off, uint64_t *len)
{
	uint64_t end = *off + *len, start = *off;

	if (detect_is_gdb(d, a)) {
		start = span_line_start(a->text, start);
		start = start > from ? last_head(a->text, from, start) : from;
		end = next_head(a->text, span_line_end(a->text, end), to);
	} else {
		start = span_line_start(a->text, start < d->margin ? 0 : start - d->margin);
		end = span_line_end(a->text, end + d->margin);
	}
	*off = start < from ? from : start;
	*len = (end > to ? to : end) - *off;
}

/* Where no record goes on: gdb's text without a frame in sight, or one frame that is very large. */
static uint64_t cut_between_records(struct bt_cursor *walk, struct span text, uint64_t from,
				    uint64_t target)
{
	uint64_t end = span_line_end(text, target), last = target;
	const struct bt_value *v;
	bool inside = false;

	bt_cursor_seek(walk, target);
	for (v = bt_next(walk); v; v = bt_next(walk)) {
		if (!inside && v->off >= target) {
			uint64_t at = span_line_start(text, v->off);

			if (at > end && last <= end)
				return end;
			if (at > from && at >= last)
				return at;
		}
		inside = v->depth > 0;
		if (v->off + v->len > last)
			last = v->off + v->len;
	}
	return span_line_end(text, last);
}

/* How far back from a range's wanted end a frame is looked for. */
#define CUT_BACK KIB(256)

/* In gdb's text a range ends before a frame's head, so that each frame is whole in one. */
static uint64_t cut_gdb(struct bt_cursor *walk, struct span text, uint64_t from, uint64_t target)
{
	uint64_t low = target - from > CUT_BACK ? target - CUT_BACK : from;
	uint64_t at = last_head(text, low, target);

	return at ? at : cut_between_records(walk, text, from, target);
}

uint64_t detect_cut(struct detector *d, const struct artifact *a, uint64_t from, uint64_t want)
{
	struct err err = ERR_INIT;
	uint64_t target = from + want;
	const struct reading *r;

	if (target >= a->text.len || detector_read(d, a, &r, &err) < 0)
		return a->text.len;
	return r->bt ? cut_gdb(r->walk, a->text, from, target) : span_line_end(a->text, target);
}

static int look_ranges(struct look *l, const struct detect_range *ranges, size_t n)
{
	struct detector *d = l->d;
	size_t i;
	int rc = detector_read(d, l->a, &l->reading, l->err);

	d->n_guards = 0;
	/* findings, and places in the view, have 32 bits: only one record or line makes a range
	   this long */
	for (i = 0; i < n; i++)
		if (ranges[i].len >= RANGE_MAX)
			return err_set(l->err, RC_TOOBIG,
				       "a line or record is too long at offset %llu",
				       (unsigned long long)ranges[i].off);
	if (rc == RC_OK && l->reading->bt)
		rc = gdb_detect(l, ranges, n);
	for (i = 0; rc == RC_OK && i < n; i++) {
		l->off = ranges[i].off;
		l->end = ranges[i].off + ranges[i].len;
		rc = text_detect(l, l->reading->bt != NULL);
	}
	if (!l->a->serial)
		reading_drop(&d->passing);
	return rc;
}

int detect_ranges(struct detector *d, const struct artifact *a, const struct detect_range *ranges,
		  size_t n, struct findings *ret, struct err *err)
{
	struct look l = { .d = d, .a = a, .text = a->text, .ret = ret, .err = err };

	return look_ranges(&l, ranges, n);
}

int detect_text(struct detector *d, const struct artifact *a, uint64_t from, uint64_t to,
		struct findings *ret, struct err *err)
{
	struct detect_range range = { .off = from, .len = to - from };

	return detect_ranges(d, a, &range, 1, ret, err);
}

int detect_learn(struct detector *d, const struct artifact *a, enum learn_origin origin,
		 bool secrets_alone, struct learned *learned, struct err *err)
{
	struct look l = {
		.d = d, .a = a, .text = a->text, .learn = learned, .origin = origin,
		.raw_share = secrets_alone ? RULE_TEACHING_SECRETS : RULE_TEACHING, .err = err,
	};
	uint64_t from = 0;

	while (from < a->text.len) {
		uint64_t to = detect_cut(d, a, from, LEARN_RANGE);
		struct detect_range range = { .off = from, .len = to - from };
		int rc = look_ranges(&l, &range, 1);

		if (rc < 0)
			return rc;
		from = to;
	}
	return RC_OK;
}
