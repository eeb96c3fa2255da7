/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

/* The rail: a text from its first line to its last, a mark where tokens stand. SVG, since the
   page's policy allows no styles of elements; its marks are links, since it allows no script. */

#define SLOTS 200

struct slot {
	uint64_t line;			/* the first with a token; 0: none */
	char most;			/* the class of the gravest */
};

static uint64_t count_lines(struct span text)
{
	uint64_t n = 1;

	for (const char *p = text.p, *end = p + text.len;
	     p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
		n++;
	return n;
}

static bool is_graver(char a, char b)
{
	static const char order[] = "npsx";	/* by what is lost when it gets out */

	return !b || strchr(order, a) > strchr(order, b);
}

static void fill_slots(struct span text, uint64_t lines, struct slot slots[SLOTS])
{
	size_t at = 0, counted = 0, len;
	uint64_t line = 1;
	enum kind kind;

	for (; (len = value_token_next(text, &at, &kind)); at += len) {
		const char *p = text.p + counted, *end = text.p + at;
		struct slot *s;

		while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
			line++;
			p++;
		}
		counted = at;
		s = &slots[(line - 1) * SLOTS / lines];
		if (!s->line)
			s->line = line;
		if (is_graver(*report_html_class(kind), s->most))
			s->most = *report_html_class(kind);
	}
}

void report_html_rail(struct buf *ret, struct span text, size_t number, uint64_t shown)
{
	struct slot slots[SLOTS] = { { 0 } };

	fill_slots(text, count_lines(text), slots);
	buf_addf(ret, "<svg class=rail viewBox=\"0 0 1 %d\" preserveAspectRatio=none aria-hidden=true>",
		 SLOTS);
	for (size_t i = 0; i < SLOTS; i++) {
		const struct slot *s = &slots[i];

		if (!s->line)
			continue;
		if (s->line <= shown)
			buf_addf(ret, "<a href=\"#l%zu-%llu\" tabindex=-1><title>line %llu</title>", number,
				 (unsigned long long)s->line, (unsigned long long)s->line);
		buf_addf(ret, "<rect class=%c y=%zu width=1 height=1.4 />%s", s->most, i,
			 s->line <= shown ? "</a>" : "");
	}
	buf_add_str(ret, "</svg>\n");
}
