/* SPDX-License-Identifier: Apache-2.0 */
#include "dropin.h"

#include <ctype.h>
#include <stdlib.h>

/* Who says what: the command line, then the environment, then the configs, the nearest first. */

static const char *const switch_names[DROPIN_SWITCHES] = {
	[DROPIN_RUNNING] = "RUNNING",
	[DROPIN_LATEST] = "LATEST",
	[DROPIN_RENAME] = "RENAME",
	[DROPIN_TARBALL_COREDUMPS] = "TARBALL_COREDUMPS",
	[DROPIN_TARBALL_CONFIG] = "TARBALL_CONFIG",
	[DROPIN_TARBALL_RESULTS] = "TARBALL_RESULTS",
	[DROPIN_DELETE_COREDUMPS_AFTER] = "DELETE_COREDUMPS_AFTER",
	[DROPIN_DELETE_RESULTS_AFTER] = "DELETE_RESULTS_AFTER",
	[DROPIN_DRY_RUN] = "DRY_RUN",
	[DROPIN_DEFAULT_SEARCH] = "DEFAULT_SEARCH",
	[DROPIN_APPEND_COREDUMPS] = "APPEND_COREDUMPS",
};

/* --RUNNING is another option than --running: only variables are all capitals. */
#define SWITCHES_OF_CONFIG (DROPIN_RUNNING + 1)

static bool is_same_name(struct span name, const char *variable)
{
	if (name.len != strlen(variable))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (toupper((unsigned char)(name.p[i] == '-' ? '_' : name.p[i])) != variable[i])
			return false;
	return true;
}

int dropin_find_switch(struct span name)
{
	for (int s = 0; s < DROPIN_SWITCHES; s++)
		if (is_same_name(name, switch_names[s]))
			return s;
	return -1;
}

bool dropin_is_on(const struct dropin *d, enum dropin_switch s)
{
	/* these two are what the script does unless told otherwise */
	if (d->said[s] == DROPIN_UNSAID)
		return s == DROPIN_RENAME || s == DROPIN_DEFAULT_SEARCH;
	return d->said[s] == DROPIN_ON;
}

/* "--X=true", "--X=false", "--no-X" of a switch, in any case; else false. */
static bool take_switch(const char *arg, enum dropin_said said[DROPIN_SWITCHES])
{
	struct span name = span_str(arg + 2);
	const char *eq = strchr(arg, '=');
	bool on = true, negated = strncasecmp(name.p, "no-", 3) == 0;
	int s;

	if (eq) {
		name.len = (size_t)(eq - name.p);
		if (strcmp(eq, "=true") != 0 && strcmp(eq, "=false") != 0)
			return false;
		on = strcmp(eq, "=true") == 0;
	}
	if (negated)
		name = span_sub(name, 3, name.len);
	s = dropin_find_switch(name);
	if (s < 0 || (s == DROPIN_RUNNING && *name.p == 'R'))
		return false;
	said[s] = on != negated ? DROPIN_ON : DROPIN_OFF;
	return true;
}

void dropin_args(int argc, char **argv, enum dropin_said said[DROPIN_SWITCHES], struct strings *ret)
{
	bool only_operands = false;

	for (int i = 0; i < argc; i++) {
		const char *arg = argv[i];
		size_t name = strcspn(arg, "=");
		char *lower;

		only_operands = only_operands || strcmp(arg, "--") == 0;
		if (i == 0 || only_operands || strncmp(arg, "--", 2) != 0 ||
		    strcmp(arg, "--RUNNING") == 0) {
			strings_add(ret, xstrdup(arg));
			continue;
		}
		if (take_switch(arg, said))
			continue;
		/* --OUTPUTDIR=x is --outputdir=x */
		lower = xstrdup(arg);
		for (size_t k = 0; k < name; k++)
			lower[k] = lower[k] == '_' ? '-' : (char)tolower((unsigned char)lower[k]);
		strings_add(ret, lower);
	}
}

static void set_text(char **field, struct span value)
{
	if (!*field && value.len)
		*field = xstrndup(value.p, value.len);
}

/* The program is known by its name alone: which file is run or read is not a config's to say. */
static void set_program(struct dropin *d, struct span value)
{
	for (size_t i = value.len; i > 0; i--)
		if (value.p[i - 1] == '/') {
			value = span_sub(value, i, value.len);
			break;
		}
	set_text(&d->program, value);
}

bool dropin_set(struct dropin *d, struct span name, struct span value, struct err *err)
{
	int s = dropin_find_switch(name);

	if (s >= 0) {
		if (!span_eq_str(value, "true") && !span_eq_str(value, "false")) {
			err_set(err, RC_SYNTAX, "%s is true or false", switch_names[s]);
			return true;
		}
		/* running processes are dumped only if that is typed */
		if (s >= SWITCHES_OF_CONFIG && d->said[s] == DROPIN_UNSAID)
			d->said[s] = span_eq_str(value, "true") ? DROPIN_ON : DROPIN_OFF;
		return true;
	}
	if (span_eq_str(name, "OUTPUTDIR"))
		set_text(&d->outputdir, value);
	else if (span_eq_str(name, "DATEOPTS") || span_eq_str(name, "DATEFORMAT"))
		set_text(&d->dateopts, value);
	else if (span_eq_str(name, "ETCDIR"))
		set_text(&d->etcdir, value);
	else if (span_eq_str(name, "ASTERISK_BIN"))
		set_program(d, value);
	else
		return span_eq_str(name, "LIBDIR") || span_eq_str(name, "MODDIR");
	return true;
}

void dropin_done(struct dropin *d)
{
	strings_done(&d->patterns);
	free(d->outputdir);
	free(d->dateopts);
	free(d->program);
	free(d->etcdir);
	free(d->uniqueid);
}
