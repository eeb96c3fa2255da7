/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a core, and as a file on disk: refused with a word, or every answer about it
   holds. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <corescrub/elfcore.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ASKED 64	/* segments, files that are looked into */

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void ask_memory(const struct elfcore *c)
{
	const struct elfcore_info *info = elfcore_info(c);
	size_t n, n_threads;
	const struct elfcore_segment *s = elfcore_segments(c, &n);
	const struct elfcore_thread *t = elfcore_threads(c, &n_threads);
	char bytes[512];

	for (size_t i = 0; i < n; i++) {
		require(i == 0 || s[i - 1].addr <= s[i].addr);
		require(s[i].file_size <= s[i].mem_size && s[i].file_size <= info->size);
		require(s[i].file_size == 0 || s[i].file_off <= info->size - s[i].file_size);
		require(s[i].addr + s[i].mem_size >= s[i].addr);
		if (i < ASKED)
			require(elfcore_read(c, s[i].addr, bytes, sizeof(bytes)) <= sizeof(bytes));
	}
	require(n_threads > 0);
	for (size_t i = 0; i < n_threads && i < ASKED; i++)
		elfcore_read(c, t[i].sp - 256, bytes, sizeof(bytes));
	elfcore_read(c, UINT64_MAX - 3, bytes, sizeof(bytes));
}

static void ask_files(const struct elfcore *c)
{
	size_t n;
	const struct elfcore_file *f = elfcore_files(c, &n);

	for (size_t i = 0; i < n; i++) {
		require(f[i].start < f[i].end && f[i].path && f[i].build_id_len <= 64);
		require(f[i].elf || f[i].build_id_len == 0);
		require(i == 0 || f[i - 1].start <= f[i].start);
		free(elfcore_debug_name(f[i].build_id, f[i].build_id_len));
	}
}

static void ask_waits(struct elfcore *c)
{
	size_t n, n_threads;
	const struct elfcore_wait *w = elfcore_waits(c, &n);

	elfcore_threads(c, &n_threads);
	for (size_t i = 0; i < n; i++)
		require(w[i].thread < n_threads && w[i].what);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CLOSE int fd = -1;
	AUTO(elfcore) c = NULL;
	struct err err = ERR_INIT;
	uint8_t id[64];
	size_t len = 0;
	bool debug;

	require(file_unnamed(true, &fd, &err) == RC_OK);
	require(file_write_all(fd, span_make((const char *)data, size), "input", &err) == RC_OK);
	if (elfcore_file_build_id(fd, id, &len, &debug, &err) == RC_OK)
		require(len <= sizeof(id));
	elfcore_probe(fd);
	if (elfcore_open(fd, "input", &c, &err) != RC_OK) {
		require(!c && err.code < 0 && err.msg[0]);
		return 0;
	}
	ask_memory(c);
	ask_files(c);
	ask_waits(c);
	return 0;
}
