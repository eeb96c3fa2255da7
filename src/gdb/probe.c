/* SPDX-License-Identifier: Apache-2.0 */
#include "gdb_internal.h"
#include <stdlib.h>

/* Does gdb run here, confined as it is for a report, and does its Python? */

enum piece { PIECE_START, PIECE_VERSION, PIECE_PYTHON };

int gdb_probe(const struct gdb_job *job, struct gdb_probe *ret, struct err *err)
{
	static const char *const commands[] = { "show version",
						"python print('python', 2 * 21)", NULL };
	struct gdb_session s = { .out = -1, .err = -1, .core = -1, .scripts = { -1, -1 } };
	struct gdb_install g = { .path = NULL };
	struct gdb_probe p = { .path = NULL };
	AUTO(mapping) out = NULL;
	struct span text;
	int rc = gdb_install_find(job, &g, err);

	if (rc < 0)
		return rc;
	p.path = xstrdup(g.path);
	rc = gdb_session_start(job, &g, commands, NULL, &s, err);
	if (rc == RC_OK)
		rc = gdb_session_wait(&s, job, gdb_deadline(job), err);
	if (rc == RC_OK)
		rc = gdb_session_output(&s, &out, err);
	if (rc == RC_OK && !gdb_text_piece(mapping_span(out), s.marker, PIECE_VERSION, &text))
		rc = err_set(err, RC_CHILD, "gdb can't run here");
	gdb_install_done(&g);
	if (rc == RC_OK) {
		ssize_t nl = span_find(text, SPAN_LIT("\n"), 0);

		p.version = xstrndup(text.p, nl < 0 ? text.len : (size_t)nl);
		p.python = gdb_text_piece(mapping_span(out), s.marker, PIECE_PYTHON, &text) &&
			   span_find(text, SPAN_LIT("python 42"), 0) >= 0;
		p.missing = process_missing(s.process);
	} else {
		gdb_probe_done(&p);
	}
	gdb_session_done(&s);
	if (rc == RC_OK)
		*ret = p;
	return rc;
}

void gdb_probe_done(struct gdb_probe *p)
{
	free(p->path);
	free(p->version);
	*p = (struct gdb_probe){ .path = NULL };
}
