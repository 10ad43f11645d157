/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_SWEEPEXEMPT_H
#define UNIT_SWEEPEXEMPT_H

#include <stdbool.h>

/* Is the allocation, with the address to which it returns, one that a library does not survive the
 * lack of? */
bool sweep_is_exempt(const void *caller);

#endif
