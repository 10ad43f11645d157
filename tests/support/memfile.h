/* SPDX-License-Identifier: Apache-2.0 */
/* Images that a test makes byte by byte, in memory. What fails ends the test. */
#ifndef SUPPORT_MEMFILE_H
#define SUPPORT_MEMFILE_H

#include <stddef.h>
#include <stdint.h>

/* A descriptor of the caller's, of so many zeros. */
int memfile_new(uint64_t bytes);
void memfile_put(int fd, const void *bytes, size_t len, uint64_t off);

#endif
