/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/base/err.h>
#include <corescrub/base/limits.h>
#include <corescrub/base/mem.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/crypto.h>

void auto_free_p(void *pp)
{
	free(*(void **)pp);
}

void auto_close_p(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

/* Outputs appear last, so ending here leaves nothing half-written; no message, it could not be kept
   apart from whoever owns stderr. */
static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

void *xmalloc(size_t n)
{
	return must(malloc(n ? n : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return must(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	return must(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return must(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return must(strndup(s, n));
}

/* Allocated; *ret_len may be NULL. */
static char *format(size_t *ret_len, const char *fmt, va_list ap)
{
	char *s = NULL;
	int n = vasprintf(&s, fmt, ap);

	if (ret_len)
		*ret_len = n < 0 ? 0 : (size_t)n;
	return must(n < 0 ? NULL : s);
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = format(NULL, fmt, ap);
	va_end(ap);
	return s;
}

struct span span_sub(struct span s, size_t from, size_t to)
{
	if (to > s.len)
		to = s.len;
	if (from > to)
		from = to;
	return span_make(s.p + from, to - from);
}

bool span_starts(struct span s, struct span head)
{
	return s.len >= head.len && span_eq(span_make(s.p, head.len), head);
}

bool span_ends(struct span s, struct span tail)
{
	return s.len >= tail.len && span_eq(span_make(s.p + (s.len - tail.len), tail.len), tail);
}

ssize_t span_find(struct span s, struct span needle, size_t from)
{
	const char *at;

	if (from > s.len)
		return -1;
	if (needle.len == 0)
		return from;
	if (s.len - from < needle.len)
		return -1;	/* an empty span may point nowhere */
	at = memmem(s.p + from, s.len - from, needle.p, needle.len);
	return at ? at - s.p : -1;
}

size_t span_line_start(struct span s, size_t at)
{
	const char *nl = at ? memrchr(s.p, '\n', at) : NULL;

	return nl ? (size_t)(nl - s.p) + 1 : 0;
}

size_t span_line_end(struct span s, size_t at)
{
	const char *nl = at < s.len ? memchr(s.p + at, '\n', s.len - at) : NULL;

	return nl ? (size_t)(nl - s.p) + 1 : s.len;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct span span_trim(struct span s)
{
	while (s.len && is_space(s.p[0]))
		s = span_make(s.p + 1, s.len - 1);
	while (s.len && is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

void buf_done(struct buf *b)
{
	if (b->p) {
		secret_wipe(b->p, b->len);
		free(b->p);
	}
	*b = (struct buf)BUF_INIT;
}

void buf_reset(struct buf *b)
{
	if (b->p) {
		secret_wipe(b->p, b->len);
		b->p[0] = '\0';
	}
	b->len = 0;
}

/* Room for n more bytes and the NUL. Moves by hand: realloc would leave the old bytes unwiped. */
static void buf_grow(struct buf *b, size_t n)
{
	size_t need, cap = b->cap ? b->cap : 64;
	char *p;

	if (__builtin_add_overflow(b->len, n, &need) || __builtin_add_overflow(need, 1, &need) ||
	    need > SIZE_MAX / 2)
		abort();
	if (need <= b->cap)
		return;
	while (cap < need)
		cap += cap / 2 + 64;
	p = xmalloc(cap);
	if (b->p) {
		memcpy(p, b->p, b->len);
		secret_wipe(b->p, b->len);
		free(b->p);
	}
	b->p = p;
	b->cap = cap;
	b->p[b->len] = '\0';
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (b->len + 1 >= b->cap || n >= b->cap - b->len - 1)
		buf_grow(b, n);
	if (n)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = '\0';
}

void buf_add_span(struct buf *b, struct span s)
{
	buf_add(b, s.p, s.len);
}

void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_char(struct buf *b, char c)
{
	if (b->len + 1 >= b->cap)
		buf_grow(b, 1);
	b->p[b->len++] = c;
	b->p[b->len] = '\0';
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	size_t n;
	char *s;

	va_start(ap, fmt);
	s = format(&n, fmt, ap);
	va_end(ap);
	buf_add(b, s, n);
	secret_wipe(s, n);
	free(s);
}

struct span buf_span(const struct buf *b)
{
	return span_make(b->p ? b->p : "", b->len);
}

char *buf_steal(struct buf *b)
{
	char *p;

	buf_grow(b, 0);
	p = b->p;
	*b = (struct buf)BUF_INIT;
	return p;
}

int buf_reserve_input(struct buf *b, size_t n, size_t max, struct err *err)
{
	size_t total;

	if (__builtin_add_overflow(b->len, n, &total) || total > max)
		return err_set(err, RC_TOOBIG, "input is over the limit of %zu bytes", max);
	buf_grow(b, n);
	return RC_OK;
}

void strings_add(struct strings *l, char *s)
{
	GROW(l->v, l->n + 1, l->cap);
	l->v[l->n++] = s;
	l->v[l->n] = NULL;
}

void strings_done(struct strings *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct strings){ 0 };
}

const char *const *strings_list(const struct strings *l)
{
	static const char *const none[] = { NULL };

	return l->v ? (const char *const *)l->v : none;
}

struct arena_block {
	struct arena_block *next;
	size_t used, cap;
	_Alignas(16) char data[];
};

struct arena {
	struct arena_block *blocks;
	size_t total;
};

struct arena *arena_new(void)
{
	return xcalloc(1, sizeof(struct arena));
}

void arena_free(struct arena *a)
{
	struct arena_block *b, *next;

	if (!a)
		return;
	for (b = a->blocks; b; b = next) {
		next = b->next;
		secret_wipe(b->data, b->used);
		free(b);
	}
	free(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *b = a->blocks;
	size_t cap;
	void *p;

	if (n > SIZE_MAX / 4)
		abort();
	n = (n + 15) & ~(size_t)15;
	if (!b || b->cap - b->used < n) {
		cap = b ? b->cap * 2 : 4096;
		if (cap > MIB(1))
			cap = MIB(1);
		if (cap < n)
			cap = n;
		b = xmalloc(sizeof(*b) + cap);
		*b = (struct arena_block){ .next = a->blocks, .cap = cap };
		a->blocks = b;
	}
	p = b->data + b->used;
	b->used += n;
	a->total += n;
	return memset(p, 0, n);
}

char *arena_strndup(struct arena *a, const char *p, size_t n)
{
	char *s = arena_alloc(a, n + 1);

	if (n)
		memcpy(s, p, n);
	return s;
}

size_t arena_size(const struct arena *a)
{
	return a->total;
}

struct secret {
	size_t len;
	char bytes[];
};

struct secret *secret_new(const void *p, size_t len)
{
	struct secret *s = xmalloc(sizeof(*s) + len + 1);

	s->len = len;
	if (len)
		memcpy(s->bytes, p, len);
	s->bytes[len] = '\0';
	return s;
}

void secret_free(struct secret *s)
{
	if (!s)
		return;
	secret_wipe(s->bytes, s->len);
	free(s);
}

struct span secret_span(const struct secret *s)
{
	return span_make(s->bytes, s->len);
}

bool secret_eq(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

void secret_wipe(void *p, size_t len)
{
	if (len)
		explicit_bzero(p, len);
}
