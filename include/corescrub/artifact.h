/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_ARTIFACT_H
#define CORESCRUB_ARTIFACT_H

#include <corescrub/base.h>
#include <corescrub/value.h>

/*
 * What goes in (struct artifact: clear text), what was found in it (struct findings: offsets and
 * ids, never bytes), and what may go out (struct scrubbed). The last is made by check alone.
 */

enum artifact_kind {
	ARTIFACT_TEXT,		/* any text, log, config; gdb output in it is recognised */
	ARTIFACT_GDB,		/* gdb's own output, from the gdb module */
	ARTIFACT_CORE,
};

struct artifact {
	char *name;			/* for messages and findings; may itself hold a value */
	enum artifact_kind kind;
	struct span text;		/* immutable; into `map` or `own` */
	struct mapping *map;		/* or NULL */
	char *own;			/* or NULL */
	uint64_t serial;		/* no two alike; 0: made elsewhere, nothing of it may be kept */
};

struct artifact *artifact_new(const char *name, enum artifact_kind kind);
/* Takes b. */
struct artifact *artifact_from_buf(const char *name, enum artifact_kind kind, struct buf *b);
int artifact_from_fd(int fd, const char *name, enum artifact_kind kind, struct artifact **ret,
		     struct err *err);
void artifact_free(struct artifact *a);	/* wipes what it owns */
AUTO_DEFINE(artifact, artifact_free)

/* How the source bytes of a finding spell its value; detect_value() undoes it. */
enum finding_form {
	FORM_PLAIN,		/* the bytes themselves */
	FORM_GDB_STRING,	/* gdb's escapes, one level */
	FORM_LEARNED,		/* any spelling of the learned value `value` */
	FORM_IN_ADDR,		/* s_addr = N: 4 bytes in network order read as a host integer */
	FORM_BYTES,		/* array of integers, or a half-escaped string of packed bytes */
	FORM_ASCII_INT,		/* an integer that is little-endian ASCII */
	FORM_URL,		/* %XX */
	FORM_JSON,		/* backslash escapes */
	FORM_XML,		/* &amp; and the like */
	FORM_HEX,
	FORM_BASE64,
	FORM_UTF16,
};

enum finding_flag {
	FINDING_LIMIT = 1 << 0,		/* an engine limit: the enclosing string is masked; open item */
	FINDING_PREEXISTING = 1 << 1,	/* a sound token that was there; stays */
	FINDING_HINT = 1 << 2,		/* not redacted: a person may look (entropy, long digits) */
	FINDING_HELD = 1 << 3,		/* not redacted: a learned credential held back; open item */
	FINDING_PARTIAL = 1 << 4,	/* a piece of a longer value (cut, stale tail) */
	FINDING_DERIVED = 1 << 5,	/* found in a later closure round */
	FINDING_IN_STRING = 1 << 6,	/* stands in a gdb string: its escapes come before the form's */
	FINDING_QUOTE_OPEN = 1 << 7,	/* begins, or ends, outside of quotes (a repeat): what takes its */
	FINDING_QUOTE_CLOSE = 1 << 8,	/* place must bring a quote there */
	FINDING_MASKED = 1 << 9,	/* whatever the rule's action, the constant [kind] */
};

struct finding {
	uint64_t off;			/* in the artifact's text */
	uint32_t len;
	uint32_t rule;			/* index into findings.rules */
	uint32_t path;			/* offset into findings.paths, 0 = none */
	uint32_t value;			/* FORM_LEARNED: learned value's number + 1; else 0 */
	uint8_t kind;			/* enum kind, refined */
	uint8_t form;			/* enum finding_form */
	uint16_t flags;			/* enum finding_flag */
};

/* What the output half may know of a rule: detect makes the table, pseudo-rules for learned values
   ("learned.secret", …) and engine limits included. */
struct finding_rule {
	const char *id;
	const char *summary;
	enum kind kind;
	enum severity severity;
	enum action action;
	unsigned keep_last;		/* ACTION_KEEP_LAST */
	const char *replace;		/* ACTION_REPLACE */
};

struct findings {
	struct finding *v;
	size_t n, cap;
	const struct finding_rule *rules;	/* borrowed: the detector's table */
	size_t n_rules;
	struct buf paths;			/* NUL-terminated symbol paths; byte 0 is NUL */
};
void findings_init(struct findings *f, const struct finding_rule *rules, size_t n_rules);
void findings_done(struct findings *f);
void findings_add(struct findings *f, const struct finding *one);
uint32_t findings_path(struct findings *f, struct span path);	/* 0 for an empty one */
void findings_sort(struct findings *f);		/* by offset, longest first */

/* Clean text that may leave. Opaque: made by check_clean() alone (artifact_seal.h). */
struct scrubbed;
const char *scrubbed_name(const struct scrubbed *s);	/* a member name, scrubbed too */
struct span scrubbed_text(const struct scrubbed *s);
void scrubbed_free(struct scrubbed *s);
AUTO_DEFINE(scrubbed, scrubbed_free)

/* One edit of an artifact: bytes [off, off + len) become `with`. Sorted, disjoint. */
struct edit {
	uint64_t off;
	uint32_t len;
	uint32_t with_len;
	const char *with;		/* into the plan's arena */
	uint32_t finding;		/* which finding made it */
};

#endif
