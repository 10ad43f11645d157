/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives with the sums of their headers made right, so that a mutation gets past them. */
#ifndef FUZZ_SEALED_H
#define FUZZ_SEALED_H

#include "tests/fuzz/target.h"

/* All blocks that call themselves ustar, of POSIX or GNU, are headers. */
struct fuzz_file fuzz_open_sealed(const uint8_t *bytes, size_t len);

#endif
