/* SPDX-License-Identifier: Apache-2.0 */
#include "core_job.h"

#include <corescrub/elfcore_symbols.h>
#include <corescrub/gdb.h>

#include <stdlib.h>
#include <unistd.h>

/* Typed memory: what symbol rules name, and addresses of hosts whatever they are called. And where
   the program's configuration is, if its profile knows. */

#define TYPED_MAX 500000 /* findings kept: 20 MB */

struct typed {
	struct core_job *j;
	struct detector *d;
	size_t skipped;
};

static bool is_config_folder(const struct core_job *j, const struct elfcore_variable *v)
{
	const struct gdb_profile *p = j->o->profile;

	return p && p->config_variable && v->thread == SIZE_MAX && !v->function &&
	       strcmp(v->path, p->config_variable) == 0;
}

/* A string in place, or, of an object of no known type, one that it points to. */
static void take_config_folder(struct core_job *j, const struct elfcore_variable *v)
{
	char text[4096];
	uint64_t at = v->addr;
	size_t got;

	if (v->shape == ELFCORE_BYTES && v->size == 8 && elfcore_read(j->core, at, text, 8) == 8)
		memcpy(&at, text, 8);
	got = elfcore_read(j->core, at, text, sizeof(text));
	if (j->config_folder || !memchr(text, '\0', got) || !config_folder_fits(j->o->profile, text))
		return;
	j->config_folder = xstrdup(text);
}

static bool name_wanted(void *ctx, struct span name)
{
	const struct typed *t = ctx;

	const struct gdb_profile *p = t->j->o->profile;

	return rule_symbol_may_match(t->j->e->rules, name) ||
	       (p && p->config_variable && span_eq(name, span_str(p->config_variable)));
}

static bool variable_wanted(void *ctx, const struct elfcore_variable *v)
{
	const struct typed *t = ctx;

	return is_config_folder(t->j, v) || detect_variable_wanted(t->d, v);
}

static int variable_found(void *ctx, const struct elfcore_variable *v, struct err *err)
{
	struct typed *t = ctx;
	struct core_job *j = t->j;

	if (is_config_folder(j, v))
		take_config_folder(j, v);
	if (!detect_variable_wanted(t->d, v))
		return RC_OK;
	if (j->typed.n >= TYPED_MAX)
		return err_set(err, RC_TOOBIG, "the core's variables hold more than %d values",
			       TYPED_MAX);
	return detect_variable(t->d, j->core, v, &j->typed,
			       j->e->learn_texts ? j->e->learned : NULL, j->known, err);
}

static void module_skipped(void *ctx, const char *library, const char *why)
{
	struct typed *t = ctx;

	(void)library;
	(void)why;
	t->skipped++;
}

/* Does the policy take addresses at all? */
static bool takes_addresses(const struct ruleset *rs)
{
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		const struct rule_info *r = ruleset_rule(rs, i);

		if (r->active && (r->kind == KIND_IP4 || r->kind == KIND_IP6))
			return true;
	}
	return false;
}

static void say(const struct core_job *j, const struct elfcore_symbols_result *r)
{
	const struct run_listener *l = j->o->listener;
	AUTO_FREE char *text = xasprintf("variables: %zu modules by DWARF, %zu by ELF symbols, %zu "
					 "without either, %zu frames",
					 r->n_dwarf, r->n_elf, r->n_skipped, r->n_frames);

	if (l && l->note)
		l->note(l->ctx, text);
	if (l && l->warn && (r->timed_out || r->capped))
		l->warn(l->ctx, "not all variables of the core were read: what only they name may "
				"still be in it");
}

int core_symbols_learn(struct core_job *j, struct err *err)
{
	struct elfcore_symbols_result result = { 0 };
	struct typed t = { .j = j };
	AUTO(detector) d = NULL;
	struct elfcore_wish wish = {
		.name = name_wanted,
		.wanted = variable_wanted,
		.found = variable_found,
		.skipped = module_skipped,
		.ctx = &t,
		.addresses = takes_addresses(j->e->rules),
		.sysroot = j->o->sysroot,
		.exe = j->o->exe,
		.uid = j->o->uid,
		.gid = j->o->gid,
		.timeout_s = j->o->timeout_s,
		.no_sandbox = j->o->no_sandbox,
		.strict = geteuid() == 0 && !j->o->no_sandbox,
	};
	int rc = detector_new(j->e->rules, NULL, &d, err);

	if (rc < 0)
		return rc;
	t.d = d;
	rc = elfcore_variables(j->core, &wish, &result, err);
	if (rc < 0)
		return rc;
	findings_sort(&j->typed);
	say(j, &result);
	return j->config_folder && j->e->learn_texts ?
		       config_folder_learn(j->e, j->config_folder, j->o->uid, j->o->gid,
					   j->o->listener, err) :
		       RC_OK;
}
