/* SPDX-License-Identifier: Apache-2.0 */
/* The way back: what files are in a window of any content. */
#ifndef SQUASHFS_READ_H
#define SQUASHFS_READ_H

#include "kataimg/backend.h"

/* The contract's; *state is a struct blocks. */
int squashfs_read(const struct kataimg_host *host, uint64_t window_bytes,
		  const struct kataimg_sink *sink, void **state);

#endif
