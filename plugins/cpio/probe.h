/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CPIO_PROBE_H
#define CPIO_PROBE_H

#include "kataimg/backend.h"

/* All members are looked at, whatever they are: the archive's end is nowhere written. */
int cpio_probe(const struct kataimg_host *host, uint64_t window_bytes,
	       struct kataimg_fs_info *info);

#endif
