/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ARCHIVE_PAXTIME_H
#define ARCHIVE_PAXTIME_H

#include "core/archive/input.h"

/*
 * Does a pax header between two places of the input give a negative mtime? libarchive takes the
 * sign for the whole seconds alone, and "-0.5" has none. What cannot be read says no.
 */
bool paxtime_is_negative(const struct archive_input *input, uint64_t from, uint64_t to);

#endif
