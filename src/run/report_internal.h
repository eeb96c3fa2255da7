/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_REPORT_INTERNAL_H
#define CORESCRUB_REPORT_INTERNAL_H

#include "run_internal.h"
#include "run_texts.h"

#include <corescrub/elfcore.h>
#include <corescrub/gdb.h>
#include <corescrub/report.h>

/*
 * One core on its way through `report`: crash_open (what the core says of itself, which of its
 * files are vouched for), crash_gdb (may run in a thread of its own), crash_texts (the five clear
 * texts), then the engine, then crash_pack.
 */

enum crash_text { TEXT_THREAD1, TEXT_BRIEF, TEXT_FULL, TEXT_LOCKS, TEXT_INFO, TEXT_COUNT };
extern const char *const crash_text_names[TEXT_COUNT];	/* "thread1", … */

/* What was redacted in one package: counts and distinct tokens by rule, open items, hints. */
struct tally {
	uint64_t *counts;		/* by rule */
	size_t n_rules;
	struct tally_mark { uint32_t rule; uint64_t token; } *marks;	/* one an edit */
	struct tally_mark *by_token;	/* one a token, sorted */
	size_t n_by_token;
	size_t n, cap;
	struct report_item *items;	/* their `file` and `what` are borrowed */
	size_t n_items, cap_items;
	uint64_t open, hints;
};
void tally_done(struct tally *t);
/* Adds what another one of the same rules counted, and leaves that empty. */
void tally_join(struct tally *t, struct tally *from);
void tally_plan(struct tally *t, const struct artifact *a, const char *file,
		const struct redact_plan *p);
/* An item of no one place. */
void tally_general(struct tally *t, const char *what, bool open);
void tally_item(struct tally *t, const char *file, const struct check_item *found);
/* Turns the second look's offsets into lines and columns of the texts they are of. */
void tally_place(struct tally *t, const struct scrubbed *const *texts, size_t n);
/* For a terminal: what a person should look at, a line for each sort, with the first place. After
   tally_place. */
void tally_looks(const struct tally *t, struct buf *ret);
/* How many open items no decision (d may be NULL) lets pass. After tally_place. */
uint64_t tally_open_left(const struct tally *t, const struct decisions *d);
/* The rule that put a token into the texts; after tally_rows. */
uint32_t tally_rule_of(const struct tally *t, struct span token);	/* UINT32_MAX: none did */
/* Rows with distinct counts, for report; the caller frees. */
struct report_row *tally_rows(struct tally *t, const struct finding_rule *rules, size_t *ret_n);

struct crash {
	const struct run_report_job *job;
	const char *path;
	char *base;			/* the file names' first part: clean, no ':' */
	int fd;
	int64_t created;
	uid_t uid;			/* of the core file: whom gdb becomes */
	gid_t gid;
	struct elfcore *core;
	char *exe;			/* vouched program, or NULL */
	struct strings readable;	/* vouched files */
	struct run_module *modules;	/* row by row with elfcore_files */
	size_t refused;			/* files it names that are not here, or another build */
	struct gdb_profile *profile;	/* the program's, or NULL */
	struct gdb_result *gdb;
	struct artifact *texts[TEXT_COUNT];
	struct scrubbed *clean[TEXT_COUNT];
	char *names[TEXT_COUNT];	/* "<base>-full.txt" */
	struct tally tally;
	struct strings written;		/* names of the files in its folder */
	uint8_t fingerprint[DIGEST_LEN];
	struct handoff_core *scrub;	/* the core on its way to a scrubbed one, or NULL */
};
/* The job's core number i. */
int crash_open(struct crash *c, const struct run_report_job *job, size_t i, struct err *err);
/* `libraries` of gdb_libraries, or NULL; `stop`: set when it is in vain. */
int crash_gdb(struct crash *c, unsigned shares, const struct strings *libraries,
	      const atomic_bool *stop, struct err *err);
int crash_texts(struct crash *c, struct err *err);
/* The five texts cleaned, named by the clean base, counted in the tally; after engine_seal.
   `threads` is how many may work on it; findings (may be NULL) are told in the order of the
   texts. */
int crash_clean(struct crash *c, struct engine *e, struct findings_file *f, size_t threads,
		struct err *err);
/* The folder of the program's configuration by the core's word, if it is like the profile's; or
   NULL. What is in it is for the core's owner's eyes. The caller frees. */
char *crash_config_folder(const struct crash *c);
/* Learns the configuration of the program, where its profile has it and the core names its
   folder. */
int crash_learn_config(const struct crash *c, struct engine *e, struct err *err);
void crash_done(struct crash *c);

/* Texts that go along: --attach, cleaned once for all cores. */
struct attachments {
	struct scrubbed **v;
	size_t n, cap;
};

/* The package for the developer (handoff.c). handoff_check before anything is done; handoff_learn
   for each core before the engine counts and is sealed; handoff_new; then for each core
   handoff_write. */
struct handoff;
bool handoff_is_wanted(const struct run_report_job *job);
int handoff_check(const struct run_report_job *job, struct err *err);
/* What a core that will be scrubbed teaches; nothing for others. Frees by handoff_core_free. */
int handoff_learn(struct crash *c, struct engine *e, struct err *err);
void handoff_core_free(struct handoff_core *s);
int handoff_new(const struct run_report_job *job, struct engine *e, struct handoff **ret,
		struct err *err);
void handoff_free(struct handoff *h);
AUTO_DEFINE(handoff, handoff_free)
const struct strings *handoff_recipients(const struct handoff *h);	/* fingerprints */
/* A text that goes along, cleaned again with the hand-off's key. */
int handoff_attach(struct handoff *h, const char *name, const struct artifact *a, struct err *err);
struct handoff_done {
	char *name;			/* its file's; NULL: held back by `open`. The caller frees */
	uint64_t open;			/* places of the scrubbed core that a person must look at */
};
/* a: the public report's account; what differs is taken from the hand-off. */
int handoff_write(struct handoff *h, struct crash *c, const struct report_account *a,
		  struct outdir *dir, struct handoff_done *ret, struct err *err);
/* <base>.tar.gz in the clear, as the job's flat says. */
int handoff_write_plain(struct crash *c, struct outdir *dir, struct err *err);
int handoff_map_write(const struct handoff *h, struct err *err);

/* Writes a core's files into the folder: the five texts, manifest, pages, and, unless open items
   hold it back, the package and with h (may be NULL) the hand-off, told in ret_handoff. Appends to
   ret_table what a person should read. */
int crash_pack(struct crash *c, struct engine *e, const struct attachments *more, struct handoff *h,
	       struct outdir *dir, bool as_json, bool *ret_packed, struct handoff_done *ret_handoff,
	       struct buf *ret_table, struct err *err);

#endif
