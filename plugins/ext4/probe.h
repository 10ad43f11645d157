/* SPDX-License-Identifier: Apache-2.0 */
/* Recognising an ext2, ext3 or ext4, of whatever builder. */
#ifndef EXT4_PROBE_H
#define EXT4_PROBE_H

#include "kataimg/backend.h"

/* kataimg_backend.probe. */
int ext4_probe(const struct kataimg_host *host, uint64_t window_bytes,
	       struct kataimg_fs_info *info);

#endif
