/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INSPECT_EXPANDED_H
#define INSPECT_EXPANDED_H

#include "core/inspect/inspect.h"

/*
 * As inspect_fd, of a file that may be compressed; name: it, for messages. A compressed initrd is
 * looked at as what a kernel makes of it; a compressed disk is none, and looked at as it is.
 */
int inspect_expanded(int fd, const char *name, const struct inspect_probe *probe,
		     struct inspection *inspection, struct error *error);

#endif
