/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The newc form of cpio, as Linux unpacks it into its first root filesystem. Source of all facts:
 * the kernel's Documentation/driver-api/early-userspace/buffer-format.rst and init/initramfs.c.
 *
 * A member is a header of text, its path with a NUL, and its data; zeros fill each of the latter
 * two up to a multiple of 4 bytes from the start of the archive. A member named TRAILER!!! ends the
 * archive. Zeros may follow, and at a multiple of 4 bytes another archive.
 */
#ifndef CPIO_FORMAT_H
#define CPIO_FORMAT_H

#include <stdint.h>

#define CPIO_ALIGN_BYTES 4u

#define CPIO_MAGIC_BYTES 6u
#define CPIO_MAGIC_NEWC "070701"
#define CPIO_MAGIC_CRC "070702" /* the last field is a sum of the data's bytes; else it is 0 */

/* Numbers of a header, each of 8 hexadecimal digits, in their order. */
enum cpio_field {
	CPIO_INO,
	CPIO_MODE,
	CPIO_UID,
	CPIO_GID,
	CPIO_NLINK,
	CPIO_MTIME,
	CPIO_SIZE, /* of the data that follows */
	CPIO_DEV_MAJOR,
	CPIO_DEV_MINOR,
	CPIO_RDEV_MAJOR,
	CPIO_RDEV_MINOR,
	CPIO_NAME_BYTES, /* with the NUL */
	CPIO_SUM,
	CPIO_FIELDS
};
#define CPIO_DIGITS 8u
#define CPIO_HEADER_BYTES (CPIO_MAGIC_BYTES + CPIO_FIELDS * CPIO_DIGITS)

/* PATH_MAX: the kernel passes over members with more, NUL included, in path or symbolic link. */
#define CPIO_PATH_BYTES 4096u

#define CPIO_TRAILER "TRAILER!!!"

/* What cpio(1) fills the last block of an archive up to. */
#define CPIO_BLOCK_BYTES 512u

/* What a kernel makes of a device's numbers. */
#define CPIO_DEVICE_MAJOR_MAX 0xfffu
#define CPIO_DEVICE_MINOR_MAX 0xfffffu

#endif
