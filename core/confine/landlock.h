/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock as the kernel has it (include/uapi/linux/landlock.h up to version 6 of its interface):
 * the headers of a build may be older than the kernel that runs, and libc has no functions for it.
 */
#ifndef CONFINE_LANDLOCK_H
#define CONFINE_LANDLOCK_H

#include <stdint.h>

#define LANDLOCK_FS_EXECUTE ((uint64_t)1 << 0)
#define LANDLOCK_FS_WRITE_FILE ((uint64_t)1 << 1)
#define LANDLOCK_FS_READ_FILE ((uint64_t)1 << 2)
#define LANDLOCK_FS_READ_DIR ((uint64_t)1 << 3)
#define LANDLOCK_FS_REMOVE_DIR ((uint64_t)1 << 4)
#define LANDLOCK_FS_REMOVE_FILE ((uint64_t)1 << 5)
#define LANDLOCK_FS_MAKE_CHAR ((uint64_t)1 << 6)
#define LANDLOCK_FS_MAKE_DIR ((uint64_t)1 << 7)
#define LANDLOCK_FS_MAKE_REG ((uint64_t)1 << 8)
#define LANDLOCK_FS_MAKE_SOCK ((uint64_t)1 << 9)
#define LANDLOCK_FS_MAKE_FIFO ((uint64_t)1 << 10)
#define LANDLOCK_FS_MAKE_BLOCK ((uint64_t)1 << 11)
#define LANDLOCK_FS_MAKE_SYM ((uint64_t)1 << 12)
#define LANDLOCK_FS_REFER ((uint64_t)1 << 13)     /* version 2, Linux 5.19 */
#define LANDLOCK_FS_TRUNCATE ((uint64_t)1 << 14)  /* version 3, Linux 6.2 */
#define LANDLOCK_FS_IOCTL_DEV ((uint64_t)1 << 15) /* version 5, Linux 6.10 */

/* Those that a rule for what is no directory may have. */
#define LANDLOCK_FS_OF_FILES                                                    \
	(LANDLOCK_FS_EXECUTE | LANDLOCK_FS_WRITE_FILE | LANDLOCK_FS_READ_FILE | \
	 LANDLOCK_FS_TRUNCATE | LANDLOCK_FS_IOCTL_DEV)

#define LANDLOCK_NET_ALL ((uint64_t)3)   /* binding and connecting by TCP: version 4, Linux 6.7 */
#define LANDLOCK_SCOPE_ALL ((uint64_t)3) /* abstract sockets, signals: version 6, Linux 6.12 */

struct landlock_ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

#define LANDLOCK_RULE_BENEATH 1
struct landlock_beneath {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

#define LANDLOCK_ASK_VERSION 1u

#endif
