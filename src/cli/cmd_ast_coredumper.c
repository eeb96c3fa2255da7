/* SPDX-License-Identifier: Apache-2.0 */
#include "dropin.h"
#include "opt_rows.h"

#include <stdlib.h>

#define AT(field) offsetof(struct dropin_options, field)

/* The script's options first, under its names; each switch has a --no- form and takes =true or
   =false. */
const struct opt dropin_opts[] = {
	{ "running", 0, OPT_FLAG, AT(running), NULL,
	  "dump the running program, which suspends calls meanwhile; asks first", 0, 0 },
	{ "RUNNING", 0, OPT_FLAG, AT(without_prompt), NULL, "the same without asking", 0, 0 },
	{ "pid", 0, OPT_STRING, AT(pid), "PID", "the process to dump, if there are several", 0, 0 },
	{ "latest", 0, OPT_FLAG, AT(latest), NULL, "of the cores found, only the newest", 0, 0 },
	{ "outputdir", 0, OPT_STRING, AT(outputdir), "DIR",
	  "where files go (default: beside the core; of a running program /tmp)", 0, 0 },
	{ "asterisk-bin", 0, OPT_STRING, AT(asterisk_bin), "FILE",
	  "the program (default: the core's own); its name tells which cores and process are meant", 0,
	  0 },
	{ "moddir", 0, OPT_STRING, AT(moddir), "DIR", "taken, not needed: the core names its modules", 0,
	  0 },
	{ "libdir", 0, OPT_STRING, AT(libdir), "DIR", "taken, not needed: the core names its libraries",
	  0, 0 },
	{ "etcdir", 0, OPT_STRING, AT(etcdir), "DIR",
	  "the program's configs: their secrets are learned (default: /etc/asterisk)", 0, 0 },
	{ "gdb", 0, OPT_STRING, AT(gdb), "FILE", "the gdb to run", 0, 0 },
	{ "rename", 0, OPT_FLAG, AT(rename), NULL,
	  "name the core core-asterisk-DATE by its time (the default; --no-rename)", 0, 0 },
	{ "dateopts", 0, OPT_STRING, AT(dateopts), "OPTS",
	  "dates as date(1) takes them (default: -u +%FT%H-%M-%SZ)", 0, 0 },
	{ "dateformat", 0, OPT_STRING, AT(dateformat), "OPTS", "the same", 0, 0 },
	{ "tarball-coredumps", 0, OPT_FLAG, AT(tarball_coredumps), NULL,
	  "pack core, program, modules and texts for the developer; needs --encrypt-to", 0, 0 },
	{ "tarball-config", 0, OPT_FLAG, AT(tarball_config), NULL, "put the configs into the tarball too",
	  0, 0 },
	{ "tarball-results", 0, OPT_FLAG, AT(tarball_results), NULL, "pack the texts into one tar.gz", 0,
	  0 },
	{ "delete-coredumps-after", 0, OPT_FLAG, AT(delete_coredumps_after), NULL,
	  "delete each core that was processed", 0, 0 },
	{ "delete-results-after", 0, OPT_FLAG, AT(delete_results_after), NULL,
	  "leave no texts beside the tarball", 0, 0 },
	{ "dry-run", 0, OPT_FLAG, AT(dry_run), NULL, "only say what would be done", 0, 0 },
	{ "tarball-uniqueid", 0, OPT_STRING, AT(uniqueid), "ID",
	  "in the names of dump and tarball, instead of the date", 0, 0 },
	{ "no-default-search", 0, OPT_FLAG, AT(no_default_search), NULL,
	  "take only the cores that are named", 0, 0 },
	{ "append-coredumps", 0, OPT_FLAG, AT(append_coredumps), NULL,
	  "search the default places besides those that are named", 0, 0 },
	{ "no-scrub", 0, OPT_FLAG, AT(no_scrub), NULL,
	  "DANGEROUS: texts with passwords, numbers and names in the clear", 0, 0 },
	{ "encrypt-to", 0, OPT_LIST, AT(recipients.encrypt_to), "RECIPIENT",
	  "who may open the tarball of a core: age1..., ssh-ed25519 ... or ssh-rsa ...", 0, 0 },
	{ "recipients-file", 0, OPT_LIST, AT(recipients.files), "FILE",
	  "the same from a file, one per line, as github.com/USER.keys", 0, 0 },
	{ "passphrase", 0, OPT_FLAG, AT(recipients.passphrase), NULL,
	  "encrypt the tarball of a core with a passphrase, asked for at the terminal", 0, 0 },
	{ "recipients", 0, OPT_LIST, AT(recipients.settings), "RECIPIENT", NULL, 0, 0 },
	{ "allow-plaintext", 0, OPT_FLAG, AT(allow_plaintext), NULL,
	  "DANGEROUS: a tarball of the core that anybody can open", 0, 0 },
	{ "attach", 0, OPT_LIST, AT(attach), "PATH", "scrub this file or folder and pack it too", 0, 0 },
	OPT_ROW_LEARN,
	{ "no-learn", 0, OPT_FLAG, AT(no_learn), NULL, "learn nothing from configs or the texts", 0, 0 },
	OPT_ROWS_WORDS,
	{ "case", 0, OPT_STRING, AT(case_name), "NAME", "names the case (default: random)", 0, 0 },
	{ "no-map", 0, OPT_FLAG, AT(no_map), NULL, "write no private map", 0, 0 },
	{ "accept-open", 0, OPT_FLAG, AT(accept_open), NULL,
	  "pack although open items remain; the manifest records it", 0, 0 },
	{ "timeout", 0, OPT_NUMBER, AT(timeout), "SECONDS", "how long one gdb may take", 1, 86400 },
	{ "jobs", 'j', OPT_NUMBER, AT(jobs), "N", "gdb processes at once (default: the processors)", 1,
	  256 },
	{ "no-sandbox", 0, OPT_FLAG, AT(no_sandbox), NULL, "run gdb unconfined", 0, 0 },
	{ 0 },
};

/* What the settings file says of switches that the command line left alone. */
static void say_settings(struct dropin *d)
{
	const struct dropin_options *o = d->o;
	const struct {
		enum dropin_switch s;
		bool on;
	} rows[] = {
		{ DROPIN_LATEST, o->latest },
		{ DROPIN_RENAME, o->rename },
		{ DROPIN_TARBALL_COREDUMPS, o->tarball_coredumps },
		{ DROPIN_TARBALL_CONFIG, o->tarball_config },
		{ DROPIN_TARBALL_RESULTS, o->tarball_results },
		{ DROPIN_DELETE_COREDUMPS_AFTER, o->delete_coredumps_after },
		{ DROPIN_DELETE_RESULTS_AFTER, o->delete_results_after },
		{ DROPIN_DRY_RUN, o->dry_run },
		{ DROPIN_APPEND_COREDUMPS, o->append_coredumps },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].on && d->said[rows[i].s] == DROPIN_UNSAID)
			d->said[rows[i].s] = DROPIN_ON;
	if (o->no_default_search && d->said[DROPIN_DEFAULT_SEARCH] == DROPIN_UNSAID)
		d->said[DROPIN_DEFAULT_SEARCH] = DROPIN_OFF;
	if (o->without_prompt)
		d->said[DROPIN_RUNNING] = DROPIN_ON;
}

static int set(struct dropin *d, const char *variable, const char *value, struct err *err)
{
	struct err e = ERR_INIT;

	if (!value || !*value)
		return RC_OK;
	dropin_set(d, span_str(variable), span_str(value), &e);
	return e.code < 0 ? err_set(err, RC_USAGE, "%s", e.msg) : RC_OK;
}

/* The command line, the environment, the configs, the defaults. */
static int settle(struct dropin *d, struct err *err)
{
	static const char *const variables[] = { "OUTPUTDIR", "DATEOPTS", "DATEFORMAT", "ETCDIR",
						 "ASTERISK_BIN", "LATEST", "RENAME", "TARBALL_COREDUMPS",
						 "TARBALL_CONFIG", "TARBALL_RESULTS",
						 "DELETE_COREDUMPS_AFTER", "DELETE_RESULTS_AFTER",
						 "DRY_RUN" };
	const struct dropin_options *o = d->o;
	int rc = set(d, "OUTPUTDIR", o->outputdir, err);

	say_settings(d);
	set(d, "DATEOPTS", o->dateopts, NULL);
	set(d, "DATEOPTS", o->dateformat, NULL);
	set(d, "ETCDIR", o->etcdir, NULL);
	set(d, "ASTERISK_BIN", o->asterisk_bin, NULL);
	for (size_t i = 0; rc == RC_OK && i < ARRAY_SIZE(variables); i++)
		rc = set(d, variables[i], getenv(variables[i]), err);
	if (rc == RC_OK)
		rc = dropin_config(d, err);
	if (o->uniqueid && *o->uniqueid) {
		d->uniqueid = xstrdup(o->uniqueid);
		dropin_plain_name(d->uniqueid);
	}
	set(d, "DATEOPTS", "-u +%FT%H-%M-%SZ", NULL);
	set(d, "ASTERISK_BIN", "asterisk", NULL);
	return rc;
}

int cmd_ast_coredumper(const struct cmd *cmd, int argc, char **argv)
{
	struct dropin_options o = { .timeout = LIMIT_GDB_SECONDS };
	struct dropin d = { .o = &o };
	struct strings words = { 0 }, args = { 0 };
	struct err err = ERR_INIT;
	int rc;

	dropin_args(argc, argv, d.said, &words);
	rc = cmd_begin(cmd, (int)words.n, words.v, &o, &args, &err);
	if (rc == RC_OK)
		rc = settle(&d, &err);
	if (rc == RC_OK)
		rc = dropin_run(&d, &args, &err);
	dropin_done(&d);
	rc = cmd_end(cmd, &o, &args, rc, &err);
	strings_done(&words);
	return rc;
}
