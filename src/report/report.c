/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* What the forms share, and the table for a terminal. */

const char *report_row_kind(const struct report_row *row)
{
	return value_kind_name(row->rule->kind);
}

static int by_kind_and_rule(const void *x, const void *y)
{
	const struct report_row *a = x, *b = y;

	if (a->rule->kind != b->rule->kind)
		return a->rule->kind < b->rule->kind ? -1 : 1;
	return strcmp(a->rule->id, b->rule->id);
}

struct report_row *report_sorted_rows(const struct report_account *a)
{
	struct report_row *rows = xcalloc(a->n_rows + 1, sizeof(*rows));

	if (a->n_rows)
		memcpy(rows, a->rows, a->n_rows * sizeof(*rows));
	qsort(rows, a->n_rows, sizeof(*rows), by_kind_and_rule);
	return rows;
}

void report_time(int64_t seconds, char ret[32])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		strcpy(ret, "1970-01-01T00:00:00Z");
}

/* Rule ids are plain words in any pack that loads; a terminal gets nothing else. */
#define RULE_WIDTH 46
static void add_rule_id(struct buf *ret, const char *id)
{
	char shown[RULE_WIDTH + 1];
	size_t len = strlen(id);

	for (size_t i = 0; i < len && i < RULE_WIDTH; i++)
		shown[i] = id[i] > ' ' && id[i] < 0x7f ? id[i] : '?';
	shown[len < RULE_WIDTH ? len : RULE_WIDTH] = '\0';
	if (len > RULE_WIDTH)
		memcpy(shown + RULE_WIDTH - 2, "..", 2);
	buf_addf(ret, "%-*s", RULE_WIDTH, shown);
}

void report_table_text(const struct report_account *a, struct buf *ret)
{
	AUTO_FREE struct report_row *rows = report_sorted_rows(a);
	uint64_t count = 0, distinct = 0;

	if (a->n_rows == 0)
		buf_add_str(ret, "nothing was redacted\n");
	else
		buf_addf(ret, "%-8s %-*s %11s %11s\n", "kind", RULE_WIDTH, "rule", "count",
			 "distinct");
	for (size_t i = 0; i < a->n_rows; i++) {
		buf_addf(ret, "%-8s ", report_row_kind(&rows[i]));
		add_rule_id(ret, rows[i].rule->id);
		buf_addf(ret, " %11llu %11llu\n", (unsigned long long)rows[i].count,
			 (unsigned long long)rows[i].distinct);
		count += rows[i].count;
		distinct += rows[i].distinct;
	}
	if (a->n_rows > 1)
		buf_addf(ret, "%-8s %-*s %11llu %11llu\n", "total", RULE_WIDTH, "",
			 (unsigned long long)count, (unsigned long long)distinct);
	if (a->open || a->hints || a->preexisting)
		buf_addf(ret, "open items: %llu, hints: %llu, tokens that were there before: %llu\n",
			 (unsigned long long)a->open, (unsigned long long)a->hints,
			 (unsigned long long)a->preexisting);
}
