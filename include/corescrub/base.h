/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BASE_H
#define CORESCRUB_BASE_H

/* Everything below the domain: no word of scrubbing in it. */

#include <corescrub/base/ascii.h>
#include <corescrub/base/digest.h>
#include <corescrub/base/err.h>
#include <corescrub/base/file.h>
#include <corescrub/base/limits.h>
#include <corescrub/base/mem.h>
#include <corescrub/base/process.h>
#include <corescrub/base/text_bits.h>

#endif
