/* SPDX-License-Identifier: Apache-2.0 */
/* An inspection as text, for people. */
#include "core/inspect/print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/text.h"
#include "core/base/textstream.h"
#include "core/format/discoverable.h"
#include "core/inspect/draw.h"
#include "core/inspect/findings.h"
#include "core/inspect/jsonout.h"
#include "lib/hex.h"

/* An image's label can be any bytes: what is not plain text becomes \xNN. */
#define LABEL_BYTES (4 * 64 + 1)

static const char *format_label(const char *label, char text[LABEL_BYTES])
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

const char *inspect_verdict(const struct inspection *inspection)
{
	if (inspection->problems.count)
		return "unsound";
	return inspection->unchecked.count ? "unchecked" : "sound";
}

/* 0 when a damaged one has more free bytes than it has. */
static uint64_t used_bytes(const struct kataimg_fs_info *info)
{
	return info->size_bytes > info->free_bytes ? info->size_bytes - info->free_bytes : 0;
}

bool inspect_shows_view(const struct inspection *inspection, int number)
{
	return inspection->views[number].present && !inspection->content.sentence &&
	       (number == 0 || inspection->has_dax) && inspection->table == IMAGE_TABLE_DOS;
}

bool inspect_shows_gpt(const struct inspection *inspection)
{
	return inspection->gpt.used && !inspection->content.sentence;
}

int inspect_put(FILE *out, const char *text, const char *end)
{
	errno = 0;
	if (fputs(text, out) >= 0 && fputs(end, out) >= 0 && fflush(out) == 0)
		return 0;
	return errno ? -errno : -EIO;
}

/* Whatever is in the text, it ends no line and commands no terminal. */
static void print_words(FILE *out, const char *name, const char *text)
{
	fprintf(out, "  %-14s ", name);
	text_print_line(out, text);
	fputc('\n', out);
}

static void print_size(FILE *out, const char *name, uint64_t bytes)
{
	fprintf(out, "  %-14s %" PRIu64 " bytes (%.1f MiB)\n", name, bytes,
		(double)bytes / (1 << 20));
}

static void print_dax(const struct inspection *inspection, FILE *out)
{
	const struct dax_info *info = &inspection->dax;
	struct dax_field fields[DAX_FIELDS];
	char uuid[GUID_TEXT_BYTES];

	if (!inspection->has_dax) {
		fprintf(out, "info block: none\n");
		return;
	}
	fprintf(out, "info block at %d:\n", DAX_INFO_OFFSET);
	fprintf(out, "  %-14s %s\n", "uuid", guid_format(info->uuid, uuid));
	fprintf(out, "  %-14s %s\n", "parent_uuid", guid_format(info->parent_uuid, uuid));
	dax_list_fields(info, fields);
	for (int i = 0; i < DAX_FIELDS; i++)
		fprintf(out, "  %-14s %" PRIu64 "\n", fields[i].name, fields[i].value);
	fprintf(out, "  %-14s 0x%016" PRIx64 ", %s\n", "checksum", info->checksum,
		info->checksum == info->expected_checksum ? "right" : "wrong");
}

static void print_view(const struct inspection *inspection, int number, FILE *out)
{
	const struct inspect_view *view = &inspection->views[number];

	if (!inspect_shows_view(inspection, number))
		return;
	fprintf(out, "partition table at %" PRIu64 ", disk signature 0x%08" PRIx32 ":\n",
		view->base_bytes, view->mbr.disk_signature);
	for (int i = 0; i < INSPECT_MBR_ENTRIES; i++) {
		const struct mbr_entry *entry = &view->mbr.entries[i];

		if (entry->sectors)
			fprintf(out,
				"  partition %d    sector %" PRIu32 ", %" PRIu32
				" sectors, type 0x%02x%s\n",
				i + 1, entry->start_lba, entry->sectors, entry->type,
				entry->bootable ? ", bootable" : "");
	}
}

static void print_gpt_entry(const struct inspect_gpt *gpt,
			    const struct inspect_partition *partition, FILE *out)
{
	const struct gpt_label *label = &partition->label;
	char guid[GUID_TEXT_BYTES], type[DISCOVERABLE_NAME_BYTES];
	const char *type_name = discoverable_type_name(label->type, type);

	fprintf(out, "  partition %-4u sector %" PRIu64 ", %" PRIu64 " sectors, %s \"",
		partition->number, partition->start_bytes / gpt->sector_bytes,
		partition->len_bytes / gpt->sector_bytes,
		type_name ? type_name : guid_format(label->type, guid));
	text_print_line(out, label->name);
	fprintf(out, "\"%s%s%s\n", label->attributes & GPT_READ_ONLY ? ", read-only" : "",
		label->attributes & GPT_GROW_FILESYSTEM ? ", to be grown" : "",
		label->attributes & GPT_NO_AUTO ? ", not automatic" : "");
	fprintf(out, "  %-14s %s\n", "", guid_format(label->guid, guid));
}

static void print_gpt(const struct inspection *inspection, FILE *out)
{
	const struct inspect_gpt *gpt = &inspection->gpt;
	char guid[GUID_TEXT_BYTES];

	if (!inspect_shows_gpt(inspection))
		return;
	fprintf(out, "GUID partition table at %" PRIu64 ", disk %s%s:\n", gpt->used->at_bytes,
		guid_format(gpt->used->fields.disk_guid, guid),
		gpt->sector_bytes == SECTOR_BYTES ? "" : ", sectors of 4096 bytes");
	for (size_t i = 0; i < inspection->partition_count; i++)
		print_gpt_entry(gpt, &inspection->partitions[i], out);
}

static void print_filesystem(const struct inspection *inspection, FILE *out)
{
	const struct kataimg_fs_info *info = &inspection->filesystem;
	char uuid[GUID_TEXT_BYTES], label[LABEL_BYTES], where[ROOT_NAME_BYTES];

	if (!inspection->has_filesystem)
		return;
	fprintf(out, "filesystem in %s: ", inspect_root_name(inspection, where));
	text_print_line(out, info->type);
	fputc('\n', out);
	print_words(out, "backend", inspection->backend);
	print_size(out, "size", info->size_bytes);
	print_size(out, "used", used_bytes(info));
	print_size(out, "free", info->free_bytes);
	fprintf(out, "  %-14s %" PRIu64 " bytes\n", "block", info->block_bytes);
	if (info->flags & KATAIMG_FS_INODES_NOT_COUNTED)
		print_words(out, "inodes", "not counted");
	else
		fprintf(out, "  %-14s %" PRIu64 ", %" PRIu64 " free\n", "inodes", info->inodes,
			info->free_inodes);
	fprintf(out, "  %-14s %s\n", "uuid", guid_format(info->uuid, uuid));
	fprintf(out, "  %-14s \"%s\"\n", "label", format_label(info->label, label));
	if (info->features[0])
		print_words(out, "features", info->features);
	if (info->min_kernel[0]) {
		fprintf(out, "  %-14s Linux ", "readable by");
		text_print_line(out, info->min_kernel);
		fputs(" or later\n", out);
	}
}

static void print_command(const char *root_hash, const char *path, FILE *out)
{
	fprintf(out, "  %-14s no; kataimg inspect --root-hash ", "checked");
	text_print_line(out, root_hash);
	fputc(' ', out);
	text_print_line(out, path);
	fputs(" does\n", out);
}

static void print_check(const struct inspection *inspection, const char *path, FILE *out)
{
	const struct inspect_hash_tree *tree = &inspection->hash_tree;
	const struct measure_findings *found = &tree->findings;
	char name[ROOT_NAME_BYTES];

	if (!tree->checked)
		print_command(tree->file ? tree->file : "FILE-OR-HASH", path, out);
	else if (found->root_right && found->data.count == 0 && found->tree.count == 0)
		fprintf(out, "  %-14s yes: all %" PRIu64 " blocks of %s belong to the root hash\n",
			"checked", tree->params.data_blocks, inspect_root_name(inspection, name));
	else
		fprintf(out, "  %-14s yes: it contradicts\n", "checked");
}

static void print_tree_place(const struct inspect_hash_tree *tree, FILE *out)
{
	fputs("hash tree ", out);
	if (tree->place == HASH_PARTITION)
		fprintf(out, "in partition %u", tree->partition);
	else if (tree->place == HASH_APPEND)
		fprintf(out, "behind the filesystem, at byte %" PRIu64, tree->area.start_bytes);
	else
		fputs("in ", out);
	if (tree->place == HASH_FILE)
		text_print_line(out, tree->tree_file);
}

static void print_tree_form(const struct inspect_hash_tree *tree, FILE *out)
{
	const struct verity_params *params = &tree->params;
	char uuid[GUID_TEXT_BYTES];

	fprintf(out, ": dm-verity, %s, blocks of %" PRIu32 " bytes",
		params->hash == VERITY_SHA512 ? "SHA-512" : "SHA-256", params->data_block_bytes);
	if (params->hash_block_bytes != params->data_block_bytes)
		fprintf(out, ", its own of %" PRIu32, params->hash_block_bytes);
	fputc('\n', out);
	if (params->superblock)
		fprintf(out, "  %-14s veritysetup's, %s\n", "superblock",
			guid_format(tree->uuid, uuid));
}

static void print_hash_tree(const struct inspection *inspection, const char *path, FILE *out)
{
	const struct inspect_hash_tree *tree = &inspection->hash_tree;
	char root[2 * VERITY_DIGEST_MAX_BYTES + 1], name[ROOT_NAME_BYTES];

	if (!inspection->has_hash_tree)
		return;
	print_tree_place(tree, out);
	print_tree_form(tree, out);
	inspect_root_name(inspection, name);
	fprintf(out, "  %-14s %" PRIu64 " blocks of %s\n", "of", tree->params.data_blocks, name);
	hex_format(tree->expected, verity_digest_bytes(tree->params.hash), root);
	if (tree->checked || tree->file || tree->labelled)
		fprintf(out, "  %-14s %s\n", "root hash", root);
	if (tree->labelled)
		print_words(out, "named by", "the partitions' GUIDs");
	if (tree->file)
		print_words(out, "as in", tree->file);
	print_check(inspection, path, out);
}

static void print_findings(const char *name, const struct inspect_findings *findings, FILE *out)
{
	for (size_t i = 0; i < findings->count; i++)
		fprintf(out, "%s: %s\n", name, findings->sentences[i]);
}

/* Of what is no disk there is nothing to say. */
static void print_tables(const struct inspection *inspection, FILE *out)
{
	if (inspection->filesystem.flags & KATAIMG_FS_NO_DISK)
		return;
	if (!inspection->content.sentence)
		print_dax(inspection, out);
	if (inspection->has_filesystem && inspection->table == IMAGE_TABLE_NONE)
		fprintf(out, "partition table: none\n");
	print_gpt(inspection, out);
	print_view(inspection, 0, out);
	print_view(inspection, 1, out);
}

static int print_all(const struct inspection *inspection, const char *path, FILE *out)
{
	int ret;

	text_print_line(out, path);
	fputs(":\n", out);
	if (inspection->compressed != COMPRESS_NONE) {
		print_words(out, "compressed by", compress_form_name(inspection->compressed));
		print_size(out, "to", inspection->compressed_bytes);
	}
	print_size(out, "size", inspection->image_bytes);
	ret = inspect_draw(inspection, out);
	print_tables(inspection, out);
	print_filesystem(inspection, out);
	print_hash_tree(inspection, path, out);
	print_findings("note", &inspection->notes, out);
	print_findings("not checked", &inspection->unchecked, out);
	print_findings("contradiction", &inspection->problems, out);
	return ret;
}

int inspect_print_text(const struct inspection *inspection, const char *path, FILE *out)
{
	struct text_stream stream;
	autofree char *text = NULL;
	int ret = text_stream_open(&stream);

	if (ret < 0)
		return ret;
	ret = print_all(inspection, path, stream.out);
	if (text_stream_close(&stream, &text) < 0 || ret < 0)
		return -ENOMEM;
	return inspect_put(out, text, "");
}
