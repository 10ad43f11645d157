/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/mbr.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/base/io.h"
#include "core/format/label.h"
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

static int create_label(struct fdisk_context *context, uint32_t disk_signature)
{
	char id[16];
	int ret = fdisk_create_disklabel(context, "dos");

	/* The label starts with a random signature of libfdisk's own. */
	snprintf(id, sizeof(id), "0x%08x", disk_signature);
	return ret ? ret : fdisk_set_disklabel_id_from_string(context, id);
}

static int add_partition(struct fdisk_context *context, size_t number,
			 const struct partition *partition, uint64_t base_bytes)
{
	autocall(cleanup_fdisk_unref_parttype) struct fdisk_parttype *type =
		fdisk_new_unknown_parttype(partition->type, NULL);
	autocall(cleanup_fdisk_unref_partition) struct fdisk_partition *entry =
		type ? label_partition_new(number,
					   (partition->start_bytes - base_bytes) / SECTOR_BYTES,
					   partition->len_bytes / SECTOR_BYTES, type)
		     : NULL;
	int ret;

	if (!entry)
		return -ENOMEM;
	ret = fdisk_add_partition(context, entry, NULL);
	if (ret == 0 && partition->bootable)
		ret = fdisk_toggle_partition_flag(context, number, DOS_FLAG_ACTIVE);
	return ret;
}

static int write_label(struct fdisk_context *context, const struct geometry *geometry,
		       uint64_t base_bytes)
{
	int ret = create_label(context, geometry->disk_signature);

	for (unsigned int i = 0; i < geometry->partition_count && ret == 0; i++)
		ret = add_partition(context, i, &geometry->partitions[i], base_bytes);
	return ret ? ret : fdisk_write_disklabel(context);
}

static int encode_in_memory(const struct geometry *geometry, uint64_t base_bytes,
			    uint8_t out[MBR_BYTES])
{
	struct label_device device __attribute__((cleanup(label_device_close)));
	int ret = label_device_open(geometry->image_bytes - base_bytes, &device);

	if (ret == 0)
		ret = write_label(device.context, geometry, base_bytes);
	if (ret != 0)
		return ret < 0 ? ret : -EIO; /* 1: a question of a dialog */
	return io_pread(device.fd, out, MBR_BYTES, 0);
}

int mbr_encode(const struct geometry *geometry, uint64_t base_bytes, uint8_t out[MBR_BYTES],
	       struct error *error)
{
	int ret = encode_in_memory(geometry, base_bytes, out);

	if (ret < 0)
		return error_errno(error, -ret, "cannot make the partition table");
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
