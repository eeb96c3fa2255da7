/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BASE_MEM_H
#define CORESCRUB_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

/*
 * Memory. Text is immutable and dealt with as spans into it; what is built goes into a buf; a parse
 * tree lives in one arena. Bookkeeping allocations (x…) may end the process, which is safe
 * because outputs appear last; a size that comes from input goes through buf_reserve_input.
 */

/* Owned locals: AUTO(thing) t = thing_new();  …  *ret_t = STEAL(t);  */
#define AUTO(type) __attribute__((cleanup(auto_##type))) struct type *
#define AUTO_DEFINE(type, free_fn) \
	static inline void auto_##type(struct type **p) \
	{ \
		if (*p) \
			free_fn(*p); \
	}
#define STEAL(p) \
	({ \
		__typeof__(p) stolen_ = (p); \
		(p) = NULL; \
		stolen_; \
	})
#define AUTO_FREE __attribute__((cleanup(auto_free_p)))	/* AUTO_FREE char *s = … */
#define AUTO_CLOSE __attribute__((cleanup(auto_close_p)))	/* AUTO_CLOSE int fd = -1 */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void auto_free_p(void *pp);	/* frees *(void **)pp */
void auto_close_p(int *fd);	/* closes it if >= 0; keeps errno */

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Grows an array `v` with room for `cap` elements so that `n` + 1 fit. */
#define GROW(v, n, cap) \
	do { \
		if ((n) >= (cap)) { \
			(cap) = (cap) ? (cap) * 2 : 16; \
			(v) = xreallocarray((v), (cap), sizeof(*(v))); \
		} \
	} while (0)

/* A borrowed run of bytes. Not NUL-terminated; may hold NULs. */
struct span {
	const char *p;
	size_t len;
};

#define SPAN_LIT(s) ((struct span){ (s), sizeof(s) - 1 })

static inline struct span span_make(const char *p, size_t len)
{
	return (struct span){ p, len };
}
static inline struct span span_str(const char *s)
{
	return (struct span){ s, strlen(s) };
}
static inline bool span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}
static inline bool span_eq_str(struct span a, const char *s)
{
	return span_eq(a, span_str(s));
}
/* The part [from, to) of s, cut to what s has. */
struct span span_sub(struct span s, size_t from, size_t to);
bool span_starts(struct span s, struct span head);
bool span_ends(struct span s, struct span tail);
/* First place of needle at or after `from`, or -1. */
ssize_t span_find(struct span s, struct span needle, size_t from);
/* Where the line that holds byte `at` begins, and the place behind its newline (or the text's
   end). */
size_t span_line_start(struct span s, size_t at);
size_t span_line_end(struct span s, size_t at);
struct span span_trim(struct span s);	/* without ASCII white space at both ends */

/* A growing byte string the owner frees with buf_done. Always has a NUL behind p[len] once p is
   set. */
struct buf {
	char *p;
	size_t len, cap;
};

#define BUF_INIT { NULL, 0, 0 }
#define AUTO_BUF __attribute__((cleanup(buf_done))) struct buf	/* AUTO_BUF b = BUF_INIT; */

void buf_done(struct buf *b);	/* wipes and frees; b is BUF_INIT again */
void buf_reset(struct buf *b);	/* length 0, keeps the memory */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_span(struct buf *b, struct span s);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct span buf_span(const struct buf *b);
char *buf_steal(struct buf *b);	/* the bytes, NUL-terminated; the caller frees */

struct err;
/* Room for n more bytes of which the input decides; RC_TOOBIG if len + n would pass max. */
int buf_reserve_input(struct buf *b, size_t n, size_t max, struct err *err);

/* A list of strings that it owns; v[n] is NULL once there is one. */
struct strings {
	char **v;
	size_t n, cap;
};
void strings_add(struct strings *l, char *s);	/* takes s */
void strings_done(struct strings *l);		/* empty again */
const char *const *strings_list(const struct strings *l);	/* NULL-terminated, also when empty */

/* Many small objects that die together. Memory is zeroed and aligned to 16. */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *a);
void *arena_alloc(struct arena *a, size_t n);
char *arena_strndup(struct arena *a, const char *p, size_t n);
size_t arena_size(const struct arena *a);	/* bytes handed out */
AUTO_DEFINE(arena, arena_free)

/* A secret: length-carrying, wiped on free, compared in constant time, never printed. */
struct secret;
struct secret *secret_new(const void *p, size_t len);
void secret_free(struct secret *s);
struct span secret_span(const struct secret *s);
bool secret_eq(const struct secret *a, const struct secret *b);
void secret_wipe(void *p, size_t len);	/* a memset the compiler keeps */
AUTO_DEFINE(secret, secret_free)

#endif
