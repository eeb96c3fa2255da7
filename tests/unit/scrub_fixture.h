/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCRUB_FIXTURE_H
#define SCRUB_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <corescrub/redact.h>

/* A scrubber over rules of the tests' own: small, and with the shapes that packs rarely have. */

static const char fixture_pack[] =
	"pack: t\n"
	"rules:\n"
	"  - id: ip\n"
	"    kind: ip4\n"
	"    severity: medium\n"
	"    match: {regex: '(?<![\\d.])((?:\\d{1,3}\\.){3}\\d{1,3})(?!\\d|\\.\\d)', group: 1,"
	" validate: ipv4}\n"
	"    where: [text, string]\n"
	"  - id: tel\n"
	"    kind: phone\n"
	"    severity: medium\n"
	"    match: {regex: 'tel[:=](\\+?\\d{6,15})', group: 1}\n"
	"  - id: email\n"
	"    kind: email\n"
	"    severity: medium\n"
	"    match: {regex: '[a-z0-9.]{1,30}@[a-z0-9.]{1,30}'}\n"
	"  - id: password\n"
	"    kind: secret\n"
	"    severity: critical\n"
	"    learn: true\n"
	"    match: {regex: 'pass(?:word)?=([^\\s\"''\\\\&\\x00]{1,64})', group: 1}\n"
	"  - id: pem\n"
	"    kind: key\n"
	"    severity: critical\n"
	"    match: {regex: '-----BEGIN KEY-----[A-Za-z0-9+/=\\n]{1,2000}-----END KEY-----',"
	" multiline: true}\n"
	"  - id: drop\n"
	"    kind: name\n"
	"    severity: low\n"
	"    action: drop\n"
	"    match: {regex: '<<[a-z]{0,20}>>'}\n"
	"  - id: mask\n"
	"    kind: user\n"
	"    severity: low\n"
	"    action: mask\n"
	"    match: {regex: 'user=([a-z0-9]{1,20})', group: 1}\n"
	"  - id: tail\n"
	"    kind: account\n"
	"    severity: low\n"
	"    action: {keep-last: 4}\n"
	"    match: {regex: 'acct=([^\\s&]{1,30})', group: 1}\n"
	"  - id: put\n"
	"    kind: host\n"
	"    severity: low\n"
	"    action: {replace: 'HOST'}\n"
	"    match: {regex: 'host=([A-Za-z0-9.-]{1,30})', group: 1}\n"
	"  - id: var-secret\n"
	"    kind: secret\n"
	"    severity: critical\n"
	"    learn: true\n"
	"    match:\n"
	"      symbol: {variable: ['passwd', '*.passwd']}\n"
	"      decode: string\n"
	"  - id: s-addr\n"
	"    kind: ip4\n"
	"    severity: medium\n"
	"    match:\n"
	"      symbol: {variable: ['*s_addr']}\n"
	"      decode: in_addr\n"
	"  - id: in6\n"
	"    kind: ip6\n"
	"    severity: medium\n"
	"    match:\n"
	"      symbol: {variable: ['*u6_addr*']}\n"
	"      decode: in6_addr\n"
	"  - id: sockaddr\n"
	"    kind: ip4\n"
	"    severity: medium\n"
	"    match:\n"
	"      symbol: {variable: ['*__ss_padding', '*sa_data']}\n"
	"      decode: sockaddr\n"
	"  - id: struct\n"
	"    kind: key\n"
	"    severity: critical\n"
	"    match:\n"
	"      symbol: {variable: ['*rsa_key']}\n"
	"      decode: any\n";

struct fixture {
	struct ruleset *rs;
	struct learned *learned;
	struct detector *d;
	struct redactor *r;
};

static void fixture_check(int rc, const struct err *err)
{
	if (rc < 0)
		fail_msg("%d: %s:%u:%u %s", rc, err->file, err->line, err->col, err->msg);
}

static struct ruleset *fixture_rules(void)
{
	char path[] = "/tmp/corescrub-test-XXXXXX.yaml";
	const char *paths[] = { path, NULL };
	struct ruleset_options o = { .paths = paths, .policy = "public" };
	struct err err = ERR_INIT;
	struct ruleset *rs = NULL;
	int fd = mkstemps(path, 5);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, fixture_pack, sizeof(fixture_pack) - 1), sizeof(fixture_pack) - 1);
	close(fd);
	fixture_check(ruleset_load(&o, &rs, &err), &err);
	unlink(path);
	return rs;
}

static struct secret *fixture_key(void)
{
	return secret_new("0123456789abcdef0123456789abcdef", 32);
}

static void fixture_open(struct fixture *f, struct learned *learned, bool keep_map)
{
	struct err err = ERR_INIT;
	AUTO(secret) key = fixture_key();
	struct redact_options o = { .key = key, .case_name = "test", .keep_map = keep_map };

	f->rs = fixture_rules();
	f->learned = learned;
	if (learned)
		fixture_check(learned_seal(learned, &err), &err);
	fixture_check(detector_new(f->rs, learned, &f->d, &err), &err);
	fixture_check(redactor_new(&o, &f->r, &err), &err);
}

static void fixture_close(struct fixture *f)
{
	redactor_free(f->r);
	detector_free(f->d);
	learned_free(f->learned);
	ruleset_free(f->rs);
}

/* The scrubbed text, in a buf the caller frees. */
static inline struct buf fixture_scrub(struct fixture *f, struct span text, redact_plan_fn each, void *ctx)
{
	struct err err = ERR_INIT;
	struct buf in = BUF_INIT;
	struct sink_buf out;
	AUTO(artifact) a = NULL;

	buf_add_span(&in, text);
	a = artifact_from_buf("test", ARTIFACT_TEXT, &in);
	sink_buf_init(&out);
	fixture_check(redact_all(f->r, f->d, a, &out.sink, each, ctx, &err), &err);
	return out.buf;
}

/* What value's token is. */
static inline void fixture_token(struct fixture *f, enum kind kind, const char *value, char ret[64])
{
	struct err err = ERR_INIT;
	AUTO_BUF b = BUF_INIT;

	fixture_check(redact_token(f->r, kind, span_str(value), &b, &err), &err);
	snprintf(ret, 64, "%.*s", (int)b.len, b.p);
}

#endif
