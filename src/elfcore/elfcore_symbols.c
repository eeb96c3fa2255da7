/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_symbols_internal.h"

#include <corescrub/base/process.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * The parent of the child that reads symbols: believes no row that does not make sense. A child
 * that dies is followed by another, which begins behind what killed it.
 */

#define CHILDREN_MAX	16
#define READ_BLOCK	KIB(64)

static const char *const skip_words[SKIP_COUNT] = {
	[SKIP_ABSENT] = "not there",
	[SKIP_OTHER_BUILD] = "not the file that was mapped",
	[SKIP_DAMAGED] = "damaged, or of another machine",
	[SKIP_NO_SYMBOLS] = "no symbols in it",
	[SKIP_KILLED] = "its symbols can't be read",
};

struct hearing {
	const struct elfcore *c;
	const struct elfcore_wish *w;
	struct elfcore_symbols_result *result;
	uint8_t *bad;			/* by unit: told as skipped, or a thread that killed a child */
	uint32_t n_units, unit;		/* unit: n_units until one is begun */
	bool ended;
	int64_t deadline;		/* ms */
	struct buf in;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void skipped(struct hearing *h, uint32_t unit, enum skip_reason why)
{
	const char *library = unit < h->c->n_files ? h->c->files[unit].path : NULL;

	if (h->bad[unit])
		return;		/* by an earlier child */
	h->bad[unit] = 1;
	if (library)
		h->result->n_skipped++;
	if (h->w->skipped)
		h->w->skipped(h->w->ctx, library, skip_words[why]);
}

static int found(struct hearing *h, const struct row *row, const char *text, struct err *err)
{
	struct elfcore_variable v = { .addr = row->addr, .size = row->size, .pointer = row->pointer,
				      .thread = (size_t)row->thread };
	char copy[ROW_TEXTS][ROW_TEXT_MAX + 1];
	const char *texts[ROW_TEXTS] = { NULL };

	if (row->unit >= h->c->n_files || row->shape > ELFCORE_OTHER ||
	    (row->thread >= h->c->n_threads && row->thread != SIZE_MAX) || row->size == 0 ||
	    row->len[ROW_PATH] == ROW_NO_TEXT || elfcore_holds(h->c, v.addr, v.size) != v.size)
		return err_set(err, RC_CHILD, "a row of symbols makes no sense");
	for (int i = 0; i < ROW_TEXTS; i++) {
		if (row->len[i] == ROW_NO_TEXT)
			continue;
		memcpy(copy[i], text, row->len[i]);
		copy[i][row->len[i]] = '\0';
		text += row->len[i];
		texts[i] = copy[i];
	}
	v.shape = (enum elfcore_shape)row->shape;
	v.function = texts[ROW_FUNCTION];
	v.path = texts[ROW_PATH];
	v.file = texts[ROW_FILE];
	v.library = h->c->files[row->unit].path;
	h->result->n_found++;
	return h->w->found(h->w->ctx, &v, err);
}

static int row_take(struct hearing *h, const struct row *row, const char *text, struct err *err)
{
	if (row->unit >= h->n_units)
		return err_set(err, RC_CHILD, "a row of symbols makes no sense");
	switch (row->kind) {
	case ROW_UNIT:
		h->unit = row->unit;
		return RC_OK;
	case ROW_FOUND:
		return found(h, row, text, err);
	case ROW_SKIPPED:
		if (row->shape < SKIP_COUNT)
			skipped(h, row->unit, (enum skip_reason)row->shape);
		return RC_OK;
	case ROW_READ:
		*(row->shape ? &h->result->n_dwarf : &h->result->n_elf) += 1;
		return RC_OK;
	case ROW_END:
		h->ended = true;
		h->result->n_frames += row->size;
		h->result->capped |= row->shape != 0;
		return RC_OK;
	case ROW_MISSING:
		h->result->missing = row->shape & SANDBOX_ALL;
		if (h->result->missing && h->w->strict)
			return err_set(err, RC_SANDBOX, "a part of the confinement can't be had");
		return RC_OK;
	default:
		return err_set(err, RC_CHILD, "a row of symbols makes no sense");
	}
}

/* All whole rows of what came; the rest stays. */
static int rows_take(struct hearing *h, struct err *err)
{
	size_t at = 0;
	int rc = RC_OK;

	while (rc == RC_OK && h->in.len - at >= sizeof(struct row)) {
		struct row row;
		size_t len = sizeof(row);

		memcpy(&row, h->in.p + at, sizeof(row));
		for (int i = 0; i < ROW_TEXTS; i++) {
			if (row.len[i] == ROW_NO_TEXT)
				continue;
			if (row.len[i] > ROW_TEXT_MAX)
				return err_set(err, RC_CHILD, "a row of symbols makes no sense");
			len += row.len[i];
		}
		if (h->in.len - at < len)
			break;
		rc = row_take(h, &row, h->in.p + at + sizeof(row), err);
		at += len;
	}
	if (at > 0) {
		memmove(h->in.p, h->in.p + at, h->in.len - at);
		h->in.len -= at;
	}
	return rc;
}

static int hear(struct hearing *h, int fd, struct err *err)
{
	AUTO_FREE char *block = xmalloc(READ_BLOCK);

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = h->deadline - now_ms();
		int ready = left > 0 ? poll(&p, 1, left < INT32_MAX ? (int)left : INT32_MAX) : 0;
		ssize_t n;
		int rc;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return err_set(err, RC_TIMEOUT, "reading symbols took too long");
		n = read(fd, block, READ_BLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return RC_OK;
		buf_add(&h->in, block, (size_t)n);
		rc = rows_take(h, err);
		if (rc != RC_OK)
			return rc;
	}
}

static int child_run(struct hearing *h, uint32_t from, struct err *err)
{
	int pipes[2], status, rc;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_errno(err, RC_IO, "can't make a pipe");
	buf_reset(&h->in);
	h->unit = h->n_units;
	pid = fork();
	if (pid == 0) {
		close(pipes[0]);
		elfcore_symbols_child(h->c, h->w, pipes[1], from, h->bad);
	}
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		return err_errno(err, RC_CHILD, "can't start a child");
	}
	rc = hear(h, pipes[0], err);
	close(pipes[0]);
	if (rc != RC_OK)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return rc;
}

static int children_run(struct hearing *h, struct err *err)
{
	uint32_t from = 0;

	for (int i = 0; i < CHILDREN_MAX && !h->ended; i++) {
		struct err why = ERR_INIT;
		int rc = child_run(h, from, &why);

		if (rc == RC_TIMEOUT) {
			h->result->timed_out = true;
			return RC_OK;
		}
		/* RC_CHILD: it talked nonsense, so something has got hold of it */
		if (rc != RC_OK && (rc != RC_CHILD || h->unit == h->n_units)) {
			if (err)
				*err = why;
			return rc;
		}
		if (h->ended)
			break;
		if (h->unit == h->n_units)
			return err_set(err, RC_CHILD, "the child that reads symbols died");
		skipped(h, h->unit, SKIP_KILLED);
		from = h->unit + 1;
	}
	h->result->capped |= !h->ended;
	return RC_OK;
}

int elfcore_variables(const struct elfcore *c, const struct elfcore_wish *w,
		      struct elfcore_symbols_result *ret, struct err *err)
{
	struct elfcore_symbols_result result = { 0 };
	unsigned seconds = w->timeout_s ? w->timeout_s : LIMIT_SYMBOLS_SECONDS;
	struct hearing h = { .c = c, .w = w, .result = &result, .in = BUF_INIT,
			     .n_units = (uint32_t)(c->n_files + c->n_threads),
			     .deadline = now_ms() + (int64_t)seconds * 1000 };
	int rc;

	h.bad = xcalloc(h.n_units + 1, 1);
	rc = children_run(&h, err);
	free(h.bad);
	buf_done(&h.in);
	if (rc == RC_OK)
		*ret = result;
	return rc;
}
