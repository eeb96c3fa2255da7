/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

#include <corescrub/conf.h>

/*
 * Configs that are trees. JSON is walked here, since the settings' reader takes a subset only and a
 * file that another program can read must not go unread; what of YAML it refuses is read as lines.
 */

struct json {
	struct config_reader *r;
	struct span text;
	size_t at;
	unsigned depth;
	bool bad;
};

static char json_peek(struct json *j)
{
	while (j->at < j->text.len && j->text.p[j->at] && strchr(" \t\r\n", j->text.p[j->at]))
		j->at++;
	return j->at < j->text.len ? j->text.p[j->at] : '\0';
}

static void put_utf8(struct buf *b, uint32_t cp)
{
	if (cp < 0x80) {
		buf_add_char(b, (char)cp);
	} else if (cp < 0x800) {
		buf_add_char(b, (char)(0xc0 | cp >> 6));
		buf_add_char(b, (char)(0x80 | (cp & 0x3f)));
	} else if (cp < 0x10000) {
		buf_add_char(b, (char)(0xe0 | cp >> 12));
		buf_add_char(b, (char)(0x80 | (cp >> 6 & 0x3f)));
		buf_add_char(b, (char)(0x80 | (cp & 0x3f)));
	} else {
		buf_add_char(b, (char)(0xf0 | cp >> 18));
		buf_add_char(b, (char)(0x80 | (cp >> 12 & 0x3f)));
		buf_add_char(b, (char)(0x80 | (cp >> 6 & 0x3f)));
		buf_add_char(b, (char)(0x80 | (cp & 0x3f)));
	}
}

/* Four hex digits at j->at, or 0. */
static uint32_t json_hex4(struct json *j)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		char c = j->at < j->text.len ? j->text.p[j->at] : 0;

		if (!is_hex(c)) {
			j->bad = true;
			return 0;
		}
		v = v << 4 | (uint32_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
		j->at++;
	}
	return v;
}

static void json_escape(struct json *j, struct buf *ret)
{
	static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	char c = j->at < j->text.len ? j->text.p[j->at++] : '\0';
	const char *at = c ? strchr(letters, c) : NULL;
	uint32_t cp;

	if (c != 'u') {
		buf_add_char(ret, at ? bytes[at - letters] : c);
		return;
	}
	cp = json_hex4(j);
	if (cp >= 0xd800 && cp < 0xdc00 && j->at + 1 < j->text.len && j->text.p[j->at] == '\\') {
		j->at += 2;
		cp = 0x10000 + ((cp & 0x3ff) << 10) + (json_hex4(j) & 0x3ff);
	}
	put_utf8(ret, cp);
}

static void json_string(struct json *j, struct buf *ret)
{
	buf_reset(ret);
	for (j->at++; j->at < j->text.len && j->text.p[j->at] != '"'; ) {
		char c = j->text.p[j->at++];

		if (c == '\\')
			json_escape(j, ret);
		else
			buf_add_char(ret, c);
	}
	j->bad |= j->at >= j->text.len;
	j->at++;
}

static void json_scalar(struct json *j, struct buf *ret)
{
	buf_reset(ret);
	while (j->at < j->text.len && !strchr(",]} \t\r\n", j->text.p[j->at]))
		buf_add_char(ret, j->text.p[j->at++]);
	j->bad |= ret->len == 0;
}

static int json_value(struct json *j, struct span key);

static int json_object(struct json *j)
{
	AUTO_BUF key = BUF_INIT;
	int rc = RC_OK;

	j->at++;
	while (rc == RC_OK && !j->bad && json_peek(j) != '}') {
		if (json_peek(j) != '"') {
			j->bad = true;
			break;
		}
		json_string(j, &key);
		if (json_peek(j) != ':') {
			j->bad = true;
			break;
		}
		j->at++;
		rc = json_value(j, buf_span(&key));
		if (json_peek(j) == ',')
			j->at++;
		else
			j->bad |= json_peek(j) != '}';
	}
	j->at++;
	return rc;
}

static int json_value(struct json *j, struct span key)
{
	AUTO_BUF value = BUF_INIT;
	int rc = RC_OK;

	if (j->depth >= LIMIT_YAML_DEPTH) {
		j->bad = true;
		return RC_OK;
	}
	j->depth++;
	switch (json_peek(j)) {
	case '{':
		rc = json_object(j);
		break;
	case '[':
		j->at++;
		while (rc == RC_OK && !j->bad && json_peek(j) != ']') {
			rc = json_value(j, key);
			if (json_peek(j) == ',')
				j->at++;
			else
				j->bad |= json_peek(j) != ']';
		}
		j->at++;
		break;
	case '"':
		json_string(j, &value);
		rc = learn_pair(j->r, key, buf_span(&value));
		break;
	default:
		json_scalar(j, &value);
		if (!j->bad)
			rc = learn_pair(j->r, key, buf_span(&value));
	}
	j->depth--;
	return rc;
}

int learn_read_json(struct config_reader *r, struct span text, bool *ret_json)
{
	struct json j = { .r = r, .text = text };
	int rc = json_value(&j, span_make("", 0));

	/* "[general]" begins a .conf */
	json_peek(&j);
	*ret_json = !j.bad && j.at >= text.len;
	return rc;
}

static int yaml_node(struct config_reader *r, const struct conf_node *n, struct span key)
{
	int rc = RC_OK;

	if (n->type == CONF_STRING)
		return learn_pair(r, key, n->text);
	for (size_t i = 0; i < n->n && rc == RC_OK; i++)
		rc = yaml_node(r, n->items[i], n->type == CONF_MAP ? n->keys[i]->text : key);
	return rc;
}

int learn_read_yaml(struct config_reader *r, struct span text, bool *ret_yaml)
{
	AUTO(conf) c = NULL;
	struct err refused = ERR_INIT;

	*ret_yaml = conf_parse(text, r->name, &c, &refused) == RC_OK;
	return *ret_yaml ? yaml_node(r, conf_root(c), span_make("", 0)) : RC_OK;
}
