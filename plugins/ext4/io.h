/* SPDX-License-Identifier: Apache-2.0 */
/* libext2fs's way to the window: an io_manager over the host table. */
#ifndef EXT4_IO_H
#define EXT4_IO_H

#include <sys/types.h>

#include <ext2fs/ext2fs.h>

#include "kataimg/backend.h"

/*
 * ext2fs_initialize hands the device name on to the io_manager's open, and nothing else: so the
 * name is the first member of what open needs. Pass io.name as the name; io must stay until the
 * filesystem is closed or freed.
 */
struct ext4_io {
	char name[8];
	const struct kataimg_host *host;
	int error; /* 0, or the first failure of the host, whose message was given */
};

void ext4_io_init(struct ext4_io *io, const struct kataimg_host *host);

extern struct struct_io_manager ext4_io_manager;

#endif
