/* SPDX-License-Identifier: Apache-2.0 */
#include "value_internal.h"

/*
 * Telephone numbers as people and machines write them. The plan knows each country code of ITU-T
 * E.164 with the least and greatest length of a national number; it says whether digits could be a
 * number at all, not whether they are one: that is the context's to say, and a rule's.
 */

static const struct {
	uint16_t code;
	uint8_t min, max;	/* digits behind the code */
} countries[] = {
	{ 1, 10, 10 }, { 7, 10, 10 }, { 20, 8, 10 }, { 27, 9, 9 }, { 30, 10, 10 }, { 31, 9, 9 },
	{ 32, 8, 9 }, { 33, 9, 9 }, { 34, 9, 9 }, { 36, 8, 9 }, { 39, 6, 11 }, { 40, 9, 9 },
	{ 41, 9, 9 }, { 43, 4, 13 }, { 44, 9, 10 }, { 45, 8, 8 }, { 46, 7, 10 }, { 47, 5, 8 },
	{ 48, 9, 9 }, { 49, 4, 13 }, { 51, 8, 9 }, { 52, 10, 10 }, { 53, 6, 8 }, { 54, 10, 11 },
	{ 55, 10, 11 }, { 56, 9, 9 }, { 57, 8, 10 }, { 58, 10, 10 }, { 60, 7, 10 }, { 61, 9, 9 },
	{ 62, 7, 12 }, { 63, 8, 10 }, { 64, 8, 10 }, { 65, 8, 8 }, { 66, 8, 9 }, { 81, 9, 10 },
	{ 82, 8, 10 }, { 84, 7, 10 }, { 86, 9, 11 }, { 90, 10, 10 }, { 91, 10, 10 }, { 92, 8, 10 },
	{ 93, 9, 9 }, { 94, 9, 9 }, { 95, 7, 10 }, { 98, 10, 10 }, { 211, 9, 9 }, { 212, 9, 9 },
	{ 213, 8, 9 }, { 216, 8, 8 }, { 218, 8, 9 }, { 220, 7, 7 }, { 221, 9, 9 }, { 222, 8, 8 },
	{ 223, 8, 8 }, { 224, 8, 9 }, { 225, 10, 10 }, { 226, 8, 8 }, { 227, 8, 8 }, { 228, 8, 8 },
	{ 229, 8, 10 }, { 230, 7, 8 }, { 231, 7, 9 }, { 232, 8, 8 }, { 233, 9, 9 }, { 234, 7, 10 },
	{ 235, 8, 8 }, { 236, 8, 8 }, { 237, 8, 9 }, { 238, 7, 7 }, { 239, 7, 7 }, { 240, 9, 9 },
	{ 241, 7, 8 }, { 242, 9, 9 }, { 243, 7, 9 }, { 244, 9, 9 }, { 245, 7, 9 }, { 246, 7, 7 },
	{ 247, 4, 6 }, { 248, 7, 7 }, { 249, 9, 9 }, { 250, 9, 9 }, { 251, 9, 9 }, { 252, 6, 9 },
	{ 253, 8, 8 }, { 254, 6, 10 }, { 255, 9, 9 }, { 256, 9, 9 }, { 257, 8, 8 }, { 258, 8, 9 },
	{ 260, 9, 9 }, { 261, 9, 10 }, { 262, 9, 9 }, { 263, 5, 10 }, { 264, 6, 10 },
	{ 265, 7, 9 }, { 266, 8, 8 }, { 267, 7, 8 }, { 268, 7, 8 }, { 269, 7, 7 }, { 290, 4, 5 },
	{ 291, 7, 7 }, { 297, 7, 7 }, { 298, 6, 6 }, { 299, 6, 6 }, { 350, 8, 8 }, { 351, 9, 9 },
	{ 352, 4, 11 }, { 353, 7, 10 }, { 354, 7, 9 }, { 355, 8, 9 }, { 356, 8, 8 }, { 357, 8, 8 },
	{ 358, 5, 12 }, { 359, 7, 9 }, { 370, 8, 8 }, { 371, 8, 8 }, { 372, 7, 10 }, { 373, 8, 8 },
	{ 374, 8, 8 }, { 375, 9, 10 }, { 376, 6, 9 }, { 377, 8, 9 }, { 378, 6, 10 }, { 380, 9, 9 },
	{ 381, 8, 9 }, { 382, 8, 9 }, { 383, 8, 9 }, { 385, 8, 9 }, { 386, 8, 8 }, { 387, 8, 9 },
	{ 389, 8, 8 }, { 420, 9, 9 }, { 421, 9, 9 }, { 423, 7, 9 }, { 500, 5, 5 }, { 501, 7, 7 },
	{ 502, 8, 8 }, { 503, 8, 8 }, { 504, 8, 8 }, { 505, 8, 8 }, { 506, 8, 8 }, { 507, 7, 8 },
	{ 508, 6, 6 }, { 509, 8, 8 }, { 590, 9, 9 }, { 591, 8, 8 }, { 592, 7, 7 }, { 593, 8, 9 },
	{ 594, 9, 9 }, { 595, 7, 9 }, { 596, 9, 9 }, { 597, 6, 7 }, { 598, 8, 8 }, { 599, 7, 8 },
	{ 670, 7, 8 }, { 672, 6, 6 }, { 673, 7, 7 }, { 674, 7, 7 }, { 675, 7, 8 }, { 676, 5, 7 },
	{ 677, 5, 7 }, { 678, 5, 7 }, { 679, 7, 7 }, { 680, 7, 7 }, { 681, 6, 6 }, { 682, 5, 5 },
	{ 683, 4, 7 }, { 685, 5, 7 }, { 686, 5, 8 }, { 687, 6, 6 }, { 688, 5, 7 }, { 689, 6, 8 },
	{ 690, 4, 7 }, { 691, 7, 7 }, { 692, 7, 7 }, { 800, 8, 8 }, { 808, 8, 8 }, { 850, 8, 10 },
	{ 852, 8, 8 }, { 853, 8, 8 }, { 855, 8, 9 }, { 856, 8, 10 }, { 870, 9, 9 },
	{ 878, 10, 12 }, { 880, 8, 10 }, { 881, 8, 9 }, { 882, 7, 12 }, { 883, 7, 12 },
	{ 886, 8, 9 }, { 888, 8, 12 }, { 960, 7, 7 }, { 961, 7, 8 }, { 962, 8, 9 }, { 963, 8, 9 },
	{ 964, 8, 10 }, { 965, 7, 8 }, { 966, 8, 9 }, { 967, 7, 9 }, { 968, 7, 8 }, { 970, 8, 9 },
	{ 971, 8, 9 }, { 972, 8, 9 }, { 973, 8, 8 }, { 974, 7, 8 }, { 975, 8, 8 }, { 976, 8, 8 },
	{ 977, 8, 10 }, { 979, 9, 9 }, { 992, 9, 9 }, { 993, 8, 8 }, { 994, 9, 9 }, { 995, 9, 9 },
	{ 996, 9, 9 }, { 998, 9, 9 },
};

bool value_phone_fits_country(const char *digits, size_t n)
{
	unsigned code = 0;

	for (size_t len = 1; len <= 3 && len < n; len++) {
		code = code * 10 + (unsigned)(digits[len - 1] - '0');
		for (size_t i = 0; i < ARRAY_SIZE(countries); i++)
			if (countries[i].code == code)
				return n - len >= countries[i].min && n - len <= countries[i].max;
	}
	return false;
}

/* Cuts a URI's scheme and what follows its user part, and "+" as %2B. */
static struct span strip_uri(struct span s)
{
	static const char *const schemes[] = { "tel:", "sip:", "sips:", "callto:", NULL };

	for (const char *const *p = schemes; *p; p++) {
		size_t n = strlen(*p);

		if (s.len > n && !strncasecmp(s.p, *p, n)) {
			s = span_sub(s, n, s.len);
			for (size_t i = 0; i < s.len; i++)
				if (s.p[i] == '@' || s.p[i] == ';' || s.p[i] == '?')
					s.len = i;
		}
	}
	return s;
}

/* Takes the prefix that dials abroad off the digits, if a number that fits its country follows. */
static void cut_dial_prefix(struct phone *p)
{
	size_t cut = 0;

	if (p->n > 9 && !memcmp(p->digits, "00", 2))
		cut = 2;
	else if (p->n > 10 && !memcmp(p->digits, "011", 3))
		cut = 3;
	if (!cut || !value_phone_fits_country(p->digits + cut, p->n - cut))
		return;
	memmove(p->digits, p->digits + cut, p->n - cut + 1);
	p->n -= cut;
	p->international = true;
}

bool value_phone_read(struct span text, struct phone *ret)
{
	struct phone p = { .n = 0 };
	struct span s = strip_uri(span_trim(text));

	if (s.len && s.p[0] == '+') {
		p.international = true;
		s = span_sub(s, 1, s.len);
	} else if (s.len > 3 && !strncasecmp(s.p, "%2B", 3)) {
		p.international = true;
		s = span_sub(s, 3, s.len);
	}
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (ascii_is_digit(c)) {
			if (p.n == PHONE_DIGITS_ROOM)
				return false;
			p.digits[p.n++] = c;
		} else if (p.international && c == '(' &&
			   span_starts(span_sub(s, i, s.len), SPAN_LIT("(0)"))) {
			i += 2;		/* +44 (0)20: the trunk 0 is not dialled from abroad */
		} else if (memchr(" .-/()", c, 6)) {
			p.separated = true;
		} else if ((uint8_t)c == 0xc2 && i + 1 < s.len && (uint8_t)s.p[i + 1] == 0xa0) {
			p.separated = true;	/* a no-break space in UTF-8 */
			i++;
		} else {
			return false;
		}
	}
	if (!p.n)
		return false;
	if (!p.international)
		cut_dial_prefix(&p);
	*ret = p;
	return true;
}

/* Lengths of the digit groups of text; their number, at most max. */
static size_t read_groups(struct span text, size_t *len, unsigned *number, size_t max)
{
	size_t n = 0;
	bool inside = false;

	for (size_t i = 0; i < text.len; i++) {
		if (!ascii_is_digit(text.p[i])) {
			inside = false;
			continue;
		}
		if (!inside) {
			if (n == max)
				return n;
			len[n] = number[n] = 0;
			n++;
			inside = true;
		}
		len[n - 1]++;
		number[n - 1] = number[n - 1] % 10000 * 10 + (unsigned)(text.p[i] - '0');
	}
	return n;
}

static bool is_year(size_t len, unsigned number)
{
	return len == 4 && number >= 1900 && number < 2100;
}

/* Dates, dotted quads and versions are made of the same characters. */
static bool is_other_notation(struct span text)
{
	size_t len[8], n, longest = 0;
	unsigned number[8];
	uint8_t a[4];

	if (value_ip4_parse(text, a))
		return true;
	n = read_groups(text, len, number, ARRAY_SIZE(len));
	for (size_t i = 0; i < n; i++)
		longest = len[i] > longest ? len[i] : longest;
	if (n >= 3 && is_year(len[0], number[0]) && number[1] <= 12 && number[2] <= 31 &&
	    len[1] <= 2 && len[2] <= 2)
		return true;
	if (n >= 3 && len[0] <= 2 && len[1] <= 2 && is_year(len[2], number[2]) && number[0] <= 31 &&
	    number[1] <= 31)
		return true;
	return n >= 3 && longest < 3 && memchr(text.p, '.', text.len) && text.p[0] != '0';
}

bool value_phone_is_plausible(const struct phone *p, struct span text)
{
	size_t same = 1;

	if (p->n < 7 || p->n > PHONE_DIGITS_MAX)
		return false;
	while (same < p->n && p->digits[same] == p->digits[0])
		same++;
	if (same == p->n)
		return false;
	if (p->international)
		return value_phone_fits_country(p->digits, p->n);
	if (p->separated && is_other_notation(text))
		return false;
	return p->n <= 12 || value_phone_fits_country(p->digits, p->n);
}
