/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

#include <corescrub/age.h>
#include <corescrub/archive.h>

#include <fcntl.h>
#include <stdlib.h>

/* Each line of a --words or --keep-words file, white space at its ends aside. */
typedef int (*word_fn)(struct engine *e, struct span word, struct err *err);

static int add_word(struct engine *e, struct span word, struct err *err)
{
	return learned_add(e->learned, KIND_NAME, word, LEARN_WORDS, err);
}

static int keep_word(struct engine *e, struct span word, struct err *err)
{
	check_keep(e->check, word);
	return learned_keep(e->learned, word, err);
}

static int each_word(struct engine *e, const char *const *paths, word_fn fn, struct err *err)
{
	for (; paths && *paths; paths++) {
		AUTO_BUF text = BUF_INIT;
		int rc = file_read(*paths, MIB(16), &text, err);
		size_t from = 0;

		while (rc == RC_OK && from < text.len) {
			struct span all = buf_span(&text);
			ssize_t end = span_find(all, SPAN_LIT("\n"), from);
			struct span word;

			if (end < 0)
				end = text.len;
			word = span_trim(span_sub(all, from, end));
			if (word.len)
				rc = fn(e, word, err);
			from = end + 1;
		}
		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

/* By its keys, and as any text: the callers, peers and addresses that rules find in it. */
static int learn_config_text(struct engine *e, struct span text, const char *path, struct err *err)
{
	AUTO(artifact) a = artifact_new(path, ARTIFACT_TEXT);
	int rc = learned_config(e->learned, e->rules, text, path, err);

	a->text = text;
	return rc < 0 ? rc :
		detect_learn(e->learner, a, LEARN_CONFIG, text.len > LIMIT_LEARN_TEXT, e->learned, err);
}

static int learn_member(void *ctx, const char *path, struct span text, struct buf *ret,
			struct err *err)
{
	(void)ret;
	return learn_config_text(ctx, text, path, err);
}

int engine_learn_config(struct engine *e, struct span bytes, const char *path, struct err *err)
{
	struct archive_visitor visitor = { .text = learn_member, .ctx = e };

	switch (archive_probe_bytes(bytes)) {
	case ARCHIVE_PLAIN:
		return learn_config_text(e, bytes, path, err);
	case ARCHIVE_COMPRESSED:
	case ARCHIVE_MEMBERS:
		return archive_walk(bytes, path, &visitor, err);
	case ARCHIVE_BINARY:
		/* a key in DER: learned_config knows it, anything else teaches nothing */
		return learned_config(e->learned, e->rules, bytes, path, err);
	}
	return RC_OK;
}

static int learn_file(void *ctx, const char *path, const char *relative, struct err *err)
{
	AUTO(mapping) map = NULL;
	int rc = mapping_open_path(path, &map, err);

	(void)relative;
	return rc < 0 ? rc : engine_learn_config(ctx, mapping_span(map), path, err);
}

static int learn_configs(struct engine *e, const char *const *paths, struct err *err)
{
	for (; paths && *paths; paths++) {
		int rc = run_walk(*paths, learn_file, NULL, e, err);

		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

static char *random_case(void)
{
	uint8_t bytes[8];
	char hex[17];

	digest_random(bytes, sizeof(bytes));
	digest_hex(bytes, sizeof(bytes), hex);
	return xstrdup(hex);
}

static int check_case_name(const char *name, struct err *err)
{
	for (const char *p = name; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *p))
			return err_set(err, RC_USAGE,
				       "a case is named by letters, digits, dot, dash and underscore");
	if (!*name || *name == '.' || strlen(name) > 100)
		return err_set(err, RC_USAGE, "a case's name has 1 to 100 characters, no dot first");
	return RC_OK;
}

static int new_redactor(struct engine *e, const struct run_options *o, bool keep_map,
			struct err *err)
{
	struct redact_options options = { .case_name = e->case_name, .keep_map = keep_map };
	__attribute__((cleanup(strings_done))) struct strings kept = { 0 };
	AUTO(secret) key = NULL;
	int rc = o->key_file ? redact_key_read(o->key_file, &key, err) : RC_OK;

	if (rc < 0)
		return rc;
	options.key = key;
	engine_kept_tokens(e, &kept);
	options.kept = strings_list(&kept);
	rc = redactor_new(&options, &e->redactor, err);
	return rc < 0 ? rc : engine_decisions_fit(e, err);
}

int engine_new(const struct run_options *o, bool keep_map, struct engine **ret, struct err *err)
{
	AUTO(engine) e = xcalloc(1, sizeof(*e));
	int rc = o->case_name ? check_case_name(o->case_name, err) : RC_OK;

	if (rc < 0)
		return rc;
	e->options = o;
	rc = engine_decisions(e, o, err);
	if (rc < 0)
		return rc;
	e->case_name = e->decisions ? xstrdup(e->decisions->case_name) :
		       o->case_name ? xstrdup(o->case_name) : random_case();
	e->learn_texts = !o->no_learn;
	rc = run_map_recipients(o->map_recipients, &e->map_recipients, err);
	if (rc < 0)
		return rc;
	rc = run_ruleset(o->rules, o->policy, e->decisions, &e->rules, err);
	if (rc < 0)
		return rc;
	rc = new_redactor(e, o, keep_map, err);
	if (rc < 0)
		return rc;
	e->learned = learned_new();
	e->check = check_new();
	rc = detector_new(e->rules, NULL, &e->learner, err);
	if (rc == RC_OK)
		rc = engine_added_words(e, err);
	if (rc == RC_OK)
		rc = each_word(e, o->words, add_word, err);
	if (rc == RC_OK)
		rc = each_word(e, o->keep_words, keep_word, err);
	if (rc == RC_OK && !o->no_learn)
		rc = learn_configs(e, o->learn, err);
	if (rc == RC_OK && o->policy && strcmp(o->policy, "strict") == 0)
		rc = run_learn_machine(e->learned, err);
	if (rc < 0)
		return rc;
	*ret = STEAL(e);
	return RC_OK;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	detector_free(e->learner);
	detector_free(e->detector);
	redactor_free(e->redactor);
	learned_free(e->learned);
	check_free(e->check);
	ruleset_free(e->rules);
	age_recipients_free(e->map_recipients);
	decisions_free(e->decisions);
	free(e->case_name);
	free(e);
}

int engine_learn(struct engine *e, const struct artifact *a, struct err *err)
{
	bool large = a->text.len > LIMIT_LEARN_TEXT;

	if (!e->learn_texts)
		return RC_OK;
	return detect_learn(e->learner, a, LEARN_MATERIAL, large, e->learned, err);
}

int engine_count(struct engine *e, const struct artifact *a, struct err *err)
{
	return e->learn_texts ? learned_count_in(e->learned, a->text, err) : RC_OK;
}

/* Kinds that no rule of the policy takes may stand in the output: the second look lets them. */
static void allow_kinds(struct engine *e)
{
	bool taken[KIND_COUNT] = { false };

	for (size_t i = 0; i < ruleset_count(e->rules); i++)
		if (ruleset_rule(e->rules, i)->active)
			taken[ruleset_rule(e->rules, i)->kind] = true;
	for (unsigned kind = 0; kind < KIND_COUNT; kind++)
		/* rules say ip4 and ip6, findings also tell the private ones */
		if (!taken[kind] && kind != KIND_IP4_LAN && kind != KIND_IP6_LAN)
			check_allow(e->check, kind);
}

/* Check and detector for what is learned by now. */
static int seal_parts(struct engine *e, struct err *err)
{
	int rc;

	for (size_t i = 0; i < learned_count(e->learned); i++) {
		const struct learned_value *v = learned_get(e->learned, i);

		if (!v->held && !redact_is_kept(e->redactor, v->kind, v->bytes))
			check_know(e->check, v->kind, v->bytes);
	}
	allow_kinds(e);
	rc = check_seal(e->check, err);
	if (rc < 0)
		return rc;
	return detector_new(e->rules, e->learned, &e->detector, err);
}

int engine_seal(struct engine *e, struct err *err)
{
	int rc = learned_seal(e->learned, err);

	return rc < 0 ? rc : seal_parts(e, err);
}

int engine_learn_more(struct engine *e, const struct artifact *a, struct err *err)
{
	AUTO(learned) more = NULL;
	int rc;

	if (!e->learn_texts)
		return RC_OK;
	more = learned_clone(e->learned);
	/* each new value means new tables: for secrets alone */
	rc = detect_learn(e->learner, a, LEARN_MATERIAL, true, more, err);
	if (rc < 0 || learned_count(more) == learned_count(e->learned))
		return rc;
	detector_free(STEAL(e->detector));
	check_free(e->check);
	e->check = check_new();
	e->kept_seen = 0;
	learned_free(e->learned);
	e->learned = STEAL(more);
	rc = each_word(e, e->options->keep_words, keep_word, err);
	return rc < 0 ? rc : engine_seal(e, err);
}
