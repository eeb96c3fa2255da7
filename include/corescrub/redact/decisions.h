/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_REDACT_DECISIONS_H
#define CORESCRUB_REDACT_DECISIONS_H

#include <corescrub/base.h>
#include <corescrub/value.h>

/*
 * What a person decided about a report, in order (doc/formats.md, "Decisions"). A private file of
 * mode 0600: a value that stays is named by its token, which is its HMAC under the key and case in
 * use; one that must go too stands there as it was typed. decisions_new or decisions_read,
 * decisions_add…, decisions_write.
 */

enum decision_verb {
	DECISION_ACCEPT,	/* it is right that this token stands there */
	DECISION_KEEP,		/* the value of this token stays, in all its spellings */
	DECISION_REDACT,	/* this text goes too, wherever and however it is spelled */
	DECISION_PATTERN,	/* what this regex (PCRE2) matches goes too */
	DECISION_PLACE,		/* this open item, or hint, may be as it is */
};
struct decision {
	enum decision_verb verb;
	char *what;		/* the token, text, regex, or what was to be looked at */
	enum kind kind;		/* REDACT, PATTERN: what it is; KEEP, ACCEPT: the token's */
	char *reason;		/* KEEP; else NULL */
	char *file;		/* PLACE: in which text, and its line (0: no one line); else NULL */
	uint64_t line;
};
struct decisions {
	char *case_name;
	char *key;		/* the token key in use, by its fingerprint; "" if it was random */
	char *salt;		/* so that the file's digest, which is public, tells nothing of it */
	struct decision *v;
	size_t n, cap;
	uint8_t sha256[DIGEST_LEN];	/* of the file that was read or written last */
};
/* `key` may be NULL. */
struct decisions *decisions_new(const char *case_name, const char *key);
void decisions_free(struct decisions *d);
AUTO_DEFINE(decisions, decisions_free)
/* Copies one. RC_FORMAT if a string of it is no UTF-8. */
int decisions_add(struct decisions *d, const struct decision *one, struct err *err);
void decisions_undo(struct decisions *d);	/* the last one; there must be one */
size_t decisions_count(const struct decisions *d, enum decision_verb verb);
/* The last KEEP or ACCEPT of a token; NULL if there is none. */
const struct decision *decisions_of_token(const struct decisions *d, struct span token);
/* Is the i-th a KEEP that no later one overrides? */
bool decisions_keep(const struct decisions *d, size_t i);
/* How many PLACE decisions there are for an item. */
size_t decisions_of_place(const struct decisions *d, const char *what, const char *file,
			  uint64_t line);
/* A value of this kind may be kept only with an approval: credentials, and cards. */
bool decisions_need_approval(enum kind kind);

/* RC_REFUSED unless the file is private to its reader. */
int decisions_read(const char *path, struct decisions **ret, struct err *err);
/* Mode 0600, whole or not; folders are made. Replaces. */
int decisions_write(struct decisions *d, const char *path, struct err *err);
/* ${XDG_STATE_HOME:-$HOME/.local/state}/corescrub/<case>.decisions */
char *decisions_path(const char *case_name);

#endif
