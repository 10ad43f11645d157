/* SPDX-License-Identifier: Apache-2.0 */
/* One text into one typed member of struct config. */
#ifndef CONFIG_ASSIGN_H
#define CONFIG_ASSIGN_H

#include "core/config/config.h"

/*
 * Parses value as the key's type says and stores it, in place of an earlier one; lists grow.
 * directory is what a relative path is relative to; NULL: the working directory. The error names
 * neither place nor key.
 */
int assign_value(struct config *config, const struct config_key *key, const char *value,
		 const char *directory, struct error *error);

/* Frees what a key's member owns. */
void assign_clear(struct config *config, const struct config_key *key);

#endif
