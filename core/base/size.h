/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes in messages, as a user would write them. */
#ifndef BASE_SIZE_H
#define BASE_SIZE_H

#include <stddef.h>
#include <stdint.h>

#define SIZE_TEXT_BYTES 24 /* enough for any size */

/* "64M": with the largest of K, M, G and T that leaves a whole number; cut to size. Returns buf. */
const char *size_format(uint64_t bytes, char *buf, size_t size);

#endif
