/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes are those that libfdisk makes, sfdisk's library: tests/unit/test-gpt.c compares. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/format/gpt_ondisk.h"

#define ENTRIES_LBA 2u
#define ENTRIES_BYTES (GPT_ENTRIES * GPT_ENTRY_BYTES)
#define MIN_FIRST_LBA (ENTRIES_LBA + ENTRIES_BYTES / SECTOR_BYTES)
#define PROTECTIVE_TYPE 0xee

_Static_assert(GPT_HEAD_BYTES == MIN_FIRST_LBA * SECTOR_BYTES, "what is in front");
_Static_assert(GPT_TAIL_BYTES == ENTRIES_BYTES + SECTOR_BYTES, "what is at the end");

/* What is on both sides of the partitions, in sectors. */
struct span {
	uint64_t first_usable, last_usable, last;
};

/* Partitions begin at 1 MiB, but on a device of which that would be a quarter. */
static struct span find_span(uint64_t image_bytes)
{
	bool is_small = image_bytes <= 4 * PARTITION_START_BYTES;

	return (struct span){
		.first_usable = is_small ? MIN_FIRST_LBA : PARTITION_START_BYTES / SECTOR_BYTES,
		.last_usable = (image_bytes - GPT_TAIL_BYTES) / SECTOR_BYTES - 1,
		.last = image_bytes / SECTOR_BYTES - 1,
	};
}

static bool is_encodable(const struct partition *partition, const struct span *span)
{
	uint64_t start = partition->start_bytes, len = partition->len_bytes;

	return start % SECTOR_BYTES == 0 && len % SECTOR_BYTES == 0 && len > 0 &&
	       start / SECTOR_BYTES >= span->first_usable &&
	       start / SECTOR_BYTES <= span->last_usable &&
	       len / SECTOR_BYTES <= span->last_usable + 1 - start / SECTOR_BYTES;
}

/* What knows no GPT sees one partition of everything, and takes the disk for full. Its addresses of
 * cylinders are those of the specification, 5.2.3. */
static void encode_protective_mbr(const struct span *span, uint8_t mbr[SECTOR_BYTES])
{
	le32 sectors = to_le32(span->last < UINT32_MAX ? (uint32_t)span->last : UINT32_MAX);
	const uint8_t entry[8] = { 0, 0, 2, 0, PROTECTIVE_TYPE, 0xff, 0xff, 0xff };
	le32 start = to_le32(1);

	memset(mbr, 0, SECTOR_BYTES);
	memcpy(mbr + 446, entry, sizeof(entry));
	memcpy(mbr + 454, &start, sizeof(start));
	memcpy(mbr + 458, &sectors, sizeof(sectors));
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
}

/* A name is UTF-8 without characters beyond U+FFFF, and not too long: the configuration has seen to
 * that. What is anything else ends the name. */
static void encode_name(const char *text, le16 name[GPT_NAME_UNITS])
{
	const uint8_t *at = (const uint8_t *)text;

	for (size_t i = 0; i < GPT_NAME_UNITS && *at && *at < 0xf0; i++) {
		size_t len = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : 3;
		uint32_t point = len == 1 ? *at : *at & (len == 2 ? 0x1f : 0x0f);

		for (size_t byte = 1; byte < len; byte++) {
			if ((at[byte] & 0xc0) != 0x80)
				return;
			point = point << 6 | (at[byte] & 0x3f);
		}
		name[i] = to_le16((uint16_t)point);
		at += len;
	}
}

static void encode_entry(const struct partition *partition, const struct gpt_label *label,
			 uint8_t out[GPT_ENTRY_BYTES])
{
	uint64_t start = partition->start_bytes / SECTOR_BYTES;
	struct gpt_ondisk_entry entry = {
		.first_lba = to_le64(start),
		.last_lba = to_le64(start + partition->len_bytes / SECTOR_BYTES - 1),
		.attributes = to_le64(label->attributes),
	};

	guid_swap(label->type, entry.type);
	guid_swap(label->guid, entry.guid);
	encode_name(label->name, entry.name);
	memcpy(out, &entry, sizeof(entry));
}

static void encode_header(const struct span *span, const uint8_t disk_guid[GUID_BYTES],
			  const uint8_t entries[ENTRIES_BYTES], bool is_backup,
			  uint8_t out[SECTOR_BYTES])
{
	struct gpt_ondisk_header header = {
		.revision = to_le32(GPT_REVISION),
		.header_bytes = to_le32(GPT_HEADER_BYTES),
		.own_lba = to_le64(is_backup ? span->last : 1),
		.other_lba = to_le64(is_backup ? 1 : span->last),
		.first_usable_lba = to_le64(span->first_usable),
		.last_usable_lba = to_le64(span->last_usable),
		.entries_lba = to_le64(is_backup ? span->last_usable + 1 : ENTRIES_LBA),
		.entry_count = to_le32(GPT_ENTRIES),
		.entry_bytes = to_le32(GPT_ENTRY_BYTES),
		.entries_crc = to_le32(gpt_crc32(0, entries, ENTRIES_BYTES)),
	};

	memcpy(header.signature, GPT_SIGNATURE, sizeof(header.signature));
	guid_swap(disk_guid, header.disk_guid);
	header.crc = to_le32(gpt_crc32(0, &header, sizeof(header)));
	memset(out, 0, SECTOR_BYTES);
	memcpy(out, &header, sizeof(header));
}

static int encode_entries(const struct geometry *geometry, const struct gpt_labels *labels,
			  const struct span *span, uint8_t entries[ENTRIES_BYTES],
			  struct error *error)
{
	memset(entries, 0, ENTRIES_BYTES);
	for (unsigned int i = 0; i < geometry->partition_count; i++) {
		const struct partition *partition = &geometry->partitions[i];

		if (!is_encodable(partition, span))
			return error_set(error, ERANGE,
					 "cannot make the partition table: partition %u of %" PRIu64
					 " bytes at %" PRIu64 " does not fit",
					 i + 1, partition->len_bytes, partition->start_bytes);
		encode_entry(partition, &labels->partitions[i],
			     entries + (size_t)i * GPT_ENTRY_BYTES);
	}
	return 0;
}

int gpt_encode(const struct geometry *geometry, const struct gpt_labels *labels,
	       uint8_t head[GPT_HEAD_BYTES], uint8_t tail[GPT_TAIL_BYTES], struct error *error)
{
	const struct span span = find_span(geometry->image_bytes);
	uint8_t *entries = head + ENTRIES_LBA * SECTOR_BYTES;
	int ret = encode_entries(geometry, labels, &span, entries, error);

	if (ret < 0)
		return ret;
	encode_protective_mbr(&span, head);
	encode_header(&span, labels->disk_guid, entries, false, head + SECTOR_BYTES);
	memcpy(tail, entries, ENTRIES_BYTES);
	encode_header(&span, labels->disk_guid, entries, true, tail + ENTRIES_BYTES);
	return 0;
}
