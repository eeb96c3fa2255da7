/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_internal.h"

#include <corescrub/archive.h>
#include <corescrub/tarball.h>
#include <stdlib.h>

/* One text: the rules over it, then the second look, each on its own. */

struct range { uint64_t off, end; };
struct look {
	struct verify *v;
	const char *shown;
	struct span text;
	const struct page_map *page;	/* of a page's text, or NULL */
	struct span source;		/* what line and column are of */
	bool known_only;		/* shapes are no hint in what stands around our own text */
	uint64_t line, line_off;	/* the line that begins at line_off, of source */
	struct range *told;		/* by rules, rising */
	size_t n, cap;
};

static struct verify_at place(struct look *l, uint64_t off)
{
	const char *p = l->source.p, *nl;

	if (l->page)
		off = page_map_source(l->page, off);
	if (off > l->source.len)
		off = l->source.len;
	if (off < l->line_off || l->line == 0) {
		l->line = 1;
		l->line_off = 0;
	}
	while ((nl = memchr(p + l->line_off, '\n', off - l->line_off))) {
		l->line_off = (uint64_t)(nl + 1 - p);
		l->line++;
	}
	return (struct verify_at){ l->shown, l->line, off - l->line_off + 1 };
}

static int rule_finding(void *ctx, const struct artifact *a, const struct redact_plan *p)
{
	struct look *l = ctx;

	(void)a;
	for (size_t i = 0; i < p->n_edits; i++) {
		const struct edit *e = &p->edits[i];
		const struct finding *f = &p->found.v[e->finding];
		const struct finding_rule *rule = &p->found.rules[f->rule];

		verify_leak(l->v, place(l, e->off), rule->id, value_kind_name((enum kind)f->kind),
			    rule->summary ? rule->summary : "a rule would take it");
		GROW(l->told, l->n, l->cap);
		l->told[l->n++] = (struct range){ e->off, e->off + e->len };
	}
	return RC_OK;
}

/* Did a rule tell of this place? */
static bool is_told(const struct look *l, uint64_t off, uint64_t end)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->told[mid].end > off)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < l->n && l->told[lo].off < end;
}

/* An address's bytes as gdb prints them, which a buffer that was used again may hold by itself. */
static bool is_packed(const struct look *l, const struct check_item *item)
{
	bool address = item->kind == KIND_IP4 || item->kind == KIND_IP4_LAN ||
		       item->kind == KIND_IP6 || item->kind == KIND_IP6_LAN;

	return address && memchr(l->text.p + item->off, '\\', item->len);
}

static int check_finding(void *ctx, const char *name, const struct check_item *item)
{
	struct look *l = ctx;
	const char *kind = value_kind_name(item->kind);

	(void)name;
	if (is_told(l, item->off, item->off + item->len) || (l->known_only && !item->known))
		return 0;
	/* a page says again what the texts say */
	if (l->page && item->level == CHECK_HINT)
		return 0;
	if (item->known && is_packed(l, item))
		verify_hint(l->v, place(l, item->off), "check.packed", kind,
			    "packed bytes of a known address");
	else if (item->known)
		verify_leak(l->v, place(l, item->off), "check.known", kind, item->what);
	else
		verify_hint(l->v, place(l, item->off), "check.shape", kind, item->what);
	return 0;
}

static int drop(struct sink *sink, struct span bytes, struct err *err)
{
	(void)sink;
	(void)bytes;
	(void)err;
	return RC_OK;
}

static int look_by_rules(struct look *l, struct err *err)
{
	AUTO(artifact) a = artifact_new(l->shown, ARTIFACT_TEXT);
	struct sink nowhere = { drop };

	a->text = l->text;
	return redact_all(l->v->engine->redactor, l->v->engine->detector, a, &nowhere, rule_finding,
			  l, err);
}

/* What it finds is told as it goes; that there was something is no failure here. */
static int look_again(struct look *l, struct err *err)
{
	struct err found = ERR_INIT;
	int rc;

	engine_pass_kept(l->v->engine);
	rc = check_look(l->v->engine->check, l->shown, l->text, check_finding, l, &found);

	if (rc < 0 && rc != RC_LEAK) {
		*err = found;
		return rc;
	}
	return RC_OK;
}

static int look_at(struct look *l, bool rules, struct err *err)
{
	int rc = rules && !l->v->job->no_rules ? look_by_rules(l, err) : RC_OK;

	if (rc == RC_OK)
		rc = look_again(l, err);
	if (rc == RC_OK && l->v->words && !l->page)
		words_take(l->v->words, l->shown, l->text);
	free(l->told);
	return rc;
}

static bool is_page(const char *shown)
{
	return span_ends(span_str(shown), SPAN_LIT(".html"));
}

/* Tags and entities are no text that rules were made for: a page's bytes get the second look alone,
   its text both. */
static int look_at_page(struct verify *v, const char *shown, struct span html, struct err *err)
{
	struct look raw = {
		.v = v, .shown = shown, .text = html, .source = html, .known_only = true,
	};
	struct page_map map = { .v = NULL };
	AUTO_BUF text = BUF_INIT;
	struct look seen = { .v = v, .shown = shown, .page = &map, .source = html };
	int rc;

	verify_page_text(html, &text, &map);
	seen.text = buf_span(&text);
	rc = look_at(&seen, true, err);
	if (rc == RC_OK)
		rc = look_at(&raw, false, err);
	free(map.v);
	return rc;
}

int verify_text(struct verify *v, const char *shown, struct span text, struct err *err)
{
	struct look l = { .v = v, .shown = shown, .text = text, .source = text };

	v->result->files++;
	return is_page(shown) ? look_at_page(v, shown, text, err) : look_at(&l, true, err);
}

/* By the schema its digests are digests: known values aside, only what is free to be any text
   counts. */
int verify_manifest_text(struct verify *v, const char *shown, struct span text,
			 const struct manifest *m, struct err *err)
{
	struct look raw = {
		.v = v, .shown = shown, .text = text, .source = text, .known_only = true,
	};
	struct look texts = { .v = v, .shown = shown };
	int rc;

	if (!m)
		return verify_text(v, shown, text, err);
	v->result->files++;
	texts.text = texts.source = buf_span(&m->texts);
	rc = look_at(&texts, true, err);
	return rc == RC_OK ? look_at(&raw, false, err) : rc;
}

int verify_name_text(struct verify *v, const char *shown, const char *name, struct err *err)
{
	struct span text = span_str(name);
	struct look l = { .v = v, .shown = shown, .text = text, .source = text };

	return look_at(&l, true, err);
}

struct walk {
	struct verify *v;
	const char *shown;
};

static int walk_text(void *ctx, const char *path, struct span text, struct buf *ret,
		     struct err *err)
{
	struct walk *w = ctx;
	const char *shown = verify_name(w->v, NULL, path);

	(void)ret;
	if (archive_probe_bytes(text) == ARCHIVE_BINARY) {	/* a key in DER */
		verify_change(w->v, shown, "package.unread", "neither text nor an archive");
		return RC_OK;
	}
	return verify_text(w->v, shown, text, err);
}

static int walk_name(void *ctx, const char *path, struct span name, struct buf *ret,
		     struct err *err)
{
	struct walk *w = ctx;
	AUTO_FREE char *text = xstrndup(name.p, name.len);

	(void)ret;
	return verify_name_text(w->v, verify_name(w->v, NULL, path), text, err);
}

static void walk_left_out(void *ctx, const char *path, const char *why)
{
	struct walk *w = ctx;

	verify_change(w->v, verify_name(w->v, NULL, path), "package.unread", why);
}

static int pass_member(void *ctx, const struct tarball_member *m, struct err *err)
{
	(void)ctx;
	(void)m;
	(void)err;
	return RC_OK;
}

static void tell_odd(void *ctx, const char *path, const char *what)
{
	struct walk *w = ctx;

	(void)path;
	verify_change(w->v, w->shown, "package.form", what);
}

int verify_bytes(struct verify *v, const char *shown, struct span bytes, struct err *err)
{
	struct walk w = { v, shown };
	struct archive_visitor visitor = { walk_text, walk_name, walk_left_out, &w, false };
	struct tarball_visitor strict = { pass_member, tell_odd, &w };
	struct look raw = { .v = v, .shown = shown, .text = bytes, .source = bytes };
	enum archive_probe probe = archive_probe_bytes(bytes);
	struct err ignored = ERR_INIT;
	int rc;

	if (probe == ARCHIVE_PLAIN)
		return verify_text(v, shown, bytes, err);
	if (probe == ARCHIVE_BINARY) {
		verify_change(v, shown, "package.unread", archive_probe_binary(bytes));
		return RC_OK;
	}
	/* what stands between members, and in headers, is found by its bytes */
	rc = look_again(&raw, err);
	if (rc == RC_OK && v->in_package && tarball_probe(bytes))
		tarball_walk(bytes, &strict, &ignored);
	return rc == RC_OK ? archive_walk(bytes, shown, &visitor, err) : rc;
}
