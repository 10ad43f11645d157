/* SPDX-License-Identifier: Apache-2.0 */
/* An inspection as JSON, for programs. */
#include <errno.h>
#include <inttypes.h>

#include "core/base/textstream.h"
#include "core/inspect/findings.h"
#include "core/inspect/jsonout.h"
#include "core/inspect/print.h"

static void add_dax(struct json *json, const struct inspection *inspection)
{
	const struct dax_info *info = &inspection->dax;
	struct dax_field fields[DAX_FIELDS];
	char checksum[19];

	if (!inspection->has_dax) {
		json_add_null(json, "info_block");
		return;
	}
	json_open(json, "info_block", '{');
	json_add_uuid(json, "uuid", info->uuid);
	json_add_uuid(json, "parent_uuid", info->parent_uuid);
	dax_list_fields(info, fields);
	for (int i = 0; i < DAX_FIELDS; i++)
		json_add_number(json, fields[i].name, fields[i].value);
	snprintf(checksum, sizeof(checksum), "0x%016" PRIx64, info->checksum);
	json_add_text(json, "checksum", checksum);
	json_add_flag(json, "checksum_right", info->checksum == info->expected_checksum);
	json_close(json, '}');
}

static void add_place(struct json *json, unsigned int number, uint64_t start_lba, uint64_t sectors,
		      uint64_t start_bytes, uint64_t len_bytes)
{
	json_open(json, NULL, '{');
	json_add_number(json, "number", number);
	json_add_number(json, "start_lba", start_lba);
	json_add_number(json, "sectors", sectors);
	json_add_number(json, "start_bytes", start_bytes);
	json_add_number(json, "size_bytes", len_bytes);
}

static void add_mbr_entry(struct json *json, const struct inspect_view *view, unsigned int number)
{
	const struct mbr_entry *entry = &view->mbr.entries[number];

	add_place(json, number + 1, entry->start_lba, entry->sectors,
		  view->base_bytes + (uint64_t)entry->start_lba * SECTOR_BYTES,
		  (uint64_t)entry->sectors * SECTOR_BYTES);
	json_add_number(json, "type", entry->type);
	json_add_flag(json, "bootable", entry->bootable);
	json_add_gpt_label(json, NULL);
	json_close(json, '}');
}

static void add_mbr(struct json *json, const struct inspect_view *view)
{
	json_open(json, NULL, '{');
	json_add_text(json, "kind", geometry_table_name(IMAGE_TABLE_DOS));
	json_add_number(json, "offset_bytes", view->base_bytes);
	json_add_number(json, "sector_bytes", SECTOR_BYTES);
	json_add_number(json, "disk_signature", view->mbr.disk_signature);
	json_add_null(json, "disk_guid");
	json_open(json, "partitions", '[');
	for (unsigned int i = 0; i < INSPECT_MBR_ENTRIES; i++)
		if (view->mbr.entries[i].sectors)
			add_mbr_entry(json, view, i);
	json_close(json, ']');
	json_close(json, '}');
}

static void add_gpt_entry(struct json *json, const struct inspect_gpt *gpt,
			  const struct inspect_partition *partition)
{
	add_place(json, partition->number, partition->start_bytes / gpt->sector_bytes,
		  partition->len_bytes / gpt->sector_bytes, partition->start_bytes,
		  partition->len_bytes);
	json_add_null(json, "type");
	json_add_null(json, "bootable");
	json_add_gpt_label(json, &partition->label);
	json_close(json, '}');
}

static void add_gpt(struct json *json, const struct inspection *inspection)
{
	const struct inspect_gpt *gpt = &inspection->gpt;

	json_open(json, NULL, '{');
	json_add_text(json, "kind", geometry_table_name(IMAGE_TABLE_GPT));
	json_add_number(json, "offset_bytes", gpt->used->at_bytes);
	json_add_number(json, "sector_bytes", gpt->sector_bytes);
	json_add_null(json, "disk_signature");
	json_add_uuid(json, "disk_guid", gpt->used->fields.disk_guid);
	json_open(json, "partitions", '[');
	for (size_t i = 0; i < inspection->partition_count; i++)
		add_gpt_entry(json, gpt, &inspection->partitions[i]);
	json_close(json, ']');
	json_close(json, '}');
}

static void add_tables(struct json *json, const struct inspection *inspection)
{
	json_open(json, "partition_tables", '[');
	if (inspect_shows_gpt(inspection))
		add_gpt(json, inspection);
	for (int i = 0; i < 2; i++)
		if (inspect_shows_view(inspection, i))
			add_mbr(json, &inspection->views[i]);
	json_close(json, ']');
}

static void add_filesystem(struct json *json, const struct inspection *inspection)
{
	if (!inspection->has_filesystem) {
		json_add_null(json, "filesystem");
		return;
	}
	json_open(json, "filesystem", '{');
	json_add_filesystem(json, &inspection->filesystem);
	json_add_text(json, "backend", inspection->backend);
	if (inspection->root_partition)
		json_add_number(json, "partition", inspection->root_partition);
	else
		json_add_null(json, "partition");
	json_add_number(json, "start_bytes", inspection->root.start_bytes);
	json_close(json, '}');
}

static void add_wrong(struct json *json, const char *key, const struct measure_wrong *wrong)
{
	if (wrong->count == 0) {
		json_add_null(json, key);
		return;
	}
	json_open(json, key, '{');
	json_add_number(json, "count", wrong->count);
	json_add_number(json, "first_block", wrong->first);
	json_add_number(json, "first_start_bytes", wrong->first_off);
	json_close(json, '}');
}

static void add_check(struct json *json, const struct inspect_hash_tree *tree)
{
	const struct measure_findings *found = &tree->findings;

	json_add_flag(json, "checked", tree->checked);
	if (tree->checked) {
		json_add_flag(json, "right",
			      found->root_right && !found->tree.count && !found->data.count);
		add_wrong(json, "wrong_data_blocks", &found->data);
		add_wrong(json, "wrong_tree_blocks", &found->tree);
		json_add_hex(json, "found_root_hash", found->root,
			     verity_digest_bytes(tree->params.hash));
	} else {
		json_add_null(json, "right");
		json_add_null(json, "wrong_data_blocks");
		json_add_null(json, "wrong_tree_blocks");
		json_add_null(json, "found_root_hash");
	}
}

static void add_tree_place(struct json *json, const struct inspect_hash_tree *tree)
{
	static const char *const places[] = { "partition", "append", "file" };

	json_add_text(json, "place", places[tree->place]);
	if (tree->place == HASH_PARTITION)
		json_add_number(json, "partition", tree->partition);
	else
		json_add_null(json, "partition");
	json_add_text(json, "file", tree->place == HASH_FILE ? tree->tree_file : NULL);
	json_add_number(json, "start_bytes", tree->area.start_bytes);
	json_add_number(json, "size_bytes", tree->area.len_bytes);
}

static void add_hash_tree(struct json *json, const struct inspection *inspection)
{
	const struct inspect_hash_tree *tree = &inspection->hash_tree;
	const struct verity_params *params = &tree->params;

	if (!inspection->has_hash_tree) {
		json_add_null(json, "hash_tree");
		return;
	}
	json_open(json, "hash_tree", '{');
	add_tree_place(json, tree);
	json_add_number(json, "data_blocks", params->data_blocks);
	json_add_number(json, "block_bytes", params->data_block_bytes);
	json_add_number(json, "hash_block_bytes", params->hash_block_bytes);
	json_add_text(json, "algorithm", verity_hash_names[params->hash]);
	if (params->superblock)
		json_add_uuid(json, "superblock_uuid", tree->uuid);
	else
		json_add_null(json, "superblock_uuid");
	json_add_text(json, "root_hash_file", tree->file);
	json_add_flag(json, "labelled", tree->labelled);
	if (tree->signature_partition)
		json_add_number(json, "signature_partition", tree->signature_partition);
	else
		json_add_null(json, "signature_partition");
	if (tree->checked || tree->file || tree->labelled)
		json_add_hex(json, "root_hash", tree->expected, verity_digest_bytes(params->hash));
	else
		json_add_null(json, "root_hash");
	add_check(json, tree);
	json_close(json, '}');
}

static void add_findings(struct json *json, const char *key,
			 const struct inspect_findings *findings)
{
	json_open(json, key, '[');
	for (size_t i = 0; i < findings->count; i++)
		json_add_text(json, NULL, findings->sentences[i]);
	json_close(json, ']');
}

static void add_compression(struct json *json, const struct inspection *inspection)
{
	if (inspection->compressed == COMPRESS_NONE) {
		json_add_null(json, "compressed");
		return;
	}
	json_open(json, "compressed", '{');
	json_add_text(json, "form", compress_form_name(inspection->compressed));
	json_add_number(json, "size_bytes", inspection->compressed_bytes);
	json_close(json, '}');
}

static void print_document(const struct inspection *inspection, const char *path, FILE *out)
{
	const char *content = inspection->content.name;
	struct json json;

	json_begin(&json, out, "inspection");
	json_add_text(&json, "image", path);
	json_add_text(&json, "verdict", inspect_verdict(inspection));
	json_add_number(&json, "size_bytes", inspection->image_bytes);
	add_compression(&json, inspection);
	json_add_text(&json, "content", *content ? content : NULL);
	add_dax(&json, inspection);
	add_tables(&json, inspection);
	add_filesystem(&json, inspection);
	add_hash_tree(&json, inspection);
	add_findings(&json, "notes", &inspection->notes);
	add_findings(&json, "unchecked", &inspection->unchecked);
	add_findings(&json, "contradictions", &inspection->problems);
	json_close(&json, '}');
}

int inspect_print_json(const struct inspection *inspection, const char *path, FILE *out)
{
	struct text_stream stream;
	autofree char *text = NULL;
	int ret = text_stream_open(&stream);

	if (ret < 0)
		return ret;
	print_document(inspection, path, stream.out);
	ret = text_stream_close(&stream, &text);
	return ret < 0 ? ret : inspect_put(out, text, "\n");
}
