/* SPDX-License-Identifier: Apache-2.0 */
/* What report and manifest both say of an image that is planned, or made. */
#include "core/builder/private.h"
#include "core/inspect/jsonout.h"

static void add_partition(struct json *json, const struct build *build, unsigned int number)
{
	static const char *const roles[] = { "root", "verity", "signature" };
	const struct partition *partition = &build->geometry.partitions[number];

	json_open(json, NULL, '{');
	json_add_number(json, "start_bytes", partition->start_bytes);
	json_add_number(json, "size_bytes", partition->len_bytes);
	json_add_text(json, "role", roles[partition->role]);
	if (build->geometry.table == IMAGE_TABLE_DOS) {
		json_add_number(json, "type", partition->type);
		json_add_flag(json, "bootable", partition->bootable);
	} else {
		json_add_null(json, "type");
		json_add_null(json, "bootable");
	}
	json_add_gpt_label(json, build->labelled ? &build->labels.partitions[number] : NULL);
	json_close(json, '}');
}

void describe_partitions(struct json *json, const struct build *build)
{
	json_open(json, "partitions", '[');
	for (unsigned int i = 0; i < build->geometry.partition_count; i++)
		add_partition(json, build, i);
	json_close(json, ']');
}

void describe_identifiers(struct json *json, const struct build *build)
{
	json_add_uuid(json, "filesystem_uuid", build->info.uuid);
	if (build->geometry.table == IMAGE_TABLE_DOS)
		json_add_number(json, "disk_signature", build->geometry.disk_signature);
	else
		json_add_null(json, "disk_signature");
	if (build->labelled)
		json_add_uuid(json, "disk_guid", build->labels.disk_guid);
	else
		json_add_null(json, "disk_guid");
}

static void add_output(struct json *json, const char *key, const struct output *output)
{
	json_add_text(json, key, output ? output_path(output) : NULL);
}

void describe_hash_tree(struct json *json, const struct build *build)
{
	const struct verity_params *params = &build->verity;

	json_add_text(json, "hash", verity_hash_names[params->hash]);
	json_add_hex(json, "root_hash", build->root_hash, verity_digest_bytes(params->hash));
	json_add_hex(json, "salt", params->salt, params->salt_len);
	json_add_number(json, "data_blocks", params->data_blocks);
	json_add_number(json, "data_block_bytes", params->data_block_bytes);
	json_add_number(json, "hash_block_bytes", params->hash_block_bytes);
	if (params->superblock)
		json_add_uuid(json, "superblock_uuid", build->verity_uuid);
	else
		json_add_null(json, "superblock_uuid");
	add_output(json, "hash_file", build->files[BUILD_HASH]);
	add_output(json, "tree_file", build->files[BUILD_TREE]);
	add_output(json, "signature_file", build->files[BUILD_SIGNATURE]);
}
