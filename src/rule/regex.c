/* SPDX-License-Identifier: Apache-2.0 */
#include "regex_tree.h"
#include "rule_internal.h"

static void read_shape(struct span regex, struct regex_shape *ret)
{
	struct rx_tree tree;
	struct rx_width w;

	rx_parse(regex, &tree);
	w = rx_width(tree.alternatives);
	*ret = (struct regex_shape){ w.min, w.max, tree.refused, tree.refused_at };
	arena_free(tree.arena);
}

int rule_regex_compile(const struct conf *c, const struct conf_node *at, bool multiline,
		       pcre2_code **ret, struct regex_shape *ret_shape, struct err *err)
{
	uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
			   PCRE2_USE_OFFSET_LIMIT | (multiline ? PCRE2_MULTILINE : 0);
	pcre2_compile_context *cc;
	pcre2_code *code;
	PCRE2_SIZE where;
	int number;

	if (at->text.len == 0 || at->text.len > LIMIT_REGEX)
		return conf_err(c, at, err, "a regex must have 1 to %zu bytes", LIMIT_REGEX);
	cc = pcre2_compile_context_create(NULL);
	if (!cc)
		return err_set(err, RC_NOMEM, "out of memory");
	pcre2_set_newline(cc, PCRE2_NEWLINE_LF);
	code = pcre2_compile((PCRE2_SPTR)at->text.p, at->text.len, options, &number, &where, cc);
	pcre2_compile_context_free(cc);
	if (!code) {
		PCRE2_UCHAR msg[160] = "";

		pcre2_get_error_message(number, msg, sizeof(msg));
		return conf_err_in(c, at, where, err, "bad regex: %s", (const char *)msg);
	}
	read_shape(at->text, ret_shape);
	if (ret_shape->refused) {
		pcre2_code_free(code);
		return conf_err_in(c, at, ret_shape->refused_at, err, "bad regex: %s",
				   ret_shape->refused);
	}
	*ret = code;
	return RC_OK;
}
