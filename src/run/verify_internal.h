/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_INTERNAL_H
#define VERIFY_INTERNAL_H

#include "run_internal.h"

#include <corescrub/manifest.h>
#include <corescrub/map.h>
#include <corescrub/verify.h>

/*
 * verify.c takes the inputs apart; verify_package.c and verify_folder.c hold what is there to its
 * manifest; verify_text.c looks at a text, verify_page.c makes one of a page; verify_words.c asks
 * the token key about a package's words.
 */

struct words;
struct verify {
	const struct run_verify_job *job;
	struct run_verify_result *result;
	struct engine *engine;
	struct private_map *map;	/* or NULL */
	struct secret *key;		/* of the tokens, or NULL */
	bool in_package;		/* what scrub made: archives in it have its form */
	const char *input;		/* the one that is being verified, as it was given */
	bool met_manifest;		/* in it */
	struct words *words;		/* of the package being read, where there is a key */
	struct report_problem *items;
	size_t n, cap;
	struct strings names;		/* that the items borrow */
};

/* Where an item is: "file" is fit to be shown; line 0: the file as a whole. */
struct verify_at {
	const char *file;
	uint64_t line, col;
};
void verify_leak(struct verify *v, struct verify_at at, const char *rule, const char *kind,
		 const char *what);
void verify_change_at(struct verify *v, struct verify_at at, const char *rule, const char *what);
void verify_change(struct verify *v, const char *file, const char *rule, const char *what);
void verify_hint(struct verify *v, struct verify_at at, const char *rule, const char *kind,
		 const char *what);
void verify_note(struct verify *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A name for verify_at: `outer` (may be NULL), "!/", and what is left of `name` when cleaned. */
const char *verify_name(struct verify *v, const char *outer, const char *name);

/* One file's bytes, whatever it is; archives are walked. */
int verify_bytes(struct verify *v, const char *shown, struct span bytes, struct err *err);
/* A text, or a page as its reader sees it. */
int verify_text(struct verify *v, const char *shown, struct span text, struct err *err);
/* A manifest, which m is of (NULL: damaged). */
int verify_manifest_text(struct verify *v, const char *shown, struct span text,
			 const struct manifest *m, struct err *err);
/* A file's name, or a link's target. */
int verify_name_text(struct verify *v, const char *shown, const char *name, struct err *err);

/* A page's text: what is shown, tags left out and entities undone, and behind it what stands in
   tags, comments, styles. *ret_from: where each byte came from, in stretches. */
struct page_map {
	struct page_stretch { size_t at, from; } *v;
	size_t n, cap;
};
void verify_page_text(struct span html, struct buf *ret, struct page_map *ret_map);
size_t page_map_source(const struct page_map *m, size_t at);

/* What is there, to be held to a manifest. */
struct verify_file {
	char *path;			/* as a manifest spells it */
	const char *shown;
	uint64_t size;
	uint8_t sha256[DIGEST_LEN];
};
struct verify_files {
	struct verify_file *v;
	size_t n, cap;
	struct buf manifest;		/* its bytes, once it was met */
	bool has_manifest;
};
void verify_files_add(struct verify_files *f, const char *path, const char *shown,
		      struct span bytes);
void verify_files_done(struct verify_files *f);
/* The manifest, looked at; if it is not as it should be the change is told, and *ret stays NULL. */
int verify_manifest(struct verify *v, const char *shown, struct span text, struct manifest **ret,
		    struct err *err);
/* --require-approval (verify_approval.c): is this manifest approved by enough keys? */
int verify_approvals(struct verify *v, const char *shown, struct span text,
		     const struct manifest *m, struct err *err);
/* Is it what the manifest says? Tells the change if not. */
bool verify_compare(struct verify *v, const struct report_file *claim,
		    const struct verify_file *is);
/* Missing, extra, changed, double files. Sorts f. */
void verify_listed(struct verify *v, const struct manifest *m, struct verify_files *f,
		   const char *shown);

int verify_package(struct verify *v, const char *shown, struct span file, bool *ret_is_tar,
		   struct verify_files *files, struct err *err);
/* A hand-off, decrypted: what is not meant to be clean in it is held to its digest alone. Not
   sealed: it came in the clear, and such members are a change. */
int verify_handoff(struct verify *v, const char *shown, int fd, bool sealed, struct err *err);
int verify_folder(struct verify *v, const char *path, struct err *err);
int verify_file(struct verify *v, const char *path, struct err *err);

/* Words that could be values, of all texts of a package, and the tokens that stand there. */
struct words *words_new(void);
void words_free(struct words *w);
void words_take(struct words *w, const char *shown, struct span text);
/* Which of them have one of the tokens under the verifier's key? w, and m, the package's, may be
   NULL. */
int words_ask(struct verify *v, struct words *w, const struct manifest *m, struct err *err);

#endif
