/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/value.h>
#include <math.h>

static int base64_digit(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

/* Padding and, as MIME and PEM break lines, CR and LF are passed over. */
bool value_base64_decode(struct span text, struct buf *ret)
{
	static const int shifts[4] = { 0, 0, 4, 2 };
	size_t before = ret->len, digits = 0;
	uint32_t bits = 0;

	while (text.len && text.p[text.len - 1] == '=')
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		int d;

		if (text.p[i] == '\n' || text.p[i] == '\r')
			continue;
		d = base64_digit((unsigned char)text.p[i]);
		if (d < 0)
			goto bad;
		bits = bits << 6 | (uint32_t)d;
		if (digits++ % 4) /* 6 bits are no byte yet, then 12, 18, 24 give one each */
			buf_add_char(ret, (char)(bits >> shifts[digits % 4]));
	}
	if (digits % 4 == 1)
		goto bad;
	return true;
bad:
	ret->len = before;
	if (ret->p)
		ret->p[before] = '\0';
	return false;
}

void value_base64_encode(struct span bytes, struct buf *ret)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t v = (uint32_t)(uint8_t)bytes.p[i] << 16;

		if (n > 1)
			v |= (uint32_t)(uint8_t)bytes.p[i + 1] << 8;
		if (n > 2)
			v |= (uint8_t)bytes.p[i + 2];
		buf_add_char(ret, digits[v >> 18]);
		buf_add_char(ret, digits[v >> 12 & 63]);
		buf_add_char(ret, n > 1 ? digits[v >> 6 & 63] : '=');
		buf_add_char(ret, n > 2 ? digits[v & 63] : '=');
	}
}

bool value_hex_decode(struct span text, struct buf *ret)
{
	if (text.len % 2)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (ascii_hex_value(text.p[i]) < 0)
			return false;
	for (size_t i = 0; i < text.len; i += 2)
		buf_add_char(ret, (char)(ascii_hex_value(text.p[i]) << 4 | ascii_hex_value(text.p[i + 1])));
	return true;
}

void value_url_decode(struct span text, struct buf *ret)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '%' && i + 2 < text.len && ascii_hex_value(text.p[i + 1]) >= 0 &&
		    ascii_hex_value(text.p[i + 2]) >= 0) {
			buf_add_char(ret, (char)(ascii_hex_value(text.p[i + 1]) << 4 |
						 ascii_hex_value(text.p[i + 2])));
			i += 2;
		} else {
			buf_add_char(ret, text.p[i] == '+' ? ' ' : text.p[i]);
		}
	}
}

double value_entropy(struct span text)
{
	size_t count[256] = { 0 };
	double bits = 0;

	for (size_t i = 0; i < text.len; i++)
		count[(uint8_t)text.p[i]]++;
	for (size_t i = 0; i < 256; i++) {
		double share = (double)count[i] / (double)text.len;

		if (count[i])
			bits -= share * log2(share);
	}
	return bits;
}
