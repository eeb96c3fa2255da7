/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/rule/rule_internal.h"

#include <stdlib.h>

/*
 * A pack of any bytes is loaded or refused with a place. One that loads finds the same in its own
 * text by libhs as by PCRE2 alone; only where an engine limit struck may the two differ.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RULES_MAX 8 /* compiling more for each input would be all that is done */

struct sum {
	size_t hits, limits;
	uint64_t mixed;
};

static int add_hit(void *ctx, const struct rule_hit *hit)
{
	struct sum *s = ctx;

	s->limits += hit->limit;
	s->hits++;
	s->mixed += (hit->off * 31 + hit->len + 1) * 2654435761u * (hit->rule + 1);
	return RC_OK;
}

static void scan_both(struct ruleset *rs, struct span text)
{
	struct err err = ERR_INIT;
	AUTO(rule_scanner) s = NULL;
	struct sum fast = { 0 }, slow = { 0 };

	if (rule_scanner_new(rs, &s, &err) < 0)
		abort();
	rule_set_ready(rs, rule_set_get(rs, WHERE_TEXT, false), MIB(1));
	if (rule_scan(s, text, 0, text.len, WHERE_TEXT, false, add_hit, &fast, &err) < 0 ||
	    rule_scan_reference(s, text, 0, text.len, WHERE_TEXT, false, add_hit, &slow, &err) < 0)
		abort();
	if (!fast.limits && !slow.limits && (fast.hits != slow.hits || fast.mixed != slow.mixed))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };
	struct rule_symbol sym = { SPAN_LIT("main"), SPAN_LIT("cfg.users[3].password"),
				   SPAN_LIT("a.c"), SPAN_LIT("") };
	struct err err = ERR_INIT;
	AUTO(ruleset) rs = rule_ruleset_new();
	uint32_t rule;

	rs->policy = POLICY_PUBLIC;
	if (size > KIB(16) || rule_text_load(rs, text, "fuzz", &err) < 0) {
		if (size <= KIB(16) && err.code == RC_SYNTAX && (!err.line || !err.col))
			abort();
		return 0;
	}
	rule_symbols_index(rs);
	rule_symbol_match(rs, &sym, &rule);
	if (rs->n_rules <= RULES_MAX)
		scan_both(rs, text);
	return 0;
}
