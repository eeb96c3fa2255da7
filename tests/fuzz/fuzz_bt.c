/* SPDX-License-Identifier: Apache-2.0 */
#include <corescrub/bt.h>
#include <stdlib.h>

/* Any bytes are read without loss, and every decoded byte comes from inside its value. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool holds)
{
	if (!holds)
		abort();
}

static int add_length(void *ctx, uint64_t off, uint64_t len)
{
	(void)off;
	*(uint64_t *)ctx += len;
	return 0;
}

static void check_string(const struct bt_value *v)
{
	uint64_t off, len, before = v->off;
	size_t step = v->decoded.len / 50 + 1;

	for (size_t i = 0; i < v->decoded.len; i += step) {
		bt_source(v, i, i + 1, &off, &len);
		need(off >= before && len > 0 && off + len <= v->off + v->len);
		before = off;
	}
	bt_source(v, 0, v->decoded.len, &off, &len);
	need(off >= v->off && off + len <= v->off + v->len);
}

static void check_array(const struct bt_value *v)
{
	struct bt_item item;
	size_t pos = 0, n = 0;
	uint64_t end = v->off;

	while (bt_items(v, &pos, &item)) {
		need(item.off >= end && item.off + item.len <= v->off + v->len);
		end = item.off + item.len;
		n++;
	}
	need(n > 0);
}

static uint64_t walk(struct bt *b, struct span text)
{
	AUTO(bt_cursor) c = bt_cursor_new(b);
	const struct bt_value *v;
	uint64_t end = 0, sum = 0;

	while ((v = bt_next(c))) {
		need(v->off + v->len <= text.len && v->src.p == text.p + v->off);
		if (v->type == BT_GROUP || v->type == BT_FRAME)
			continue;
		need(v->off >= end && v->len > 0);
		end = v->off + v->len;
		sum += v->len;
		if (v->type == BT_STRING)
			check_string(v);
		if (v->type == BT_ARRAY)
			check_array(v);
	}
	return sum;
}

static void jump(struct bt *b, struct span text)
{
	AUTO(bt_cursor) c = bt_cursor_new(b);
	const struct bt_value *v;

	for (size_t i = 0; i <= 8; i++) {
		uint64_t off = text.len * i / 8;

		v = bt_value_at(c, off);
		need(!v || (v->off <= off && off < v->off + v->len));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	AUTO(bt) b = NULL;
	uint64_t plain = 0, leaves;

	need(bt_parse(text, &b, NULL) == RC_OK);
	leaves = walk(b, text);
	need(bt_plain(b, add_length, &plain) == 0);
	need(leaves + plain == size);
	jump(b, text);
	(void)bt_probe(text);
	return 0;
}
