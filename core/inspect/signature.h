/* SPDX-License-Identifier: Apache-2.0 */
/* The signature of a root hash that lies beside an image (measure/beside.h). */
#ifndef INSPECT_SIGNATURE_H
#define INSPECT_SIGNATURE_H

#include "core/inspect/inspect.h"

/* Is there a regular file at the path that is CMS signed data, of whatever? */
bool signature_is(const char *path);

/* Of an image with a hash tree: notes that there is one, and what is not known of it. It has
 * neither root hash nor certificate in it: which it is of, only who has the certificate can tell.
 */
int signature_note(const char *path, struct inspection *inspection, struct error *error);

#endif
