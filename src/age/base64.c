/* SPDX-License-Identifier: Apache-2.0 */
#include "age_internal.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Each digit's value + 1; 0 for what is none. */
static const uint8_t values[256] = {
	['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6,
	['G'] = 7, ['H'] = 8, ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12,
	['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18,
	['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30,
	['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36,
	['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54,
	['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60,
	['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

void age_base64_encode(const uint8_t *p, size_t n, bool padded, struct buf *ret)
{
	char four[4];
	size_t i;

	for (i = 0; i + 3 <= n; i += 3) {
		uint32_t bits = (uint32_t)p[i] << 16 | p[i + 1] << 8 | p[i + 2];

		for (int k = 0; k < 4; k++)
			four[k] = digits[bits >> (18 - 6 * k) & 63];
		buf_add(ret, four, 4);
	}
	if (i < n) {
		uint32_t bits = (uint32_t)p[i] << 16 | (i + 1 < n ? p[i + 1] << 8 : 0);
		size_t used = n - i + 1;

		for (int k = 0; k < 3; k++)
			four[k] = digits[bits >> (18 - 6 * k) & 63];
		four[used] = four[3] = '=';
		buf_add(ret, four, padded ? 4 : used);
	}
}

bool age_base64_decode(struct span s, bool padded, uint8_t *ret, size_t *ret_len)
{
	size_t n = 0, pads = 0;
	uint32_t bits = 0;

	if (padded) {
		if (s.len % 4)
			return false;
		while (pads < 2 && s.len && s.p[s.len - 1] == '=') {
			s.len--;
			pads++;
		}
	}
	if (s.len % 4 == 1)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t value = values[(uint8_t)s.p[i]];

		if (!value)
			return false;
		bits = bits << 6 | (value - 1);
		if (i % 4)	/* 4 digits, 24 bits, the top byte of what is not out yet */
			ret[n++] = bits >> (6 - 2 * (i % 4));
	}
	*ret_len = n;
	/* bits behind the last byte must be zero: RFC 4648, 3.5 */
	return s.len % 4 == 0 || (bits & (s.len % 4 == 2 ? 15 : 3)) == 0;
}

bool age_base64_exact(struct span s, uint8_t *ret, size_t n)
{
	size_t got;

	/* this many digits give n bytes: no more are written */
	return s.len == (n * 8 + 5) / 6 && age_base64_decode(s, false, ret, &got) && got == n;
}
