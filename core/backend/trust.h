/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code that somebody else can change must not run with the caller's rights. Who can change a
 * backend is who owns it, who may write it, and who may rename a directory on its way.
 */
#ifndef BACKEND_TRUST_H
#define BACKEND_TRUST_H

#include "core/base/error.h"

/*
 * Opens a backend's file for reading, with symbolic links followed, and judges what was opened:
 *
 *   - the file and each directory from the root on, of links' targets too, belong to root or to
 *     the caller, and nobody else may write them;
 *   - a directory that others may write is no fault when it is sticky and what is next on the way
 *     in it, a link as well, belongs to root or to the caller, as /tmp has it;
 *   - the caller of sudo is one, too;
 *   - a plain user's own files may be writable by the group with the user's own number, which
 *     many systems make for each user and use with an umask of 002;
 *   - in a user namespace, what belongs to somebody who has no number there is as root's: who set
 *     up the namespace gave it in. Its group may not write it.
 *
 * *path: absolute, without links; to be freed. Returns a descriptor, or -errno with a message: of
 * the kind ERROR_USAGE, which says what to do, unless it is the machine's state that is in the way.
 */
int trust_open(const char *given, char **path, struct error *error);

#endif
