/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_internal.h"

#include <corescrub/bundle.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The package that only its recipient opens. Its core, programs and configuration are as they were:
 * they are held to their digests; its texts must be clean like the public ones.
 */

struct handoff_look {
	struct verify *v;
	const char *shown;
	bool sealed;
	struct outtree *tree;		/* where it was unpacked, never committed */
	struct bundle_unpacked members;
	struct manifest *m;
	size_t seen;			/* members that the manifest lists */
	size_t clear;			/* of them not meant to be clean */
};

static bool is_meant_clear(const char *kind)
{
	static const char *const kinds[] = {
		"core", "program", "library", "debug", "link", "config",
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

static int by_claim(const void *key, const void *claim)
{
	return strcmp(key, ((const struct report_file *)claim)->path);
}

static const struct report_file *claim_of(const struct handoff_look *h, const char *path)
{
	AUTO_BUF spelled = BUF_INIT;

	report_manifest_path(path, &spelled);
	return h->m && h->m->n_files ? bsearch(spelled.p, h->m->files, h->m->n_files,
					       sizeof(*h->m->files), by_claim) : NULL;
}

static int compare(struct handoff_look *h, const struct bundle_member *member,
		   const struct report_file *claim, int fd, const char *shown, struct err *err)
{
	uint8_t sum[DIGEST_LEN];
	int rc = RC_OK;

	if (member->size != claim->size) {
		verify_change(h->v, shown, "package.size", "not the size that the manifest says");
		return RC_OK;
	}
	if (member->target)
		digest_sha256(span_str(member->target), sum);
	else
		rc = bundle_digest(fd, claim->of_data, sum, err);
	if (rc == RC_OK && memcmp(sum, claim->sha256, DIGEST_LEN) != 0)
		verify_change(h->v, shown, "package.hash", "not the bytes that the manifest says");
	return rc;
}

static int look_inside(struct handoff_look *h, int fd, const char *shown, struct err *err)
{
	AUTO(mapping) map = NULL;
	int rc = mapping_open(fd, shown, &map, err);

	return rc == RC_OK ? verify_bytes(h->v, shown, mapping_span(map), err) : rc;
}

static int one_member(struct handoff_look *h, const struct bundle_member *member, struct err *err)
{
	const char *shown = verify_name(h->v, h->shown, member->path);
	const struct report_file *claim = claim_of(h, member->path);
	AUTO_CLOSE int fd = -1;
	int rc = member->target ? RC_OK : outtree_reopen(h->tree, member->path, &fd, err);

	if (rc < 0)
		return rc;
	if (claim) {
		h->seen++;
		rc = compare(h, member, claim, fd, shown, err);
	} else if (h->m) {
		verify_change(h->v, shown, "package.extra", "the manifest does not list it");
	}
	if (rc < 0 || (claim && is_meant_clear(claim->kind))) {
		h->clear++;
		return rc;
	}
	return member->target ? RC_OK : look_inside(h, fd, shown, err);
}

static void tell_missing(struct handoff_look *h)
{
	for (size_t i = 0; i < h->m->n_files; i++) {
		bool there = false;

		for (size_t k = 0; k < h->members.n && !there; k++)
			there = claim_of(h, h->members.v[k].path) == &h->m->files[i];
		if (!there)
			verify_change(h->v, verify_name(h->v, h->shown, h->m->files[i].path),
				      "package.missing",
				      "the manifest lists it, and it is not there");
	}
}

static int read_manifest(struct handoff_look *h, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	AUTO(mapping) map = NULL;
	bool there = false;
	int rc;

	for (size_t i = 0; i < h->members.n; i++)
		there |= strcmp(h->members.v[i].path, "manifest.json") == 0 &&
			 !h->members.v[i].target;
	if (!there) {
		verify_change(h->v, h->shown, "package.manifest", "there is no manifest.json");
		return RC_OK;
	}
	rc = outtree_reopen(h->tree, "manifest.json", &fd, err);
	if (rc == RC_OK)
		rc = mapping_open(fd, "manifest.json", &map, err);
	return rc == RC_OK ? verify_manifest(h->v, verify_name(h->v, h->shown, "manifest.json"),
					     mapping_span(map), &h->m, err) : rc;
}

static int look_at_all(struct handoff_look *h, struct err *err)
{
	int rc = read_manifest(h, err);

	for (size_t i = 0; rc == RC_OK && i < h->members.n; i++)
		if (strcmp(h->members.v[i].path, "manifest.json") != 0)
			rc = one_member(h, &h->members.v[i], err);
	if (rc == RC_OK && h->m && h->seen < h->m->n_files)
		tell_missing(h);
	if (rc == RC_OK && h->clear && !h->sealed)
		verify_change(h->v, h->shown, "package.clear",
			      "a core, program or configuration that is not encrypted");
	if (rc == RC_OK && h->clear)
		verify_note(h->v, "%s: %zu members (core, programs, configuration) are not meant "
			    "to be clean: their digests alone were checked", h->shown, h->clear);
	return rc == RC_OK ? words_ask(h->v, h->v->words, h->m, err) : rc;
}

static char *place_to_unpack(void)
{
	const char *dir = secure_getenv("TMPDIR");
	uint8_t bytes[8];
	char hex[17];

	digest_random(bytes, sizeof(bytes));
	digest_hex(bytes, sizeof(bytes), hex);
	return xasprintf("%s/corescrub-verify-%s", dir && *dir ? dir : "/var/tmp", hex);
}

int verify_handoff(struct verify *v, const char *shown, int fd, bool sealed, struct err *err)
{
	struct handoff_look h = { .v = v, .shown = shown, .sealed = sealed };
	AUTO_FREE char *place = place_to_unpack();
	AUTO(bundle_unpacker) child = NULL;
	struct err damage = ERR_INIT;
	struct stat st;
	int rc = outtree_open(place, &h.tree, err);

	if (rc == RC_OK && fstat(fd, &st) < 0)
		rc = err_errno(err, RC_IO, "%s", shown);
	if (rc == RC_OK)
		rc = bundle_unpacker_start(fd, &child, err);
	if (rc == RC_OK) {
		rc = bundle_unpack(child, (uint64_t)st.st_size, NULL, h.tree, &h.members, &damage);
		if (rc == RC_FORMAT || rc == RC_TOOBIG)
			verify_change(v, shown, "package.damaged", damage.msg);
		else if (rc < 0)
			*err = damage;
		else
			rc = look_at_all(&h, err);
		rc = rc == RC_FORMAT || rc == RC_TOOBIG ? RC_OK : rc;
	}
	bundle_unpacked_done(&h.members);
	manifest_free(h.m);
	outtree_free(h.tree);
	return rc;
}
