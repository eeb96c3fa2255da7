/* SPDX-License-Identifier: Apache-2.0 */
#include "learn_internal.h"

/*
 * The guard. A learned value is removed wherever it stands, so a short or ordinary one would erase
 * the report, and a remote caller could get such a one learned on purpose. What a config names goes
 * from every whole word at least; what the material itself named must earn it.
 */

#define SHORT_LEN 8
#define PHONE_MIN 7
#define NAME_MIN 4
#define CARD_MIN 12
#define PIECES_MANY 100		/* pieces of a value from the material that are not a coincidence */
#define PIECES_SHARE 20		/* of them for each whole one */

static bool all_digits(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_digit(s.p[i]))
			return false;
	return s.len > 0;
}

static bool has_digit_and_letter(struct span s)
{
	bool digit = false, letter = false;

	for (size_t i = 0; i < s.len; i++) {
		digit |= is_digit(s.p[i]);
		letter |= is_alpha(s.p[i]);
	}
	return digit && letter;
}

static enum learn_mode mode_of_credential(const struct learn_entry *e)
{
	bool material = e->v.origin == LEARN_MATERIAL;

	if (!material)
		return e->is_short || e->ordinary ? MODE_WORD : MODE_PIECES;
	if (e->ordinary)
		return MODE_STRING;
	if (e->is_short)
		return has_digit_and_letter(e->v.bytes) ? MODE_WORD : MODE_STRING;
	return MODE_PIECES;
}

/* "Ann Example": what a caller calls himself may be any one word, and must not take that word out
   of a log. */
static bool is_full_name(struct span v)
{
	size_t words = 0, letters = 0;

	for (size_t i = 0; i <= v.len; i++) {
		if (i < v.len && (is_alpha(v.p[i]) || (unsigned char)v.p[i] >= 0x80)) {
			letters++;
		} else if (i == v.len || v.p[i] == ' ') {
			words += letters > 1;
			letters = 0;
		} else if (!strchr(".,'-", v.p[i])) {
			return false;
		}
	}
	return words > 1;
}

static bool is_asked(const struct learn_entry *e)
{
	return e->v.origin == LEARN_WORDS || e->v.origin == LEARN_MACHINE;
}

static enum learn_mode mode_of_word(const struct learn_entry *e)
{
	if (is_asked(e))
		return MODE_WORD;
	return e->ordinary || e->v.bytes.len < NAME_MIN || all_digits(e->v.bytes) ? MODE_NONE : MODE_WORD;
}

static enum learn_mode mode_of_other(const struct learn_entry *e)
{

	switch (e->v.kind) {
	case KIND_DTMF:
		return MODE_NONE;
	case KIND_PHONE:
		if (e->canonical.len < PHONE_MIN)
			return is_asked(e) ? MODE_WORD : MODE_NONE;
		return MODE_PIECES;
	case KIND_NAME:
		if (e->v.origin == LEARN_MATERIAL && !is_full_name(e->v.bytes))
			return MODE_NONE;
		return mode_of_word(e);
	case KIND_CARD:
		return e->canonical.len < CARD_MIN ? MODE_NONE : MODE_PIECES;
	case KIND_IP4:
	case KIND_IP4_LAN:
	case KIND_IP6:
	case KIND_IP6_LAN:
	case KIND_MAC:
		return MODE_WHOLE;
	default:
		return mode_of_word(e);
	}
}

void learn_guard_first(struct learn_entry *e)
{
	e->is_short = e->v.bytes.len < SHORT_LEN;
	e->ordinary = learn_is_ordinary(e->v.bytes);
	e->mode = value_kind_is_credential(e->v.kind) ? mode_of_credential(e) : mode_of_other(e);
	e->v.held = false;
}

/* What the counting showed. */
void learn_guard_last(struct learn_entry *e)
{
	bool material = e->v.origin == LEARN_MATERIAL;

	learn_guard_first(e);
	if (!value_kind_is_credential(e->v.kind))
		return;
	if (e->mode == MODE_PIECES && e->n_code)
		e->mode = material ? MODE_STRING : MODE_WORD;
	else if (e->mode == MODE_PIECES &&
		 (e->n_code_pieces || (material && e->n_pieces > PIECES_MANY &&
				       e->n_pieces / PIECES_SHARE > e->n_whole)))
		e->mode = MODE_WHOLE;
	switch (e->mode) {
	case MODE_STRING:
	case MODE_WORD:
		/* under six bytes it is looked for as a word only: what else there is says nothing */
		e->v.held = e->n_embedded > 0;
		break;
	case MODE_WHOLE:
		e->v.held = e->n_pieces > 0;
		break;
	default:
		break;
	}
}
