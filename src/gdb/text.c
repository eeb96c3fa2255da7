/* SPDX-License-Identifier: Apache-2.0 */
#include "gdb_internal.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* The line that starts at *at, with its end; false at the end of text. */
static bool next_line(struct span text, size_t *at, struct span *ret)
{
	ssize_t nl;

	if (*at >= text.len)
		return false;
	nl = span_find(text, SPAN_LIT("\n"), *at);
	*ret = span_sub(text, *at, nl < 0 ? text.len : (size_t)nl + 1);
	*at += ret->len;
	return true;
}

bool gdb_text_next(struct span out, const char *marker, size_t *at, struct span *ret)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "\n%s\n", marker);
	ssize_t end = span_find(out, span_make(line, (size_t)n), *at);

	if (end < 0)
		return false;
	/* the newline before a marker is the echo's own, the one behind it ends the line */
	*ret = span_sub(out, *at, (size_t)end);
	*at = (size_t)end + (size_t)n;
	return true;
}

bool gdb_text_piece(struct span out, const char *marker, size_t nth, struct span *ret)
{
	struct span s = { NULL, 0 };
	size_t at = 0;

	for (size_t i = 0; i <= nth; i++)
		if (!gdb_text_next(out, marker, &at, &s))
			return false;
	*ret = s;
	return true;
}

/* Lines that `full` adds to a backtrace. gdb escapes line ends in strings: no value makes one. */
static bool line_is_of_full(struct span line)
{
	return span_starts(line, SPAN_LIT("        ")) || span_eq_str(line, "No locals.\n") ||
	       span_eq_str(line, "No symbol table info available.\n");
}

void gdb_text_brief(struct span full, struct buf *ret)
{
	struct span line;
	size_t at = 0;

	while (next_line(full, &at, &line))
		if (!line_is_of_full(line))
			buf_add_span(ret, line);
}

struct span gdb_text_thread1(struct span full)
{
	struct span line;
	size_t at = 0, start = full.len;

	/* threads come in falling order; with the empty line that leads the block */
	while (next_line(full, &at, &line))
		if (span_starts(line, SPAN_LIT("Thread 1 (")))
			start = at - line.len;
	if (start > 0 && start < full.len && full.p[start - 1] == '\n')
		start--;
	return span_sub(full, start, full.len);
}

int gdb_text_signo(struct span siginfo)
{
	static const char key[] = "si_signo = ";
	ssize_t at = span_find(siginfo, SPAN_LIT(key), 0);
	int n = 0;

	if (at < 0)
		return 0;
	for (size_t i = (size_t)at + sizeof(key) - 1; i < siginfo.len && n < 1000; i++) {
		if (siginfo.p[i] < '0' || siginfo.p[i] > '9')
			break;
		n = n * 10 + (siginfo.p[i] - '0');
	}
	return n;
}

void gdb_text_signal(struct span table, int number, struct buf *ret)
{
	const char *abbreviation = sigabbrev_np(number);
	AUTO_FREE char *name = abbreviation ? xasprintf("SIG%s ", abbreviation)
					    : xasprintf("SIG%d ", number);
	struct span head = { 0 }, line;
	size_t at = 0;

	while (next_line(table, &at, &line)) {
		if (!head.p && span_starts(line, SPAN_LIT("Signal ")))
			head = line;
		if (!span_starts(line, span_str(name)))
			continue;
		buf_add_span(ret, head);
		buf_add_span(ret, line);
		return;
	}
}
