/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_ABSOLUTE_H
#define CONFIG_ABSOLUTE_H

#include "core/config/config.h"

/* All paths become absolute, so that they lead to the same files from another directory. "-" and
 * the names of backends are no paths. */
int config_make_absolute(struct config *config, struct error *error);

#endif
