/* SPDX-License-Identifier: Apache-2.0 */
#include "rule_internal.h"

#include <corescrub/base/file.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * The prepared database: what libhs compiled for the packs, kept so that a short scrub need not
 * wait.
 *
 *   "corescrub-hsdb-1\n"
 *   key             32 bytes: SHA-256 of the packs' hash, libhs's version and the processor
 *   sections        u32: how many; each of them:
 *     set           32 bytes: scan_set.key
 *     n_targets     u32, then as many u32 of flags for libhs (0: not in the database)
 *     size          u64, then as many bytes of hs_serialize_database()
 *
 * Integers are in this machine's order: the file is of no use elsewhere. It is taken from a trusted
 * place only, and even then each rule's first example must come through the database: one that
 * finds nothing would blind every scan without a sign.
 */

#define MAGIC	     "corescrub-hsdb-1\n"
#define PREPARED_MAX MIB(512)

struct prepared {
	struct buf bytes;
	size_t sections; /* offset of their count */
};

/* The file's bytes from an offset on; reads past the end give false. */
struct cursor {
	struct span bytes;
	size_t at;
};

static bool take(struct cursor *c, void *to, size_t n)
{
	if (c->bytes.len - c->at < n)
		return false;
	if (to)
		memcpy(to, c->bytes.p + c->at, n);
	c->at += n;
	return true;
}

static void file_key(const struct ruleset *rs, uint8_t ret[DIGEST_LEN])
{
	AUTO(sha256) h = sha256_new();
	hs_platform_info_t platform;

	memset(&platform, 0, sizeof(platform));
	if (hs_populate_platform(&platform) != HS_SUCCESS)
		memset(&platform, 0, sizeof(platform));
	sha256_add(h, rs->hash, sizeof(rs->hash));
	sha256_add(h, hs_version(), strlen(hs_version()));
	sha256_add(h, &platform, sizeof(platform));
	sha256_end(h, ret);
}

void rule_prepared_free(struct prepared *p)
{
	if (!p)
		return;
	buf_done(&p->bytes);
	free(p);
}
AUTO_DEFINE(prepared, rule_prepared_free)

int rule_prepared_open(const struct ruleset *rs, const char *path, struct prepared **ret)
{
	AUTO(prepared) p = xcalloc(1, sizeof(*p));
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint8_t key[DIGEST_LEN], found[DIGEST_LEN];
	char magic[sizeof(MAGIC) - 1];
	struct cursor c = { .at = 0 };
	struct stat st;
	int rc;

	if (fd < 0)
		return RC_NOTFOUND;
	rc = file_check_trusted(fd, path, false, NULL);
	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0 || st.st_size <= 0 || (uint64_t)st.st_size > PREPARED_MAX)
		return RC_FORMAT;
	rc = buf_reserve_input(&p->bytes, (size_t)st.st_size, PREPARED_MAX, NULL);
	if (rc < 0)
		return rc;
	while (p->bytes.len < (size_t)st.st_size) {
		ssize_t n = read(fd, p->bytes.p + p->bytes.len, (size_t)st.st_size - p->bytes.len);

		if (n <= 0)
			return RC_IO;
		p->bytes.len += (size_t)n;
	}
	c.bytes = buf_span(&p->bytes);
	file_key(rs, key);
	if (!take(&c, magic, sizeof(magic)) || memcmp(magic, MAGIC, sizeof(magic)) ||
	    !take(&c, found, sizeof(found)) || memcmp(found, key, sizeof(key)))
		return RC_FORMAT;
	p->sections = c.at;
	*ret = STEAL(p);
	return RC_OK;
}

/* Finds the set's section; gives its flags and bytes. */
static bool find_section(const struct prepared *p, const struct scan_set *set, unsigned *ret_flags,
			 struct span *ret_db)
{
	struct cursor c = { buf_span(&p->bytes), p->sections };
	uint32_t sections, n, flag;
	uint8_t key[DIGEST_LEN];
	uint64_t size;

	if (!take(&c, &sections, sizeof(sections)))
		return false;
	for (; sections; sections--) {
		bool wanted;

		if (!take(&c, key, sizeof(key)) || !take(&c, &n, sizeof(n)))
			return false;
		wanted = !memcmp(key, set->key, sizeof(key)) && n == set->n_targets;
		for (uint32_t i = 0; i < n; i++) {
			if (!take(&c, &flag, sizeof(flag)))
				return false;
			if (wanted)
				ret_flags[i] = flag;
		}
		if (!take(&c, &size, sizeof(size)))
			return false;
		*ret_db = span_make(c.bytes.p + c.at, size);
		if (!take(&c, NULL, size))
			return false;
		if (wanted)
			return true;
	}
	return false;
}

struct proof {
	const struct scan_set *set;
	const struct rule *rule;
	bool found;
};

static bool target_is_of(const struct scan_set *set, const struct scan_target *t,
			 const struct rule *r)
{
	for (size_t i = 0; i < t->n; i++)
		if (set->units[t->first + i] - r->first_unit < r->n_units)
			return true;
	return false;
}

static int on_proof(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
		    void *ctx)
{
	struct proof *p = ctx;

	(void)from;
	(void)to;
	(void)flags;
	p->found |= id < p->set->n_targets && target_is_of(p->set, &p->set->targets[id], p->rule);
	return p->found;
}

/* Is it for libhs alone to find the rule? Other ways need no proof. */
static bool rests_on_libhs(const struct scan_set *set, const struct rule *r)
{
	bool rests = false;

	for (size_t i = 0; i < set->n_targets; i++) {
		if (!target_is_of(set, &set->targets[i], r))
			continue;
		if (!set->flags[i])
			return false;
		rests = true;
	}
	return rests;
}

/* Every rule that libhs is to find must have a candidate in its first example. */
static bool prove(const struct ruleset *rs, const struct scan_set *set, const hs_database_t *db)
{
	hs_scratch_t *scratch = NULL;
	bool proven = !db || hs_alloc_scratch(db, &scratch) == HS_SUCCESS;

	for (size_t i = 0; i < rs->n_rules && proven; i++) {
		const struct rule *r = &rs->rules[i];
		struct proof p = { set, r, false };

		if (!rests_on_libhs(set, r))
			continue;
		if (db && r->n_examples && !r->examples->negative)
			hs_scan(db, r->examples->in.p, (unsigned)r->examples->in.len, 0, scratch,
				on_proof, &p);
		proven = p.found;
	}
	hs_free_scratch(scratch);
	return proven;
}

bool rule_prepared_get(struct ruleset *rs, struct scan_set *set, hs_database_t **ret)
{
	AUTO_FREE unsigned *flags = xcalloc(set->n_targets + 1, sizeof(*flags));
	hs_database_t *db = NULL;
	struct span bytes;

	if (!find_section(rs->prepared, set, flags, &bytes))
		return false;
	if (bytes.len && hs_deserialize_database(bytes.p, bytes.len, &db) != HS_SUCCESS)
		return false;
	memcpy(set->flags, flags, set->n_targets * sizeof(*flags));
	rule_set_every(set);
	if (!prove(rs, set, db)) {
		hs_free_database(db);
		return false;
	}
	*ret = db;
	return true;
}

static int add_section(struct scan_set *set, const hs_database_t *db, struct buf *out,
		       struct err *err)
{
	uint32_t n = (uint32_t)set->n_targets;
	char *bytes = NULL;
	size_t len = 0;
	uint64_t size;

	if (db && hs_serialize_database(db, &bytes, &len) != HS_SUCCESS)
		return err_set(err, RC_INTERNAL, "libhs can't serialise its database");
	size = len;
	buf_add(out, set->key, sizeof(set->key));
	buf_add(out, &n, sizeof(n));
	for (size_t i = 0; i < set->n_targets; i++) {
		uint32_t flag = set->flags[i];

		buf_add(out, &flag, sizeof(flag));
	}
	buf_add(out, &size, sizeof(size));
	buf_add(out, bytes, len);
	free(bytes);
	return RC_OK;
}

static bool contains_key(const struct buf *keys, const uint8_t key[DIGEST_LEN])
{
	for (size_t i = 0; i + DIGEST_LEN <= keys->len; i += DIGEST_LEN)
		if (!memcmp(keys->p + i, key, DIGEST_LEN))
			return true;
	return false;
}

static int prepare_set(struct ruleset *rs, struct scan_set *set, struct buf *keys, struct buf *out,
		       uint32_t *sections, struct err *err)
{
	hs_database_t *db = NULL;
	int rc;

	rule_set_targets(rs, set);
	if (!set->n_targets || contains_key(keys, set->key))
		return RC_OK;
	buf_add(keys, set->key, DIGEST_LEN);
	rc = rule_set_compile(rs, set, &db, err);
	if (rc == RC_OK && db && !prove(rs, set, db))
		rc = err_set(err, RC_SYNTAX,
			     "a rule without an example that it hits can't be prepared");
	if (rc == RC_OK)
		rc = add_section(set, db, out, err);
	*sections += rc == RC_OK;
	hs_free_database(db);
	return rc;
}

int ruleset_prepare(struct ruleset *rs, int fd, const char *name, struct err *err)
{
	AUTO_BUF body = BUF_INIT, keys = BUF_INIT, out = BUF_INIT;
	uint8_t key[DIGEST_LEN];
	uint32_t sections = 0;
	int rc = RC_OK;

	/* of one that loses matches nothing is kept: without sections, PCRE2 works alone */
	for (unsigned i = 0;
	     rule_libhs_is_sound() && i < POLICY_COUNT * WHERE_COUNT * RULE_SHARES && rc == RC_OK;
	     i++) {
		unsigned policy = 1u << i / RULE_SHARES / WHERE_COUNT;
		unsigned where = 1u << i / RULE_SHARES % WHERE_COUNT;
		struct scan_set *set = rule_set_build(rs, policy, where, i % RULE_SHARES);

		rc = prepare_set(rs, set, &keys, &body, &sections, err);
		rule_set_free(set);
	}
	if (rc < 0)
		return rc;
	file_key(rs, key);
	buf_add_str(&out, MAGIC);
	buf_add(&out, key, sizeof(key));
	buf_add(&out, &sections, sizeof(sections));
	buf_add_span(&out, buf_span(&body));
	return file_write_all(fd, buf_span(&out), name, err);
}
