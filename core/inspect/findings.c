/* SPDX-License-Identifier: Apache-2.0 */
#include "core/inspect/findings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "core/base/text.h"
#include "core/inspect/tables.h"
#include "lib/array.h"
#include "lib/bytes.h"
#include "lib/checked.h"

#define PAGE_BYTES 4096u
#define HOTPLUG_BYTES (UINT64_C(128) << 20)

int findings_add(struct inspect_findings *findings, const char *fmt, ...)
{
	char *sentence;
	va_list args;

	if (findings->count == findings->room &&
	    array_grow(&findings->sentences, &findings->room, findings->count, 1,
		       sizeof(*findings->sentences)) < 0)
		return -ENOMEM;
	va_start(args, fmt);
	sentence = text_vline(fmt, args);
	va_end(args);
	if (!sentence)
		return -ENOMEM;
	findings->sentences[findings->count++] = sentence;
	return 0;
}

void findings_clear(struct inspect_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free(findings->sentences[i]);
	free(findings->sentences);
	*findings = (struct inspect_findings){ 0 };
}

int findings_judge_size(struct inspection *inspection)
{
	uint64_t bytes = inspection->image_bytes;

	if (!inspection->views[0].present && !inspection->has_dax && !inspection->has_filesystem)
		return 0; /* nobody wants to know of what is no image */
	if (inspection->filesystem.flags & KATAIMG_FS_NO_DISK)
		return 0; /* no device has it */
	if (bytes % PAGE_BYTES)
		return findings_add(&inspection->problems,
				    "the image has %" PRIu64 " bytes, no multiple of 4096: QEMU "
				    "refuses it",
				    bytes);
	if (bytes % HUGEPAGE_BYTES && inspection->has_dax)
		return findings_add(&inspection->problems,
				    "the image has %" PRIu64
				    " bytes, no multiple of 2 MiB: a guest "
				    "makes no /dev/pmem0 of it",
				    bytes);
	if (bytes % HUGEPAGE_BYTES)
		return findings_add(&inspection->notes,
				    "the size is no multiple of 2 MiB: good for virtio-blk, not "
				    "for NVDIMM");
	if (bytes % HOTPLUG_BYTES && inspection->has_dax)
		return findings_add(&inspection->notes,
				    "the size is no multiple of 128 MiB: memory hot-plug fails in "
				    "guests that have the image as NVDIMM");
	return 0;
}

void dax_list_fields(const struct dax_info *info, struct dax_field fields[DAX_FIELDS])
{
	const struct dax_field list[DAX_FIELDS] = {
		{ "flags", info->flags, 0 },
		{ "version_major", info->version_major, 0 },
		{ "version_minor", info->version_minor, DAX_VERSION_MINOR },
		{ "dataoff", info->dataoff, DAX_DATA_OFFSET },
		{ "npfns", info->npfns, 0 },
		{ "mode", info->mode, DAX_MODE_RAM },
		{ "start_pad", info->start_pad, 0 },
		{ "end_trunc", info->end_trunc, 0 },
		{ "align", info->align, DAX_ALIGN_BYTES },
	};

	memcpy(fields, list, sizeof(list));
}

int findings_judge_dax(struct inspection *inspection)
{
	const struct dax_info *info = &inspection->dax;
	struct inspect_findings *problems = &inspection->problems;
	struct dax_field fields[DAX_FIELDS];
	int ret = 0;

	if (!inspection->has_dax)
		return 0;
	if (info->checksum != info->expected_checksum)
		ret = findings_add(problems,
				   "the info block's checksum is 0x%016" PRIx64
				   ", its bytes give 0x%016" PRIx64,
				   info->checksum, info->expected_checksum);
	if (ret == 0 && !bytes_are_zero(info->parent_uuid, sizeof(info->parent_uuid)))
		ret = findings_add(problems, "the info block's parent_uuid is not zero: it belongs "
					     "to another device");
	dax_list_fields(info, fields);
	for (int i = 0; i < DAX_FIELDS && ret == 0; i++)
		if (fields[i].value != fields[i].expected)
			ret = findings_add(problems,
					   "the info block's %s is %" PRIu64 ", not %" PRIu64,
					   fields[i].name, fields[i].value, fields[i].expected);
	return ret;
}

/* Sectors between what the two tables count from. */
#define VIEW_SHIFT_SECTORS (DAX_HEADER_BYTES / SECTOR_BYTES)

static bool same_partition(const struct mbr_entry *first, const struct mbr_entry *second)
{
	if (first->sectors == 0 && second->sectors == 0)
		return true;
	return first->start_lba == second->start_lba + VIEW_SHIFT_SECTORS &&
	       first->sectors == second->sectors && first->type == second->type &&
	       first->bootable == second->bootable;
}

static bool same_partitions(const struct mbr *first, const struct mbr *second)
{
	for (int i = 0; i < INSPECT_MBR_ENTRIES; i++)
		if (!same_partition(&first->entries[i], &second->entries[i]))
			return false;
	return true;
}

static int judge_view_pair(struct inspection *inspection, int number)
{
	const struct mbr_entry *first = &inspection->views[0].mbr.entries[number];
	const struct mbr_entry *second = &inspection->views[1].mbr.entries[number];

	if (same_partition(first, second))
		return 0;
	return findings_add(&inspection->problems,
			    "partition %d differs: from 0 it is sector %" PRIu32 ", %" PRIu32
			    " sectors, type 0x%02x%s; from 2 MiB it is sector %" PRIu32 ", %" PRIu32
			    " sectors, type 0x%02x%s",
			    number + 1, first->start_lba, first->sectors, first->type,
			    first->bootable ? ", bootable" : "", second->start_lba, second->sectors,
			    second->type, second->bootable ? ", bootable" : "");
}

/* A filesystem's bytes at 2 MiB may look like a table by accident, but not like this very one. */
static int judge_lost_info_block(struct inspection *inspection)
{
	const struct inspect_view *views = inspection->views;

	if (!views[1].present || !same_partitions(&views[0].mbr, &views[1].mbr))
		return 0;
	return findings_add(&inspection->problems,
			    "there is a second partition table at 2 MiB, but no info block at 4096 "
			    "that leads to it");
}

int findings_judge_views(struct inspection *inspection)
{
	const struct inspect_view *views = inspection->views;
	int ret = 0;

	if (inspection->table == IMAGE_TABLE_GPT)
		return 0;
	if (!inspection->has_dax)
		return views[0].present ? judge_lost_info_block(inspection) : 0;
	if (!tables_lists_any(&views[0]) && !tables_lists_any(&views[1]))
		return 0;
	if (!views[0].present)
		return findings_add(&inspection->problems, "there is no partition table at 0");
	if (!views[1].present)
		return findings_add(
			&inspection->problems,
			"there is an info block, but no partition table at 2 MiB, where "
			"it leads to");
	for (int i = 0; i < INSPECT_MBR_ENTRIES && ret == 0; i++)
		ret = judge_view_pair(inspection, i);
	return ret;
}

/* Where the tables end: of a GPT findings_judge_gpt knows. */
static uint64_t tables_end(const struct inspection *inspection)
{
	return inspection->table == IMAGE_TABLE_GPT
		       ? 0
		       : geometry_device_base(inspection->has_dax) + MBR_BYTES;
}

static int judge_partition(struct inspection *inspection, const struct inspect_partition *partition)
{
	struct inspect_findings *problems = &inspection->problems;
	int ret = 0;

	if (!range_within(partition->start_bytes, partition->len_bytes, inspection->image_bytes))
		ret = findings_add(problems,
				   "partition %u ends at %" PRIu64 ", the image at %" PRIu64,
				   partition->number, partition->start_bytes + partition->len_bytes,
				   inspection->image_bytes);
	if (ret == 0 && partition->start_bytes < tables_end(inspection))
		ret = findings_add(problems,
				   "partition %u starts at %" PRIu64 ", inside the image's headers",
				   partition->number, partition->start_bytes);
	if (ret == 0 && inspection->has_dax && partition->start_bytes % PAGE_BYTES)
		ret = findings_add(problems,
				   "partition %u starts at %" PRIu64
				   ", no multiple of 4096: it cannot be mounted with dax",
				   partition->number, partition->start_bytes);
	if (ret == 0 && inspection->table == IMAGE_TABLE_DOS && partition->type != DOS_TYPE_LINUX)
		ret = findings_add(&inspection->notes, "partition %u is of type 0x%02x",
				   partition->number, partition->type);
	return ret;
}

static bool overlap(const struct inspect_partition *a, const struct inspect_partition *b)
{
	return a->len_bytes > 0 && b->len_bytes > 0 &&
	       a->start_bytes < b->start_bytes + b->len_bytes &&
	       b->start_bytes < a->start_bytes + a->len_bytes;
}

/* One sentence for each: a table can list thousands, and there are millions of pairs of them. */
static int judge_overlaps(struct inspection *inspection, size_t number)
{
	const struct inspect_partition *a = &inspection->partitions[number];

	for (size_t i = number + 1; i < inspection->partition_count; i++) {
		const struct inspect_partition *b = &inspection->partitions[i];

		if (overlap(a, b))
			return findings_add(&inspection->problems, "partitions %u and %u overlap",
					    a->number, b->number);
	}
	return 0;
}

int findings_judge_partitions(struct inspection *inspection)
{
	const struct inspect_partition *partitions = inspection->partitions;
	int ret = 0;

	if (inspection->table == IMAGE_TABLE_DOS && inspection->root.len_bytes == 0)
		return findings_add(&inspection->problems, "there is no partition 1");
	for (size_t i = 0; i < inspection->partition_count && ret == 0; i++) {
		ret = judge_partition(inspection, &partitions[i]);
		if (ret == 0)
			ret = judge_overlaps(inspection, i);
	}
	return ret;
}

int findings_judge_filesystem(struct inspection *inspection)
{
	uint64_t size_bytes = inspection->filesystem.size_bytes;
	uint64_t len_bytes = inspection->root.len_bytes;

	if (!inspection->has_filesystem || size_bytes <= len_bytes)
		return 0;
	return findings_add(&inspection->problems,
			    "the filesystem has %" PRIu64 " bytes, its %s %" PRIu64, size_bytes,
			    inspection->root_partition ? "partition" : "device", len_bytes);
}
