/* SPDX-License-Identifier: Apache-2.0 */
/* One program at a time changes what is in a directory: by flock(2) on the directory. */
#ifndef IMAGE_LOCK_H
#define IMAGE_LOCK_H

#include "core/base/error.h"

/*
 * Waits until nobody else has the lock, up to a minute. It ends with the descriptor, or by LOCK_UN.
 * NFS locks no directories: then nobody has such a lock, and 0 means that as well. -EBUSY, with the
 * sentence of fmt and what is in the way; -ECANCELED.
 */
int lock_directory(int dir, struct error *error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
