/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ARTIFACT_INTERNAL_H
#define ARTIFACT_INTERNAL_H

#include <corescrub/archive.h>

/* What archive*.c share. Names start with artifact_, because archive_ is libarchive's. */

enum artifact_stream { STREAM_NONE, STREAM_GZIP, STREAM_XZ, STREAM_ZSTD, STREAM_BZIP2 };
enum artifact_members { MEMBERS_NONE, MEMBERS_TAR, MEMBERS_ZIP };

/* By magic alone: one compressed stream, or an archive whose members can be read. */
enum artifact_stream artifact_probe_stream(struct span bytes);
enum artifact_members artifact_probe_members(struct span bytes);
bool artifact_probe_empty_zip(struct span bytes);	/* libarchive takes it for damaged */
bool artifact_probe_der(struct span bytes);	/* a key or certificate, binary */

/* Bytes that come in pieces and are looked at as a whole: in memory, above LIMIT_ARCHIVE_SPOOL in
   an unnamed file. Write through `sink`, then artifact_spool_span; the span lives until _done. */
struct artifact_spool {
	struct sink sink;
	struct buf buf;
	int fd;
	struct mapping *map;
};
#define AUTO_SPOOL __attribute__((cleanup(artifact_spool_done))) struct artifact_spool
void artifact_spool_init(struct artifact_spool *s);
void artifact_spool_done(struct artifact_spool *s);
int artifact_spool_span(struct artifact_spool *s, struct span *ret, struct err *err);

/* The names a new archive's members have got. An original name keeps the one it got first; a clean
   name that another member has already gets a number. */
struct artifact_names;
struct artifact_names *artifact_names_new(void);
void artifact_names_free(struct artifact_names *n);
AUTO_DEFINE(artifact_names, artifact_names_free)
/* The name for the member `original`, cleaned to `clean`; lives as long as n. */
const char *artifact_names_add(struct artifact_names *n, const char *original, const char *clean);
/* What `original` was given, or NULL. */
const char *artifact_names_find(const struct artifact_names *n, const char *original);

/* How much may be unpacked out of one thing: by its own size, and as part of a whole. */
struct artifact_budget {
	uint64_t used, max;
	struct artifact_budget *whole;	/* or NULL */
};
void artifact_budget_init(struct artifact_budget *b, size_t packed, struct artifact_budget *whole);
bool artifact_budget_take(struct artifact_budget *b, uint64_t n);

/* Reading. Functions that may leave something out return RC_OK, a negative enum rc, or LEFT_OUT
   with *ret_why set. */
#define LEFT_OUT 1
struct archive;
struct archive_entry;
int artifact_stream_filter(enum artifact_stream stream);	/* libarchive's number for it */
int artifact_unpack_stream(struct span bytes, enum artifact_stream stream,
			   struct artifact_budget *budget, struct artifact_spool *ret,
			   const char **ret_why, struct err *err);
/* A reader over an archive in memory; free it with artifact_unpack_close. */
int artifact_unpack_open(struct span bytes, enum artifact_members members, struct archive **ret,
			 struct err *err);
void artifact_unpack_close(struct archive **a);
/* The content of a regular member: into `spool`, or in place if `bytes` holds it in one piece. */
int artifact_unpack_member(struct archive *a, struct archive_entry *e, struct span bytes,
			   enum artifact_members members, struct artifact_budget *budget,
			   struct artifact_spool *spool, struct span *ret, const char **ret_why,
			   struct err *err);

/* Writing one compressed stream or a whole archive to a sink. */
struct artifact_repack {
	struct sink sink;	/* content of a single stream, or of the member begun last */
	struct archive *a;
	struct sink *out;
	struct err *err;	/* where libarchive's callback leaves the sink's error */
	int rc;
};
#define AUTO_REPACK __attribute__((cleanup(artifact_repack_done))) struct artifact_repack
/* format: libarchive's, as read (ARCHIVE_FORMAT_TAR_USTAR, …), or ARCHIVE_FORMAT_RAW. */
int artifact_repack_open(struct artifact_repack *w, int format, enum artifact_stream stream,
			 struct sink *out, struct err *err);
int artifact_repack_entry(struct artifact_repack *w, struct archive_entry *e, struct err *err);
int artifact_repack_close(struct artifact_repack *w, struct err *err);
void artifact_repack_done(struct artifact_repack *w);

#endif
