/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

/*
 * Configs: which format, and what becomes of a key and its value. A key is learned when a symbol
 * rule names it as a variable, so that packs alone say what is sensitive.
 */

#define KEY_MAX 128

/* Does a symbol rule name this variable? Tried as it is, in lower case with _ for -, and by its
   last words (DB_PASSWORD: db_password, password). */
static bool key_kind(const struct config_reader *r, struct span key, enum kind *ret)
{
	struct rule_symbol sym = { .variable = key };
	char name[KEY_MAX];
	uint32_t rule;

	if (key.len == 0 || key.len >= sizeof(name))
		return false;
	for (size_t i = 0; i < key.len; i++) {
		char c = key.p[i];

		name[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c == '-' ? '_' : c;
	}
	name[key.len] = '\0';
	if (rule_symbol_match(r->rs, &sym, &rule))
		goto named;
	for (const char *tail = name; tail; tail = strpbrk(tail, "_.")) {
		tail += *tail == '_' || *tail == '.';
		sym.variable = span_str(tail);
		if (*tail && rule_symbol_match(r->rs, &sym, &rule))
			goto named;
	}
	return false;
named:
	*ret = ruleset_rule(r->rs, rule)->kind;
	return true;
}

static bool key_is(struct span key, const char *const *names)
{
	for (; *names; names++)
		if (key.len == strlen(*names) && strncasecmp(key.p, *names, key.len) == 0)
			return true;
	return false;
}

/* A reader's value lives until it reads the next one. */
static struct span keep(struct config_reader *r, struct span s)
{
	return span_make(arena_strndup(r->l->arena, s.p, s.len), s.len);
}

static void add_user(struct config_reader *r, struct span user)
{
	if (user.len && r->n_users < ARRAY_SIZE(r->users))
		r->users[r->n_users++] = keep(r, user);
}

static void note_secret(struct config_reader *r, uint32_t value)
{
	if (value != UINT32_MAX && r->n_secrets < ARRAY_SIZE(r->secrets))
		r->secrets[r->n_secrets++] = value;
}

static int learn_secret(struct config_reader *r, enum kind kind, struct span value)
{
	uint32_t i;
	int rc = learn_add(r->l, kind, value, LEARN_CONFIG, &i, r->err);

	if (rc == RC_OK && value_kind_is_credential(kind))
		note_secret(r, i);
	return rc;
}

/* scheme://user:password@host, in any value: the password is one whatever the key. */
static int learn_userinfo(struct config_reader *r, struct span value)
{
	ssize_t at = span_find(value, SPAN_LIT("://"), 0);
	AUTO_BUF plain = BUF_INIT;
	const char *colon, *end;
	struct span rest, user, password;
	int rc;

	if (at < 0)
		return RC_OK;
	rest = span_sub(value, (size_t)at + 3, value.len);
	for (size_t i = 0; i < rest.len; i++) {
		if (strchr("/?# \t\"'", rest.p[i])) {
			rest.len = i;
			break;
		}
	}
	end = memrchr(rest.p, '@', rest.len);
	colon = end ? memchr(rest.p, ':', (size_t)(end - rest.p)) : NULL;
	if (!colon || colon + 1 == end)
		return RC_OK;
	user = span_make(rest.p, (size_t)(colon - rest.p));
	password = span_make(colon + 1, (size_t)(end - colon - 1));
	add_user(r, user);
	rc = learn_secret(r, KIND_SECRET, password);
	value_url_decode(password, &plain);
	if (rc == RC_OK && !span_eq(buf_span(&plain), password) && plain.len)
		rc = learn_secret(r, KIND_SECRET, buf_span(&plain));
	return rc;
}

/* Asterisk's `register => [peer?][transport://]user:secret[:authuser]@host[…]`. */
static int learn_register(struct config_reader *r, struct span value)
{
	const char *at = memrchr(value.p, '@', value.len), *colon, *next;
	ssize_t scheme = span_find(value, SPAN_LIT("://"), 0);
	size_t from = scheme < 0 ? 0 : (size_t)scheme + 3;
	struct span login;

	if (!at || (size_t)(at - value.p) < from)
		return RC_OK;
	login = span_make(value.p + from, (size_t)(at - value.p) - from);
	colon = memchr(login.p, ':', login.len);
	if (!colon)
		return RC_OK;
	add_user(r, span_make(login.p, (size_t)(colon - login.p)));
	colon++;
	next = memchr(colon, ':', (size_t)(login.p + login.len - colon));
	return learn_secret(r, KIND_SECRET,
			    span_make(colon, (size_t)((next ? next : login.p + login.len) - colon)));
}

/* voicemail.conf's `mailbox => password,name,email,pager,options`. */
static bool is_mailbox(struct span key, struct span value)
{
	for (size_t i = 0; i < key.len; i++)
		if (!is_digit(key.p[i]))
			return false;
	return key.len > 0 && memchr(value.p, ',', value.len) != NULL;
}

static int learn_mailbox(struct config_reader *r, struct span value)
{
	static const char *const fields[] = { "password", "fullname", "email", "pager" };
	static const enum kind kinds[] = { KIND_SECRET, KIND_NAME, KIND_EMAIL, KIND_EMAIL };
	size_t from = 0;
	int rc = RC_OK;

	for (size_t i = 0; i < ARRAY_SIZE(fields) && from <= value.len && rc == RC_OK; i++) {
		const char *comma = memchr(value.p + from, ',', value.len - from);
		size_t end = comma ? (size_t)(comma - value.p) : value.len;
		struct span field = span_trim(span_sub(value, from, end));
		enum kind kind = kinds[i];

		/* a dash before the password: the caller may not change it */
		if (i == 0 && field.len && field.p[0] == '-')
			field = span_sub(field, 1, field.len);
		if (field.len && (key_kind(r, span_str(fields[i]), &kind) || i == 0))
			rc = learn_secret(r, kind, field);
		from = end + 1;
	}
	return rc;
}

/* What a switch is set to is no value. */
static bool is_switch(struct span v)
{
	static const char *const words[] = {
		"yes", "no", "true", "false", "on", "off", "none", "null", "0", "1", NULL,
	};

	return key_is(v, words);
}

int learn_pair(struct config_reader *r, struct span key, struct span value)
{
	static const char *const users[] = {
		"username", "user", "auth_user", "authuser", "auth_username", "login", "defaultuser",
		"fromuser", "dbuser", NULL,
	};
	static const char *const realms[] = { "realm", "auth_realm", NULL };
	enum kind kind;
	int rc;

	if (value.len == 0)
		return RC_OK;
	if (key_is(key, users))
		add_user(r, value);
	if (key_is(key, realms) && r->n_realms < ARRAY_SIZE(r->realms))
		r->realms[r->n_realms++] = keep(r, value);
	if (key_is(key, (const char *const[]){ "register", NULL }))
		return learn_register(r, value);
	if (is_mailbox(key, value))
		return learn_mailbox(r, value);
	rc = learn_userinfo(r, value);
	if (rc < 0 || is_switch(value) || !key_kind(r, key, &kind))
		return rc;
	/* callerid="Ann" <4155550123>: its parts are for rules to find */
	if (kind == KIND_PHONE && memchr(value.p, '<', value.len))
		return RC_OK;
	return learn_secret(r, kind, value);
}

/* HTTP and SIP digest's HA1 (RFC 7616, 3.4.2: MD5), and basic authentication (RFC 7617). */
static void learn_pairs_of(struct config_reader *r, uint32_t secret, struct span user)
{
	struct span password = r->l->v[secret].v.bytes;
	AUTO_BUF b = BUF_INIT;
	uint8_t md5[16];

	buf_add_span(&b, user);
	buf_add_char(&b, ':');
	buf_add_span(&b, password);
	learn_extra_add(r->l, secret, EXTRA_PAIR, buf_span(&b));
	for (size_t i = 0; i < r->n_realms; i++) {
		buf_reset(&b);
		buf_add_span(&b, user);
		buf_add_char(&b, ':');
		buf_add_span(&b, r->realms[i]);
		buf_add_char(&b, ':');
		buf_add_span(&b, password);
		digest_md5(buf_span(&b), md5);
		learn_extra_add(r->l, secret, EXTRA_DIGEST, span_make((const char *)md5, 16));
	}
}

int learn_section(struct config_reader *r, struct span name)
{
	/* pjsip's default realm, Asterisk's, and the one of none */
	static const char *const defaults[] = { "asterisk", "" };

	for (size_t i = 0; i < ARRAY_SIZE(defaults) && r->n_realms < ARRAY_SIZE(r->realms); i++)
		r->realms[r->n_realms++] = span_str(defaults[i]);
	add_user(r, r->section);
	for (size_t s = 0; s < r->n_secrets; s++)
		for (size_t u = 0; u < r->n_users; u++)
			learn_pairs_of(r, r->secrets[s], r->users[u]);
	r->n_users = r->n_realms = r->n_secrets = 0;
	r->section = name;
	return RC_OK;
}

static bool name_ends(const char *name, const char *tail)
{
	size_t n = strlen(name), t = strlen(tail);

	return n >= t && strcasecmp(name + n - t, tail) == 0;
}

static int read_format(struct config_reader *r, struct span text)
{
	struct span trimmed = span_trim(text);
	bool read = false;
	size_t keys;
	int rc = learn_read_keys(r, text, &keys);

	/* one DER key is all of its file */
	if (rc < 0 || (keys && trimmed.p[0] == 0x30))
		return rc;
	if (trimmed.p[0] == '{' || trimmed.p[0] == '[')
		rc = learn_read_json(r, text, &read);
	if (rc == RC_OK && !read &&
	    (name_ends(r->name, ".yaml") || name_ends(r->name, ".yml") ||
	     span_starts(trimmed, SPAN_LIT("---\n"))))
		rc = learn_read_yaml(r, text, &read);
	if (rc == RC_OK && !read)
		rc = learn_read_lines(r, text);
	return rc < 0 ? rc : learn_section(r, span_make("", 0));
}

int learned_config(struct learned *l, const struct ruleset *rs, struct span text, const char *name,
		   struct err *err)
{
	struct config_reader r = { .l = l, .rs = rs, .name = name, .err = err,
				   .section = span_make("", 0) };
	static const char bom[] = "\xef\xbb\xbf";

	if (span_starts(text, span_str(bom)))
		text = span_sub(text, 3, text.len);
	return span_trim(text).len ? read_format(&r, text) : RC_OK;
}
