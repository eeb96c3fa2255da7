/* SPDX-License-Identifier: Apache-2.0 */
#include "core_job.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Pass two: learned values join what pass one found, all is filled, the chunk is written and looked
   at again. */

#define BLOCK KIB(4)

struct pass_two {
	struct core_job *j;
	struct detectors detectors;
	struct redact_fill *fill;
	int fd;
	struct core_result *ret;
	struct core_look look;
	/* what pass one left: the next finding of each kind */
	size_t typed;
	uint64_t spilled; /* read so far */
	struct finding *rows;
	size_t n_rows, row;
	size_t kept; /* the first range that ends behind the last chunk */
};

#define ROWS 1024

/* The next finding of pass one's file, or NULL at its end. */
static const struct finding *spill_next(struct pass_two *p, struct err *err, int *ret_rc)
{
	size_t n = ROWS;
	ssize_t got;

	*ret_rc = RC_OK;
	if (p->row < p->n_rows)
		return &p->rows[p->row];
	if (p->spilled == p->j->n_spilled)
		return NULL;
	if (n > p->j->n_spilled - p->spilled)
		n = (size_t)(p->j->n_spilled - p->spilled);
	got = pread(p->j->spill, p->rows, n * sizeof(*p->rows),
		    (off_t)(p->spilled * sizeof(*p->rows)));
	if (got != (ssize_t)(n * sizeof(*p->rows))) {
		*ret_rc = err_errno(err, RC_IO, "can't read back what was found");
		return NULL;
	}
	p->spilled += n;
	p->n_rows = n;
	p->row = 0;
	return &p->rows[0];
}

/* What pass one found in this chunk. */
static int add_found(struct pass_two *p, struct pipe_chunk *c, struct err *err)
{
	uint64_t from = c->off + c->from, to = c->off + c->to;
	const struct findings *typed = &p->j->typed;
	const struct finding *f;
	int rc;

	for (; p->typed < typed->n && typed->v[p->typed].off < to; p->typed++)
		if (typed->v[p->typed].off >= from)
			findings_add(&c->found, &typed->v[p->typed]);
	while ((f = spill_next(p, err, &rc)) && f->off < to) {
		if (f->off >= from)
			findings_add(&c->found, f);
		p->row++;
	}
	return rc;
}

static int learned_look(void *ctx, unsigned thread, struct pipe_chunk *c, struct err *err)
{
	struct pass_two *p = ctx;
	struct detect_window w = { .bytes = buf_span(&c->bytes),
				   .off = c->off,
				   .from = c->from,
				   .to = c->to,
				   .core = p->j->core };

	return detect_memory_learned(p->detectors.v[thread], &w, p->j->known, &c->found, err);
}

static bool is_zeroed(const struct pass_two *p, enum elfcore_part_kind kind)
{
	return kind == ELFCORE_RANDOM || (kind == ELFCORE_VECTOR && !p->j->o->keep_fpregs);
}

/* Zeros what goes whole. Nothing else is to be done there: findings in it are dropped. */
static void zero_parts(struct pass_two *p, struct pipe_chunk *c)
{
	const struct core_job *j = p->j;
	uint64_t end = c->off + c->bytes.len;

	for (size_t i = core_part_find(j, c->off); i < j->n_parts && j->parts[i].off < end; i++) {
		const struct elfcore_part *part = &j->parts[i];
		uint64_t from = part->off > c->off ? part->off : c->off, to = part->off + part->len;
		size_t n = 0;

		if (to > end)
			to = end;
		if (!is_zeroed(p, part->kind) || from >= to)
			continue;
		memset(c->bytes.p + (from - c->off), 0, (size_t)(to - from));
		for (size_t k = 0; k < c->found.n; k++) {
			const struct finding *f = &c->found.v[k];

			if (f->off + f->len <= from || f->off >= to)
				c->found.v[n++] = *f;
		}
		c->found.n = n;
	}
}

/* Text in a general register stays, or unwinding would be harmed: a person must look. Pointers into
   the process are none. */
static bool is_text_register(const struct core_job *j, uint64_t value)
{
	unsigned n = 0;

	while (n < 8 && (value >> 8 * n & 0xff) >= 0x20 && (value >> 8 * n & 0xff) < 0x7f)
		n++;
	return n >= 6 && (n == 8 || value >> 8 * n == 0) && !elfcore_is_mapped(j->core, value);
}

static void look_registers(struct pass_two *p, const struct pipe_chunk *c)
{
	const struct core_job *j = p->j;
	uint64_t begin = c->off + c->from, end = c->off + c->to;

	for (size_t i = core_part_find(j, begin); i < j->n_parts && j->parts[i].off < end; i++) {
		const struct elfcore_part *part = &j->parts[i];

		for (uint64_t k = 0; part->kind == ELFCORE_REGISTERS && k + 8 <= part->len;
		     k += 8) {
			uint64_t at = part->off + k, value;

			/* one that straddles chunks stands whole in the context */
			if (at < begin || at >= end || at + 8 > c->off + c->bytes.len)
				continue;
			memcpy(&value, c->bytes.p + (at - c->off), 8);
			p->ret->open_registers += is_text_register(j, value);
		}
	}
}

/* --keep=stacks: zeros what of [off, off + len) is not kept. */
static void zero_dropped(const struct pass_two *p, char *bytes, uint64_t off, uint64_t len,
			 size_t first)
{
	const struct core_job *j = p->j;
	uint64_t at = off, end = off + len;

	for (size_t i = first; at < end; i++) {
		uint64_t from = i < j->n_kept && j->kept[i].off < end ? j->kept[i].off : end;

		if (from > at)
			memset(bytes + (at - off), 0, (size_t)(from - at));
		if (i >= j->n_kept)
			return;
		if (j->kept[i].off + j->kept[i].len > at)
			at = j->kept[i].off + j->kept[i].len;
	}
}

static int write_at(struct pass_two *p, const char *bytes, size_t n, uint64_t off, struct err *err)
{
	while (n) {
		ssize_t k = pwrite(p->fd, bytes, n, (off_t)off);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return err_errno(err, RC_IO, "can't write the core");
		bytes += k;
		off += (uint64_t)k;
		n -= (size_t)k;
		p->ret->kept += (uint64_t)k;
	}
	return RC_OK;
}

static bool is_zero(const char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Writes what is not zero, block by block: the rest are holes. */
static int write_sparse(struct pass_two *p, const struct pipe_chunk *c, struct err *err)
{
	size_t at = c->from, from;
	int rc = RC_OK;

	while (rc == RC_OK && at < c->to) {
		for (from = at; at < c->to; at += BLOCK)
			if (is_zero(c->bytes.p + at, c->to - at < BLOCK ? c->to - at : BLOCK))
				break;
		if (at > c->to)
			at = c->to;
		if (at > from)
			rc = write_at(p, c->bytes.p + from, at - from, c->off + from, err);
		else
			at = c->to - at < BLOCK ? c->to : at + BLOCK;
	}
	return rc;
}

static int chunk_take(void *ctx, struct pipe_chunk *c, struct err *err)
{
	struct pass_two *p = ctx;
	struct redact_chunk chunk = { .len = c->bytes.len,
				      .from = c->from,
				      .to = c->to,
				      .off = c->off,
				      .bytes = c->bytes.p,
				      .found = &c->found };
	const struct core_job *j = p->j;
	int rc = add_found(p, c, err);

	if (rc < 0)
		return rc;
	zero_parts(p, c);
	look_registers(p, c);
	rc = redact_fill_chunk(p->fill, &chunk, err);
	if (rc < 0)
		return rc;
	if (j->o->stacks) {
		while (p->kept < j->n_kept &&
		       j->kept[p->kept].off + j->kept[p->kept].len <= c->off + c->from)
			p->kept++;
		zero_dropped(p, c->bytes.p + c->from, c->off + c->from, c->to - c->from, p->kept);
	}
	core_progress(j, "scrubbing", c->off + c->to);
	return write_sparse(p, c, err);
}

static int chunk_look_again(void *ctx, unsigned thread, struct pipe_chunk *c, struct err *err)
{
	struct pass_two *p = ctx;

	(void)thread;
	return core_look_chunk(&p->look, c, err);
}

static int chunk_take_again(void *ctx, struct pipe_chunk *c, struct err *err)
{
	struct pass_two *p = ctx;

	(void)err;
	core_look_take(&p->look, p->fill, c);
	return RC_OK;
}

static int late(void *ctx, uint64_t off, struct span bytes, struct err *err)
{
	struct pass_two *p = ctx;
	AUTO_BUF copy = BUF_INIT;

	buf_add_span(&copy, bytes);
	if (p->j->o->stacks)
		zero_dropped(p, copy.p, off, copy.len, 0);
	core_look_late(&p->look, off, copy.len);
	return write_at(p, copy.p, copy.len, off, err);
}

static int pass_two(struct pass_two *p, struct redactor *r, struct err *err)
{
	struct core_job *j = p->j;
	struct pipe_job job = {
		.fd = elfcore_fd(j->core),
		.size = elfcore_info(j->core)->size,
		.threads = j->threads,
		.only = j->kept,
		.n_only = j->n_kept,
		.look = learned_look,
		.take = chunk_take,
		.look_again = chunk_look_again,
		.take_again = chunk_take_again,
		.ctx = p,
	};
	struct redact_fill_job fill = {
		.redactor = r,
		.core = j->core,
		.fixed = j->fixed,
		.n_fixed = j->n_fixed,
		.late = late,
		.ctx = p,
	};
	int rc = detectors_new(j, true, &p->detectors, err);

	if (rc < 0)
		return rc;
	fill.detector = p->detectors.v[0];
	p->fill = redact_fill_new(&fill);
	p->rows = xcalloc(ROWS, sizeof(*p->rows));
	rc = pipe_run(&job, err);
	if (rc == RC_OK)
		rc = redact_fill_end(p->fill, err);
	free(p->rows);
	detectors_done(&p->detectors);
	return rc;
}

int core_job_write(struct core_job *j, struct redactor *r, int fd, struct core_result *ret,
		   struct err *err)
{
	struct pass_two p = { .j = j, .fd = fd, .ret = ret, .look = { .j = j } };
	uint64_t open = 0;
	int rc;

	*ret = (struct core_result){ .size = elfcore_info(j->core)->size };
	if (ftruncate(fd, (off_t)ret->size) < 0)
		return err_errno(err, RC_IO, "can't make the core's size");
	for (size_t i = 0; i < learned_count(j->e->learned); i++) {
		const struct learned_value *v = learned_get(j->e->learned, i);

		detect_addresses_add(j->known, v->kind, v->bytes);
	}
	rc = pass_two(&p, r, err);
	if (rc == RC_OK)
		rc = core_look_end(&p.look, p.fill, fd, err);
	if (p.fill)
		ret->replaced = redact_fill_count(p.fill, &open);
	ret->open += open + ret->open_registers + p.look.open;
	core_look_done(&p.look);
	redact_fill_free(p.fill);
	return rc;
}
