/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUNDLE_UNPACK_INTERNAL_H
#define BUNDLE_UNPACK_INTERNAL_H

#include "bundle_internal.h"

/*
 * Unpacking in two: a confined child decompresses and reads the tar (unpack_child.c), we make files
 * of what it tells (unpack.c). Only the child meets the hostile stream, and we believe the child
 * nothing.
 */

#define BUNDLE_NAME_MAX 4096

enum bundle_frame_type {
	FRAME_FILE,		/* its name; value: its size. FRAME_DATA follow */
	FRAME_DATA,		/* bytes of it; value: their offset */
	FRAME_LINK,		/* its name; FRAME_TARGET follows */
	FRAME_TARGET,
	FRAME_DAMAGED,		/* not to be read, or no package of ours holds such a thing */
	FRAME_END,
};
struct bundle_frame {
	uint16_t type;
	uint16_t executable;
	uint32_t len;		/* bytes that follow */
	uint64_t value;
};

struct bundle_unpacker {
	int from;		/* frames */
	pid_t pid;
};

/* What the child does: reads the stream and writes frames, the last of which is FRAME_END or
   FRAME_DAMAGED; until nobody reads them. */
void bundle_unpack_tell(int from, int to);

#endif
