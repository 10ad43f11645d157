/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where everything is in an image: policy and plan to offsets, once; both partition tables come
 * from it. Facts: the image page of docs/image-format.md.
 */
#ifndef FORMAT_GEOMETRY_H
#define FORMAT_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#define SECTOR_BYTES 512u
#define DAX_HEADER_BYTES (UINT64_C(2) << 20)      /* MBR #1, info block; MBR #2 starts here */
#define PARTITION_START_BYTES (UINT64_C(1) << 20) /* of partition 1, from its MBR */
#define HUGEPAGE_BYTES (UINT64_C(2) << 20)
#define DOS_LABEL_MAX_BYTES (UINT64_C(1) << 41) /* 2^32 sectors */
#define PARTITIONS_MAX 2

struct partition {
	uint64_t start_bytes; /* from the start of the image */
	uint64_t len_bytes;
	uint8_t type; /* 0x83 */
	bool bootable;
};

struct geometry {
	uint64_t image_bytes;
	bool dax; /* with the 2 MiB header */
	unsigned int partition_count;
	struct partition partitions[PARTITIONS_MAX]; /* 0: root filesystem, 1: dm-verity tree */
	uint32_t disk_signature;
};

#endif
