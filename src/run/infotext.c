/* SPDX-License-Identifier: Apache-2.0 */
#include "run_texts.h"

#include <signal.h>
#include <stdio.h>

struct code_name {
	int signal, code;		/* signal 0: any */
	const char *name;
};

/* Linux include/uapi/asm-generic/siginfo.h */
static const struct code_name code_names[] = {
	{ SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR, nothing is mapped at the address" },
	{ SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR, the mapping does not allow it" },
	{ SIGBUS, BUS_ADRALN, "BUS_ADRALN, wrong alignment" },
	{ SIGBUS, BUS_ADRERR, "BUS_ADRERR, behind the end of a mapped file" },
	{ SIGBUS, BUS_OBJERR, "BUS_OBJERR, hardware error" },
	{ SIGILL, ILL_ILLOPC, "ILL_ILLOPC, illegal instruction" },
	{ SIGILL, ILL_ILLOPN, "ILL_ILLOPN, illegal operand" },
	{ SIGFPE, FPE_INTDIV, "FPE_INTDIV, integer division by zero" },
	{ SIGFPE, FPE_INTOVF, "FPE_INTOVF, integer overflow" },
	{ SIGTRAP, TRAP_BRKPT, "TRAP_BRKPT, breakpoint" },
	{ 0, SI_USER, "SI_USER, sent by kill" },
	{ 0, SI_TKILL, "SI_TKILL, sent to a thread, as abort does" },
	{ 0, SI_QUEUE, "SI_QUEUE, sent by sigqueue" },
	{ 0, 128, "SI_KERNEL, sent by the kernel" },
};

/* A path is the core's claim: control bytes must not make lines or drive a terminal. */
static void add_path(struct buf *b, const char *path)
{
	for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			buf_addf(b, "\\%03o", *p);
		else
			buf_add_char(b, (char)*p);
	}
}

static void add_field(struct buf *b, const char *label, const char *text)
{
	if (!text)
		return;
	buf_addf(b, "%-16s", label);
	add_path(b, text);
	buf_add_char(b, '\n');
}

static const char *code_name(int signal, int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(code_names); i++)
		if ((code_names[i].signal == signal || code_names[i].signal == 0) &&
		    code_names[i].code == code)
			return code_names[i].name;
	return NULL;
}

static void add_signal(struct buf *b, const struct elfcore_info *info)
{
	const char *name = sigabbrev_np(info->signal), *text = sigdescr_np(info->signal);
	const char *code = code_name(info->signal, info->si_code);

	if (info->signal == 0) {
		buf_add_str(b, "Signal:         none: the core was taken of a running program\n");
		return;
	}
	if (name)
		buf_addf(b, "Signal:         SIG%s (%d), %s\n", name, info->signal,
			 text ? text : "");
	else
		buf_addf(b, "Signal:         %d\n", info->signal);
	if (code)
		buf_addf(b, "Signal code:    %d, %s\n", info->si_code, code);
	else
		buf_addf(b, "Signal code:    %d\n", info->si_code);
	if (info->has_fault_addr)
		buf_addf(b, "Fault address:  0x%llx\n", (unsigned long long)info->fault_addr);
}

static void add_head(struct buf *b, const struct elfcore *c, const char *gdb_version)
{
	const struct elfcore_info *info = elfcore_info(c);
	size_t n_threads;

	elfcore_threads(c, &n_threads);
	add_field(b, "Program:", info->program);
	add_field(b, "Name:", info->comm);
	add_field(b, "Arguments:", info->args);
	add_signal(b, info);
	add_field(b, "Machine:", info->machine);
	buf_addf(b, "Threads:        %zu\n", n_threads);
	buf_addf(b, "Core:           %llu bytes, %llu without holes%s\n",
		 (unsigned long long)info->size, (unsigned long long)info->data_size,
		 info->truncated ? ", truncated" : "");
	add_field(b, "Debugger:", gdb_version);
}

enum symbols { SYMBOLS_UNKNOWN, SYMBOLS_THERE, SYMBOLS_MISSING };

/* gdb's word on the module that holds an address: a row is "0x… 0x… Yes (*) path", where (*)
   means without debugging information. The program itself is not in its table. */
static enum symbols gdb_symbols(struct span table, const struct elfcore_file *f)
{
	size_t at = 0;

	while (at < table.len) {
		const char *nl = memchr(table.p + at, '\n', table.len - at);
		struct span line =
			span_make(table.p + at, nl ? (size_t)(nl - table.p) - at : table.len - at);
		char head[64];
		unsigned long long from = 0;
		char yes[4] = "", mark[4] = "";
		size_t n = line.len < sizeof(head) - 1 ? line.len : sizeof(head) - 1;

		at += line.len + 1;
		memcpy(head, line.p, n);
		head[n] = '\0';
		if (sscanf(head, "0x%llx 0x%*x %3s %3s", &from, yes, mark) < 2 || from < f->start ||
		    from >= f->end)
			continue;
		return strcmp(yes, "Yes") == 0 && strcmp(mark, "(*)") != 0 ? SYMBOLS_THERE
									   : SYMBOLS_MISSING;
	}
	return SYMBOLS_UNKNOWN;
}

static enum symbols module_symbols(const struct elfcore_file *f, const struct run_module *m,
				   struct span sharedlibs)
{
	AUTO_FREE char *debug = elfcore_debug_path(f->build_id, f->build_id_len);
	enum symbols s = gdb_symbols(sharedlibs, f);

	if (s != SYMBOLS_UNKNOWN)
		return s;
	return m->vouched && (m->has_debug || debug) ? SYMBOLS_THERE : SYMBOLS_MISSING;
}

static void add_module(struct buf *b, const struct elfcore_file *f, const struct run_module *m,
		       enum symbols symbols)
{
	char id[2 * sizeof(f->build_id) + 1] = "none";

	if (f->build_id_len)
		digest_hex(f->build_id, f->build_id_len, id);
	buf_addf(b, "%-40s  %-7s  %-7s  ", id, m->vouched ? "yes" : "no",
		 symbols == SYMBOLS_THERE ? "yes" : "missing");
	add_path(b, f->path);
	buf_add_char(b, '\n');
}

/* Which file would help, for each module whose symbols are missing. */
static void add_missing(struct buf *b, const struct elfcore_file *files, const uint8_t *symbols,
			size_t n)
{
	size_t missing = 0;

	for (size_t i = 0; i < n; i++)
		missing += symbols[i] == SYMBOLS_MISSING;
	if (!missing) {
		buf_add_str(b, "\nDebug symbols are there for every module.\n");
		return;
	}
	buf_addf(b, "\nDebug symbols are missing for %zu module%s; needed:\n\n", missing,
		 missing == 1 ? "" : "s");
	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *name = NULL;

		if (symbols[i] != SYMBOLS_MISSING)
			continue;
		name = elfcore_debug_name(files[i].build_id, files[i].build_id_len);
		buf_add_str(b, name ? name
				    : "(no build id in the core: the very build of the program)");
		buf_add_str(b, "  for ");
		add_path(b, files[i].path);
		buf_add_char(b, '\n');
	}
}

void run_info_text(const struct elfcore *c, const struct run_module *modules,
		   struct span sharedlibs, const char *gdb_version, struct buf *ret)
{
	size_t n, n_elf = 0;
	const struct elfcore_file *files = elfcore_files(c, &n);
	AUTO_FREE uint8_t *symbols = xcalloc(n + 1, 1);

	add_head(ret, c, gdb_version);
	for (size_t i = 0; i < n; i++)
		n_elf += files[i].elf;
	buf_addf(ret, "\nModules (%zu):\n\n%-40s  %-7s  %-7s  %s\n", n_elf, "Build id", "Here",
		 "Symbols", "Module");
	for (size_t i = 0; i < n; i++) {
		if (!files[i].elf)
			continue;
		symbols[i] = (uint8_t)module_symbols(&files[i], &modules[i], sharedlibs);
		add_module(ret, &files[i], &modules[i], symbols[i]);
	}
	if (n_elf == 0) {
		buf_add_str(ret, "\nThe core has no file map, or no mapped page of a module.\n");
		return;
	}
	add_missing(ret, files, symbols, n);
	if (n > n_elf)
		buf_addf(ret, "\nOther mapped files (%zu):\n\n", n - n_elf);
	for (size_t i = 0; i < n; i++) {
		if (files[i].elf)
			continue;
		add_path(ret, files[i].path);
		buf_add_char(ret, '\n');
	}
}
