/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REVIEW_INTERNAL_H
#define REVIEW_INTERNAL_H

#include <corescrub/review.h>

/* Where a token stands. */
struct place {
	struct span token;
	uint32_t text;			/* index into the job's texts */
	uint64_t off;
};

/* What is decided at once: an item, or a token wherever it stands. */
struct step {
	const struct review_item *item;	/* or NULL */
	size_t nth;			/* of equal items on one line */
	struct span token;
	enum kind kind;
	const char *rule;		/* or NULL */
	size_t first, n;		/* its places */
};

struct walk {
	const struct review_job *job;
	struct step *steps;
	size_t n, cap;
	struct place *places;		/* by token, then in the texts' order */
	size_t n_places, cap_places;
	size_t at;			/* the step that is shown, and which of its places */
	size_t place;
};

/* steps.c */
void steps_make(struct walk *w);
void steps_done(struct walk *w);
bool step_is_decided(const struct walk *w, const struct step *s);
/* The first undecided step at or behind `from`; w->n if there is none. */
size_t step_next(const struct walk *w, size_t from);
/* Are they of one rule (items: of one sort), so that both may be accepted at once? */
bool step_is_alike(const struct step *a, const struct step *b);

/* show.c: lines cut to the terminal's width, control and foreign bytes as \ooo. */
void show_step(const struct walk *w);
void show_text(const struct walk *w, const char *text);	/* ours, with its line ends */
void show_bytes(struct buf *ret, struct span bytes);
/* The line of a text that the current step stands in; false if it stands in none. */
bool step_line(const struct walk *w, struct span *ret_line, const struct review_text **ret_text,
	       uint64_t *ret_number, size_t *ret_col);

/* ask.c: "redact also": a typed text, /regex/, or a word of the line; appends a decision. 1:
   added. */
int ask_redact(struct walk *w, struct err *err);
/* Asks for one line; white space at its ends is gone. False at the end of the input. */
bool ask_line(const struct walk *w, const char *prompt, struct buf *ret);

#endif
