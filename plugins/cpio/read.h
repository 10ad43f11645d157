/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CPIO_READ_H
#define CPIO_READ_H

#include "kataimg/backend.h"

/* The way back, as the contract has it; nothing is decoded. */
int cpio_read(const struct kataimg_host *host, uint64_t window_bytes,
	      const struct kataimg_sink *sink, void **state);

#endif
