/* SPDX-License-Identifier: Apache-2.0 */
/* Recognising an EROFS, of whatever builder. */
#ifndef EROFS_PROBE_H
#define EROFS_PROBE_H

#include "kataimg/backend.h"

/* kataimg_backend.probe. */
int erofs_probe(const struct kataimg_host *host, uint64_t window_bytes,
		struct kataimg_fs_info *info);

#endif
