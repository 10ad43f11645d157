/* SPDX-License-Identifier: Apache-2.0 */
/* What a filesystem says of itself, foretold and found. */
#ifndef BACKEND_INFO_H
#define BACKEND_INFO_H

#include "core/base/error.h"
#include "kataimg/backend.h"

/* -EPROTO, naming the filesystem and the first thing that differs. */
int info_compare(const char *filesystem, const struct kataimg_fs_info *planned,
		 const struct kataimg_fs_info *found, struct error *error);

#endif
