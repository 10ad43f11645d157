/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys of [verity] say together. */
#ifndef CONFIG_MEASURED_H
#define CONFIG_MEASURED_H

#include "core/config/config.h"

/* Settles what depends on the table and what was not given; combinations that cannot be are
 * gathered. 0, or another kind of error. */
int measured_finish(struct config *config, struct error *error);

#endif
