/* SPDX-License-Identifier: Apache-2.0 */
/* What an image that no device holds has of the section [image], and what not. */
#ifndef CONFIG_SHAPE_H
#define CONFIG_SHAPE_H

#include "core/config/config.h"

/* Gathers what does not apply to such an image, and settles what follows for it. */
int config_settle_no_disk(struct config *config, struct error *error);

/* Gathers what does not go together in compress and level. */
int config_check_compress(struct config *config, struct error *error);

#endif
