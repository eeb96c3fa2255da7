/* SPDX-License-Identifier: Apache-2.0 */
#include "gdb_internal.h"

static int copy_output(const struct gdb_job *job, struct gdb_session *s, struct artifact **ret_out,
		       struct err *err)
{
	AUTO(mapping) out = NULL;
	struct buf text = BUF_INIT;
	struct span piece;
	int rc = gdb_session_output(s, &out, err);

	if (rc < 0)
		return rc;
	if (!gdb_text_piece(mapping_span(out), s->marker, 1, &piece))
		return err_set(err, RC_CHILD, "gdb ended early on %s", job->core_name);
	buf_add_span(&text, piece);
	*ret_out = artifact_from_buf("script", ARTIFACT_GDB, &text);
	return RC_OK;
}

int gdb_run_script(const struct gdb_job *job, struct span script, struct artifact **ret_out,
		   struct err *err)
{
	const struct span scripts[] = { script, { NULL, 0 } };
	struct gdb_install install = { .path = NULL };
	struct gdb_session s;
	int rc = gdb_install_find(job, &install, err);

	if (rc < 0)
		return rc;
	rc = gdb_session_start(job, &install, NULL, scripts, &s, err);
	gdb_install_done(&install);
	if (rc < 0)
		return rc;
	rc = gdb_session_wait(&s, job, gdb_deadline(job), err);
	if (rc == RC_OK)
		rc = copy_output(job, &s, ret_out, err);
	gdb_session_done(&s);
	return rc;
}
