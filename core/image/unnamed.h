/* SPDX-License-Identifier: Apache-2.0 */
/* Files that have no name. */
#ifndef IMAGE_UNNAMED_H
#define IMAGE_UNNAMED_H

#include <sys/types.h>

/*
 * In the directory path, relative to dir. A descriptor of the caller's, or -errno. -EOPNOTSUPP:
 * there they need a name first, or there is no such directory, as making one with a name says.
 */
int unnamed_open_in(int dir, const char *path, mode_t mode);

/*
 * For scratch of who makes no file that it could lie beside: in TMPDIR or, where that is not set,
 * in /var/tmp, which is meant for what is large. A descriptor of the caller's, or -errno. For
 * struct tree_scratch: arg is not used.
 */
int unnamed_open(void *arg);
/* In messages. */
#define UNNAMED_PLACE "TMPDIR, or /var/tmp without it"

#endif
