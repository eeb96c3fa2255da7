/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_internal.h"

#include <linux/futex.h>
#include <stdlib.h>

/*
 * Which lock a thread waits for, from its futex system call and the words at the futex's address.
 * Layouts: glibc 2.25 and later, LP64, sysdeps/nptl/bits/struct_mutex.h, struct_rwlock.h and
 * bits/thread-shared-types.h. A futex is one word; what object it stands in is told by which
 * operation and value glibc uses for it and by whether the object's other words make sense.
 */

#define NR_FUTEX_X86	202
#define NR_FUTEX_ARM	98
#define PID_MAX_LIMIT	4194304		/* Linux include/linux/threads.h */
#define WAITERS_MAX	LIMIT_CORE_THREADS

/* pthread_mutex_t */
#define MUTEX_OWNER	8
#define MUTEX_NUSERS	12
#define MUTEX_KIND	16
#define MUTEX_KIND_BITS	0x3f3		/* type, robust, PI, PP, shared, elision */
/* pthread_rwlock_t */
#define RWLOCK_READERS	0
#define RWLOCK_WRITERS	4
#define RWLOCK_PHASE	8		/* __wrphase_futex */
#define RWLOCK_WFUTEX	12		/* __writers_futex */
#define RWLOCK_CUR	24		/* __cur_writer */
#define RWLOCK_SHARED	28
#define RWLOCK_SIZE	56
/* the two layouts of pthread_cond_t: before 2.41 and since */
#define COND_SIZE	48
/* _IO_lock_t, of a FILE */
#define IOLOCK_OWNER	8		/* pthread_t: the thread's fs_base */

struct index_row {
	uint64_t key;
	size_t thread;
};

struct look {				/* one waiting thread's futex */
	const struct elfcore *c;
	const struct index_row *by_lwp, *by_tls;	/* sorted, n_threads rows */
	uint64_t addr;
	unsigned op;
	bool private;
	uint32_t val, word;
	struct elfcore_wait *wait;
};

static int row_cmp(const void *pa, const void *pb)
{
	const struct index_row *a = pa, *b = pb;

	return a->key < b->key ? -1 : a->key > b->key;
}

static const struct index_row *row_find(const struct index_row *rows, size_t n, uint64_t key)
{
	struct index_row want = { .key = key };

	return bsearch(&want, rows, n, sizeof(*rows), row_cmp);
}

static bool is_lwp(const struct look *l, uint32_t lwp)
{
	return lwp != 0 && row_find(l->by_lwp, l->c->n_threads, lwp);
}

static void wait_is(struct look *l, const char *what, uint64_t addr, uint32_t owner)
{
	l->wait->what = what;
	l->wait->addr = addr;
	l->wait->owner_lwp = (int)owner;
}

/* The n bytes of an object that holds the futex word at offset `at` of it. */
static bool object_read(const struct look *l, uint64_t at, char *ret, size_t n)
{
	return l->addr >= at && elfcore_read(l->c, l->addr - at, ret, n) == n;
}

static bool is_pi(unsigned op)
{
	return op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2;
}

/*
 * lll_lock waits with value 2; a robust mutex with its whole word (owner and FUTEX_WAITERS), and a
 * PI mutex by FUTEX_LOCK_PI. The owner field counts only where its neighbours are a mutex's: the
 * same low-level lock guards malloc's arenas and others, which have no owner (nor users).
 */
static bool mutex_look(struct look *l)
{
	char m[MUTEX_KIND + 4];
	uint32_t owner, users, kind;
	bool own_in_word = is_pi(l->op) || (l->val & FUTEX_WAITERS);

	if (!own_in_word && (l->val != 2 || l->word == 0))
		return false;
	if (!object_read(l, 0, m, sizeof(m)))
		return false;
	owner = get_u32(m + MUTEX_OWNER);
	users = get_u32(m + MUTEX_NUSERS);
	kind = get_u32(m + MUTEX_KIND);
	if (own_in_word)
		owner = l->word & FUTEX_TID_MASK;
	if ((kind & ~(uint32_t)MUTEX_KIND_BITS) != 0 || users == 0 || users > WAITERS_MAX ||
	    owner > PID_MAX_LIMIT)
		return false;
	wait_is(l, "mutex", l->addr, owner);
	return true;
}

/* Readers wait on the phase word (value 3), writers on either; a writer that holds it is cur. */
static bool rwlock_look_at(struct look *l, uint64_t at)
{
	char rw[RWLOCK_SIZE];
	uint32_t cur, readers;

	if (!object_read(l, at, rw, sizeof(rw)))
		return false;
	cur = get_u32(rw + RWLOCK_CUR);
	readers = get_u32(rw + RWLOCK_READERS);
	if (get_u32(rw + RWLOCK_PHASE) > 3 || get_u32(rw + RWLOCK_WFUTEX) > 3 ||
	    get_u32(rw + RWLOCK_SHARED) > 1 || get_u32(rw + RWLOCK_WRITERS) > WAITERS_MAX ||
	    (readers >> 3) > WAITERS_MAX)
		return false;
	if (cur == 0 ? readers >> 3 == 0 : !is_lwp(l, cur))
		return false;
	wait_is(l, "rwlock", l->addr - at, cur);
	return true;
}

static bool rwlock_look(struct look *l)
{
	if (l->op != FUTEX_WAIT_BITSET || l->val < 2 || l->val > 3)
		return false;
	return rwlock_look_at(l, RWLOCK_PHASE) || rwlock_look_at(l, RWLOCK_WFUTEX);
}

/* The word is one of two __g_signals; __wrefs counts waiters eightfold, positions never go back. */
static bool cond_look_at(struct look *l, uint64_t at, size_t off_wrefs)
{
	char cond[COND_SIZE];
	uint64_t wseq, g1_start;
	uint32_t waiters;

	if (!object_read(l, at, cond, sizeof(cond)))
		return false;
	wseq = get_u64(cond) >> 1;
	g1_start = get_u64(cond + 8) >> 1;
	waiters = get_u32(cond + off_wrefs) >> 3;
	if (waiters == 0 || waiters > WAITERS_MAX || wseq == 0 || g1_start > wseq ||
	    wseq - g1_start > UINT32_MAX)
		return false;
	wait_is(l, "condition variable", l->addr - at, 0);
	return true;
}

static bool cond_look(struct look *l)
{
	if (l->op != FUTEX_WAIT_BITSET)
		return false;
	return cond_look_at(l, 40, 36) || cond_look_at(l, 44, 36) ||	/* glibc 2.25 to 2.40 */
	       cond_look_at(l, 32, 28) || cond_look_at(l, 36, 28);	/* since 2.41 */
}

/* sem_t: value, waiters. */
static bool sem_look(struct look *l)
{
	char sem[12];
	uint32_t waiters;

	if (l->op != FUTEX_WAIT_BITSET || l->val != 0 || l->word != 0 ||
	    !object_read(l, 0, sem, sizeof(sem)))
		return false;
	waiters = get_u32(sem + 4);
	if (waiters == 0 || waiters > WAITERS_MAX ||
	    (get_u32(sem + 8) & ~(uint32_t)FUTEX_PRIVATE_FLAG) != 0)
		return false;
	wait_is(l, "semaphore", l->addr, 0);
	return true;
}

/* pthread_join waits, shared as the kernel wakes it, until the kernel clears the thread's id. */
static bool join_look(struct look *l)
{
	if (l->private || (l->op != FUTEX_WAIT_BITSET && l->op != FUTEX_WAIT) ||
	    l->val != l->word || !is_lwp(l, l->word))
		return false;
	wait_is(l, "thread exit", l->addr, l->word);
	return true;
}

/* A FILE's lock: word, count, and the owner's pthread_t. */
static bool stream_look(struct look *l)
{
	const struct index_row *row;
	char lock[IOLOCK_OWNER + 8];
	uint64_t owner;

	if (l->val != 2 || !object_read(l, 0, lock, sizeof(lock)))
		return false;
	owner = get_u64(lock + IOLOCK_OWNER);
	row = owner ? row_find(l->by_tls, l->c->n_threads, owner) : NULL;
	if (!row)
		return false;
	wait_is(l, "stream lock", l->addr, (uint32_t)l->c->threads[row->thread].lwp);
	return true;
}

static bool is_wait_op(unsigned op)
{
	return op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET || op == FUTEX_WAIT_REQUEUE_PI ||
	       is_pi(op);
}

/* From the most telling to the least. */
static void wait_classify(struct look *l)
{
	if (mutex_look(l) || stream_look(l) || rwlock_look(l) || join_look(l) || cond_look(l))
		return;
	sem_look(l);
}

static void wait_add(struct elfcore *c, const struct index_row *by_lwp,
		     const struct index_row *by_tls, size_t thread)
{
	const struct elfcore_thread *t = &c->threads[thread];
	struct elfcore_wait w = { .thread = thread, .addr = t->args[0], .what = "futex" };
	struct look l = { .c = c, .by_lwp = by_lwp, .by_tls = by_tls, .addr = t->args[0],
			  .op = (unsigned)t->args[1] & (unsigned)FUTEX_CMD_MASK,
			  .private = t->args[1] & FUTEX_PRIVATE_FLAG,
			  .val = (uint32_t)t->args[2], .wait = &w };
	char word[4];

	if (!is_wait_op(l.op) || l.addr % 4 != 0 ||
	    elfcore_read(c, l.addr, word, sizeof(word)) != sizeof(word))
		return;
	l.word = get_u32(word);
	wait_classify(&l);
	GROW(c->waits, c->n_waits, c->cap_waits);
	c->waits[c->n_waits++] = w;
}

const struct elfcore_wait *elfcore_waits(struct elfcore *c, size_t *ret_n)
{
	if (!c->waits_done) {
		int64_t nr = c->machine == EM_X86_64 ? NR_FUTEX_X86 : NR_FUTEX_ARM;
		AUTO_FREE struct index_row *by_lwp = xcalloc(c->n_threads, sizeof(*by_lwp));
		AUTO_FREE struct index_row *by_tls = xcalloc(c->n_threads, sizeof(*by_tls));

		for (size_t i = 0; i < c->n_threads; i++) {
			by_lwp[i] = (struct index_row){ (uint32_t)c->threads[i].lwp, i };
			by_tls[i] = (struct index_row){ c->threads[i].fs_base, i };
		}
		qsort(by_lwp, c->n_threads, sizeof(*by_lwp), row_cmp);
		qsort(by_tls, c->n_threads, sizeof(*by_tls), row_cmp);
		for (size_t i = 0; i < c->n_threads; i++)
			if (c->threads[i].syscall == nr)
				wait_add(c, by_lwp, by_tls, i);
		c->waits_done = true;
	}
	*ret_n = c->n_waits;
	return c->waits;
}
