/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

#include <ctype.h>

#define DIGITS 52	/* of 5 bits, for 32 bytes; 4 bits are left over */
#define CHECKSUM 6

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t polymod_step(uint32_t sum, uint8_t value)
{
	static const uint32_t generator[5] = {
		0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3,
	};
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (int i = 0; i < 5; i++)
		sum ^= top >> i & 1 ? generator[i] : 0;
	return sum;
}

/* The checksum of the human-readable part, always in lower case, and of the digits. */
static uint32_t polymod(const char *hrp, const uint8_t *v, size_t n)
{
	uint32_t sum = 1;

	for (const char *p = hrp; *p; p++)
		sum = polymod_step(sum, tolower((unsigned char)*p) >> 5);
	sum = polymod_step(sum, 0);
	for (const char *p = hrp; *p; p++)
		sum = polymod_step(sum, tolower((unsigned char)*p) & 31);
	for (size_t i = 0; i < n; i++)
		sum = polymod_step(sum, v[i]);
	return sum;
}

void age_bech32_encode(const char *hrp, const uint8_t data[AGE_KEY], struct buf *ret)
{
	bool upper = isupper((unsigned char)hrp[0]);
	uint8_t v[DIGITS + CHECKSUM] = { 0 };
	uint32_t sum;

	for (size_t bit = 0; bit < AGE_KEY * 8; bit++)
		v[bit / 5] |= (data[bit / 8] >> (7 - bit % 8) & 1) << (4 - bit % 5);
	sum = polymod(hrp, v, DIGITS + CHECKSUM) ^ 1;
	for (int i = 0; i < CHECKSUM; i++)
		v[DIGITS + i] = sum >> 5 * (CHECKSUM - 1 - i) & 31;
	buf_add_str(ret, hrp);
	buf_add_char(ret, '1');
	for (size_t i = 0; i < sizeof(v); i++)
		buf_add_char(ret, upper ? toupper(alphabet[v[i]]) : alphabet[v[i]]);
	secret_wipe(v, sizeof(v));
}

static bool digit(char c, bool upper, uint8_t *ret)
{
	const char *at;

	if (upper ? !isupper((unsigned char)c) && !isdigit((unsigned char)c)
		  : isupper((unsigned char)c))
		return false;
	c = tolower((unsigned char)c);
	at = c ? strchr(alphabet, c) : NULL;
	if (!at)
		return false;
	*ret = at - alphabet;
	return true;
}

bool age_bech32_decode(const char *hrp, struct span s, uint8_t ret[AGE_KEY])
{
	bool upper = isupper((unsigned char)hrp[0]), good = true;
	size_t head = strlen(hrp) + 1;
	uint8_t v[DIGITS + CHECKSUM];

	if (s.len != head + sizeof(v) || !span_starts(s, span_str(hrp)) || s.p[head - 1] != '1')
		return false;
	for (size_t i = 0; good && i < sizeof(v); i++)
		good = digit(s.p[head + i], upper, &v[i]);
	good = good && polymod(hrp, v, sizeof(v)) == 1 && (v[DIGITS - 1] & 15) == 0;
	if (good) {
		memset(ret, 0, AGE_KEY);
		for (size_t bit = 0; bit < AGE_KEY * 8; bit++)
			ret[bit / 8] |= (v[bit / 5] >> (4 - bit % 5) & 1) << (7 - bit % 8);
	}
	secret_wipe(v, sizeof(v));
	return good;
}
