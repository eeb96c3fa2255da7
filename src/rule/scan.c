/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

#include <stdlib.h>

/* A scan: libhs over the range once, PCRE2 where it found a candidate. */

#define HS_BLOCK_MAX ((size_t)1 << 30) /* hs_scan counts bytes in an unsigned int */

int rule_scanner_new(const struct ruleset *rs, struct rule_scanner **ret, struct err *err)
{
	AUTO(rule_scanner) s = xcalloc(1, sizeof(*s));
	uint32_t groups = 0;

	s->rs = (struct ruleset *)rs; /* lazily compiled parts are behind its lock */
	s->state = xcalloc(rs->n_units + 1, sizeof(*s->state));
	for (size_t i = 0; i < rs->n_units; i++) {
		uint32_t n = 0;

		pcre2_pattern_info(rs->units[i].regex.code, PCRE2_INFO_CAPTURECOUNT, &n);
		groups = n > groups ? n : groups;
	}
	s->match = pcre2_match_data_create(groups + 1, NULL);
	s->except_match = pcre2_match_data_create(1, NULL);
	s->plain = pcre2_match_context_create(NULL);
	s->stack = pcre2_jit_stack_create(KIB(32), MIB(1), NULL);
	if (!s->match || !s->except_match || !s->plain || !s->stack)
		return err_set(err, RC_NOMEM, "out of memory");
	pcre2_set_match_limit(s->plain, LIMIT_PCRE2_MATCH);
	pcre2_set_depth_limit(s->plain, LIMIT_PCRE2_DEPTH);
	pcre2_set_heap_limit(s->plain, LIMIT_PCRE2_HEAP_KIB);
	pcre2_jit_stack_assign(s->plain, NULL, s->stack);
	s->bounded = pcre2_match_context_copy(s->plain);
	if (!s->bounded)
		return err_set(err, RC_NOMEM, "out of memory");
	*ret = STEAL(s);
	return RC_OK;
}

void rule_scanner_free(struct rule_scanner *s)
{
	if (!s)
		return;
	hs_free_scratch(s->scratch);
	pcre2_match_data_free(s->match);
	pcre2_match_data_free(s->except_match);
	pcre2_match_context_free(s->plain);
	pcre2_match_context_free(s->bounded);
	pcre2_jit_stack_free(s->stack);
	free(s->state);
	free(s);
}

static int on_candidate(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
			void *ctx)
{
	struct rule_scanner *s = ctx;
	const struct scan_target *t = &s->set->targets[id];
	size_t end = s->base + (size_t)to;

	(void)from;
	(void)flags;
	if (t->n == 1 && end + t->after <= s->state[s->set->units[t->first]].done &&
	    id >= s->set->first_regex)
		return 0; /* the commonest case: within a match that is known */
	return rule_confirm(s, t, end) < 0;
}

static size_t line_start(struct span text, size_t at)
{
	const char *nl = memrchr(text.p, '\n', at);

	return nl ? (size_t)(nl + 1 - text.p) : 0;
}

static size_t line_end(struct span text, size_t at)
{
	const char *nl = memchr(text.p + at, '\n', text.len - at);

	return nl ? (size_t)(nl - text.p) : text.len;
}

static void scan_begin(struct rule_scanner *s, const struct scan_set *set, struct span text,
		       size_t from, size_t to, rule_hit_fn fn, void *ctx)
{
	s->set = set;
	s->text = text;
	s->from = from;
	s->to = to;
	s->base = line_start(text, from);
	s->lines_end = to > from && text.p[to - 1] == '\n' ? to - 1 : line_end(text, to);
	s->line = s->line_end = s->base;
	s->fn = fn;
	s->ctx = ctx;
	s->rc = RC_OK;
	for (size_t u = 0; u < s->rs->n_units; u++) {
		s->state[u].done = 0;
		if (set->multiline_width && set->member[u] && s->rs->units[u].multiline)
			s->state[u].done = rule_multiline_resume(s, (uint32_t)u);
	}
}

static void scan_alone(struct rule_scanner *s)
{
	for (size_t u = 0; u < s->rs->n_units && s->rc == RC_OK; u++)
		if (s->set->member[u])
			rule_confirm_all(s, (uint32_t)u);
}

static int get_scratch(struct rule_scanner *s, struct err *err)
{
	if (s->scratch_set == s->set)
		return RC_OK;
	if (hs_alloc_scratch(s->set->db, &s->scratch) != HS_SUCCESS)
		return err_set(err, RC_NOMEM, "no memory for libhs's scratch");
	s->scratch_set = s->set;
	return RC_OK;
}

static int scan_hs(struct rule_scanner *s, size_t end, struct err *err)
{
	hs_error_t error;
	int rc = get_scratch(s, err);

	if (rc < 0)
		return rc;
	error = hs_scan(s->set->db, s->text.p + s->base, (unsigned)(end - s->base), 0, s->scratch,
			on_candidate, s);
	if (error != HS_SUCCESS && error != HS_SCAN_TERMINATED)
		return err_set(err, RC_INTERNAL, "libhs gave up: error %d", error);
	return RC_OK;
}

static int scan_block(struct rule_scanner *s, struct err *err)
{
	size_t end = s->lines_end, wide = s->set->multiline_width;
	int rc;

	if (wide)
		end = s->text.len - end > wide ? end + wide + 1 : s->text.len;
	rc = s->set->db ? scan_hs(s, end, err) : RC_OK;
	if (rc < 0)
		return rc;
	rule_grams_scan(s, end);
	for (size_t i = 0; i < s->set->n_every && s->rc == RC_OK; i++)
		rule_confirm_all(s, s->set->every[i]);
	return RC_OK;
}

/* At most HS_BLOCK_MAX bytes, cut at line ends; a line longer than that goes through PCRE2 alone.
 */
static int scan_range(struct rule_scanner *s, struct scan_set *set, struct span text, size_t from,
		      size_t to, rule_hit_fn fn, void *ctx, struct err *err)
{
	bool ready = rule_set_ready(s->rs, set, to - from);
	int rc = RC_OK;

	scan_begin(s, set, text, from, to, fn, ctx);
	if (ready && s->lines_end - s->base < HS_BLOCK_MAX)
		rc = scan_block(s, err);
	else
		scan_alone(s);
	return rc < 0 ? rc : s->rc;
}

int rule_scan(struct rule_scanner *s, struct span text, size_t from, size_t to, unsigned where,
	      enum rule_share share, rule_hit_fn fn, void *ctx, struct err *err)
{
	struct scan_set *set = rule_set_get(s->rs, where, share);
	int rc = RC_OK;

	to = to < text.len ? to : text.len;
	while (from < to && rc == RC_OK) {
		size_t cut = to;

		if (to - from > HS_BLOCK_MAX / 2) {
			cut = line_end(text, from + HS_BLOCK_MAX / 2);
			cut = cut < to ? cut + 1 : to;
		}
		rc = scan_range(s, set, text, from, cut, fn, ctx, err);
		from = cut;
	}
	return rc;
}

int rule_scan_reference(struct rule_scanner *s, struct span text, size_t from, size_t to,
			unsigned where, enum rule_share share, rule_hit_fn fn, void *ctx,
			struct err *err)
{
	(void)err;
	to = to < text.len ? to : text.len;
	if (from >= to)
		return RC_OK;
	scan_begin(s, rule_set_get(s->rs, where, share), text, from, to, fn, ctx);
	scan_alone(s);
	return s->rc;
}

void rule_scan_one(struct rule_scanner *s, const struct rule *r, struct span text, rule_hit_fn fn,
		   void *ctx)
{
	static const struct scan_set none = { .multiline_width = 0 };

	scan_begin(s, &none, text, 0, text.len, fn, ctx);
	for (size_t u = r->first_unit; u < r->first_unit + r->n_units && s->rc == RC_OK; u++)
		rule_confirm_all(s, (uint32_t)u);
}

bool rule_value_stays(struct rule_scanner *s, uint32_t i, struct span value)
{
	return rule_capture_stays(s, &s->rs->rules[i], value);
}
