/* SPDX-License-Identifier: Apache-2.0 */
#include "core/diff/diff.h"
#include "core/inspect/jsonout.h"
#include "lib/cleanup.h"

static const char *type_word(const struct kataimg_node *node)
{
	static const char *const words[] = {
		[KATAIMG_REG] = "file",
		[KATAIMG_DIR] = "directory",
		[KATAIMG_CHR] = "character-device",
		[KATAIMG_BLK] = "block-device",
		[KATAIMG_FIFO] = "fifo",
		[KATAIMG_SOCK] = "socket",
		[KATAIMG_LNK] = "symlink",
	};

	return node ? words[node->type] : NULL;
}

static void add_bits(struct json *json, unsigned int bits)
{
	static const char *const words[] = { "type",  "content", "size", "mtime", "mode",
					     "owner", "group",   "acl",  "xattr", "hardlink" };

	json_open(json, "differs", '[');
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bits & (1u << i))
			json_add_text(json, NULL, words[i]);
	json_close(json, ']');
}

static int add_item(struct json *json, const struct diff_item *item)
{
	autofree char *path = diff_path(item);

	if (!path)
		return -1;
	json_open(json, NULL, '{');
	json_add_text(json, "path", path);
	json_add_text(json, "change", !item->a ? "added" : !item->b ? "removed" : "changed");
	json_add_text(json, "a_type", type_word(item->a));
	json_add_text(json, "b_type", type_word(item->b));
	add_bits(json, item->bits);
	json_close(json, '}');
	return 0;
}

static int add_entries(struct json *json, const struct diff *diff)
{
	int ret = 0;

	json_add_number(json, "added", diff->added);
	json_add_number(json, "removed", diff->removed);
	json_add_number(json, "changed", diff->changed);
	json_open(json, "entries", '[');
	for (size_t i = 0; ret == 0 && i < diff->items.count; i++)
		ret = add_item(json, &diff->items.items[i]);
	json_close(json, ']');
	json_add_null(json, "blocks");
	return ret;
}

static void add_blocks(struct json *json, const struct diff_blocks *blocks)
{
	struct diff_total totals[DIFF_TOTALS];
	uint64_t first = 0, count;

	json_add_null(json, "added");
	json_add_null(json, "removed");
	json_add_null(json, "changed");
	json_add_null(json, "entries");
	json_open(json, "blocks", '{');
	json_add_number(json, "a_bytes", blocks->a_bytes);
	json_add_number(json, "b_bytes", blocks->b_bytes);
	json_open(json, "ranges", '[');
	for (; diff_blocks_next(blocks, &first, &count); first += count) {
		json_open(json, NULL, '{');
		json_add_number(json, "offset_bytes", first * DIFF_BLOCK_BYTES);
		json_add_number(json, "size_bytes", count * DIFF_BLOCK_BYTES);
		json_close(json, '}');
	}
	json_close(json, ']');
	diff_blocks_total(blocks, totals);
	json_open(json, "totals", '[');
	for (int i = 0; i < DIFF_TOTALS; i++) {
		json_open(json, NULL, '{');
		json_add_number(json, "block_bytes", totals[i].block_bytes);
		json_add_number(json, "blocks", totals[i].count);
		json_add_number(json, "differing", totals[i].differing);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_close(json, '}');
}

int diff_print_json(const char *a, const char *b, const struct diff *diff,
		    const struct diff_blocks *blocks, FILE *out, struct error *error)
{
	uint64_t first = 0, count;
	struct json json;
	int ret = 0;

	json_begin(&json, out, "diff");
	json_add_text(&json, "a", a);
	json_add_text(&json, "b", b);
	json_add_flag(&json, "equal",
		      diff ? diff->items.count == 0 : !diff_blocks_next(blocks, &first, &count));
	if (diff)
		ret = add_entries(&json, diff);
	else
		add_blocks(&json, blocks);
	json_close(&json, '}');
	putc('\n', out);
	return ret < 0 ? error_nomem(error) : 0;
}
