/* SPDX-License-Identifier: Apache-2.0 */
#include "cli_internal.h"

#include <corescrub/conf.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * The settings file: a map of verb to options, and of options for all verbs, by their long names.
 *     policy: strict
 *     report:
 *       timeout: 1200
 * A file or parent folder that others can write is refused: settings choose what runs.
 */

static bool is_given(const struct opt *o, const void *to)
{
	const void *field = (const char *)to + o->offset;

	switch (o->type) {
	case OPT_FLAG:
		return *(const bool *)field;
	case OPT_STRING:
	case OPT_OPTIONAL:
		return *(const char *const *)field != NULL;
	case OPT_LIST:
		return ((const struct strings *)field)->n > 0;
	case OPT_NUMBER:
		return false;	/* a default stands there: the file may change it, see set_number */
	}
	return false;
}

/* A value that an option points to, like the command line's for as long as the process lives. */
static const char *keep(struct span text)
{
	static struct strings kept;
	char *copy = xstrndup(text.p, text.len);

	strings_add(&kept, copy);
	return copy;
}

static int set_one(const struct opt *o, const struct conf *c, const struct conf_node *map, void *to,
		   struct err *err)
{
	void *field = (char *)to + o->offset;
	const struct span *list = NULL;
	struct span text = { 0 };
	long number = *(unsigned *)field;
	size_t n = 0;
	int rc;

	switch (o->type) {
	case OPT_FLAG:
		return conf_get_bool(c, map, o->name, field, err);
	case OPT_NUMBER:
		rc = conf_get_int(c, map, o->name, o->min, o->max, &number, err);
		*(unsigned *)field = number;
		return rc;
	case OPT_STRING:
	case OPT_OPTIONAL:
		rc = conf_get_string(c, map, o->name, &text, err);
		if (rc == RC_OK && text.p)
			*(const char **)field = keep(text);
		return rc;
	case OPT_LIST:
		rc = conf_get_strings(c, map, o->name, &list, &n, err);
		for (size_t i = 0; rc == RC_OK && i < n; i++)
			strings_add(field, xstrndup(list[i].p, list[i].len));
		return rc;
	}
	return RC_OK;
}

static int apply_table(const struct opt *opts, const struct conf *c, const struct conf_node *map,
		       void *to, struct err *err)
{
	for (const struct opt *o = opts; o && o->name; o++) {
		int rc;

		if (!conf_get(map, o->name) || is_given(o, to))
			continue;
		rc = set_one(o, c, map, to, err);
		if (rc < 0)
			return rc;
	}
	return RC_OK;
}

/* Every long name of a table, for conf_check_keys. */
static void known_keys(const struct opt *opts, struct strings *known)
{
	for (const struct opt *o = opts; o && o->name; o++)
		strings_add(known, xstrdup(o->name));
}

static int check_keys(const struct cmd *cmd, const struct conf *c, const struct conf_node *root,
		      const struct conf_node *own, struct err *err)
{
	struct strings top = { 0 }, inner = { 0 };
	int rc;

	known_keys(common_opts, &top);
	for (const struct cmd *v = cmds; v->name; v++)
		strings_add(&top, xstrdup(v->name));
	known_keys(common_opts, &inner);
	known_keys(cmd->opts, &inner);
	rc = conf_check_keys(c, root, strings_list(&top), err);
	if (rc == RC_OK && own)
		rc = own->type == CONF_MAP ? conf_check_keys(c, own, strings_list(&inner), err) :
					     conf_err(c, own, err, "a verb's settings are a map");
	strings_done(&top);
	strings_done(&inner);
	return rc;
}

static int apply_file(const struct cmd *cmd, const char *path, int fd, void *to, struct err *err)
{
	const struct conf_node *root, *own;
	AUTO(conf) c = NULL;
	AUTO(mapping) map = NULL;
	struct stat st;
	int rc = file_check_trusted(fd, path, false, err);

	if (rc == RC_OK && fstat(fd, &st) == 0 && (uint64_t)st.st_size > LIMIT_YAML_FILE)
		return err_set(err, RC_REFUSED, "%s is larger than %zu bytes", path, LIMIT_YAML_FILE);
	/* what was checked is what is read */
	if (rc == RC_OK)
		rc = mapping_open(fd, path, &map, err);
	if (rc == RC_OK)
		rc = conf_parse(mapping_span(map), path, &c, err);
	if (rc < 0)
		return rc;
	root = conf_root(c);
	if (root->type != CONF_MAP)
		return conf_err(c, root, err, "settings are a map of option names");
	own = conf_get(root, cmd->name);
	rc = check_keys(cmd, c, root, own, err);
	if (rc == RC_OK && own) {
		rc = apply_table(cmd->opts, c, own, to, err);
		if (rc == RC_OK)
			rc = apply_table(common_opts, c, own, to, err);
	}
	return rc == RC_OK ? apply_table(common_opts, c, root, to, err) : rc;
}

static char *personal_path(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (geteuid() == 0)
		return NULL;
	if (xdg && xdg[0] == '/')
		return xasprintf("%s/corescrub/corescrub.yaml", xdg);
	return home && home[0] == '/' ? xasprintf("%s/.config/corescrub/corescrub.yaml", home) : NULL;
}

int opt_settings(const struct cmd *cmd, void *to, struct err *err)
{
	const struct common_options *common = to;
	AUTO_FREE char *personal = personal_path();
	const char *paths[] = { personal, "/etc/corescrub.yaml", NULL };
	const char *given[] = { common->config, NULL };
	const char *const *list = common->config ? given : paths;
	size_t n = common->config ? 1 : 2;

	for (size_t i = 0; i < n; i++) {
		AUTO_CLOSE int fd = list[i] ? open(list[i], O_RDONLY | O_CLOEXEC) : -1;
		int rc;

		if (fd < 0 && !common->config)
			continue;
		if (fd < 0)
			return err_errno(err, RC_NOTFOUND, "%s", list[i]);
		rc = apply_file(cmd, list[i], fd, to, err);
		if (rc < 0)
			return rc;
	}
	return RC_OK;
}
