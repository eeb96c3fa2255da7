/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <corescrub/archive.h>

/* Archives are made by the usual programs in a folder of the test's own. The cleaning here is a
   plain exchange of one number, in texts and in names. */
#define PLANTED "14155550123"
#define CLEAN "[phone~x]"

static char folder[] = "/tmp/test_archive.XXXXXX";

struct seen {
	struct buf texts;	/* path, '=', text, for each */
	struct buf left;	/* path, '=', why, a line each */
	unsigned n_left;
};

static void exchange(struct span text, struct buf *ret)
{
	size_t from = 0;
	ssize_t at;

	while ((at = span_find(text, SPAN_LIT(PLANTED), from)) >= 0) {
		buf_add_span(ret, span_sub(text, from, (size_t)at));
		buf_add_str(ret, CLEAN);
		from = (size_t)at + strlen(PLANTED);
	}
	buf_add_span(ret, span_sub(text, from, text.len));
}

static int visit_text(void *ctx, const char *path, struct span text, struct buf *ret, struct err *err)
{
	struct seen *s = ctx;

	(void)err;
	buf_addf(&s->texts, "%s=", path);
	if (text.len < 4096)
		buf_add_span(&s->texts, text);
	buf_add_str(&s->texts, "\n");
	if (ret)
		exchange(text, ret);
	return RC_OK;
}

static int visit_name(void *ctx, const char *path, struct span name, struct buf *ret, struct err *err)
{
	(void)ctx;
	(void)path;
	(void)err;
	exchange(name, ret);
	return RC_OK;
}

static void visit_left_out(void *ctx, const char *path, const char *why)
{
	struct seen *s = ctx;

	buf_addf(&s->left, "%s=%s\n", path, why);
	s->n_left++;
}

static struct archive_visitor visitor(struct seen *s)
{
	*s = (struct seen){ .texts = BUF_INIT, .left = BUF_INIT };
	return (struct archive_visitor){ .text = visit_text, .name = visit_name,
					 .left_out = visit_left_out, .ctx = s };
}

static void seen_done(struct seen *s)
{
	buf_done(&s->texts);
	buf_done(&s->left);
}

static bool holds(const struct buf *b, const char *what)
{
	return b->p && span_find(buf_span(b), span_str(what), 0) >= 0;
}

/* Runs a shell command in the folder; its output is appended to ret, if that is given. */
static void run(const char *command, struct buf *ret)
{
	AUTO_FREE char *line = xasprintf("cd %s && { %s; } 2>&1", folder, command);
	FILE *f = popen(line, "r");
	char block[4096];
	size_t n;

	assert_non_null(f);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		if (ret)
			buf_add(ret, block, n);
	if (pclose(f) != 0)
		fail_msg("failed: %s", command);
}

static void load(const char *name, struct buf *ret)
{
	AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
	struct err err = ERR_INIT;

	buf_done(ret);
	if (file_read(path, MIB(512), ret, &err) < 0)
		fail_msg("%s: %s", path, err.msg);
}

static void store(const char *name, struct span bytes)
{
	AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, bytes, name, NULL), RC_OK);
}

/* Rewrites folder/name to folder/out-name. */
static int rewrite(const char *name, struct seen *s, bool pass_binary)
{
	struct archive_visitor v = visitor(s);
	AUTO_FREE char *target = xasprintf("out-%s", name);
	AUTO_BUF in = BUF_INIT;
	struct err err = ERR_INIT;
	struct sink_buf out;
	int rc;

	v.pass_binary = pass_binary;
	load(name, &in);
	sink_buf_init(&out);
	rc = archive_rewrite(buf_span(&in), name, &v, &out.sink, &err);
	if (rc == RC_OK)
		store(target, buf_span(&out.buf));
	else
		assert_null(strstr(err.msg, PLANTED));
	assert_false(holds(&out.buf, PLANTED));
	assert_false(holds(&s->left, PLANTED));
	buf_done(&out.buf);
	return rc;
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	run("mkdir -p in/sub && echo 'call from " PLANTED " ok' >in/sub/a.log && echo nothing >in/b.txt", NULL);
	return 0;
}

static int teardown(void **state)
{
	AUTO_FREE char *line = xasprintf("rm -rf %s", folder);

	(void)state;
	return system(line);
}

static void test_probe_text(void **state)
{
	AUTO_BUF b = BUF_INIT;

	(void)state;
	assert_int_equal(archive_probe_bytes(SPAN_LIT("")), ARCHIVE_PLAIN);
	assert_int_equal(archive_probe_bytes(SPAN_LIT("\0")), ARCHIVE_PLAIN);
	assert_int_equal(archive_probe_bytes(SPAN_LIT("a\r\n\xff b")), ARCHIVE_PLAIN);
	assert_int_equal(archive_probe_bytes(SPAN_LIT("pbx\0-f\0-vvv\0-C\0pbx.conf\0")), ARCHIVE_PLAIN);
	assert_int_equal(archive_probe_bytes(SPAN_LIT("-\0a\0b\0c\0 of one letter each\0d\0e\0f\0")),
			 ARCHIVE_PLAIN);
	assert_int_equal(archive_probe_bytes(SPAN_LIT("070707 12:00:01 [Note] ready")), ARCHIVE_PLAIN);
	assert_int_equal(archive_probe_bytes(SPAN_LIT("RIFF is a word, and so is FORM")), ARCHIVE_PLAIN);
	/* KOI8-R: nearly all high bytes, none of them UTF-8 */
	for (int i = 0; i < 100; i++)
		buf_add_str(&b, "\xf0\xd2\xc9\xd7\xc5\xd4 \xcd\xc9\xd2 \xdd\xc5\xcc\xcf\xcb\n");
	assert_int_equal(archive_probe_bytes(buf_span(&b)), ARCHIVE_PLAIN);
	/* as gdb's text comes out of a shell's echo: escapes have become bytes */
	buf_reset(&b);
	for (int i = 0; i < 4000; i++) {
		buf_addf(&b, "        buf%d = \"abc", i);
		buf_add(&b, "\0\0\033\001x\0", 6);
		buf_add_str(&b, "\", '' <repeats 19 times>\n#12 0x00007ffff7a4 in handle () at a.c:12\n");
	}
	assert_int_equal(archive_probe_bytes(buf_span(&b)), ARCHIVE_PLAIN);
	/* a log with the block of NULs that a crash of the machine leaves */
	for (int i = 0; i < 65536; i++)
		buf_add_char(&b, '\0');
	for (int i = 0; i < 4000; i++)
		buf_add_str(&b, "Nov 23 13:00:00 host pbx[12]: \xc3\xa4\xc3\xb6 registered\n");
	assert_int_equal(archive_probe_bytes(buf_span(&b)), ARCHIVE_PLAIN);
}

static void test_probe_binary(void **state)
{
	static const struct { struct span bytes; const char *what; } known[] = {
		{ SPAN_LIT("RIFF\x24\0\0\0WAVEfmt "), "audio" },
		{ SPAN_LIT("SQLite format 3\0\x10\0"), "SQLite database" },
		{ SPAN_LIT("\xd4\xc3\xb2\xa1\2\0\4\0"), "capture" },
		{ SPAN_LIT("\x0a\x0d\x0d\x0a\x6c\0\0\0"), "capture" },
		{ SPAN_LIT("\x89PNG\r\n\x1a\n\0\0\0"), "image" },
		{ SPAN_LIT("\x7f" "ELF\2\1\1\0"), "ELF file" },
		{ SPAN_LIT("%PDF-1.7\n%\xe2\xe3\n"), "PDF" },
		{ SPAN_LIT("PK\3\4\x14\0\1\0\10\0"), "encrypted" },
		{ SPAN_LIT("age-encryption.org/v1\n-> X25519 "), "encrypted" },
		{ SPAN_LIT("\x30\x0a\2\1\0\4\5abcde"), "DER key or certificate" },
		{ SPAN_LIT("\xff\xfeh\0e\0l\0l\0o\0"), "UTF-16 text" },
		{ SPAN_LIT("p\0a\0s\0s\0=\0h\0e\0l\0l\0o\0"), "UTF-16 text" },
		{ SPAN_LIT("\0p\0a\0s\0s\0=\0h\0e\0l\0l\0o"), "UTF-16 text" },
		{ SPAN_LIT("\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0"), "binary data" },
	};
	uint8_t random[100000];
	AUTO_BUF b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		assert_int_equal(archive_probe_bytes(known[i].bytes), ARCHIVE_BINARY);
		assert_string_equal(archive_probe_binary(known[i].bytes), known[i].what);
	}
	for (unsigned i = 0, x = 1; i < sizeof(random); i++) {
		x = x * 1103515245 + 12345;
		random[i] = (uint8_t)(x >> 16);
	}
	assert_int_equal(archive_probe_bytes(span_make((char *)random, sizeof(random))), ARCHIVE_BINARY);
	assert_int_equal(archive_probe_bytes(span_make((char *)random, 64)), ARCHIVE_BINARY);
	/* a text with a compressed tail */
	for (int i = 0; i < 40000; i++)
		buf_add_str(&b, "#!/bin/sh\n");
	buf_add(&b, random, sizeof(random));
	assert_int_equal(archive_probe_bytes(buf_span(&b)), ARCHIVE_BINARY);
	/* silence as G.711 has it */
	buf_reset(&b);
	for (int i = 0; i < 8000; i++)
		buf_add_char(&b, i % 7 ? '\xff' : '\x7f');
	assert_int_equal(archive_probe_bytes(buf_span(&b)), ARCHIVE_BINARY);
}

/* Each format stays what it was, opens with its own program, and is clean inside. */
static void test_formats(void **state)
{
	static const struct { const char *name, *make, *show; enum archive_probe probe; } formats[] = {
		{ "t.tar", "tar -C in -cf $f .", "tar -xOf $f", ARCHIVE_MEMBERS },
		{ "gnu.tar", "tar -C in --format=gnu -cf $f .", "tar -xOf $f", ARCHIVE_MEMBERS },
		{ "pax.tar", "tar -C in --format=pax -cf $f .", "tar -xOf $f", ARCHIVE_MEMBERS },
		{ "v7.tar", "tar -C in --format=v7 -cf $f .", "tar -xOf $f", ARCHIVE_MEMBERS },
		{ "t.tar.gz", "tar -C in -czf $f .", "gzip -dc $f | tar -xO", ARCHIVE_COMPRESSED },
		{ "t.tar.xz", "tar -C in -cJf $f .", "xz -dc $f | tar -xO", ARCHIVE_COMPRESSED },
		{ "t.tar.zst", "tar -C in --zstd -cf $f .", "zstd -qdc $f | tar -xO", ARCHIVE_COMPRESSED },
		{ "t.tar.bz2", "tar -C in -cjf $f .", "bzip2 -dc $f | tar -xO", ARCHIVE_COMPRESSED },
		{ "t.zip", "rm -f $f; (cd in && zip -qr ../$f .)", "unzip -p $f", ARCHIVE_MEMBERS },
		{ "t.gz", "cat in/*.txt in/sub/* | gzip >$f", "gzip -dc $f", ARCHIVE_COMPRESSED },
		{ "two.gz", "(gzip <in/b.txt; gzip <in/sub/a.log) >$f", "gzip -dc $f", ARCHIVE_COMPRESSED },
		{ "t.xz", "cat in/*.txt in/sub/* | xz >$f", "xz -dc $f", ARCHIVE_COMPRESSED },
		{ "t.zst", "cat in/*.txt in/sub/* | zstd -q >$f", "zstd -qdc $f", ARCHIVE_COMPRESSED },
		{ "t.bz2", "cat in/*.txt in/sub/* | bzip2 >$f", "bzip2 -dc $f", ARCHIVE_COMPRESSED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		AUTO_FREE char *make = xasprintf("f=%s; %s", formats[i].name, formats[i].make);
		AUTO_FREE char *show = xasprintf("f=out-%s; %s", formats[i].name, formats[i].show);
		AUTO_FREE char *target = xasprintf("out-%s", formats[i].name);
		AUTO_BUF shown = BUF_INIT, first = BUF_INIT, again = BUF_INIT;
		struct seen s;

		run(make, NULL);
		assert_int_equal(rewrite(formats[i].name, &s, false), RC_OK);
		assert_int_equal(s.n_left, 0);
		seen_done(&s);
		run(show, &shown);
		assert_true(holds(&shown, "call from " CLEAN " ok\n"));
		assert_true(holds(&shown, "nothing\n"));
		load(target, &first);
		assert_int_equal(archive_probe_bytes(buf_span(&first)), formats[i].probe);
		/* the same again, and what is clean stays as it is */
		assert_int_equal(rewrite(target, &s, false), RC_OK);
		seen_done(&s);
		free(STEAL(target));
		target = xasprintf("out-out-%s", formats[i].name);
		load(target, &again);
		assert_true(span_eq(buf_span(&first), buf_span(&again)));
	}
}

static void test_names_links_and_metadata(void **state)
{
	AUTO_BUF shown = BUF_INIT;
	struct seen s;

	(void)state;
	run("rm -rf n && mkdir -p n/" PLANTED " && cd n && echo x >" PLANTED "/rec-" PLANTED ".log &&"
	    " echo y >'rec-[phone~x].log' && ln " PLANTED "/rec-" PLANTED ".log rec-" PLANTED ".log &&"
	    " ln -s /var/spool/" PLANTED "/msg link && echo z >" PLANTED "-$(printf '%0150d' 0).txt &&"
	    " echo u >$(printf '\\303\\244')-" PLANTED " && chmod 640 rec-* && chmod 755 " PLANTED "/rec*"
	    " && mkfifo pipe && find . | sort | tar -cf ../n.tar --owner=user" PLANTED ":4711"
	    " --group=grp" PLANTED ":4712 --mtime=@1600000000 --no-recursion --format=pax"
	    " --pax-option=comment=" PLANTED ",SCHILY.xattr.user.x:=" PLANTED " -T -", NULL);
	assert_int_equal(rewrite("n.tar", &s, false), RC_OK);
	assert_int_equal(s.n_left, 1);
	assert_true(holds(&s.left, "n.tar!/./pipe=special file\n"));
	seen_done(&s);
	run("tar --numeric-owner --full-time -tvf out-n.tar; tar --full-time -tvf out-n.tar", &shown);
	assert_false(holds(&shown, PLANTED));
	assert_false(holds(&shown, "user"));
	assert_false(holds(&shown, "2020"));
	assert_false(holds(&shown, "47"));
	assert_true(holds(&shown, "-rwxr-xr-x 0/0"));
	assert_true(holds(&shown, "1970-01-01"));
	assert_true(holds(&shown, "-> /var/spool/" CLEAN "/msg\n"));
	assert_true(holds(&shown, "link to ./" CLEAN "/rec-" CLEAN ".log\n"));
	/* two clean names alike */
	assert_true(holds(&shown, "./rec-[phone~x].log"));
	assert_true(holds(&shown, "./rec-[phone~x]~2.log"));
	buf_reset(&shown);
	run("rm -rf o && mkdir o && tar -C o -xf out-n.tar && cat o/*-" "'" CLEAN "'; cat o/'" CLEAN "'-00*",
	    &shown);
	assert_true(holds(&shown, "u\n"));
	assert_true(holds(&shown, "z\n"));
}

static void test_header_comments(void **state)
{
	AUTO_BUF b = BUF_INIT;
	struct seen s;

	(void)state;
	run("cp in/b.txt " PLANTED ".txt && gzip -fN " PLANTED ".txt && mv " PLANTED ".txt.gz c.gz &&"
	    " rm -f c.zip && cd in && cp b.txt " PLANTED " && (echo about " PLANTED "; echo .) |"
	    " zip -qrcz ../c.zip . && rm " PLANTED, NULL);
	load("c.gz", &b);
	assert_true(holds(&b, PLANTED));
	assert_int_equal(rewrite("c.gz", &s, false), RC_OK);
	seen_done(&s);
	load("c.zip", &b);
	assert_true(holds(&b, "about " PLANTED));
	assert_int_equal(rewrite("c.zip", &s, false), RC_OK);
	assert_int_equal(s.n_left, 0);
	seen_done(&s);
	buf_reset(&b);
	run("unzip -l out-c.zip; unzip -qt out-c.zip", &b);
	assert_true(holds(&b, CLEAN));
	assert_true(holds(&b, "1980-01-01 00:00"));
}

static void test_left_out_is_named(void **state)
{
	AUTO_BUF shown = BUF_INIT;
	struct seen s;

	(void)state;
	run("rm -rf l && mkdir l && cd l && printf 'RIFF\\044\\0\\0\\0WAVEfmt " PLANTED "' >" PLANTED ".wav &&"
	    " printf 'SQLite format 3\\000" PLANTED "' >astdb.sqlite3 && echo " PLANTED " >t.txt &&"
	    " zip -q -P secret enc.zip t.txt && (cp t.txt plain.txt; zip -q mixed.zip plain.txt;"
	    " zip -q -P secret mixed.zip t.txt) && gzip -c astdb.sqlite3 >db.gz && head -c 30 db.gz >cut.gz"
	    " && printf 'ustar damaged' >h && cp ../in/b.txt keep.txt && tar -czf ../l.tar.gz *", NULL);
	assert_int_equal(rewrite("l.tar.gz", &s, false), RC_OK);
	assert_true(holds(&s.left, "l.tar.gz!/" CLEAN ".wav=audio\n"));
	assert_true(holds(&s.left, "l.tar.gz!/astdb.sqlite3=SQLite database\n"));
	assert_true(holds(&s.left, "l.tar.gz!/enc.zip=encrypted\n"));
	assert_true(holds(&s.left, "l.tar.gz!/mixed.zip!/t.txt=encrypted\n"));
	assert_true(holds(&s.left, "l.tar.gz!/db.gz=SQLite database\n"));
	assert_true(holds(&s.left, "l.tar.gz!/cut.gz=damaged\n"));
	assert_int_equal(s.n_left, 6);
	seen_done(&s);
	run("tar -tzf out-l.tar.gz; tar -xzOf out-l.tar.gz mixed.zip >m.zip; unzip -p m.zip", &shown);
	assert_true(holds(&shown, "h\nkeep.txt\nmixed.zip\nplain.txt\nt.txt\n" CLEAN "\n"));
	assert_false(holds(&shown, "wav"));
	/* a stream whose content stays out goes as a whole */
	run("cp l/db.gz db.gz; cp l/enc.zip enc.zip", NULL);
	assert_int_equal(rewrite("db.gz", &s, false), RC_UNSUPPORTED);
	assert_true(holds(&s.left, "db.gz=SQLite database\n"));
	seen_done(&s);
	assert_int_equal(rewrite("enc.zip", &s, false), RC_UNSUPPORTED);
	assert_true(holds(&s.left, "enc.zip=encrypted\n"));
	seen_done(&s);
}

static void test_pass_binary(void **state)
{
	AUTO_BUF shown = BUF_INIT;
	struct seen s;

	(void)state;
	run("rm -rf p && mkdir p && printf 'SQLite format 3\\000same bytes' >p/db && gzip -c p/db >p/db.gz &&"
	    " tar -C p -cf p.tar .", NULL);
	assert_int_equal(rewrite("p.tar", &s, true), RC_OK);
	assert_int_equal(s.n_left, 0);
	seen_done(&s);
	run("tar -xOf out-p.tar ./db | cmp - p/db && tar -xOf out-p.tar ./db.gz | gzip -dc | cmp - p/db",
	    &shown);
	assert_int_equal(shown.len, 0);
}

static void test_nest_is_cut(void **state)
{
	AUTO_BUF shown = BUF_INIT;
	struct seen s;

	(void)state;
	run("rm -rf d && mkdir d && cd d && echo innermost " PLANTED " >level && for i in $(seq 12); do"
	    " tar -czf t level && mv t level; done && mv level ../nest.tgz && echo x >level &&"
	    " for i in $(seq 12); do gzip -c level >t && mv t level; done && mv level ../nest.gz &&"
	    " echo " PLANTED " >level && for i in $(seq 12); do rm -f t.zip; zip -q t.zip level;"
	    " mv t.zip level; done && mv level ../nest.zip", NULL);
	assert_int_equal(rewrite("nest.tgz", &s, false), RC_OK);
	assert_int_equal(s.n_left, 1);
	assert_true(holds(&s.left, "!/level!/level=nested too deeply\n"));
	assert_int_equal(s.texts.len, 0);
	seen_done(&s);
	run("for i in $(seq 9); do tar -xzOf out-nest.tgz level >t; mv t out-nest.tgz; done;"
	    " tar -tzf out-nest.tgz", &shown);
	assert_int_equal(shown.len, 0);
	assert_int_equal(rewrite("nest.gz", &s, false), RC_UNSUPPORTED);
	assert_int_equal(s.n_left, 1);
	seen_done(&s);
	assert_int_equal(rewrite("nest.zip", &s, false), RC_OK);
	assert_int_equal(s.n_left, 1);
	seen_done(&s);
}

static void test_bombs(void **state)
{
	AUTO_BUF shown = BUF_INIT;
	struct seen s;

	(void)state;
	run("rm -rf b && mkdir b && cd b && head -c 200M /dev/zero | tr '\\0' ' ' | zstd -q >bomb.zst &&"
	    " truncate -s 1T hole && echo x >>hole && tar -Scf sparse.tar hole && rm hole && echo fine >c.txt &&"
	    " tar -cf ../b.tar bomb.zst c.txt sparse.tar", NULL);
	assert_int_equal(rewrite("b.tar", &s, false), RC_OK);
	assert_true(holds(&s.left, "b.tar!/bomb.zst=unpacks to far more than its size\n"));
	assert_true(holds(&s.left, "b.tar!/sparse.tar!/hole=unpacks to far more than its size\n"));
	assert_int_equal(s.n_left, 2);
	assert_true(holds(&s.texts, "b.tar!/c.txt=fine\n"));
	seen_done(&s);
	run("tar -tf out-b.tar; rm -rf b b.tar", &shown);
	assert_string_equal(shown.p, "c.txt\nsparse.tar\n");
}

/* A member above what is kept in memory goes through a file, and comes out whole. */
static void test_large_member(void **state)
{
	AUTO_BUF shown = BUF_INIT;
	struct seen s;

	(void)state;
	run("rm -rf g && mkdir g && seq -f 'line %.0f of a log' 800000 >g/big.log && tar -cf g.tar g &&"
	    " tar -czf g.tar.gz g && (rm -f g.zip; zip -q1r g.zip g)", NULL);
	assert_int_equal(rewrite("g.tar", &s, false), RC_OK);
	seen_done(&s);
	assert_int_equal(rewrite("g.tar.gz", &s, false), RC_OK);
	seen_done(&s);
	assert_int_equal(rewrite("g.zip", &s, false), RC_OK);
	seen_done(&s);
	run("tar -xOf out-g.tar g/big.log | cmp - g/big.log; tar -xzOf out-g.tar.gz g/big.log | cmp - g/big.log;"
	    " unzip -p out-g.zip g/big.log | cmp - g/big.log", &shown);
	assert_int_equal(shown.len, 0);
}

static void test_walk(void **state)
{
	struct seen s;
	struct archive_visitor v = visitor(&s);
	AUTO_BUF in = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	run("rm -rf w && mkdir w && cp in/sub/a.log w/" PLANTED ".conf && gzip w/* && cp in/b.txt w &&"
	    " printf 'SQLite format 3\\000' >w/db && printf '0\\012\\002\\001\\000\\004\\005abcde' >w/key && zip -qr w.zip w", NULL);
	load("w.zip", &in);
	assert_int_equal(archive_walk(buf_span(&in), "w.zip", &v, &err), RC_OK);
	/* the database: named, where somebody listens */
	assert_int_equal(s.n_left, 1);
	assert_true(holds(&s.texts, "w.zip!/w/b.txt=nothing\n"));
	assert_true(holds(&s.texts, "w.zip!/w/" PLANTED ".conf.gz=call from " PLANTED " ok\n"));
	assert_true(holds(&s.texts, "w.zip!/w/key="));
	assert_false(holds(&s.texts, "SQLite"));
	seen_done(&s);
}

static void test_empty_ones(void **state)
{
	AUTO_BUF b = BUF_INIT;
	struct seen s;

	(void)state;
	run(": | gzip >e.gz; : | xz >e.xz; : | zstd -q >e.zst; : | bzip2 >e.bz2;"
	    " mkdir -p e && tar -czf e.tgz e", NULL);
	assert_int_equal(rewrite("e.gz", &s, false), RC_OK);
	seen_done(&s);
	assert_int_equal(rewrite("e.xz", &s, false), RC_OK);
	seen_done(&s);
	assert_int_equal(rewrite("e.zst", &s, false), RC_OK);
	seen_done(&s);
	assert_int_equal(rewrite("e.bz2", &s, false), RC_OK);
	seen_done(&s);
	assert_int_equal(rewrite("e.tgz", &s, false), RC_OK);
	seen_done(&s);
	run("printf 'PK\\005\\006' >e.zip &&"
	    " head -c 18 /dev/zero >>e.zip", NULL);
	assert_int_equal(rewrite("e.zip", &s, false), RC_OK);
	assert_int_equal(s.n_left, 0);
	seen_done(&s);
	run("cmp e.zip out-e.zip", NULL);
	run("gzip -dc out-e.gz; xz -dc out-e.xz; zstd -qdc out-e.zst; bzip2 -dc out-e.bz2", &b);
	assert_int_equal(b.len, 0);
	run("tar -tzf out-e.tgz", &b);
	assert_string_equal(b.p, "e/\n");
}

static void rewrite_damaged(struct span bytes)
{
	struct seen s;
	struct archive_visitor v = visitor(&s);
	struct err err = ERR_INIT;
	struct sink_buf out;
	int rc;

	sink_buf_init(&out);
	rc = archive_rewrite(bytes, "x", &v, &out.sink, &err);
	assert_true(rc == RC_OK || rc == RC_UNSUPPORTED);
	assert_true(rc == RC_OK || s.n_left > 0);
	buf_done(&out.buf);
	seen_done(&s);
}

/* A stream that ends too early never passes for a shorter one. */
static void test_cut_streams(void **state)
{
	static const char *const names[] = { "k.gz", "k.xz", "k.zst", "k.bz2", "k2.gz", "k2.xz", "k2.zst",
					     "k2.bz2" };

	(void)state;
	run("echo short >k && seq 300000 >k2 && for i in k k2; do gzip -k $i && xz -k1 $i && zstd -q $i &&"
	    " bzip2 -k $i; done", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO_BUF whole = BUF_INIT;

		load(names[i], &whole);
		for (size_t n = 12; n < whole.len; n += whole.len / 16) {
			struct seen s;
			struct archive_visitor v = visitor(&s);
			struct span cut = span_sub(buf_span(&whole), 0, n);
			struct sink_buf out;

			sink_buf_init(&out);
			if (archive_rewrite(cut, "x", &v, &out.sink, NULL) != RC_UNSUPPORTED)
				fail_msg("%s passed with %zu of %zu bytes", names[i], n, whole.len);
			assert_string_equal(s.left.p, "x=damaged\n");
			buf_done(&out.buf);
			seen_done(&s);
		}
	}
}

/* Cut at every length and with every byte changed, an archive is left out or read in part; nothing
   else. */
static void test_damage(void **state)
{
	static const char *const names[] = { "t.tar.gz", "t.tar.xz", "t.tar.zst", "t.tar.bz2", "t.zip",
					     "t.gz", "pax.tar" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO_BUF whole = BUF_INIT;
		size_t step;

		load(names[i], &whole);
		step = whole.len / 300 + 1;
		for (size_t n = 1; n < whole.len; n += step) {
			rewrite_damaged(span_sub(buf_span(&whole), 0, n));
			whole.p[n] ^= 0x55;
			rewrite_damaged(buf_span(&whole));
			whole.p[n] ^= 0x55;
		}
	}
}

static int failing_text(void *ctx, const char *path, struct span text, struct buf *ret, struct err *err)
{
	(void)ctx;
	(void)path;
	(void)text;
	(void)ret;
	return err_set(err, RC_LEAK, "as told");
}

static int failing_write(struct sink *sink, struct span bytes, struct err *err)
{
	(void)sink;
	(void)bytes;
	return err_set(err, RC_IO, "as told");
}

static void test_errors_go_up(void **state)
{
	struct seen s;
	struct archive_visitor v = visitor(&s);
	struct sink broken = { .write = failing_write };
	AUTO_BUF in = BUF_INIT;
	struct err err = ERR_INIT;
	struct sink_buf out;

	(void)state;
	load("t.tar.gz", &in);
	assert_int_equal(archive_rewrite(buf_span(&in), "x", &v, &broken, &err), RC_IO);
	assert_string_equal(err.msg, "as told");
	v.text = failing_text;
	sink_buf_init(&out);
	assert_int_equal(archive_rewrite(buf_span(&in), "x", &v, &out.sink, &err), RC_LEAK);
	assert_int_equal(archive_walk(buf_span(&in), "x", &v, &err), RC_LEAK);
	buf_done(&out.buf);
	seen_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe_text),
		cmocka_unit_test(test_probe_binary),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_names_links_and_metadata),
		cmocka_unit_test(test_header_comments),
		cmocka_unit_test(test_left_out_is_named),
		cmocka_unit_test(test_pass_binary),
		cmocka_unit_test(test_nest_is_cut),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_large_member),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_empty_ones),
		cmocka_unit_test(test_cut_streams),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_errors_go_up),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
