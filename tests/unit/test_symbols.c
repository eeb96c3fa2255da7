/* SPDX-License-Identifier: Apache-2.0 */
#include "work_fixture.h"

#include <corescrub/base/process.h>
#include <corescrub/elfcore_symbols.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Variables of programs that are crashed here: tests/fixtures/typed.c and its library, on this
   machine and on aarch64 under qemu. Run from the top of the tree; MUTATIONS says how many damaged
   programs are read (20). */

static char work[] = "/tmp/test_symbols.XXXXXX";

static int crash(const char *folder, const char *flags)
{
	return run("mkdir -p %s/%s && ${CC:-cc} -g -O1 %s -shared -fPIC -Wl,--build-id "
		   "-o %s/%s/libtyped.so tests/fixtures/typed_lib.c",
		   work, folder, flags, work, folder) ||
	       run("FLAGS=\"%s -L. -ltyped -Wl,-rpath,\\$ORIGIN\" tests/fixtures/crash.sh typed %s/%s",
		   flags, work, folder);
}

/* Thousands of variables of types that are no memory of their own: each a pointer to another
   function. */
static int crash_many(void)
{
	char flags[64];

	snprintf(flags, sizeof(flags), "-include %s/many.h", work);
	return run("i=0; while [ $((i += 1)) -le 5000 ]; do "
		   "echo \"struct s$i; void (*function_$i)(struct s$i *);\"; done >%s/many.h", work) ||
	       crash("many", flags);
}

/* qemu's own core (core-qemu) and that of the kernel's form (core-typed). */
static int crash_aarch64(void)
{
	if (run("command -v aarch64-linux-gnu-gcc qemu-aarch64-static >/dev/null") != 0) {
		fprintf(stderr, "no aarch64-linux-gnu-gcc or qemu-aarch64-static: make deps\n");
		return -1;
	}
	return run("tests/fixtures/crash_aarch64.sh %s/arm", work);
}

static int setup(void **state)
{
	(void)state;
	return !mkdtemp(work) || crash("o1", "") || crash("o0", "-O0") || crash("plain", "-g0") ||
	       crash_aarch64() || crash_many() || run("tests/fixtures/crash.sh typed_cpp %s/cpp", work);
}

static int teardown(void **state)
{
	(void)state;
	return run("rm -rf %s", work);
}

struct got {
	char *function, *path, *file, *library;
	uint64_t size, pointer;
	enum elfcore_shape shape;
	size_t thread;
	char *bytes;
};
struct list {
	struct elfcore *c;
	struct got *v;
	size_t n, cap;
	size_t n_skipped;
	const char *why;		/* the last one's */
	size_t stop_at;			/* found() fails there; 0: never */
	bool (*odd)(const struct elfcore_variable *v);	/* called in the child, by wanted() */
};

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static int take(void *ctx, const struct elfcore_variable *v, struct err *err)
{
	struct list *l = ctx;
	struct got g = { copy(v->function), copy(v->path), copy(v->file), copy(v->library), v->size,
			 v->pointer, v->shape, v->thread, xcalloc(1, v->size + 1) };

	assert_int_equal(elfcore_read(l->c, v->addr, g.bytes, v->size), v->size);
	GROW(l->v, l->n, l->cap);
	l->v[l->n++] = g;
	return l->stop_at && l->n >= l->stop_at ? err_set(err, RC_LIMIT, "enough") : RC_OK;
}

static void skipped(void *ctx, const char *library, const char *why)
{
	struct list *l = ctx;

	l->n_skipped += library != NULL;
	l->why = why;
}

static bool name_matters(void *ctx, struct span name)
{
	static const char *const words[] = { "password", "secret", "realm", "pin", "tail", "key",
					     "number", "local_token", "lib_local", "progname" };

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (memmem(name.p, name.len, words[i], strlen(words[i])))
			return true;
	return false;
}

static bool ask_odd(void *ctx, const struct elfcore_variable *v)
{
	struct list *l = ctx;

	return l->odd(v);
}

static void core_open_name(struct list *l, const char *folder, const char *name)
{
	struct err err = ERR_INIT;
	char path[128];
	int fd;

	*l = (struct list){ 0 };
	snprintf(path, sizeof(path), "%s/%s/%s", work, folder, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(elfcore_open(fd, "a core", &l->c, &err), RC_OK);
	close(fd);
}

static void core_open(struct list *l, const char *folder)
{
	core_open_name(l, folder, "core-typed");
}

static struct elfcore_wish wish_for(struct list *l)
{
	return (struct elfcore_wish){ .name = name_matters, .wanted = l->odd ? ask_odd : NULL,
				      .addresses = true, .found = take, .skipped = skipped, .ctx = l,
				      .uid = getuid(), .gid = getgid() };
}

static void list_done(struct list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].function);
		free(l->v[i].path);
		free(l->v[i].file);
		free(l->v[i].library);
		free(l->v[i].bytes);
	}
	free(l->v);
	elfcore_free(l->c);
}

static struct elfcore_symbols_result look(struct list *l)
{
	struct elfcore_wish w = wish_for(l);
	struct elfcore_symbols_result r;
	struct err err = ERR_INIT;

	assert_int_equal(elfcore_variables(l->c, &w, &r, &err), RC_OK);
	assert_int_equal(r.n_found, l->n);
	assert_int_equal(r.n_skipped, l->n_skipped);
	return r;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static const struct got *find(const struct list *l, const char *function, const char *path,
			      size_t nth)
{
	for (size_t i = 0; i < l->n; i++)
		if (same(l->v[i].function, function) && same(l->v[i].path, path) && nth-- == 0)
			return &l->v[i];
	return NULL;
}

struct expected {
	const char *function, *path;
	enum elfcore_shape shape;
	uint64_t size;		/* 0: the text's length */
	const char *text;
};

static void expect(const struct list *l, const struct expected *e)
{
	const struct got *g = find(l, e->function, e->path, 0);

	if (!g)
		fail_msg("%s was not found", e->path);
	if (g->shape != e->shape || g->size != (e->size ? e->size : strlen(e->text)) ||
	    memcmp(g->bytes, e->text, strlen(e->text)) != 0)
		fail_msg("%s: shape %d, size %lu", e->path, (int)g->shape, (unsigned long)g->size);
	assert_true(e->function == NULL || g->file);
}

/* What any build of the program shows. */
static void expect_globals(const struct list *l)
{
	static const struct expected rows[] = {
		{ NULL, "global_password", ELFCORE_CHARS, 32, "global-array-01" },
		{ NULL, "global_secret", ELFCORE_STRING, 0, "global-pointer-12" },
		{ NULL, "accounts[0].password", ELFCORE_CHARS, 32, "array-first-02" },
		{ NULL, "accounts[1].password", ELFCORE_CHARS, 32, "array-second-03" },
		{ NULL, "accounts[1].nested.pin", ELFCORE_CHARS, 8, "2222" },
		{ NULL, "accounts[2].realm.ptr", ELFCORE_COUNTED, 0, "array-realm-19" },
		{ NULL, "global_box.account.password", ELFCORE_CHARS, 32, "heap-password-13" },
		{ NULL, "global_box.account.secret", ELFCORE_STRING, 0, "heap-secret-14" },
		{ NULL, "global_box.account.nested.pin", ELFCORE_CHARS, 8, "9876" },
		{ NULL, "global_box.account.realm.ptr", ELFCORE_COUNTED, 0, "realm-counted-04" },
		{ NULL, "global_box.account.tail", ELFCORE_CHARS, 0, "tail-text-05" },
		{ NULL, "loop_account.password", ELFCORE_CHARS, 32, "loop-password-17" },
		{ NULL, "global_peer", ELFCORE_SOCKADDR, 16, "\2" },
		{ NULL, "global_in6", ELFCORE_IN6_ADDR, 16, " \001\r\270" },
		{ NULL, "key_words", ELFCORE_BYTES, 16, "\4\3\2\1" },
		{ NULL, "global_number", ELFCORE_INTEGER, 4, "\222\020" },
		{ NULL, "lib_password", ELFCORE_CHARS, 24, "lib-static-4411" },
		{ "outer", "static_password", ELFCORE_CHARS, 24, "function-static-07" },
		{ "outer", "local_account.password", ELFCORE_CHARS, 32, "local-struct-08" },
		{ "outer", "argument_secret", ELFCORE_STRING, 0, "argument-21" },
		{ "die_here", "inner_password", ELFCORE_CHARS, 24, "inner-local-06" },
		{ "lib_call", "lib_local", ELFCORE_CHARS, 32, "lib-local-tok9" },
		{ "wait_for_ever", "waiting_password", ELFCORE_CHARS, 24, "other-thread-10" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect(l, &rows[i]);
}

static void expect_lists(const struct list *l)
{
	bool seen[20] = { false };
	const struct got *g;

	for (size_t i = 0; (g = find(l, NULL, "account_list.password", i)); i++) {
		int number = atoi(g->bytes + strlen("list-password-")) - 100;

		assert_in_range(number, 0, 19);
		assert_false(seen[number]);
		seen[number] = true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		assert_true(seen[i]);
	assert_null(find(l, NULL, "loop_account.password", 1));
	assert_null(find(l, NULL, "broken_pointer.password", 0));
	assert_null(find(l, NULL, "accounts[0].name", 0));	/* nobody asked for a "name" */
}

static void expect_places(const struct list *l)
{
	const struct got *g = find(l, "outer", "local_peer", 0), *h;

	assert_int_equal(g->shape, ELFCORE_SOCKADDR);
	assert_memory_equal(g->bytes + 2, "\x13\xc4\xc0\0\2\x4d", 6);
	assert_int_equal(g->thread, 0);
	assert_non_null(find(l, "outer", "local_peer", 1));	/* it called itself */
	assert_null(find(l, "outer", "local_peer", 2));
	assert_int_equal(find(l, "wait_for_ever", "waiting_password", 0)->thread, 1);
	assert_int_equal(find(l, NULL, "global_password", 0)->thread, SIZE_MAX);
	assert_true(find(l, NULL, "global_secret", 0)->pointer != 0);
	assert_non_null(strstr(find(l, NULL, "lib_password", 0)->library, "/libtyped.so"));
	assert_non_null(strstr(find(l, NULL, "lib_password", 0)->file, "typed_lib.c"));
	g = find(l, NULL, "thread_password", 0);
	h = find(l, NULL, "thread_password", 1);
	assert_true(g && h && g->thread == 0 && h->thread == 1);
	assert_string_equal(g->bytes, "main-own-20");
	assert_string_equal(h->bytes, "thread-own-11");
	g = find(l, NULL, "generic_peer", 0);
	assert_int_equal(g->size, 28);
	assert_memory_equal(g->bytes, "\n\0\0\0\0\0\0\0 \1\r\270", 12);
	g = find(l, NULL, "global_storage", 0);
	assert_int_equal(g->shape, ELFCORE_SOCKADDR);
	assert_memory_equal(g->bytes, "\n\0\0\0\0\0\0\0 \1\r\270", 12);
}

static void expect_all(const char *folder, size_t n_dwarf)
{
	struct list l;
	struct elfcore_symbols_result r;

	core_open(&l, folder);
	r = look(&l);
	assert_true(r.n_dwarf >= n_dwarf && r.n_frames >= 6 && !r.timed_out && !r.capped);
	assert_int_equal(r.n_skipped, 0);
	expect_globals(&l);
	expect_lists(&l);
	expect_places(&l);
	list_done(&l);
}

static void test_optimised(void **state)
{
	(void)state;
	expect_all("o1", 3);
}

static void test_not_optimised(void **state)
{
	(void)state;
	expect_all("o0", 3);
}

static void test_many_types(void **state)
{
	(void)state;
	expect_all("many", 3);
}

static void test_aarch64(void **state)
{
	(void)state;
	expect_all("arm", 2);
}

static bool holds_text(const struct elfcore *c, const char *text)
{
	size_t n;
	const struct elfcore_segment *s = elfcore_segments(c, &n);

	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *bytes = xmalloc(s[i].file_size + 1);

		if (elfcore_read(c, s[i].addr, bytes, s[i].file_size) != s[i].file_size)
			return false;
		if (memmem(bytes, s[i].file_size, text, strlen(text)))
			return true;
	}
	return false;
}

/* As qemu writes it: no file map, no thread pointers, nothing of what is mapped of files
   unchanged. */
static void test_qemu(void **state)
{
	struct list l;
	const struct elfcore_info *info;
	const struct elfcore_thread *t;
	size_t n;
	char word[8];

	(void)state;
	core_open_name(&l, "arm", "core-qemu");
	info = elfcore_info(l.c);
	assert_string_equal(info->machine, "aarch64");
	assert_int_equal(info->signal, SIGABRT);
	assert_string_equal(info->comm, "typed");
	assert_non_null(strstr(info->args, "typed maps"));
	assert_non_null(strstr(info->program, "/arm/typed"));
	assert_false(info->truncated);
	t = elfcore_threads(l.c, &n);
	assert_int_equal(n, 2);
	assert_int_equal(t[0].lwp, info->pid);
	for (size_t i = 0; i < n; i++) {
		assert_true(t[i].pc != 0);
		assert_int_equal(elfcore_read(l.c, t[i].sp, word, sizeof(word)), sizeof(word));
	}
	elfcore_segments(l.c, &n);
	assert_true(n > 10);
	elfcore_files(l.c, &n);
	assert_int_equal(n, 0);
	assert_true(holds_text(l.c, "heap-password-13"));
	assert_false(holds_text(l.c, "no-such-password"));
	look(&l);
	assert_int_equal(l.n, 0);	/* no file is vouched for, so nothing is believed */
	list_done(&l);
}

/* A string has the name of its first member, as gdb prints it by default; the number of a vector's
   element stands behind the member that leads to them. */
static void test_cpp(void **state)
{
	static const struct expected rows[] = {
		{ NULL, "global_password._M_dataplus", ELFCORE_COUNTED, 0, "cpp-short-1" },
		{ NULL, "long_password._M_dataplus", ELFCORE_COUNTED, 0,
		  "cpp-long-password-that-is-on-the-heap-2" },
		{ NULL, "secret_key._M_dataplus", ELFCORE_COUNTED, 0, "cpp-static-member-3" },
		{ NULL, "accounts._M_impl[0].password._M_dataplus", ELFCORE_COUNTED, 0, "cpp-vector-40" },
		{ NULL, "accounts._M_impl[2].password._M_dataplus", ELFCORE_COUNTED, 0, "cpp-vector-42" },
		{ NULL, "accounts._M_impl[2].base_password", ELFCORE_CHARS, 16, "cpp-base-00" },
		{ "run", "arg_password._M_dataplus", ELFCORE_COUNTED, 0,
		  "cpp-argument-7-long-enough-for-the-heap" },
		{ "run", "local_password._M_dataplus", ELFCORE_COUNTED, 0,
		  "cpp-argument-7-long-enough-for-the-heap-more" },
		{ "run", "view_password._M_str", ELFCORE_COUNTED, 0,
		  "cpp-argument-7-long-enough-for-the-heap" },
		{ "main", "server.account.password._M_dataplus", ELFCORE_COUNTED, 0, "cpp-member-6" },
		{ "main", "server.account.base_password", ELFCORE_CHARS, 16, "cpp-base-00" },
	};
	struct list l;

	(void)state;
	core_open_name(&l, "cpp", "core-typed_cpp");
	look(&l);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect(&l, &rows[i]);
	assert_null(find(&l, NULL, "accounts._M_impl[3].base_password", 0));
	assert_null(find(&l, NULL, "accounts._M_impl._M_finish.base_password", 0));
	list_done(&l);
}

/* libc's variables come from the debug file that is installed for its build id. */
static void test_debug_file(void **state)
{
	struct list l;
	const struct got *g;

	(void)state;
	core_open(&l, "o1");
	look(&l);
	g = find(&l, NULL, "__progname", 0);
	if (!g)
		g = find(&l, NULL, "program_invocation_short_name", 0);
	assert_non_null(g);
	assert_int_equal(g->shape, ELFCORE_STRING);
	assert_string_equal(g->bytes, "typed");
	assert_non_null(strstr(g->library, "libc.so.6"));
	list_done(&l);
}

static void test_no_dwarf(void **state)
{
	struct list l;
	struct elfcore_symbols_result r;
	const struct expected row = { NULL, "global_password", ELFCORE_BYTES, 32, "global-array-01" };
	const struct expected pointer = { NULL, "global_secret", ELFCORE_STRING, 0, "global-pointer-12" };

	(void)state;
	core_open(&l, "plain");
	r = look(&l);
	assert_true(r.n_elf >= 2);
	expect(&l, &row);
	expect(&l, &pointer);
	assert_true(find(&l, NULL, "global_secret", 0)->pointer != 0);
	assert_non_null(find(&l, NULL, "lib_password", 0));
	assert_null(find(&l, NULL, "global_box.account.password", 0));
	list_done(&l);
}

static void test_other_build(void **state)
{
	struct list l;

	(void)state;
	core_open(&l, "o1");
	assert_int_equal(run("mv %s/o1/libtyped.so %s/kept && cp %s/o0/libtyped.so %s/o1/", work, work,
			     work, work), 0);
	look(&l);
	assert_int_equal(l.n_skipped, 1);
	assert_string_equal(l.why, "not the file that was mapped");
	assert_null(find(&l, NULL, "lib_password", 0));
	assert_non_null(find(&l, NULL, "global_password", 0));
	list_done(&l);
	core_open(&l, "o1");
	assert_int_equal(run("rm %s/o1/libtyped.so", work), 0);
	look(&l);
	assert_string_equal(l.why, "not there");
	list_done(&l);
	assert_int_equal(run("mv %s/kept %s/o1/libtyped.so", work, work), 0);
}

static bool die_of_lib(const struct elfcore_variable *v)
{
	if (strcmp(v->path, "lib_password") == 0)
		abort();
	return true;
}

/* A module that kills the child costs its own symbols. */
static void test_child_dies(void **state)
{
	struct list l;
	struct elfcore_symbols_result r;

	(void)state;
	core_open(&l, "o1");
	l.odd = die_of_lib;
	r = look(&l);
	assert_int_equal(r.n_skipped, 1);
	assert_string_equal(l.why, "its symbols can't be read");
	assert_non_null(find(&l, NULL, "global_password", 0));
	assert_non_null(find(&l, "die_here", "inner_password", 0));
	list_done(&l);
}

static bool sleep_long(const struct elfcore_variable *v)
{
	struct timespec t = { 0, 100000000 };

	(void)v;
	/* a confined process may not even sleep */
	for (time_t end = time(NULL) + 60; time(NULL) < end;)
		nanosleep(&t, NULL);
	return true;
}

static void test_timeout(void **state)
{
	struct list l;
	struct elfcore_wish w;
	struct elfcore_symbols_result r;
	struct err err = ERR_INIT;
	time_t begin = time(NULL);

	(void)state;
	core_open(&l, "o1");
	l.odd = sleep_long;
	w = wish_for(&l);
	w.timeout_s = 1;
	assert_int_equal(elfcore_variables(l.c, &w, &r, &err), RC_OK);
	assert_true(r.timed_out && time(NULL) - begin < 10);
	list_done(&l);
}

static bool try_rights(const struct elfcore_variable *v)
{
	if (strcmp(v->path, "global_password") != 0)
		return false;
	return open("/etc/passwd", O_RDONLY) < 0 && open("/tmp/x", O_WRONLY | O_CREAT, 0600) < 0 &&
	       socket(AF_INET, SOCK_STREAM, 0) < 0 && fork() < 0;
}

static void test_confined(void **state)
{
	struct list l;
	struct elfcore_symbols_result r;

	(void)state;
	core_open(&l, "o1");
	l.odd = try_rights;
	r = look(&l);
	assert_int_equal(r.missing & SANDBOX_SECCOMP, 0);
	assert_non_null(find(&l, NULL, "global_password", 0));
	list_done(&l);
}

static void test_found_ends_it(void **state)
{
	struct list l;
	struct elfcore_wish w;
	struct elfcore_symbols_result r = { .n_found = 77 };
	struct err err = ERR_INIT;

	(void)state;
	core_open(&l, "o1");
	l.stop_at = 3;
	w = wish_for(&l);
	assert_int_equal(elfcore_variables(l.c, &w, &r, &err), RC_LIMIT);
	assert_string_equal(err.msg, "enough");
	assert_int_equal(l.n, 3);
	assert_int_equal(r.n_found, 77);
	list_done(&l);
}

static uint64_t rnd(void)
{
	static uint64_t x = UINT64_C(0x9e3779b97f4a7c15);

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static unsigned mutations(unsigned otherwise)
{
	const char *n = getenv("MUTATIONS");

	return n && *n ? (unsigned)strtoul(n, NULL, 10) : otherwise;
}

/* The program and its library with damaged symbols but the right build id; and the core,
   damaged. */
static void test_damaged(void **state)
{
	static const char *const names[] = { "typed", "libtyped.so", "core-typed" };
	unsigned rounds = mutations(20);

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		struct list l;
		struct elfcore_wish w;
		struct elfcore_symbols_result r;
		struct err err = ERR_INIT;
		char path[128];
		struct stat st;
		int fd;

		assert_int_equal(run("rm -rf %s/o0x && cp -r --sparse=always %s/o0 %s/o0x", work, work,
				     work), 0);
		snprintf(path, sizeof(path), "%s/o0/%s", work, names[i % 3]);
		fd = open(path, O_RDWR);
		assert_true(fd >= 0 && fstat(fd, &st) == 0);
		for (int k = 0; k < 20; k++) {
			uint64_t v = rnd(), from = i % 3 == 2 ? 0 : 0x1000;

			assert_true(pwrite(fd, &v, 1 + v % 8,
					   (off_t)(from + rnd() % (uint64_t)(st.st_size - 4096))) > 0);
		}
		close(fd);
		core_open(&l, "o0");
		w = wish_for(&l);
		w.timeout_s = 20;
		assert_int_equal(elfcore_variables(l.c, &w, &r, &err), RC_OK);
		assert_false(r.timed_out);
		list_done(&l);
		assert_int_equal(run("rm -rf %s/o0 && mv %s/o0x %s/o0", work, work, work), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_optimised),
		cmocka_unit_test(test_not_optimised),
		cmocka_unit_test(test_many_types),
		cmocka_unit_test(test_aarch64),
		cmocka_unit_test(test_qemu),
		cmocka_unit_test(test_cpp),
		cmocka_unit_test(test_debug_file),
		cmocka_unit_test(test_no_dwarf),
		cmocka_unit_test(test_other_build),
		cmocka_unit_test(test_child_dies),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_confined),
		cmocka_unit_test(test_found_ends_it),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
