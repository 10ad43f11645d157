/* SPDX-License-Identifier: Apache-2.0 */
/* Does a measured image's data and hash tree belong to a root hash? Every block is read. */
#ifndef INSPECT_MEASURED_H
#define INSPECT_MEASURED_H

#include "core/inspect/inspect.h"

/*
 * root_hash is hexadecimal. salt too; NULL: that of the root_hash_*.txt beside the image that has
 * this root hash. What is wrong becomes a problem of the inspection, what is right a note. Fails
 * when nothing can be said: kind ERROR_USAGE for a bad or missing value.
 */
int inspect_measured(const char *path, const char *root_hash, const char *salt,
		     unsigned int threads, struct inspection *inspection, struct error *error);

#endif
