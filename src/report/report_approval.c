/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <jansson.h>
#include <stdlib.h>
#include <time.h>

/* An approval's text: what is signed, byte for byte. */

#define APPROVAL_SCHEMA "corescrub-approval-1"

int report_approval(const struct report_approval *a, struct buf *ret, struct err *err)
{
	json_t *root = json_object();
	char time[32], not_after[32];

	report_time(a->time, time);
	report_time(a->not_after, not_after);
	json_object_set_new(root, "schema", json_string(APPROVAL_SCHEMA));
	json_object_set_new(root, "manifest", report_json_digest(a->manifest));
	json_object_set_new(root, "decisions", report_json_digest(a->decisions));
	json_object_set_new(root, "policy", report_json_text(span_str(a->policy)));
	json_object_set_new(root, "ruleset", report_json_text(span_str(a->ruleset)));
	json_object_set_new(root, "name", report_json_text(span_str(a->name)));
	json_object_set_new(root, "purpose", report_json_text(span_str(a->purpose)));
	json_object_set_new(root, "time", json_string(time));
	json_object_set_new(root, "not_after", json_string(not_after));
	return report_json_dump(root, JSON_INDENT(2), ret, err);
}

static bool read_digest(const json_t *root, const char *key, bool may_lack, uint8_t ret[DIGEST_LEN])
{
	const json_t *v = json_object_get(root, key);
	const char *hex = json_string_value(v);

	memset(ret, 0, DIGEST_LEN);
	if (json_is_null(v))
		return may_lack;
	return hex && digest_from_hex(span_str(hex), ret);
}

static bool read_string(const json_t *root, const char *key, char **ret)
{
	const char *s = json_string_value(json_object_get(root, key));

	if (!s)
		return false;
	*ret = xstrdup(s);
	return true;
}

static bool read_time(const json_t *root, const char *key, int64_t *ret)
{
	const char *s = json_string_value(json_object_get(root, key));
	struct tm tm = { 0 };
	const char *end = s ? strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;

	if (!end || *end)
		return false;
	*ret = timegm(&tm);
	return true;
}

int report_approval_read(struct span json, struct report_approval *ret, struct err *err)
{
	json_t *root = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
	struct report_approval a = { 0 };
	AUTO_FREE char *schema = NULL;
	bool good = root && read_string(root, "schema", &schema) &&
		    strcmp(schema, APPROVAL_SCHEMA) == 0 &&
		    read_digest(root, "manifest", false, a.manifest) &&
		    read_digest(root, "decisions", true, a.decisions) &&
		    read_string(root, "policy", &a.policy) &&
		    read_string(root, "ruleset", &a.ruleset) && read_string(root, "name", &a.name) &&
		    read_string(root, "purpose", &a.purpose) && read_time(root, "time", &a.time) &&
		    read_time(root, "not_after", &a.not_after);

	json_decref(root);
	if (!good) {
		report_approval_done(&a);
		return err_set(err, RC_FORMAT, "this is no approval");
	}
	*ret = a;
	return RC_OK;
}

void report_approval_done(struct report_approval *a)
{
	free(a->policy);
	free(a->ruleset);
	free(a->name);
	free(a->purpose);
}
