/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/gpt.h"

#include <errno.h>
#include <string.h>

#include "core/format/gpt_ondisk.h"
#include "lib/bytes.h"

uint32_t gpt_crc32(uint32_t crc, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= at[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

/* The checksum covers the header with zeros in its place. */
static bool is_checksum_right(const uint8_t *sector, size_t len)
{
	static const uint8_t zeros[4];
	const size_t at = offsetof(struct gpt_ondisk_header, crc);
	struct gpt_ondisk_header header;
	uint32_t crc = gpt_crc32(0, sector, at);

	memcpy(&header, sector, sizeof(header));
	crc = gpt_crc32(crc, zeros, sizeof(zeros));
	crc = gpt_crc32(crc, sector + at + sizeof(zeros), len - at - sizeof(zeros));
	return crc == from_le32(header.crc);
}

int gpt_decode_header(const uint8_t *sector, size_t len, struct gpt_header *header)
{
	struct gpt_ondisk_header disk;
	uint32_t header_bytes;

	memcpy(&disk, sector, sizeof(disk));
	header_bytes = from_le32(disk.header_bytes);
	if (memcmp(disk.signature, GPT_SIGNATURE, sizeof(disk.signature)) != 0 ||
	    header_bytes < GPT_HEADER_BYTES || header_bytes > len)
		return -ENODATA;
	*header = (struct gpt_header){
		.own_lba = from_le64(disk.own_lba),
		.other_lba = from_le64(disk.other_lba),
		.first_usable_lba = from_le64(disk.first_usable_lba),
		.last_usable_lba = from_le64(disk.last_usable_lba),
		.entries_lba = from_le64(disk.entries_lba),
		.entry_count = from_le32(disk.entry_count),
		.entry_bytes = from_le32(disk.entry_bytes),
		.entries_crc = from_le32(disk.entries_crc),
		.checksum_right = is_checksum_right(sector, header_bytes),
	};
	guid_swap(disk.disk_guid, header->disk_guid);
	return 0;
}

size_t gpt_name_units(const char *name)
{
	size_t units = 0;

	for (const uint8_t *at = (const uint8_t *)name; *at; at++) {
		if (*at >= 0xf0)
			return SIZE_MAX;
		units += (*at & 0xc0) != 0x80;
	}
	return units;
}

/* The code point at *at, which goes on behind it; a lone surrogate is itself. */
static uint32_t next_point(const le16 *name, size_t *at)
{
	uint32_t unit = from_le16(name[(*at)++]), low;

	if (unit < 0xd800 || unit > 0xdbff || *at == GPT_NAME_UNITS)
		return unit;
	low = from_le16(name[*at]);
	if (low < 0xdc00 || low > 0xdfff)
		return unit;
	(*at)++;
	return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

static char *put_utf8(uint32_t point, char *out)
{
	if (point < 0x80) {
		*out++ = (char)point;
	} else if (point < 0x800) {
		*out++ = (char)(0xc0 | point >> 6);
		*out++ = (char)(0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		*out++ = (char)(0xe0 | point >> 12);
		*out++ = (char)(0x80 | (point >> 6 & 0x3f));
		*out++ = (char)(0x80 | (point & 0x3f));
	} else {
		*out++ = (char)(0xf0 | point >> 18);
		*out++ = (char)(0x80 | (point >> 12 & 0x3f));
		*out++ = (char)(0x80 | (point >> 6 & 0x3f));
		*out++ = (char)(0x80 | (point & 0x3f));
	}
	return out;
}

static void decode_name(const le16 *name, char text[GPT_NAME_BYTES])
{
	size_t at = 0;

	while (at < GPT_NAME_UNITS && from_le16(name[at]) != 0)
		text = put_utf8(next_point(name, &at), text);
	*text = '\0';
}

bool gpt_decode_entry(const uint8_t bytes[GPT_ENTRY_BYTES], struct gpt_entry *entry)
{
	struct gpt_ondisk_entry disk;

	memcpy(&disk, bytes, sizeof(disk));
	if (bytes_are_zero(disk.type, sizeof(disk.type)))
		return false;
	entry->first_lba = from_le64(disk.first_lba);
	entry->last_lba = from_le64(disk.last_lba);
	entry->label.attributes = from_le64(disk.attributes);
	guid_swap(disk.type, entry->label.type);
	guid_swap(disk.guid, entry->label.guid);
	decode_name(disk.name, entry->label.name);
	return true;
}
