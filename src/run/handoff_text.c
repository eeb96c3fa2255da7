/* SPDX-License-Identifier: Apache-2.0 */
#include "handoff_internal.h"

/* What the package says of itself. All paths in it are plain ones (handoff_files.c). */

/* One word of a shell's command. */
static void add_quoted(struct buf *ret, const char *s)
{
	buf_add_char(ret, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_add_str(ret, "'\\''");
		else
			buf_add_char(ret, *s);
	}
	buf_add_char(ret, '\'');
}

static void gdb_line(const struct handoff_list *l, struct buf *ret)
{
	buf_add_str(ret, "gdb -nx -iex 'set auto-load no'");
	if (l->program) {
		buf_add_str(ret, " -iex 'set sysroot sysroot' \\\n        ");
		add_quoted(ret, l->program);
		buf_add_str(ret, " core\n");
	} else {
		buf_add_str(ret, " PROGRAM core\n");
	}
}

static bool has_core(const struct handoff_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].source == FROM_CORE)
			return true;
	return false;
}

void handoff_readme(const struct handoff_list *l, const char *mode, bool config, struct buf *ret)
{
	buf_addf(ret,
		 "A crash for its developer, packed by corescrub " CORESCRUB_VERSION
		 ". It is not for the public.\n\n"
		 "What is in it: the five texts, scrubbed, with other tokens than the public report "
		 "has%s%s%s%s.\n\n",
		 strcmp(mode, "none") == 0 ? "" : ";\nthe core, ",
		 strcmp(mode, "none") == 0 ? "" : mode,
		 l->program ? ";\nthe program and the libraries it had loaded, below sysroot" : "",
		 config ? ";\nits configuration, as it is, below etc" : "");
	buf_add_str(ret, "Check it and open it, running nothing of it:\n"
			 "    corescrub open [-i IDENTITY] PACKAGE\n");
	if (has_core(l)) {
		buf_add_str(ret, "With age, tar and gdb alone:\n"
				 "    age -d -i IDENTITY PACKAGE | tar --zstd -x\n    ");
		gdb_line(l, ret);
		buf_add_str(ret, "If you trust its sender, for threads' names too, since this loads "
				 "libthread_db out of it:\n    ./open-in-gdb.sh\n");
	}
}

void handoff_script(const struct handoff_list *l, struct buf *ret)
{
	buf_add_str(ret,
		    "#!/bin/sh\n"
		    "# Opens the core in gdb with the program and the libraries of this package. It loads\n"
		    "# libthread_db out of the package: only for those who trust its sender.\n"
		    "here=$(cd \"$(dirname \"$0\")\" && pwd) || exit 1\n"
		    "export DEBUGINFOD_URLS=\n"
		    "exec gdb -nx -iex 'set auto-load no'");
	if (l->program) {
		buf_add_str(ret, " \\\n\t-iex \"set sysroot $here/sysroot\""
				 " \\\n\t-iex \"set debug-file-directory $here/sysroot/usr/lib/debug:/usr/lib/debug\"");
		for (size_t i = 0; i < l->folders.n; i++) {
			buf_add_str(ret, i ? "\":$here\"/" : " \\\n\t-iex \"set solib-search-path $here\"/");
			add_quoted(ret, l->folders.v[i]);
		}
	}
	if (l->thread_db) {
		buf_add_str(ret, " \\\n\t-iex 'set auto-load libthread-db yes'"
				 " -iex \"set auto-load safe-path $here\""
				 " \\\n\t-iex \"set libthread-db-search-path $here\"/");
		add_quoted(ret, l->thread_db);
		buf_add_str(ret, "':$sdir'");
	}
	buf_add_str(ret, " \\\n\t");
	if (l->program) {
		buf_add_str(ret, "\"$here\"/");
		add_quoted(ret, l->program);
		buf_add_char(ret, ' ');
	}
	buf_add_str(ret, "--core=\"$here/core\" \"$@\"\n");
}
