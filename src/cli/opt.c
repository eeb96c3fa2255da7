/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define COMMON(field) offsetof(struct common_options, field)

const struct opt common_opts[] = {
	{ "rules", 0, OPT_LIST, COMMON(rules), "FILE|DIR", "add rule packs to the shipped ones", 0, 0 },
	{ "policy", 0, OPT_STRING, COMMON(policy), "NAME",
	  "public (default), strict or developer: which rules act", 0, 0 },
	{ "key-file", 0, OPT_STRING, COMMON(key_file), "FILE",
	  "key for tokens that agree between reports of one case", 0, 0 },
	{ "map-recipient", 0, OPT_LIST, COMMON(map_recipients), "RECIPIENT",
	  "encrypt private maps to this age recipient or ssh key", 0, 0 },
	{ "config", 0, OPT_STRING, COMMON(config), "FILE", "read settings from FILE", 0, 0 },
	{ "quiet", 'q', OPT_FLAG, COMMON(quiet), NULL, "print only errors", 0, 0 },
	{ "verbose", 'v', OPT_FLAG, COMMON(verbose), NULL, "say what is being done", 0, 0 },
	{ "json", 0, OPT_FLAG, COMMON(json), NULL, "print as JSON what is printed for a person", 0, 0 },
	{ "no-progress", 0, OPT_FLAG, COMMON(no_progress), NULL, "no progress line", 0, 0 },
	{ "color", 0, OPT_STRING, COMMON(color), "WHEN", "auto (default), always or never", 0, 0 },
	{ "help", 'h', OPT_FLAG, COMMON(help), NULL, "show this help", 0, 0 },
	{ "version", 0, OPT_FLAG, COMMON(version), NULL, "show the version", 0, 0 },
	{ 0 },
};

static void *field_of(const struct opt *o, void *to)
{
	return (char *)to + o->offset;
}

static void lists_done(const struct opt *opts, void *to)
{
	for (const struct opt *o = opts; o && o->name; o++)
		if (o->type == OPT_LIST)
			strings_done(field_of(o, to));
}

void opt_done(const struct cmd *cmd, void *to)
{
	lists_done(cmd->opts, to);
	lists_done(common_opts, to);
}

static const struct opt *find_long(const struct cmd *cmd, const char *name, size_t len)
{
	const struct opt *tables[] = { cmd->opts, common_opts };

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct opt *o = tables[t]; o && o->name; o++)
			if (o->help && strlen(o->name) == len && memcmp(o->name, name, len) == 0)
				return o;
	return NULL;
}

static const struct opt *find_letter(const struct cmd *cmd, char letter)
{
	const struct opt *tables[] = { cmd->opts, common_opts };

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct opt *o = tables[t]; o && o->name; o++)
			if (o->letter == letter)
				return o;
	return NULL;
}

static int store(const struct opt *o, const char *value, void *to, struct err *err)
{
	unsigned long number;
	char *end;

	switch (o->type) {
	case OPT_FLAG:
		*(bool *)field_of(o, to) = true;
		return RC_OK;
	case OPT_STRING:
	case OPT_OPTIONAL:
		*(const char **)field_of(o, to) = value;
		return RC_OK;
	case OPT_LIST:
		strings_add(field_of(o, to), xstrdup(value));
		return RC_OK;
	case OPT_NUMBER:
		number = strtoul(value, &end, 10);
		if (*value < '0' || *value > '9' || *end || number < o->min || number > o->max)
			return err_set(err, RC_USAGE, "--%s takes a whole number from %u to %u",
				       o->name, o->min, o->max);
		*(unsigned *)field_of(o, to) = number;
		return RC_OK;
	}
	return RC_OK;
}

static int usage_error(const struct cmd *cmd, struct err *err, const char *what, const char *name)
{
	int rc = err_set(err, RC_USAGE, "%s: %s", name, what);

	err_hint(err, "corescrub %s --help shows the options", cmd->name);
	return rc;
}

/* "--name", "--name=value" or "--name value"; moves *i past a value of its own. */
static int parse_long(const struct cmd *cmd, int argc, char **argv, int *i, void *to,
		      struct err *err)
{
	const char *name = argv[*i] + 2, *eq = strchr(name, '=');
	const struct opt *o = find_long(cmd, name, eq ? (size_t)(eq - name) : strlen(name));
	char shown[64];

	/* an option's name may be shown, what stands behind '=' never */
	snprintf(shown, sizeof(shown), "--%.*s", (int)(eq ? eq - name : (ptrdiff_t)strlen(name)), name);
	if (!o)
		return usage_error(cmd, err, "no such option", shown);
	if (!o->arg)
		return eq ? usage_error(cmd, err, "takes no argument", shown) : store(o, NULL, to, err);
	if (eq || o->type == OPT_OPTIONAL)
		return store(o, eq ? eq + 1 : "", to, err);
	if (*i + 1 >= argc)
		return usage_error(cmd, err, "needs an argument", shown);
	return store(o, argv[++*i], to, err);
}

/* "-v", "-qv", "-oFILE" or "-o FILE". */
static int parse_letters(const struct cmd *cmd, int argc, char **argv, int *i, void *to,
			 struct err *err)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		const struct opt *o = find_letter(cmd, *p);
		char shown[3] = { '-', *p, '\0' };
		int rc;

		if (!o)
			return usage_error(cmd, err, "no such option", shown);
		if (!o->arg) {
			rc = store(o, NULL, to, err);
			if (rc < 0)
				return rc;
			continue;
		}
		if (p[1])
			return store(o, p + 1, to, err);
		if (*i + 1 >= argc)
			return usage_error(cmd, err, "needs an argument", shown);
		return store(o, argv[++*i], to, err);
	}
	return RC_OK;
}

int opt_parse(const struct cmd *cmd, int argc, char **argv, void *to, struct strings *ret_args,
	      struct err *err)
{
	bool only_operands = false;

	for (int i = 1; i < argc; i++) {
		int rc = RC_OK;

		if (only_operands || argv[i][0] != '-' || !argv[i][1])
			strings_add(ret_args, xstrdup(argv[i]));
		else if (strcmp(argv[i], "--") == 0)
			only_operands = true;
		else if (argv[i][1] == '-')
			rc = parse_long(cmd, argc, argv, &i, to, err);
		else
			rc = parse_letters(cmd, argc, argv, &i, to, err);
		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

static void help_table(const struct opt *opts)
{
	for (const struct opt *o = opts; o && o->name; o++) {
		bool optional = o->type == OPT_OPTIONAL;
		char left[64];

		if (!o->help)
			continue;
		snprintf(left, sizeof(left), "%c%c%s--%s%s%s%s", o->letter ? '-' : ' ',
			 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
			 optional ? "[=" : o->arg ? " " : "", o->arg ? o->arg : "",
			 optional ? "]" : "");
		if (strlen(left) <= 28)
			printf("  %-28s %s\n", left, o->help);
		else
			printf("  %s\n  %-28s %s\n", left, "", o->help);
	}
}

void opt_help(const struct cmd *cmd)
{
	printf("usage: corescrub %s [options] %s\n\n%s\n\n", cmd->name, cmd->args, cmd->summary);
	help_table(cmd->opts);
	printf("\nfor every verb:\n");
	help_table(common_opts);
	if (cmd->notes)
		printf("\n%s\n", cmd->notes);
}
