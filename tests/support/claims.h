/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes of a fake host's window are written, and which placed: sets of ranges. */
#ifndef SUPPORT_CLAIMS_H
#define SUPPORT_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

struct claims {
	void *root; /* zero-initialised */
};

bool claims_touch(const struct claims *claims, uint64_t off, uint64_t len);
/* Ranges that overlap become one. */
void claims_add(struct claims *claims, uint64_t off, uint64_t len);
void claims_clear(struct claims *claims);

#endif
