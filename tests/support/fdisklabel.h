/* SPDX-License-Identifier: Apache-2.0 */
/* libfdisk as a judge of partition tables: it works on a device, and gets a sparse file in memory
 * that has the device's size. */
#ifndef TESTS_FDISKLABEL_H
#define TESTS_FDISKLABEL_H

#include <libfdisk/libfdisk.h>
#include <stdint.h>

#include "lib/cleanup.h"

DEFINE_CLEANUP(struct fdisk_context, fdisk_unref_context)
DEFINE_CLEANUP(struct fdisk_partition, fdisk_unref_partition)
DEFINE_CLEANUP(struct fdisk_parttype, fdisk_unref_parttype)

struct label_device {
	int fd;
	struct fdisk_context *context;
};

/* An empty device of so many bytes. Close it in any case. */
int label_device_open(uint64_t bytes, struct label_device *device);
void label_device_close(struct label_device *device);

/* A partition, number from 0 on, with just this start and length, in sectors; to be freed. NULL:
 * memory is out. */
struct fdisk_partition *label_partition_new(size_t number, uint64_t start, uint64_t sectors,
					    struct fdisk_parttype *type);

#endif
