/* SPDX-License-Identifier: Apache-2.0 */
#include "report_jansson.h"

#include <stdlib.h>

/* manifest.json (doc/manifest.schema.json), lines of findings, the table as JSON. */

static void add_valid(struct span s, struct buf *ret)
{
	buf_add_str(ret, "");
	for (size_t i = 0; i < s.len;) {
		uint32_t point;
		size_t len = report_char(span_sub(s, i, s.len), &point);

		if (point == REPORT_INVALID)
			buf_add_str(ret, "\xef\xbf\xbd");
		else
			buf_add(ret, s.p + i, len);
		i += len;
	}
}

json_t *report_json_text(struct span s)
{
	AUTO_BUF clean = BUF_INIT;

	add_valid(s, &clean);
	return json_stringn(clean.p, clean.len);
}

void report_manifest_path(const char *path, struct buf *ret)
{
	add_valid(span_str(path), ret);
}

static json_t *str_value(const char *s)
{
	return s && *s ? report_json_text(span_str(s)) : json_null();
}

static json_t *count_value(uint64_t n)
{
	return json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX : n));
}

json_t *report_json_digest(const uint8_t digest[DIGEST_LEN])
{
	static const uint8_t none[DIGEST_LEN];
	char hex[2 * DIGEST_LEN + 1];

	if (memcmp(digest, none, DIGEST_LEN) == 0)
		return json_null();
	digest_hex(digest, DIGEST_LEN, hex);
	return json_string(hex);
}

static json_t *list_value(const char *const *v)
{
	json_t *list = json_array();

	for (; v && *v; v++)
		json_array_append_new(list, str_value(*v));
	return list;
}

static json_t *rows_value(const struct report_account *a)
{
	AUTO_FREE struct report_row *rows = report_sorted_rows(a);
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_rows; i++) {
		json_t *row = json_object();

		json_object_set_new(row, "rule", str_value(rows[i].rule->id));
		json_object_set_new(row, "kind", str_value(report_row_kind(&rows[i])));
		json_object_set_new(row, "severity",
				    str_value(value_severity_name(rows[i].rule->severity)));
		json_object_set_new(row, "count", count_value(rows[i].count));
		json_object_set_new(row, "distinct", count_value(rows[i].distinct));
		json_array_append_new(list, row);
	}
	return list;
}

static int by_path(const void *x, const void *y)
{
	const struct report_file *a = x, *b = y;

	return strcmp(a->path, b->path);
}

static json_t *files_value(const struct report_account *a)
{
	AUTO_FREE struct report_file *files = xcalloc(a->n_files + 1, sizeof(*files));
	json_t *list = json_array();

	if (a->n_files)
		memcpy(files, a->files, a->n_files * sizeof(*files));
	qsort(files, a->n_files, sizeof(*files), by_path);
	for (size_t i = 0; i < a->n_files; i++) {
		json_t *file = json_object();

		json_object_set_new(file, "path", str_value(files[i].path));
		json_object_set_new(file, "size", count_value(files[i].size));
		json_object_set_new(file, files[i].of_data ? "sha256_data" : "sha256",
				    report_json_digest(files[i].sha256));
		json_object_set_new(file, "kind", str_value(files[i].kind));
		json_array_append_new(list, file);
	}
	return list;
}

static json_t *left_out_value(const struct report_account *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_left_out; i++) {
		json_t *file = json_object();

		json_object_set_new(file, "path", str_value(a->left_out[i].path));
		json_object_set_new(file, "why", str_value(a->left_out[i].why));
		json_array_append_new(list, file);
	}
	return list;
}

static json_t *core_value(const struct report_account *a)
{
	json_t *core = json_object();

	json_object_set_new(core, "build_id", str_value(a->build_id));
	json_object_set_new(core, "signal", str_value(a->signal));
	json_object_set_new(core, "threads", count_value(a->threads));
	json_object_set_new(core, "mode", str_value(a->mode ? a->mode : "none"));
	return core;
}

static json_t *decisions_value(const struct report_decisions *d)
{
	json_t *root = json_object();

	if (!d) {
		json_decref(root);
		return json_null();
	}
	json_object_set_new(root, "sha256", report_json_digest(d->sha256));
	json_object_set_new(root, "accept", count_value(d->accept));
	json_object_set_new(root, "keep", count_value(d->keep));
	json_object_set_new(root, "redact", count_value(d->redact));
	return root;
}

int report_json_dump(json_t *root, size_t flags, struct buf *ret, struct err *err)
{
	char *text = json_dumps(root, flags | JSON_ENSURE_ASCII);

	json_decref(root);
	if (!text)
		return err_set(err, RC_NOMEM, "no memory to write JSON");
	buf_add_str(ret, text);
	buf_add_char(ret, '\n');
	free(text);
	return RC_OK;
}

int report_manifest(const struct report_account *a, struct buf *ret, struct err *err)
{
	json_t *root = json_object();
	json_t *confinement = json_object();
	char created[32];

	report_time(a->created, created);
	json_object_set_new(root, "schema", json_string(MANIFEST_SCHEMA));
	json_object_set_new(root, "case", str_value(a->case_name));
	json_object_set_new(root, "tool", str_value(a->tool));
	json_object_set_new(root, "ruleset", str_value(a->ruleset));
	json_object_set_new(root, "policy", str_value(a->policy));
	json_object_set_new(root, "created", json_string(created));
	json_object_set_new(root, "fingerprint", report_json_digest(a->fingerprint));
	json_object_set_new(root, "files", files_value(a));
	json_object_set_new(root, "redactions", rows_value(a));
	json_object_set_new(root, "open", count_value(a->open));
	json_object_set_new(root, "open_accepted", str_value(a->open_accepted));
	json_object_set_new(root, "decisions", decisions_value(a->decisions));
	json_object_set_new(root, "token_key", str_value(a->token_key));
	json_object_set_new(root, "preexisting", count_value(a->preexisting));
	json_object_set_new(confinement, "missing", list_value(a->confinement));
	json_object_set_new(root, "confinement", confinement);
	json_object_set_new(root, "recipients", list_value(a->recipients));
	json_object_set_new(root, "core", core_value(a));
	if (a->n_left_out)
		json_object_set_new(root, "left_out", left_out_value(a));
	return report_json_dump(root, JSON_INDENT(2), ret, err);
}

int report_finding(const struct finding *f, const struct finding_rule *rule, struct span token,
		   const char *file, uint64_t line, uint64_t col, const char *path, struct buf *ret,
		   struct err *err)
{
	json_t *root = json_object();

	json_object_set_new(root, "rule", str_value(rule->id));
	json_object_set_new(root, "kind", str_value(value_kind_name(f->kind)));
	json_object_set_new(root, "token", report_json_text(token));
	json_object_set_new(root, "file", report_json_text(span_str(file ? file : "")));
	json_object_set_new(root, "line", count_value(line));
	json_object_set_new(root, "column", count_value(col));
	json_object_set_new(root, "length", count_value(f->len));
	json_object_set_new(root, "symbol_path", str_value(path));
	return report_json_dump(root, JSON_COMPACT, ret, err);
}

static void table_json(const struct report_account *a, struct buf *ret)
{
	json_t *root = json_object();

	json_object_set_new(root, "policy", str_value(a->policy));
	json_object_set_new(root, "redactions", rows_value(a));
	json_object_set_new(root, "open", count_value(a->open));
	json_object_set_new(root, "hints", count_value(a->hints));
	json_object_set_new(root, "preexisting", count_value(a->preexisting));
	if (a->recipients)
		json_object_set_new(root, "recipients", list_value(a->recipients));
	if (report_json_dump(root, JSON_INDENT(2), ret, NULL) < 0)
		abort(); /* out of memory; bookkeeping may die */
}

void report_table(const struct report_account *a, bool json, struct buf *ret)
{
	if (json)
		table_json(a, ret);
	else
		report_table_text(a, ret);
}
