/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "core/base/text.h"
#include "core/inspect/findings.h"

#define UUID_TEXT_BYTES 37

static const char *format_uuid(const uint8_t uuid[16], char text[UUID_TEXT_BYTES])
{
	char *end = text;

	for (int i = 0; i < 16; i++)
		end += sprintf(end, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			       uuid[i]);
	return text;
}

/* An image's label can be any bytes: what is not plain text becomes \xNN. */
static const char *format_label(const char *label, char text[4 * 64 + 1])
{
	char *end = text;

	for (int i = 0; i < 64 && label[i]; i++) {
		unsigned char byte = (unsigned char)label[i];

		end += sprintf(end, byte < 0x20 || byte > 0x7e || byte == '\\' ? "\\x%02x" : "%c",
			       byte);
	}
	*end = '\0';
	return text;
}

static uint64_t used_bytes(const struct kataimg_fs_info *info)
{
	return info->size_bytes - info->free_bytes;
}

/* ---- Text ---- */

static void print_size(FILE *out, const char *name, uint64_t bytes)
{
	fprintf(out, "  %-14s %" PRIu64 " bytes (%.1f MiB)\n", name, bytes,
		(double)bytes / (1 << 20));
}

static void print_dax(const struct inspection *inspection, FILE *out)
{
	const struct dax_info *info = &inspection->dax;
	struct dax_field fields[DAX_FIELDS];
	char uuid[UUID_TEXT_BYTES];

	if (!inspection->has_dax) {
		fprintf(out, "info block: none\n");
		return;
	}
	fprintf(out, "info block at %d:\n", DAX_INFO_OFFSET);
	fprintf(out, "  %-14s %s\n", "uuid", format_uuid(info->uuid, uuid));
	fprintf(out, "  %-14s %s\n", "parent_uuid", format_uuid(info->parent_uuid, uuid));
	dax_list_fields(info, fields);
	for (int i = 0; i < DAX_FIELDS; i++)
		fprintf(out, "  %-14s %" PRIu64 "\n", fields[i].name, fields[i].value);
	fprintf(out, "  %-14s 0x%016" PRIx64 ", %s\n", "checksum", info->checksum,
		info->checksum == info->expected_checksum ? "right" : "wrong");
}

static void print_view(const struct inspect_view *view, FILE *out)
{
	if (!view->present)
		return;
	fprintf(out, "partition table at %" PRIu64 ", disk signature 0x%08" PRIx32 ":\n",
		view->base_bytes, view->mbr.disk_signature);
	for (int i = 0; i < INSPECT_PARTITIONS; i++) {
		const struct mbr_entry *entry = &view->mbr.entries[i];

		if (entry->sectors)
			fprintf(out,
				"  partition %d    sector %" PRIu32 ", %" PRIu32
				" sectors, type 0x%02x%s\n",
				i + 1, entry->start_lba, entry->sectors, entry->type,
				entry->bootable ? ", bootable" : "");
	}
}

static void print_filesystem(const struct inspection *inspection, FILE *out)
{
	const struct kataimg_fs_info *info = &inspection->filesystem;
	char uuid[UUID_TEXT_BYTES], label[4 * 64 + 1];

	if (!inspection->has_filesystem)
		return;
	fprintf(out, "filesystem in partition 1: %s\n", info->type);
	fprintf(out, "  %-14s %s\n", "backend", inspection->backend);
	print_size(out, "size", info->size_bytes);
	print_size(out, "used", used_bytes(info));
	print_size(out, "free", info->free_bytes);
	fprintf(out, "  %-14s %" PRIu64 " bytes\n", "block", info->block_bytes);
	if (info->flags & KATAIMG_FS_INODES_NOT_COUNTED)
		fprintf(out, "  %-14s not counted\n", "inodes");
	else
		fprintf(out, "  %-14s %" PRIu64 ", %" PRIu64 " free\n", "inodes", info->inodes,
			info->free_inodes);
	fprintf(out, "  %-14s %s\n", "uuid", format_uuid(info->uuid, uuid));
	fprintf(out, "  %-14s \"%s\"\n", "label", format_label(info->label, label));
	if (info->features[0])
		fprintf(out, "  %-14s %s\n", "features", info->features);
	if (info->min_kernel[0])
		fprintf(out, "  %-14s Linux %s or later\n", "readable by", info->min_kernel);
}

static void print_findings(const char *name, const struct inspect_findings *findings, FILE *out)
{
	for (size_t i = 0; i < findings->count; i++)
		fprintf(out, "%s: %s\n", name, findings->sentences[i]);
}

int inspect_print_text(const struct inspection *inspection, const char *path, FILE *out)
{
	fprintf(out, "%s:\n", path);
	print_size(out, "size", inspection->image_bytes);
	print_dax(inspection, out);
	print_view(&inspection->views[0], out);
	if (inspection->has_dax)
		print_view(&inspection->views[1], out);
	print_filesystem(inspection, out);
	print_findings("note", &inspection->notes, out);
	print_findings("contradiction", &inspection->problems, out);
	return ferror(out) || fflush(out) ? -EIO : 0;
}

/* ---- JSON. Objects that memory has no room for come out as null. ---- */

static void add_number(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

/* null where the filesystem does not count them. */
static void add_inodes(struct json_object *object, const char *key,
		       const struct kataimg_fs_info *info, uint64_t value)
{
	bool counted = !(info->flags & KATAIMG_FS_INODES_NOT_COUNTED);

	json_object_object_add(object, key, counted ? json_object_new_uint64(value) : NULL);
}

static struct json_object *string_to_json(const char *value)
{
	autofree char *text = text_utf8(value);

	return text ? json_object_new_string(text) : NULL;
}

static void add_string(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, string_to_json(value));
}

static void add_flag(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

static void add_checksum(struct json_object *object, const char *key, uint64_t checksum)
{
	char text[19];

	snprintf(text, sizeof(text), "0x%016" PRIx64, checksum);
	add_string(object, key, text);
}

static struct json_object *dax_to_json(const struct inspection *inspection)
{
	const struct dax_info *info = &inspection->dax;
	struct json_object *object;
	struct dax_field fields[DAX_FIELDS];
	char uuid[UUID_TEXT_BYTES];

	if (!inspection->has_dax)
		return NULL;
	object = json_object_new_object();
	add_string(object, "uuid", format_uuid(info->uuid, uuid));
	add_string(object, "parent_uuid", format_uuid(info->parent_uuid, uuid));
	dax_list_fields(info, fields);
	for (int i = 0; i < DAX_FIELDS; i++)
		add_number(object, fields[i].name, fields[i].value);
	add_checksum(object, "checksum", info->checksum);
	add_flag(object, "checksum_right", info->checksum == info->expected_checksum);
	return object;
}

static struct json_object *entry_to_json(const struct inspect_view *view, int number)
{
	const struct mbr_entry *entry = &view->mbr.entries[number];
	struct json_object *object = json_object_new_object();

	add_number(object, "number", (uint64_t)number + 1);
	add_number(object, "start_lba", entry->start_lba);
	add_number(object, "sectors", entry->sectors);
	add_number(object, "start_bytes",
		   view->base_bytes + (uint64_t)entry->start_lba * SECTOR_BYTES);
	add_number(object, "size_bytes", (uint64_t)entry->sectors * SECTOR_BYTES);
	add_number(object, "type", entry->type);
	add_flag(object, "bootable", entry->bootable);
	return object;
}

static struct json_object *view_to_json(const struct inspect_view *view)
{
	struct json_object *object = json_object_new_object();
	struct json_object *partitions = json_object_new_array();

	add_number(object, "offset", view->base_bytes);
	add_number(object, "disk_signature", view->mbr.disk_signature);
	for (int i = 0; i < INSPECT_PARTITIONS; i++)
		if (view->mbr.entries[i].sectors)
			json_object_array_add(partitions, entry_to_json(view, i));
	json_object_object_add(object, "partitions", partitions);
	return object;
}

static struct json_object *views_to_json(const struct inspection *inspection)
{
	struct json_object *array = json_object_new_array();

	if (inspection->views[0].present)
		json_object_array_add(array, view_to_json(&inspection->views[0]));
	if (inspection->views[1].present && inspection->has_dax)
		json_object_array_add(array, view_to_json(&inspection->views[1]));
	return array;
}

static struct json_object *filesystem_to_json(const struct inspection *inspection)
{
	const struct kataimg_fs_info *info = &inspection->filesystem;
	struct json_object *object;
	char uuid[UUID_TEXT_BYTES], label[4 * 64 + 1];

	if (!inspection->has_filesystem)
		return NULL;
	object = json_object_new_object();
	add_string(object, "type", info->type);
	add_string(object, "backend", inspection->backend);
	add_number(object, "size_bytes", info->size_bytes);
	add_number(object, "used_bytes", used_bytes(info));
	add_number(object, "free_bytes", info->free_bytes);
	add_number(object, "block_bytes", info->block_bytes);
	add_inodes(object, "inodes", info, info->inodes);
	add_inodes(object, "free_inodes", info, info->free_inodes);
	add_string(object, "uuid", format_uuid(info->uuid, uuid));
	add_string(object, "label", format_label(info->label, label));
	add_string(object, "features", info->features);
	add_string(object, "min_kernel", info->min_kernel);
	return object;
}

static struct json_object *findings_to_json(const struct inspect_findings *findings)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < findings->count; i++)
		json_object_array_add(array, string_to_json(findings->sentences[i]));
	return array;
}

int inspect_print_json(const struct inspection *inspection, const char *path, FILE *out)
{
	struct json_object *object = json_object_new_object();
	const char *text;
	int ret = -ENOMEM;

	add_string(object, "image", path);
	add_number(object, "size_bytes", inspection->image_bytes);
	json_object_object_add(object, "info_block", dax_to_json(inspection));
	json_object_object_add(object, "partition_tables", views_to_json(inspection));
	json_object_object_add(object, "filesystem", filesystem_to_json(inspection));
	json_object_object_add(object, "notes", findings_to_json(&inspection->notes));
	json_object_object_add(object, "contradictions", findings_to_json(&inspection->problems));
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		ret = fprintf(out, "%s\n", text) < 0 || fflush(out) ? -EIO : 0;
	json_object_put(object);
	return ret;
}
