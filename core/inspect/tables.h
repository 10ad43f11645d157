/* SPDX-License-Identifier: Apache-2.0 */
/* The reading half of inspect: which partition tables an image has, and what they list. */
#ifndef INSPECT_TABLES_H
#define INSPECT_TABLES_H

#include "core/inspect/inspect.h"

/* Reads both views and a GPT, lists the partitions and finds those of the root filesystem and of
 * its hash tree. The inspection has image_bytes and the info block. */
int tables_read(int fd, struct inspection *inspection, struct error *error);

/* -ENODATA, without a message, for what lies beyond the end of the image. */
int tables_read_part(int fd, const struct inspection *inspection, uint64_t off, void *buf,
		     size_t len, struct error *error);

/* Is the region not empty, and all of it in the image? */
bool tables_is_inside(const struct inspection *inspection, const struct region *region);

/* NULL: there is none of this number. */
const struct inspect_partition *tables_find_partition(const struct inspection *inspection,
						      unsigned int number);

/* Does an MBR list a partition? */
bool tables_lists_any(const struct inspect_view *view);

/* The entry that protects a GPT; NULL: there is none. */
const struct mbr_entry *tables_find_protective(const struct inspect_view *view);

#endif
