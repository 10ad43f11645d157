/* SPDX-License-Identifier: Apache-2.0 */
/* Whole reads and writes at an offset: interrupted and short calls go on. Any thread. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>
#include <stdint.h>

/* 0 or -errno. */
int io_pwrite(int fd, const void *buf, size_t len, uint64_t off);

/* 0 or -errno; -ENODATA when the file ends before. */
int io_pread(int fd, void *buf, size_t len, uint64_t off);

#endif
