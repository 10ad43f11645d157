/* SPDX-License-Identifier: Apache-2.0 */
/* An inspection as JSON, for programs. */
#include <errno.h>
#include <inttypes.h>

#include "core/inspect/findings.h"
#include "core/inspect/jsonout.h"
#include "core/inspect/print.h"

static json_object *dax_to_json(const struct inspection *inspection)
{
	const struct dax_info *info = &inspection->dax;
	struct dax_field fields[DAX_FIELDS];
	json_object *object;
	char checksum[19];

	if (!inspection->has_dax)
		return NULL;
	object = json_object_new_object();
	json_add_uuid(object, "uuid", info->uuid);
	json_add_uuid(object, "parent_uuid", info->parent_uuid);
	dax_list_fields(info, fields);
	for (int i = 0; i < DAX_FIELDS; i++)
		json_add_number(object, fields[i].name, fields[i].value);
	snprintf(checksum, sizeof(checksum), "0x%016" PRIx64, info->checksum);
	json_add_text(object, "checksum", checksum);
	json_add_flag(object, "checksum_right", info->checksum == info->expected_checksum);
	return object;
}

static json_object *entry_to_json(const struct inspect_view *view, int number)
{
	const struct mbr_entry *entry = &view->mbr.entries[number];
	json_object *object = json_object_new_object();

	json_add_number(object, "number", (uint64_t)number + 1);
	json_add_number(object, "start_lba", entry->start_lba);
	json_add_number(object, "sectors", entry->sectors);
	json_add_number(object, "start_bytes",
			view->base_bytes + (uint64_t)entry->start_lba * SECTOR_BYTES);
	json_add_number(object, "size_bytes", (uint64_t)entry->sectors * SECTOR_BYTES);
	json_add_number(object, "type", entry->type);
	json_add_flag(object, "bootable", entry->bootable);
	return object;
}

static json_object *view_to_json(const struct inspect_view *view)
{
	json_object *object = json_object_new_object();
	json_object *partitions = json_object_new_array();

	json_add_number(object, "offset_bytes", view->base_bytes);
	json_add_number(object, "disk_signature", view->mbr.disk_signature);
	for (int i = 0; i < INSPECT_PARTITIONS; i++)
		if (view->mbr.entries[i].sectors)
			json_object_array_add(partitions, entry_to_json(view, i));
	json_object_object_add(object, "partitions", partitions);
	return object;
}

static json_object *views_to_json(const struct inspection *inspection)
{
	json_object *array = json_object_new_array();

	if (inspect_shows_view(inspection, 0))
		json_object_array_add(array, view_to_json(&inspection->views[0]));
	if (inspect_shows_view(inspection, 1))
		json_object_array_add(array, view_to_json(&inspection->views[1]));
	return array;
}

static json_object *filesystem_to_json(const struct inspection *inspection)
{
	json_object *object;

	if (!inspection->has_filesystem)
		return NULL;
	object = json_object_new_object();
	json_add_filesystem(object, &inspection->filesystem);
	json_add_text(object, "backend", inspection->backend);
	return object;
}

static json_object *wrong_to_json(const struct measure_wrong *wrong)
{
	json_object *object;

	if (wrong->count == 0)
		return NULL;
	object = json_object_new_object();
	json_add_number(object, "count", wrong->count);
	json_add_number(object, "first_block", wrong->first);
	json_add_number(object, "first_start_bytes", wrong->first_off);
	return object;
}

static void add_check(json_object *object, const struct inspect_hash_tree *tree)
{
	const struct measure_findings *found = &tree->findings;
	json_object *right = NULL, *data = NULL, *hashes = NULL;

	if (tree->checked) {
		right = json_object_new_boolean(found->root_right && !found->tree.count &&
						!found->data.count);
		data = wrong_to_json(&found->data);
		hashes = wrong_to_json(&found->tree);
	}
	json_add_flag(object, "checked", tree->checked);
	json_object_object_add(object, "right", right);
	json_object_object_add(object, "wrong_data_blocks", data);
	json_object_object_add(object, "wrong_tree_blocks", hashes);
	if (tree->checked)
		json_add_hex(object, "found_root_hash", found->root, DIGEST_BYTES);
	else
		json_add_text(object, "found_root_hash", NULL);
}

static json_object *hash_tree_to_json(const struct inspection *inspection)
{
	const struct inspect_hash_tree *tree = &inspection->hash_tree;
	json_object *object;

	if (!inspection->has_hash_tree)
		return NULL;
	object = json_object_new_object();
	json_add_number(object, "partition", 2);
	json_add_number(object, "start_bytes", inspection->partitions[1].start_bytes);
	json_add_number(object, "size_bytes", inspection->partitions[1].len_bytes);
	json_add_number(object, "data_blocks", tree->data_blocks);
	json_add_number(object, "block_bytes", VERITY_BLOCK_BYTES);
	json_add_text(object, "algorithm", "sha256");
	json_add_text(object, "root_hash_file", tree->file);
	if (tree->checked || tree->file)
		json_add_hex(object, "root_hash", tree->expected, DIGEST_BYTES);
	else
		json_add_text(object, "root_hash", NULL);
	add_check(object, tree);
	return object;
}

static json_object *findings_to_json(const struct inspect_findings *findings)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < findings->count; i++)
		json_object_array_add(array, json_of_text(findings->sentences[i]));
	return array;
}

int inspect_print_json(const struct inspection *inspection, const char *path, FILE *out)
{
	json_object *object = json_begin("inspection");
	const char *content = inspection->content.name;
	autofree char *text = NULL;

	json_add_text(object, "image", path);
	json_add_text(object, "verdict", inspect_verdict(inspection));
	json_add_number(object, "size_bytes", inspection->image_bytes);
	json_add_text(object, "content", *content ? content : NULL);
	json_object_object_add(object, "info_block", dax_to_json(inspection));
	json_object_object_add(object, "partition_tables", views_to_json(inspection));
	json_object_object_add(object, "filesystem", filesystem_to_json(inspection));
	json_object_object_add(object, "hash_tree", hash_tree_to_json(inspection));
	json_object_object_add(object, "notes", findings_to_json(&inspection->notes));
	json_object_object_add(object, "unchecked", findings_to_json(&inspection->unchecked));
	json_object_object_add(object, "contradictions", findings_to_json(&inspection->problems));
	text = json_print(object);
	json_object_put(object);
	return text ? inspect_put(out, text, "\n") : -ENOMEM;
}
