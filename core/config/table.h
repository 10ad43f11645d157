/* SPDX-License-Identifier: Apache-2.0 */
/* What the partition table and the device that an image is made for ask of other keys. */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include "core/config/config.h"

/* Gathers keys of a table that this image does not have. */
int config_check_foreign(struct config *config, struct error *error);

/* Settles dax and the default of align, and gathers what does not go together. */
int config_settle_table(struct config *config, bool backend_can_dax, struct error *error);

#endif
