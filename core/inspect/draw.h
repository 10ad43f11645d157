/* SPDX-License-Identifier: Apache-2.0 */
/* An image as a row of boxes: where each part begins, and what it is. */
#ifndef INSPECT_DRAW_H
#define INSPECT_DRAW_H

#include "core/inspect/inspect.h"

/* Two lines, or none of what is no image. -ENOMEM. */
int inspect_draw(const struct inspection *inspection, FILE *out);

#endif
