/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged images of one filesystem, which is what is linked: its backend, and the file that knows
 * where its numbers are. */
#ifndef FUZZ_DAMAGED_H
#define FUZZ_DAMAGED_H

#include <stddef.h>
#include <stdint.h>

/* 0 .. below - 1 */
uint64_t damaged_random(uint64_t below);

/* Of one filesystem: a place that is worth damaging, anywhere; and the sums that guard the whole.
 */
uint64_t damaged_choose(const uint8_t *bytes, size_t len);
void damaged_seal(uint8_t *bytes, size_t len);

#endif
