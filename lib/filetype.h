/* SPDX-License-Identifier: Apache-2.0 */
/* A node's type and the type bits of stat(2)'s st_mode, which ext4, XFS and EROFS store as well. */
#ifndef LIB_FILETYPE_H
#define LIB_FILETYPE_H

#include <sys/stat.h>

#include "kataimg/backend.h"

/* S_IFREG and so on. */
static inline uint16_t filetype_bits(uint8_t type)
{
	static const uint16_t bits[] = {
		[KATAIMG_REG] = S_IFREG, [KATAIMG_DIR] = S_IFDIR,  [KATAIMG_CHR] = S_IFCHR,
		[KATAIMG_BLK] = S_IFBLK, [KATAIMG_FIFO] = S_IFIFO, [KATAIMG_SOCK] = S_IFSOCK,
		[KATAIMG_LNK] = S_IFLNK,
	};

	return bits[type];
}

/* The type bits and the permission bits: st_mode. */
static inline uint16_t filetype_mode(const struct kataimg_node *node)
{
	return filetype_bits(node->type) | node->mode;
}

/* An enum kataimg_type; 0: there is no such type. */
static inline uint8_t filetype_of_mode(unsigned int mode)
{
	for (uint8_t type = KATAIMG_REG; type <= KATAIMG_LNK; type++)
		if (filetype_bits(type) == (mode & S_IFMT))
			return type;
	return 0;
}

#endif
