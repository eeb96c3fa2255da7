/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/base/file.h>
#include <corescrub/base/process.h>
#include <link.h>
#include <stdlib.h>
#include <sys/wait.h>

/* What the dynamic loader knows, asked of it: ld.so(8). */

#define ASK_MS	20000

static int own_interpreter(struct dl_phdr_info *info, size_t size, void *ret)
{
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_INTERP)
			*(const char **)ret = (const char *)(info->dlpi_addr +
							     info->dlpi_phdr[i].p_vaddr);
	return 1;	/* the first is the program itself */
}

const char *process_loader(void)
{
	const char *loader = NULL;

	dl_iterate_phdr(own_interpreter, &loader);
	return loader;
}

/* A line a library: "<tab>name => path (address)". */
static void take_paths(struct span text, struct strings *ret)
{
	for (size_t at = 0, end; at < text.len; at = end) {
		struct span line;
		ssize_t slash, tail;

		end = span_line_end(text, at);
		line = span_sub(text, at, end);
		slash = span_find(line, SPAN_LIT("/"), 0);
		tail = slash < 0 ? -1 : span_find(line, SPAN_LIT(" ("), (size_t)slash);
		if (tail > slash)
			strings_add(ret, xstrndup(line.p + slash, (size_t)(tail - slash)));
	}
}

int process_libraries(const char *program, struct strings *ret, struct err *err)
{
	const char *loader = process_loader();
	const char *const argv[] = { loader, "--list", program, NULL };
	AUTO_CLOSE int out = -1;
	AUTO(process) p = NULL;
	AUTO(mapping) m = NULL;
	int status = 0;
	int rc = loader ? file_unnamed(true, &out, err) :
			  err_set(err, RC_UNSUPPORTED, "this program has no loader to ask");

	if (rc == RC_OK)
		rc = process_start(&(struct process_spec){ .argv = argv, .in = -1, .out = out,
							   .err = -1 }, &p, err);
	if (rc == RC_OK)
		rc = process_wait(p, ASK_MS, &status, err);
	if (rc == RC_OK)
		rc = mapping_open(out, loader, &m, err);
	if (rc == RC_OK)
		take_paths(mapping_span(m), ret);
	return rc;
}
