/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <corescrub/check.h>
#include <corescrub/redact.h>

/*
 * Any bytes through all of the engine with the shipped packs (rules/, from the project's folder),
 * twice: the second time changes nothing, and no line comes or goes. Where redaction refuses, there
 * is no output; what the second look finds, it masks, and then finds no more: bytes that someone
 * chose must not stop a run.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool holds)
{
	if (!holds)
		abort();
}

static struct ruleset *rules(void)
{
	static const char *const paths[] = { "rules", NULL };
	static struct ruleset *rs;
	struct ruleset_options o = { .paths = paths, .policy = "public" };
	struct err err = ERR_INIT;

	if (!rs && ruleset_load(&o, &rs, &err) < 0) {
		fprintf(stderr, "fuzz_scrub: %s\n", err.msg);
		abort();
	}
	return rs;
}

static struct redactor *redactor(void)
{
	static const char bytes[33] = "the same key for both the rounds ";
	AUTO(secret) key = secret_new(bytes, sizeof(bytes) - 1);
	struct redact_options o = { .key = key, .case_name = "fuzz" };
	struct redactor *r = NULL;

	need(redactor_new(&o, &r, NULL) == RC_OK);
	return r;
}

/* Did the second look have to mask anything? */
static bool look(const struct learned *l, struct buf *clean)
{
	struct check *c = check_new();
	int rc;

	for (size_t i = 0; i < learned_count(l); i++)
		if (!learned_get(l, i)->held)
			check_know(c, learned_get(l, i)->kind, learned_get(l, i)->bytes);
	need(check_seal(c, NULL) == RC_OK);
	rc = check_look(c, "clean", buf_span(clean), NULL, NULL, NULL);
	if (rc == RC_LEAK) {
		need(check_mask(c, "clean", clean, NULL, NULL, NULL) == RC_OK);
		need(check_look(c, "clean", buf_span(clean), NULL, NULL, NULL) == RC_OK);
	} else {
		need(rc == RC_OK);
	}
	check_free(c);
	return rc == RC_LEAK;
}

static int scrub(struct span in, struct buf *ret, bool *ret_masked)
{
	AUTO(artifact) a = artifact_new("in", ARTIFACT_TEXT);
	AUTO(redactor) r = redactor();
	AUTO(learned) l = learned_new();
	AUTO(detector) learner = NULL;
	AUTO(detector) d = NULL;
	struct sink_buf out;
	int rc;

	a->text = in;
	sink_buf_init(&out);
	need(detector_new(rules(), NULL, &learner, NULL) == RC_OK);
	need(detect_learn(learner, a, LEARN_MATERIAL, false, l, NULL) == RC_OK);
	need(learned_count_in(l, in, NULL) == RC_OK && learned_seal(l, NULL) == RC_OK);
	need(detector_new(rules(), l, &d, NULL) == RC_OK);
	rc = redact_all(r, d, a, &out.sink, NULL, NULL, NULL);
	need(rc == RC_OK || rc == RC_LIMIT);
	if (rc == RC_OK)
		*ret_masked = look(l, &out.buf);
	*ret = out.buf;
	return rc;
}

static size_t count_lines(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.p[i] == '\n';
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_make((const char *)data, size);
	AUTO_BUF once = BUF_INIT;
	AUTO_BUF twice = BUF_INIT;
	bool masked = false;

	if (scrub(in, &once, &masked) < 0)
		return 0;
	need(count_lines(buf_span(&once)) == count_lines(in));
	/* what stands beside a mask may be something else than it was */
	if (masked)
		return 0;
	need(scrub(buf_span(&once), &twice, &masked) == RC_OK);
	need(!masked && span_eq(buf_span(&once), buf_span(&twice)));
	return 0;
}
