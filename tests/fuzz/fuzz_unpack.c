/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a package, and any bytes as what the child that reads it says: refused, or all of it
   lies in its folder, with the sizes that are told, and links lead to files of sysroot/. The
   child's part runs in a thread, so that libFuzzer sees it. */
#include "../../src/bundle/unpack_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char frames[] = "frames\n"; /* an input that begins so is the child's word */

static void require(bool holds)
{
	if (!holds)
		abort();
}

static const char *folder(void)
{
	static char path[] = "/tmp/fuzz-unpack-XXXXXX";
	static bool made;

	if (!made) {
		require(mkdtemp(path) != NULL);
		signal(SIGPIPE, SIG_IGN);
		made = true;
	}
	return path;
}

static void remove_folder(void)
{
	rmdir(folder());
}

/* How many names a folder holds. */
static unsigned count_names(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	require(dir != NULL);
	for (const struct dirent *e; (e = readdir(dir));)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(dir);
	return n;
}

struct child {
	int from, to;
	struct span frames;
	bool tells; /* reads `from` itself */
};

static void *run_child(void *arg)
{
	struct child *c = arg;

	if (c->tells)
		bundle_unpack_tell(c->from, c->to);
	else
		(void)file_write_all(c->to, c->frames, "", NULL);
	close(c->to);
	return NULL;
}

static void look_at(const struct bundle_unpacked *u, struct outtree *tree)
{
	AUTO_FREE char *top = outtree_path(tree);
	struct stat st;

	for (size_t i = 0; i < u->n; i++) {
		const struct bundle_member *m = &u->v[i];
		AUTO_FREE char *path = xasprintf("%s/%s", top, m->path);

		require(i == 0 || strcmp(u->v[i - 1].path, m->path) < 0);
		require(bundle_name_stays_inside(m->path));
		if (m->target) {
			char *real;

			require(lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
			real = realpath(path, NULL);
			require(real && strncmp(real, top, strlen(top)) == 0);
			require(strncmp(real + strlen(top), "/sysroot/", 9) == 0);
			require(stat(path, &st) == 0 && S_ISREG(st.st_mode));
			free(real);
		} else {
			require(lstat(path, &st) == 0 && S_ISREG(st.st_mode));
			require((uint64_t)st.st_size == m->size && !(st.st_mode & 077));
		}
	}
}

static void unpack(struct child *c, int from, uint64_t size)
{
	AUTO_FREE char *target = xasprintf("%s/out", folder());
	struct bundle_unpacker u = { .from = from, .pid = -1 };
	struct bundle_unpacked all;
	AUTO(outtree) tree = NULL;
	struct err err = ERR_INIT;
	pthread_t thread;

	require(outtree_open(target, &tree, &err) == RC_OK);
	require(pthread_create(&thread, NULL, run_child, c) == 0);
	if (bundle_unpack(&u, size, NULL, tree, &all, &err) == RC_OK) {
		if (bundle_unpack_links(&all, tree, &err) == RC_OK)
			look_at(&all, tree);
		bundle_unpacked_done(&all);
	} else {
		require(err.code < 0 && err.msg[0]);
	}
	close(from); /* who still writes is told so */
	pthread_join(thread, NULL);
	/* the tree stands there by its hidden name, and nothing beside it */
	require(count_names(folder()) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_make((const char *)data, size);
	struct child c = { .from = -1 };
	struct err err = ERR_INIT;
	static bool once;
	int ends[2];

	if (!once)
		once = atexit(remove_folder) == 0;
	require(pipe2(ends, O_CLOEXEC) == 0);
	c.to = ends[1];
	c.tells = !span_starts(in, SPAN_LIT(frames));
	if (c.tells) {
		require(file_unnamed(true, &c.from, &err) == RC_OK);
		require(file_write_all(c.from, in, "input", &err) == RC_OK);
		require(lseek(c.from, 0, SEEK_SET) == 0);
	} else {
		c.frames = span_sub(in, strlen(frames), in.len);
	}
	unpack(&c, ends[0], size);
	require(count_names(folder()) == 0);
	if (c.from >= 0)
		close(c.from);
	return 0;
}
