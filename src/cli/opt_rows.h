/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPT_ROWS_H
#define OPT_ROWS_H

#include "cli_internal.h"

/* Rows of option tables that several verbs have. AT(field) is the table's own: a field's offset in
   the verb's options. */

#define OPT_ROW_FINDINGS \
	{ "findings", 0, OPT_STRING, AT(findings), "FILE", \
	  "write each finding as a line of JSON, or as SARIF to FILE.sarif", 0, 0 }
#define OPT_ROW_LEARN \
	{ "learn", 0, OPT_LIST, AT(learn), "PATH", "learn the secrets, callers and peers of a config file or folder", \
	  0, 0 }
#define OPT_ROWS_WORDS \
	{ "words", 0, OPT_LIST, AT(words), "FILE", "words that must go, one per line", 0, 0 }, \
	{ "keep-words", 0, OPT_LIST, AT(keep_words), "FILE", "words that must stay, one per line", \
	  0, 0 }
#define OPT_ROWS_DECIDED \
	{ "decisions", 0, OPT_STRING, AT(decisions), "FILE", \
	  "do what was decided in review; needs --key-file", 0, 0 }, \
	{ "approval", 0, OPT_LIST, AT(approvals), "FILE", \
	  "an approval of the decisions, for those that keep a credential", 0, 0 }, \
	{ "allowed-signers", 0, OPT_STRING, AT(allowed_signers), "FILE", \
	  "whose approvals count, as ssh-keygen(1) has it", 0, 0 }

#endif
