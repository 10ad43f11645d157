/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as an INI file, each value with a comment that says where it came from. */
#ifndef CONFIG_PRINT_H
#define CONFIG_PRINT_H

#include <stdio.h>

#include "core/config/config.h"
#include "kataimg/backend.h"

/* The core's sections. */
void config_print(const struct config *config, FILE *out);

/* The section of a backend, whose options are in the shape of this program's header. */
void config_print_backend(const struct config *config, const struct kataimg_backend *table,
			  FILE *out);

#endif
