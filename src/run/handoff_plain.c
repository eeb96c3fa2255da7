/* SPDX-License-Identifier: Apache-2.0 */
#include "handoff_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * What ast_coredumper --tarball-coredumps --allow-plaintext asks for, under its names: tmp/ with
 * the core and the texts, program, libraries and modules at their places, etc/. Nobody else comes
 * here.
 */

#define SYSROOT "sysroot/"

/* Where the script puts what a hand-off has elsewhere. */
static char *plain_name(const char *name, const char *base)
{
	if (strcmp(name, "core") == 0)
		return xasprintf("tmp/%s", base);
	if (strncmp(name, SYSROOT, strlen(SYSROOT)) == 0)
		return xstrdup(name + strlen(SYSROOT));
	return strchr(name, '/') ? xstrdup(name) : xasprintf("tmp/%s", name);
}

static int put(struct bundle_plain *to, const struct handoff_list *l,
	       const struct handoff_member *m, const struct crash *c, struct err *err)
{
	AUTO_FREE char *name = plain_name(m->name, c->base);
	AUTO_CLOSE int fd = -1;
	int rc;

	switch (m->source) {
	case FROM_SCRUBBED:
		return bundle_plain_text(to, name, scrubbed_text(m->clean), err);
	case FROM_TEXT:
		return bundle_plain_text(to, name, buf_span(&m->text), err);
	case FROM_LINK:
		return bundle_plain_link(to, name, m->path, err);
	case FROM_CORE:
		return bundle_plain_file(to, name, c->fd, false, err);
	case FROM_MAPPED:
	case FROM_PATH:
		rc = handoff_open(l, m, &fd, err);
		return rc < 0 ? rc : bundle_plain_file(to, name, fd, m->executable, err);
	}
	return RC_OK;
}

static int fill(struct handoff_list *l, const struct crash *c, const char *config, struct err *err)
{
	for (size_t i = 0; i < TEXT_COUNT; i++)
		handoff_list_add(l, xstrdup(c->names[i]), crash_text_names[i], FROM_SCRUBBED)->clean =
			c->clean[i];
	handoff_list_add(l, xstrdup("core"), "core", FROM_CORE);
	handoff_add_binaries(l);
	handoff_add_release(l);
	return config ? handoff_add_configs(l, config, err) : RC_OK;
}

static int put_all(struct handoff_list *l, const struct crash *c, struct sink *out, struct err *err)
{
	AUTO(bundle_plain) to = NULL;
	/* not the core's own name: it is unpacked beside the core */
	AUTO_FREE char *root = xasprintf("%s.output", c->base);
	int rc = bundle_plain_open(root, c->created, out, &to, err);

	for (size_t i = 0; rc == RC_OK && i < l->n; i++)
		rc = put(to, l, &l->v[i], c, err);
	return rc == RC_OK ? bundle_plain_end(to, err) : rc;
}

int handoff_write_plain(struct crash *c, struct outdir *dir, struct err *err)
{
	const struct run_report_job *job = c->job;
	struct handoff_list l = { .exe = job->exe, .sysroot = job->sysroot, .uid = c->uid,
				  .gid = c->gid, .core = c->core };
	AUTO_FREE char *name = xasprintf("%s.tar.gz", job->flat->stem ? job->flat->stem : c->base);
	struct sink_fd out;
	int fd, rc = outdir_add(dir, name, 0600, &fd, err);

	if (rc < 0)
		return rc;
	sink_fd_init(&out, fd, name);
	rc = fill(&l, c, job->flat->plain_config, err);
	if (rc == RC_OK) {
		handoff_list_sort(&l);
		rc = put_all(&l, c, &out.sink, err);
	}
	if (rc == RC_OK)
		rc = sink_fd_flush(&out, err);
	buf_done(&out.pending);
	handoff_list_done(&l);
	if (rc == RC_OK)
		strings_add(&c->written, STEAL(name));
	return rc;
}
