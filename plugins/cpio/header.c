/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/cpio/header.h"

#include <stdio.h>
#include <string.h>

#include "lib/filetype.h"
#include "lib/hex.h"

void cpio_header_fill(struct cpio_header *header, const struct kataimg_node *node)
{
	*header = (struct cpio_header){ {
		/* 0 would do, but other readers have taken it for none. */
		[CPIO_INO] = node->index + 1,
		[CPIO_MODE] = filetype_mode(node),
		[CPIO_UID] = node->uid,
		[CPIO_GID] = node->gid,
		[CPIO_NLINK] = node->nlink,
		[CPIO_MTIME] = (uint32_t)node->mtime_sec,
		[CPIO_RDEV_MAJOR] = node->rdev_major,
		[CPIO_RDEV_MINOR] = node->rdev_minor,
	} };
}

void cpio_header_encode(const struct cpio_header *header, uint8_t text[CPIO_HEADER_BYTES])
{
	uint8_t *at = text + CPIO_MAGIC_BYTES;

	memcpy(text, CPIO_MAGIC_NEWC, CPIO_MAGIC_BYTES);
	for (unsigned int i = 0; i < CPIO_FIELDS; i++, at += CPIO_DIGITS) {
		char digits[CPIO_DIGITS + 1];

		snprintf(digits, sizeof(digits), "%08X", (unsigned int)header->field[i]);
		memcpy(at, digits, CPIO_DIGITS);
	}
}

bool cpio_header_decode(const uint8_t text[CPIO_HEADER_BYTES], struct cpio_header *header)
{
	const uint8_t *at = text + CPIO_MAGIC_BYTES;

	for (unsigned int i = 0; i < CPIO_FIELDS; i++) {
		uint32_t value = 0;

		for (unsigned int digit = 0; digit < CPIO_DIGITS; digit++) {
			int nibble = hex_digit((char)*at++);

			if (nibble < 0)
				return false;
			value = value << 4 | (uint32_t)nibble;
		}
		header->field[i] = value;
	}
	return true;
}
