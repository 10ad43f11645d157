/* SPDX-License-Identifier: Apache-2.0 */
/* A member's header: numbers to text and back. */
#ifndef CPIO_HEADER_H
#define CPIO_HEADER_H

#include <stdbool.h>

#include "kataimg/backend.h"
#include "plugins/cpio/format.h"

struct cpio_header {
	uint32_t field[CPIO_FIELDS];
};

/* Of one name of the node, without CPIO_SIZE and CPIO_NAME_BYTES. */
void cpio_header_fill(struct cpio_header *header, const struct kataimg_node *node);

void cpio_header_encode(const struct cpio_header *header, uint8_t text[CPIO_HEADER_BYTES]);

/* false: the fields are no numbers. The magic is not looked at. */
bool cpio_header_decode(const uint8_t text[CPIO_HEADER_BYTES], struct cpio_header *header);

#endif
