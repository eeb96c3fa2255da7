/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <jansson.h>
#include <stdlib.h>

/* files[] of a manifest that came with a package: hostile, like all of it. */

static int by_path(const void *x, const void *y)
{
	const struct report_file *a = x, *b = y;

	return strcmp(a->path, b->path);
}

static bool read_file(const json_t *row, struct report_file *ret)
{
	const char *path = json_string_value(json_object_get(row, "path"));
	const char *kind = json_string_value(json_object_get(row, "kind"));
	const json_t *size = json_object_get(row, "size");
	const json_t *whole = json_object_get(row, "sha256"), *data = json_object_get(row, "sha256_data");
	const char *hex = json_string_value(data ? data : whole);
	struct report_file f = { .of_data = data != NULL };

	if (!path || !*path || !json_is_integer(size) || json_integer_value(size) < 0 ||
	    (whole && data) || !hex || !digest_from_hex(span_str(hex), f.sha256))
		return false;
	f.size = (uint64_t)json_integer_value(size);
	f.path = xstrdup(path);
	f.kind = xstrdup(kind ? kind : "");
	*ret = f;
	return true;
}

static int read_files(const json_t *list, struct report_file *v, size_t *n, struct err *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!read_file(json_array_get(list, i), &v[i]))
			return err_set(err, RC_FORMAT, "the manifest's list of files is damaged");
		*n = i + 1;
	}
	if (*n)
		qsort(v, *n, sizeof(*v), by_path);
	for (size_t i = 1; i < *n; i++)
		if (strcmp(v[i - 1].path, v[i].path) == 0)
			return err_set(err, RC_FORMAT, "the manifest lists a file twice");
	return RC_OK;
}

int report_manifest_files(struct span json, struct report_file **ret, size_t *ret_n,
			  struct err *err)
{
	json_t *root = json_loadb(json.p ? json.p : "", json.len, JSON_REJECT_DUPLICATES, NULL);
	const char *schema = json_string_value(json_object_get(root, "schema"));
	const json_t *list = json_object_get(root, "files");
	struct report_file *v;
	size_t n = 0;
	int rc;

	if (!schema || strcmp(schema, MANIFEST_SCHEMA) != 0 || !json_is_array(list)) {
		json_decref(root);
		return err_set(err, RC_FORMAT, "no manifest of corescrub's");
	}
	v = xcalloc(json_array_size(list) + 1, sizeof(*v));
	rc = read_files(list, v, &n, err);
	json_decref(root);
	if (rc < 0) {
		report_files_free(v, n);
		return rc;
	}
	*ret = v;
	*ret_n = n;
	return RC_OK;
}

void report_files_free(struct report_file *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((char *)v[i].path);
		free((char *)v[i].kind);
	}
	free(v);
}
