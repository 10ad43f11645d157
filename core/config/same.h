/* SPDX-License-Identifier: Apache-2.0 */
/* Do two configurations ask for the same? */
#ifndef CONFIG_SAME_H
#define CONFIG_SAME_H

#include "core/config/config.h"

/* Of one key: the values, not the texts that gave them. */
bool config_same_value(const struct config *a, const struct config *b,
		       const struct config_key *key);

#endif
