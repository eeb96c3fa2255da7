/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BASE_FILE_H
#define CORESCRUB_BASE_FILE_H

#include <corescrub/base/err.h>
#include <corescrub/base/mem.h>
#include <sys/stat.h>

/* Files: reading whole ones, sinks, and outputs that appear whole or not at all. */

/* Where bytes go. write() takes all of it or fails. */
struct sink {
	int (*write)(struct sink *s, struct span bytes, struct err *err);
};

struct sink_fd {		/* to a descriptor it does not own; buffered, end with sink_fd_flush */
	struct sink sink;
	int fd;
	const char *name;	/* for messages */
	uint64_t written;
	struct buf pending;
};
struct sink_buf {		/* to memory */
	struct sink sink;
	struct buf buf;
};
void sink_fd_init(struct sink_fd *s, int fd, const char *name);
int sink_fd_flush(struct sink_fd *s, struct err *err);	/* also frees `pending` */
void sink_buf_init(struct sink_buf *s);

/* Bytes of a file that stay as they are while we hold them: a copy in a sealed memfd, above
   LIMIT_SPOOL_MEMORY in an unnamed file of mode 0600. What others do to the file meanwhile changes
   nothing and is no SIGBUS. Cores are not for this: they are read in place. */
struct mapping;
/* All of a regular file, from its start; of a pipe, what is left. fd may be closed after. A file
   that shrinks while it is copied is RC_IO. A memfd that is sealed already is mapped as it is. */
int mapping_open(int fd, const char *name, struct mapping **ret, struct err *err);
int mapping_open_path(const char *path, struct mapping **ret, struct err *err);
struct span mapping_span(const struct mapping *m);
void mapping_free(struct mapping *m);
AUTO_DEFINE(mapping, mapping_free)

/* The whole file at path, at most max bytes. */
int file_read(const char *path, size_t max, struct buf *ret, struct err *err);
int file_write_all(int fd, struct span bytes, const char *name, struct err *err);
/* RC_REFUSED unless fd is a regular file that only root or this user can write, and, if `private`,
   that only this user can read; and no parent folder is writable by others (sticky ones pass). */
int file_check_trusted(int fd, const char *path, bool private, struct err *err);
/* An unnamed file of mode 0600 in $TMPDIR or /var/tmp, for spooling; a memfd with MEMFD_NOEXEC_SEAL
   where `memory`. O_CLOEXEC. */
int file_unnamed(bool memory, int *ret_fd, struct err *err);

/* One output file: written unnamed (O_TMPFILE) beside its target, linked there at the commit. */
struct tempfile;
int tempfile_open(const char *target, mode_t mode, struct tempfile **ret, struct err *err);
int tempfile_fd(const struct tempfile *t);
/* fsync, then the name. RC_EXISTS if the target exists, unless `replace` (then one rename). */
int tempfile_commit(struct tempfile *t, bool replace, struct err *err);
void tempfile_free(struct tempfile *t);	/* without a commit nothing was ever there */
AUTO_DEFINE(tempfile, tempfile_free)

/* An output folder: files stay unnamed until outdir_commit, which makes a hidden sibling folder of
   mode 0700, links the files into it and renames it to its target in one step
   (RENAME_NOREPLACE). */
struct outdir;
int outdir_open(const char *target, struct outdir **ret, struct err *err);	/* RC_EXISTS */
/* A new file in it; the descriptor stays the outdir's, it can be read back too. */
int outdir_add(struct outdir *d, const char *name, mode_t mode, int *ret_fd, struct err *err);
int outdir_commit(struct outdir *d, struct err *err);
/* The same into a folder that is there (dir is a descriptor of it, borrowed; `folder` for
   messages), whoever else may write to it: the commit gives each file its name, one after the
   other. What had the name is replaced, never written to or followed. A failure takes back the
   names that were given. */
int outdir_open_existing(int dir, const char *folder, struct outdir **ret, struct err *err);
void outdir_free(struct outdir *d);
AUTO_DEFINE(outdir, outdir_free)

/* An output tree of any number of files: built in a hidden sibling folder of mode 0700 that only
   the commit renames to its target (RENAME_NOREPLACE); without a commit it is removed again. */
struct outtree;
int outtree_open(const char *target, struct outtree **ret, struct err *err);	/* RC_EXISTS */
/* A new file at a relative path ("a/b.log", no "..", folders are made); the caller closes
   *ret_fd. */
int outtree_create(struct outtree *t, const char *path, mode_t mode, int *ret_fd, struct err *err);
int outtree_remove(struct outtree *t, const char *path, struct err *err);	/* one it made */
/* Opens a file that was made, to read it. */
int outtree_reopen(struct outtree *t, const char *path, int *ret_fd, struct err *err);
/* A symbolic link at path. Where it leads is the caller's business. */
int outtree_link(struct outtree *t, const char *path, const char *target, struct err *err);
/* Where it stands now: hidden before the commit, its target after. The caller frees. */
char *outtree_path(const struct outtree *t);
int outtree_commit(struct outtree *t, struct err *err);
void outtree_free(struct outtree *t);
AUTO_DEFINE(outtree, outtree_free)

/* Copies all of `from` (a regular file or memfd, from its start) to `to`, whatever that is. */
int file_copy(int from, int to, const char *name, struct err *err);

#endif
