/* SPDX-License-Identifier: Apache-2.0 */
/* DOS partition tables: values to bytes and back, no image file. The same bytes as libfdisk's,
 * whose versions disagree about the last sector that a table can name (2.41 leaves out 2^32 - 1).
 */
#ifndef FORMAT_MBR_H
#define FORMAT_MBR_H

#include "core/base/error.h"
#include "core/format/geometry.h"

#define MBR_BYTES 512

/*
 * The table as seen from base_bytes of the image: 0 for MBR #1, DAX_HEADER_BYTES for MBR #2. The
 * label's device is the image from there to its end.
 */
int mbr_encode(const struct geometry *geometry, uint64_t base_bytes, uint8_t out[MBR_BYTES],
	       struct error *error);

struct mbr_entry {
	uint32_t start_lba, sectors; /* from this MBR, in 512-byte sectors */
	uint8_t type;
	bool bootable;
};

struct mbr {
	uint32_t disk_signature;
	struct mbr_entry entries[4]; /* type 0: unused */
};

/* -ENODATA when there is no 55 aa signature. */
int mbr_decode(const uint8_t bytes[MBR_BYTES], struct mbr *mbr);

#endif
