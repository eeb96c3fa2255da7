/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BT_H
#define CORESCRUB_BT_H

#include <corescrub/base.h>

/*
 * gdb's text (`bt`, `bt full`, `info locals`, `$1 = {…}`) read as a language: threads, frames,
 * arguments, locals, nested values, each with its span in the source. Strings and char arrays are
 * decoded with a map from decoded byte to source span. gdb 10 to the newest; also files whose escapes
 * a shell already expanded. What isn't understood is text. Linear time, one arena, no recursion
 * without a cap. Source: GDB manual, "Output Formats", "Print Settings".
 *
 * bt_parse, then walk: bt_frames for the heads, bt_values for every leaf in source order.
 */

struct bt;
int bt_parse(struct span text, struct bt **ret, struct err *err);
void bt_free(struct bt *b);
AUTO_DEFINE(bt, bt_free)
/* Does text hold anything gdb would print (a frame, a thread, a `$N = `, an indented local)? Fast. */
bool bt_probe(struct span text);

struct bt_frame {
	unsigned thread;		/* as printed, 0 if before any thread line */
	unsigned lwp;
	unsigned number;		/* #N */
	struct span number_src, address, function, file, line, library;	/* empty if not printed */
	uint64_t off, len;		/* the frame's head, from '#' to the end of its last line */
	bool signal_handler;
};
const struct bt_frame *bt_frames(const struct bt *b, size_t *ret_n);

enum bt_value_type {
	BT_STRING,		/* "…" or a char array, decoded */
	BT_INTEGER,		/* decimal or 0x… (scalar) */
	BT_ARRAY,		/* {1, 2, 3} of integers only, as a whole */
	BT_OTHER,		/* enum names, <optimized out>, doubles, … */
};
struct bt_value {
	enum bt_value_type type;
	int32_t frame;			/* index into bt_frames, -1 outside of frames */
	struct span path;		/* "local.field[3].field" or the argument's name; arena memory */
	uint64_t off, len;		/* the value's source, quotes, repeats and trailing ... included */
	struct span decoded;		/* BT_STRING: the program's bytes; arena memory */
	bool cut;			/* ended by gdb's limit: "…"... */
	bool is_arg, is_pointer;	/* 0x… "text": is_pointer on the string */
	uint64_t integer;		/* BT_INTEGER (negative ones as two's complement) */
	int64_t slen;			/* pj_str_t-like {ptr, slen}: how many bytes count; else -1 */
	uint32_t parent;		/* index + 1 of the enclosing struct's row in bt_groups, 0 = none */
	const struct bt_map *map;	/* BT_STRING: decoded to source */
	const uint64_t *items;		/* BT_ARRAY: its integers, repeats expanded to at most 4096 */
	size_t n_items;
};
const struct bt_value *bt_values(const struct bt *b, size_t *ret_n);

struct bt_group { uint64_t off, len; struct span path; int32_t frame; uint32_t parent; };	/* {…} */
const struct bt_group *bt_groups(const struct bt *b, size_t *ret_n);

/* The source span [*ret_off, + *ret_len) that spells decoded bytes [from, to) of a string: whole
   escapes, inside the quotes; a range that crosses a repeat widens to the whole repeat group. When the
   span crosses pieces ("ab", 'c' <repeats 30 times>, "de") it covers what is between too. */
void bt_source(const struct bt_value *v, size_t from, size_t to, uint64_t *ret_off, uint64_t *ret_len);
/* Can [off, off + len) be replaced by quote-free text as it is (true), or does it need a quoted string
   of its own ("…") because it spans repeat pieces (false)? */
bool bt_source_is_plain(const struct bt *b, const struct bt_value *v, uint64_t off, uint64_t len);

/* Spans of source outside any value: frame heads, names, text not understood; in order, joined with the
   values they give the input again. */
typedef int (*bt_plain_fn)(void *ctx, uint64_t off, uint64_t len);
int bt_plain(const struct bt *b, bt_plain_fn fn, void *ctx);
/* For `rules explain`: the value at a source offset, or NULL. */
const struct bt_value *bt_value_at(const struct bt *b, uint64_t off);

#endif
