/* SPDX-License-Identifier: Apache-2.0 */
/* page TEXT: both pages of a report that holds TEXT (scrubbed), to standard output. */
#include <corescrub/artifact_seal.h>
#include <corescrub/report.h>

#include <stdio.h>

int main(int argc, char **argv)
{
	struct report_item item = { "full.txt", 1, 1, "a hint", false };
	struct report_file file = { .path = "full.txt", .kind = "full" };
	struct report_account a = { .case_name = "c", .policy = "public", .files = &file, .n_files = 1 };
	AUTO_BUF text = BUF_INIT, page = BUF_INIT;
	const struct scrubbed *texts[1];
	struct scrubbed *s;

	if (argc != 2 || file_read(argv[1], MIB(512), &text, NULL) < 0)
		return 1;
	file.size = text.len;
	texts[0] = s = scrubbed_seal("full.txt", &text);
	a.texts = texts;
	a.n_texts = 1;
	if (report_page(&a, &page, NULL) < 0 || report_private_page(&a, &item, 1, &page, NULL) < 0)
		return 1;
	fwrite(page.p, 1, page.len, stdout);
	scrubbed_free(s);
	return fflush(stdout) != 0;
}
