/* SPDX-License-Identifier: Apache-2.0 */
#include "report_jansson.h"

#include <corescrub/sarif.h>

#define SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"

/* 3.27.10: what a viewer sorts by. */
static const char *level_of(enum severity severity)
{
	switch (severity) {
	case SEVERITY_CRITICAL:
	case SEVERITY_HIGH:
		return "error";
	case SEVERITY_MEDIUM:
		return "warning";
	case SEVERITY_LOW:
		break;
	}
	return "note";
}

/* {"text": …}, as a message (3.11) or a multiformat one (3.12). */
static json_t *message_value(const char *text)
{
	json_t *message = json_object();

	json_object_set_new(message, "text", report_json_text(span_str(text)));
	return message;
}

/* 3.4.3: a URI reference (RFC 3986); what has no place in a path is percent-encoded. */
static json_t *uri_value(const char *file)
{
	AUTO_BUF uri = BUF_INIT;

	/* the first segment of a relative one must not look like a scheme */
	if (strchr(file, ':') && *file != '/')
		buf_add_str(&uri, "./");
	for (; *file; file++) {
		unsigned char c = (unsigned char)*file;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~/!$&'()*+,;=:@", c))
			buf_add_char(&uri, (char)c);
		else
			buf_addf(&uri, "%%%02X", c);
	}
	return json_stringn(uri.p ? uri.p : "", uri.len);
}

static json_t *location_value(const struct sarif_place *at)
{
	json_t *location = json_object(), *physical = json_object(), *artifact = json_object();
	json_t *region = json_object();

	json_object_set_new(artifact, "uri", uri_value(at->file));
	json_object_set_new(region, "startLine", json_integer((json_int_t)at->line));
	json_object_set_new(region, "startColumn", json_integer((json_int_t)at->col));
	json_object_set_new(region, "byteOffset", json_integer((json_int_t)at->off));
	json_object_set_new(region, "byteLength", json_integer((json_int_t)at->len));
	json_object_set_new(physical, "artifactLocation", artifact);
	json_object_set_new(physical, "region", region);
	json_object_set_new(location, "physicalLocation", physical);
	if (at->symbol_path && *at->symbol_path) {
		json_t *logical = json_object(), *list = json_array();

		json_object_set_new(logical, "fullyQualifiedName",
				    report_json_text(span_str(at->symbol_path)));
		json_array_append_new(list, logical);
		json_object_set_new(location, "logicalLocations", list);
	}
	return location;
}

void sarif_begin(struct buf *ret)
{
	buf_add_str(ret, "{\"$schema\":\"" SCHEMA "\",\"version\":\"2.1.0\",\"runs\":[{\n"
			 "\"columnKind\":\"unicodeCodePoints\",\"results\":[\n");
}

int sarif_result(const struct finding *f, const struct finding_rule *rule, struct span token,
		 const struct sarif_place *at, bool first, struct buf *ret, struct err *err)
{
	const char *kind = value_kind_name((enum kind)f->kind);
	AUTO_FREE char *text =
		token.len ? xasprintf("%s replaced by %.*s", kind, (int)token.len, token.p)
			  : xasprintf("%s removed", kind);
	json_t *root = json_object(), *locations = json_array(), *properties = json_object();

	json_object_set_new(root, "ruleId", json_string(rule->id));
	json_object_set_new(root, "level", json_string(level_of(rule->severity)));
	json_object_set_new(root, "message", message_value(text));
	json_array_append_new(locations, location_value(at));
	json_object_set_new(root, "locations", locations);
	json_object_set_new(properties, "kind", json_string(kind));
	json_object_set_new(properties, "token", report_json_text(token));
	json_object_set_new(root, "properties", properties);
	if (!first)
		buf_add_char(ret, ',');
	return report_json_dump(root, JSON_COMPACT, ret, err);
}

static json_t *rule_value(const struct finding_rule *rule)
{
	json_t *o = json_object(), *standard = json_object(), *properties = json_object();

	json_object_set_new(o, "id", json_string(rule->id));
	json_object_set_new(o, "shortDescription",
			    message_value(rule->summary && *rule->summary ? rule->summary : rule->id));
	json_object_set_new(standard, "level", json_string(level_of(rule->severity)));
	json_object_set_new(o, "defaultConfiguration", standard);
	json_object_set_new(properties, "kind", json_string(value_kind_name(rule->kind)));
	json_object_set_new(properties, "severity", json_string(value_severity_name(rule->severity)));
	json_object_set_new(o, "properties", properties);
	return o;
}

int sarif_end(const struct finding_rule *const *rules, size_t n, struct buf *ret, struct err *err)
{
	json_t *tool = json_object(), *driver = json_object(), *list = json_array();
	int rc;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, rule_value(rules[i]));
	json_object_set_new(driver, "name", json_string("corescrub"));
	json_object_set_new(driver, "version", json_string(CORESCRUB_VERSION));
	json_object_set_new(driver, "rules", list);
	json_object_set_new(tool, "driver", driver);
	buf_add_str(ret, "],\"tool\":");
	rc = report_json_dump(tool, JSON_COMPACT, ret, err);
	buf_add_str(ret, "}]}\n");
	return rc;
}
