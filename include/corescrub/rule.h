/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_RULE_H
#define CORESCRUB_RULE_H

#include <corescrub/base.h>
#include <corescrub/conf.h>
#include <corescrub/value.h>

/*
 * Rule packs, as interface.md's "Rules" has them, compiled into one ruleset. ruleset_load, then a
 * rule_scanner for each thread, then rule_scan over bytes and rule_symbol_match over symbol paths.
 * libhs finds candidates for all rules in one pass, PCRE2 confirms them and gives the captures.
 */

enum rule_where {
	WHERE_TEXT = 1 << 0, WHERE_STRING = 1 << 1, WHERE_VALUE = 1 << 2,
	WHERE_SYMBOL = 1 << 3, WHERE_PATH = 1 << 4, WHERE_MEMORY = 1 << 5,
};
enum rule_decode { DECODE_ANY, DECODE_STRING, DECODE_IN_ADDR, DECODE_IN6_ADDR, DECODE_SOCKADDR,
		   DECODE_BYTES };

struct rule_info {
	const char *id;			/* "pack.rule" */
	const char *summary;
	enum kind kind;
	enum severity severity;
	enum action action;
	unsigned keep_last;
	const char *replace;		/* or NULL */
	unsigned where;			/* enum rule_where bits */
	bool learn, multiline, active;	/* active: in force under the ruleset's policy */
	enum rule_decode decode;	/* symbol rules */
	bool is_symbol;			/* has match.symbol */
	const char *file;		/* its pack's path, and where the rule stands there */
	unsigned line;
};

struct ruleset;
struct ruleset_options {
	const char *const *paths;	/* packs or folders of packs, NULL-terminated, in order */
	const char *policy;		/* "public", "strict", "developer" */
	const char *database;		/* prepared libhs database, or NULL: trusted files only */
	struct span added;		/* the text of one more pack, or empty: not part of the hash */
	bool try_examples;		/* run each added rule's examples, failing ones are RC_SYNTAX */
};
int ruleset_load(const struct ruleset_options *o, struct ruleset **ret, struct err *err);
void ruleset_free(struct ruleset *rs);
AUTO_DEFINE(ruleset, ruleset_free)
/* Reads ahead what scans of gdb's text will need, where it is prepared; in any thread, at any
   time. */
void ruleset_warm(struct ruleset *rs);
size_t ruleset_count(const struct ruleset *rs);
const struct rule_info *ruleset_rule(const struct ruleset *rs, size_t i);
/* Of all packs' bytes. */
void ruleset_hash(const struct ruleset *rs, char ret_hex[2 * DIGEST_LEN + 1]);
/* Writes the prepared database (keyed by ruleset hash, libhs version, processor) to fd. */
int ruleset_prepare(struct ruleset *rs, int fd, const char *name, struct err *err);

/* The libhs at hand, its version, and whether it finds what it should; if not, scans go without it,
   at a tenth of the speed (for doctor). */
const char *rule_probe(bool *ret_sound);

/* Beyond loading: what `rules lint` says (widths, rules that match the empty string, a replacement
   that its own rule matches, shadowed exceptions, missing examples), and the examples' outcome. */
typedef void (*rule_report_fn)(void *ctx, const struct rule_info *rule, unsigned line, bool error,
			       const char *what);
int ruleset_lint(struct ruleset *rs, rule_report_fn fn, void *ctx, struct err *err);
int ruleset_test(struct ruleset *rs, rule_report_fn fn, void *ctx, size_t *ret_run,
		 size_t *ret_failed, struct err *err);

struct rule_hit {
	uint32_t rule;			/* index for ruleset_rule */
	size_t off, len;		/* what is to be replaced: the group, or the whole match */
	bool limit;			/* an engine limit in the record [off, off + len): mask it all */
};
/* A negative return ends the scan with that code. */
typedef int (*rule_hit_fn)(void *ctx, const struct rule_hit *hit);

/* Which of the rules for a place: those with learn: true teach. */
enum rule_share { RULE_ALL, RULE_TEACHING, RULE_TEACHING_SECRETS };
#define RULE_SHARES 3

struct rule_scanner;			/* scratch, one a thread */
int rule_scanner_new(const struct ruleset *rs, struct rule_scanner **ret, struct err *err);
void rule_scanner_free(struct rule_scanner *s);
AUTO_DEFINE(rule_scanner, rule_scanner_free)
/*
 * Finds what active rules with one of the `where` bits match in text; hits whose match begins in
 * [from, to) are given, in any order, overlaps and all. Context outside that range is looked at, so
 * that cutting a text into ranges at line ends changes nothing.
 */
int rule_scan(struct rule_scanner *s, struct span text, size_t from, size_t to, unsigned where,
	      enum rule_share share, rule_hit_fn fn, void *ctx, struct err *err);
/* The slow way, PCRE2 one rule after another: the reference for tests and benchmarks. */
int rule_scan_reference(struct rule_scanner *s, struct span text, size_t from, size_t to,
			unsigned where, enum rule_share share, rule_hit_fn fn, void *ctx,
			struct err *err);

struct rule_symbol {
	struct span function;		/* demangled, without arguments */
	struct span variable;		/* "local.field[3].field" or the argument's name */
	struct span file, library;	/* or empty */
};
/* The first active symbol rule that fits, and (*ret_rule) its index. */
bool rule_symbol_match(const struct ruleset *rs, const struct rule_symbol *sym, uint32_t *ret_rule);
/* May a path with a part of this name ("sp" in "policy.sp.key") fit a symbol rule? False is sure;
   for those who must decide which of many paths to spell out. */
bool rule_symbol_may_match(const struct ruleset *rs, struct span name);
/* Do the exceptions of rule i keep these (decoded) bytes, or its validator refuse them? */
bool rule_value_stays(struct rule_scanner *s, uint32_t i, struct span value);

#endif
