/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BUNDLE_H
#define CORESCRUB_BUNDLE_H

#include <corescrub/artifact.h>
#include <corescrub/artifact_sealed.h>
#include <corescrub/base.h>

/* The public package: a deterministic tar.gz of struct scrubbed (sorted, owner 0:0 named root, one
   time, mode 0644; gzip without name and time). bundle_new, bundle_add…, bundle_write. */

struct bundle;
struct bundle *bundle_new(const char *root, int64_t mtime);	/* root: the folder inside */
void bundle_free(struct bundle *b);
AUTO_DEFINE(bundle, bundle_free)
void bundle_add(struct bundle *b, const struct scrubbed *s);	/* borrowed until bundle_write */
int bundle_write(struct bundle *b, struct sink *out, struct err *err);

/*
 * The hand-off: a tar (pax, with the core's holes as sparse entries), zstd on `threads` processors,
 * into an age stream as it is made; memory doesn't grow with what is packed. The tar is
 * deterministic like the public one's. Members come in the order they are written, by rising names;
 * the last is the one that bundle_stream_end writes, for it lists the others' digests.
 * bundle_stream_open, bundle_stream_…, bundle_stream_end, age_encrypt_end.
 */
struct age_writer;
struct bundle_stream;
int bundle_stream_open(const char *root, int64_t mtime, unsigned threads, struct age_writer *to,
		       struct bundle_stream **ret, struct err *err);
void bundle_stream_free(struct bundle_stream *b);
AUTO_DEFINE(bundle_stream, bundle_stream_free)
int bundle_stream_scrubbed(struct bundle_stream *b, const struct scrubbed *s, struct err *err);
/* ret_sha256: of the file, of a link's target; where *ret_of_data is set, as bundle_digest with
   of_data. RC_IO if the file changed its size since it was sealed. */
int bundle_stream_sealed(struct bundle_stream *b, const struct sealed *s, bool *ret_of_data,
			 uint8_t ret_sha256[DIGEST_LEN], struct err *err);
int bundle_stream_end(struct bundle_stream *b, const struct sealed *manifest, struct err *err);

/*
 * A tar.gz in the clear of clear bytes: not for publication, and only where a person typed
 * --allow-plaintext in full. bundle_plain_open, bundle_plain_…, bundle_plain_end.
 */
struct bundle_plain;
int bundle_plain_open(const char *root, int64_t mtime, struct sink *out, struct bundle_plain **ret,
		      struct err *err);
void bundle_plain_free(struct bundle_plain *b);
AUTO_DEFINE(bundle_plain, bundle_plain_free)
/* The names are below root; fd is a regular file, whose holes stay holes. */
int bundle_plain_text(struct bundle_plain *b, const char *name, struct span text, struct err *err);
int bundle_plain_file(struct bundle_plain *b, const char *name, int fd, bool executable,
		      struct err *err);
int bundle_plain_link(struct bundle_plain *b, const char *name, const char *target,
		      struct err *err);
int bundle_plain_end(struct bundle_plain *b, struct err *err);

/* SHA-256 of a file. of_data: of a file that is mostly holes, in the time of its data: of each
   block of 4096 bytes (the last may be shorter) that is not all zero, behind its offset (8 bytes,
   little endian). Holes and written zeros give the same. */
int bundle_digest(int fd, bool of_data, uint8_t ret[DIGEST_LEN], struct err *err);

/*
 * A package that came from somewhere: hostile bytes, a tar (gzip or zstd) read from fd, as a
 * stream. bundle_unpacker_start, then bundle_unpack: its one folder's files go into `to`, without
 * that folder's name; zeros become holes. RC_FORMAT: damaged, or what no package of ours holds
 * (absolute and ".." paths, devices, hard links, links out of sysroot/ or to what is no file of it,
 * a name twice); RC_TOOBIG: more than limits.h allows for `packed` bytes. Links are only told:
 * bundle_unpack_links makes them, once the rest is found good.
 */
struct bundle_member {
	char *path;			/* below the package's folder */
	char *target;			/* of a symbolic link, else NULL */
	uint64_t size;
};
struct bundle_unpacked {
	char *root;			/* the package's folder, by its own word */
	struct bundle_member *v;	/* sorted by path */
	size_t n, cap;
};
/* A confined child reads fd, to its end; best started before any thread. */
struct bundle_unpacker;
int bundle_unpacker_start(int fd, struct bundle_unpacker **ret, struct err *err);
void bundle_unpacker_free(struct bundle_unpacker *u);	/* ends the child */
AUTO_DEFINE(bundle_unpacker, bundle_unpacker_free)
/* stopped (may be NULL): asked now and then; true ends it with RC_IO. */
int bundle_unpack(struct bundle_unpacker *u, uint64_t packed, bool (*stopped)(void),
		  struct outtree *to, struct bundle_unpacked *ret, struct err *err);
int bundle_unpack_links(const struct bundle_unpacked *u, struct outtree *to, struct err *err);
void bundle_unpacked_done(struct bundle_unpacked *u);

#endif
