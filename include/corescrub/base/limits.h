/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORESCRUB_BASE_LIMITS_H
#define CORESCRUB_BASE_LIMITS_H

/* Every cap on what hostile input can make us do, in one place. Bytes unless said otherwise. */

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)

#define LIMIT_SPOOL_MEMORY	MIB(256)	/* a pipe's bytes kept in memory, then on disk */
#define LIMIT_GDB_OUTPUT	MIB(160)	/* what one gdb may print */
#define LIMIT_GDB_MEMORY	((uint64_t)16 << 30)	/* its address space: symbol files are mapped */
#define LIMIT_GDB_SECONDS	600		/* default of --timeout */
#define LIMIT_TEXT_MAPPED	((uint64_t)1 << 40)

#define LIMIT_YAML_FILE		MIB(8)
#define LIMIT_YAML_NODES	400000		/* nodes, after aliases are refused */
#define LIMIT_YAML_DEPTH	32
#define LIMIT_RULES		20000
#define LIMIT_REGEX		KIB(16)		/* one regex's source */
#define LIMIT_RULE_WIDTH	KIB(64)		/* greatest width of a bounded multi-line match */
#define LIMIT_LINE_WINDOW	KIB(16)		/* lines longer than this are matched in windows */
#define LIMIT_PCRE2_MATCH	1000000		/* match limit */
#define LIMIT_PCRE2_DEPTH	50000
#define LIMIT_PCRE2_HEAP_KIB	(32 * 1024)	/* KiB, as PCRE2 counts */

#define LIMIT_ARCHIVE_DEPTH	10		/* archives in archives */
#define LIMIT_ARCHIVE_MEMBERS	200000
#define LIMIT_ARCHIVE_RATIO	2000		/* unpacked : packed, above _FREE */
#define LIMIT_ARCHIVE_FREE	MIB(64)		/* unpacked bytes for which no ratio is asked */
#define LIMIT_ARCHIVE_BYTES	((uint64_t)64 << 30)
#define LIMIT_ARCHIVE_SPOOL	MIB(4)		/* a member kept in memory, above it in a file */

#define LIMIT_UNPACKED_CORE	((uint64_t)256 << 30)	/* a compressed core, with its holes */
#define LIMIT_UNPACKED_MEMORY	((uint64_t)8 << 30)	/* address space of the child that unpacks */

#define LIMIT_SEARCH_NAMES	10000		/* names that one pattern for cores may match */
#define LIMIT_SHELL_CONFIG	MIB(2)	/* an ast_debug_tools.conf */
#define LIMIT_SHELL_LINE	KIB(16)		/* a line of it */

#define LIMIT_PAGE		MIB(16)		/* HTML of all texts in a review page */
#define LIMIT_PAGE_TEXT		MIB(2)		/* HTML of one text */
#define LIMIT_PAGE_WHOLE	MIB(1)		/* a longer text is shown by its lines with tokens */
#define LIMIT_PAGE_LINE		KIB(4)		/* what is shown of one line */
#define LIMIT_PAGE_TOKENS	2000		/* tokens of which it lists the places */
#define LIMIT_REVIEW_TOKENS	20000		/* tokens whose rule the private page tells */
#define LIMIT_REVIEW_TEXT	MIB(256)	/* one text of a package that a person walks through */
#define LIMIT_PAGE_CONTEXT	400		/* what the private page shows of an item's line */

#define LIMIT_BT_DEPTH		512		/* nested braces in gdb's text */
#define LIMIT_CORE_THREADS	65536
#define LIMIT_CORE_SEGMENTS	65536
#define LIMIT_CORE_FILES	65536
#define LIMIT_CORE_ADDRESSES	16384		/* of hosts, to be looked for packed: the first of them */
#define LIMIT_CORE_PARTS	1000000		/* headers, link maps and the like in one core */
#define LIMIT_NOTE_BYTES	MIB(64)

#define LIMIT_SYMBOLS_SECONDS	120		/* reading the variables of a core, all in all */
#define LIMIT_SYMBOLS_MEMORY	((uint64_t)4 << 30)	/* address space of its child: files are mapped */
#define LIMIT_SYMBOLS_FOUND	2000000		/* leaves */
#define LIMIT_SYMBOLS_OBJECTS	500000		/* structs reached by pointers */
#define LIMIT_SYMBOLS_POINTERS	4		/* in a row, a list's to its next node not counted */
#define LIMIT_SYMBOLS_DEPTH	16		/* members in members, blocks in blocks */
#define LIMIT_SYMBOLS_ELEMENTS	4096		/* of one array of structs or pointers */
#define LIMIT_SYMBOLS_FRAMES	4096		/* of one thread */
#define LIMIT_SYMBOLS_PATH	1024		/* a variable's path; a longer one loses its head */
#define LIMIT_SYMBOLS_STRING	KIB(64)		/* what a pointer to char points to */

#define LIMIT_LEARN_VALUES	50000		/* of configs: more is an error */
#define LIMIT_LEARN_OTHERS	25000		/* of these that are no credentials: what is left out is an open item */
/* Of the material, each kind: more are not learned, and removed only where a rule knows them. */
#define LIMIT_LEARN_SECRETS	5000		/* secrets, tokens, keys: what is left out is an open item */
#define LIMIT_LEARN_PASSING	1000		/* digests, names, numbers: every request brings new ones */
#define LIMIT_LEARN_VALUE	KIB(64)		/* one learned value */
#define LIMIT_LEARN_TEXT	MIB(16)		/* logs over it teach secrets alone: they name too many numbers */
#define LIMIT_CLOSURE_ROUNDS	16		/* detection rounds until nothing new is found */

#define LIMIT_AGE_HEADER	MIB(1)		/* all stanzas */
#define LIMIT_AGE_ARMOR_BLANK	1024		/* white space in front of the armor, and behind it */
#define LIMIT_AGE_WORK_FACTOR	20		/* log2 of scrypt's N when decrypting: 1 GiB of memory */
#define LIMIT_AGE_RSA_BITS	16384

#endif
