/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BASE_INTERNAL_H
#define CORESCRUB_BASE_INTERNAL_H

#include <corescrub/base/err.h>
#include <corescrub/base/file.h>

/*
 * A file that has no name yet, in the folder where it will get one (tempfile.c, outdir.c). Where the
 * filesystem has no O_TMPFILE it has a hidden random name and mode 0600 until then.
 */
struct newfile {
	int fd;
	int dir;		/* borrowed: the folder it was made in */
	char hidden[48];	/* or "" */
};

int newfile_create(int dir, const char *where, struct newfile *ret, struct err *err);
/* Gives it the name `name` in the folder `dir`; RC_EXISTS if there is one and not `replace`. */
int newfile_link(struct newfile *f, int dir, const char *name, bool replace, struct err *err);
void newfile_done(struct newfile *f);
/* ".corescrub-" and 16 random hex digits. */
void newfile_random_name(char ret[static 48]);
/* renameat2 with RENAME_NOREPLACE, as well as the filesystem can. errno on failure. */
int newfile_rename(int from_dir, const char *from, int to_dir, const char *to);

/* Splits target into an open descriptor of its folder and its last part; the caller owns both.
   RC_USAGE if it names no file. */
int newfile_split(const char *target, int *ret_dir, char **ret_name, struct err *err);

#endif
