/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <stdio.h>

struct generate_options {
	struct common_options common;
};

const struct opt generate_opts[] = { { 0 } };

static void man_table(const struct opt *opts)
{
	for (const struct opt *o = opts; o && o->name; o++) {
		bool optional = o->type == OPT_OPTIONAL;

		if (!o->help)
			continue;
		printf(".TP\n");
		if (o->letter)
			printf("\\fB\\-%c\\fR, ", o->letter);
		printf("\\fB\\-\\-");
		for (const char *p = o->name; *p; p++)
			printf(*p == '-' ? "\\-" : "%c", *p);
		printf("\\fR%s\\fI%s\\fR%s\n%s\n", optional ? "[=" : o->arg ? " " : "",
		       o->arg ? o->arg : "", optional ? "]" : "", o->help);
	}
}

static int man_page(void)
{
	printf(".TH CORESCRUB 1 \"\" \"corescrub %s\"\n.SH NAME\n"
	       "corescrub \\- turn a core dump into a crash report that is safe to publish\n"
	       ".SH SYNOPSIS\n.B corescrub\n.I VERB\n[options] ...\n.SH VERBS\n",
	       CORESCRUB_VERSION);
	for (const struct cmd *c = cmds; c->name; c++) {
		printf(".SS corescrub %s [options] %s\n%s.\n", c->name, c->args, c->summary);
		if (c->notes)
			printf("%s\n", c->notes);
		man_table(c->opts);
	}
	printf(".SH OPTIONS FOR EVERY VERB\n");
	man_table(common_opts);
	printf(".SH EXIT STATUS\n.TP\n0\ndone, nothing known or matched is left\n"
	       ".TP\n1\nfailed, nothing written\n.TP\n2\nusage or refused, nothing written\n"
	       ".TP\n3\na person is needed: see the private review page or what was named\n"
	       ".SH FILES\n.TP\n/etc/corescrub.yaml, ~/.config/corescrub/corescrub.yaml\n"
	       "settings: long option names as keys, a verb's own below its name; root reads /etc only\n"
	       ".TP\n~/.local/state/corescrub/\nprivate maps, mode 0600\n"
	       ".SH SEE ALSO\n.BR gdb (1),\n.BR age (1),\n.BR core (5)\n");
	return EXIT_DONE;
}

static void bash_words(const struct opt *opts)
{
	for (const struct opt *o = opts; o && o->name; o++)
		if (o->help)
			printf(" --%s", o->name);
}

static int bash_completion(void)
{
	printf("# bash completion for corescrub, made from its option tables\n_corescrub()\n{\n"
	       "\tlocal word=${COMP_WORDS[COMP_CWORD]} words=\n"
	       "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\twords='");
	for (const struct cmd *c = cmds; c->name; c++)
		printf("%s%s", c == cmds ? "" : " ", c->name);
	printf("'\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n");
	for (const struct cmd *c = cmds; c->name; c++) {
		printf("\t\t%s) words='", c->name);
		bash_words(c->opts);
		bash_words(common_opts);
		printf("' ;;\n");
	}
	printf("\t\tesac\n\tfi\n"
	       "\tif [ \"$COMP_CWORD\" -eq 1 ] || [ \"${word#-}\" != \"$word\" ]; then\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	       "\telse\n\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n\tfi\n}\n"
	       "complete -o filenames -F _corescrub corescrub\n"
	       "_ast_coredumper()\n{\n\tCOMP_WORDS=(corescrub ast_coredumper \"${COMP_WORDS[@]:1}\")\n"
	       "\tCOMP_CWORD=$((COMP_CWORD + 1))\n\t_corescrub\n}\n"
	       "complete -o filenames -F _ast_coredumper ast_coredumper\n");
	return EXIT_DONE;
}

int cmd_generate(const struct cmd *cmd, int argc, char **argv)
{
	struct generate_options o = { 0 };
	struct strings args = { 0 };
	struct err err = ERR_INIT;
	int rc = cmd_begin(cmd, argc, argv, &o, &args, &err);

	if (rc == RC_OK && args.n == 1 && strcmp(args.v[0], "man") == 0)
		rc = man_page();
	else if (rc == RC_OK && args.n == 1 && strcmp(args.v[0], "bash") == 0)
		rc = bash_completion();
	else if (rc == RC_OK)
		rc = err_set(&err, RC_USAGE, "generate takes man or bash");
	return cmd_end(cmd, &o, &args, rc, &err);
}
