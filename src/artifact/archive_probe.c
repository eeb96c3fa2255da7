/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact_internal.h"

/*
 * What bytes are. Magic decides first; then the share of bytes that no text has. Text with NULs is
 * text: gdb output that went through a shell's echo has thousands, a log has a block of them where
 * the machine died.
 */

struct magic {
	size_t off;
	struct span bytes;
	const char *what;
};

#define MAGIC(off, bytes, what) { off, { bytes, sizeof(bytes) - 1 }, what }
static const struct magic magics[] = {
	MAGIC(0, "ID3\2", "audio"),
	MAGIC(0, "ID3\3", "audio"),
	MAGIC(0, "ID3\4", "audio"),
	MAGIC(0, "fLaC\0", "audio"),
	MAGIC(0, "OggS\0", "audio"),
	MAGIC(0, "#!AMR", "audio"),
	MAGIC(0, ".snd\0", "audio"),
	MAGIC(0, "\xff\xfb", "audio"),
	MAGIC(0, "\xff\xf3", "audio"),
	MAGIC(0, "\xff\xf2", "audio"),
	MAGIC(0, "\x1a\x45\xdf\xa3", "media"),
	MAGIC(0, "SQLite format 3\0", "SQLite database"),
	MAGIC(12, "\x61\x15\x06\x00", "database"),
	MAGIC(12, "\x62\x31\x05\x00", "database"),
	MAGIC(0, "LPKSHHRH", "systemd journal"),
	MAGIC(0, "\xd4\xc3\xb2\xa1", "capture"),
	MAGIC(0, "\xa1\xb2\xc3\xd4", "capture"),
	MAGIC(0, "\x4d\x3c\xb2\xa1", "capture"),
	MAGIC(0, "\xa1\xb2\x3c\x4d", "capture"),
	MAGIC(0, "\x0a\x0d\x0d\x0a", "capture"),
	MAGIC(0, "\x89PNG\r\n\x1a\n", "image"),
	MAGIC(0, "\xff\xd8\xff", "image"),
	MAGIC(0, "GIF87a", "image"),
	MAGIC(0, "GIF89a", "image"),
	MAGIC(0, "II*\0", "image"),
	MAGIC(0, "MM\0*", "image"),
	MAGIC(0, "%PDF-", "PDF"),
	MAGIC(0, "\x7f" "ELF", "ELF file"),
	MAGIC(0, "MZ\x90\0", "program"),
	MAGIC(0, "\xca\xfe\xba\xbe", "program"),
	MAGIC(0, "\0asm", "program"),
	MAGIC(0, "!<arch>\n", "ar archive"),
	MAGIC(0, "\xc7\x71", "cpio archive"),
	MAGIC(0, "7z\xbc\xaf\x27\x1c", "7z archive"),
	MAGIC(0, "Rar!\x1a\x07", "rar archive"),
	MAGIC(0, "MSCF\0", "cab archive"),
	MAGIC(0, "\x04\x22\x4d\x18", "lz4 file"),
	MAGIC(0, "LZIP\1", "lzip file"),
	MAGIC(0, "\x5d\0\0", "lzma file"),
	MAGIC(0, "\x1f\x9d", "compress file"),
	MAGIC(0, "age-encryption.org/v1\n", "encrypted"),
	MAGIC(0, "Salted__", "encrypted"),
	MAGIC(0, "\xff\xfe", "UTF-16 text"),
	MAGIC(0, "\xfe\xff", "UTF-16 text"),
};

static bool has_at(struct span s, size_t off, struct span what)
{
	return s.len >= off + what.len && memcmp(s.p + off, what.p, what.len) == 0;
}

/* Containers whose first word alone could begin a text. */
static const char *probe_media(struct span s)
{
	if (has_at(s, 0, SPAN_LIT("RIFF")) && has_at(s, 8, SPAN_LIT("WAVE")))
		return "audio";
	if (has_at(s, 0, SPAN_LIT("RIFF")) &&
	    (has_at(s, 8, SPAN_LIT("AVI ")) || has_at(s, 8, SPAN_LIT("WEBP"))))
		return "media";
	if (has_at(s, 0, SPAN_LIT("FORM")) && has_at(s, 8, SPAN_LIT("AIF")))
		return "audio";
	if (has_at(s, 0, SPAN_LIT("\0\0")) && has_at(s, 4, SPAN_LIT("ftyp")))
		return "media";
	return NULL;
}

/* POSIX.1 cpio (76 octal digits, magic with them) and SVR4's (110 hexadecimal ones). */
static bool is_cpio(struct span s)
{
	bool hex = span_starts(s, SPAN_LIT("070701")) || span_starts(s, SPAN_LIT("070702"));
	size_t len = hex ? 110 : 76;

	if (s.len < len || !(hex || span_starts(s, SPAN_LIT("070707"))))
		return false;
	for (size_t i = 6; i < len; i++)
		if (!strchr(hex ? "0123456789abcdefABCDEF" : "01234567", s.p[i]) || !s.p[i])
			return false;
	return true;
}

/* X.690: a SEQUENCE that is exactly as long as the file is a key or a certificate. */
bool artifact_probe_der(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n, len = 0;

	if (s.len < 3 || p[0] != 0x30)
		return false;
	if (p[1] < 0x80)
		return s.len > 8 && s.len == 2u + p[1];
	n = p[1] & 0x7f;
	if (n == 0 || n > 4 || s.len < 2 + n)
		return false;
	for (size_t i = 0; i < n; i++)
		len = len << 8 | p[2 + i];
	return s.len == 2 + n + len;
}

/* APPNOTE.TXT 4.3.7, 4.4.4: bit 0 of the first member's flags. */
static bool is_encrypted_zip(struct span s)
{
	return has_at(s, 0, SPAN_LIT("PK\3\4")) && s.len > 6 && (s.p[6] & 1);
}

enum artifact_stream artifact_probe_stream(struct span s)
{
	if (has_at(s, 0, SPAN_LIT("\x1f\x8b\x08")))
		return STREAM_GZIP;
	if (has_at(s, 0, SPAN_LIT("\xfd" "7zXZ\0")))
		return STREAM_XZ;
	if (has_at(s, 0, SPAN_LIT("\x28\xb5\x2f\xfd")) ||
	    (has_at(s, 1, SPAN_LIT("\x2a\x4d\x18")) && (s.p[0] & 0xf0) == 0x50))
		return STREAM_ZSTD;
	if (has_at(s, 0, SPAN_LIT("BZh")) && (has_at(s, 4, SPAN_LIT("1AY&SY")) ||
					      has_at(s, 4, SPAN_LIT("\x17\x72\x45\x38\x50\x90"))))
		return STREAM_BZIP2;
	return STREAM_NONE;
}

/* POSIX.1 ustar: the sum of the header's bytes, its own field taken as blanks, in octal at 148. */
static bool is_tar_header(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned sum = 0, told = 0;
	size_t i = 148;

	if (s.len < 512 || p[0] == '\0')
		return false;
	for (size_t k = 0; k < 512; k++)
		sum += k >= 148 && k < 156 ? ' ' : p[k];
	while (i < 156 && p[i] == ' ')
		i++;
	if (i == 156 || p[i] < '0' || p[i] > '7')
		return false;
	for (; i < 156 && p[i] >= '0' && p[i] <= '7'; i++)
		told = told * 8 + (p[i] - '0');
	return told == sum;
}

/* APPNOTE.TXT 4.3.16: a directory's end record at the very start, with no disks, entries or
   size. */
bool artifact_probe_empty_zip(struct span s)
{
	static const char nothing[16];

	return s.len >= 22 && has_at(s, 0, SPAN_LIT("PK\5\6")) &&
	       has_at(s, 4, span_make(nothing, sizeof(nothing)));
}

enum artifact_members artifact_probe_members(struct span s)
{
	if (has_at(s, 0, SPAN_LIT("PK\3\4")) || has_at(s, 0, SPAN_LIT("PK\5\6")) ||
	    has_at(s, 0, SPAN_LIT("PK\7\10PK\3\4")))
		return MEMBERS_ZIP;
	/* one that says it is a tar is never text, even if it is damaged */
	if (has_at(s, 257, SPAN_LIT("ustar\0")) || has_at(s, 257, SPAN_LIT("ustar ")) ||
	    is_tar_header(s))
		return MEMBERS_TAR;
	return MEMBERS_NONE;
}

/* UTF-16 without its mark: of nearly all pairs at the beginning the same one byte is 0. */
static bool is_utf16(struct span s)
{
	size_t pairs = (s.len < 512 ? s.len : 512) / 2, first = 0, second = 0;

	for (size_t i = 0; i < pairs; i++) {
		first += s.p[2 * i] == '\0' && s.p[2 * i + 1] != '\0';
		second += s.p[2 * i] != '\0' && s.p[2 * i + 1] == '\0';
	}
	return pairs >= 8 && (first > pairs / 8 * 7 || second > pairs / 8 * 7);
}

const char *archive_probe_magic(struct span s)
{
	if (is_encrypted_zip(s))
		return "encrypted";
	if (artifact_probe_members(s) != MEMBERS_NONE || artifact_probe_stream(s) != STREAM_NONE)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (has_at(s, magics[i].off, magics[i].bytes))
			return magics[i].what;
	if (is_cpio(s))
		return "cpio archive";
	if (is_utf16(s))
		return "UTF-16 text";
	return artifact_probe_der(s) ? "DER key or certificate" : probe_media(s);
}

/* Counts of one window, four in a word so that a byte costs one addition. */
#define WINDOW 32768
#define NUL_ONE		((uint64_t)1)
#define CONTROL_ONE	((uint64_t)1 << 16)
#define HIGH_ONE	((uint64_t)1 << 32)
#define SPACE_ONE	((uint64_t)1 << 48)
#define COUNT(sum, one)	((size_t)((sum) / (one) & 0xffff))

static const uint64_t byte_class[256] = {
	[0] = NUL_ONE,
	[1 ... 8] = CONTROL_ONE,
	['\t' ... '\n'] = SPACE_ONE,
	['\v'] = CONTROL_ONE,
	['\r'] = SPACE_ONE,
	[14 ... 26] = CONTROL_ONE,	/* escape is for colours */
	[28 ... 31] = CONTROL_ONE,
	[' '] = SPACE_ONE,
	[127] = CONTROL_ONE,
	[128 ... 255] = HIGH_ONE,
};

/* Bytes outside of well-formed UTF-8 sequences (RFC 3629; surrogates are let pass). */
static size_t count_invalid(const unsigned char *p, size_t len)
{
	size_t bad = 0;

	for (size_t i = 0; i < len;) {
		size_t more = p[i] < 0x80 ? 0 : p[i] < 0xc2 ? 4 : p[i] < 0xe0 ? 1 :
			      p[i] < 0xf0 ? 2 : p[i] < 0xf5 ? 3 : 4;
		size_t k = 1;

		while (k <= more && more < 4 && i + k < len && (p[i + k] & 0xc0) == 0x80)
			k++;
		if (k <= more)
			bad += k;
		i += k;
	}
	return bad;
}

/* Compressed, enciphered and sound bytes: controls among them, or half of them no UTF-8 with
   neither blanks nor line ends as an old code page's text would have. */
static bool is_binary_window(const unsigned char *p, size_t len, size_t *nuls)
{
	uint64_t sum = 0;
	size_t rest, control, invalid;

	for (size_t i = 0; i < len; i++)
		sum += byte_class[p[i]];
	*nuls += COUNT(sum, NUL_ONE);
	rest = len - COUNT(sum, NUL_ONE);
	control = COUNT(sum, CONTROL_ONE);
	if (control > 4 && control * 100 > rest * 15)
		return true;
	if (COUNT(sum, HIGH_ONE) * 100 <= rest * 30)
		return false;
	invalid = count_invalid(p, len);
	if (invalid <= 4 || invalid * 100 <= rest * 30)
		return false;
	return control * 100 > rest * 2 || COUNT(sum, SPACE_ONE) * 100 < rest * 2;
}

static bool is_binary_share(struct span s)
{
	size_t nuls = 0;

	for (size_t off = 0; off < s.len;) {
		size_t left = s.len - off, len = left;

		/* a short end is looked at with what stands before it */
		if (left > WINDOW + WINDOW / 2)
			len = WINDOW;
		if (is_binary_window((const unsigned char *)s.p + off, len, &nuls))
			return true;
		off += len;
	}
	return nuls > 4 && nuls > s.len / 10 * 3;
}

const char *archive_probe_binary(struct span bytes)
{
	const char *what = archive_probe_magic(bytes);

	if (what)
		return what;
	return is_binary_share(bytes) ? "binary data" : NULL;
}

enum archive_probe archive_probe_bytes(struct span bytes)
{
	if (archive_probe_magic(bytes))
		return ARCHIVE_BINARY;
	if (artifact_probe_members(bytes) != MEMBERS_NONE)
		return ARCHIVE_MEMBERS;
	if (artifact_probe_stream(bytes) != STREAM_NONE)
		return ARCHIVE_COMPRESSED;
	return is_binary_share(bytes) ? ARCHIVE_BINARY : ARCHIVE_PLAIN;
}
