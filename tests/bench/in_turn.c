/* SPDX-License-Identifier: Apache-2.0 */
/*
 * in_turn engine|reference PACK FILE [MEGABYTES]: runs PACK's text rules over the beginning of
 * FILE, all at once or one after another by PCRE2 JIT, and prints the processor seconds that took
 * and the number of hits. Reading the pack and FILE is not counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <corescrub/rule.h>

#define RANGE MIB(1)		/* as scrub takes a text */

struct hits {
	size_t n;
};

static int count_hit(void *ctx, const struct rule_hit *hit)
{
	struct hits *h = ctx;

	(void)hit;
	h->n++;
	return RC_OK;
}

static double clock_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t range_end(struct span text, size_t from)
{
	const char *nl;

	if (text.len - from <= RANGE)
		return text.len;
	nl = memchr(text.p + from + RANGE, '\n', text.len - from - RANGE);
	return nl ? (size_t)(nl - text.p) + 1 : text.len;
}

static int run(struct rule_scanner *s, bool reference, struct span text, struct hits *h, struct err *err)
{
	int rc = RC_OK;

	for (size_t from = 0, to; rc == RC_OK && from < text.len; from = to) {
		to = range_end(text, from);
		rc = reference ? rule_scan_reference(s, text, from, to, WHERE_TEXT, false, count_hit, h,
						     err) :
				 rule_scan(s, text, from, to, WHERE_TEXT, false, count_hit, h, err);
	}
	return rc;
}

int main(int argc, char **argv)
{
	const char *paths[] = { argc > 2 ? argv[2] : NULL, NULL };
	struct ruleset_options o = { .paths = paths, .policy = "public" };
	AUTO(rule_scanner) s = NULL;
	AUTO(ruleset) rs = NULL;
	AUTO(mapping) map = NULL;
	struct err err = ERR_INIT;
	struct hits h = { 0 };
	bool reference = argc > 1 && strcmp(argv[1], "reference") == 0;
	struct span text = SPAN_LIT("");
	double start = 0;
	int rc;

	if (argc < 4) {
		fprintf(stderr, "usage: in_turn engine|reference PACK FILE [MEGABYTES]\n");
		return 2;
	}
	rc = ruleset_load(&o, &rs, &err);
	if (rc == RC_OK)
		rc = rule_scanner_new(rs, &s, &err);
	if (rc == RC_OK)
		rc = mapping_open_path(argv[3], &map, &err);
	if (rc == RC_OK) {
		text = mapping_span(map);
		if (argc > 4 && strtoull(argv[4], NULL, 10) * 1000000 < text.len)
			text.len = strtoull(argv[4], NULL, 10) * 1000000;
		/* the first range compiles what is compiled late */
		rc = run(s, reference, span_sub(text, 0, range_end(text, 0)), &h, &err);
		h.n = 0;
		start = clock_seconds();
		if (rc == RC_OK)
			rc = run(s, reference, text, &h, &err);
	}
	if (rc < 0) {
		fprintf(stderr, "in_turn: %s\n", err.msg);
		return 1;
	}
	printf("%.6f %zu\n", clock_seconds() - start, h.n);
	return 0;
}
