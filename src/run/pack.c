/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

#include <corescrub/bundle.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* The files of one core's folder and its package, out of clean texts and the tally. */

/* The usual tracker's limit for one attachment, bytes. */
#define TRACKER_LIMIT ((uint64_t)25 * 1000 * 1000)

struct pack {
	struct crash *crash;
	struct engine *engine;
	struct report_account account;
	struct report_file *files;
	size_t n_files;
	const struct scrubbed **members;	/* of the package, borrowed */
	size_t n_members;
	struct scrubbed *own[3];		/* README, page, manifest */
	const char *missing[10];		/* parts of the confinement, by name */
	char ruleset[2 * DIGEST_LEN + 1];
	char build_id[129];
	char signal[32];
	struct report_row *rows;
	const struct finding_rule *rules;	/* the detector's */
	struct report_decisions decisions;
};

static void pack_done(struct pack *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->own); i++)
		scrubbed_free(p->own[i]);
	free(p->files);
	free(p->members);
	free(p->rows);
}

static void add_member(struct pack *p, const struct scrubbed *s, const char *kind)
{
	struct report_file *f = &p->files[p->n_files++];

	p->members[p->n_members++] = s;
	f->path = scrubbed_name(s);
	f->kind = kind;
	f->size = scrubbed_text(s).len;
	digest_sha256(scrubbed_text(s), f->sha256);
}

static void name_missing(struct pack *p)
{
	unsigned missing = p->crash->job->no_sandbox ? SANDBOX_ALL : p->crash->gdb->missing;
	size_t n = 0;

	for (unsigned bit = 1; bit & SANDBOX_ALL; bit <<= 1)
		if (missing & bit)
			p->missing[n++] = sandbox_part_name(bit);
	p->missing[n] = NULL;
}

/* What of the run itself a person should know. As root a part of the confinement lacks only if that
   was asked for, and then somebody has to answer for it. */
static void tell_run(struct pack *p)
{
	struct tally *t = &p->crash->tally;

	if (p->missing[0])
		tally_general(t, "gdb ran without all of its confinement", geteuid() == 0);
	if (p->crash->refused)
		tally_general(t, "mapped files are not here, or of another build: names may lack, see info",
			      false);
}

static void name_signal(struct pack *p)
{
	int signal = elfcore_info(p->crash->core)->signal;
	const char *abbrev = sigabbrev_np(signal);

	if (abbrev)
		snprintf(p->signal, sizeof(p->signal), "SIG%s", abbrev);
	else
		snprintf(p->signal, sizeof(p->signal), "%d", signal);
}

/* The build id of the program: of the mapped file that is the program. */
static void find_build_id(struct pack *p)
{
	const struct elfcore_info *info = elfcore_info(p->crash->core);
	size_t n;
	const struct elfcore_file *files = elfcore_files(p->crash->core, &n);

	for (size_t i = 0; i < n && info->program; i++)
		if (strcmp(files[i].path, info->program) == 0 && files[i].build_id_len)
			digest_hex(files[i].build_id, files[i].build_id_len, p->build_id);
}

static const char *rule_of(void *ctx, struct span token)
{
	const struct pack *p = ctx;
	uint32_t rule = tally_rule_of(&p->crash->tally, token);

	return rule == UINT32_MAX ? NULL : p->rules[rule].id;
}

/* How many open items there are by now, and who lets them pass. */
static void fill_open(struct pack *p)
{
	const struct tally *t = &p->crash->tally;
	struct report_account *a = &p->account;

	a->open = t->open;
	a->open_accepted = t->open == 0 ? NULL :
			   tally_open_left(t, p->engine->decisions) == 0 ? "review" :
			   p->crash->job->accept_open ? "option" : NULL;
}

/* What a person decided. */
static void fill_decided(struct pack *p)
{
	const struct decisions *d = p->engine->decisions;
	struct report_account *a = &p->account;
	const char *key = redactor_key_id(p->engine->redactor);

	a->token_key = key[0] ? key : NULL;
	if (d) {
		memcpy(p->decisions.sha256, d->sha256, DIGEST_LEN);
		p->decisions.accept = decisions_count(d, DECISION_ACCEPT) +
				      decisions_count(d, DECISION_PLACE);
		p->decisions.keep = decisions_count(d, DECISION_KEEP);
		p->decisions.redact = decisions_count(d, DECISION_REDACT) +
				      decisions_count(d, DECISION_PATTERN);
		a->decisions = &p->decisions;
	}
	fill_open(p);
}

static void fill_account(struct pack *p)
{
	struct report_account *a = &p->account;
	struct tally *t = &p->crash->tally;
	size_t n_rules, n_threads;

	p->rules = detector_rules(p->engine->detector, &n_rules);
	p->rows = tally_rows(t, p->rules, &a->n_rows);
	a->rule_of = rule_of;
	a->rule_ctx = p;
	elfcore_threads(p->crash->core, &n_threads);
	ruleset_hash(p->engine->rules, p->ruleset);
	find_build_id(p);
	name_signal(p);
	a->case_name = p->engine->case_name;
	a->tool = "corescrub " CORESCRUB_VERSION;
	a->ruleset = p->ruleset;
	a->policy = p->crash->job->common.policy ? p->crash->job->common.policy : "public";
	a->created = p->crash->created;
	memcpy(a->fingerprint, p->crash->fingerprint, DIGEST_LEN);
	a->rows = p->rows;
	a->open = t->open;
	a->hints = t->hints;
	a->preexisting = redact_preexisting(p->engine->redactor);
	a->confinement = p->missing;
	a->build_id = p->build_id[0] ? p->build_id : NULL;
	a->signal = p->signal;
	a->mode = "none";
	a->threads = n_threads;
	fill_decided(p);
}

static void readme_text(const struct pack *p, struct buf *ret)
{
	buf_addf(ret,
		 "A crash report, scrubbed by %s for publication.\n\n"
		 "thread1, brief, full, locks and info are gdb's texts; values that could identify or\n"
		 "harm somebody were replaced by tokens such as [phone~xxxxxxxxxx]. Equal values have\n"
		 "equal tokens, within this report only. Frames, functions, files and lines are as gdb\n"
		 "printed them.\n\n"
		 "What was replaced, by which rule:\n    less manifest.json\n"
		 "Check that the files are the ones that were packed:\n    corescrub verify .\n"
		 "Look at it as a page:\n    xdg-open review.html\n",
		 p->account.tool);
}

/* A known value in what we wrote ourselves: a person has to say whether it is one of our words. */
static int own_item(void *ctx, const char *name, const struct check_item *item)
{
	struct pack *p = ctx;

	tally_item(&p->crash->tally, name, item);
	return 0;
}

/* Member names in the package are without the core's name: its folder carries that. */
static int seal_own(struct pack *p, size_t slot, const char *name, struct buf *text,
		    const char *kind, struct err *err)
{
	int rc = engine_seal_own(p->engine, name, text, own_item, p, &p->own[slot], err);

	if (rc == RC_OK) {
		tally_place(&p->crash->tally, (const struct scrubbed *const *)&p->own[slot], 1);
		add_member(p, p->own[slot], kind);
	}
	return rc;
}

/* The manifest says how many items are open, so it is written again if it has one itself. */
static int seal_manifest(struct pack *p, struct err *err)
{
	AUTO_BUF manifest = BUF_INIT;
	struct tally *t = &p->crash->tally;
	int rc;

	fill_open(p);
	rc = report_manifest(&p->account, &manifest, err);
	if (rc == RC_OK)
		rc = engine_seal_own(p->engine, "manifest.json", &manifest, own_item, p, &p->own[2], err);
	if (rc == RC_OK && t->open > p->account.open) {
		tally_place(t, (const struct scrubbed *const *)&p->own[2], 1);
		scrubbed_free(STEAL(p->own[2]));
		fill_open(p);
		rc = report_manifest(&p->account, &manifest, err);
		if (rc == RC_OK)
			rc = engine_seal_own(p->engine, "manifest.json", &manifest, NULL, NULL,
					     &p->own[2], err);
	}
	if (rc == RC_OK)
		add_member(p, p->own[2], "manifest");
	return rc;
}

static int build_members(struct pack *p, const struct attachments *more, struct err *err)
{
	AUTO_BUF readme = BUF_INIT, page = BUF_INIT;
	size_t most = TEXT_COUNT + more->n + ARRAY_SIZE(p->own);
	int rc;

	p->files = xcalloc(most, sizeof(*p->files));
	p->members = xcalloc(most, sizeof(*p->members));
	for (size_t i = 0; i < TEXT_COUNT; i++)
		add_member(p, p->crash->clean[i], crash_text_names[i]);
	for (size_t i = 0; i < more->n; i++)
		add_member(p, more->v[i], "attachment");
	p->account.texts = p->members;
	p->account.n_texts = p->n_members;
	readme_text(p, &readme);
	rc = seal_own(p, 0, "README.txt", &readme, "readme", err);
	p->account.files = p->files;
	p->account.n_files = p->n_files;
	if (rc == RC_OK)
		rc = report_page(&p->account, &page, err);
	if (rc == RC_OK)
		rc = seal_own(p, 1, "review.html", &page, "page", err);
	p->account.n_files = p->n_files;
	return rc == RC_OK ? seal_manifest(p, err) : rc;
}

static int add_file(struct pack *p, struct outdir *dir, const char *name, int *ret_fd,
		    struct err *err)
{
	int rc = outdir_add(dir, name, 0600, ret_fd, err);

	if (rc == RC_OK)
		strings_add(&p->crash->written, xstrdup(name));
	return rc;
}

static int write_file(struct pack *p, struct outdir *dir, const char *name, struct span text,
		      struct err *err)
{
	int fd, rc = add_file(p, dir, name, &fd, err);

	return rc < 0 ? rc : file_write_all(fd, text, name, err);
}

static int write_page(struct pack *p, struct outdir *dir, const char *name, struct span text,
		      struct err *err)
{
	AUTO_FREE char *full = xasprintf("%s-%s", p->crash->base, name);

	return write_file(p, dir, full, text, err);
}

static int write_package(struct pack *p, struct outdir *dir, struct err *err)
{
	const struct run_flat *flat = p->crash->job->flat;
	AUTO_FREE char *name = xasprintf("%s.tar.gz", flat && flat->stem ? flat->stem : p->crash->base);
	AUTO(bundle) b = bundle_new(p->crash->base, p->crash->created);
	const struct run_listener *l = &p->crash->job->listener;
	struct sink_fd out;
	int fd, rc;

	for (size_t i = 0; i < p->n_members; i++)
		bundle_add(b, p->members[i]);
	rc = add_file(p, dir, name, &fd, err);
	if (rc < 0)
		return rc;
	sink_fd_init(&out, fd, name);
	rc = bundle_write(b, &out.sink, err);
	if (rc == RC_OK)
		rc = sink_fd_flush(&out, err);
	buf_done(&out.pending);
	if (rc == RC_OK && out.written > TRACKER_LIMIT && l->warn)
		l->warn(l->ctx, "the package is larger than most trackers take (25 MB)");
	return rc;
}

static int write_private_page(struct pack *p, struct outdir *dir, struct err *err)
{
	AUTO_BUF page = BUF_INIT;
	struct tally *t = &p->crash->tally;
	int rc = report_private_page(&p->account, t->items, t->n_items, &page, err);

	return rc < 0 ? rc :
			write_page(p, dir, "review-private.html", buf_span(&page), err);
}

static int write_texts(struct pack *p, struct outdir *dir, struct err *err)
{
	bool clear = p->crash->job->flat && p->crash->job->flat->clear;
	int rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < TEXT_COUNT; i++)
		rc = write_file(p, dir, scrubbed_name(p->crash->clean[i]),
				clear ? p->crash->texts[i]->text : scrubbed_text(p->crash->clean[i]),
				err);
	return rc;
}

static int write_all(struct pack *p, struct outdir *dir, bool packed, struct err *err)
{
	const struct run_flat *flat = p->crash->job->flat;
	int rc = flat && !flat->texts ? RC_OK : write_texts(p, dir, err);

	if (rc == RC_OK && !flat)
		rc = write_page(p, dir, "review.html", scrubbed_text(p->own[1]), err);
	if (rc == RC_OK && !flat)
		rc = write_page(p, dir, "manifest.json", scrubbed_text(p->own[2]), err);
	if (rc == RC_OK && (!flat || (!packed && !flat->clear)))
		rc = write_private_page(p, dir, err);
	if (rc == RC_OK && packed && (!flat || flat->package))
		rc = write_package(p, dir, err);
	if (rc == RC_OK && packed && flat && flat->plain_core)
		rc = handoff_write_plain(p->crash, dir, err);
	return rc;
}

int crash_pack(struct crash *c, struct engine *e, const struct attachments *more, struct handoff *h,
	       struct outdir *dir, bool as_json, bool *ret_packed, struct handoff_done *ret_handoff,
	       struct buf *ret_table, struct err *err)
{
	struct pack p = { .crash = c, .engine = e };
	bool packed;
	int rc;

	tally_place(&c->tally, (const struct scrubbed *const *)c->clean, TEXT_COUNT);
	name_missing(&p);
	tell_run(&p);
	fill_account(&p);
	rc = build_members(&p, more, err);
	packed = c->tally.open == 0 || p.account.open_accepted;
	if (rc == RC_OK)
		rc = write_all(&p, dir, packed, err);
	if (rc == RC_OK && packed && h) {
		rc = handoff_write(h, c, &p.account, dir, ret_handoff, err);
		p.account.recipients = strings_list(handoff_recipients(h));
	}
	if (rc == RC_OK) {
		if (!as_json && c->job->cores[0] && c->job->cores[1])
			buf_addf(ret_table, "%s%s\n", ret_table->len ? "\n" : "", c->base);
		report_table(&p.account, as_json, ret_table);
		if (!as_json)
			tally_looks(&c->tally, ret_table);
		*ret_packed = packed;
	}
	pack_done(&p);
	return rc;
}
