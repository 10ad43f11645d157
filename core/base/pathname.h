/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PATHNAME_H
#define BASE_PATHNAME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A path from the root without what says nothing: "/", "." and empty names. The root itself is "".
 * false: it has a "..", or does not fit into room.
 */
bool pathname_plain(const char *path, char *plain, size_t room);

#endif
