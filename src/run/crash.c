/* SPDX-License-Identifier: Apache-2.0 */
#include "report_internal.h"
#include "run_texts.h"

#include <corescrub/archive.h>
#include <corescrub/bt.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

const char *const crash_text_names[TEXT_COUNT] = { "thread1", "brief", "full", "locks", "info" };

/* SOURCE_DATE_EPOCH, else the core's own time. */
static int64_t created_time(const struct stat *st)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	char *end = NULL;
	long long t = epoch && *epoch ? strtoll(epoch, &end, 10) : 0;

	return end && !*end && t >= 0 ? t : st->st_mtime;
}

/* Where it is compressed, c->fd becomes the unpacked core. */
static int unpack_core(struct crash *c, struct err *err)
{
	int unpacked, rc = archive_unpack_sparse(c->fd, c->path, &unpacked, err);

	if (rc == RC_OK && unpacked >= 0) {
		close(c->fd);
		c->fd = unpacked;
	}
	return rc;
}

static int open_core_file(struct crash *c, struct err *err)
{
	struct stat st;
	int rc;

	/* O_NONBLOCK: a fifo must not hold us up */
	if (c->fd < 0)
		c->fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (c->fd < 0)
		return err_errno(err, errno == ENOENT ? RC_NOTFOUND : RC_IO, "can't open %s", c->path);
	if (fstat(c->fd, &st) < 0)
		return err_errno(err, RC_IO, "%s", c->path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, RC_FORMAT, "%s is no regular file", c->path);
	if (st.st_size == 0)
		return err_set(err, RC_FORMAT, "%s is empty", c->path);
	c->uid = st.st_uid;
	c->gid = st.st_gid;
	c->created = created_time(&st);
	rc = unpack_core(c, err);
	if (rc < 0)
		return rc;
	return elfcore_open(c->fd, c->path, &c->core, err);
}

static void warn(const struct crash *c, const char *text)
{
	if (c->job->listener.warn)
		c->job->listener.warn(c->job->listener.ctx, text);
}

/* Every file that the core names is a claim; gdb sees those whose build id is the mapped one. */
static int vouch_files(struct crash *c)
{
	const struct elfcore_info *info = elfcore_info(c->core);
	const struct elfcore_file *files;
	size_t n;

	files = elfcore_files(c->core, &n);
	c->modules = xcalloc(n + 1, sizeof(*c->modules));
	for (size_t i = 0; i < n; i++) {
		uint8_t id[64];
		size_t id_len;
		AUTO_CLOSE int fd = -1;
		struct err ignored = ERR_INIT;
		int rc;

		if (!files[i].elf)
			continue;
		rc = elfcore_vouch(c->core, &files[i], c->job->sysroot, c->uid, c->gid, &fd, &ignored);
		if (rc < 0) {
			c->refused++;
			continue;
		}
		c->modules[i].vouched = true;
		elfcore_file_build_id(fd, id, &id_len, &c->modules[i].has_debug, NULL);
		strings_add(&c->readable, c->job->sysroot ? xasprintf("%s%s", c->job->sysroot, files[i].path) :
						  xstrdup(files[i].path));
		if (!c->exe && info->program && strcmp(info->program, files[i].path) == 0)
			c->exe = xstrdup(c->readable.v[c->readable.n - 1]);
	}
	if (c->refused && c->job->listener.note) {
		AUTO_FREE char *text = xasprintf("%zu files that the core names were not opened: not "
						 "there, or another build",
						 c->refused);
		c->job->listener.note(c->job->listener.ctx, text);
	}
	return RC_OK;
}

/* Is a file of this build id mapped? Taken to be so where the core can't tell its program's. */
static bool is_mapped_build(const struct crash *c, const uint8_t *id, size_t len)
{
	const char *program = elfcore_info(c->core)->program;
	const struct elfcore_file *f;
	size_t n;

	f = elfcore_files(c->core, &n);
	for (size_t i = 0; i < n; i++) {
		if (len && f[i].build_id_len == len && memcmp(f[i].build_id, id, len) == 0)
			return true;
		if (program && strcmp(program, f[i].path) == 0 && f[i].build_id_len == 0)
			return true;
	}
	return false;
}

/* --exe: the user vouches for it, if it can be a program at all. */
static int take_exe(struct crash *c, struct err *err)
{
	AUTO_CLOSE int fd = open(c->job->exe, O_RDONLY | O_CLOEXEC);
	uint8_t id[64];
	bool debug;
	size_t len;
	int rc;

	if (fd < 0)
		return err_errno(err, RC_NOTFOUND, "can't open the program %s", c->job->exe);
	rc = elfcore_file_build_id(fd, id, &len, &debug, NULL);
	if (rc < 0)
		return err_set(err, rc, "%s: not a 64-bit ELF file", c->job->exe);
	if (!is_mapped_build(c, id, len))
		warn(c, "--exe names another build than the one that crashed: frames can have no names, or "
			"wrong ones");
	free(c->exe);
	c->exe = xstrdup(c->job->exe);
	strings_add(&c->readable, xstrdup(c->job->exe));
	return RC_OK;
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Does this machine's name stand at p? A short one only as a word of its own. */
static bool is_host_at(const char *start, const char *p, const char *host, size_t n)
{
	if (n == 0 || strncmp(p, host, n) != 0)
		return false;
	return n >= 6 || ((p == start || !is_word(p[-1])) && !is_word(p[n]));
}

/* A name's length without what its compression put behind it. */
static size_t packed_name_length(const char *name)
{
	static const char *const ends[] = { ".zst", ".xz", ".lz4", ".gz", ".bz2" };
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (n > strlen(ends[i]) && strcmp(name + n - strlen(ends[i]), ends[i]) == 0)
			return n - strlen(ends[i]);
	return n;
}

/* The first part of the files' names: the core's, without ':' and this machine's name. */
static char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *start = slash ? slash + 1 : path;
	AUTO_BUF out = BUF_INIT;
	const char *end = start + packed_name_length(start);
	char host[256] = "";
	size_t n;

	gethostname(host, sizeof(host) - 1);
	n = strlen(host);
	for (const char *p = start; p < end;) {
		if (is_host_at(start, p, host, n)) {
			buf_add_str(&out, "host");
			p += n;
			continue;
		}
		buf_add_char(&out, *p == ':' || (unsigned char)*p < 0x21 ? '-' : *p);
		p++;
	}
	return buf_steal(&out);
}

/* By the name that the program was found under, else by what the core claims: a name alone. */
static int find_profile(struct crash *c, struct err *err)
{
	const struct elfcore_info *info = elfcore_info(c->core);
	const char *name = c->exe ? c->exe : info->program ? info->program : info->comm;
	int rc = name ? run_profile(c->job->profiles, name, &c->profile, err) : RC_OK;

	if (rc == RC_OK && !c->profile && info->program && name != info->program)
		rc = run_profile(c->job->profiles, info->program, &c->profile, err);
	return rc;
}

int crash_open(struct crash *c, const struct run_report_job *job, size_t i, struct err *err)
{
	int rc;

	*c = (struct crash){ .job = job, .path = job->cores[i], .fd = -1 };
	c->base = base_name(job->core_names ? job->core_names[i] : c->path);
	if (job->core_fds && job->core_fds[i] >= 0)
		c->fd = fcntl(job->core_fds[i], F_DUPFD_CLOEXEC, 0);
	rc = open_core_file(c, err);
	if (rc < 0)
		return rc;
	rc = vouch_files(c);
	if (rc == RC_OK && job->exe)
		rc = take_exe(c, err);
	if (rc < 0)
		return rc;
	rc = find_profile(c, err);
	if (rc < 0)
		return rc;
	if (elfcore_info(c->core)->truncated)
		warn(c, "the core is truncated: threads or variables may be missing");
	if (!c->exe)
		warn(c, "the program is not there or another build: frames will have no names "
			"(see --exe)");
	return RC_OK;
}

int crash_gdb(struct crash *c, unsigned shares, const struct strings *libraries,
	      const atomic_bool *stop, struct err *err)
{
	struct gdb_job job = {
		.core_fd = c->fd,
		.core_name = c->path,
		.exe = c->exe,
		.sysroot = c->job->sysroot,
		.gdb = c->job->gdb,
		.libraries = libraries,
		.readable = strings_list(&c->readable),
		.timeout_s = c->job->timeout_s,
		.jobs = shares,
		.sandbox = !c->job->no_sandbox,
		.profile = c->profile,
		.stop = stop,
		.core_time = c->created,
		.signal = elfcore_info(c->core)->signal,
		.strict = geteuid() == 0 && !c->job->no_sandbox,
		.uid = c->uid,
		.gid = c->gid,
	};

	elfcore_threads(c->core, &job.n_threads);
	return gdb_run(&job, &c->gdb, err);
}

static struct artifact *make_text(struct crash *c, enum crash_text which,
				  const struct artifact *head, struct span body)
{
	AUTO_BUF text = BUF_INIT;

	/* the first line that the usual tool writes, so that readers of its files know these */
	buf_addf(&text, "!@!@!@! %s.txt !@!@!@!\n\n", crash_text_names[which]);
	if (head)
		buf_add_span(&text, head->text);
	buf_add_span(&text, body);
	if (text.len && text.p[text.len - 1] != '\n')
		buf_add_char(&text, '\n');
	return artifact_from_buf(c->names[which], ARTIFACT_GDB, &text);
}

/* Finds duplicates of a crash: the digest of the crashing thread's function names. */
static int take_fingerprint(struct crash *c, struct err *err)
{
	AUTO(bt) b = NULL;
	AUTO(bt_cursor) cursor = NULL;
	AUTO_BUF names = BUF_INIT;
	const struct bt_value *v;
	int rc = bt_parse(c->gdb->thread1->text, &b, err);

	if (rc < 0)
		return rc;
	cursor = bt_cursor_new(b);
	while ((v = bt_next(cursor))) {
		if (v->type != BT_FRAME)
			continue;
		buf_add_span(&names, v->frame->function);
		buf_add_char(&names, '\n');
	}
	digest_sha256(buf_span(&names), c->fingerprint);
	return RC_OK;
}

/* What the program's profile knows, behind what is known of any program. */
static void add_tables(const struct crash *c, const struct buf *script,
		       const struct artifact *tables, struct buf *to)
{
	if (!script->len)
		return;
	buf_addf(to, "\nProfile %s:\n", c->profile->name);
	if (tables && span_trim(tables->text).len)
		buf_add_span(to, tables->text);
	else
		buf_add_str(to, "\n(nothing: gdb has no Python, or the profile's script failed)\n");
}

int crash_texts(struct crash *c, struct err *err)
{
	const struct gdb_result *g = c->gdb;
	AUTO_BUF info = BUF_INIT, locks = BUF_INIT;

	for (size_t i = 0; i < TEXT_COUNT; i++)
		c->names[i] = xasprintf("%s-%s.txt", c->base, crash_text_names[i]);
	run_info_text(c->core, c->modules, g->sharedlibs->text, g->version, &info);
	run_locks_text(c->core, g->brief->text, &locks);
	if (c->profile) {
		add_tables(c, &c->profile->info, g->info, &info);
		add_tables(c, &c->profile->locks, g->locks, &locks);
	}
	c->texts[TEXT_THREAD1] = make_text(c, TEXT_THREAD1, g->head, g->thread1->text);
	c->texts[TEXT_BRIEF] = make_text(c, TEXT_BRIEF, g->head, g->brief->text);
	c->texts[TEXT_FULL] = make_text(c, TEXT_FULL, g->head, g->full->text);
	c->texts[TEXT_LOCKS] = make_text(c, TEXT_LOCKS, NULL, buf_span(&locks));
	c->texts[TEXT_INFO] = make_text(c, TEXT_INFO, NULL, buf_span(&info));
	return take_fingerprint(c, err);
}

void crash_done(struct crash *c)
{
	handoff_core_free(c->scrub);
	elfcore_free(c->core);
	gdb_result_free(c->gdb);
	gdb_profile_free(c->profile);
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		artifact_free(c->texts[i]);
		scrubbed_free(c->clean[i]);
		free(c->names[i]);
	}
	strings_done(&c->readable);
	strings_done(&c->written);
	free(c->modules);
	free(c->exe);
	free(c->base);
	tally_done(&c->tally);
	auto_close_p(&c->fd);
}
