/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BT_H
#define CORESCRUB_BT_H

#include <corescrub/base.h>

/*
 * gdb's text (`bt`, `bt full`, `info locals`, `$1 = {…}`) read as a language: threads, frames,
 * arguments, locals, nested values, each with its span in the source. Strings and char arrays are
 * decoded, with a way back from decoded bytes to source. gdb 10 to the newest; also files whose
 * escapes a shell already expanded, and single lines cut out of either. What isn't understood is
 * text. Linear time, no recursion. Source: GDB manual, "Output Formats", "Print Settings".
 *
 * bt_parse, then any number of cursors, each walking the text with bt_next. Items are made as the
 * cursor passes, not kept: what stays is an index of a byte a kilobyte, made by the first cursor
 * that passes. One bt and its cursors are for one thread; parsing again for another costs nothing.
 */

struct bt;
/* text must outlive it. Any bytes are accepted; fails only if there are too many. */
int bt_parse(struct span text, struct bt **ret, struct err *err);
void bt_free(struct bt *b);
AUTO_DEFINE(bt, bt_free)
/* Does text hold anything gdb would print (a frame, a thread, a `$N = `, a local)? Fast. */
bool bt_probe(struct span text);
/* Does a frame's head begin at off, a line's start? No string goes on behind one. */
bool bt_is_frame(struct span text, uint64_t off);

struct bt_frame {
	uint32_t index;		/* the n-th frame of the text, from 0 */
	unsigned thread;	/* as printed, 0 if before any thread line */
	unsigned lwp;
	unsigned number;	/* #N */
	struct span number_src, address, function, file, line, library;	/* empty if not printed */
	struct span close;	/* the ")" that ends the arguments */
	uint64_t off, len;	/* the frame's head, from '#' to before the last line's newline */
	bool signal_handler;
};

enum bt_type {
	BT_STRING,		/* "…" or a char array, decoded */
	BT_INTEGER,		/* decimal or 0x…, also with its character (65 'A') */
	BT_ARRAY,		/* {1, 2, 3} of integers only, as a whole; bt_items */
	BT_OTHER,		/* enum names, <optimized out>, doubles; also a pretty printer's words */
	BT_GROUP,		/* {…}, given after its members; may hold anything */
	BT_FRAME,		/* a frame's head, given before its arguments, which lie inside of it */
};
struct bt_value {
	enum bt_type type;
	const struct bt_frame *frame;	/* the one it stands in, NULL outside of frames */
	struct span path;	/* "local.field[3].field" or the argument's name; "" for a head or `$1` */
	uint64_t off, len;	/* the source, with quotes, repeats and trailing "..." */
	struct span src;	/* the same bytes */
	unsigned depth;		/* braces around it */
	bool is_arg;
	bool is_pointer;	/* BT_INTEGER 0x…; BT_STRING behind a 0x… (the address is not in the span) */
	uint64_t integer;	/* BT_INTEGER (negative ones as two's complement); a string's address */
	/* BT_STRING alone */
	struct span decoded;	/* the program's bytes; wide ones as UTF-8 */
	bool cut;		/* ended by gdb's limit: "…"... */
	bool expanded;		/* a shell expanded its escapes: raw control bytes, its end is a guess */
	int64_t slen;		/* {ptr, slen} and its kin: how many bytes count; else -1 */
	const struct bt_map *map;	/* for bt_source */
};

struct bt_cursor;
struct bt_cursor *bt_cursor_new(struct bt *b);
void bt_cursor_free(struct bt_cursor *c);	/* wipes what was decoded */
AUTO_DEFINE(bt_cursor, bt_cursor_free)
/* The next item in source order (a group behind its members), or NULL at the end. It and all it
   points to, but for `src`, live until the next call on this cursor. */
const struct bt_value *bt_next(struct bt_cursor *c);
/* Goes to the record (a head with its arguments, or a local with all its members) that holds off or
   is the first behind it; bt_next gives its first item, with its frame. Where a cursor was before,
   O(8 KiB). */
void bt_cursor_seek(struct bt_cursor *c, uint64_t off);
/* The string leaf of len bytes at off once more, without what stands around it: for bt_source. NULL
   if what is there alone does not tell that it is one. Seek before the next bt_next. */
const struct bt_value *bt_string_at(struct bt_cursor *c, uint64_t off, uint64_t len);
/* The leaf at a source offset, or NULL: for `rules explain`. Moves the cursor. */
const struct bt_value *bt_value_at(struct bt_cursor *c, uint64_t off);

/* What a replacement of a piece of a string must bring to keep the quoting intact. */
enum bt_quote { BT_QUOTE_NONE = 0, BT_QUOTE_OPEN = 1, BT_QUOTE_CLOSE = 2 };
/* The source span that spells decoded bytes [from, to) of a string: whole escapes, inside of
   quotes. A range that touches a repeat ('c' <repeats 30 times>) takes in the whole repeat; one
   that crosses pieces ("ab", 'c' <repeats 30 times>, "de") what is between too. Returns enum
   bt_quote bits: what the new text must begin (OPEN) or end with (CLOSE) because that end of the
   span is outside of quotes. */
unsigned bt_source(const struct bt_value *v, size_t from, size_t to, uint64_t *ret_off,
		   uint64_t *ret_len);

/* An integer of a BT_ARRAY and how often it stands there. */
struct bt_item { uint64_t integer, repeats, off; uint32_t len; };
/* Reads the next item of v; *pos is 0 at first. False at the end. */
bool bt_items(const struct bt_value *v, size_t *pos, struct bt_item *ret);

/* Spans of source outside any leaf (the first four types): heads, names, text not understood; in
   order, joined with the leaves they give the input again. Ends early on a non-zero return, which
   it gives. */
typedef int (*bt_plain_fn)(void *ctx, uint64_t off, uint64_t len);
int bt_plain(struct bt *b, bt_plain_fn fn, void *ctx);

#endif
