/* SPDX-License-Identifier: Apache-2.0 */
#include "redact_internal.h"

#include <corescrub/conf.h>
#include <corescrub/redact.h>
#include <corescrub/redact/decisions.h>

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

/* The file of decisions, as doc/formats.md has it: YAML, each string in double quotes. */

#define VERSION "1"

static const char *const verb_names[] = {
	[DECISION_ACCEPT] = "accept",
	[DECISION_KEEP] = "keep",
	[DECISION_REDACT] = "redact",
	[DECISION_PATTERN] = "redact-pattern",
	[DECISION_PLACE] = "accept-place",
};

static void add_quoted(struct buf *b, const char *s)
{
	buf_add_char(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_addf(b, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			buf_addf(b, "\\x%02x", (unsigned char)*s);
		else
			buf_add_char(b, *s);
	}
	buf_add_str(b, "\"\n");
}

static void add_pair(struct buf *b, const char *key, const char *value)
{
	buf_addf(b, "%s: ", key);
	add_quoted(b, value);
}

static void add_decision(struct buf *b, const struct decision *one)
{
	buf_addf(b, "  - %s: ", verb_names[one->verb]);
	add_quoted(b, one->what);
	if (one->reason)
		add_pair(b, "    reason", one->reason);
	if (one->verb == DECISION_REDACT || one->verb == DECISION_PATTERN)
		add_pair(b, "    kind", value_kind_name(one->kind));
	if (one->verb == DECISION_PLACE) {
		add_pair(b, "    file", one->file);
		buf_addf(b, "    line: %llu\n", (unsigned long long)one->line);
	}
}

int decisions_write(struct decisions *d, const char *path, struct err *err)
{
	AUTO(tempfile) t = NULL;
	AUTO_BUF b = BUF_INIT;
	int rc = redact_map_folders(path, err);

	if (rc == RC_OK)
		rc = tempfile_open(path, 0600, &t, err);
	if (rc < 0)
		return rc;
	buf_add_str(&b, "corescrub-decisions: " VERSION "\n");
	add_pair(&b, "case", d->case_name);
	add_pair(&b, "key", d->key);
	add_pair(&b, "salt", d->salt);
	buf_add_str(&b, d->n ? "decisions:\n" : "decisions: []\n");
	for (size_t i = 0; i < d->n; i++)
		add_decision(&b, &d->v[i]);
	rc = file_write_all(tempfile_fd(t), buf_span(&b), path, err);
	if (rc == RC_OK)
		rc = tempfile_commit(t, true, err);
	if (rc == RC_OK)
		digest_sha256(buf_span(&b), d->sha256);
	return rc;
}

static int need_string(const struct conf *c, const struct conf_node *map, const char *key,
		       struct span *ret, struct err *err)
{
	const struct conf_node *n = conf_get(map, key);

	if (!n || n->type != CONF_STRING)
		return conf_err(c, n ? n : map, err, "\"%s\" must be there, a string", key);
	if (memchr(n->text.p, '\0', n->text.len))
		return conf_err(c, n, err, "\"%s\" holds a NUL", key);
	*ret = n->text;
	return RC_OK;
}

static int read_token(const struct conf *c, const struct conf_node *at, struct decision *one,
		      struct err *err)
{
	struct span token = span_str(one->what);

	if (value_token_at(token, &one->kind) != token.len || token.len == 0)
		return conf_err(c, at, err, "this is no token");
	if (one->verb == DECISION_KEEP && !strchr(one->what, '~'))
		return conf_err(c, at, err, "a constant stands for any value: none can be kept by it");
	return RC_OK;
}

static int read_kind(const struct conf *c, const struct conf_node *at, struct decision *one,
		     struct err *err)
{
	struct span kind;
	int rc = need_string(c, at, "kind", &kind, err);

	if (rc < 0)
		return rc;
	if (!value_kind_parse(kind, &one->kind))
		return conf_err(c, conf_get(at, "kind"), err, "unknown kind");
	return one->what[0] ? RC_OK : conf_err(c, at, err, "there is nothing in it");
}

static int read_place(const struct conf *c, const struct conf_node *at, struct decision *one,
		      struct err *err)
{
	struct span file;
	long line = -1;
	int rc = need_string(c, at, "file", &file, err);

	if (rc == RC_OK)
		rc = conf_get_int(c, at, "line", 0, LONG_MAX, &line, err);
	if (rc < 0)
		return rc;
	if (line < 0)
		return conf_err(c, at, err, "\"line\" must be there, a number");
	one->file = xstrndup(file.p, file.len);
	one->line = (uint64_t)line;
	return RC_OK;
}

static int read_verb(const struct conf *c, const struct conf_node *at, struct decision *one,
		     struct err *err)
{
	struct span reason = { 0 };

	switch (one->verb) {
	case DECISION_KEEP:
		if (need_string(c, at, "reason", &reason, err) < 0)
			return RC_SYNTAX;
		one->reason = xstrndup(reason.p, reason.len);
		return read_token(c, at, one, err);
	case DECISION_ACCEPT:
		return read_token(c, at, one, err);
	case DECISION_REDACT:
	case DECISION_PATTERN:
		return read_kind(c, at, one, err);
	case DECISION_PLACE:
		return read_place(c, at, one, err);
	}
	return RC_OK;
}

static int read_decision(struct decisions *d, const struct conf *c, const struct conf_node *at,
			 struct err *err)
{
	static const char *const known[] = { "accept", "keep", "redact", "redact-pattern",
					     "accept-place", "reason", "kind", "file", "line", NULL };
	struct decision *one;
	struct span what;
	int rc = conf_check_keys(c, at, known, err);

	if (rc < 0)
		return rc;
	GROW(d->v, d->n, d->cap);
	one = &d->v[d->n++];
	*one = (struct decision){ 0 };
	for (size_t verb = 0; verb < ARRAY_SIZE(verb_names); verb++) {
		if (!conf_get(at, verb_names[verb]))
			continue;
		if (one->what)
			return conf_err(c, at, err, "one decision at a time");
		rc = need_string(c, at, verb_names[verb], &what, err);
		if (rc < 0)
			return rc;
		one->verb = (enum decision_verb)verb;
		one->what = xstrndup(what.p, what.len);
	}
	return one->what ? read_verb(c, at, one, err) :
			   conf_err(c, at, err, "what is decided is missing");
}

static int read_head(struct decisions *d, const struct conf *c, struct err *err)
{
	static const char *const known[] = { "corescrub-decisions", "case", "key", "salt", "decisions",
					     NULL };
	const struct conf_node *root = conf_root(c);
	struct span version, name, key, salt;
	int rc = conf_check_keys(c, root, known, err);

	if (rc == RC_OK)
		rc = need_string(c, root, "corescrub-decisions", &version, err);
	if (rc == RC_OK && !span_eq_str(version, VERSION))
		return conf_err(c, root, err, "decisions of another version");
	if (rc == RC_OK)
		rc = need_string(c, root, "case", &name, err);
	if (rc == RC_OK)
		rc = need_string(c, root, "key", &key, err);
	if (rc == RC_OK)
		rc = need_string(c, root, "salt", &salt, err);
	if (rc < 0)
		return rc;
	d->case_name = xstrndup(name.p, name.len);
	d->key = xstrndup(key.p, key.len);
	d->salt = xstrndup(salt.p, salt.len);
	return RC_OK;
}

int decisions_read(const char *path, struct decisions **ret, struct err *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	AUTO(decisions) d = xcalloc(1, sizeof(*d));
	const struct conf_node *list;
	AUTO(conf) c = NULL;
	AUTO_BUF text = BUF_INIT;
	int rc;

	if (fd < 0)
		return err_errno(err, RC_NOTFOUND, "can't open %s", path);
	rc = file_check_trusted(fd, path, true, err);
	if (rc == RC_OK)
		rc = file_read(path, LIMIT_YAML_FILE, &text, err);
	if (rc == RC_OK)
		rc = conf_parse(buf_span(&text), path, &c, err);
	if (rc == RC_OK)
		rc = read_head(d, c, err);
	if (rc < 0)
		return rc;
	list = conf_get(conf_root(c), "decisions");
	if (!list || list->type != CONF_LIST)
		return conf_err(c, list ? list : conf_root(c), err, "\"decisions\" must be a list");
	for (size_t i = 0; rc == RC_OK && i < list->n; i++)
		rc = read_decision(d, c, list->items[i], err);
	if (rc < 0)
		return rc;
	digest_sha256(buf_span(&text), d->sha256);
	*ret = STEAL(d);
	return RC_OK;
}

char *decisions_path(const char *case_name)
{
	return redact_state_path(case_name, "decisions");
}
