/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libarchive takes and gives times as time_t, in its calls' arguments: the one it was built with,
 * of 32 bits on some machines where all else here has 64. time.c is compiled as libarchive was.
 */
#ifndef ARCHIVE_TIME_H
#define ARCHIVE_TIME_H

#include <stdint.h>

struct archive_entry;

/* -EOVERFLOW: this machine's libarchive has no such time. */
int archive_time_set(struct archive_entry *entry, int64_t seconds, long nanoseconds);

/* In seconds, of what has none before 1970: the members of a cpio. */
int64_t archive_time_get_unsigned(struct archive_entry *entry);

#endif
