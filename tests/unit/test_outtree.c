/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include <corescrub/base/file.h>

static bool exists(const char *folder, const char *path)
{
	AUTO_FREE char *full = xasprintf("%s/out/%s", folder, path);

	return access(full, F_OK) == 0;
}

static int make(struct outtree *t, const char *path)
{
	struct err err = ERR_INIT;
	AUTO_CLOSE int fd = -1;

	return outtree_create(t, path, 0600, &fd, &err);
}

static void test_makes_removes_and_commits(void **state)
{
	char folder[] = "/tmp/test_outtree.XXXXXX";
	AUTO_FREE char *target = NULL, *clear = NULL;
	struct outtree *t = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(folder));
	target = xasprintf("%s/out", folder);
	clear = xasprintf("rm -rf %s", folder);
	assert_int_equal(outtree_open(target, &t, &err), RC_OK);
	assert_int_equal(make(t, "a/b/one"), RC_OK);
	assert_int_equal(make(t, "a/b/two"), RC_OK);
	assert_int_equal(make(t, "three"), RC_OK);
	assert_int_equal(make(t, "a/b/one"), RC_EXISTS);
	assert_int_equal(make(t, "../four"), RC_INTERNAL);
	assert_int_equal(outtree_remove(t, "a/b/one", &err), RC_OK);
	assert_int_equal(outtree_remove(t, "three", &err), RC_OK);
	assert_int_equal(outtree_remove(t, "../out", &err), RC_INTERNAL);
	assert_int_equal(outtree_remove(t, "none", &err), RC_IO);
	assert_false(exists(folder, ""));
	assert_int_equal(outtree_commit(t, &err), RC_OK);
	outtree_free(t);
	assert_false(exists(folder, "a/b/one"));
	assert_true(exists(folder, "a/b/two"));
	assert_false(exists(folder, "three"));
	assert_int_equal(system(clear), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_makes_removes_and_commits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
