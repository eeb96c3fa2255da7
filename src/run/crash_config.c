/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"

/* The folder of a crashed program's configuration, by what its profile's script printed. */

/* One with escapes is none. */
static char *printed_folder(struct span info)
{
	static const char key[] = "config_folder = \"";
	ssize_t at = span_find(info, SPAN_LIT(key), 0);
	size_t start, end;

	/* a line of its own: no value makes one */
	if (at < 0 || span_line_start(info, (size_t)at) != (size_t)at)
		return NULL;
	start = end = (size_t)at + sizeof(key) - 1;
	while (end < info.len && info.p[end] != '"' && info.p[end] != '\\' && info.p[end] != '\n')
		end++;
	return end < info.len && info.p[end] == '"' ? xstrndup(info.p + start, end - start) : NULL;
}

char *crash_config_folder(const struct crash *c)
{
	bool asks = c->profile && c->profile->config_folder && c->gdb->info;
	AUTO_FREE char *folder = asks ? printed_folder(c->gdb->info->text) : NULL;

	return folder && config_folder_fits(c->profile, folder) ? STEAL(folder) : NULL;
}

int crash_learn_config(const struct crash *c, struct engine *e, struct err *err)
{
	AUTO_FREE char *folder = crash_config_folder(c);

	return folder ? config_folder_learn(e, folder, c->uid, c->gid, &c->job->listener, err) : RC_OK;
}
