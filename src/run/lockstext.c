/* SPDX-License-Identifier: Apache-2.0 */
#include "run_texts.h"

#include <corescrub/bt.h>

#include <stdlib.h>

#define NOBODY	SIZE_MAX

/* A thread as locks.txt sees it; index as in elfcore_threads. */
struct party {
	unsigned number;		/* gdb's, 0 if its text has no such thread */
	char *place; /* "function () at file:line", outside of the lock's own code; or NULL */
	const struct elfcore_wait *wait;	/* or NULL */
	size_t holder; /* index of the thread that holds what it waits for, or NOBODY */
	enum { UNSEEN, ON_PATH, DONE } colour;
};

struct lwp_row {
	int lwp;
	size_t thread;
};

struct locks {
	const struct elfcore_thread *threads;
	size_t n_threads;
	const struct elfcore_wait *waits;
	size_t n_waits;
	struct party *parties;
	struct lwp_row *by_lwp;		/* sorted */
};

static int lwp_cmp(const void *pa, const void *pb)
{
	const struct lwp_row *a = pa, *b = pb;

	return a->lwp < b->lwp ? -1 : a->lwp > b->lwp;
}

static size_t thread_of(const struct locks *l, int lwp)
{
	struct lwp_row want = { .lwp = lwp };
	const struct lwp_row *row = bsearch(&want, l->by_lwp, l->n_threads, sizeof(want), lwp_cmp);

	return row ? row->thread : NOBODY;
}

/* Frames of the C library's that every waiting thread has on top. */
static bool is_lock_code(struct span function)
{
	static const char *const heads[] = { "_", "pthread_", "futex_", "lll_", "sem_", "flockfile",
					     "syscall", "do_futex_wait" };

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		if (span_starts(function, span_str(heads[i])))
			return true;
	return function.len == 0;
}

static char *place_text(const struct bt_frame *f)
{
	AUTO_BUF b = BUF_INIT;

	buf_add_span(&b, f->function);
	buf_add_str(&b, " ()");
	if (f->file.len) {
		buf_add_str(&b, " at ");
		buf_add_span(&b, f->file);
	}
	if (f->line.len) {
		buf_add_char(&b, ':');
		buf_add_span(&b, f->line);
	}
	return buf_steal(&b);
}

/* Numbers and places from gdb's text; without it the LWPs tell enough. */
static void parties_name(struct locks *l, struct span brief)
{
	AUTO(bt) b = NULL;
	AUTO(bt_cursor) cursor = NULL;
	const struct bt_value *v;

	if (bt_parse(brief, &b, NULL) != RC_OK)
		return;
	cursor = bt_cursor_new(b);
	while ((v = bt_next(cursor))) {
		size_t i;

		if (v->type != BT_FRAME)
			continue;
		i = thread_of(l, (int)v->frame->lwp);
		if (i == NOBODY)
			continue;
		l->parties[i].number = v->frame->thread;
		if (!l->parties[i].place && !is_lock_code(v->frame->function))
			l->parties[i].place = place_text(v->frame);
	}
}

static void locks_init(struct locks *l, struct elfcore *c)
{
	l->threads = elfcore_threads(c, &l->n_threads);
	l->waits = elfcore_waits(c, &l->n_waits);
	l->parties = xcalloc(l->n_threads, sizeof(*l->parties));
	l->by_lwp = xcalloc(l->n_threads, sizeof(*l->by_lwp));
	for (size_t i = 0; i < l->n_threads; i++) {
		l->parties[i].holder = NOBODY;
		l->by_lwp[i] = (struct lwp_row){ l->threads[i].lwp, i };
	}
	qsort(l->by_lwp, l->n_threads, sizeof(*l->by_lwp), lwp_cmp);
	for (size_t i = 0; i < l->n_waits; i++) {
		struct party *p = &l->parties[l->waits[i].thread];

		p->wait = &l->waits[i];
		if (p->wait->owner_lwp)
			p->holder = thread_of(l, p->wait->owner_lwp);
	}
}

static void locks_done(struct locks *l)
{
	for (size_t i = 0; i < l->n_threads; i++)
		free(l->parties[i].place);
	free(l->parties);
	free(l->by_lwp);
}

static void add_thread(struct buf *b, const struct locks *l, size_t i)
{
	if (l->parties[i].number)
		buf_addf(b, "thread %u (LWP %d)", l->parties[i].number, l->threads[i].lwp);
	else
		buf_addf(b, "LWP %d", l->threads[i].lwp);
}

static void add_place(struct buf *b, const struct party *p)
{
	if (p->place)
		buf_addf(b, " in %s", p->place);
}

static bool is_join(const struct elfcore_wait *w)
{
	return strcmp(w->what, "thread exit") == 0;
}

/* "thread 2 (LWP 71) in f () at x.c:9 waits for the mutex at 0x… that thread 3 (LWP 72) holds" */
static void add_link(struct buf *b, const struct locks *l, size_t i)
{
	const struct party *p = &l->parties[i];

	buf_add_str(b, "  ");
	add_thread(b, l, i);
	add_place(b, p);
	if (is_join(p->wait)) {
		buf_add_str(b, " waits for the end of ");
		add_thread(b, l, p->holder);
		buf_add_char(b, '\n');
		return;
	}
	buf_addf(b, " waits for the %s at 0x%llx that ", p->wait->what,
		 (unsigned long long)p->wait->addr);
	if (p->holder == i)
		buf_add_str(b, "it holds itself\n");
	else {
		add_thread(b, l, p->holder);
		buf_add_str(b, " holds\n");
	}
}

static void add_cycle(struct buf *b, const struct locks *l, size_t first)
{
	size_t n = 0, i = first;

	do {
		n++;
		i = l->parties[i].holder;
	} while (i != first);
	if (n == 1)
		buf_add_str(b, "Deadlock: a thread waits for itself.\n");
	else
		buf_addf(b, "Deadlock: %zu threads wait for each other in a circle.\n", n);
	do {
		add_link(b, l, i);
		i = l->parties[i].holder;
	} while (i != first);
	buf_add_char(b, '\n');
}

/* Every thread waits for at most one other, so a walk along the holders meets each circle once. */
static size_t add_cycles(struct buf *b, const struct locks *l)
{
	size_t found = 0;

	for (size_t start = 0; start < l->n_threads; start++) {
		size_t i = start;

		while (i != NOBODY && l->parties[i].colour == UNSEEN) {
			l->parties[i].colour = ON_PATH;
			i = l->parties[i].holder;
		}
		if (i != NOBODY && l->parties[i].colour == ON_PATH) {
			add_cycle(b, l, i);
			found++;
		}
		for (i = start; i != NOBODY && l->parties[i].colour == ON_PATH;
		     i = l->parties[i].holder)
			l->parties[i].colour = DONE;
	}
	return found;
}

/* Locks with a holder first, then by address, then in the core's order. */
static int wait_cmp(const void *pa, const void *pb)
{
	const struct elfcore_wait *a = pa, *b = pb;

	if (!a->owner_lwp != !b->owner_lwp)
		return a->owner_lwp ? -1 : 1;
	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return a->thread < b->thread ? -1 : a->thread > b->thread;
}

static void add_lock_head(struct buf *b, const struct locks *l, const struct elfcore_wait *w)
{
	size_t holder = w->owner_lwp ? thread_of(l, w->owner_lwp) : NOBODY;

	buf_addf(b, "\n%s at 0x%llx", w->what, (unsigned long long)w->addr);
	if (holder != NOBODY) {
		buf_add_str(b, is_join(w) ? ", of " : ", held by ");
		add_thread(b, l, holder);
		add_place(b, &l->parties[holder]);
		if (l->parties[holder].wait)
			buf_add_str(b, ", which waits itself");
	} else if (w->owner_lwp) {
		buf_addf(b, ", held by LWP %d, which is no longer there", w->owner_lwp);
	}
	buf_add_str(b, ":\n");
}

static void add_waits(struct buf *b, const struct locks *l)
{
	AUTO_FREE struct elfcore_wait *waits = xcalloc(l->n_waits, sizeof(*waits));

	memcpy(waits, l->waits, l->n_waits * sizeof(*waits));
	qsort(waits, l->n_waits, sizeof(*waits), wait_cmp);
	buf_addf(b, "%zu of %zu threads wait for a lock or a condition:\n", l->n_waits,
		 l->n_threads);
	for (size_t i = 0; i < l->n_waits; i++) {
		if (i == 0 || waits[i].addr != waits[i - 1].addr ||
		    waits[i].owner_lwp != waits[i - 1].owner_lwp ||
		    waits[i].what != waits[i - 1].what)
			add_lock_head(b, l, &waits[i]);
		buf_add_str(b, "  ");
		add_thread(b, l, waits[i].thread);
		add_place(b, &l->parties[waits[i].thread]);
		buf_add_char(b, '\n');
	}
}

void run_locks_text(struct elfcore *c, struct span brief, struct buf *ret)
{
	struct locks l = { .n_threads = 0 };

	locks_init(&l, c);
	parties_name(&l, brief);
	if (l.n_waits == 0) {
		buf_addf(ret, "None of %zu threads waits for a lock.\n", l.n_threads);
	} else {
		if (add_cycles(ret, &l) == 0)
			buf_add_str(ret,
				    "No deadlock among the locks whose holders are known.\n\n");
		add_waits(ret, &l);
	}
	locks_done(&l);
}
