/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <time.h>

void age_keygen(int64_t now, struct buf *ret_file, struct buf *ret_recipient)
{
	uint8_t scalar[AGE_KEY], point[AGE_KEY];
	time_t t = now;
	struct tm utc;

	digest_random(scalar, AGE_KEY);
	age_curve_public(scalar, point);
	age_bech32_encode("age", point, ret_recipient);
	gmtime_r(&t, &utc);
	buf_addf(ret_file, "# created: %04d-%02d-%02dT%02d:%02d:%02dZ\n# public key: %s\n",
		 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
		 utc.tm_sec, ret_recipient->p);
	age_bech32_encode("AGE-SECRET-KEY-", scalar, ret_file);
	buf_add_char(ret_file, '\n');
	secret_wipe(scalar, AGE_KEY);
}
