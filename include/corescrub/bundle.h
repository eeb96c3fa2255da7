/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BUNDLE_H
#define CORESCRUB_BUNDLE_H

#include <corescrub/artifact.h>
#include <corescrub/base.h>

/* The public package: a deterministic tar.gz of struct scrubbed (sorted, owner 0:0 named root, one time,
   mode 0644; gzip without name and time). bundle_new, bundle_add…, bundle_write. */

struct bundle;
struct bundle *bundle_new(const char *root, int64_t mtime);	/* root: the folder inside */
void bundle_free(struct bundle *b);
AUTO_DEFINE(bundle, bundle_free)
void bundle_add(struct bundle *b, const struct scrubbed *s);	/* borrowed until bundle_write */
int bundle_write(struct bundle *b, struct sink *out, struct err *err);

#endif
