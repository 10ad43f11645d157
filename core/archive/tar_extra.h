/* SPDX-License-Identifier: Apache-2.0 */
/* Headers that describe the member behind them, and the names that they and its own header give. */
#ifndef ARCHIVE_TAR_EXTRA_H
#define ARCHIVE_TAR_EXTRA_H

#include "core/archive/tar.h"

/* Is a header of this type about others? */
bool tar_is_extra(char type);
/* Takes in the one at tar->next and goes behind it. */
int tar_take_extra(struct tar *tar, const struct tar_header *header, struct error *error);

/* Sets path and target of the member, and its type where the name says it. */
int tar_set_names(struct tar *tar, struct error *error);

#endif
