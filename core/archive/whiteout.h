/* SPDX-License-Identifier: Apache-2.0 */
/* Whiteouts: empty files of a layer whose names say what of the layers below is gone. OCI image
 * specification, layer.md. */
#ifndef ARCHIVE_WHITEOUT_H
#define ARCHIVE_WHITEOUT_H

#include <stdbool.h>

/* Is the last name of the path one? */
bool whiteout_is(const char *path);

#endif
