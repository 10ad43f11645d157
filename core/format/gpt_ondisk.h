/* SPDX-License-Identifier: Apache-2.0 */
/* A GPT's structures as they are on disk: UEFI specification, 5.3. Places are in sectors. */
#ifndef FORMAT_GPT_ONDISK_H
#define FORMAT_GPT_ONDISK_H

#include "core/format/gpt.h"
#include "lib/byteorder.h"

#define GPT_SIGNATURE "EFI PART" /* without its NUL */
#define GPT_REVISION 0x00010000u
#define GPT_ENTRIES 128u

struct gpt_ondisk_header {
	uint8_t signature[8];
	le32 revision, header_bytes, crc, reserved;
	le64 own_lba, other_lba, first_usable_lba, last_usable_lba;
	uint8_t disk_guid[GUID_BYTES];
	le64 entries_lba;
	le32 entry_count, entry_bytes, entries_crc;
} __attribute__((packed));

struct gpt_ondisk_entry {
	uint8_t type[GUID_BYTES], guid[GUID_BYTES];
	le64 first_lba, last_lba, attributes;
	le16 name[GPT_NAME_UNITS];
};

_Static_assert(sizeof(struct gpt_ondisk_header) == GPT_HEADER_BYTES, "GPT header");
_Static_assert(sizeof(struct gpt_ondisk_entry) == GPT_ENTRY_BYTES, "GPT entry");

#endif
