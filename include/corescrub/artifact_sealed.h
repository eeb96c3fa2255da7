/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_ARTIFACT_SEALED_H
#define CORESCRUB_ARTIFACT_SEALED_H

#include <corescrub/artifact.h>

/*
 * Clear bytes that may leave, encrypted: a core, a program, a config, and what is said of them
 * (part of the module artifact). Opaque, and not to be had without a recipient: each maker gives
 * RC_REFUSED where `to` is NULL or empty. Nobody but bundle can read one (artifact_unseal.h;
 * tests/layers), and bundle writes it into an age stream and nothing else.
 */

struct age_recipients;
struct sealed;

enum sealed_kind { SEALED_FILE, SEALED_TEXT, SEALED_LINK };

/* `name` is the member's path below the package's folder. The file is read when it is packed: fd is
   the caller's and must stay open till then. RC_FORMAT unless it is a regular file. */
int sealed_from_fd(const struct age_recipients *to, const char *name, int fd, bool executable,
		   struct sealed **ret, struct err *err);
int sealed_from_buf(const struct age_recipients *to, const char *name, struct buf *text,
		    bool executable, struct sealed **ret, struct err *err);	/* takes text */
/* A symbolic link; target is relative to the link's folder. */
int sealed_from_link(const struct age_recipients *to, const char *name, const char *target,
		     struct sealed **ret, struct err *err);
const char *sealed_name(const struct sealed *s);
uint64_t sealed_size(const struct sealed *s);	/* bytes; of a link, of its target */
void sealed_free(struct sealed *s);
AUTO_DEFINE(sealed, sealed_free)

#endif
