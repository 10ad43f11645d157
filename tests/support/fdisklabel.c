/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fdisklabel.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

int label_device_open(uint64_t bytes, struct label_device *device)
{
	*device = (struct label_device){ .fd = memfd_create("partition table", MFD_CLOEXEC) };
	if (device->fd < 0 || ftruncate(device->fd, (off_t)bytes) < 0)
		return -errno;
	device->context = fdisk_new_context();
	if (!device->context)
		return -ENOMEM;
	fdisk_disable_dialogs(device->context, 1);
	return fdisk_assign_device_by_fd(device->context, device->fd, "image", 0);
}

void label_device_close(struct label_device *device)
{
	fdisk_unref_context(device->context);
	if (device->fd >= 0)
		close(device->fd);
}

struct fdisk_partition *label_partition_new(size_t number, uint64_t start, uint64_t sectors,
					    struct fdisk_parttype *type)
{
	struct fdisk_partition *entry = fdisk_new_partition();

	if (!entry)
		return NULL;
	fdisk_partition_set_partno(entry, number);
	fdisk_partition_set_start(entry, start);
	fdisk_partition_set_size(entry, sectors);
	/* Else libfdisk rounds the size to what it calls a grain. */
	fdisk_partition_size_explicit(entry, 1);
	fdisk_partition_set_type(entry, type);
	return entry;
}
