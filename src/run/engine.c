/* SPDX-License-Identifier: Apache-2.0 */
#include "run_internal.h"

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

struct learn_ctx {
	struct engine *e;
};

static int learn_member(void *ctx, const char *path, struct span text, struct buf *ret, struct err *err)
{
	struct learn_ctx *l = ctx;

	(void)ret;
	return learned_config(l->e->learned, l->e->rules, text, path, err);
}

static int learn_file(void *ctx, const char *path, const char *relative, struct err *err)
{
	struct archive_visitor visitor = { .text = learn_member, .ctx = ctx };
	struct learn_ctx *l = ctx;
	AUTO(mapping) map = NULL;
	int rc = mapping_open_path(path, &map, err);

	(void)relative;
	if (rc < 0)
		return rc;
	switch (archive_probe_bytes(mapping_span(map))) {
	case ARCHIVE_PLAIN:
		return learned_config(l->e->learned, l->e->rules, mapping_span(map), path, err);
	case ARCHIVE_COMPRESSED:
	case ARCHIVE_MEMBERS:
		return archive_walk(mapping_span(map), path, &visitor, err);
	case ARCHIVE_BINARY:
		/* a key in DER: learned_config knows it, anything else teaches nothing */
		return learned_config(l->e->learned, l->e->rules, mapping_span(map), path, err);
	}
	return RC_OK;
}

static int learn_configs(struct engine *e, const char *const *paths, struct err *err)
{
	struct learn_ctx ctx = { e };

	for (; paths && *paths; paths++) {
		int rc = run_walk(*paths, learn_file, NULL, &ctx, err);

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

static int new_redactor(struct engine *e, const struct run_options *o, bool keep_map, struct err *err)
{
	struct redact_options options = { .case_name = e->case_name, .keep_map = keep_map };
	AUTO(secret) key = NULL;
	int rc = o->key_file ? redact_key_read(o->key_file, &key, err) : RC_OK;

	if (rc < 0)
		return rc;
	options.key = key;
	return redactor_new(&options, &e->redactor, err);
}

int engine_new(const struct run_options *o, bool keep_map, struct engine **ret, struct err *err)
{
	AUTO(engine) e = xcalloc(1, sizeof(*e));
	int rc = o->case_name ? check_case_name(o->case_name, err) : RC_OK;

	if (rc < 0)
		return rc;
	e->options = o;
	e->case_name = o->case_name ? xstrdup(o->case_name) : random_case();
	e->learn_texts = !o->no_learn;
	rc = run_ruleset(o->rules, o->policy, &e->rules, err);
	if (rc < 0)
		return rc;
	rc = new_redactor(e, o, keep_map, err);
	if (rc < 0)
		return rc;
	e->learned = learned_new();
	e->check = check_new();
	rc = each_word(e, o->words, add_word, err);
	if (rc == RC_OK)
		rc = each_word(e, o->keep_words, keep_word, err);
	if (rc == RC_OK && !o->no_learn)
		rc = learn_configs(e, o->learn, err);
	if (rc == RC_OK && o->policy && strcmp(o->policy, "strict") == 0)
		rc = run_learn_machine(e->learned, err);
	if (rc == RC_OK)
		rc = detector_new(e->rules, NULL, &e->learner, err);
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
	free(e->case_name);
	free(e);
}

int engine_learn(struct engine *e, const struct artifact *a, struct err *err)
{
	return e->learn_texts ? detect_learn(e->learner, a, e->learned, err) : RC_OK;
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

		if (!v->held)
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
	rc = detect_learn(e->learner, a, more, err);
	if (rc < 0 || learned_count(more) == learned_count(e->learned))
		return rc;
	detector_free(STEAL(e->detector));
	check_free(e->check);
	e->check = check_new();
	learned_free(e->learned);
	e->learned = STEAL(more);
	rc = each_word(e, e->options->keep_words, keep_word, err);
	return rc < 0 ? rc : engine_seal(e, err);
}

/*
 * A sink that lets check look at every byte before it passes them on, in pieces that end at a line,
 * so that no value is cut in two.
 */
#define LOOK_BYTES MIB(1)

struct look_sink {
	struct sink sink;
	struct engine *e;
	const char *name;
	const struct engine_watch *watch;
	struct sink *next;
	uint64_t passed;
	struct buf pending;
};

static int look_item(void *ctx, const char *name, const struct check_item *item)
{
	struct look_sink *l = ctx;
	struct check_item moved = *item;

	moved.off += l->passed;
	return l->watch && l->watch->item ? l->watch->item(l->watch->item_ctx, name, &moved) : 0;
}

static int look_pass(struct look_sink *l, size_t n, struct err *err)
{
	struct span piece = span_make(l->pending.p, n);
	AUTO_BUF rest = BUF_INIT;
	int rc = check_look(l->e->check, l->name, piece, look_item, l, err);

	if (rc == RC_OK)
		rc = l->next->write(l->next, piece, err);
	if (rc < 0)
		return rc;
	l->passed += n;
	buf_add(&rest, l->pending.p + n, l->pending.len - n);
	buf_reset(&l->pending);
	buf_add_span(&l->pending, buf_span(&rest));
	return RC_OK;
}

static int look_write(struct sink *s, struct span bytes, struct err *err)
{
	struct look_sink *l = (struct look_sink *)s;

	while (bytes.len) {
		size_t n = bytes.len < LOOK_BYTES ? bytes.len : LOOK_BYTES;
		const char *end;
		int rc;

		buf_add(&l->pending, bytes.p, n);
		bytes = span_make(bytes.p + n, bytes.len - n);
		if (l->pending.len < LOOK_BYTES)
			continue;
		end = memrchr(l->pending.p, '\n', l->pending.len);
		if (!end)
			continue;	/* one very long line is looked at whole */
		rc = look_pass(l, end + 1 - l->pending.p, err);
		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

int engine_clean(struct engine *e, const struct artifact *a, const struct engine_watch *w,
		 struct sink *out, struct err *err)
{
	struct look_sink look = {
		.sink.write = look_write, .e = e, .name = a->name, .watch = w, .next = out,
		.pending = BUF_INIT,
	};
	int rc = redact_all(e->redactor, e->detector, a, &look.sink, w ? w->plan : NULL,
			    w ? w->plan_ctx : NULL, err);

	if (rc == RC_OK && look.pending.len)
		rc = look_pass(&look, look.pending.len, err);
	buf_done(&look.pending);
	return rc;
}

int engine_clean_sealed(struct engine *e, const struct artifact *a, const char *name,
			const struct engine_watch *w, struct scrubbed **ret, struct err *err)
{
	struct sink_buf out;
	int rc;

	sink_buf_init(&out);
	rc = redact_all(e->redactor, e->detector, a, &out.sink, w ? w->plan : NULL,
			w ? w->plan_ctx : NULL, err);
	if (rc == RC_OK)
		rc = check_clean(e->check, name, &out.buf, w ? w->item : NULL, w ? w->item_ctx : NULL,
				 ret, err);
	buf_done(&out.buf);
	return rc;
}

int engine_clean_name(struct engine *e, struct span name, struct buf *ret, struct err *err)
{
	AUTO_BUF copy = BUF_INIT;
	AUTO(artifact) a = NULL;
	struct sink_buf out;
	int rc;

	buf_add_span(&copy, name);
	a = artifact_from_buf("a file name", ARTIFACT_TEXT, &copy);
	sink_buf_init(&out);
	rc = engine_clean(e, a, NULL, &out.sink, err);
	if (rc == RC_OK)
		buf_add_span(ret, buf_span(&out.buf));
	buf_done(&out.buf);
	return rc;
}

int engine_seal_own(struct engine *e, const char *name, struct buf *text, struct scrubbed **ret,
		    struct err *err)
{
	return check_clean(e->check, name, text, NULL, NULL, ret, err);
}
