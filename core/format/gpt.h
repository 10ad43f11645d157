/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GUID partition tables (UEFI specification, chapter 5): values to bytes and back, no image file.
 * The same bytes as libfdisk's. GUIDs are in the order of their text.
 */
#ifndef FORMAT_GPT_H
#define FORMAT_GPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/format/geometry.h"
#include "core/format/guid.h"

/* Protective MBR, header and 128 entries at the image's start; entries and header at its end. */
#define GPT_HEAD_BYTES (34 * SECTOR_BYTES)
#define GPT_TAIL_BYTES (33 * SECTOR_BYTES)

#define GPT_NAME_UNITS 36 /* of UTF-16, in an entry */
#define GPT_NAME_BYTES (3 * GPT_NAME_UNITS + 1)

/* How many units a name of UTF-8 takes; SIZE_MAX: it has characters beyond U+FFFF, which UEFI's
 * strings, UCS-2, do not have. */
size_t gpt_name_units(const char *name);

/* Attributes of an entry: the Discoverable Partitions Specification's. */
#define GPT_GROW_FILESYSTEM (UINT64_C(1) << 59)
#define GPT_READ_ONLY (UINT64_C(1) << 60)
#define GPT_NO_AUTO (UINT64_C(1) << 63)

/* What a table says of a partition besides its place. */
struct gpt_label {
	uint8_t type[GUID_BYTES], guid[GUID_BYTES];
	uint64_t attributes;
	char name[GPT_NAME_BYTES]; /* UTF-8 */
};

struct gpt_labels {
	uint8_t disk_guid[GUID_BYTES];
	struct gpt_label partitions[PARTITIONS_MAX]; /* as in the geometry */
};

/* -ERANGE: a partition is not on whole sectors, or over the table's own. Names beyond what
 * gpt_name_units counts are cut short. */
int gpt_encode(const struct geometry *geometry, const struct gpt_labels *labels,
	       uint8_t head[GPT_HEAD_BYTES], uint8_t tail[GPT_TAIL_BYTES], struct error *error);

/* One of the two headers. Places are in sectors. */
struct gpt_header {
	uint64_t own_lba, other_lba;
	uint64_t first_usable_lba, last_usable_lba;
	uint64_t entries_lba;
	uint32_t entry_count, entry_bytes;
	uint32_t entries_crc; /* of all entries, as stored */
	uint8_t disk_guid[GUID_BYTES];
	bool checksum_right; /* the header's own */
};

#define GPT_HEADER_BYTES 92

/* A sector, of which the header is the beginning. -ENODATA without the signature, or with a size
 * that no header has. */
int gpt_decode_header(const uint8_t *sector, size_t len, struct gpt_header *header);

struct gpt_entry {
	uint64_t first_lba, last_lba; /* both belong to it */
	struct gpt_label label;
};

#define GPT_ENTRY_BYTES 128

/* The first 128 bytes of an entry. False: it is not used. What is no UTF-16 in a name is no UTF-8
 * in ours. */
bool gpt_decode_entry(const uint8_t bytes[GPT_ENTRY_BYTES], struct gpt_entry *entry);

/* CRC-32 of the UEFI specification, as of Ethernet; crc is 0, or that of what came before. */
uint32_t gpt_crc32(uint32_t crc, const void *bytes, size_t len);

#endif
