/* SPDX-License-Identifier: Apache-2.0 */
/* From the source to a layout, step by step. */
#ifndef EROFS_PLAN_H
#define EROFS_PLAN_H

#include "plugins/erofs/layout.h"

/* 0, or an error with its message; whatever it returns, the layout can be cleared. */
int erofs_plan_layout(struct erofs_layout *layout, const struct erofs_source *source);

#endif
