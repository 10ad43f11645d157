/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ARCHIVE_TAR_XATTRS_H
#define ARCHIVE_TAR_XATTRS_H

#include <archive_entry.h>

#include "core/archive/tar.h"

/* Extended attributes and ACLs of pax records, those of global headers first: the last one added of
 * a name is the one that holds. */
int tar_set_xattrs(struct tar *tar, struct archive_entry *entry, struct error *error);

#endif
