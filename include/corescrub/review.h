/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_REVIEW_H
#define CORESCRUB_REVIEW_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>
#include <corescrub/redact/decisions.h>

/*
 * The walk through a report's findings, in the manner of `git add -p`: open items, hints, then
 * tokens by kind, rule and value, each with its surroundings; a person accepts, keeps, adds. Fill a
 * review_job, review_walk. It speaks through struct review_terminal alone, in plain lines, so that
 * any terminal does.
 */

struct review_terminal {
	void (*write)(void *ctx, struct span text);
	/* One line without its end, appended to ret; false at the end of the input. */
	bool (*read)(void *ctx, const char *prompt, struct buf *ret);
	void *ctx;
	unsigned rows, columns;
	bool color;
};

struct review_text { const char *name; struct span text; };	/* scrubbed */
struct review_item { bool open; const char *what, *file; uint64_t line, col; };
struct review_rule { const char *token, *rule; };

struct review_job {
	const struct review_text *texts;
	size_t n_texts;
	const struct review_item *items;
	size_t n_items;
	const struct review_rule *rules;	/* which rule put a token there, sorted by token */
	size_t n_rules;
	bool can_keep;				/* the key in use can be had again */
	struct decisions *decisions;		/* those made before; added to */
	const char *path;			/* where they are kept: after each one */
	struct review_terminal terminal;
	/* What a token stood for, appended to ret; false if nobody knows. May be NULL. */
	bool (*original)(void *ctx, struct span token, struct buf *ret);
	/* Would a regex do? RC_SYNTAX says why not. */
	int (*check_pattern)(const char *regex, struct err *err);
	void *ctx;
};
struct review_result {
	size_t all, left, left_open;		/* findings; those still undecided; open items of them */
};
int review_walk(const struct review_job *job, struct review_result *ret, struct err *err);

#endif
