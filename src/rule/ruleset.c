/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

struct ruleset *rule_ruleset_new(void)
{
	struct ruleset *rs = xcalloc(1, sizeof(*rs));

	rs->arena = arena_new();
	pthread_mutex_init(&rs->lock, NULL);
	return rs;
}

static void regex_done(struct rule_regex *r)
{
	pcre2_code_free(r->code);
	pcre2_code_free(r->fast);
}

static void unit_done(struct rule_unit *u)
{
	regex_done(&u->regex);
	if (u->hint)
		rule_hint_done(u->hint);
	free(u->hint);
}

static void rule_done(struct rule *r)
{
	for (size_t i = 0; i < r->n_excepts; i++)
		regex_done(&r->excepts[i].regex);
	free(r->excepts);
	free(r->examples);
}

void ruleset_free(struct ruleset *rs)
{
	if (!rs)
		return;
	for (size_t i = 0; i < rs->n_rules; i++)
		rule_done(&rs->rules[i]);
	for (size_t i = 0; i < rs->n_units; i++)
		unit_done(&rs->units[i]);
	for (size_t i = 0; i < rs->n_sets; i++)
		rule_set_free(rs->all_sets[i]);
	for (size_t i = 0; i < rs->n_confs; i++)
		conf_free(rs->confs[i]);
	rule_symbols_free(rs->symbols);
	rule_prepared_free(rs->prepared);
	pthread_mutex_destroy(&rs->lock);
	arena_free(rs->arena);
	free(rs->rules);
	free(rs->units);
	free(rs->all_sets);
	free(rs->confs);
	free(rs);
}

int rule_text_load(struct ruleset *rs, struct span text, const char *name, struct err *err)
{
	struct conf *c = NULL;
	int rc = conf_parse(text, name, &c, err);

	if (rc < 0)
		return rc;
	GROW(rs->confs, rs->n_confs, rs->cap_confs);
	rs->confs[rs->n_confs++] = c;
	return rule_pack_load(rs, c, err);
}

static int load_file(struct ruleset *rs, const char *path, struct sha256 *hash, struct err *err)
{
	AUTO_BUF text = BUF_INIT;
	uint64_t len;
	int rc = file_read(path, LIMIT_YAML_FILE, &text, err);

	if (rc == RC_TOOBIG)
		return err_at(err, RC_SYNTAX, path, 1, 1, "the file is larger than %zu bytes",
			      LIMIT_YAML_FILE);
	if (rc < 0)
		return rc;
	len = text.len;
	sha256_add(hash, &len, sizeof(len));
	sha256_add(hash, text.p, text.len);
	return rule_text_load(rs, buf_span(&text), path, err);
}

static int is_pack(const struct dirent *e)
{
	struct span name = span_str(e->d_name);

	return e->d_name[0] != '.' &&
	       (span_ends(name, SPAN_LIT(".yaml")) || span_ends(name, SPAN_LIT(".yml")));
}

static int load_folder(struct ruleset *rs, const char *path, struct sha256 *hash, struct err *err)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, is_pack, alphasort), rc = RC_OK;

	if (n < 0)
		return err_errno(err, RC_IO, "can't list %s", path);
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *file = xasprintf("%s/%s", path, names[i]->d_name);

		if (rc == RC_OK)
			rc = load_file(rs, file, hash, err);
		free(names[i]);
	}
	free(names);
	return rc;
}

static int load_paths(struct ruleset *rs, const char *const *paths, struct err *err)
{
	AUTO(sha256) hash = sha256_new();
	uint8_t digest[DIGEST_LEN];

	for (; *paths; paths++) {
		struct stat st;
		int rc;

		if (stat(*paths, &st) < 0)
			return err_errno(err, RC_NOTFOUND, "can't read the rules in %s", *paths);
		rc = S_ISDIR(st.st_mode) ? load_folder(rs, *paths, hash, err)
					 : load_file(rs, *paths, hash, err);
		if (rc < 0)
			return rc;
	}
	sha256_end(hash, digest);
	digest_hex(digest, DIGEST_LEN, rs->hash);
	return RC_OK;
}

static int read_policy(const char *name, unsigned *ret, struct err *err)
{
	const char *nearest;

	for (unsigned i = 0; rule_policy_names[i]; i++) {
		if (!strcmp(name, rule_policy_names[i])) {
			*ret = 1u << i;
			return RC_OK;
		}
	}
	nearest = conf_nearest(span_str(name), rule_policy_names);
	return err_set(err, RC_USAGE, "unknown policy; the nearest known one is \"%s\"",
		       nearest ? nearest : rule_policy_names[0]);
}

struct first_failure {
	struct err *err;
	bool failed;
};

static void on_failure(void *ctx, const struct rule_info *rule, unsigned line, bool error,
		       const char *what)
{
	struct first_failure *f = ctx;

	if (!error || f->failed)
		return;
	f->failed = true;
	err_at(f->err, RC_SYNTAX, rule->file, line, 1, "rule %s: %s", rule->id, what);
}

static int try_examples(struct ruleset *rs, struct err *err)
{
	struct first_failure f = { .err = err };
	AUTO(rule_scanner) s = NULL;
	size_t run = 0, failed = 0;
	int rc = rule_scanner_new(rs, &s, err);

	for (size_t i = 0; rc == RC_OK && i < rs->n_rules && !f.failed; i++)
		rc = rule_examples_run(s, &rs->rules[i], on_failure, &f, &run, &failed, err);
	return rc < 0 ? rc : f.failed ? RC_SYNTAX : RC_OK;
}

int ruleset_load(const struct ruleset_options *o, struct ruleset **ret, struct err *err)
{
	AUTO(ruleset) rs = rule_ruleset_new();
	int rc = read_policy(o->policy ? o->policy : "public", &rs->policy, err);

	if (rc == RC_OK)
		rc = load_paths(rs, o->paths, err);
	if (rc == RC_OK && o->added.len)
		rc = rule_text_load(rs, o->added, "added patterns", err);
	if (rc < 0)
		return rc;
	if (!rs->n_rules)
		return err_set(err, RC_SYNTAX, "no rules in the given packs");
	rule_symbols_index(rs);
	if (o->try_examples) {
		rc = try_examples(rs, err);
		if (rc < 0)
			return rc;
	}
	if (o->database)
		rule_prepared_open(rs, o->database, &rs->prepared);
	*ret = STEAL(rs);
	return RC_OK;
}

size_t ruleset_count(const struct ruleset *rs)
{
	return rs->n_rules;
}

const struct rule_info *ruleset_rule(const struct ruleset *rs, size_t i)
{
	return i < rs->n_rules ? &rs->rules[i].info : NULL;
}

void ruleset_hash(const struct ruleset *rs, char ret_hex[2 * DIGEST_LEN + 1])
{
	memcpy(ret_hex, rs->hash, sizeof(rs->hash));
}
