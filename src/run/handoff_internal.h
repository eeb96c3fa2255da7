/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HANDOFF_INTERNAL_H
#define HANDOFF_INTERNAL_H

#include "report_internal.h"

#include <corescrub/age.h>
#include <corescrub/bundle.h>

/*
 * The package for the developer: the texts with tokens of another key, and what was asked for of
 * core, binaries and configuration. First a list of what will stand in it, sorted; then each is
 * opened, vouched for and packed in turn, so that few files are open and none is trusted for long.
 */

enum handoff_source { FROM_SCRUBBED, FROM_TEXT, FROM_CORE, FROM_MAPPED, FROM_PATH, FROM_LINK };

struct handoff_member {
	char *name;			/* in the package */
	const char *kind;		/* for the manifest */
	enum handoff_source source;
	const struct scrubbed *clean;	/* FROM_SCRUBBED */
	struct buf text;		/* FROM_TEXT */
	size_t row;			/* FROM_MAPPED: of elfcore_files */
	char *path;			/* FROM_PATH: of the file; FROM_LINK: the target */
	bool of_owner;			/* FROM_PATH: only if the core's owner may read it; but for
					   configuration also only if it is ELF */
	uint8_t id[64];			/* FROM_PATH, of_owner: its build id, if that is known */
	size_t id_len;
	bool executable;
};

struct handoff_list {
	struct handoff_member *v;
	size_t n, cap;
	struct report_left_out *left_out;	/* `path` is owned */
	size_t n_left_out, cap_left_out;
	char *program;			/* "sysroot/usr/sbin/x", or NULL */
	struct strings folders;		/* "sysroot/usr/lib/x": where libraries stand */
	char *thread_db;		/* the folder of libthread_db, or NULL */
	const char *exe, *sysroot;	/* the job's, or NULL: the user's word */
	uid_t uid;			/* the core's owner */
	gid_t gid;
	struct elfcore *core;		/* borrowed */
};
/* Takes name; ret is the new row, whose source is for the caller to fill. */
struct handoff_member *handoff_list_add(struct handoff_list *l, char *name, const char *kind,
					enum handoff_source source);
void handoff_list_leave_out(struct handoff_list *l, const char *path, const char *why);
/* Leaves out what can't be opened, of the rows behind `from`. */
void handoff_list_keep_open(struct handoff_list *l, size_t from);
/* Sorted by name, each name once. */
void handoff_list_sort(struct handoff_list *l);
void handoff_list_done(struct handoff_list *l);

/* handoff_files.c: program, libraries, debug files, libthread_db and the links gdb follows. */
void handoff_add_binaries(struct handoff_list *l);
/* Which distribution these are of: sysroot/etc/os-release. */
void handoff_add_release(struct handoff_list *l);
/* handoff.c: all of a folder, below etc/. */
int handoff_add_configs(struct handoff_list *l, const char *folder, struct err *err);
/* Opens a file of the list, as the core's owner where it must. */
int handoff_open(const struct handoff_list *l, const struct handoff_member *m, int *ret_fd,
		 struct err *err);

/* handoff_text.c */
void handoff_readme(const struct handoff_list *l, const char *mode, bool config, struct buf *ret);
void handoff_script(const struct handoff_list *l, struct buf *ret);

#endif
