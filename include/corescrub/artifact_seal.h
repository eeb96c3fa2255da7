/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_ARTIFACT_SEAL_H
#define CORESCRUB_ARTIFACT_SEAL_H

#include <corescrub/artifact.h>

/* The one constructor of struct scrubbed. Only src/artifact and src/check may include this file;
   tests/layers holds them to it. Takes the bytes of `text`. */
struct scrubbed *scrubbed_seal(const char *name, struct buf *text);

#endif
