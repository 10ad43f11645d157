/* SPDX-License-Identifier: Apache-2.0 */
/* The devices that a filesystem is on besides the one that the window shows. */
#ifndef EROFS_DEVICES_H
#define EROFS_DEVICES_H

#include "kataimg/backend.h"
#include "plugins/erofs/format.h"

/* -EOPNOTSUPP when there are any, with a message that names them and says how a kernel is given
 * them; -EUCLEAN when their table is not in the window. */
int erofs_devices_check(const struct kataimg_host *host, uint64_t window_bytes,
			const struct erofs_super *super);

#endif
