/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_ARTIFACT_UNSEAL_H
#define CORESCRUB_ARTIFACT_UNSEAL_H

#include <corescrub/artifact_sealed.h>

/* What a struct sealed holds. Only src/artifact and src/bundle may include this file; tests/layers
   holds them to it. */
struct sealed_content {
	enum sealed_kind kind;
	int fd;			/* SEALED_FILE */
	struct span text;	/* SEALED_TEXT; SEALED_LINK: the target, NUL-terminated */
	bool executable;
};
struct sealed_content sealed_content(const struct sealed *s);

#endif
