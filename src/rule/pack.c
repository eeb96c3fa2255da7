/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* One pack's YAML to rules. Every string a rule keeps lives in its conf's arena or in the
 * ruleset's. */

const char *const rule_policy_names[] = { "public", "strict", "developer", NULL };
const char *const rule_where_names[] = {
	"text", "string", "value", "symbol", "path", "memory", NULL
};
static const char *const decode_names[] = { "any",	"string", "in_addr", "in6_addr",
					    "sockaddr", "bytes",  NULL };
static const char *const action_names[] = { "token", "mask", "drop", "keep-last", "replace", NULL };
static const char *const severity_names[] = { "low", "medium", "high", "critical", NULL };

static int name_index(struct span name, const char *const *names)
{
	for (int i = 0; names[i]; i++)
		if (span_eq_str(name, names[i]))
			return i;
	return -1;
}

static int unknown_name(const struct conf *c, const struct conf_node *at, const char *what,
			const char *const *known, struct err *err)
{
	const char *nearest = conf_nearest(at->text, known);

	return conf_err(c, at, err, "unknown %s%s%s%s", what,
			nearest ? "; the nearest known one is \"" : "", nearest ? nearest : "",
			nearest ? "\"" : "");
}

/* One name, or a list of names, to bits in the order of `names`. */
static int read_bits(const struct conf *c, const struct conf_node *n, const char *what,
		     const char *const *names, unsigned *ret, struct err *err)
{
	const struct conf_node *const one[] = { n };
	const struct conf_node *const *v = n->type == CONF_LIST ? n->items : one;
	size_t count = n->type == CONF_LIST ? n->n : 1;
	unsigned bits = 0;

	if (count == 0)
		return conf_err(c, n, err, "an empty list: leave the key out for all of them");
	for (size_t i = 0; i < count; i++) {
		int k;

		if (v[i]->type != CONF_STRING)
			return conf_err(c, v[i], err, "expected the name of a %s", what);
		k = name_index(v[i]->text, names);
		if (k < 0)
			return unknown_name(c, v[i], what, names, err);
		bits |= 1u << k;
	}
	*ret = bits;
	return RC_OK;
}

static int read_kind(const struct conf *c, const struct conf_node *at, struct rule *r,
		     struct err *err)
{
	const struct conf_node *n = conf_get(at, "kind");
	const char *names[KIND_COUNT + 1] = { NULL };

	for (int i = 0; i < KIND_COUNT; i++)
		names[i] = value_kind_name((enum kind)i);
	if (!n || n->type != CONF_STRING)
		return conf_err(c, n ? n : at, err, "a rule needs a \"kind\"");
	if (!value_kind_parse(n->text, &r->info.kind))
		return unknown_name(c, n, "kind", names, err);
	return RC_OK;
}

/* "token", or { keep-last: 4 }, or { replace: "…" }. */
static int read_action(const struct conf *c, const struct conf_node *n, struct rule *r,
		       struct err *err)
{
	struct span replace = { "", 0 };
	long keep = 0;
	int k, rc;

	if (n->type == CONF_STRING) {
		k = name_index(n->text, action_names);
		if (k < 0)
			return unknown_name(c, n, "action", action_names, err);
		if (k >= ACTION_KEEP_LAST)
			return conf_err(c, n, err, "this action needs a value: { %s: … }",
					action_names[k]);
		r->info.action = (enum action)k;
		return RC_OK;
	}
	rc = conf_check_keys(c, n, action_names + ACTION_KEEP_LAST, err);
	if (rc < 0)
		return rc;
	if (n->n != 1)
		return conf_err(c, n, err, "expected one action");
	rc = conf_get_int(c, n, "keep-last", 1, 16, &keep, err);
	if (rc == RC_OK)
		rc = conf_get_string(c, n, "replace", &replace, err);
	r->info.action = keep ? ACTION_KEEP_LAST : ACTION_REPLACE;
	r->info.keep_last = (unsigned)keep;
	r->info.replace = keep ? NULL : replace.p;
	return rc;
}

static int read_cidr(const struct conf *c, const struct conf_node *n, struct rule_except *x,
		     struct err *err)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const char *slash;
	bool v4;

	if (n->type != CONF_STRING)
		return conf_err(c, n, err, "\"cidr\" must be a string");
	v4 = value_ip4_parse(n->text, x->addr + 12);
	if (v4)
		memcpy(x->addr, mapped, 12);
	else if (!value_ip6_parse(n->text, x->addr))
		return conf_err(c, n, err, "not an address with a prefix length");
	slash = memchr(n->text.p, '/', n->text.len);
	x->prefix = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : v4 ? 32 : 128;
	x->prefix += v4 ? 96 : 0;
	return RC_OK;
}

static int read_excepts(const struct conf *c, const struct conf_node *list, struct rule *r,
			struct err *err)
{
	static const char *const known[] = { "cidr", "regex", NULL };

	if (list->type != CONF_LIST)
		return conf_err(c, list, err, "\"except\" must be a list");
	for (size_t i = 0; i < list->n; i++) {
		const struct conf_node *n = list->items[i], *cidr, *regex;
		struct rule_except x = { .prefix = 0 };
		struct regex_shape shape;
		int rc = conf_check_keys(c, n, known, err);

		if (rc < 0)
			return rc;
		cidr = conf_get(n, "cidr");
		regex = conf_get(n, "regex");
		if (!cidr == !regex)
			return conf_err(c, n, err, "an exception is one of cidr and regex");
		if (regex && regex->type != CONF_STRING)
			return conf_err(c, regex, err, "\"regex\" must be a string");
		rc = cidr ? read_cidr(c, cidr, &x, err)
			  : rule_regex_compile(c, regex, false, &x.regex.code, &shape, err);
		if (rc < 0)
			return rc;
		GROW(r->excepts, r->n_excepts, r->cap_excepts);
		r->excepts[r->n_excepts++] = x;
	}
	return RC_OK;
}

static int read_globs(const struct conf *c, const struct conf_node *map, const char *key,
		      struct rule_glob_list *ret, struct err *err)
{
	int rc = conf_get_strings(c, map, key, &ret->v, &ret->n, err);

	for (size_t i = 0; rc == RC_OK && i < ret->n; i++)
		if (ret->v[i].len == 0 || ret->v[i].len > 256)
			rc = conf_err(c, conf_get(map, key), err,
				      "a pattern must have 1 to 256 bytes");
	return rc;
}

static int read_symbol(const struct conf *c, const struct conf_node *n, struct rule *r,
		       struct err *err)
{
	static const char *const known[] = { "variable", "function", "file", "library", NULL };
	int rc = conf_check_keys(c, n, known, err);

	if (rc == RC_OK)
		rc = read_globs(c, n, "variable", &r->variable, err);
	if (rc == RC_OK)
		rc = read_globs(c, n, "function", &r->function, err);
	if (rc == RC_OK)
		rc = read_globs(c, n, "file", &r->file, err);
	if (rc == RC_OK)
		rc = read_globs(c, n, "library", &r->library, err);
	if (rc == RC_OK && !r->variable.n)
		return conf_err(c, n, err, "\"symbol\" needs \"variable\"; '*' is every one");
	r->info.is_symbol = true;
	return rc;
}

static int read_validate(const struct conf *c, const struct conf_node *n, struct rule *r,
			 struct err *err)
{
	struct span name, colon = SPAN_LIT(":");
	ssize_t at;

	if (n->type != CONF_STRING)
		return conf_err(c, n, err, "\"validate\" must be a string");
	at = span_find(n->text, colon, 0);
	name = at < 0 ? n->text : span_sub(n->text, 0, (size_t)at);
	r->check_arg = at < 0 ? span_make("", 0) : span_sub(n->text, (size_t)at + 1, n->text.len);
	r->check = value_check_find(name);
	if (!r->check)
		return unknown_name(c, n, "validator", value_check_names(), err);
	if (span_eq_str(name, "entropy")) {
		char *end;
		double bits = strtod(r->check_arg.p, &end);

		if (!r->check_arg.len || *end || !(bits > 0) || bits > 8)
			return conf_err(c, n, err, "entropy needs bits a byte, as in entropy:3.5");
	} else if (at >= 0) {
		return conf_err(c, n, err, "this validator takes no argument");
	}
	return RC_OK;
}

static int read_groups(const struct conf *c, const struct conf_node *match, struct rule_unit *u,
		       struct err *err)
{
	const struct conf_node *n = conf_get(match, "group");
	const struct conf_node *const one[] = { n };
	const struct conf_node *const *v;
	uint32_t captures = 0;
	size_t count;

	pcre2_pattern_info(u->regex.code, PCRE2_INFO_CAPTURECOUNT, &captures);
	u->n_groups = 1;
	if (!n)
		return RC_OK;
	v = n->type == CONF_LIST ? n->items : one;
	count = n->type == CONF_LIST ? n->n : 1;
	if (count == 0 || count > RULE_GROUPS_MAX)
		return conf_err(c, n, err, "expected 1 to %d groups", RULE_GROUPS_MAX);
	for (size_t i = 0; i < count; i++) {
		char *end = NULL;
		unsigned long g = v[i]->type == CONF_STRING && v[i]->text.len && v[i]->text.len < 4
					  ? strtoul(v[i]->text.p, &end, 10)
					  : 0;

		if (!end || *end || g > captures)
			return conf_err(c, v[i], err, "a regex of this rule has no such group");
		u->groups[i] = (uint32_t)g;
	}
	u->n_groups = count;
	return RC_OK;
}

static int add_unit(struct ruleset *rs, const struct conf *c, const struct conf_node *match,
		    const struct conf_node *at, struct rule *r, struct err *err)
{
	struct rule_unit u = { .rule = (uint32_t)(r - rs->rules),
			       .at = at,
			       .multiline = r->info.multiline };
	struct regex_shape shape;
	int rc;

	if (at->type != CONF_STRING)
		return conf_err(c, at, err, "\"regex\" must be a string or a list of strings");
	rc = rule_regex_compile(c, at, u.multiline, &u.regex.code, &shape, err);
	if (rc < 0)
		return rc;
	GROW(rs->units, rs->n_units, rs->cap_units);
	u.source = at->text;
	u.keyed = r->n_keywords > 0;
	u.width = shape.max;
	u.min_width = shape.min;
	pcre2_pattern_info(u.regex.code, PCRE2_INFO_MAXLOOKBEHIND, &u.lookbehind);
	rs->units[rs->n_units++] = u;
	r->n_units++;
	if (u.multiline && u.width > LIMIT_RULE_WIDTH)
		return conf_err(c, at, err,
				"a multi-line regex must have a greatest width of at most "
				"%zu bytes",
				LIMIT_RULE_WIDTH);
	if (r->info.where & WHERE_MEMORY && u.width > LIMIT_RULE_WIDTH)
		return conf_err(c, at, err,
				"a regex for memory must have a greatest width of at most "
				"%zu bytes: bound its repeats, or leave memory out of \"where\"",
				LIMIT_RULE_WIDTH);
	return read_groups(c, match, &rs->units[rs->n_units - 1], err);
}

static int read_keywords(const struct conf *c, const struct conf_node *match, struct rule *r,
			 struct err *err)
{
	int rc = conf_get_strings(c, match, "keywords", &r->keywords, &r->n_keywords, err);

	for (size_t i = 0; rc == RC_OK && i < r->n_keywords; i++)
		if (r->keywords[i].len < 2 || r->keywords[i].len > 64 ||
		    memchr(r->keywords[i].p, '\n', r->keywords[i].len))
			rc = conf_err(c, conf_get(match, "keywords"), err,
				      "a keyword must have 2 to 64 bytes on one line");
	return rc;
}

static int read_match(struct ruleset *rs, const struct conf *c, const struct conf_node *at,
		      struct rule *r, struct err *err)
{
	static const char *const known[] = { "regex",  "group",	 "keywords",  "validate",
					     "symbol", "decode", "multiline", NULL };
	const struct conf_node *match = conf_get(at, "match"), *regex, *symbol, *n;
	int rc;

	if (!match)
		return conf_err(c, at, err, "a rule needs a \"match\"");
	rc = conf_check_keys(c, match, known, err);
	if (rc < 0)
		return rc;
	regex = conf_get(match, "regex");
	symbol = conf_get(match, "symbol");
	if (!regex == !symbol)
		return conf_err(c, match, err, "\"match\" needs one of regex and symbol");
	rc = conf_get_bool(c, match, "multiline", &r->info.multiline, err);
	if (rc == RC_OK)
		rc = read_keywords(c, match, r, err);
	if (rc == RC_OK && (n = conf_get(match, "validate")))
		rc = read_validate(c, n, r, err);
	if (rc == RC_OK && (n = conf_get(match, "decode"))) {
		int k = n->type == CONF_STRING ? name_index(n->text, decode_names) : -1;

		if (k < 0)
			return unknown_name(c, n, "decode", decode_names, err);
		r->info.decode = (enum rule_decode)k;
	}
	if (rc == RC_OK && symbol)
		rc = read_symbol(c, symbol, r, err);
	if (rc < 0 || !regex)
		return rc;
	if (regex->type != CONF_LIST)
		return add_unit(rs, c, match, regex, r, err);
	for (size_t i = 0; rc == RC_OK && i < regex->n; i++)
		rc = add_unit(rs, c, match, regex->items[i], r, err);
	if (rc == RC_OK && regex->n == 0)
		return conf_err(c, regex, err, "an empty list of regexes");
	return rc;
}

static int read_example(const struct conf *c, const struct conf_node *n, bool negative,
			struct rule *r, struct err *err)
{
	static const char *const text_keys[] = { "in", "hits", NULL };
	static const char *const symbol_keys[] = { "variable", "function", "file", "library",
						   NULL };
	struct rule_example x = { .at = n, .negative = negative, .in = { "", 0 } };
	int rc = RC_OK;

	if (n->type == CONF_STRING && !r->info.is_symbol && negative) {
		x.in = n->text;
	} else {
		rc = conf_check_keys(c, n, r->info.is_symbol ? symbol_keys : text_keys, err);
		if (rc == RC_OK)
			rc = conf_get_string(c, n, "in", &x.in, err);
		if (rc == RC_OK)
			rc = conf_get_strings(c, n, "hits", &x.hits, &x.n_hits, err);
		if (rc == RC_OK)
			rc = conf_get_string(c, n, "variable", &x.symbol.variable, err);
		if (rc == RC_OK)
			rc = conf_get_string(c, n, "function", &x.symbol.function, err);
		if (rc == RC_OK)
			rc = conf_get_string(c, n, "file", &x.symbol.file, err);
		if (rc == RC_OK)
			rc = conf_get_string(c, n, "library", &x.symbol.library, err);
		if (rc < 0)
			return rc;
		if (!r->info.is_symbol && (!conf_get(n, "in") || (!negative && !x.n_hits)))
			return conf_err(c, n, err, "an example needs \"in\" and \"hits\"");
		if (r->info.is_symbol && !x.symbol.variable.len)
			return conf_err(c, n, err,
					"an example of a symbol rule needs \"variable\"");
	}
	GROW(r->examples, r->n_examples, r->cap_examples);
	r->examples[r->n_examples++] = x;
	return RC_OK;
}

static int read_examples(const struct conf *c, const struct conf_node *at, const char *key,
			 bool negative, struct rule *r, struct err *err)
{
	const struct conf_node *n = conf_get(at, key);
	int rc = RC_OK;

	if (!n)
		return RC_OK;
	if (n->type != CONF_LIST)
		return conf_err(c, n, err, "\"%s\" must be a list", key);
	for (size_t i = 0; rc == RC_OK && i < n->n; i++)
		rc = read_example(c, n->items[i], negative, r, err);
	return rc;
}

static bool is_name(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789-_", s.p[i], 38))
			return false;
	return s.len > 0 && s.len <= 64;
}

static int read_id(struct ruleset *rs, const struct conf *c, const struct conf_node *at,
		   struct span pack, struct rule *r, struct err *err)
{
	const struct conf_node *id = conf_get(at, "id");
	AUTO_FREE char *full = NULL;

	if (!id || id->type != CONF_STRING)
		return conf_err(c, id ? id : at, err, "a rule needs an \"id\"");
	if (!is_name(id->text))
		return conf_err(c, id, err, "an id is made of a-z, 0-9, - and _, 64 at most");
	full = xasprintf("%s.%s", pack.p, id->text.p);
	for (size_t i = 0; i < rs->n_rules; i++)
		if (!strcmp(rs->rules[i].info.id, full))
			return conf_err(c, id, err, "rule %s is there already, at %s:%u", full,
					rs->rules[i].info.file, rs->rules[i].info.line);
	r->info.id = arena_strndup(rs->arena, full, strlen(full));
	return RC_OK;
}

/* The keys of a rule beside id, kind and match. */
static int read_settings(const struct conf *c, const struct conf_node *at, struct rule *r,
			 struct err *err)
{
	struct span summary = { "", 0 };
	const struct conf_node *n;
	int rc = conf_get_string(c, at, "summary", &summary, err);

	r->info.summary = summary.p;
	if (rc == RC_OK && (n = conf_get(at, "severity")))
		if (n->type != CONF_STRING || !value_severity_parse(n->text, &r->info.severity))
			return unknown_name(c, n, "severity", severity_names, err);
	if (rc == RC_OK && (n = conf_get(at, "where")))
		rc = read_bits(c, n, "where", rule_where_names, &r->info.where, err);
	if (rc == RC_OK && (n = conf_get(at, "policy")))
		rc = read_bits(c, n, "policy", rule_policy_names, &r->policies, err);
	if (rc == RC_OK && (n = conf_get(at, "action")))
		rc = read_action(c, n, r, err);
	if (rc == RC_OK && (n = conf_get(at, "except")))
		rc = read_excepts(c, n, r, err);
	if (rc == RC_OK)
		rc = conf_get_bool(c, at, "learn", &r->info.learn, err);
	return rc;
}

static int read_rule(struct ruleset *rs, const struct conf *c, const struct conf_node *at,
		     struct span pack, struct err *err)
{
	static const char *const known[] = {
		"id",	 "kind",   "summary", "severity", "match",    "except",
		"where", "action", "policy",  "learn",	  "examples", "negative_examples",
		NULL,
	};
	struct rule *r;
	int rc = conf_check_keys(c, at, known, err);

	if (rc < 0)
		return rc;
	if (rs->n_rules >= LIMIT_RULES)
		return conf_err(c, at, err, "more than %d rules", LIMIT_RULES);
	GROW(rs->rules, rs->n_rules, rs->cap_rules);
	r = &rs->rules[rs->n_rules];
	*r = (struct rule){
		.conf = c,
		.at = at,
		.policies = POLICY_ALL,
		.first_unit = rs->n_units,
		.info = { .severity = SEVERITY_MEDIUM,
			  .where = WHERE_ALL,
			  .file = conf_name(c),
			  .line = at->line },
	};
	rc = read_id(rs, c, at, pack, r, err);
	if (rc < 0)
		return rc;
	rs->n_rules++; /* from here on ruleset_free knows what the rule owns */
	rc = read_kind(c, at, r, err);
	if (rc == RC_OK)
		rc = read_settings(c, at, r, err);
	if (rc == RC_OK)
		rc = read_match(rs, c, at, r, err);
	if (rc == RC_OK)
		rc = read_examples(c, at, "examples", false, r, err);
	if (rc == RC_OK)
		rc = read_examples(c, at, "negative_examples", true, r, err);
	r->info.active = r->policies & rs->policy;
	return rc;
}

int rule_pack_load(struct ruleset *rs, const struct conf *c, struct err *err)
{
	static const char *const known[] = { "pack", "summary", "rules", NULL };
	const struct conf_node *root = conf_root(c), *pack, *rules;
	int rc = conf_check_keys(c, root, known, err);

	if (rc < 0)
		return rc;
	pack = conf_get(root, "pack");
	rules = conf_get(root, "rules");
	if (!pack || pack->type != CONF_STRING || !is_name(pack->text))
		return conf_err(c, pack ? pack : root, err,
				"a pack needs a name in \"pack\", made of a-z, 0-9, - and _");
	if (!rules || rules->type != CONF_LIST)
		return conf_err(c, rules ? rules : root, err, "a pack needs a list of \"rules\"");
	for (size_t i = 0; rc == RC_OK && i < rules->n; i++)
		rc = read_rule(rs, c, rules->items[i], pack->text, err);
	return rc;
}
