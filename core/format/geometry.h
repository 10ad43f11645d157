/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where everything is in an image: policy and plan to offsets, once; tables, hash tree and reports
 * come from it. Facts: the image page of docs/image-format.md.
 */
#ifndef FORMAT_GEOMETRY_H
#define FORMAT_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"

#define SECTOR_BYTES 512u
#define DAX_HEADER_BYTES (UINT64_C(2) << 20)      /* MBR #1, info block; the device starts here */
#define PARTITION_START_BYTES (UINT64_C(1) << 20) /* of partition 1, from its table */
#define HUGEPAGE_BYTES (UINT64_C(2) << 20)
#define DOS_LABEL_MAX_BYTES (UINT64_C(1) << 41) /* 2^32 sectors */
#define DOS_TYPE_LINUX 0x83
#define PARTITIONS_MAX 3

enum image_table {
	IMAGE_TABLE_DOS, /* an MBR; with dax a second one, for the device at 2 MiB */
	IMAGE_TABLE_GPT, /* protective MBR and header in front, the backup at the end; never dax */
	IMAGE_TABLE_NONE /* the filesystem fills the image, or with dax the device at 2 MiB */
};

/* Where the dm-verity hash tree of a measured image is. */
enum hash_place {
	HASH_PARTITION, /* in a partition of its own, right behind the root filesystem's */
	HASH_APPEND,    /* right behind the filesystem, in its partition if there are any */
	HASH_FILE       /* not in the image */
};

enum partition_role { PARTITION_ROOT, PARTITION_VERITY, PARTITION_SIGNATURE };

/* Bytes of the image. */
struct region {
	uint64_t start_bytes, len_bytes;
};

struct partition {
	enum partition_role role;
	uint64_t start_bytes; /* from the start of the image */
	uint64_t len_bytes;
	uint8_t type; /* of a dos table: DOS_TYPE_LINUX */
	bool bootable;
};

struct geometry {
	uint64_t image_bytes;
	enum image_table table;
	bool dax; /* with the 2 MiB header */
	/* The backend's window: a multiple of the granularity. It is what is measured. */
	struct region filesystem;
	struct region hash;      /* the hash area; len_bytes 0: there is none in the image */
	struct region signature; /* of the root hash; the same */
	/* What the table lists, by place; none without a table. */
	unsigned int partition_count;
	struct partition partitions[PARTITIONS_MAX];
	uint32_t disk_signature;
};

struct geometry_request {
	uint64_t fs_bytes;    /* the smallest filesystem; not 0, a multiple of granularity */
	uint64_t granularity; /* filesystems come in multiples of it; a multiple of size's */
	uint64_t align_bytes; /* a computed image is a multiple of it; not 0 */
	uint64_t size_bytes;  /* of the whole image; 0: the smallest that holds everything */
	enum image_table table;
	bool dax;
	/* No device holds the image, so that it may have any size: align_bytes is 1, there is no
	 * table, no dax and no hash area. */
	bool no_disk;
	/* The bytes of the hash area over so many bytes of data, a multiple of 4096, never fewer
	 * for more data. NULL: the image is not measured. Where it is: not HASH_PARTITION without a
	 * table. */
	uint64_t (*hash_tree_bytes)(const void *arg, uint64_t data_bytes);
	const void *hash_tree_arg;
	enum hash_place hash_place;
	uint64_t signature_bytes; /* a partition for the root hash's signature, a multiple of 4096;
				     0: there is none. Only with a table. */
	uint32_t disk_signature;
};

/*
 * The filesystem starts where geometry_filesystem_start says. Of an image that is not measured, its
 * partition reaches to the last sector that the table leaves. A measured image's filesystem is the
 * largest that leaves room for its own hash area, which is right behind it and as long as the tree
 * of just that filesystem, and for the signature behind that; a rest of the image may belong to
 * nothing.
 *
 * filesystem is never shorter than fs_bytes.
 *
 * -EINVAL: align_bytes or size_bytes that are no multiple of 4096 (with no_disk 1; with dax 2 MiB,
 * without which the guest's kernel offers no device). -ENOSPC: size_bytes is too small; the message
 * says what is needed. -EFBIG: beyond the 2 TiB of a dos label, or what a file can have.
 */
int geometry_compute(const struct geometry_request *request, struct geometry *geometry,
		     struct error *error);

/* Where the device begins that an NVDIMM guest sees; without dax it is the whole image. */
static inline uint64_t geometry_device_base(bool dax)
{
	return dax ? DAX_HEADER_BYTES : 0;
}

static inline uint64_t geometry_filesystem_start(enum image_table table, bool dax)
{
	return geometry_device_base(dax) + (table == IMAGE_TABLE_NONE ? 0 : PARTITION_START_BYTES);
}

/* "dos", "gpt" or "none". */
const char *geometry_table_name(enum image_table table);

#endif
