/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/manifest.h>
#include <corescrub/value.h>

#include <jansson.h>
#include <stdlib.h>

/* A manifest by the schema: tables of keys, each with what its value must be. */

enum want {
	WANT_TEXT, WANT_TEXT_OR_NULL, WANT_HASH, WANT_HASH_OR_NULL, WANT_HEX_OR_NULL, WANT_COUNT,
	WANT_TIME, WANT_KIND, WANT_SEVERITY, WANT_MODE, WANT_SCHEMA, WANT_TEXTS, WANT_FILES,
	WANT_ROWS, WANT_CORE, WANT_CONFINEMENT, WANT_LEFT_OUT,
	WANT_DECISIONS, WANT_ACCEPTED,
};
struct key { const char *name; enum want want; bool optional; };

static const struct key manifest_keys[] = {
	{ "schema", WANT_SCHEMA, false }, { "case", WANT_TEXT_OR_NULL, false },
	{ "tool", WANT_TEXT_OR_NULL, false }, { "ruleset", WANT_HASH_OR_NULL, false },
	{ "policy", WANT_TEXT_OR_NULL, false }, { "created", WANT_TIME, false },
	{ "fingerprint", WANT_HASH_OR_NULL, false }, { "files", WANT_FILES, false },
	{ "redactions", WANT_ROWS, false }, { "open", WANT_COUNT, false },
	{ "preexisting", WANT_COUNT, false }, { "confinement", WANT_CONFINEMENT, false },
	{ "recipients", WANT_TEXTS, false }, { "core", WANT_CORE, false },
	{ "left_out", WANT_LEFT_OUT, true }, { "open_accepted", WANT_ACCEPTED, true },
	{ "decisions", WANT_DECISIONS, true }, { "token_key", WANT_HEX_OR_NULL, true }, { 0 },
};
/* one of the two digests: report_manifest_files sees to it */
static const struct key file_keys[] = {
	{ "path", WANT_TEXT, false }, { "size", WANT_COUNT, false }, { "sha256", WANT_HASH, true },
	{ "sha256_data", WANT_HASH, true }, { "kind", WANT_TEXT_OR_NULL, false }, { 0 },
};
static const struct key left_out_keys[] = {
	{ "path", WANT_TEXT, false }, { "why", WANT_TEXT, false }, { 0 },
};
static const struct key row_keys[] = {
	{ "rule", WANT_TEXT, false }, { "kind", WANT_KIND, false }, { "severity", WANT_SEVERITY, false },
	{ "count", WANT_COUNT, false }, { "distinct", WANT_COUNT, false }, { 0 },
};
static const struct key core_keys[] = {
	{ "build_id", WANT_HEX_OR_NULL, false }, { "signal", WANT_TEXT_OR_NULL, false },
	{ "threads", WANT_COUNT, false }, { "mode", WANT_MODE, false }, { 0 },
};
static const struct key decisions_keys[] = {
	{ "sha256", WANT_HASH, false }, { "accept", WANT_COUNT, false }, { "keep", WANT_COUNT, false },
	{ "redact", WANT_COUNT, false }, { 0 },
};
static const struct key confinement_keys[] = { { "missing", WANT_TEXTS, false }, { 0 } };

static bool is_hex(const json_t *v, size_t len)
{
	const char *s = json_string_value(v);
	size_t n = s ? json_string_length(v) : 0;

	return s && n && n % 2 == 0 && (len == 0 || n == len) && strspn(s, "0123456789abcdef") == n;
}

/* RFC 3339 in UTC, to the second. */
static bool is_time(const json_t *v)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
	const char *s = json_string_value(v);

	/* a year may have more digits */
	while (s && strlen(s) > sizeof(form) - 1 && *s >= '0' && *s <= '9')
		s++;
	if (!s || strlen(s) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return false;
	return true;
}

static bool is_one_of(const json_t *v, const char *const *words)
{
	const char *s = json_string_value(v);

	for (; s && *words; words++)
		if (strcmp(s, *words) == 0)
			return true;
	return false;
}

/* What is free to hold any text: for a look at what stands there. */
static void add_free(const json_t *v, enum want want, struct buf *ret)
{
	if (want == WANT_TEXT || want == WANT_TEXT_OR_NULL || want == WANT_TEXTS) {
		for (size_t i = 0; i < json_array_size(v); i++)
			add_free(json_array_get(v, i), WANT_TEXT, ret);
		if (json_is_string(v)) {
			buf_add(ret, json_string_value(v), json_string_length(v));
			buf_add_char(ret, '\n');
		}
	}
}

static bool is_texts(const json_t *v)
{
	for (size_t i = 0; i < json_array_size(v); i++)
		if (!json_is_string(json_array_get(v, i)))
			return false;
	return json_is_array(v);
}

static bool fits_word(const json_t *v, enum want want)
{
	static const char *const modes[] = { "none", "raw", "scrubbed", "stacks", NULL };
	static const char *const accepted[] = { "option", "review", NULL };
	static const char *const schemas[] = { "corescrub-manifest-1", NULL };
	struct span text = json_is_string(v) ? span_make(json_string_value(v), json_string_length(v)) :
					       SPAN_LIT("");
	enum severity severity;
	enum kind kind;

	switch (want) {
	case WANT_KIND:
		return value_kind_parse(text, &kind);
	case WANT_SEVERITY:
		return value_severity_parse(text, &severity);
	case WANT_MODE:
		return is_one_of(v, modes);
	case WANT_ACCEPTED:
		return json_is_null(v) || is_one_of(v, accepted);
	default:
		return is_one_of(v, schemas);
	}
}

static bool fits_scalar(const json_t *v, enum want want)
{
	switch (want) {
	case WANT_TEXT:
		return json_is_string(v);
	case WANT_TEXT_OR_NULL:
		return json_is_string(v) || json_is_null(v);
	case WANT_HASH:
		return is_hex(v, 2 * DIGEST_LEN);
	case WANT_HASH_OR_NULL:
		return json_is_null(v) || is_hex(v, 2 * DIGEST_LEN);
	case WANT_HEX_OR_NULL:
		return json_is_null(v) || is_hex(v, 0);
	case WANT_COUNT:
		return json_is_integer(v) && json_integer_value(v) >= 0;
	case WANT_TIME:
		return is_time(v);
	case WANT_TEXTS:
		return is_texts(v);
	default:
		return fits_word(v, want);
	}
}

static int check_object(const json_t *v, const struct key *keys, const char *where,
			struct buf *free_text, struct err *err);

static int check_list(const json_t *v, const struct key *keys, const char *where,
		      struct buf *free_text, struct err *err)
{
	if (!json_is_array(v))
		return err_set(err, RC_FORMAT, "%s is no list", where);
	for (size_t i = 0; i < json_array_size(v); i++) {
		AUTO_FREE char *at = xasprintf("%s[%zu]", where, i);
		int rc = check_object(json_array_get(v, i), keys, at, free_text, err);

		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

static int check_value(const json_t *v, enum want want, const char *where, struct buf *free_text,
		       struct err *err)
{
	switch (want) {
	case WANT_FILES:
		return check_list(v, file_keys, where, free_text, err);
	case WANT_ROWS:
		return check_list(v, row_keys, where, free_text, err);
	case WANT_DECISIONS:
		return json_is_null(v) ? RC_OK : check_object(v, decisions_keys, where, free_text, err);
	case WANT_LEFT_OUT:
		return check_list(v, left_out_keys, where, free_text, err);
	case WANT_CORE:
		return check_object(v, core_keys, where, free_text, err);
	case WANT_CONFINEMENT:
		return check_object(v, confinement_keys, where, free_text, err);
	default:
		if (!fits_scalar(v, want))
			return err_set(err, RC_FORMAT, "%s is not what the schema says", where);
		add_free(v, want, free_text);
		return RC_OK;
	}
}

/* Keys that nobody knows could hold anything: they are counted, their names not shown. */
static int check_object(const json_t *v, const struct key *keys, const char *where,
			struct buf *free_text, struct err *err)
{
	size_t known = 0;

	if (!json_is_object(v))
		return err_set(err, RC_FORMAT, "%s is no object", *where ? where : "the manifest");
	for (; keys->name; keys++) {
		AUTO_FREE char *at = xasprintf("%s%s%s", where, *where ? "." : "", keys->name);
		const json_t *child = json_object_get(v, keys->name);
		int rc;

		if (!child && keys->optional)
			continue;
		if (!child)
			return err_set(err, RC_FORMAT, "%s is missing", at);
		rc = check_value(child, keys->want, at, free_text, err);
		if (rc < 0)
			return rc;
		known++;
	}
	if (json_object_size(v) != known)
		return err_set(err, RC_FORMAT, "%s has a key that the schema lacks",
			       *where ? where : "the manifest");
	return RC_OK;
}

static const char *text_of(struct arena *a, const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? arena_strndup(a, s, strlen(s)) : "";
}

static struct manifest *take(const json_t *root, struct buf *free_text)
{
	struct manifest *m = xcalloc(1, sizeof(*m));

	m->arena = arena_new();
	m->texts = *free_text;
	*free_text = (struct buf)BUF_INIT;
	m->case_name = text_of(m->arena, root, "case");
	m->ruleset = text_of(m->arena, root, "ruleset");
	m->policy = text_of(m->arena, root, "policy");
	m->mode = text_of(m->arena, json_object_get(root, "core"), "mode");
	m->token_key = text_of(m->arena, root, "token_key");
	m->decisions = text_of(m->arena, json_object_get(root, "decisions"), "sha256");
	m->open = (uint64_t)json_integer_value(json_object_get(root, "open"));
	return m;
}

int manifest_read(struct span text, const char *name, struct manifest **ret, struct err *err)
{
	json_error_t at;
	json_t *root = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, &at);
	AUTO(manifest) m = NULL;
	AUTO_BUF free_text = BUF_INIT;
	int rc;

	/* jansson's own words may quote the text */
	if (!root)
		return err_at(err, RC_SYNTAX, name, at.line > 0 ? (unsigned)at.line : 1,
			      at.column > 0 ? (unsigned)at.column : 1, "no JSON, or a key stands twice");
	rc = check_object(root, manifest_keys, "", &free_text, err);
	if (rc == RC_OK)
		m = take(root, &free_text);
	json_decref(root);
	if (rc == RC_OK)
		rc = report_manifest_files(text, &m->files, &m->n_files, err);
	if (rc == RC_OK)
		*ret = STEAL(m);
	return rc;
}

void manifest_free(struct manifest *m)
{
	if (!m)
		return;
	report_files_free(m->files, m->n_files);
	buf_done(&m->texts);
	arena_free(m->arena);
	free(m);
}
