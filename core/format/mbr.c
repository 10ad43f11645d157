/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/mbr.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "lib/byteorder.h"

struct mbr_ondisk_entry {
	uint8_t status; /* 0x80: bootable */
	uint8_t first_chs[3];
	uint8_t type;
	uint8_t last_chs[3];
	le32 start_lba, sectors;
};

struct mbr_ondisk {
	uint8_t code[440];
	le32 disk_signature;
	uint8_t reserved[2];
	struct mbr_ondisk_entry entries[4];
	uint8_t signature[2]; /* 55 aa */
};

_Static_assert(sizeof(struct mbr_ondisk) == MBR_BYTES, "MBR");
_Static_assert(offsetof(struct mbr_ondisk, entries) == 446, "MBR entries");

/* The geometry that every tool assumes where a disk has none. */
#define CHS_HEADS 255u
#define CHS_SECTORS 63u
#define CHS_CYLINDERS 1024u

/* What lies beyond the last cylinder has the address of that one's last sector. */
static void encode_chs(uint64_t lba, uint8_t chs[3])
{
	const uint64_t last = CHS_CYLINDERS * CHS_HEADS * CHS_SECTORS - 1;
	uint64_t sector = lba < last ? lba : last;
	uint64_t cylinder = sector / (CHS_HEADS * CHS_SECTORS);

	chs[0] = (uint8_t)(sector / CHS_SECTORS % CHS_HEADS);
	chs[1] = (uint8_t)((sector % CHS_SECTORS + 1) | (cylinder >> 2 & 0xc0));
	chs[2] = (uint8_t)cylinder;
}

/* Whether a table there can describe it: whole sectors behind the table, numbers of 32 bits. */
static bool is_encodable(const struct geometry *geometry, uint64_t base_bytes,
			 const struct partition *partition)
{
	uint64_t start = partition->start_bytes, len = partition->len_bytes;

	return start >= base_bytes + SECTOR_BYTES && len >= SECTOR_BYTES &&
	       start % SECTOR_BYTES == 0 && len % SECTOR_BYTES == 0 &&
	       start <= geometry->image_bytes && len <= geometry->image_bytes - start &&
	       start + len - base_bytes <= DOS_LABEL_MAX_BYTES;
}

static struct mbr_ondisk_entry encode_entry(const struct partition *partition, uint64_t base_bytes)
{
	uint64_t start = (partition->start_bytes - base_bytes) / SECTOR_BYTES;
	uint64_t sectors = partition->len_bytes / SECTOR_BYTES;
	struct mbr_ondisk_entry entry = {
		.status = partition->bootable ? 0x80 : 0,
		.type = partition->type,
		.start_lba = to_le32((uint32_t)start),
		.sectors = to_le32((uint32_t)sectors),
	};

	encode_chs(start, entry.first_chs);
	encode_chs(start + sectors - 1, entry.last_chs);
	return entry;
}

int mbr_encode(const struct geometry *geometry, uint64_t base_bytes, uint8_t out[MBR_BYTES],
	       struct error *error)
{
	struct mbr_ondisk disk = {
		.disk_signature = to_le32(geometry->disk_signature),
		.signature = { 0x55, 0xaa },
	};

	for (unsigned int i = 0; i < geometry->partition_count; i++) {
		const struct partition *partition = &geometry->partitions[i];

		if (!is_encodable(geometry, base_bytes, partition))
			return error_set(error, ERANGE,
					 "cannot make the partition table: partition %u of %" PRIu64
					 " bytes at %" PRIu64 " does not fit",
					 i + 1, partition->len_bytes, partition->start_bytes);
		disk.entries[i] = encode_entry(partition, base_bytes);
	}
	memcpy(out, &disk, sizeof(disk));
	return 0;
}

int mbr_decode(const uint8_t bytes[MBR_BYTES], struct mbr *mbr)
{
	struct mbr_ondisk disk;

	memcpy(&disk, bytes, sizeof(disk));
	if (disk.signature[0] != 0x55 || disk.signature[1] != 0xaa)
		return -ENODATA;
	mbr->disk_signature = from_le32(disk.disk_signature);
	for (int i = 0; i < 4; i++)
		mbr->entries[i] = (struct mbr_entry){
			.start_lba = from_le32(disk.entries[i].start_lba),
			.sectors = from_le32(disk.entries[i].sectors),
			.type = disk.entries[i].type,
			.bootable = disk.entries[i].status == 0x80,
		};
	return 0;
}
