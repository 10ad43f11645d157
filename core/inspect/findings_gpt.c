/* SPDX-License-Identifier: Apache-2.0 */
/* What the two headers of a GPT and its protective MBR say about each other. */
#include <inttypes.h>
#include <string.h>

#include "core/inspect/findings.h"
#include "core/inspect/tables.h"

static uint64_t lbas_of(const struct inspection *inspection)
{
	return inspection->image_bytes / inspection->gpt.sector_bytes;
}

/* Firmware looks at it, Linux at its type and start. */
static int judge_protective(struct inspection *inspection)
{
	const struct mbr_entry *entry = tables_find_protective(&inspection->views[0]);
	uint64_t rest = lbas_of(inspection) - 1;

	if (entry->start_lba != 1)
		return findings_add(&inspection->problems,
				    "the protective MBR begins to protect at sector %" PRIu32
				    ", not 1: Linux does not look for a GPT behind it",
				    entry->start_lba);
	if (entry->sectors != UINT32_MAX && entry->sectors != rest)
		return findings_add(&inspection->notes,
				    "the protective MBR protects %" PRIu32
				    " sectors, there are %" PRIu64,
				    entry->sectors, rest);
	return 0;
}

static const char *const header_names[] = { "the GPT's header at its beginning",
					    "the GPT's backup header" };

/* Of the damage of a header one sentence is told, that of the first. */
static int judge_header(struct inspection *inspection, int number)
{
	const struct inspect_gpt_header *header = &inspection->gpt.headers[number];
	const struct inspect_gpt *gpt = &inspection->gpt;
	struct inspect_findings *problems = &inspection->problems;
	const char *name = header_names[number];

	if (!header->present)
		return findings_add(problems, "%s is not there%s", name,
				    number ? "" : ": guests see no partition");
	if (!header->fields.checksum_right)
		return findings_add(problems, "%s has a wrong checksum%s", name,
				    number ? "" : ": guests see no partition");
	if (header->fields.own_lba != header->at_bytes / gpt->sector_bytes)
		return findings_add(problems,
				    "%s says that it is sector %" PRIu64 ", it is %" PRIu64, name,
				    header->fields.own_lba, header->at_bytes / gpt->sector_bytes);
	if (!header->entries_right)
		return findings_add(problems, "%s belongs to other entries than are there%s", name,
				    number ? "" : ": guests see no partition");
	return 0;
}

static bool is_whole(const struct inspect_gpt_header *header)
{
	return header->present && header->fields.checksum_right && header->entries_right;
}

static int judge_pair(struct inspection *inspection)
{
	const struct inspect_gpt_header *headers = inspection->gpt.headers;
	const struct gpt_header *a = &headers[0].fields, *b = &headers[1].fields;

	if (!is_whole(&headers[0]) || !is_whole(&headers[1]))
		return 0;
	if (b->other_lba != a->own_lba || a->entry_count != b->entry_count ||
	    a->entry_bytes != b->entry_bytes || a->entries_crc != b->entries_crc ||
	    a->first_usable_lba != b->first_usable_lba ||
	    a->last_usable_lba != b->last_usable_lba ||
	    memcmp(a->disk_guid, b->disk_guid, sizeof(a->disk_guid)) != 0)
		return findings_add(&inspection->problems,
				    "the GPT and its backup say different things");
	if (a->other_lba != lbas_of(inspection) - 1)
		return findings_add(&inspection->notes,
				    "the GPT's backup is not at the end of the image: it has been "
				    "made longer since");
	return 0;
}

static int judge_places(struct inspection *inspection)
{
	const struct inspect_gpt *gpt = &inspection->gpt;
	const struct gpt_header *header = &gpt->used->fields;
	uint64_t first = header->first_usable_lba, last = header->last_usable_lba;
	int ret = 0;

	for (size_t i = 0; i < inspection->partition_count && ret == 0; i++) {
		const struct inspect_partition *partition = &inspection->partitions[i];
		uint64_t start = partition->start_bytes / gpt->sector_bytes;
		uint64_t len = partition->len_bytes / gpt->sector_bytes;

		if (len == 0)
			ret = findings_add(&inspection->problems,
					   "partition %u ends before it begins", partition->number);
		else if (start < first || start > last || len - 1 > last - start)
			ret = findings_add(&inspection->problems,
					   "partition %u is not within sectors %" PRIu64
					   " to %" PRIu64 ", which the GPT leaves",
					   partition->number, first, last);
	}
	return ret;
}

/* One sentence for each, as of those that overlap. */
static int judge_guid(struct inspection *inspection, size_t number)
{
	const struct inspect_partition *a = &inspection->partitions[number];

	for (size_t i = number + 1; i < inspection->partition_count; i++) {
		const struct inspect_partition *b = &inspection->partitions[i];

		if (memcmp(a->label.guid, b->label.guid, GUID_BYTES) == 0)
			return findings_add(&inspection->problems,
					    "partitions %u and %u have the same GUID", a->number,
					    b->number);
	}
	return 0;
}

static int judge_guids(struct inspection *inspection)
{
	int ret = 0;

	for (size_t i = 0; i < inspection->partition_count && ret == 0; i++)
		ret = judge_guid(inspection, i);
	return ret;
}

int findings_judge_gpt(struct inspection *inspection)
{
	int ret;

	if (inspection->table != IMAGE_TABLE_GPT)
		return 0;
	ret = judge_protective(inspection);
	for (int i = 0; i < 2 && ret == 0; i++)
		ret = judge_header(inspection, i);
	if (ret == 0)
		ret = judge_pair(inspection);
	if (ret < 0 || !inspection->gpt.used)
		return ret;
	ret = judge_places(inspection);
	return ret < 0 ? ret : judge_guids(inspection);
}
