/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BT_INTERNAL_H
#define BT_INTERNAL_H

#include <corescrub/bt.h>

/*
 * bt_token.c    numbers, characters, symbols, names: where a token ends
 * bt_string.c   where a string ends, gdb's own or one whose escapes a shell expanded
 * bt_decode.c   what a string says, and the way back to source
 * bt_line.c     what a line begins: a frame, a thread, a local, nothing
 * bt_frame.c    a frame's head
 * bt_record.c   the machine that walks one record: groups, names, commas
 * bt_value.c    one value of a record
 * bt_cursor.c   from record to record; bt_next and its kin
 * bt.c          the index
 *
 * Positions are offsets into the text. A function that looks for a token's end gives 0 if there is
 * no such token (no token ends at 0).
 */

#define BT_LOOKAHEAD	4096		/* how far a symbol or a cast is followed */
#define BT_RECOVERY	KIB(64)		/* how far the end of a string with raw newlines is sought */
#define BT_STRING_MAX	MIB(1024)	/* offsets within a string are 32 bits */
#define BT_PATH_MAX	KIB(4)
#define BT_NAME_MAX	512		/* a local's name */
#define BT_REPEAT_MAX	4096		/* times a repeat is spelled out in `decoded` */
#define BT_REPEAT_SUM	KIB(64)		/* all of a string's repeats, besides half its length */
#define BT_CHECKPOINT	KIB(8)
#define BT_LOOKS	16		/* failed looks ahead from one stretch of text */

/* Classes of characters, as bits. */
enum { CH_START = 1, CH_IDENT = 2, CH_DIGIT = 4, CH_HEX = 8, CH_OCTAL = 16, CH_STRING_STOP = 32,
       CH_DELIMITER = 64, CH_ARGS_STOP = 128 };
extern const uint8_t bt_class[256];

static inline bool bt_is(char c, unsigned classes)
{
	return (bt_class[(uint8_t)c] & classes) != 0;
}
/* The character at pos, or a newline behind the end. */
static inline char bt_ch(struct span t, size_t pos)
{
	return pos < t.len ? t.p[pos] : '\n';
}
static inline bool bt_at(struct span t, size_t pos, const char *word, size_t n)
{
	return pos <= t.len && t.len - pos >= n && memcmp(t.p + pos, word, n) == 0;
}
#define BT_AT(t, pos, lit) bt_at(t, pos, lit, sizeof(lit) - 1)
static inline size_t bt_blanks(struct span t, size_t pos)	/* behind spaces and tabs */
{
	while (pos < t.len && (t.p[pos] == ' ' || t.p[pos] == '\t'))
		pos++;
	return pos;
}
static inline size_t bt_line_end(struct span t, size_t pos)	/* of the newline, or the end */
{
	const char *nl = pos < t.len ? (const char *)memchr(t.p + pos, '\n', t.len - pos) : NULL;

	return nl ? (size_t)(nl - t.p) : t.len;
}

static inline bool bt_begins_name(struct span t, size_t pos)	/* Go has .this */
{
	return bt_is(bt_ch(t, pos), CH_START) ||
	       (bt_ch(t, pos) == '.' && bt_is(bt_ch(t, pos + 1), CH_START));
}

/* What failed looks ahead have found out, so that hostile text can't make us look twice. */
struct bt_look {
	size_t end;		/* looks that began before here failed … */
	unsigned fails;		/* … so many times */
};
struct bt_memo {
	struct bt_look angle, paren;
	bool loose;		/* outside of frames: anything may stand on the next line */
	size_t no_close_from, no_close;	/* a string that begins between these ends behind them */
};

/* bt_token.c */
struct bt_number {
	uint64_t value;
	size_t digits_end;	/* the number alone */
	size_t end;		/* with its character: 65 'A' */
	bool hex;
};
bool bt_number(struct span t, size_t pos, struct bt_number *ret);
size_t bt_char_end(struct span t, size_t pos);			/* 'c', L'c' */
size_t bt_repeats_end(struct span t, size_t pos, uint64_t *ret);	/* "<repeats N times>" */
size_t bt_angle_end(struct span t, size_t pos, struct bt_memo *memo);	/* <…> */
/* (…), no quotes, no braces. */
size_t bt_paren_end(struct span t, size_t pos, struct bt_memo *memo);
size_t bt_word_end(struct span t, size_t pos, struct bt_memo *memo);
/* A name and what divides it from its value: "a = ", in arguments "a=", Rust's "a: ". */
size_t bt_name_end(struct span t, size_t pos, bool args, struct bt_memo *memo,
		   struct span *ret_name);
size_t bt_int_array_end(struct span t, size_t pos);		/* {1, 2, …} */

/* bt_string.c */
enum bt_piece_kind { PIECE_QUOTED, PIECE_REPEAT, PIECE_INCOMPLETE };
struct bt_piece {		/* relative to the string's first byte */
	uint32_t off, end;	/* with quotes */
	uint32_t body, body_end;	/* what is to be decoded */
	enum bt_piece_kind kind;
};
struct bt_string {
	size_t off, end;
	bool wide, expanded, escaped, cut;
	struct bt_piece *pieces;	/* owned by whoever passes it on; NULL if not wanted */
	size_t n_pieces, cap_pieces;
};
/* Does a string begin at pos? If so reads it: its end, and its pieces if `pieces`. */
bool bt_string(struct span t, size_t pos, bool pieces, struct bt_memo *memo, struct bt_string *ret);

/* bt_decode.c */
struct bt_mark { uint32_t dec, src, piece; };	/* decoded byte `dec` begins at `src` */
struct bt_map {
	const char *p;		/* the string's source */
	uint64_t off;
	const struct bt_string *s;
	struct bt_mark *marks;
	size_t n_marks, cap_marks;
	size_t decoded_len;
};
/* Decodes s; ret_decoded points into the source or to scratch. */
void bt_decode(struct span t, const struct bt_string *s, struct buf *scratch, struct bt_map *map,
	       struct span *ret_decoded);

/* bt_line.c */
enum bt_line { LINE_TEXT, LINE_BLANK, LINE_FRAME, LINE_THREAD, LINE_LOCAL, LINE_TOP, LINE_LOOSE };
struct bt_line_start {
	enum bt_line kind;
	size_t pos;		/* of the frame's '#', the thread's number, or the value */
	struct span name;
};
/* What begins at a line's start; in_frame: behind a frame's head, where names need no proof. */
struct bt_line_start bt_line_at(struct span t, size_t pos, bool in_frame);
bool bt_line_is_head(struct span t, size_t pos);	/* a frame, a thread, "No locals." */
bool bt_line_is_local(struct span t, size_t pos);	/* eight spaces, a name, " = " */

/* bt_record.c, bt_cursor.c */
struct bt_level {
	uint64_t off, index;
	uint64_t len_value;	/* a member that says how long a string is */
	uint32_t path_len;
	char close;
	bool named, has_len;
};
enum bt_state { AT_LINE, AT_ELEMENT, AT_VALUE, AT_AFTER, AT_END };
struct bt_cursor {
	struct bt *b;
	struct span t;
	size_t pos;
	enum bt_state state;
	bool skim;		/* only where things end: no paths, no decoding */
	bool args;		/* the record is a frame's arguments, else a value */
	bool in_frame;
	unsigned strange;	/* lines that meant nothing since the frame */
	unsigned thread, lwp;
	uint32_t n_frames;
	unsigned depth, over;	/* open groups; and those too deep to follow */
	unsigned open[3];	/* of them by closing character */
	bool pointer;		/* the value's address was read */
	uint64_t address;
	struct span name;	/* the element's */
	size_t path_len;
	struct bt_frame frame;
	struct bt_value v;
	struct bt_memo memo;
	struct bt_string string;
	struct bt_map map;
	struct buf decoded;
	struct bt_level levels[LIMIT_BT_DEPTH];
	char path[BT_PATH_MAX];
};
static inline struct bt_level *bt_top(struct bt_cursor *c)	/* the innermost group, or NULL */
{
	return c->depth ? &c->levels[c->depth - 1] : NULL;
}
static inline bool bt_is_closer(char ch)
{
	return ch == '}' || ch == ']' || ch == ')';
}
enum bt_step { STEP_ON, STEP_ITEM, STEP_END };
/* Makes c->v an item of [off, end) and goes on behind it. */
enum bt_step bt_leaf(struct bt_cursor *c, enum bt_type type, size_t off, size_t end);
void bt_push(struct bt_cursor *c, size_t off, char close);	/* opens a group at off */
/* Begins a record: a value of this name (may be empty), or arguments. */
void bt_record_begin(struct bt_cursor *c, size_t pos, struct span name);
void bt_record_begin_args(struct bt_cursor *c, size_t pos);	/* behind the '(' */
/* The record's next item, NULL at its end: pos is then behind it. Skimming goes there at once. */
const struct bt_value *bt_record_next(struct bt_cursor *c);

/* bt_value.c: the value at pos: an item, or a group opened, or text stepped over. */
enum bt_step bt_step_value(struct bt_cursor *c);
/* The string that was read into c->string; `key`: "] = " stands behind it. */
enum bt_step bt_step_string(struct bt_cursor *c, bool key);

/* bt_frame.c: reads the head at pos into c->frame, goes to its arguments or, without any, behind
   it. */
void bt_frame_read(struct bt_cursor *c, size_t pos);
/* Where a head's argument list begins ('('), or 0: then this is no head. */
size_t bt_frame_args(struct span t, size_t pos);

/* bt.c */
struct bt_checkpoint {
	uint64_t off, frame_off;
	uint32_t thread, lwp, n_frames;
	bool in_frame;
};
struct bt {
	struct span text;
	struct bt_checkpoint *points;	/* the first is the beginning */
	size_t n_points, cap_points;
};
void bt_add_checkpoint(struct bt *b, const struct bt_cursor *c);

#endif
