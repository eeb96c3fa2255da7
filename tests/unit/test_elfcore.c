/* SPDX-License-Identifier: Apache-2.0 */
#include "work_fixture.h"

#include <corescrub/elfcore.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

/* Cores crashed at test time, in a folder of their own: kernel's, gdb's (stripped program), a null
   pointer's. Run from the top of the tree. */

static char work[] = "/tmp/test_elfcore.XXXXXX";

static int setup(void **state)
{
	(void)state;
	return !mkdtemp(work) || run("tests/fixtures/crash.sh waits %s/k 20", work) ||
	       run("tests/fixtures/crash.sh --gdb --strip waits %s/g", work) ||
	       run("tests/fixtures/crash.sh nullptr %s/n", work) ||
	       run("tests/fixtures/crash.sh mutexes %s/m", work);
}

static int teardown(void **state)
{
	(void)state;
	return run("rm -rf %s", work);
}

static struct elfcore *core_open(const char *sub)
{
	return open_core_in(work, sub);
}

/* What the fixture printed for a role. */
static int role_lwp(const char *sub, const char *role)
{
	char path[128], line[256], name[32];
	int lwp, found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s.out", work, sub, *sub == 'm' ? "mutexes" : "waits");
	f = fopen(path, "r");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%31s %d", name, &lwp) == 2 && strcmp(name, role) == 0)
			found = lwp;
	fclose(f);
	assert_true(found > 0);
	return found;
}

static void expect_wait(struct elfcore *c, const char *sub, const char *role, const char *what,
			const char *owner)
{
	size_t n, n_threads;
	const struct elfcore_wait *w = elfcore_waits(c, &n);
	const struct elfcore_thread *t = elfcore_threads(c, &n_threads);
	int lwp = role_lwp(sub, role);

	for (size_t i = 0; i < n; i++) {
		if (t[w[i].thread].lwp != lwp)
			continue;
		assert_string_equal(w[i].what, what);
		assert_int_equal(w[i].owner_lwp, owner ? role_lwp(sub, owner) : 0);
		return;
	}
	fail_msg("no wait of %s", role);
}

static void expect_waits(const char *sub)
{
	char core[64];
	size_t n;

	snprintf(core, sizeof(core), "%s/core-waits", sub);
	AUTO(elfcore) c = core_open(core);

	expect_wait(c, sub, "ring0", "mutex", "ring1");
	expect_wait(c, sub, "ring1", "mutex", "ring2");
	expect_wait(c, sub, "ring2", "mutex", "ring0");
	expect_wait(c, sub, "reader", "rwlock", "keeper");
	expect_wait(c, sub, "cond", "condition variable", NULL);
	expect_wait(c, sub, "sem", "semaphore", NULL);
	expect_wait(c, sub, "stream", "stream lock", "keeper");
	expect_wait(c, sub, "joiner", "thread exit", "keeper");
	elfcore_waits(c, &n);
	assert_int_equal(n, 8);
}

static void test_waits_kernel(void **state)
{
	(void)state;
	expect_waits("k");
}

static void test_waits_gdb_stripped(void **state)
{
	(void)state;
	expect_waits("g");
}

static void test_waits_kinds(void **state)
{
	static const char *const mutexes[] = { "recursive", "errorcheck", "inherit",
					       "robust",    "shared",	  "timed" };
	AUTO(elfcore) c = core_open("m/core-mutexes");
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mutexes); i++)
		expect_wait(c, "m", mutexes[i], "mutex", "main");
	expect_wait(c, "m", "write-write", "rwlock", "main");
	expect_wait(c, "m", "write-read", "rwlock", "main");
	expect_wait(c, "m", "read-write", "rwlock", NULL);	/* readers are counted, not named */
	elfcore_waits(c, &n);
	assert_int_equal(n, 9);
}

static void expect_facts(const char *core, const char *program, size_t n_threads)
{
	AUTO(elfcore) c = core_open(core);
	const struct elfcore_info *info = elfcore_info(c);
	size_t n;
	char path[128];
	const struct elfcore_file *f = elfcore_files(c, &n);
	bool libc = false, prog = false;

	snprintf(path, sizeof(path), "%s/%s", work, program);
	assert_string_equal(info->program, path);
	assert_string_equal(info->comm, "waits");
	assert_int_equal(info->signal, SIGABRT);
	assert_false(info->has_fault_addr);
	assert_false(info->truncated);
	assert_int_equal(info->uid, getuid());
	assert_int_equal(info->gid, getgid());
	for (size_t i = 0; i < n; i++) {
		libc |= strstr(f[i].path, "/libc.so.6") && f[i].elf && f[i].build_id_len == 20;
		prog |= strcmp(f[i].path, path) == 0 && f[i].elf && f[i].build_id_len == 20;
		assert_true(i == 0 || f[i - 1].start < f[i].start);
	}
	assert_true(libc && prog);
	elfcore_threads(c, &n);
	assert_int_equal(n, n_threads);
	elfcore_segments(c, &n);
	assert_true(n > 4);
}

static void test_facts(void **state)
{
	(void)state;
	expect_facts("k/core-waits", "k/waits", 30);
	expect_facts("g/core-waits", "g/waits", 10);
}

static void test_fault_address(void **state)
{
	AUTO(elfcore) c = core_open("n/core-nullptr");
	const struct elfcore_info *info = elfcore_info(c);
	const struct elfcore_thread *t;
	size_t n;
	char word[8];

	(void)state;
	assert_int_equal(info->signal, SIGSEGV);
	assert_int_equal(info->si_code, SEGV_MAPERR);
	assert_true(info->has_fault_addr);
	assert_int_equal(info->fault_addr, 0x20);
	t = elfcore_threads(c, &n);
	assert_int_equal(n, 1);
	assert_int_equal(t[0].lwp, info->pid);
	assert_int_equal(elfcore_read(c, t[0].sp, word, sizeof(word)), sizeof(word));
	assert_int_equal(elfcore_read(c, 0x20, word, sizeof(word)), 0);
	assert_int_equal(elfcore_read(c, UINT64_MAX - 3, word, sizeof(word)), 0);
}

static struct elfcore_file row_of(const struct elfcore *c, const char *tail)
{
	size_t n;
	const struct elfcore_file *f = elfcore_files(c, &n);

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(f[i].path);

		if (len >= strlen(tail) && strcmp(f[i].path + len - strlen(tail), tail) == 0)
			return f[i];
	}
	fail_msg("no row");
	return f[0];
}

static int vouch(const struct elfcore *c, struct elfcore_file f, const char *path,
		 const char *sysroot, uid_t uid)
{
	struct err err = ERR_INIT;
	int fd = -1, rc;

	if (path)
		f.path = path;
	rc = elfcore_vouch(c, &f, sysroot, uid, (gid_t)uid, &fd, &err);
	assert_true((rc == RC_OK) == (fd >= 0));
	assert_int_equal(rc, err.code);
	assert_null(strstr(err.msg, f.path));
	if (fd >= 0)
		close(fd);
	if (getuid() == 0)
		assert_int_equal(setfsuid((uid_t)-1), 0);
	return rc;
}

static void test_vouch(void **state)
{
	AUTO(elfcore) c = core_open("g/core-waits");
	struct elfcore_file f = row_of(c, "/g/waits"), no_id = f;
	char link[64], fifo[64], other[64], root[64];

	(void)state;
	snprintf(link, sizeof(link), "%s/link", work);
	snprintf(fifo, sizeof(fifo), "%s/fifo", work);
	snprintf(other, sizeof(other), "%s/k/waits", work);
	snprintf(root, sizeof(root), "%s/g", work);
	assert_int_equal(symlink(f.path, link), 0);
	assert_int_equal(mkfifo(fifo, 0666), 0);
	no_id.build_id_len = 0;
	assert_int_equal(vouch(c, f, NULL, NULL, getuid()), RC_OK);
	assert_int_equal(vouch(c, f, "/waits", root, getuid()), RC_OK);
	assert_int_equal(vouch(c, f, "/../../g/waits", work, getuid()), RC_OK);
	assert_int_equal(vouch(c, f, "/nowhere", root, getuid()), RC_NOTFOUND);
	assert_int_equal(vouch(c, f, "g/waits", NULL, getuid()), RC_REFUSED);
	assert_int_equal(vouch(c, no_id, NULL, NULL, getuid()), RC_REFUSED);
	assert_int_equal(vouch(c, f, other, NULL, getuid()), RC_REFUSED);
	assert_int_equal(vouch(c, f, link, NULL, getuid()), RC_REFUSED);
	assert_int_equal(vouch(c, f, fifo, NULL, getuid()), RC_REFUSED);
	assert_int_equal(vouch(c, f, "/etc/passwd", NULL, getuid()), RC_REFUSED);
	assert_int_equal(vouch(c, f, "/dev/null", NULL, getuid()), RC_REFUSED);
	assert_int_equal(vouch(c, f, "/proc/self/exe", NULL, getuid()), RC_REFUSED);
	assert_int_equal(vouch(c, f, "/usr/lib", NULL, getuid()), RC_REFUSED);
}

/* As root: a file that the core's owner can't read is not opened for him. */
static void test_vouch_owner(void **state)
{
	AUTO(elfcore) c = core_open("g/core-waits");
	struct elfcore_file f = row_of(c, "/g/waits");
	const uid_t nobody = 65534;

	(void)state;
	if (getuid() != 0)
		return;		/* there is nobody to become */
	assert_int_equal(chmod(work, 0711), 0);
	assert_int_equal(vouch(c, f, NULL, NULL, nobody), RC_OK);
	assert_int_equal(chmod(f.path, 0700), 0);
	assert_int_equal(vouch(c, f, NULL, NULL, nobody), RC_REFUSED);
	assert_int_equal(vouch(c, f, NULL, NULL, 0), RC_OK);
	assert_int_equal(chmod(f.path, 0755), 0);
}

static void test_disk(void **state)
{
	AUTO(elfcore) c = core_open("k/core-waits");
	struct elfcore_file f = row_of(c, "/k/waits");
	struct err err = ERR_INIT;
	uint8_t id[64];
	size_t len = 0;
	bool debug = false;
	AUTO_FREE char *name = elfcore_debug_name(f.build_id, f.build_id_len);
	char stripped[64];
	int fd = open(f.path, O_RDONLY);

	(void)state;
	assert_int_equal(elfcore_file_build_id(fd, id, &len, &debug, &err), RC_OK);
	close(fd);
	assert_int_equal(len, f.build_id_len);
	assert_memory_equal(id, f.build_id, len);
	assert_true(debug);
	snprintf(stripped, sizeof(stripped), "%s/g/waits", work);
	fd = open(stripped, O_RDONLY);
	assert_int_equal(elfcore_file_build_id(fd, id, &len, &debug, &err), RC_OK);
	close(fd);
	assert_false(debug);
	fd = open("/etc/passwd", O_RDONLY);
	assert_int_equal(elfcore_file_build_id(fd, id, &len, &debug, &err), RC_FORMAT);
	assert_false(elfcore_probe(fd));
	close(fd);
	assert_int_equal(strlen(name), strlen("/usr/lib/debug/.build-id/xx/.debug") + 2 * 20 - 2);
	assert_null(elfcore_debug_path(f.build_id, f.build_id_len));
	assert_null(elfcore_debug_name(id, 0));
}

/* Every question there is, so that a damaged core gets the chance to do harm. */
static void ask_all(int fd)
{
	struct err err = ERR_INIT;
	struct elfcore *c = NULL;
	size_t n;
	char mem[512];

	elfcore_probe(fd);
	if (elfcore_open(fd, "a core", &c, &err) != RC_OK) {
		assert_null(c);
		assert_true(err.code < 0 && err.msg[0]);
		return;
	}
	elfcore_files(c, &n);
	for (size_t i = 0; i < n; i++)
		assert_true(elfcore_files(c, &n)[i].build_id_len <= 64);
	elfcore_waits(c, &n);
	for (size_t i = 0; i < n; i++) {
		size_t n_threads;

		elfcore_threads(c, &n_threads);
		assert_true(elfcore_waits(c, &n)[i].thread < n_threads);
	}
	elfcore_segments(c, &n);
	for (size_t i = 0; i < n && i < 8; i++)
		elfcore_read(c, elfcore_segments(c, &n)[i].addr, mem, sizeof(mem));
	elfcore_free(c);
}

static int scratch_copy(const char *sub)
{
	char path[128];
	int fd;

	assert_int_equal(run("cp --sparse=always %s/%s %s/scratch", work, sub, work), 0);
	snprintf(path, sizeof(path), "%s/scratch", work);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	return fd;
}

static void test_truncated(void **state)
{
	int fd = scratch_copy("k/core-waits");
	struct elfcore *c = NULL;
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(ftruncate(fd, st.st_size / 2), 0);
	assert_int_equal(elfcore_open(fd, "a core", &c, &err), RC_OK);
	assert_true(elfcore_info(c)->truncated);
	assert_int_equal(elfcore_info(c)->signal, SIGABRT);
	elfcore_free(c);
	for (off_t len = 32768; len >= 0; len -= len > 4096 ? 997 : 61) {
		assert_int_equal(ftruncate(fd, len), 0);
		ask_all(fd);
	}
	close(fd);
}

static uint64_t rnd(void)
{
	static uint64_t x = UINT64_C(0x9e3779b97f4a7c15);

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

/* Values where arithmetic breaks. */
static uint64_t odd_value(void)
{
	static const uint64_t v[] = { 0,
				      1,
				      4,
				      0x7fffffff,
				      0xffffffff,
				      INT64_MAX,
				      UINT64_MAX,
				      UINT64_MAX - 7,
				      UINT64_C(1) << 63,
				      UINT64_C(1) << 32,
				      0xffff };

	return rnd() % 3 ? v[rnd() % ARRAY_SIZE(v)] : rnd();
}

/* Damage of a few places among the first `range` bytes at `from`; undone afterwards. */
static void mutate_and_ask(int fd, off_t from, size_t range)
{
	uint64_t was[6], now;
	off_t at[6];
	size_t n = 1 + rnd() % 6, i;

	for (i = 0; i < n; i++) {
		at[i] = from + (off_t)(rnd() % range);
		assert_int_equal(pread(fd, &was[i], 8, at[i]), 8);
		now = odd_value();
		assert_true(pwrite(fd, &now, 1u << rnd() % 4, at[i]) > 0);
	}
	ask_all(fd);
	while (i-- > 0)
		assert_int_equal(pwrite(fd, &was[i], 8, at[i]), 8);
}

/* The headers, the notes and the first pages of mapped files. */
static void mutate_core(const char *sub, int rounds)
{
	int fd = scratch_copy(sub);
	struct elfcore *c = NULL;
	struct err err = ERR_INIT;
	size_t n, n_segs;
	off_t pages[64];

	assert_int_equal(elfcore_open(fd, "a core", &c, &err), RC_OK);
	elfcore_segments(c, &n_segs);
	n = n_segs < ARRAY_SIZE(pages) ? n_segs : ARRAY_SIZE(pages);
	for (size_t i = 0; i < n; i++)
		pages[i] = (off_t)elfcore_segments(c, &n_segs)[i].file_off;
	elfcore_free(c);
	for (int i = 0; i < rounds; i++) {
		switch (rnd() % 4) {
		case 0:
			mutate_and_ask(fd, 0, 64);
			break;
		case 1:
			mutate_and_ask(fd, 64, 56 * (n_segs + 1));
			break;
		case 2:
			mutate_and_ask(fd, 64 + 56 * (off_t)(n_segs + 1), 8192);
			break;
		default:
			mutate_and_ask(fd, pages[rnd() % n], 1024);
		}
	}
	close(fd);
}

static void test_mutated(void **state)
{
	(void)state;
	mutate_core("k/core-waits", 1000);
	mutate_core("g/core-waits", 600);
	mutate_core("n/core-nullptr", 400);
}

/* An aarch64 core made by hand: two threads, the second waits for a mutex that the first holds. */
struct arm_prstatus {
	uint8_t head[32];		/* u16 at 12: signal */
	uint32_t pid;
	uint8_t rest[76];
	uint64_t regs[34];
	uint64_t fpvalid;
} __attribute__((packed));
struct arm_note {
	Elf64_Nhdr nh;
	char name[8];
	struct arm_prstatus st;
} __attribute__((packed));	/* the content follows the name at once */
struct arm_core {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	struct arm_note note[2];
	uint32_t mutex[12];
};

static void arm_note_fill(struct arm_note *n, uint32_t pid)
{
	n->nh = (Elf64_Nhdr){ 5, sizeof(n->st), NT_PRSTATUS };
	memcpy(n->name, "CORE", 5);
	n->st.head[12] = SIGABRT;
	n->st.pid = pid;
	n->st.regs[31] = 0x5000;
	n->st.regs[32] = 0x4000;
}

static void arm_core_fill(struct arm_core *a)
{
	static const unsigned char ident[EI_NIDENT] = { 0x7f,	    'E',	 'L',	    'F',
							ELFCLASS64, ELFDATA2LSB, EV_CURRENT };

	memset(a, 0, sizeof(*a));
	memcpy(a->eh.e_ident, ident, sizeof(ident));
	a->eh.e_type = ET_CORE;
	a->eh.e_machine = EM_AARCH64;
	a->eh.e_version = EV_CURRENT;
	a->eh.e_phoff = offsetof(struct arm_core, ph);
	a->eh.e_ehsize = sizeof(a->eh);
	a->eh.e_phentsize = sizeof(a->ph[0]);
	a->eh.e_phnum = 2;
	a->ph[0] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = offsetof(struct arm_core, note),
				 .p_filesz = sizeof(a->note) };
	a->ph[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = 0x10000,
				 .p_offset = offsetof(struct arm_core, mutex),
				 .p_filesz = sizeof(a->mutex), .p_memsz = 4096 };
	arm_note_fill(&a->note[0], 701);
	arm_note_fill(&a->note[1], 702);
	a->note[0].st.regs[8] = UINT64_MAX;
	a->note[1].st.regs[8] = 98;		/* futex */
	a->note[1].st.regs[0] = 0x10000;
	a->note[1].st.regs[1] = 128;		/* FUTEX_WAIT, private */
	a->note[1].st.regs[2] = 2;
	a->mutex[0] = 2;
	a->mutex[2] = 701;
	a->mutex[3] = 1;
}

static void test_aarch64(void **state)
{
	struct arm_core a;
	struct elfcore *c = NULL;
	struct err err = ERR_INIT;
	const struct elfcore_thread *t;
	const struct elfcore_wait *w;
	char path[64], mem[64];
	size_t n;
	int fd;

	(void)state;
	arm_core_fill(&a);
	snprintf(path, sizeof(path), "%s/arm", work);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, &a, sizeof(a)), sizeof(a));
	assert_int_equal(elfcore_open(fd, "a core", &c, &err), RC_OK);
	t = elfcore_threads(c, &n);
	assert_int_equal(n, 2);
	assert_string_equal(elfcore_info(c)->machine, "aarch64");
	assert_int_equal(elfcore_info(c)->signal, SIGABRT);
	assert_null(elfcore_info(c)->program);
	assert_int_equal(t[1].lwp, 702);
	assert_int_equal(t[1].pc, 0x4000);
	assert_int_equal(t[1].sp, 0x5000);
	assert_int_equal(t[0].syscall, -1);
	assert_int_equal(elfcore_read(c, 0x10000, mem, sizeof(mem)), sizeof(a.mutex));
	w = elfcore_waits(c, &n);
	assert_int_equal(n, 1);
	assert_string_equal(w[0].what, "mutex");
	assert_int_equal(w[0].owner_lwp, 701);
	elfcore_free(c);
	for (int i = 0; i < 500; i++)
		mutate_and_ask(fd, 0, sizeof(a) - 8);
	close(fd);
}

static void test_refused(void **state)
{
	struct arm_core a;
	struct elfcore *c = NULL;
	struct err err = ERR_INIT;
	char path[64];
	int fd, fds[2];

	(void)state;
	snprintf(path, sizeof(path), "%s/refused", work);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(elfcore_open(fd, "empty", &c, &err), RC_FORMAT);
	arm_core_fill(&a);
	a.eh.e_machine = EM_RISCV;
	assert_int_equal(pwrite(fd, &a, sizeof(a), 0), sizeof(a));
	assert_int_equal(elfcore_open(fd, "riscv", &c, &err), RC_UNSUPPORTED);
	arm_core_fill(&a);
	a.eh.e_type = ET_DYN;
	assert_int_equal(pwrite(fd, &a, sizeof(a), 0), sizeof(a));
	assert_int_equal(elfcore_open(fd, "a library", &c, &err), RC_FORMAT);
	assert_false(elfcore_probe(fd));
	arm_core_fill(&a);
	a.ph[0].p_type = PT_NULL;
	assert_int_equal(pwrite(fd, &a, sizeof(a), 0), sizeof(a));
	assert_int_equal(elfcore_open(fd, "no notes", &c, &err), RC_FORMAT);
	close(fd);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(elfcore_open(fds[0], "a pipe", &c, &err), RC_FORMAT);
	assert_false(elfcore_probe(fds[0]));
	assert_null(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_fault_address),
		cmocka_unit_test(test_waits_kernel),
		cmocka_unit_test(test_waits_gdb_stripped),
		cmocka_unit_test(test_waits_kinds),
		cmocka_unit_test(test_vouch),
		cmocka_unit_test(test_vouch_owner),
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_aarch64),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
