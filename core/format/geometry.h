/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where everything is in an image: policy and plan to offsets, once; both partition tables come
 * from it. Facts: the image page of docs/image-format.md.
 */
#ifndef FORMAT_GEOMETRY_H
#define FORMAT_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"

#define SECTOR_BYTES 512u
#define DAX_HEADER_BYTES (UINT64_C(2) << 20)      /* MBR #1, info block; MBR #2 starts here */
#define PARTITION_START_BYTES (UINT64_C(1) << 20) /* of partition 1, from its MBR */
#define HUGEPAGE_BYTES (UINT64_C(2) << 20)
#define DOS_LABEL_MAX_BYTES (UINT64_C(1) << 41) /* 2^32 sectors */
#define DOS_TYPE_LINUX 0x83
#define PARTITIONS_MAX 2

struct partition {
	uint64_t start_bytes; /* from the start of the image */
	uint64_t len_bytes;
	uint8_t type; /* DOS_TYPE_LINUX */
	bool bootable;
};

struct geometry {
	uint64_t image_bytes;
	bool dax; /* with the 2 MiB header */
	unsigned int partition_count;
	struct partition partitions[PARTITIONS_MAX]; /* 0: root filesystem, 1: dm-verity tree */
	uint64_t window_bytes; /* the filesystem's part of partition 1, from its start */
	uint32_t disk_signature;
};

struct geometry_request {
	uint64_t fs_bytes;    /* the smallest filesystem; not 0, a multiple of granularity */
	uint64_t granularity; /* filesystems come in multiples of it; a multiple of 4096 */
	uint64_t align_bytes; /* a computed image is a multiple of it; not 0 */
	uint64_t size_bytes;  /* of the whole image; 0: the smallest that holds the filesystem */
	bool dax;
	/* The bytes of the hash tree over so many bytes of data, never fewer for more data. NULL:
	 * the image is not measured, and there is no partition 2. */
	uint64_t (*hash_tree_bytes)(uint64_t data_bytes);
	uint32_t disk_signature;
};

/*
 * Partition 1 starts 1 MiB into the part of the image that holds the filesystem (3 MiB into the
 * image with dax) and reaches to the last sector. A measured image's partition 1 ends where the
 * largest filesystem ends that leaves room for its own hash tree; partition 2 is as long as that
 * tree, and a rest of the image may belong to neither.
 *
 * window_bytes is the largest multiple of granularity that fits partition 1; of a measured image
 * it is all of it. It is never less than fs_bytes.
 *
 * -EINVAL: align_bytes or size_bytes that are no multiple of 4096 (with dax of 2 MiB, without
 * which the guest's kernel offers no device). -ENOSPC: size_bytes is too small; the message says
 * what is needed. -EFBIG: beyond the 2 TiB of a dos label.
 */
int geometry_compute(const struct geometry_request *request, struct geometry *geometry,
		     struct error *error);

/* Where the image's second partition table is: DAX_HEADER_BYTES with dax, else there is one, at 0.
 */
static inline uint64_t geometry_device_base(bool dax)
{
	return dax ? DAX_HEADER_BYTES : 0;
}

#endif
